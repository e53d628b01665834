//! The other cells that one may have reason to choose, and what they cost.

use serde::Serialize;

use super::choice::{Terms, paid_cpu_s};
use super::{Choice, over};
use crate::record::Purpose;

/// Another cell than the recommended one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Alternative {
    /// Its place in the summary's rows.
    pub row: usize,
    /// What speaks for it.
    pub merit: Merit,
    /// What it costs and saves beside the recommended one.
    pub difference: Difference,
}

/// What speaks for an alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Merit {
    /// It is the fastest.
    Fastest,
    /// It takes the least memory of those within the tolerance.
    LeastMemory,
    /// It has the next fewer workers that were measured, with the same strategy.
    FewerWorkers,
    /// It is faster, and more of its requests fail.
    MoreFailures,
    /// It is the cell for a batch that is run again and again.
    Repeated,
    /// It is the cell for a batch that is run once.
    Once,
    /// It is the cell for this batch alone, which a limit's burst lets through.
    WithinBurst,
}

/// What an alternative costs and saves beside the recommended cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The runtime that decides.
    pub runtime: Change,
    /// Workers more, or fewer where it is below 0.
    pub workers: i64,
    /// The other runtime, where that is clearly shorter and the one that decides longer.
    pub other_runtime: Option<Change>,
    /// CPU time more, in seconds; `None` where it is about as much.
    pub cpu_s: Option<f64>,
    /// Memory more; `None` where it is about as much or not told.
    pub memory_bytes: Option<i64>,
    /// Requests that fail; `None` where they are no more than chance explains.
    pub failing: Option<Failing>,
}

/// A runtime beside that of the recommended cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The runtime, in seconds.
    pub seconds: f64,
    /// How much longer it is, as a fraction of the other: below 0 where it is shorter.
    pub slower: f64,
}

/// Shares of requests that fail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Failing {
    /// That of the alternative.
    pub share: f64,
    /// That of the recommended cell.
    pub instead_of: f64,
}

impl Change {
    fn of(this: f64, other: f64) -> Self {
        Self {
            seconds: this,
            slower: over(this, other),
        }
    }
}

/// A saving in memory below this share is none.
const SAVING: f64 = 0.05;
/// A cell that fails more is worth naming where it is faster by this share.
const FASTER: f64 = 0.05;
/// Unless more than this share of its requests fails beyond the chosen cell's.
const MORE: f64 = 0.05;

/// The alternatives to the chosen cell, each named once.
pub(super) fn of(choice: &Choice<'_>) -> Vec<Alternative> {
    let found = [
        (fastest(choice), Merit::Fastest),
        (least_memory(choice), Merit::LeastMemory),
        (fewer_workers(choice), Merit::FewerWorkers),
        (more_failures(choice), Merit::MoreFailures),
        (
            otherwise(choice),
            match choice.terms.purpose {
                Purpose::Once => Merit::Repeated,
                Purpose::Repeated => Merit::Once,
            },
        ),
        (in_burst(choice), Merit::WithinBurst),
    ];
    let mut alternatives: Vec<Alternative> = Vec::new();
    for (row, merit) in found {
        if let Some(row) = row
            && row != choice.chosen
            && alternatives.iter().all(|other| other.row != row)
        {
            alternatives.push(Alternative {
                row,
                merit,
                difference: difference(choice, row),
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

/// What a cell costs and saves beside the chosen one.
fn difference(choice: &Choice<'_>, place: usize) -> Difference {
    let (this, mine) = (choice.figures(place), choice.figures(choice.chosen));
    let usable = |place: usize| choice.cell(place).workers_usable as i64;
    let paid = |figures| paid_cpu_s(figures, choice.terms.purpose);
    let cpu_s = paid(this) - paid(mine);
    let memory = this.peak_rss_bytes.zip(mine.peak_rss_bytes);
    let fails_more = choice.rows[place].fails_more;
    Difference {
        runtime: Change::of(choice.time(place), choice.time(choice.chosen)),
        workers: usable(place) - usable(choice.chosen),
        other_runtime: other_runtime(choice, place),
        cpu_s: (cpu_s.abs() > paid(mine) * SAVING).then_some(cpu_s),
        memory_bytes: memory
            .filter(|(this, mine)| this.abs_diff(*mine) as f64 > *mine as f64 * SAVING)
            .map(|(this, mine)| this as i64 - mine as i64),
        failing: fails_more.then(|| Failing {
            share: this.pooled.share(),
            instead_of: mine.pooled.share(),
        }),
    }
}

/// What becomes of the runtime that does not decide, where it goes the other way.
fn other_runtime(choice: &Choice<'_>, place: usize) -> Option<Change> {
    let purpose = choice.terms.purpose.other();
    let time = |place: usize| choice.figures(place).runtimes.judged(purpose).median();
    let other = Change::of(time(place), time(choice.chosen));
    let judged = Change::of(choice.time(place), choice.time(choice.chosen));
    (judged.slower > 0.0 && other.slower < -FASTER).then_some(other)
}
