//! `multiprocess`: a worker process per worker, fed one request at a time.
//!
//! The parent claims requests and writes them to whichever worker is free
//! ([`wire`] is the language), so that a slow answer holds up one process and
//! no more. One thread of the parent watches all pipes. A worker that dies
//! fails the one request that it had, and is replaced.

mod child;
mod pool;
pub mod wire;
pub mod worker;

use super::{Entry, Setup, Strategy, StrategyError};
use crate::client::Client;

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry {
    name: "multiprocess",
    summary: "a worker process per worker, fed one request at a time over a pipe",
    good_for: "isolation: a crash costs one request; languages with a global lock",
    clients: Client::BLOCKING,
    max_workers: None,
    descriptors: 2,
    chooses_runtime_threads: false,
    build,
};

fn build(setup: &Setup) -> Result<Box<dyn Strategy>, StrategyError> {
    pool::ProcessPool::start(setup).map(|pool| Box::new(pool) as Box<dyn Strategy>)
}
