//! The lower bound on a batch's runtime: the line that every figure is held
//! against, and where it comes from.

mod model;
mod steps;
mod sums;

use std::fmt;

use serde::Serialize;

use crate::record::{Record, SampleResult};

pub use self::model::{Bound, Constraint, Model};

/// How long the server takes for one request, in seconds, and how that is
/// known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceTime {
    /// Seconds, finite and at least 0: the mean where requests differ.
    pub seconds: f64,
    /// Where requests differ, the longest of them, in seconds.
    pub longest_s: Option<f64>,
    /// How it is known.
    pub source: Source,
}

/// How a service time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "source")]
pub enum Source {
    /// It was set: the bundled server's delay, or what the user said of theirs.
    Stated,
    /// It is the latency of the fastest good answer in the record, which the
    /// client's own time is part of. No answer came faster, so no schedule of
    /// such answers can beat the bound that it gives.
    Fastest {
        /// The good answers that it is the fastest of.
        answers: u64,
    },
}

impl fmt::Display for Source {
    /// Completes "lower bound from …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stated => f.write_str("the stated service time"),
            Self::Fastest { answers: 1 } => f.write_str("the only good answer"),
            Self::Fastest { answers } => write!(f, "the fastest of {answers} answers"),
        }
    }
}

impl ServiceTime {
    /// The service time of a record's server: the stated one, or else the
    /// latency of the fastest good answer. `None` where neither is known.
    pub fn of(record: &Record) -> Option<Self> {
        let server = &record.session.server;
        match server.service_s.filter(|s| is_time(*s)) {
            Some(seconds) => Some(Self {
                seconds,
                longest_s: server.longest_s.filter(|s| is_time(*s)),
                source: Source::Stated,
            }),
            None => Self::fastest(record),
        }
    }

    /// The least time in which `workers` can make `requests` of this service
    /// time, in seconds.
    ///
    /// Where all are the same, [`lower_bound`]; where they differ,
    /// `max(Σ s / w, max s)` (Graham 1966): the work shared out evenly, and no
    /// request is split. 0 workers are taken as 1.
    pub fn bound(&self, requests: usize, workers: usize) -> f64 {
        match self.longest_s {
            None => lower_bound(requests, workers, self.seconds),
            Some(longest) => {
                let work = self.seconds * requests as f64;
                longest.max(work / workers.max(1) as f64)
            }
        }
    }

    /// The latency of the fastest good answer in a record.
    pub fn fastest(record: &Record) -> Option<Self> {
        let mut answers = 0;
        let mut fastest = f64::INFINITY;
        for sample in &record.samples {
            let SampleResult::Measured(measurement) = &sample.result else {
                continue;
            };
            let outcomes = &measurement.outcomes;
            for (latency, ok) in outcomes.latency_s.iter().zip(&outcomes.ok) {
                if *ok && is_time(*latency) {
                    answers += 1;
                    fastest = fastest.min(*latency);
                }
            }
        }
        (answers > 0).then_some(Self {
            seconds: fastest,
            longest_s: None,
            source: Source::Fastest { answers },
        })
    }
}

/// The longest time that is believed, in seconds: some thirty years. Of longer
/// ones sums lose their meaning, and in the end are infinite.
const LONGEST_S: f64 = 1e9;

/// Whether a number can be a time: not before its start, and not beyond belief.
pub(crate) fn is_time(seconds: f64) -> bool {
    (0.0..=LONGEST_S).contains(&seconds)
}

/// The least time in which `workers` can make `requests` that take `service_s`
/// seconds each: `ceil(N / w) · d`, in seconds. Somebody has to make at least
/// `ceil(N / w)` of them, one after the other (the pigeonhole principle).
///
/// 0 workers are taken as 1.
pub fn lower_bound(requests: usize, workers: usize, service_s: f64) -> f64 {
    requests.div_ceil(workers.max(1)) as f64 * service_s
}

