//! What is recommended of records whole, refused, failing, and hardly any.

mod discontinued;
mod estimate;
mod failures;
mod limits;
mod purpose;

use proptest::prelude::*;

use super::{Binding, Merit, NoPeak, Recommendation, Scaling};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured, sweep};
use crate::analysis::simulated::Service;
use crate::record::{Ending, Limits, RateLimit, Record};

fn advice(record: &Record) -> Option<(String, Recommendation)> {
    let summary = Summary::of(record);
    let advice = summary.recommendation?;
    Some((summary.rows[advice.row].cell.to_string(), advice))
}

fn told(record: &Record) -> String {
    let (cell, advice) = advice(record).expect("a recommendation");
    let mut text = format!("{cell}: {:?}\n", advice.constraint);
    for sentence in &advice.why {
        text.push_str(&format!("- {sentence}\n"));
    }
    for other in &advice.alternatives {
        text.push_str(&format!("or row {}, {:?}\n", other.row, other.merit));
    }
    text + &format!("{:?}", advice.scaling)
}

/// A sweep of a simulated service by two strategies, which cost alike.
fn simulated(service: &Service, limits: Limits, workers: &[usize]) -> RecordBuilder {
    let times = &service.times;
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let mut record = RecordBuilder::new()
        .service(Some(mean))
        .session(|session| session.server.limits = limits);
    for workers in workers {
        for strategy in ["thread-pool", "tokio"] {
            let run = service.run(*workers);
            for round in 0..3 {
                let warm_s = run.warm_s * (1.003 + 0.001 * f64::from(round));
                let mut sample = measured(times.len() as u64, warm_s);
                if run.failed > 0 {
                    let status = if limits.rate.is_some() { 429 } else { 503 };
                    sample = sample.refused(run.failed, status);
                }
                record = record.sample(strategy, *workers, sample);
            }
        }
    }
    record
}

#[test]
fn alternative_with_fewer_workers_keeps_the_strategy() {
    let mut record = RecordBuilder::new();
    for (strategy, workers, warm_s) in [
        ("tokio", 10, 2.10),
        ("tokio", 20, 1.02),
        ("rayon", 10, 2.05),
        ("rayon", 15, 1.40),
        ("rayon", 20, 1.10),
    ] {
        record = record.sample(strategy, workers, measured(100, warm_s));
    }
    let summary = Summary::of(&record.build());
    let advice = summary.recommendation.expect("a recommendation");
    assert_eq!(
        summary.rows[advice.row].cell.to_string(),
        "tokio + hyper, w=20"
    );
    let fewer = advice
        .alternatives
        .iter()
        .find(|other| other.merit == Merit::FewerWorkers)
        .expect("fewer workers");
    // Neither rayon with 15, the next count of any strategy, nor with 10, which is faster.
    assert_eq!(
        summary.rows[fewer.row].cell.to_string(),
        "tokio + hyper, w=10"
    );
    let difference = fewer.difference;
    assert!((difference.runtime.seconds - 2.104).abs() < 1e-9);
    assert!((difference.runtime.slower - (2.104 / 1.024 - 1.0)).abs() < 1e-9);
    assert_eq!(difference.workers, -10);
}

const GRID: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 100];

#[test]
fn a_fixed_service_time_ends_with_every_request_in_flight() {
    insta::assert_snapshot!(told(&sweep()));
}

#[test]
fn a_rate_limit_binds_where_more_only_buys_refusals() {
    let rate = Some(RateLimit {
        per_s: 50.0,
        burst: 15,
    });
    let service = Service {
        rate,
        ..Service::drawn(vec![0.2; 100])
    };
    let limits = Limits {
        rate,
        ..Limits::default()
    };
    insta::assert_snapshot!(told(&simulated(&service, limits, &GRID).build()));
}

#[test]
fn a_capacity_is_the_end_of_what_workers_bring() {
    let service = Service {
        capacity: Some(10),
        ..Service::drawn(vec![0.1; 100])
    };
    let limits = Limits {
        capacity: Some(10),
        ..Limits::default()
    };
    insta::assert_snapshot!(told(&simulated(&service, limits, &GRID).build()));
}

