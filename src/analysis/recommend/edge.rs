//! Whether the answer is the edge of what was measured, and what lies beyond.

use serde::Serialize;

use super::{Basis, Choice, TOLERANCE};
use crate::analysis::bound::Model;

/// The fastest cell has as many workers as were measured, and the bound promises a
/// shorter runtime with more of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Edge {
    /// The most workers that were measured.
    pub workers: usize,
    /// The lower bound with as many, in seconds.
    pub bound_s: f64,
    /// The fewest workers with which the bound is the lowest that it gets.
    pub beyond: usize,
    /// The lower bound with those, in seconds.
    pub beyond_s: f64,
}

impl Edge {
    /// The edge that an answer lies at. `None` where more workers were tried, where
    /// they would have nothing to do, and where the bound promises nothing for them.
    pub(super) fn of(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<Self> {
        let model = basis.model.as_ref()?;
        let cell = choice.cell(choice.fastest);
        let workers = choice.workers(choice.fastest);
        let more = |row: &crate::analysis::summary::Row| {
            row.cell.requests == cell.requests && row.workers() > workers
        };
        let capped = cell.workers_usable < cell.workers || cell.strategy == "sequential";
        if capped || workers >= cell.requests || basis.rows.iter().any(more) {
            return None;
        }
        let bound = |workers| model.bound(cell.requests, workers).seconds;
        let lowest = bound(cell.requests);
        (lowest < bound(workers) * (1.0 - TOLERANCE)).then(|| {
            let beyond = fewest(model, cell.requests, workers, lowest);
            Self {
                workers,
                bound_s: bound(workers),
                beyond,
                beyond_s: bound(beyond),
            }
        })
    }
}

/// The fewest workers beyond some whose bound is as low as it gets. More workers
/// never raise a bound, so halving finds it.
fn fewest(model: &Model, requests: usize, beyond: usize, lowest: f64) -> usize {
    let (mut without, mut with) = (beyond, requests);
    while with - without > 1 {
        let middle = without + (with - without) / 2;
        if model.bound(requests, middle).seconds <= lowest * 1.000_1 {
            with = middle;
        } else {
            without = middle;
        }
    }
    with
}