/// How far a runtime lies over its lower bound, as a fraction of the bound:
/// 0.01 is 1 % over it, negative is under it. `None` where the bound is 0 (no
/// ratio to it exists) or an argument is not a time.
pub fn gap(runtime_s: f64, bound_s: f64) -> Option<f64> {
    let gap = runtime_s / bound_s - 1.0;
    (is_time(runtime_s) && is_time(bound_s) && gap.is_finite()).then_some(gap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ServiceTime, Source, gap, lower_bound};
    use crate::analysis::fixture::{RecordBuilder, measured};

    /// The runtime of a queue that hands the next request to the worker that
    /// is free first.
    fn greedy(service_s: &[f64], workers: usize) -> f64 {
        let mut busy_until = vec![0.0_f64; workers];
        for service in service_s {
            let free = (0..workers)
                .min_by(|a, b| busy_until[*a].total_cmp(&busy_until[*b]))
                .expect("a worker");
            busy_until[free] += service;
        }
        busy_until.into_iter().fold(0.0, f64::max)
    }

    #[test]
    fn drawn_service_times_are_bounded_by_their_work_and_by_their_longest() {
        let drawn = ServiceTime {
            seconds: 0.25,
            longest_s: Some(0.7),
            source: Source::Stated,
        };
        assert_eq!(drawn.bound(8, 1), 2.0);
        assert_eq!(drawn.bound(8, 2), 1.0);
        assert_eq!(drawn.bound(8, 4), 0.7);
        assert_eq!(drawn.bound(8, 0), 2.0);
    }

    proptest! {
        #[test]
        fn no_queue_beats_the_bound_of_drawn_service_times(
            service_s in proptest::collection::vec(0.001_f64..1.0, 1..60),
            workers in 1_usize..20,
        ) {
            let drawn = ServiceTime {
                seconds: service_s.iter().sum::<f64>() / service_s.len() as f64,
                longest_s: service_s.iter().copied().reduce(f64::max),
                source: Source::Stated,
            };
            let bound = drawn.bound(service_s.len(), workers);
            let greedy = greedy(&service_s, workers);
            prop_assert!(greedy >= bound - 1e-9);
            // Graham's ceiling on what a greedy queue takes.
            prop_assert!(greedy <= 2.0 * bound + 1e-9);
        }
    }

    #[test]
    fn the_bound_of_the_reference_batch() {
        let bound = |workers| lower_bound(100, workers, 0.2);
        assert_eq!(bound(1), 20.0);
        assert_eq!(bound(3), 34.0 * 0.2);
        assert_eq!(bound(99), 0.4);
        assert_eq!(bound(100), 0.2);
        assert_eq!(bound(1000), 0.2);
    }

    #[test]
    fn a_gap_exists_only_where_a_bound_does() {
        assert!((gap(1.01, 1.0).expect("a gap") - 0.01).abs() < 1e-12);
        assert_eq!(gap(0.5, 1.0), Some(-0.5));
        assert_eq!(gap(0.5, 0.0), None);
        assert_eq!(gap(0.0, 0.0), None);
        assert_eq!(gap(f64::NAN, 1.0), None);
        assert_eq!(gap(1.0, f64::MIN_POSITIVE * 0.25), None);
    }

    #[test]
    fn a_stated_service_time_goes_before_what_was_measured() {
        let record = RecordBuilder::new()
            .service(Some(0.2))
            .sample("tokio", 1, measured(10, 2.1).latency(0.21))
            .build();
        let service = ServiceTime::of(&record).expect("a service time");
        assert_eq!((service.seconds, service.source), (0.2, Source::Stated));
    }

    #[test]
    fn an_unknown_service_time_is_that_of_the_fastest_good_answer() {
        let record = RecordBuilder::new()
            .service(None)
            .sample("tokio", 1, measured(10, 2.1).latency(0.21))
            .sample("rayon", 1, measured(10, 2.0).latency(0.2))
            // A failure that comes back at once is no service.
            .sample(
                "smol",
                1,
                measured(10, 0.1).latency(0.01).failed(10, "connect"),
            )
            .build();
        let service = ServiceTime::of(&record).expect("a service time");
        assert_eq!(service.seconds, 0.2);
        assert_eq!(service.source, Source::Fastest { answers: 20 });
    }

    #[test]
    fn without_a_good_answer_the_service_time_stays_unknown() {
        let record = RecordBuilder::new()
            .service(None)
            .sample("tokio", 1, measured(10, 2.1).failed(10, "timeout"))
            .error("rayon", 1, "it did not start")
            .build();
        assert_eq!(ServiceTime::of(&record), None);
    }

    proptest! {
        #[test]
        fn more_workers_never_raise_the_bound(
            requests in 0..5_000_usize,
            workers in 1..2_000_usize,
            service in 0.0..10.0_f64,
        ) {
            let bound = lower_bound(requests, workers, service);
            prop_assert!(lower_bound(requests, workers + 1, service) <= bound);
            prop_assert!(lower_bound(requests + 1, workers, service) >= bound);
        }

        #[test]
        fn a_greedy_queue_of_equal_requests_reaches_the_bound(
            requests in 1..300_usize,
            workers in 1..40_usize,
            service in 0.001..10.0_f64,
        ) {
            let runtime = greedy(&vec![service; requests], workers);
            let bound = lower_bound(requests, workers, service);
            prop_assert!((runtime - bound).abs() <= bound * 1e-9);
        }

        #[test]
        fn no_queue_beats_the_bound_of_its_fastest_request(
            service in prop::collection::vec(0.001..10.0_f64, 1..200),
            workers in 1..40_usize,
        ) {
            let fastest = service.iter().copied().fold(f64::INFINITY, f64::min);
            let bound = lower_bound(service.len(), workers, fastest);
            let runtime = greedy(&service, workers);
            prop_assert!(bound <= runtime * (1.0 + 1e-9));
            prop_assert!(gap(runtime, bound).is_some_and(|gap| gap >= -1e-9));
        }
    }
}
