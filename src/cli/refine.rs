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

/// What a session measures after its sweep.
pub(super) struct Further<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// Where the record is being written.
    pub(super) dir: &'a Path,
    /// Samples of each cell that is added.
    pub(super) samples: u32,
    /// How often cells may still be added.
    pub(super) waves: usize,
    /// Whether the chosen cells are still to be confirmed.
    pub(super) confirms: bool,
}

impl Further<'_> {
    /// What to measure next: cells that could change the recommendation, and when
    /// there are none left, once more those that it names, for their runtime alone.
    /// `None` where nothing is left, and where there is no recommendation.
    pub(super) fn next(&mut self) -> Option<Plan> {
        if self.waves == 0 && !self.confirms {
            return None;
        }
        let record = Record::read_partial(&self.dir.join(PARTIAL_NAME)).ok()?;
        let summary = Summary::of(&record);
        if self.waves > 0
            && let Some(plan) = search(self.catalogue, &summary, self.samples)
        {
            self.waves -= 1;
            return Some(plan);
        }
        self.waves = 0;
        let confirms = std::mem::take(&mut self.confirms);
        let cells = of_each(&summary).iter().flat_map(refine::confirm);
        let cells: Vec<_> = cells.filter(|_| confirms).collect();
        (!cells.is_empty()).then_some(Plan {
            cells,
            samples: refine::CONFIRMED as u32,
            confirms: true,
            notes: Vec::new(),
        })
    }
}

/// The summary of each profile.
fn of_each(summary: &Summary) -> &[Summary] {
    match summary.profiles.as_slice() {
        [] => std::slice::from_ref(summary),
        profiles => profiles,
    }
}

/// The cells that could change a recommendation; `None` where there are none.
fn search(catalogue: &Catalogue, summary: &Summary, samples: u32) -> Option<Plan> {
    let own = summary.session.server.kind == ServerKind::Url;
    let most = if own { WORKERS[7] } else { MOST };
    let cells: Vec<_> = of_each(summary)
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
        confirms: false,
        notes: Vec::new(),
    })
}
