//! The other cells that one may have reason to choose, and what they cost.

use super::choice::{Terms, paid_cpu_s};
use super::{Alternative, Choice, over};
use crate::analysis::units;
use crate::record::Purpose;

/// A saving in memory below this share is none.
const SAVING: f64 = 0.05;
/// A cell that fails more is worth naming where it is faster by this share.
const FASTER: f64 = 0.05;
/// Unless more than this share of its requests fails beyond the chosen cell's.
const MORE: f64 = 0.05;

/// The alternatives to the chosen cell, each named once.
pub(super) fn of(choice: &Choice<'_>) -> Vec<Alternative> {
    let found = [
        (fastest(choice), "the fastest"),
        (least_memory(choice), "the least memory"),
        (fewer_workers(choice), "the next fewer workers measured"),
        (more_failures(choice), "faster, with more failures"),
        (otherwise(choice), otherwise_for(choice.terms.purpose)),
        (
            in_burst(choice),
            "for this batch alone, which the limit's burst lets through",
        ),
    ];
    let mut alternatives: Vec<Alternative> = Vec::new();
    for (row, what) in found {
        if let Some(row) = row
            && row != choice.chosen
            && alternatives.iter().all(|other| other.row != row)
        {
            alternatives.push(Alternative {
                row,
                what: what.to_owned(),
                cost: difference(choice, row),
            });
        }
    }
    alternatives
}

fn fastest(choice: &Choice<'_>) -> Option<usize> {
    Some(choice.fastest)
}

/// Of those within the tolerance, the one with the least memory, if it is less.
fn least_memory(choice: &Choice<'_>) -> Option<usize> {
    let bytes = |place: usize| choice.figures(place).peak_rss_bytes;
    let mine = bytes(choice.chosen)? as f64;
    let (least, place) = choice
        .within()
        .filter_map(|place| Some((bytes(place)?, place)))
        .min()?;
    ((least as f64) < mine * (1.0 - SAVING)).then_some(place)
}

/// The chosen strategy with the next lower number of workers: a change of one thing.
fn fewer_workers(choice: &Choice<'_>) -> Option<usize> {
    let mine = choice.workers(choice.chosen);
    let line = choice.eligible.iter().copied();
    line.filter(|place| choice.same_line(*place, choice.chosen) && choice.workers(*place) < mine)
        .max_by_key(|place| choice.workers(*place))
}

/// The fastest of those that were left out because a few more of their requests
/// fail.
fn more_failures(choice: &Choice<'_>) -> Option<usize> {
    let chosen = choice.figures(choice.chosen);
    let requests = choice.cell(choice.chosen).requests;
    let few = |place: &usize| {
        let row = &choice.rows[*place];
        let share = row.figures.as_ref().map(|figures| figures.pooled.share());
        row.fails_more
            && row.cell.requests == requests
            && share.is_some_and(|share| share > chosen.pooled.share())
            && share.is_some_and(|share| share <= chosen.pooled.share() + MORE)
    };
    let few: Vec<_> = (0..choice.rows.len()).filter(few).collect();
    let fastest = choice.quickest(&few)?;
    let faster = over(choice.time(fastest), choice.time(choice.chosen)) < -FASTER;
    faster.then_some(fastest)
}

/// The cell to use where the other runtime decides, if it is clearly faster by that.
fn otherwise(choice: &Choice<'_>) -> Option<usize> {
    let terms = Terms {
        purpose: choice.terms.purpose.other(),
        ..choice.terms
    };
    let other = Choice::of(choice.rows, terms)?;
    let faster = other.eligible.contains(&choice.chosen)
        && over(other.time(other.chosen), other.time(choice.chosen)) < -FASTER;
    faster.then_some(other.chosen)
}

/// The cell to use for a batch that never is longer than the burst allows.
fn in_burst(choice: &Choice<'_>) -> Option<usize> {
    let terms = Terms {
        rate: None,
        ..choice.terms
    };
    let other = Choice::of(choice.rows, terms).filter(|_| choice.beyond_rate)?;
    let faster = over(other.time(other.chosen), choice.time(choice.chosen)) < -FASTER;
    faster.then_some(other.chosen)
}

fn otherwise_for(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Once => "for a batch that is run again and again",
        Purpose::Repeated => "for a batch that is run once",
    }
}

/// What a cell costs and saves beside the chosen one.
fn difference(choice: &Choice<'_>, place: usize) -> String {
    let (this, mine) = (choice.figures(place), choice.figures(choice.chosen));
    let mut parts = vec![runtime(choice.time(place), choice.time(choice.chosen))];
    let usable = |place: usize| choice.cell(place).workers_usable;
    let (workers, mine_too) = (usable(place), usable(choice.chosen));
    if workers != mine_too {
        let by = units::counted(workers.abs_diff(mine_too) as u64, "worker");
        parts.push(format!(
            "{by} {}",
            direction(workers > mine_too, "more", "fewer")
        ));
    }
    parts.extend(other_runtime(choice, place));
    let paid = |figures| paid_cpu_s(figures, choice.terms.purpose);
    let cpu_s = paid(this) - paid(mine);
    if cpu_s.abs() > paid(mine) * SAVING {
        let by = units::seconds(cpu_s.abs());
        parts.push(format!(
            "{by} {} CPU time",
            direction(cpu_s > 0.0, "more", "less")
        ));
    }
    if let (Some(bytes), Some(base)) = (this.peak_rss_bytes, mine.peak_rss_bytes)
        && bytes.abs_diff(base) as f64 > base as f64 * SAVING
    {
        let by = units::bytes(bytes.abs_diff(base));
        parts.push(format!(
            "{by} {} memory",
            direction(bytes > base, "more", "less")
        ));
    }
    if choice.rows[place].fails_more {
        let (this, mine) = (this.pooled.share(), mine.pooled.share());
        parts.push(format!(
            "{} of its requests fail instead of {}",
            units::share(this),
            units::share(mine)
        ));
    }
    parts.join(", ")
}

/// What becomes of the runtime that does not decide, where it goes the other way.
fn other_runtime(choice: &Choice<'_>, place: usize) -> Option<String> {
    let purpose = choice.terms.purpose.other();
    let time = |place: usize| choice.figures(place).runtimes.judged(purpose).median();
    let (this, mine) = (time(place), time(choice.chosen));
    let (other, judged) = (
        over(this, mine),
        over(choice.time(place), choice.time(choice.chosen)),
    );
    (judged > 0.0 && other < -FASTER).then(|| {
        let kind = match purpose {
            Purpose::Once => "cold",
            Purpose::Repeated => "warm",
        };
        format!("{kind} {}", runtime(this, mine))
    })
}

fn runtime(this: f64, mine: f64) -> String {
    let ratio = over(this, mine);
    if ratio.abs() < 0.0005 {
        return "as fast".to_owned();
    }
    let percent = units::percent(ratio);
    let percent = percent.trim_start_matches(['+', '-']);
    format!(
        "{percent} {} ({})",
        direction(ratio > 0.0, "slower", "faster"),
        units::seconds(this)
    )
}

fn direction(up: bool, more: &'static str, less: &'static str) -> &'static str {
    if up { more } else { less }
}
