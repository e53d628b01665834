//! After a sweep of the usual worker counts: those between them that could
//! change the recommendation, and what it rests on once more.

use std::path::Path;

use crate::analysis::{Summary, refine};
use crate::measure::Plan;
use crate::record::{PARTIAL_NAME, Record, ServerKind};
use crate::strategy::Catalogue;

/// Worker counts that a sweep begins with.
pub(super) const WORKERS: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 100];
/// The most workers that are added against the bundled server. Another server
/// gets no more at once than the sweep began with.
const MOST: usize = 128;
/// How often cells are added, at most.
pub(super) const WAVES: usize = 40;

/// What to measure next, given the record that is being written; `None` where
/// nothing would change a recommendation, and where there is none to change.
pub(super) fn next(catalogue: &Catalogue, dir: &Path, samples: u32) -> Option<Plan> {
    let record = Record::read_partial(&dir.join(PARTIAL_NAME)).ok()?;
    let summary = Summary::of(&record);
    let own = summary.session.server.kind == ServerKind::Url;
    let most = if own { WORKERS[7] } else { MOST };
    let of_each = match summary.profiles.as_slice() {
        [] => std::slice::from_ref(&summary),
        profiles => profiles,
    };
    let cells: Vec<_> = of_each
        .iter()
        .flat_map(|one| refine::next(one, most))
        // The record tells only of counts that were asked for.
        .filter(|cell| {
            let entry = catalogue.named(&cell.strategy);
            entry.is_ok_and(|entry| entry.usable_workers(cell.workers) == cell.workers)
        })
        .collect();
    (!cells.is_empty()).then(|| Plan {
        cells,
        samples,
        notes: Vec::new(),
    })
}
