//! `thread-pool`: a thread per worker, all taking from one queue.
//!
//! The queue is the batch's cursor: a worker that is free claims the next
//! index, which is what a channel of requests would come to without holding
//! them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::{Batch, Built, CallerMaker, Entry, Setup, Strategy, StrategyError, panic_message};
use crate::client::Client;

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry::new("thread-pool", build)
    .summary("a queue, and a thread per worker")
    .good_for("blocking clients; simple code up to a few hundred workers")
    .swept(&[
        Client::UREQ,
        #[cfg(feature = "reqwest")]
        Client::REQWEST,
    ]);

struct ThreadPool {
    workers: Vec<Worker>,
    /// A worker reports here when its client is ready, and after each batch.
    reports: Receiver<Result<(), StrategyError>>,
}

struct Worker {
    batches: Sender<Arc<Batch>>,
    thread: JoinHandle<()>,
}

fn build(setup: &Setup) -> Built {
    let callers = setup.blocking_callers()?;
    let (report, reports) = channel();
    let mut pool = ThreadPool {
        workers: Vec::with_capacity(setup.workers),
        reports,
    };
    for number in 0..setup.workers {
        let (batches, inbox) = channel();
        let (make, report) = (Arc::clone(&callers), report.clone());
        let wanted = setup.workers;
        let thread = std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || serve(number, &make, &inbox, &report))
            .map_err(|source| StrategyError::Thread {
                started: number,
                wanted,
                source,
            })?;
        pool.workers.push(Worker { batches, thread });
    }
    // Only the workers report: should all of them be gone, waiting ends.
    drop(report);
    pool.await_reports()?;
    Ok(Box::new(pool))
}

/// A worker's life: its client, then batch after batch.
fn serve(
    number: usize,
    make: &CallerMaker,
    inbox: &Receiver<Arc<Batch>>,
    report: &Sender<Result<(), StrategyError>>,
) {
    let mut caller = match caught(|| make()) {
        Ok(caller) => caller,
        Err(error) => {
            // Nobody listens only when the pool is being dropped.
            let _ = report.send(Err(error));
            return;
        }
    };
    let _ = report.send(Ok(()));
    for batch in inbox {
        let ended = caught(|| batch.work(number, &mut caller));
        drop(batch);
        let _ = report.send(ended);
    }
}

/// Runs code that may panic: a worker must report whatever happens.
fn caught<T>(code: impl FnOnce() -> T) -> Result<T, StrategyError> {
    catch_unwind(AssertUnwindSafe(code))
        .map_err(|panic| StrategyError::Panicked(panic_message(panic.as_ref())))
}

impl ThreadPool {
    /// Waits until every worker has reported once.
    fn await_reports(&self) -> Result<(), StrategyError> {
        let reports = self.reports.iter().take(self.workers.len());
        // All of them are waited for: an error must not leave a worker behind
        // that still works on the batch.
        reports.fold(Ok(()), Result::and)
    }
}

impl Strategy for ThreadPool {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        for worker in &self.workers {
            // A worker's inbox is closed only once it has reported an error.
            let _ = worker.batches.send(Arc::clone(batch));
        }
        self.await_reports()
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        let threads: Vec<_> = self
            .workers
            .drain(..)
            .map(|worker| worker.thread) // its inbox closes here
            .collect();
        for thread in threads {
            // A panic was reported already.
            let _ = thread.join();
        }
    }
}