#[test]
fn service_that_slows_under_load_has_a_peak_and_a_curve() {
    let service = Service {
        load: (0.02, 0.001),
        ..Service::drawn(vec![0.05; 100])
    };
    let limits = Limits {
        load: true,
        slows: true,
        ..Limits::default()
    };
    let record = simulated(&service, limits, &[1, 2, 5, 10, 20, 25, 34, 50, 100]).build();
    let (cell, advice) = advice(&record).expect("a recommendation");
    assert_eq!(cell, "thread-pool + ureq, w=25");
    assert_eq!(advice.constraint, Binding::Load);
    assert!(
        advice.why[1].contains("the server slows down"),
        "{:?}",
        advice.why
    );
    let Scaling::Peak(peak) = advice.scaling else {
        panic!("{:?}", advice.scaling);
    };
    assert!(
        peak.workers
            .is_some_and(|workers| (20.0..60.0).contains(&workers)),
        "{peak:?}"
    );
}

#[test]
fn connections_that_wait_are_named_and_not_taken_for_load() {
    let told = |most_open: Option<usize>, beyond_s: f64| {
        let mut record = RecordBuilder::new().service(Some(0.02)).session(|session| {
            session.server.limits.connections = most_open;
            session.server.limits.slows = true;
        });
        for (workers, warm_s) in [(2, 1.02), (5, 0.42), (10, 0.22), (16, 0.15), (50, beyond_s)] {
            record = record.sample("tokio", workers, measured(100, warm_s));
        }
        let (cell, advice) = advice(&record.build()).expect("a recommendation");
        assert_eq!(cell, "tokio + hyper, w=16");
        (advice.constraint, advice.why[1].clone())
    };
    let (binding, said) = told(Some(16), 0.4);
    assert_eq!(binding, Binding::Connections);
    assert!(
        said.contains("Beyond 16 workers the runtime rises again: the server keeps 16 connections"),
        "{said}"
    );
    let (binding, said) = told(Some(16), 0.15);
    assert_eq!(binding, Binding::Connections);
    assert!(
        said.contains("More workers bring nothing: the server keeps 16"),
        "{said}"
    );
    // Not where it is slower with fewer workers than that; and a server that
    // warms up does not slow with what it has in service.
    for most_open in [None, Some(50), Some(100)] {
        let (binding, said) = told(most_open, 0.4);
        assert_eq!(binding, Binding::Load);
        assert!(said.contains("server or machine"), "{said}");
    }
}

#[test]
fn an_interval_and_a_share_count_the_samples_that_they_speak_of() {
    let why = |record: &_| advice(record).expect("a recommendation").1.why;
    let record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.0))
        .sample("tokio", 5, measured(100, 4.1).failed(1, "status"))
        .build();
    let said = why(&record);
    let last = said.last().expect("a sentence");
    assert!(
        last.contains("the one sample with hardly a failure"),
        "{last}"
    );

    let mut record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.0))
        .sample("tokio", 5, measured(100, 4.02))
        .sample("tokio", 5, measured(100, 0.1).failed(99, "connect"))
        .error("tokio", 5, "it did not come back")
        .build();
    for sample in &mut record.samples {
        sample.taken.wall_s = 4.0;
        sample.taken.machine = Some(crate::record::MachineUse {
            steal_s: 0.0,
            others_s: 3.0,
            cores: 2,
            load: 2.0,
        });
    }
    let said = why(&record).join("\n");
    assert!(said.contains("4 of 4 samples of tokio"), "{said}");
    assert!(
        said.contains("50 % confidence (order statistics of 2 samples)"),
        "{said}"
    );
}

#[test]
fn one_cell_is_no_comparison_and_an_unfinished_session_no_whole_one() {
    let record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.01))
        .ending(Ending::CutOff)
        .build();
    insta::assert_snapshot!(told(&record));
}

#[test]
fn samples_that_the_machine_spoilt_are_said() {
    let mut record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.0))
        .sample("tokio", 5, measured(100, 4.01))
        .build();
    let why = |record: &_| advice(record).expect("a recommendation").1.why.join("\n");
    assert!(!why(&record).contains("something else"));
    record.samples[0].taken.wall_s = 4.0;
    record.samples[0].taken.machine = Some(crate::record::MachineUse {
        steal_s: 0.0,
        others_s: 3.0,
        cores: 2,
        load: 2.0,
    });
    let why = why(&record);
    assert!(
        why.contains("something else while 1 of 2 samples of tokio + hyper, w=5 ran"),
        "{why}"
    );
}

#[test]
fn a_server_that_was_the_limit_is_said() {
    let mut record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.0))
        .build();
    if let crate::record::SampleResult::Measured(measurement) = &mut record.samples[0].result
        && let Some(server) = &mut measurement.server
    {
        server.busy = 0.93;
    }
    let advice = advice(&record).expect("a recommendation").1;
    assert_eq!(advice.constraint, Binding::Server);
    assert!(advice.why[1].contains("busy for 93 %"), "{:?}", advice.why);
}

