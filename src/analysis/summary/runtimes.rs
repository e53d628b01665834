//! The runtimes of a cell, sample by sample: what comparisons rest on.

use crate::analysis::statistics::{Interval, Sorted};
use crate::record::{Cell, Measurement, Purpose, Sample};

/// Warm and cold runtimes in seconds, of the samples whose times count.
#[derive(Clone, Debug, PartialEq)]
pub struct Runtimes {
    warm: Sorted,
    cold: Sorted,
}

/// Samples of a cell that were taken after it was chosen, and had no part in that.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmation {
    /// Samples that were measured.
    pub samples: usize,
    /// Requests of theirs that failed.
    pub failed: u64,
    /// Their runtimes.
    pub runtimes: Runtimes,
}

impl Confirmation {
    /// What the confirming samples of a cell say. `None` without one.
    pub(super) fn of(cell: &Cell, samples: &[&Sample]) -> Option<Self> {
        let (measured, _) = super::choice::sorted_out(cell, samples);
        Some(Self {
            samples: measured.len(),
            failed: measured.iter().map(|measured| measured.failed()).sum(),
            runtimes: Runtimes::of(&super::choice::timed(&measured))?,
        })
    }
}

impl Runtimes {
    /// Those of some measurements. `None` without one, and of what is no number.
    pub(in crate::analysis) fn of(measured: &[&Measurement]) -> Option<Self> {
        let sorted = |purpose: Purpose| Sorted::new(measured.iter().map(|m| purpose.runtime_s(m)));
        Some(Self {
            warm: sorted(Purpose::Repeated)?,
            cold: sorted(Purpose::Once)?,
        })
    }

    /// The runtimes that decide for a purpose.
    pub fn judged(&self, purpose: Purpose) -> &Sorted {
        match purpose {
            Purpose::Once => &self.cold,
            Purpose::Repeated => &self.warm,
        }
    }

    /// Where their true median lies, with 95 % confidence or as much as the samples
    /// allow.
    pub fn interval(&self, purpose: Purpose) -> Interval {
        Interval::of_median(self.judged(purpose), 0.95)
    }
}
