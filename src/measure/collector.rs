//! The collector: judges outcomes as they come, and accounts for every request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;

use super::ledger::{Ledger, Line};
use crate::outcome::{Failure, FailureKind, Outcome, Tried};
use crate::record::{Doer, Failed, FailureCount, Outcomes, Retried};
use crate::strategy::Sink;
use crate::workload::Workload;

/// Failures by kind and status: how many, and the first in words.
type Failures = BTreeMap<(FailureKind, Option<u16>), (u64, String)>;

/// Takes the outcomes of one run.
pub struct Collector {
    workload: Arc<dyn Workload>,
    ledger: Ledger,
    failures: Mutex<Failures>,
    retried: Mutex<Retried>,
    /// Whether the request in the middle has ended.
    halfway: AtomicBool,
    /// The thread to wake then.
    woken_halfway: OnceLock<Thread>,
    /// The first outcome of no request.
    unknown: OnceLock<usize>,
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
            halfway: AtomicBool::new(false),
            woken_halfway: OnceLock::new(),
            unknown: OnceLock::new(),
        }
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
            outcomes: columns(&lines),
        })
    }

    /// How an outcome failed, if it did.
    fn judge(&self, outcome: &Outcome) -> Option<FailureKind> {
        let verdict = match &outcome.result {
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
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::outcome::Response;
    use crate::request::Request;

    struct Plain(usize);

    impl Workload for Plain {
        fn requests(&self) -> usize {
            self.0
        }

        fn request(&self, index: usize) -> Request {
            Request::new(index, format!("/{index}"))
        }

        fn check(&self, _: usize, response: &Response) -> Result<(), Failure> {
            match response.status {
                200 => Ok(()),
                status => Err(Failure::status(status)),
            }
        }
    }

    fn outcome(index: usize, start_ms: u64, end_ms: u64) -> Outcome {
        Outcome {
            index,
            worker: index,
            started: Duration::from_millis(start_ms),
            finished: Duration::from_millis(end_ms),
            result: Ok(Response::new(200, "")),
            tried: Vec::new(),
            doer: crate::outcome::Doer::here(),
        }
    }

    fn collector(requests: usize) -> Collector {
        Collector::new(Arc::new(Plain(requests)))
    }

    #[test]
    fn a_run_is_as_long_as_its_last_outcome() {
        let collector = collector(3);
        for (index, start, end) in [(2, 0, 30), (0, 0, 10), (1, 10, 20)] {
            collector.accept(outcome(index, start, end));
        }
        let collected = collector.finish().unwrap();
        assert_eq!(collected.last_s, 0.03);
        assert_eq!(collected.ok, 3);
        assert_eq!(collected.outcomes.index, [0, 1, 2]);
        assert_eq!(collected.most_in_flight, 2);
    }

    #[test]
    fn failures_are_counted_by_kind_with_the_first_in_words() {
        let collector = collector(3);
        collector.accept(outcome(0, 0, 1));
        for index in 1..3 {
            collector.accept(Outcome {
                result: Err(Failure::new(
                    FailureKind::Connect,
                    format_args!("no {index}"),
                )),
                ..outcome(index, 0, 1)
            });
        }
        let collected = collector.finish().unwrap();
        let expected = FailureCount {
            kind: "connect".to_owned(),
            status: None,
            count: 2,
            example: "GET /1: no 1".to_owned(),
        };
        assert_eq!((collected.ok, collected.failures), (1, vec![expected]));
    }

    #[test]
    fn failures_of_different_statuses_are_counted_apart() {
        let collector = collector(4);
        for (index, status) in [200, 503, 429, 503].into_iter().enumerate() {
            collector.accept(Outcome {
                result: Ok(Response::new(status, "")),
                tried: vec![Tried {
                    started: Duration::ZERO,
                    latency: Duration::ZERO,
                    waited: Duration::ZERO,
                    kind: FailureKind::Status,
                    status: Some(429),
                }],
                ..outcome(index, 0, 1)
            });
        }
        let collected = collector.finish().unwrap();
        let counts = collected.failures.iter();
        let counts: Vec<_> = counts
            .map(|failure| (failure.status, failure.count))
            .collect();
        assert_eq!(counts, [(Some(429), 1), (Some(503), 2)]);
        assert_eq!(collected.retried.status, [Some(429); 4]);
    }

    #[test]
    fn a_lost_a_doubled_and_an_unknown_request_spoil_the_run() {
        let lost = collector(3);
        lost.accept(outcome(0, 0, 1));
        assert!(
            lost.finish()
                .is_err_and(|error| error.contains("lost 2 of 3"))
        );
        let doubled = collector(2);
        for index in [0, 0] {
            doubled.accept(outcome(index, 0, 1));
        }
        assert!(
            doubled
                .finish()
                .is_err_and(|error| error.contains("request 0 twice"))
        );
        let unknown = collector(1);
        unknown.accept(outcome(64, 0, 1));
        assert!(unknown.finish().is_err_and(|error| error.contains("64")));
    }

    proptest! {
        #[test]
        fn the_most_in_flight_is_what_counting_at_every_start_gives(
            spans in proptest::collection::vec((0_u64..50, 1_u64..20), 1..40),
        ) {
            let collector = collector(spans.len());
            for (index, (start, length)) in spans.iter().enumerate() {
                collector.accept(outcome(index, *start, start + length));
            }
            let counted = spans
                .iter()
                .map(|(at, _)| spans.iter().filter(|(s, l)| s <= at && *at < s + l).count())
                .max();
            let collected = collector.finish().unwrap();
            prop_assert_eq!(Some(collected.most_in_flight as usize), counted);
        }
    }
}
