//! A sweep with its refinement against an exhaustive search, on simulated
//! services.

mod study;

use std::collections::BTreeSet;

use self::study::{GRID, MOST, Study, strategy_of};
use super::next;
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, cell, measured};
use crate::analysis::recommend::TOLERANCE;
use crate::analysis::simulated::Service;
use crate::record::{Cell, RateLimit, Sampling};

fn fixed(time: f64, requests: usize) -> Service {
    Service::drawn(vec![time; requests])
}

/// A sweep of the grid by a strategy whose cells are changed, runtimes so far
/// over the bound that further counts look worth it.
fn swept(mut record: RecordBuilder, service_s: f64, change: impl Fn(&mut Cell)) -> RecordBuilder {
    for workers in GRID {
        let mut cell = cell("thread-pool", workers, 300);
        change(&mut cell);
        let rounds = 300_usize.div_ceil(cell.workers_usable);
        let warm_s = rounds as f64 * (service_s + 0.0002) + 0.001 * cell.workers_usable as f64;
        record = record.cell(cell, measured(300, warm_s));
    }
    record
}

/// The cells proposed that were not measured yet.
fn proposed(record: RecordBuilder) -> Vec<Cell> {
    let record = record.build();
    let mut cells = next(&Summary::of(&record), MOST);
    cells.retain(|cell| record.samples.iter().all(|sample| sample.cell != *cell));
    cells
}

#[test]
fn one_worker_stays_one_worker() {
    for service_s in [0.0, 0.005] {
        let record = RecordBuilder::new().service(Some(service_s));
        let record = record.sample("sequential", 1, measured(300, 300.0 * service_s + 0.02));
        assert_eq!(proposed(record.clone()), []);
        let cells = proposed(swept(record, service_s, |_| {}));
        assert!(!cells.is_empty());
        assert!(cells.iter().all(|cell| cell.strategy != "sequential"));
    }
}

#[test]
fn a_strategy_gets_no_more_workers_than_it_can_use() {
    let most = |most: usize| move |cell: &mut Cell| cell.workers_usable = cell.workers.min(most);
    for cap in [1, 4, 30] {
        let record = RecordBuilder::new().service(Some(0.005));
        let cells = proposed(swept(record, 0.005, most(cap)));
        assert!(cells.iter().all(|cell| cell.workers < cap), "{cells:?}");
        // Beside a faster one without such a limit.
        let record = swept(RecordBuilder::new().service(Some(0.005)), 0.005, most(cap));
        let record = swept(record, 0.004, |cell| cell.strategy = "tokio".to_owned());
        let cells = proposed(record);
        let capped = |cell: &&Cell| cell.strategy == "thread-pool";
        assert!(
            cells.iter().filter(capped).all(|cell| cell.workers < cap),
            "{cells:?}"
        );
    }
}

#[test]
fn a_worker_a_request_leaves_no_count_to_choose() {
    let all = cell("tokio", 300, 300);
    let unbounded = Cell {
        dispatch: "unbounded".to_owned(),
        ..all
    };
    let record = RecordBuilder::new()
        .service(Some(0.2))
        .session(|session| session.server.longest_s = Some(1.0))
        .cell(unbounded, measured(300, 1.3));
    assert_eq!(proposed(record), []);
}

#[test]
fn a_worker_for_each_request_stands_for_more() {
    let time = |workers: usize| 60_usize.div_ceil(workers) as f64 * 0.202;
    let sweep = |counts: &[usize]| {
        let times = counts.iter().copied();
        times.fold(RecordBuilder::new(), |record, workers| {
            record.sample("tokio", workers, measured(60, time(workers)))
        })
    };
    let cells = proposed(sweep(&GRID));
    let counts: Vec<_> = cells.iter().map(|cell| cell.workers).collect();
    assert_eq!(counts, [60]);
    assert_eq!(proposed(sweep(&[1, 2, 3, 5, 10, 20, 50, 60, 100])), []);
}

#[test]
fn a_fixed_service_time_needs_nothing_beside_the_grid() {
    Study::of(fixed(0.2, 100)).hold("steady", 3 * GRID.len());
    // The best count, 125, lies beyond the grid.
    Study::of(fixed(0.05, 500)).hold("500 requests", 40);
    Study::of(fixed(0.05, 60)).hold("60 requests", 40);
}

#[test]
fn a_capacity_is_met_and_not_exceeded() {
    for servers in [1, 4, 7, 10, 13, 31, 64] {
        let service = Service {
            capacity: Some(servers),
            ..fixed(0.1, 100)
        };
        Study::of(service).hold(&format!("capacity {servers}"), 60);
    }
    let bounded = Service {
        capacity: Some(8),
        queue: Some(8),
        ..fixed(0.1, 100)
    };
    Study::of(bounded).hold("overloaded", 60);
}

