//! Cells after the sweep: worker counts that could change the recommendation, then
//! again the cells that it rests on.

use std::path::Path;

use crate::analysis::{Summary, refine};
use crate::measure::Plan;
use crate::record::{PARTIAL_NAME, Record};
use crate::request;
use crate::strategy::Catalogue;

/// Worker counts of a sweep for which none are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    /// Those that it begins with.
    pub(super) first: &'static [usize],
    /// The most that are added.
    most: usize,
}

impl Counts {
    /// Counts for a URL, or for the bundled server. A user's server gets no more requests
    /// at once than the sweep begins with, and one on another machine few.
    pub(super) fn of(url: Option<&str>) -> Self {
        const HERE: &[usize] = &[1, 2, 3, 5, 10, 20, 50, 100];
        const ELSEWHERE: &[usize] = &[1, 2, 5, 10, 20];
        let (first, most) = match url {
            None => (HERE, 128),
            Some(url) if request::is_loopback(url) => (HERE, 100),
            Some(_) => (ELSEWHERE, 20),
        };
        Self { first, most }
    }
}

/// Most times that cells are added.
pub(super) const WAVES: usize = 40;

/// Cells that a session measures after its sweep.
pub(super) struct Further<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// Directory of the record.
    pub(super) dir: &'a Path,
    /// Samples of each cell that is added.
    pub(super) samples: u32,
    /// The most workers that are added.
    pub(super) counts: Counts,
    /// Times that cells may still be added.
    pub(super) waves: usize,
    /// Set while the chosen cells are still to be confirmed.
    pub(super) confirms: bool,
}

impl Further<'_> {
    /// Next cells: those that could change the recommendation, then once more those that
    /// it names, for their runtime alone. `None` where nothing is left, or where there is
    /// no recommendation.
    pub(super) fn next(&mut self) -> Option<Plan> {
        if self.waves == 0 && !self.confirms {
            return None;
        }
        let record = Record::read_partial(&self.dir.join(PARTIAL_NAME)).ok()?;
        let summary = Summary::of(&record);
        if self.waves > 0
            && let Some(plan) = self.search(&summary)
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

    /// The cells that could change a recommendation; `None` where there are none.
    fn search(&self, summary: &Summary) -> Option<Plan> {
        let cells: Vec<_> = of_each(summary)
            .iter()
            .flat_map(|one| refine::next(one, self.counts.most))
            // The record tells only of counts that were asked for.
            .filter(|cell| {
                let entry = self.catalogue.named(&cell.strategy);
                entry.is_ok_and(|entry| entry.usable_workers(cell.workers) == cell.workers)
            })
            .collect();
        (!cells.is_empty()).then_some(Plan {
            cells,
            samples: self.samples,
            confirms: false,
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

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn server_elsewhere_gets_few_requests_at_once() {
        let of = |url| {
            let counts = Counts::of(url);
            (counts.first.to_vec(), counts.most)
        };
        let here = vec![1, 2, 3, 5, 10, 20, 50, 100];
        assert_eq!(of(None), (here.clone(), 128));
        assert_eq!(of(Some("http://localhost:8080/{index}")), (here, 100));
        let elsewhere = (vec![1, 2, 5, 10, 20], 20);
        assert_eq!(of(Some("http://192.0.2.1/{index}")), elsewhere);
        assert_eq!(of(Some("http://api.example.com")), elsewhere);
    }
}
