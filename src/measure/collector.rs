//! The collector: judges outcomes as they come, and accounts for every request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Instant;

use super::ledger::{Ledger, Line};
use crate::outcome::{Failure, FailureKind, Outcome, Response, Tried};
use crate::record::{Doer, Failed, FailureCount, Outcomes, Retried};
use crate::strategy::{Sink, Turns};
use crate::workload::Workload;

/// Failures by kind and status: how many, and the first in words.
type Failures = BTreeMap<(FailureKind, Option<u16>), (u64, String)>;

/// Takes the outcomes of one run.
pub struct Collector {
    workload: Arc<dyn Workload>,
    ledger: Ledger,
    failures: Mutex<Failures>,
    retried: Mutex<Retried>,
    /// Where results are handed on in the order of their requests.
    in_order: Option<Ordered>,
    /// Whether the request in the middle has ended.
    halfway: AtomicBool,
    /// The thread to wake then.
    woken_halfway: OnceLock<Thread>,
    /// The first outcome of no request.
    unknown: OnceLock<usize>,
}

/// Results that wait for their turn.
#[derive(Default)]
struct Ordered {
    turns: Turns<Early>,
    /// How long each waited, in nanoseconds, in the order in which they were
    /// handed on: that of the requests.
    held_ns: Mutex<Vec<u64>>,
}

/// A result that was judged, and waits with its body as a caller's would.
struct Early {
    _result: Result<Response, Failure>,
    came: Instant,
}

impl Ordered {
    fn take(&self, index: usize, result: Result<Response, Failure>) {
        let early = Early {
            _result: result,
            came: Instant::now(),
        };
        self.turns.take(index, early, |early| {
            let held = nanoseconds(early.came.elapsed());
            let mut all = self.held_ns.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(held);
        });
    }
}

/// What a run came to, once every request is accounted for.
pub struct Collected {
    /// Requests that were answered as expected.
    pub ok: u64,
    /// The others, by kind and status.
    pub failures: Vec<FailureCount>,
    /// From the start of the run to the last outcome, in seconds.
    pub last_s: f64,
    /// The most requests that were in flight at once.
    pub most_in_flight: u64,
    /// The threads that made the requests.
    pub doers: Vec<Doer>,
    /// The attempts that were followed by another.
    pub retried: Retried,
    /// Each request's times, in the order in which they ended.
    pub outcomes: Outcomes,
}

impl Collector {
    /// A collector for one run of a workload.
    pub fn new(workload: Arc<dyn Workload>) -> Self {
        Self {
            workload,
            ledger: Ledger::default(),
            failures: Mutex::default(),
            retried: Mutex::default(),
            in_order: None,
            halfway: AtomicBool::new(false),
            woken_halfway: OnceLock::new(),
            unknown: OnceLock::new(),
        }
    }

    /// The same, for results that are handed on in the order of their requests:
    /// each is judged as it comes, and then waits for its turn.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.in_order = Some(Ordered::default());
        self
    }

    /// Outcomes that have come so far.
    pub fn arrived(&self) -> u64 {
        self.ledger.added()
    }

    /// Whether the request in the middle of the batch has ended: every worker
    /// that will work does then.
    pub(super) fn is_halfway(&self) -> bool {
        self.halfway.load(Ordering::Acquire)
    }

    /// The thread to wake when it has.
    pub(super) fn wake_halfway(&self, thread: Thread) {
        let _ = self.woken_halfway.set(thread);
        if self.is_halfway() {
            self.woken_halfway.get().map(Thread::unpark);
        }
    }

    /// The run's account.
    ///
    /// # Errors
    /// Where a request has no outcome or more than one: no time of such a run
    /// counts.
    pub fn finish(&self) -> Result<Collected, String> {
        let lines = self.ledger.take_lines();
        let lines = lines.map_err(|error| format!("the outcomes cannot be read back: {error}"))?;
        let requests = self.workload.requests();
        if let Some(index) = self
            .unknown
            .get()
            .copied()
            .or_else(|| twice(&lines, requests))
        {
            return Err(format!(
                "the strategy delivered request {index} twice, or it is none of the batch's"
            ));
        }
        if lines.len() != requests {
            return Err(format!(
                "the strategy lost {} of {requests} requests",
                requests - lines.len()
            ));
        }
        let retried = &mut *self.retried.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Collected {
            ok: lines.iter().filter(|line| line.failure.is_none()).count() as u64,
            failures: failures
                .iter()
                .map(|((kind, status), (count, example))| FailureCount {
                    kind: kind.name().to_owned(),
                    status: *status,
                    count: *count,
                    example: example.clone(),
                })
                .collect(),
            last_s: seconds(lines.last().map_or(0, Line::ended_ns)),
            most_in_flight: most_in_flight(&lines),
            doers: doers(&lines),
            retried: std::mem::take(retried),
            outcomes: Outcomes {
                held_s: self.held(&lines),
                ..columns(&lines)
            },
        })
    }

    /// How long each result waited for its turn; empty where none has to.
    fn held(&self, lines: &[Line]) -> Vec<f64> {
        let Some(ordered) = &self.in_order else {
            return Vec::new();
        };
        let held = &ordered.held_ns;
        let held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = |line: &Line| held.get(line.index as usize).copied();
        lines
            .iter()
            .map(|line| seconds(held(line).unwrap_or_default()))
            .collect()
    }

    /// How an outcome failed, if it did.
    fn judge(&self, outcome: &Outcome) -> Option<FailureKind> {
        let verdict = match &outcome.result {
            Ok(_) if outcome.checked => Ok(()),
            Ok(response) => self.workload.check(outcome.index, response),
            Err(failure) => Err(failure.clone()),
        };
        match verdict {
            Ok(()) => None,
            Err(failure) => {
                self.count(outcome.index, &failure);
                Some(failure.kind)
            }
        }
    }

    fn keep(&self, index: usize, tried: &[Tried]) {
        if tried.is_empty() {
            return;
        }
        let mut retried = self.retried.lock().unwrap_or_else(PoisonError::into_inner);
        for attempt in tried {
            retried.index.push(narrow(index));
            retried.started_s.push(attempt.started.as_secs_f64());
            retried.latency_s.push(attempt.latency.as_secs_f64());
            retried.waited_s.push(attempt.waited.as_secs_f64());
            retried.kind.push(attempt.kind.name().to_owned());
            retried.status.push(attempt.status);
        }
    }

    fn count(&self, index: usize, failure: &Failure) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures
            .entry((failure.kind, failure.status))
            .or_insert_with(|| {
                let target = self.workload.request(index).target;
                (0, format!("GET {target}: {}", failure.message))
            })
            .0 += 1;
    }
}

