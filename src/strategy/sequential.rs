//! `sequential`: one request after the other, on the calling thread.

use std::sync::Arc;

use super::{Batch, Built, Entry, Setup, Strategy, StrategyError};
use crate::client::BlockingCaller;

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry::new("sequential", build)
    .summary("one request after the other, on one thread")
    .good_for("the baseline; a server that must not see two requests at once")
    .max_workers(1);

struct Sequential {
    caller: BlockingCaller,
}

fn build(setup: &Setup) -> Built {
    let caller = setup.blocking_callers()?();
    Ok(Box::new(Sequential { caller }))
}

impl Strategy for Sequential {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        batch.work(0, &mut self.caller);
        Ok(())
    }
}