#[test]
fn a_rate_limit_is_met_without_refusals() {
    for (per_s, burst) in [
        (100.0, 20),
        (50.0, 1),
        (333.0, 40),
        (20.0, 5),
        (1_000.0, 10),
    ] {
        let service = Service {
            rate: Some(RateLimit { per_s, burst }),
            ..fixed(0.05, 100)
        };
        Study::of(service).hold(&format!("{per_s}/s after {burst}"), 60);
    }
}

#[test]
fn a_peak_is_found_between_the_counts_of_the_grid() {
    for load in [
        (0.02, 0.001),
        (0.0, 0.01),
        (0.05, 0.0),
        (0.1, 0.000_1),
        (0.0, 0.1),
    ] {
        let service = Service {
            load,
            ..fixed(0.05, 100)
        };
        let study = Study {
            slows: true,
            ..Study::of(service)
        };
        study.hold(&format!("load {load:?}"), 70);
    }
}

#[test]
fn faults_that_come_whatever_is_done_keep_no_cell_out() {
    let service = Service {
        faults: 25,
        ..fixed(0.05, 100)
    };
    Study::of(service).hold("flaky", 60);
}

#[test]
fn an_outage_is_outrun() {
    let service = Service {
        warm_up: (3.0, 4.0),
        outage: (5.0, 6.0),
        ..fixed(0.05, 100)
    };
    let study = Study {
        slows: true,
        ..Study::of(service)
    };
    study.hold("cold-start", 60);
}

#[test]
fn drawn_service_times() {
    for seed in 0..2 {
        Study::drawn(seed, |u| -0.2 * (1.0 - u).ln()).hold(&format!("exponential {seed}"), 90);
        Study::drawn(seed, |u| 0.04 * (1.0 - u).powf(-1.0 / 1.5))
            .hold(&format!("pareto {seed}"), 90);
        Study::drawn(seed, |u| 0.16 + 0.08 * u).hold(&format!("uniform {seed}"), 90);
    }
}

#[test]
fn what_a_recommendation_rests_on_is_measured_until_it_has_samples_enough() {
    let mut record = RecordBuilder::new();
    for (strategy, slower) in [("tokio", 0.0), ("smol", 0.001), ("rayon", 0.1)] {
        for workers in GRID {
            let warm_s = 100_usize.div_ceil(workers) as f64 * (0.202 + slower);
            record = record.sample(strategy, workers, measured(100, warm_s));
        }
    }
    for _ in 1..6 {
        let so_far = record.build();
        let cells = next(&Summary::of(&so_far), MOST);
        let names = cells.iter().map(|cell| (&*cell.strategy, cell.workers));
        let names: BTreeSet<_> = names.collect();
        assert_eq!(names, BTreeSet::from([("smol", 100), ("tokio", 100)]));
        record = RecordBuilder::from(so_far);
        for (strategy, workers) in names {
            record = record.sample(strategy, workers, measured(100, 0.202));
        }
    }
    assert_eq!(next(&Summary::of(&record.build()), MOST), []);
}

#[test]
fn cells_that_fail_are_measured_again_as_well() {
    let sweep = |failed: u64| {
        let record = RecordBuilder::new().sample("tokio", 20, measured(100, 1.01));
        let other = measured(100, 2.02).failed(failed, "status");
        let record = record.sample("tokio", 10, other);
        next(&Summary::of(&record.build()), 0).len()
    };
    assert_eq!((sweep(0), sweep(1), sweep(90)), (1, 1, 1));
}

#[test]
fn with_a_time_to_keep_nothing_is_measured_again() {
    let record = GRID.iter().fold(RecordBuilder::new(), |record, workers| {
        let warm_s = 100_usize.div_ceil(*workers) as f64 * 0.202;
        record.sample("tokio", *workers, measured(100, warm_s))
    });
    let again = |samples| {
        let record = record.clone().session(|session| {
            session.sampling = Some(Sampling {
                samples,
                budget_s: samples.is_none().then_some(60.0),
                seed: 1,
                lanes: 1,
                wake_s: None,
            });
        });
        next(&Summary::of(&record.build()), MOST).len()
    };
    assert_eq!((again(Some(1)), again(None)), (1, 0));
}

#[test]
fn an_order_that_was_lucky_is_not_recommended() {
    let studies = [
        Study::drawn(2, |u| -0.05 * (1.0 - u).ln()),
        Study::drawn(5, |u| -0.05 * (1.0 - u).ln()),
        Study::drawn(8, |u| 0.05 * (u / (1.0 - u)).powf(0.6)),
    ];
    for study in studies {
        let study = Study {
            by_chance: true,
            ..study
        };
        let summary = Summary::of(&study.sweep());
        let advice = summary.recommendation.as_ref().expect("a recommendation");
        for row in [advice.row, advice.fastest] {
            assert!(summary.rows[row].samples() >= 6);
        }
        let cell = &summary.rows[advice.row].cell;
        let (_, best, _) = study.exhaustive();
        let regret = study.run(strategy_of(cell), cell.workers).warm_s / best - 1.0;
        assert!(regret <= TOLERANCE + study.noise, "{cell}: {regret}");
    }
}
