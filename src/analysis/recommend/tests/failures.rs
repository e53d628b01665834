//! What failures do to a recommendation.

use super::advice;
use crate::analysis::fixture::{Measured, RecordBuilder, measured};
use crate::analysis::recommend::{Binding, Failing, Merit, NoPeak, Scaling};
use crate::record::{Limits, RateLimit, SampleResult};

/// One cell of tokio a worker count, with so many failures in each of three samples.
fn failing(cells: &[(usize, f64, u64)]) -> RecordBuilder {
    let mut record = RecordBuilder::new();
    for (workers, warm_s, failed) in cells {
        for _ in 0..3 {
            let run = measured(100, *warm_s).failed(*failed, "timeout");
            record = record.sample("tokio", *workers, run);
        }
    }
    record
}

#[test]
fn failures_that_chance_explains_keep_no_cell_out() {
    let record = failing(&[(5, 4.0, 4), (10, 2.0, 4), (20, 1.0, 5)]).build();
    let (cell, advice) = advice(&record).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=20");
    let why = advice.why.join("\n");
    assert!(
        why.contains("5.00 % of its requests failed (15 of 300), and no cell fails less by more"),
        "{why}"
    );
    assert!(!why.contains("more requests fail"), "{why}");
}

#[test]
fn a_cell_that_fails_more_is_left_out_and_named() {
    let record = failing(&[(5, 4.0, 1), (10, 2.0, 1), (20, 1.0, 5)]).build();
    let (cell, advice) = advice(&record).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=10");
    assert_eq!(advice.constraint, Binding::Failures);
    let other = advice
        .alternatives
        .iter()
        .find(|other| other.merit == Merit::MoreFailures);
    let failing = other.expect("the faster").difference.failing;
    let expected = Failing {
        share: 0.05,
        instead_of: 0.01,
    };
    assert_eq!(failing, Some(expected));
}

#[test]
fn a_cause_is_told_from_statuses_and_not_from_words() {
    let binding = |refused: Measured| {
        let record = RecordBuilder::new().session(|session| {
            session.server.limits.capacity = Some(10);
        });
        let record = record
            .sample("tokio", 5, measured(100, 4.1))
            .sample("tokio", 50, refused)
            .build();
        advice(&record).expect("a recommendation").1.constraint
    };
    let failing = || measured(100, 0.5);
    assert_eq!(binding(failing().refused(60, 429)), Binding::RateLimit);
    assert_eq!(binding(failing().refused(60, 503)), Binding::Capacity);
    assert_eq!(binding(failing().refused(60, 500)), Binding::Failures);
    // The fixture's example holds what the kind is called here.
    for words in ["GET /429", "status 503", "connect: 429"] {
        assert_eq!(binding(failing().failed(60, words)), Binding::Failures);
    }
}

#[test]
fn a_limit_is_named_where_refused_requests_are_tried_again() {
    let told = |limits: Limits, status: u16| {
        let mut record = RecordBuilder::new()
            .service(Some(0.05))
            .session(|session| session.server.limits = limits);
        for (workers, warm_s, retried) in [
            (1, 5.1, 0),
            (2, 3.4, 20),
            (5, 3.5, 60),
            (10, 4.2, 180),
            (20, 5.4, 400),
        ] {
            let run = measured(100, warm_s).retried(retried, status);
            record = record.sample("tokio", workers, run);
        }
        let advice = advice(&record.build()).expect("a recommendation").1;
        (advice.constraint, advice.why[1].clone(), advice.scaling)
    };
    let rate = Some(RateLimit {
        per_s: 30.0,
        burst: 1,
    });
    let limits = Limits {
        rate,
        ..Limits::default()
    };
    let (binding, said, scaling) = told(limits, 429);
    assert_eq!(binding, Binding::RateLimit);
    assert_eq!(
        said,
        "The rate limit of 30/s binds: from 2 workers on, requests are refused with 429 and \
         tried again (20 of them for 100 requests)."
    );
    assert!(
        matches!(scaling, Scaling::NoPeak(NoPeak::Limited)),
        "{scaling:?}"
    );
    let (binding, said, _) = told(Limits::default(), 429);
    assert_eq!(binding, Binding::RateLimit);
    assert!(
        said.starts_with("A rate limit of the server binds"),
        "{said}"
    );
    let capacity = Limits {
        capacity: Some(2),
        ..Limits::default()
    };
    assert_eq!(told(capacity, 503).0, Binding::Capacity);
    // Nothing says that this is a limit.
    assert!(matches!(told(Limits::default(), 503).2, Scaling::Peak(_)));
}

