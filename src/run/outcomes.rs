//! Outcomes of one batch, in the order of their requests.

use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::RunError;
use crate::client::Traffic;
use crate::outcome::{Failure, Outcome};
use crate::strategy::Sink;
use crate::workload::Workload;

/// Outcomes of a batch in index order, one per request: a slice of [`Outcome`]
/// with sums.
///
/// A response that the workload refuses is a failure here.
#[derive(Debug)]
pub struct Outcomes {
    outcomes: Vec<Outcome>,
    traffic: Traffic,
}

impl Outcomes {
    /// Number of requests that were answered as expected.
    pub fn ok(&self) -> usize {
        self.iter().filter(|outcome| outcome.result.is_ok()).count()
    }

    /// Failed requests: index and failure.
    pub fn failures(&self) -> impl Iterator<Item = (usize, &Failure)> {
        self.iter()
            .filter_map(|outcome| Some((outcome.index, outcome.result.as_ref().err()?)))
    }

    /// Time from the start of the batch to its last outcome: the warm runtime.
    pub fn runtime(&self) -> Duration {
        let ends = self.iter().map(|outcome| outcome.finished);
        ends.max().unwrap_or_default()
    }

    /// Connections opened and bytes transferred, as the client counts them.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }
}

impl Deref for Outcomes {
    type Target = [Outcome];

    fn deref(&self) -> &[Outcome] {
        &self.outcomes
    }
}

impl IntoIterator for Outcomes {
    type Item = Outcome;
    type IntoIter = std::vec::IntoIter<Outcome>;

    fn into_iter(self) -> Self::IntoIter {
        self.outcomes.into_iter()
    }
}

impl<'a> IntoIterator for &'a Outcomes {
    type Item = &'a Outcome;
    type IntoIter = std::slice::Iter<'a, Outcome>;

    fn into_iter(self) -> Self::IntoIter {
        self.outcomes.iter()
    }
}

/// A slot per request. Each has a lock of its own, so that workers do not wait
/// for each other.
pub(super) struct Slots {
    workload: Arc<dyn Workload>,
    slots: Vec<Mutex<Option<Outcome>>>,
    /// The first outcome that belongs in no free slot.
    stray: OnceLock<usize>,
}

impl Slots {
    pub(super) fn new(workload: Arc<dyn Workload>) -> Self {
        Self {
            slots: (0..workload.requests()).map(|_| Mutex::default()).collect(),
            workload,
            stray: OnceLock::new(),
        }
    }

    /// Takes the outcomes out.
    pub(super) fn outcomes(&self, traffic: Traffic) -> Result<Outcomes, RunError> {
        if let Some(index) = self.stray.get() {
            return Err(RunError::Stray(*index));
        }
        let take = |slot: &Mutex<Option<Outcome>>| {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let outcomes: Vec<_> = self.slots.iter().filter_map(take).collect();
        match self.slots.len() - outcomes.len() {
            0 => Ok(Outcomes { outcomes, traffic }),
            lost => Err(RunError::Lost {
                lost,
                requests: self.slots.len(),
            }),
        }
    }
}

impl Sink for Slots {
    fn accept(&self, mut outcome: Outcome) {
        let index = outcome.index;
        let free = self
            .slots
            .get(index)
            .map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(mut slot) = free.filter(|slot| slot.is_none()) else {
            let _ = self.stray.set(index);
            return;
        };
        if !outcome.checked {
            outcome.result = outcome.result.and_then(|response| {
                self.workload.check(index, &response)?;
                Ok(response)
            });
        }
        *slot = Some(outcome);
    }
}
