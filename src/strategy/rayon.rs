//! `rayon`: a parallel iterator over the batch, on a pool of its own.
//!
//! rayon is made for work that keeps a core busy; here its threads wait for
//! answers, so the pool has a thread per worker, whatever the cores. Every
//! request is a job of its own: a thread that waits does not steal, but what
//! it has not begun can be stolen from it.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::{Batch, Built, Entry, Setup, Strategy, StrategyError};
use crate::client::BlockingCaller;

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry::new("rayon", build)
    .summary("a parallel iterator on a pool of its own, a thread per worker")
    .good_for("code that uses rayon already; responses that take CPU time to process");

struct Rayon {
    pool: ThreadPool,
    /// A caller a thread; the locks are never contended.
    callers: Vec<Mutex<BlockingCaller>>,
}

fn build(setup: &Setup) -> Built {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(setup.workers)
        .thread_name(|number| format!("rayon-{number}"))
        .build()
        .map_err(|error| StrategyError::Runtime {
            what: "rayon pool",
            detail: format!("{error}; use fewer workers, or raise `ulimit -u`"),
        })?;
    let make = setup.blocking_callers()?;
    let callers = pool.broadcast(|_| Mutex::new(make()));
    Ok(Box::new(Rayon { pool, callers }))
}

impl Strategy for Rayon {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        let callers = &self.callers;
        let requests = batch.window().into_par_iter().with_max_len(1);
        self.pool.install(|| {
            requests.for_each(|index| {
                if batch.is_stopped() {
                    return;
                }
                let worker = rayon::current_thread_index().unwrap_or_default();
                let mut caller = callers[worker]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                batch.make(index, worker, &mut caller);
            });
        });
        Ok(())
    }
}
