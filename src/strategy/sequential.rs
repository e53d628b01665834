//! `sequential`: one request after the other, on the calling thread.

use std::sync::Arc;

use super::{Batch, Entry, Setup, Strategy, StrategyError};
use crate::client::{BlockingClient, Client};

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry {
    name: "sequential",
    summary: "one request after the other, on one thread",
    good_for: "the baseline; a server that must not see two requests at once",
    clients: Client::BLOCKING,
    max_workers: Some(1),
    build,
};

struct Sequential {
    client: Box<dyn BlockingClient>,
}

fn build(setup: &Setup) -> Result<Box<dyn Strategy>, StrategyError> {
    let client = setup.blocking_clients()?();
    Ok(Box::new(Sequential { client }))
}

impl Strategy for Sequential {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        batch.work(0, self.client.as_mut());
        Ok(())
    }
}
