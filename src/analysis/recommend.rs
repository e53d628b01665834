//! The recommendation: which cell of a record to use, why, and what the others
//! would cost or save.
//!
//! It is the smallest worker count at which a cell's runtime is within
//! [`TOLERANCE`] of the fastest, among the cells that fail no more than the best;
//! where several strategies do equally well there, the cheapest of them. What
//! is said rests on measured cells alone: nothing is recommended that was not
//! run.

mod alternatives;
mod binding;
mod choice;
mod edge;
mod estimate;
mod refusals;
mod scaling;
mod sustained;
mod why;

use serde::Serialize;

pub use self::alternatives::{Alternative, Change, Difference, Failing, Merit};
pub use self::binding::Binding;
pub(super) use self::choice::{Choice, Terms};
pub use self::edge::Edge;
pub use self::estimate::Estimate;
pub use self::scaling::{NoPeak, Peak, Scaling};
pub use self::sustained::Sustained;
use super::bound::Model;
use super::summary::Row;
use crate::record::{Cell, Ending, Limits, Purpose, Session};

/// How much longer than the fastest cell a batch may take for fewer workers,
/// as a fraction of that cell's runtime.
pub const TOLERANCE: f64 = 0.05;

/// Which cell to use, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The recommended cell: its place in the summary's rows.
    pub row: usize,
    /// What the batch is measured for: `once` judges the cold runtime, `repeated`
    /// the warm one. Every other figure of the recommendation is of that one.
    #[serde(rename = "for")]
    pub purpose: Purpose,
    /// The median warm runtime of the recommended cell, in seconds.
    pub warm_s: f64,
    /// Its median cold runtime, in seconds.
    pub cold_s: f64,
    /// The fastest of the cells that fail no more than the best: its place there.
    pub fastest: usize,
    /// The places of those with as many workers that are as fast, it among them.
    pub equals: Vec<usize>,
    /// How much longer than the fastest it takes, as a fraction: the ratio of
    /// the medians less 1.
    pub slower: f64,
    /// The least and the most that this can be, if both medians lie in their
    /// intervals.
    pub slower_within: (f64, f64),
    /// The least probability with which each of the two medians does, 0 where
    /// there is one sample.
    pub confidence: f64,
    /// How long it takes, from samples that had no part in the choice where there are
    /// such.
    pub estimate: Estimate,
    /// Where the fastest is at the edge of what was measured: what lies beyond.
    pub edge: Option<Edge>,
    /// Where the burst of a rate limit let cells through faster than it allows for
    /// long: those are not recommended.
    pub sustained: Option<Sustained>,
    /// A cell of each strategy and client that was planned and has no sample, so that
    /// the recommendation is provisional; its workers are not meant.
    pub unmeasured: Vec<Cell>,
    /// What keeps more workers from being faster.
    pub constraint: Binding,
    /// The reasons, in sentences, the most important first.
    pub why: Vec<String>,
    /// Other cells that one may have reason to choose.
    #[serde(skip)]
    pub alternatives: Vec<Alternative>,
    /// How throughput goes with the number of workers.
    #[serde(skip)]
    pub scaling: Scaling,
}

/// What a recommendation is drawn from.
pub(super) struct Basis<'a> {
    pub(super) session: &'a Session,
    pub(super) ending: Ending,
    pub(super) model: Option<Model>,
    pub(super) rows: &'a [Row],
    /// A cell of each contender that has no sample.
    pub(super) unmeasured: &'a [Cell],
}

impl Basis<'_> {
    /// What is known to limit the server.
    fn limits(&self) -> Limits {
        let limits = self.model.as_ref().map(|model| *model.limits());
        limits.unwrap_or_default()
    }
}

impl Recommendation {
    /// The same where its rows stand after so many others.
    pub(crate) fn after(&self, rows: usize) -> Self {
        let mut shifted = self.clone();
        shifted.row += rows;
        shifted.fastest += rows;
        for place in &mut shifted.equals {
            *place += rows;
        }
        for other in &mut shifted.alternatives {
            other.row += rows;
        }
        shifted
    }

    /// The recommendation of a summary's rows. `None` where no request
    /// succeeded anywhere.
    pub(super) fn of(basis: &Basis<'_>) -> Option<Self> {
        let choice = Choice::of(basis.rows, Terms::of(basis.session))?;
        let met = binding::met(basis, &choice);
        let scaling = match &met {
            Some((binding, _)) if binding.is_limit() => Scaling::NoPeak(NoPeak::Limited),
            _ => Scaling::of(&choice),
        };
        let (constraint, binds) = met.unwrap_or_else(|| binding::of(basis, &choice, &scaling));
        let estimate = Estimate::of(&choice, choice.chosen);
        let theirs = Estimate::of(&choice, choice.fastest);
        let same = choice.chosen == choice.fastest;
        Some(Self {
            row: choice.chosen,
            purpose: choice.terms.purpose,
            warm_s: choice.figures(choice.chosen).warm_s.median,
            cold_s: choice.figures(choice.chosen).cold_s.median,
            fastest: choice.fastest,
            equals: choice.equals.clone(),
            slower: over(choice.time(choice.chosen), choice.time(choice.fastest)),
            slower_within: if same {
                (0.0, 0.0)
            } else {
                estimate.over(&theirs)
            },
            confidence: (estimate.interval.confidence).min(theirs.interval.confidence),
            estimate,
            edge: Edge::of(basis, &choice),
            sustained: Sustained::of(basis, &choice),
            unmeasured: basis.unmeasured.to_vec(),
            constraint,
            why: why::sentences(basis, &choice, binds),
            alternatives: alternatives::of(&choice),
            scaling,
        })
    }
}

/// How much one time is over another, as a fraction of that; 0 where there is
/// no such ratio.
fn over(time: f64, other: f64) -> f64 {
    let ratio = time / other - 1.0;
    if ratio.is_finite() { ratio } else { 0.0 }
}

#[cfg(test)]
mod tests;
