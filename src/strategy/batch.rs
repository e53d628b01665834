//! The batch as strategies see it: indices to claim, requests to make,
//! outcomes to deliver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::BlockingClient;
use crate::outcome::{Failure, Outcome, Response};
use crate::request::Request;
use crate::workload::Workload;

/// Takes outcomes as they complete, from any thread.
pub trait Sink: Send + Sync {
    /// Takes one outcome. It is called within the timed section, by the worker
    /// that has it.
    fn accept(&self, outcome: Outcome);
}

/// One run of a workload.
///
/// Work is claimed by index, so nothing is queued: a batch of a million holds
/// no list, and the next free worker gets the next request (dispatch `queue`).
pub struct Batch {
    workload: Arc<dyn Workload>,
    sink: Arc<dyn Sink>,
    next: AtomicUsize,
    stopped: AtomicBool,
    start: Instant,
}

impl Batch {
    /// A run that begins now.
    pub fn new(workload: Arc<dyn Workload>, sink: Arc<dyn Sink>) -> Self {
        Self {
            workload,
            sink,
            next: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            start: Instant::now(),
        }
    }

    /// Requests in the batch.
    pub fn requests(&self) -> usize {
        self.workload.requests()
    }

    /// Claims the next request; `None` when there is none left, or when the
    /// run was stopped.
    pub fn claim(&self) -> Option<usize> {
        if self.is_stopped() {
            return None;
        }
        // Once past the end the counter goes on counting, a step a worker.
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        (index < self.requests()).then_some(index)
    }

    /// Stops the run: what is in flight ends, and nothing more is claimed.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the run was stopped. Strategies that do not use
    /// [`claim`](Self::claim) ask this before each request.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Time since the start of the run.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Begins a request, by the worker of this number. It counts from now.
    pub fn begin(&self, index: usize, worker: usize) -> Attempt<'_> {
        let request = self.workload.request(index);
        Attempt {
            batch: self,
            index,
            worker,
            request,
            started: self.elapsed(),
        }
    }

    /// Makes requests with a blocking client until none is left to claim: the
    /// body of every worker that has a thread of its own.
    pub fn work(&self, worker: usize, client: &mut dyn BlockingClient) {
        while let Some(index) = self.claim() {
            let attempt = self.begin(index, worker);
            let result = client.send(attempt.request());
            attempt.finish(result);
        }
    }
}

/// A request that has begun and has no outcome yet.
#[must_use = "every request needs an outcome: call finish"]
pub struct Attempt<'batch> {
    batch: &'batch Batch,
    index: usize,
    worker: usize,
    request: Request,
    started: Duration,
}

impl Attempt<'_> {
    /// The request's place in the batch.
    pub fn index(&self) -> usize {
        self.index
    }

    /// What to send.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Ends the request and delivers its outcome.
    pub fn finish(self, result: Result<Response, Failure>) {
        self.batch.sink.accept(Outcome {
            index: self.index,
            worker: self.worker,
            started: self.started,
            finished: self.batch.elapsed(),
            result,
        });
    }
}
