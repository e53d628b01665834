//! `multiprocess`: worker processes, fed over pipes: one per worker, or fewer
//! with a thread per worker in each.
//!
//! The parent claims requests and writes them to whichever process has a free
//! worker ([`wire`] is the language), so that a slow answer holds up one worker
//! and no more. While requests take 2 ms or less, a process is given several per
//! worker. One thread of the parent watches all pipes. Responses are checked
//! where they come in. A process that dies fails the requests that it had, and
//! is replaced.

mod child;
mod errand;
mod orders;
mod pool;
pub mod wire;
pub mod worker;

use std::time::Duration;

use super::{Built, Entry, Setup, Strategy};

/// How long the requests that a process has for each of its workers may take
/// together, by what its last ones took: one alone where that is more than half
/// of it.
const AHEAD: Duration = Duration::from_millis(4);

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry::new("multiprocess", build)
    .summary("a worker process per worker, fed over a pipe")
    .good_for("isolation: a crash costs its own requests; languages with a global lock")
    .descriptors(2)
    .chooses_processes();

fn build(setup: &Setup) -> Built {
    pool::ProcessPool::start(setup).map(|pool| Box::new(pool) as Box<dyn Strategy>)
}