/// Two worker counts in three samples each, so many of which the faster one lost.
fn with_lost_samples(lost: usize) -> RecordBuilder {
    let mut record = RecordBuilder::new();
    for round in 0..3 {
        record = record.sample("tokio", 5, measured(100, 4.0));
        record = match round < lost {
            true => record.error("tokio", 10, "the bundled server crashed"),
            false => record.sample("tokio", 10, measured(100, 2.0)),
        };
    }
    record
}

#[test]
fn cell_keeps_its_place_when_a_crash_costs_a_sample() {
    for lost in [0, 1] {
        let (cell, advice) = advice(&with_lost_samples(lost).build()).expect("a recommendation");
        assert_eq!(cell, "tokio + hyper, w=10", "{lost} lost");
        let said = advice.why.join("\n");
        let tells = said.contains("1 of its 3 samples came to no measurement");
        assert_eq!(tells, lost == 1, "{said}");
    }
}

#[test]
fn cell_that_loses_most_samples_is_left_out() {
    let (cell, _) = advice(&with_lost_samples(2).build()).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=5");
    // Five of ten are half, and too many beside none of ninety.
    let mut record = RecordBuilder::new();
    for round in 0..90 {
        record = record.sample("tokio", 5, measured(100, 4.0));
        record = match round {
            0..5 => record.error("tokio", 10, "the bundled server crashed"),
            5..10 => record.sample("tokio", 10, measured(100, 2.0)),
            _ => record,
        };
    }
    let (cell, _) = advice(&record.build()).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=5");
}

#[test]
fn sample_without_a_good_answer_hides_no_other() {
    let record = RecordBuilder::new()
        .sample("tokio", 10, measured(100, 2.0))
        .sample("tokio", 10, measured(100, 0.1).failed(100, "connect"))
        .sample("tokio", 10, measured(100, 2.0))
        .build();
    let (cell, advice) = advice(&record).expect("a recommendation");
    assert_eq!((cell.as_str(), advice.warm_s), ("tokio + hyper, w=10", 2.0));
}

#[test]
fn server_that_dies_early_leaves_no_cell_to_recommend() {
    let mut record = RecordBuilder::new().sample("tokio", 10, measured(100, 2.0));
    for _ in 0..2 {
        record = record.sample("tokio", 10, measured(100, 0.1).failed(100, "connect"));
    }
    assert_eq!(advice(&record.build()), None);
}

#[test]
fn where_no_request_succeeded_nothing_is_recommended() {
    let record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 0.1).failed(100, "connect"))
        .error("rayon", 5, "no such file")
        .build();
    assert_eq!(advice(&record), None);
    assert_eq!(advice(&RecordBuilder::new().build()), None);
}

#[test]
fn connections_that_waited_too_long_are_named() {
    let told = |kind: &str| {
        let record = RecordBuilder::new()
            .session(|session| session.server.limits.connections = Some(16))
            .sample("tokio", 5, measured(100, 4.1))
            .sample("tokio", 10, measured(100, 2.1))
            .sample("tokio", 20, measured(100, 5.2))
            .sample("tokio", 100, measured(100, 30.0).failed(5, kind))
            .build();
        let (cell, advice) = advice(&record).expect("a recommendation");
        assert_eq!(cell, "tokio + hyper, w=10");
        (advice.constraint, advice.why[1].clone())
    };
    let (binding, said) = told("timeout");
    assert_eq!(binding, Binding::Connections);
    assert!(
        said.contains("From 100 workers on, more requests fail, because the server keeps 16 conn"),
        "{said}"
    );
    assert_eq!(told("status").0, Binding::Failures);
}

