//! The batch as strategies see it: indices to claim, requests to make,
//! outcomes to deliver.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::{AsyncClient, BlockingClient, Caller};
use crate::outcome::{Call, Outcome};
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
/// no list, and the next free worker gets the next request. A window of it is
/// open to claims: all of it, unless the dispatch is `chunked`.
pub struct Batch {
    workload: Arc<dyn Workload>,
    sink: Arc<dyn Sink>,
    /// Written with every claim, so in cache lines that hold nothing else.
    next: Apart<AtomicUsize>,
    /// The open window. It changes between a strategy's runs only.
    opened: AtomicUsize,
    closed: AtomicUsize,
    stopped: AtomicBool,
    start: Instant,
    expires: Option<Instant>,
}

/// Two lines, as processors fetch them in pairs.
#[repr(align(128))]
struct Apart<T>(T);

impl Batch {
    /// A run that begins now.
    pub fn new(workload: Arc<dyn Workload>, sink: Arc<dyn Sink>) -> Self {
        Self {
            next: Apart(AtomicUsize::new(0)),
            opened: AtomicUsize::new(0),
            closed: AtomicUsize::new(workload.requests()),
            stopped: AtomicBool::new(false),
            workload,
            sink,
            start: Instant::now(),
            expires: None,
        }
    }

    /// Sets a deadline, counted from the start. Requests in flight at that time are given
    /// up, and those left fail unsent.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Option<Duration>) -> Self {
        self.expires = deadline.and_then(|deadline| self.start.checked_add(deadline));
        self
    }

    /// Time left until the deadline; `None` without one.
    pub fn left(&self) -> Option<Duration> {
        let expires = self.expires?;
        Some(expires.saturating_duration_since(Instant::now()))
    }

    /// Requests in the batch.
    pub fn requests(&self) -> usize {
        self.workload.requests()
    }

    /// The requests that are open to claims. A strategy that does not use
    /// [`claim`](Self::claim) makes these.
    pub fn window(&self) -> Range<usize> {
        self.opened.load(Ordering::Relaxed)..self.closed.load(Ordering::Relaxed)
    }

    /// Opens a window. No worker may be at work.
    pub(super) fn open(&self, window: &Range<usize>) {
        self.opened.store(window.start, Ordering::Relaxed);
        self.closed.store(window.end, Ordering::Relaxed);
        self.next.0.store(window.start, Ordering::Relaxed);
    }

    /// Claims the next request of the window; `None` when there is none left,
    /// or when the run was stopped.
    pub fn claim(&self) -> Option<usize> {
        if self.is_stopped() {
            return None;
        }
        // Once past the end the counter goes on counting, a step a worker.
        let index = self.next.0.fetch_add(1, Ordering::Relaxed);
        (index < self.closed.load(Ordering::Relaxed)).then_some(index)
    }

    /// Requests of the window that nobody has claimed yet.
    pub fn unclaimed(&self) -> usize {
        let claimed = self.next.0.load(Ordering::Relaxed);
        self.closed.load(Ordering::Relaxed).saturating_sub(claimed)
    }

    /// Stops the run: what is in flight, or with another process, ends, and nothing
    /// more is claimed.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Tests whether the run was stopped. Strategies that do not use
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
        let request = Request {
            index,
            expires: self.expires,
            ..self.workload.request(index)
        };
        Attempt {
            batch: self,
            worker,
            request,
            started: self.elapsed(),
        }
    }

    /// Makes a request, by the worker of this number, and delivers its outcome.
    pub fn make<C: BlockingClient>(&self, index: usize, worker: usize, caller: &mut Caller<C>) {
        let attempt = self.begin(index, worker);
        let call = caller.call(attempt.request());
        attempt.finish(call);
    }

    /// Makes requests until none is left to claim: the body of every worker
    /// that has a thread of its own.
    pub fn work<C: BlockingClient>(&self, worker: usize, caller: &mut Caller<C>) {
        while let Some(index) = self.claim() {
            self.make(index, worker, caller);
        }
    }

    /// Does the same as [`work`](Self::work), for a worker that is a task.
    pub async fn work_async<C: AsyncClient>(&self, worker: usize, caller: &mut Caller<C>) {
        while let Some(index) = self.claim() {
            let attempt = self.begin(index, worker);
            let call = caller.call_async(attempt.request()).await;
            attempt.finish(call);
        }
    }
}

/// A request that has begun and has no outcome yet.
#[must_use = "every request needs an outcome: call finish"]
pub struct Attempt<'batch> {
    batch: &'batch Batch,
    worker: usize,
    request: Request,
    started: Duration,
}

impl Attempt<'_> {
    /// The request to send.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Assigns the request to another worker.
    pub fn by(self, worker: usize) -> Self {
        Self { worker, ..self }
    }

    /// Ends the request and delivers its outcome.
    pub fn finish(self, call: impl Into<Call>) {
        let span = self.started..self.batch.elapsed();
        self.finish_with(span, call);
    }

    /// Ends a request that began and ended elsewhere, between two times since the start
    /// of the run.
    pub fn finish_with(self, span: Range<Duration>, call: impl Into<Call>) {
        let Call {
            result,
            tried,
            doer,
            checked,
        } = call.into();
        self.batch.sink.accept(Outcome {
            index: self.request.index,
            worker: self.worker,
            started: span.start,
            finished: span.end,
            result,
            tried,
            doer,
            checked,
        });
    }
}
