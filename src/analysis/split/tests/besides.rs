//! Splits where a request takes more than its service time by what is known.

use super::{BUILDING, Delays, beyond, cell, run};
use crate::analysis::bound::{Model, ServiceTime};
use crate::analysis::fixture::RecordBuilder;
use crate::analysis::split::{Ideal, PartKind, Split};
use crate::record::{Limits, Link};

/// The bound and the work of requests of 200 ms, where limits of the server and
/// the work on an answer, in seconds, are known.
fn known(workers: usize, requests: usize, limits: Limits, cpu_s: f64) -> Ideal {
    let record = RecordBuilder::new()
        .session(|session| {
            session.server.limits = limits;
            session.conditions.cpu_per_answer_s = cpu_s;
        })
        .build();
    let service = ServiceTime::of(&record).expect("stated");
    let model = Model::new(&record.session, service);
    Ideal::new(&model, requests, workers)
}

#[test]
fn the_work_on_answers_is_the_bounds_and_not_the_servers() {
    // Of the client's 12 ms in each latency 10 are the work.
    let delays = Delays {
        late_s: vec![0.004],
        transport_s: 0.012,
        ..Delays::NONE
    };
    let cell = cell(2, 4, "queue");
    let mut run = run(&cell, &[0.2; 4], &delays);
    run.cpu_s = 0.048;
    assert_eq!(
        beyond(known(2, 4, Limits::default(), 0.01), &cell, &run),
        [
            (PartKind::Server, 0.008),
            (PartKind::ClientCpu, 0.004),
            BUILDING
        ]
    );
}

#[test]
fn waiting_for_a_core_is_the_bounds_where_the_cores_decide() {
    // Half a second of work on each answer: two cores do four in a second, from
    // the first answer on.
    let delays = Delays {
        late_s: vec![0.004],
        transport_s: 1.0,
        ..Delays::NONE
    };
    let cell = cell(4, 4, "queue");
    let mut run = run(&cell, &[0.2; 4], &delays);
    run.cpu_s = 2.0;
    assert_eq!(
        beyond(known(4, 4, Limits::default(), 0.5), &cell, &run),
        [(PartKind::Server, 0.004), BUILDING]
    );
}

#[test]
fn the_pace_of_a_body_is_the_bounds() {
    let link = Link {
        answer_bytes: 10_000,
        connection_bytes_per_s: Some(1_000_000),
        total_bytes_per_s: None,
    };
    let limits = Limits {
        link: Some(link),
        slows: true,
        ..Limits::default()
    };
    // The server holds a body up for 10 ms, and is late by 4 more.
    let delays = Delays {
        late_s: vec![0.014],
        ..Delays::NONE
    };
    let cell = cell(2, 3, "queue");
    let run = run(&cell, &[0.2; 3], &delays);
    assert_eq!(
        beyond(known(2, 3, limits, 0.0), &cell, &run),
        [
            (PartKind::Server, 0.006),
            (PartKind::TailIdle, 0.002),
            BUILDING
        ]
    );
}

#[test]
fn waiting_for_a_core_is_no_idle_end() {
    // 100 answers come at 0.2 s, and two cores work 10 ms on each: the last is
    // done at 0.7 s, and half of the time a worker has nothing to do.
    let cell = cell(100, 100, "queue");
    let mut run = run(&cell, &[0.2; 100], &Delays::NONE);
    run.outcomes.latency_s = (0..100).map(|i| 0.21 + 0.01 * f64::from(i / 2)).collect();
    (run.warm_s, run.cold_s) = (0.704, 0.714);
    run.cpu_s = 1.0;
    let ideal = known(100, 100, Limits::default(), 0.01);
    assert!((ideal.bound_s - 0.7).abs() < 1e-9);
    let split = Split::of(&cell, &[&run], ideal).expect("a split");
    assert!((split.warm_s() - 0.004).abs() < 1e-9);
    assert!(split.seconds(PartKind::TailIdle) < 0.005);
}