#[test]
fn fewer_workers_that_need_no_more_rounds_are_named() {
    let record = RecordBuilder::new()
        .sample("tokio", 10, measured(100, 2.01))
        .sample("tokio", 99, measured(100, 0.41))
        .build();
    let why = advice(&record).expect("a recommendation").1.why.join("\n");
    assert!(
        why.contains("50 workers would need no more rounds, 2"),
        "{why}"
    );
}

#[test]
fn fewer_workers_that_were_measured_are_not_said_not_to_be() {
    let record = RecordBuilder::new()
        .sample("tokio", 50, measured(100, 0.45))
        .sample("tokio", 99, measured(100, 0.41))
        .build();
    let (cell, advice) = advice(&record).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=99");
    let why = advice.why.join("\n");
    assert!(!why.contains("not measured"), "{why}");
}

#[test]
fn more_workers_than_requests_are_one_for_each() {
    let record = RecordBuilder::new()
        .sample("tokio", 50, measured(60, 0.42))
        .sample("tokio", 60, measured(60, 0.203))
        .sample("tokio", 80, measured(60, 0.202))
        .sample("tokio", 100, measured(60, 0.201))
        .build();
    let (cell, advice) = advice(&record).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=60");
    assert_eq!(advice.row, advice.fastest);
    let others: Vec<_> = advice
        .alternatives
        .iter()
        .map(|other| other.merit)
        .collect();
    assert_eq!(others, [Merit::FewerWorkers]);
    assert_eq!(advice.constraint, Binding::Batch);
    let seen = NoPeak::NotSlower { most: 60 };
    assert_eq!(advice.scaling, Scaling::NoPeak(seen));
}

#[test]
fn rounds_are_equal_or_not_spoken_of() {
    let why = |longest_s: Option<f64>, few: (usize, f64), more: (usize, f64)| {
        let record = RecordBuilder::new()
            .session(|session| session.server.longest_s = longest_s)
            .sample("tokio", few.0, measured(2_000, few.1))
            .sample("tokio", more.0, measured(2_000, more.1))
            .build();
        let (cell, advice) = advice(&record).expect("a recommendation");
        assert_eq!(cell, format!("tokio + hyper, w={}", few.0));
        assert_eq!(advice.constraint, Binding::ServiceTime);
        advice.why[1].clone()
    };
    // 41 rounds and 40.
    let little = why(None, (49, 8.3), (50, 8.1));
    assert!(
        little.contains("within 5 % of the runtime with 49"),
        "{little}"
    );
    // 40 rounds both.
    let equal = why(None, (50, 8.1), (51, 8.1));
    assert!(
        equal.contains("as many rounds of the service time as 51: 40"),
        "{equal}"
    );
    // Requests that differ go in no rounds.
    let drawn = why(Some(0.3), (50, 8.1), (51, 8.05));
    assert!(
        drawn.contains("within 5 % of the runtime with 50"),
        "{drawn}"
    );
}

proptest! {
    #[test]
    fn no_cell_that_fails_more_is_preferred_and_numbers_are_finite(
        runs in prop::collection::vec((0..3_usize, 1..60_usize, 0.0..30.0_f64, 0..=20_u64), 1..40),
        service in prop::option::of(0.0..1.0_f64),
    ) {
        let mut record = RecordBuilder::new().service(service);
        for (strategy, workers, warm_s, failed) in runs {
            let run = measured(20, warm_s).failed(failed, "status");
            record = record.sample(["tokio", "rayon", "sequential"][strategy], workers, run);
        }
        let summary = Summary::of(&record.build());
        let share = |row: &crate::analysis::summary::Row| {
            row.figures.as_ref().filter(|f| 2 * f.answered >= f.samples).map_or(1.0, |f| f.pooled.share())
        };
        let least = summary.rows.iter().map(share).fold(1.0, f64::min);
        match &summary.recommendation {
            None => prop_assert_eq!(least, 1.0),
            Some(advice) => {
                prop_assert!(summary.rows[advice.row].compares());
                let best = summary.rows.iter().find(|row| share(row) == least);
                prop_assert!(best.is_some_and(|best| best.compares()));
                let numbers = [advice.slower, advice.slower_within.0, advice.slower_within.1];
                prop_assert!(numbers.iter().all(|number| number.is_finite()));
                let text = serde_json::to_string(advice).expect("rendered");
                prop_assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
                for other in &advice.alternatives {
                    prop_assert!(other.row < summary.rows.len() && other.row != advice.row);
                }
            }
        }
    }
}
