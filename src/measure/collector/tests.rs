//! Tests of the collector.

use std::sync::Condvar;
use std::thread;
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
        checked: false,
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

#[test]
fn results_in_order_tell_how_long_each_waited() {
    let collector = collector(3).in_order();
    collector.accept(outcome(2, 0, 1));
    collector.accept(outcome(1, 0, 2));
    let came = Instant::now();
    while came.elapsed() < Duration::from_millis(5) {
        std::hint::spin_loop();
    }
    // Progress is what came, whatever waits for its turn.
    assert_eq!(collector.arrived(), 2);
    collector.accept(outcome(0, 0, 3));
    let outcomes = collector.finish().unwrap().outcomes;
    assert_eq!(outcomes.index, [2, 1, 0]);
    let [second, first, none] = outcomes.held_s[..] else {
        panic!("{:?}", outcomes.held_s);
    };
    assert!(second >= first && first >= 0.005 && none < first);
}

#[test]
fn results_as_they_come_wait_for_nobody() {
    let collector = collector(2);
    for index in [1, 0] {
        collector.accept(outcome(index, 0, 1));
    }
    assert!(collector.finish().unwrap().outcomes.held_s.is_empty());
}

/// Answers that are checked two at once, or never.
#[derive(Default)]
struct Together {
    checking: Mutex<usize>,
    both: Condvar,
}

impl Workload for Together {
    fn requests(&self) -> usize {
        2
    }

    fn request(&self, index: usize) -> Request {
        Request::new(index, format!("/{index}"))
    }

    fn check(&self, _: usize, _: &Response) -> Result<(), Failure> {
        let mut checking = self.checking.lock().unwrap();
        *checking += 1;
        self.both.notify_all();
        let alone = |checking: &mut usize| *checking < 2;
        let limit = Duration::from_secs(10);
        let waited = self.both.wait_timeout_while(checking, limit, alone);
        match waited.unwrap().1.timed_out() {
            true => Err(Failure::new(FailureKind::Decode, "checked alone")),
            false => Ok(()),
        }
    }
}

#[test]
fn results_in_order_are_judged_side_by_side() {
    let collector = Collector::new(Arc::new(Together::default())).in_order();
    thread::scope(|scope| {
        for index in 0..2 {
            let collector = &collector;
            scope.spawn(move || collector.accept(outcome(index, 0, 1)));
        }
    });
    let collected = collector.finish().unwrap();
    assert_eq!((collected.ok, collected.failures), (2, Vec::new()));
}
