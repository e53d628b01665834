//! Dispatch: the order in which work reaches workers.

use std::fmt;
use std::sync::Arc;

use super::{Batch, Strategy, StrategyError};

/// The order in which work reaches workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dispatch {
    /// A worker that is free takes the next request: a sliding window.
    #[default]
    Queue,
    /// As many requests as there are workers, then the next as many once all
    /// of those have ended.
    Chunked,
    /// Every request at once, each with a worker of its own.
    Unbounded,
}

impl Dispatch {
    /// Every value, the usual one first.
    pub const ALL: [Self; 3] = [Self::Queue, Self::Chunked, Self::Unbounded];

    /// Its name on the command line and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Chunked => "chunked",
            Self::Unbounded => "unbounded",
        }
    }

    /// The dispatch of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Runs a batch through a strategy of so many workers, in this order.
    ///
    /// A chunk is a run of the strategy over a window of the batch, so that
    /// waiting for the chunk is waiting for the run, in every strategy alike.
    /// `unbounded` is a queue with a worker a request, which is for the plan to
    /// see to.
    ///
    /// # Errors
    /// As [`Strategy::run`].
    pub fn run(
        self,
        strategy: &mut dyn Strategy,
        batch: &Arc<Batch>,
        workers: usize,
    ) -> Result<(), StrategyError> {
        let requests = batch.requests();
        let chunk = match self {
            Self::Queue | Self::Unbounded => requests.max(1),
            Self::Chunked => workers.max(1),
        };
        for start in (0..requests).step_by(chunk) {
            if batch.is_stopped() {
                break;
            }
            batch.open(&(start..requests.min(start.saturating_add(chunk))));
            strategy.run(batch)?;
        }
        Ok(())
    }
}

impl fmt::Display for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