#[test]
fn cores_that_are_busy_are_no_more_than_there_are() {
    let told_of = |cpu_s: f64, cold_s: f64, run_cpu_s: Option<f64>| {
        let mut record = RecordBuilder::new().service(None);
        for (workers, warm_s) in [(10, 0.21), (50, 0.2), (100, 0.2)] {
            record = record.sample("tokio", workers, measured(100, warm_s).latency(0.001));
        }
        let mut record = record.build();
        for sample in &mut record.samples {
            if let SampleResult::Measured(measured) = &mut sample.result {
                measured.cpu_s = cpu_s;
                measured.cold_s = cold_s;
                measured.run_cpu_s = run_cpu_s;
            }
        }
        let advice = advice(&record).expect("a recommendation").1;
        (advice.constraint, advice.why[1].clone())
    };
    let told = |cpu_s, cold_s| told_of(cpu_s, cold_s, None);
    let told_of_run = |run_s, cpu_s| told_of(cpu_s, 0.9, Some(run_s));
    let (binding, said) = told(1.86, 0.9);
    assert_eq!(binding, Binding::Cpu);
    assert!(said.contains("keeps 2.0 cores busy"), "{said}");
    // Most of it went into building.
    assert_ne!(told(0.19, 0.9).0, Binding::Cpu);
    // What the run took is known, and that was little.
    assert_ne!(told_of_run(0.01, 1.86).0, Binding::Cpu);
    assert!(told_of_run(0.25, 1.86).1.contains("keeps 1.2 cores busy"));
}

#[test]
fn what_one_worker_cannot_do_is_not_promised() {
    for service in [None, Some(0.2)] {
        let record = RecordBuilder::new()
            .service(service)
            .sample("sequential", 1, measured(100, 20.1))
            .build();
        let why = advice(&record).expect("a recommendation").1.why.join("\n");
        assert!(why.contains("sequential cannot use more workers"), "{why}");
        assert!(!why.contains("it may be faster"), "{why}");
    }
    // Nor where every request is in flight, whatever is known of the server.
    let record = RecordBuilder::new().service(None);
    let record = record.sample("tokio", 100, measured(100, 0.3)).build();
    let why = advice(&record).expect("a recommendation").1.why.join("\n");
    assert!(
        why.contains("All 100 requests are in flight at once"),
        "{why}"
    );
}

#[test]
fn worker_counts_that_failed_are_not_said_not_to_be_measured() {
    let record = failing(&[(5, 4.0, 0), (50, 0.4, 60)]).build();
    let scaling = advice(&record).expect("a recommendation").1.scaling;
    assert_eq!(scaling, Scaling::NoPeak(NoPeak::OneCount));
}

#[test]
fn a_throughput_that_stands_still_names_what_is_served_at_once() {
    let mut record = RecordBuilder::new().service(None);
    for (workers, latency_s) in [(1, 0.05), (2, 0.05), (4, 0.05), (20, 0.252)] {
        let warm_s = latency_s * 400.0 / workers as f64 * 1.01;
        record = record.sample("tokio", workers, measured(400, warm_s).latency(latency_s));
    }
    let (cell, advice) = advice(&record.build()).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=4");
    assert_eq!(advice.constraint, Binding::Throughput);
    assert_eq!(
        advice.why[1],
        "The server gives no more than 79 responses per second, about 4 at once: with 20 workers \
         each takes 5.0 times as long as with 4."
    );
}
