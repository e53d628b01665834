//! The other cells that one may have reason to choose, and what they cost.

use super::{Alternative, Choice, over};
use crate::analysis::units;

/// A saving in memory below this share is none.
const SAVING: f64 = 0.05;
/// A cell that fails more is worth naming where it is faster by this share.
const FASTER: f64 = 0.05;
/// Where none fail, the mean may be as high as this with 95 % confidence: the
/// rule of three (Hanley and Lippman-Hand, JAMA 249, 1983).
const RULE_OF_THREE: f64 = 3.0;

/// The alternatives to the chosen cell, each named once.
pub(super) fn of(choice: &Choice<'_>) -> Vec<Alternative> {
    let found = [
        (fastest(choice), "the fastest"),
        (least_memory(choice), "the least memory"),
        (fewer_workers(choice), "the next fewer workers measured"),
        (more_failures(choice), "faster, with more failures"),
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

/// The fastest with the next lower number of workers.
fn fewer_workers(choice: &Choice<'_>) -> Option<usize> {
    let mine = choice.workers(choice.chosen);
    let fewer = |place: &&usize| choice.workers(**place) < mine;
    let next = choice.eligible.iter().filter(fewer);
    let next = next.map(|place| choice.workers(*place)).max()?;
    let there = choice.eligible.iter().copied();
    let there: Vec<_> = there
        .filter(|place| choice.workers(*place) == next)
        .collect();
    choice.least(&there, |figures| figures.warm_s.median)
}

/// The fastest with a few failures more, where failures come by chance and a
/// slow cell may have been spared.
fn more_failures(choice: &Choice<'_>) -> Option<usize> {
    let chosen = choice.figures(choice.chosen);
    if chosen.failed == 0 && !by_chance(choice) {
        return None;
    }
    // Twice the square root: the spread of counts that come by chance.
    let failed = chosen.failed as f64;
    let most = (failed + 2.0 * failed.sqrt()).max(RULE_OF_THREE);
    let few: Vec<_> = measured(choice)
        .filter(|place| (chosen.failed + 1..=most as u64).contains(&choice.figures(*place).failed))
        .collect();
    let fastest = choice.least(&few, |figures| figures.warm_s.median)?;
    let faster = over(choice.time(fastest), chosen.warm_s.median) < -FASTER;
    faster.then_some(fastest)
}

/// Whether requests failed with no more workers than the chosen cell's, where
/// none of its own did: then it is not more workers that makes them fail.
fn by_chance(choice: &Choice<'_>) -> bool {
    let mine = choice.workers(choice.chosen);
    measured(choice).any(|place| choice.figures(place).failed > 0 && choice.workers(place) <= mine)
}

/// The cells of the chosen one's batch that have figures.
fn measured(choice: &Choice<'_>) -> impl Iterator<Item = usize> {
    let requests = choice.cell(choice.chosen).requests;
    (0..choice.rows.len()).filter(move |place| {
        choice.cell(*place).requests == requests && choice.rows[*place].figures.is_some()
    })
}

/// What a cell costs and saves beside the chosen one.
fn difference(choice: &Choice<'_>, place: usize) -> String {
    let (this, mine) = (choice.figures(place), choice.figures(choice.chosen));
    let mut parts = vec![runtime(this.warm_s.median, mine.warm_s.median)];
    let usable = |place: usize| choice.cell(place).workers_usable;
    let (workers, mine_too) = (usable(place), usable(choice.chosen));
    if workers != mine_too {
        let by = units::counted(workers.abs_diff(mine_too) as u64, "worker");
        parts.push(format!(
            "{by} {}",
            direction(workers > mine_too, "more", "fewer")
        ));
    }
    let cpu_s = this.cpu_s - mine.cpu_s;
    if cpu_s.abs() > mine.cpu_s * SAVING {
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
    if this.failed > mine.failed {
        let by = units::counted(this.failed - mine.failed, "failure");
        parts.push(format!("{by} more"));
    }
    parts.join(", ")
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
