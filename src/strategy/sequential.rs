//! `sequential`: one request after the other, on the calling thread.

use std::sync::Arc;

use super::{Batch, Entry, Setup, Strategy, StrategyError};
use crate::client::{BlockingCaller, Client};

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry {
    name: "sequential",
    summary: "one request after the other, on one thread",
    good_for: "the baseline; a server that must not see two requests at once",
    clients: Client::BLOCKING,
    swept: &[],
    max_workers: Some(1),
    descriptors: 1,
    chooses_runtime_threads: false,
    chooses_processes: false,
    discontinued: None,
    build,
};

struct Sequential {
    caller: BlockingCaller,
}

fn build(setup: &Setup) -> Result<Box<dyn Strategy>, StrategyError> {
    let caller = setup.blocking_callers()?();
    Ok(Box::new(Sequential { caller }))
}

impl Strategy for Sequential {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        batch.work(0, &mut self.caller);
        Ok(())
    }
}