impl Sink for Collector {
    fn accept(&self, outcome: Outcome) {
        let requests = self.workload.requests();
        if outcome.index >= requests {
            // The first of them is enough to refuse the run.
            let _ = self.unknown.set(outcome.index);
            return;
        }
        let latency = outcome.finished.saturating_sub(outcome.started);
        self.ledger.add(Line {
            index: narrow(outcome.index),
            worker: narrow(outcome.worker),
            doer: outcome.doer,
            started_ns: nanoseconds(outcome.started),
            latency_ns: nanoseconds(latency),
            failure: self.judge(&outcome),
        });
        self.keep(outcome.index, &outcome.tried);
        if outcome.index == requests / 2 {
            self.halfway.store(true, Ordering::Release);
            if let Some(thread) = self.woken_halfway.get() {
                thread.unpark();
            }
        }
        if let Some(ordered) = &self.in_order {
            ordered.take(outcome.index, outcome.result);
        }
    }
}

/// A request that has more than one line. It is looked for at the end: a mark
/// that every worker sets for each request would be contended for.
fn twice(lines: &[Line], requests: usize) -> Option<usize> {
    let mut seen = vec![false; requests];
    let mut indices = lines.iter().map(|line| line.index as usize);
    indices.find(|index| std::mem::replace(&mut seen[*index], true))
}

/// How many requests each thread ended, by worker.
fn doers(lines: &[Line]) -> Vec<Doer> {
    let mut counts = BTreeMap::new();
    for line in lines {
        let doer = (line.worker, line.doer.process, line.doer.thread);
        *counts.entry(doer).or_default() += 1;
    }
    let doer = |((worker, process, thread), requests)| Doer {
        worker,
        process,
        thread,
        requests,
    };
    counts.into_iter().map(doer).collect()
}

fn columns(lines: &[Line]) -> Outcomes {
    let failed = || {
        let with_kind = |line: &Line| Some((line.index, line.failure?));
        lines.iter().filter_map(with_kind)
    };
    Outcomes {
        index: lines.iter().map(|line| line.index).collect(),
        worker: lines.iter().map(|line| line.worker).collect(),
        started_s: lines.iter().map(|l| seconds(l.started_ns)).collect(),
        latency_s: lines.iter().map(|l| seconds(l.latency_ns)).collect(),
        ok: lines.iter().map(|line| line.failure.is_none()).collect(),
        held_s: Vec::new(),
        failed: Failed {
            index: failed().map(|(index, _)| index).collect(),
            kind: failed().map(|(_, kind)| kind.name().to_owned()).collect(),
        },
    }
}

/// The most intervals that overlap. One that ends as another begins does not
/// overlap with it.
fn most_in_flight(by_end: &[Line]) -> u64 {
    let mut starts: Vec<_> = by_end.iter().map(|line| line.started_ns).collect();
    starts.sort_unstable();
    let mut ended = 0;
    let mut most = 0;
    for (begun, start) in starts.into_iter().enumerate() {
        while ended < by_end.len() && by_end[ended].ended_ns() <= start {
            ended += 1;
        }
        most = most.max(begun + 1 - ended.min(begun));
    }
    most as u64
}

fn seconds(nanoseconds: u64) -> f64 {
    std::time::Duration::from_nanos(nanoseconds).as_secs_f64()
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    // 2^64 ns are 584 years.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
