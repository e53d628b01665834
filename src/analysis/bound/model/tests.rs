//! The bound against limits, and against simulated schedules.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{Bound, Constraint, Model, Sums};
use crate::analysis::bound::{ServiceTime, Source};
use crate::analysis::fixture::RecordBuilder;
use crate::analysis::simulated::Service;
use crate::record::{Limits, Link, RateLimit, ServiceTimes};

/// The simulated clock counts nanoseconds, each request rounded.
const ROUNDING: f64 = 1e-6;

fn model(seconds: f64, limits: Limits, cpu_s: f64) -> Model {
    let record = RecordBuilder::new()
        .service(Some(seconds))
        .session(|session| {
            session.server.limits = limits;
            session.conditions.cpu_per_answer_s = cpu_s;
        })
        .build();
    let service = ServiceTime::of(&record).expect("stated");
    Model::new(&record.session, service)
}

fn listed(times: &[f64]) -> ServiceTimes {
    let times = times.iter().map(|time| Duration::from_secs_f64(*time));
    ServiceTimes::of(times).unwrap_or_default()
}

fn of(bound: &Bound) -> (Constraint, f64) {
    (bound.constraint, (bound.seconds * 1e6).round() / 1e6)
}

#[test]
fn a_rate_limit_binds_where_the_workers_outrun_it() {
    let rate = Some(RateLimit {
        per_s: 100.0,
        burst: 20,
    });
    let limits = Limits {
        rate,
        ..Limits::default()
    };
    let model = model(0.05, limits, 0.0);
    assert_eq!(of(&model.bound(100, 5)), (Constraint::ServiceTime, 1.0));
    // The last of 100 is admitted at 0.8 s.
    assert_eq!(of(&model.bound(100, 20)), (Constraint::RateLimit, 0.85));
    assert_eq!(of(&model.bound(20, 20)), (Constraint::ServiceTime, 0.05));
    let ceiling = |workers| model.bound(100, workers).ceiling_s;
    assert_eq!((ceiling(5), ceiling(20)), (Some(1.0), None));
}

#[test]
fn a_capacity_binds_beyond_its_servers() {
    let limits = Limits {
        capacity: Some(8),
        ..Limits::default()
    };
    let model = model(0.1, limits, 0.0);
    assert_eq!(of(&model.bound(100, 8)), (Constraint::ServiceTime, 1.3));
    assert_eq!(of(&model.bound(100, 100)), (Constraint::Capacity, 1.3));
    assert_eq!(
        model.bound(100, 100).ceiling_s,
        Some(model.bound(100, 8).seconds)
    );
}

#[test]
fn the_work_on_answers_counts_on_each_worker_and_on_all_cores() {
    let model = model(0.2, Limits::default(), 0.01);
    assert_eq!(of(&model.bound(100, 1)), (Constraint::ServiceTime, 21.0));
    // Two cores: 100 × 10 ms take half a second, whatever the workers, and
    // begin with the first answer.
    assert_eq!(of(&model.bound(100, 100)), (Constraint::Cpu, 0.7));
    assert_eq!(model.bound(100, 100).ceiling_s, None);
}

#[test]
fn a_measured_latency_has_the_work_on_its_answer_in_it() {
    let stated = model(0.2, Limits::default(), 0.01);
    let fastest = Model {
        service: ServiceTime {
            source: Source::Fastest { answers: 100 },
            ..stated.service
        },
        ..stated
    };
    assert_eq!(of(&fastest.bound(100, 1)), (Constraint::ServiceTime, 20.0));
    // The fastest answer came after 190 ms, and its work is in its latency.
    assert_eq!(of(&fastest.bound(100, 100)), (Constraint::Cpu, 0.69));
}

#[test]
fn a_link_carries_all_bodies_and_a_connection_its_own() {
    let link = Link {
        answer_bytes: 20_000,
        connection_bytes_per_s: Some(1_000_000),
        total_bytes_per_s: Some(10_000_000),
    };
    let limits = Limits {
        link: Some(link),
        slows: true,
        ..Limits::default()
    };
    let model = model(0.02, limits, 0.0);
    assert_eq!(of(&model.bound(100, 1)), (Constraint::ServiceTime, 4.0));
    assert_eq!(of(&model.bound(100, 100)), (Constraint::Bandwidth, 0.22));
    assert_eq!(model.bound(100, 1).ceiling_s, None);
}

#[test]
fn limits_that_cannot_be_are_not_known() {
    for per_s in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
        let limits = Limits {
            rate: Some(RateLimit { per_s, burst: 0 }),
            capacity: Some(0),
            ..Limits::default()
        };
        let bound = model(0.2, limits, f64::NAN).bound(100, 10);
        assert_eq!(of(&bound), (Constraint::ServiceTime, 2.0));
    }
}

proptest! {
    #[test]
    fn a_greedy_queue_lies_between_bound_and_ceiling(
        times in proptest::collection::vec(0.001_f64..1.0, 1..80),
        workers in 1_usize..30,
        capacity in proptest::option::of(1_usize..20),
    ) {
        let service = Service { capacity, ..Service::drawn(times.clone()) };
        let run = service.run(workers);
        let limits = Limits { capacity, ..Limits::default() };
        let model = Model {
            service: ServiceTime {
                seconds: times.iter().sum::<f64>() / times.len() as f64,
                longest_s: times.iter().copied().reduce(f64::max),
                source: Source::Stated,
            },
            times: Sums::of(&listed(&times)).map(Arc::new),
            ..model(0.2, limits, 0.0)
        };
        let bound = model.bound(times.len(), workers);
        prop_assert!(run.warm_s >= bound.seconds - ROUNDING);
        let ceiling = bound.ceiling_s.expect("a ceiling");
        prop_assert!(run.warm_s <= ceiling + ROUNDING, "{} > {ceiling}", run.warm_s);
    }

    #[test]
    fn no_whole_batch_beats_a_rate_limit(
        time in 0.001_f64..0.5,
        requests in 1_usize..120,
        workers in 1_usize..30,
        per_s in 1.0_f64..500.0,
        burst in 1_u64..60,
    ) {
        let rate = Some(RateLimit { per_s, burst });
        let run = Service { rate, ..Service::drawn(vec![time; requests]) }.run(workers);
        let limits = Limits { rate, ..Limits::default() };
        let bound = model(time, limits, 0.0).bound(requests, workers);
        prop_assert!(run.failed > 0 || run.warm_s >= bound.seconds - ROUNDING);
    }

    #[test]
    fn more_workers_never_raise_a_bound(
        seconds in 0.0_f64..2.0,
        cpu_s in 0.0_f64..0.1,
        capacity in proptest::option::of(1_usize..20),
        requests in 0_usize..500,
        workers in 1_usize..200,
    ) {
        let limits = Limits { capacity, ..Limits::default() };
        let model = model(seconds, limits, cpu_s);
        let (few, more) = (model.bound(requests, workers), model.bound(requests, workers + 1));
        prop_assert!(more.seconds <= few.seconds * (1.0 + 1e-9));
        prop_assert!(few.ceiling_s.is_none_or(|ceiling| ceiling >= few.seconds));
    }
}
