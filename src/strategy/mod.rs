//! Strategies: how a batch is spread over workers.
//!
//! A strategy is one file that implements [`Strategy`], and one line in
//! [`Catalogue::bundled`]. Building it is setup and counts as cold; [`Strategy::run`] is
//! the timed part; dropping it is teardown. The seam is synchronous: an
//! asynchronous strategy owns its runtime and blocks on it inside.

#[cfg(feature = "async-std")]
mod async_std;
#[cfg(feature = "async")]
mod asynchronous;
mod batch;
mod bundled;
mod catalogue;
mod dispatch;
#[cfg(any(feature = "measure", feature = "multiprocess"))]
mod environment;
#[cfg(feature = "multiprocess")]
pub mod multiprocess;
mod order;
#[cfg(feature = "rayon")]
mod rayon;
mod sequential;
#[cfg(feature = "smol")]
mod smol;
mod thread_pool;
#[cfg(feature = "tokio")]
mod tokio;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::client::{BlockingCaller, Client, Handling, Target};
use crate::workload::Gets;

#[cfg(feature = "async")]
pub use self::asynchronous::{AsyncPool, Runtime, async_pool};
pub use self::batch::{Attempt, Batch, Sink};
pub use self::catalogue::{Built, Catalogue, Discontinued, Entry, UnknownName};
pub use self::dispatch::Dispatch;
#[cfg(any(feature = "measure", feature = "multiprocess"))]
pub(crate) use self::environment::without_runtime_variables;
pub use self::order::InOrder;
#[cfg(feature = "measure")]
pub(crate) use self::order::Turns;

/// A built strategy: threads, runtimes, processes and connections are there,
/// and it waits for a batch.
pub trait Strategy {
    /// Runs a batch to its end: every request that was claimed has its outcome
    /// delivered when this returns.
    ///
    /// # Errors
    /// The batch as a whole cannot go on. A request that fails is an
    /// outcome, not an error.
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError>;

    /// The ids of the processes that it started and that run now, so that
    /// their threads and memory count.
    fn processes(&self) -> Vec<u32> {
        Vec::new()
    }

    /// The threads that its runtime has for tasks, 1 where the calling thread runs
    /// them; `None` where it has no runtime, or that does not tell.
    fn runtime_threads(&self) -> Option<usize> {
        None
    }
}

/// Settings that a strategy is built with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The most requests in flight at once, at least 1.
    pub workers: usize,
    /// The client.
    pub client: Client,
    /// Target of the requests.
    pub target: Target,
    /// Handling of each request.
    pub handling: Arc<Handling>,
    /// Threads of the strategy's runtime, where it has one whose threads can be
    /// chosen; 0 for the calling thread alone. `None` leaves it to the strategy.
    pub runtime_threads: Option<usize>,
    /// Processes over which a strategy of processes spreads its workers, as evenly
    /// as it can; `None` for one per worker.
    pub processes: Option<usize>,
    /// Expectation for worker processes, which then check responses themselves and keep
    /// the bodies; `None` brings every body back.
    pub expected: Option<Arc<Gets>>,
    /// The program to start as a worker process. It cannot be found from
    /// within: in a bench or a test the current program is not fanout.
    pub worker_program: PathBuf,
}

/// Makes a caller for one worker, on any thread.
pub type CallerMaker = Arc<dyn Fn() -> BlockingCaller + Send + Sync>;

impl Setup {
    /// A setup without retries, and without work on responses.
    pub fn new(workers: usize, client: Client, target: Target, worker_program: PathBuf) -> Self {
        Self {
            workers,
            client,
            target,
            handling: Arc::default(),
            runtime_threads: None,
            processes: None,
            expected: None,
            worker_program,
        }
    }

    /// Builds what makes a caller over a blocking client per worker. Call it once, and
    /// share the result: the clients may share a pool.
    ///
    /// # Errors
    /// The setup has an asynchronous client, or one that cannot be built.
    pub fn blocking_callers(&self) -> Result<CallerMaker, StrategyError> {
        let make = self
            .client
            .blocking(&self.target, self.workers)
            .ok_or(StrategyError::Client(self.client))?
            .map_err(|error| self.no_client(&error))?;
        let (handling, timeout) = (Arc::clone(&self.handling), self.target.timeout);
        Ok(Arc::new(move || {
            BlockingCaller::new(make(), Arc::clone(&handling), timeout)
        }))
    }

    fn no_client(&self, error: &io::Error) -> StrategyError {
        StrategyError::Runtime {
            what: self.client.name(),
            detail: format!("{error}; use fewer workers, or raise `ulimit -u` and `ulimit -n`"),
        }
    }
}

/// Reason why a strategy could not be built, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StrategyError {
    /// The client cannot be used with this strategy.
    #[error("this strategy cannot use client {0}; `fanout list` shows which it can")]
    Client(Client),
    /// The system refused a thread.
    #[error(
        "cannot start thread {started} of {wanted}: {source}; use fewer workers, or raise `ulimit -u`"
    )]
    Thread {
        /// Threads that were started before it.
        started: usize,
        /// Threads that were wanted.
        wanted: usize,
        /// The system's error.
        source: io::Error,
    },
    /// A runtime or a pool could not be built.
    #[error("cannot build the {what}: {detail}")]
    Runtime {
        /// The part that was to be built.
        what: &'static str,
        /// Its error.
        detail: String,
    },
    /// A worker process could not be started, or did not become ready.
    #[error("cannot start worker process {started} of {wanted} ({}): {detail}", program.display())]
    Process {
        /// Processes that were started before it.
        started: usize,
        /// Processes that were wanted.
        wanted: usize,
        /// The program that was to be run.
        program: PathBuf,
        /// The problem.
        detail: String,
    },
    /// A worker panicked.
    #[error("a worker panicked: {0}")]
    Panicked(String),
}

/// What a panic said, as far as it said it in words.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
