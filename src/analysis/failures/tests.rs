//! The tests against published values, and what chance failures and real ones do to
//! the advice of the reference record.

use std::path::Path;
use std::sync::LazyLock;

use super::{Counts, Failed, knee, rises};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured};
use crate::analysis::recommend::Binding;
use crate::record::{Cell, FailureCount, Measurement, Record, SampleResult};

const SEEDS: u64 = 40;

fn reference() -> Record {
    static RECORD: LazyLock<Record> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Record::read(&root.join("results/reference/record.jsonl")).expect("the record")
    });
    RECORD.clone()
}

/// The record in which requests also fail, each with the chance that its cell has.
/// A sample with failures takes so many seconds more.
fn with_failures(
    mut record: Record,
    chance: impl Fn(&Cell) -> f64,
    slower_s: f64,
    seed: u64,
) -> Record {
    let mut random = fastrand::Rng::with_seed(seed);
    for sample in &mut record.samples {
        let chance = chance(&sample.cell);
        let SampleResult::Measured(measured) = &mut sample.result else {
            continue;
        };
        let mut failed = 0;
        for ok in measured.outcomes.ok.iter_mut().filter(|ok| **ok) {
            *ok = random.f64() >= chance;
            failed += u64::from(!*ok);
        }
        if failed > 0 {
            measured.ok -= failed;
            measured.warm_s += slower_s;
            measured.cold_s += slower_s;
            measured.failures.push(FailureCount {
                kind: "timeout".to_owned(),
                status: None,
                count: failed,
                example: "GET /429?503: no whole answer within 1s".to_owned(),
            });
        }
    }
    record
}

/// Workers advised, and what binds.
fn advice(record: &Record) -> (usize, Binding, String) {
    let summary = Summary::of(record);
    let advice = summary.recommendation.expect("a recommendation");
    let workers = summary.rows[advice.row].cell.workers;
    (workers, advice.constraint, advice.why.join(" "))
}

#[test]
fn equal_chance_failures_leave_the_advice() {
    let (workers, binding, _) = advice(&reference());
    for chance in [0.005, 0.01, 0.02] {
        for slower_s in [0.0, 1.0] {
            let right = (0..SEEDS).filter(|seed| {
                let record = with_failures(reference(), |_| chance, slower_s, *seed);
                let (advised, binds, why) = advice(&record);
                (advised, binds) == (workers, binding) && !why.contains("more requests fail")
            });
            let right = right.count() as u64;
            assert!(
                right * 100 >= SEEDS * 95,
                "{chance}, {slower_s} s: {right} of {SEEDS}"
            );
        }
    }
}

#[test]
fn failures_that_rise_with_workers_are_found() {
    for (few, many, from) in [(0.0, 0.03, 50), (0.01, 0.05, 20), (0.02, 0.2, 10)] {
        let chance = |cell: &Cell| if cell.workers < from { few } else { many };
        let named = format!("From {from} workers on, more requests fail");
        // A cell that was lucky hides where the rise begins, and not that there is one.
        let (mut found, mut exact) = (0, 0);
        for seed in 0..SEEDS {
            let (advised, binding, why) = advice(&with_failures(reference(), chance, 0.0, seed));
            let is_found = binding == Binding::Failures && why.contains("more requests fail");
            found += u64::from(is_found && advised < 100);
            exact += u64::from(is_found && advised < from && why.contains(&named));
        }
        let seen = format!("{few} to {many}: {found} found, {exact} exact of {SEEDS}");
        assert!(found * 100 >= SEEDS * 95, "{seen}");
        assert!(exact * 100 >= SEEDS * 80, "{seen}");
    }
}

#[test]
fn one_strategy_that_fails_leaves_the_others() {
    let chance = |cell: &Cell| match cell.strategy.as_str() {
        "multiprocess" if cell.workers == 100 => 0.5,
        _ => 0.01,
    };
    let (workers, ..) = advice(&reference());
    for seed in 0..5 {
        let (advised, _, why) = advice(&with_failures(reference(), chance, 0.0, seed));
        assert_eq!(advised, workers);
        assert!(!why.contains("more requests fail"), "{why}");
    }
}

#[test]
fn one_bad_sample_leaves_the_advice() {
    let (workers, binding, _) = advice(&reference());
    let mut record = reference();
    let hundred = record
        .samples
        .iter_mut()
        .filter(|sample| sample.cell.workers == 100);
    for (place, sample) in hundred.enumerate() {
        if let (0, SampleResult::Measured(measured)) = (place, &mut sample.result) {
            measured.ok = 40;
            measured.failures.push(FailureCount {
                kind: "connect".to_owned(),
                status: None,
                count: 60,
                example: "GET /: refused".to_owned(),
            });
        }
    }
    let (advised, binds, _) = advice(&record);
    assert_eq!((advised, binds), (workers, binding));
}

#[test]
fn a_tolerance_keeps_what_fails_little_and_no_more() {
    let advised = |tolerance: Option<f64>| {
        let mut record = RecordBuilder::new().session(|session| session.max_failures = tolerance);
        for _ in 0..3 {
            record = record
                .sample("tokio", 5, measured(1_000, 40.1))
                .sample("tokio", 10, measured(1_000, 20.1).failed(9, "timeout"))
                .sample("tokio", 20, measured(1_000, 10.1).failed(40, "timeout"));
        }
        advice(&record.build()).0
    };
    assert_eq!(advised(None), 5);
    assert_eq!(advised(Some(0.01)), 10);
    assert_eq!(advised(Some(0.05)), 20);
    // One bad sample of three is a third of all requests.
    let clustered = RecordBuilder::new()
        .session(|session| session.max_failures = Some(0.01))
        .sample("tokio", 5, measured(100, 4.0))
        .sample("tokio", 5, measured(100, 4.0))
        .sample("tokio", 10, measured(100, 2.0).failed(95, "timeout"))
        .sample("tokio", 10, measured(100, 2.0));
    assert_eq!(advice(&clustered.build()).0, 5);
    // None within it: as without.
    let all = RecordBuilder::new()
        .session(|session| session.max_failures = Some(0.01))
        .sample("tokio", 5, measured(100, 4.0).failed(30, "timeout"))
        .sample("tokio", 10, measured(100, 2.0).failed(90, "timeout"));
    assert_eq!(advice(&all.build()).0, 5);
}

fn counts(failed: f64, requests: f64) -> Counts {
    Counts { failed, requests }
}

#[test]
fn fisher_s_test_gives_the_published_values() {
    // The lady tasting tea (Fisher 1935): 3 of 4 right, 17/70.
    let tea = counts(3.0, 4.0).chance_beside(&counts(1.0, 4.0));
    assert!((tea - 17.0 / 70.0).abs() < 1e-12, "{tea}");
    // R: fisher.test(matrix(c(10, 290, 3, 297), 2), alternative = "greater").
    let p = counts(10.0, 300.0).chance_beside(&counts(3.0, 300.0));
    assert!((p - 0.044_395_67).abs() < 1e-8, "{p}");
    assert_eq!(counts(1.0, 100.0).chance_beside(&counts(1.0, 100.0)), 1.0);
    assert_eq!(counts(0.0, 0.0).chance_beside(&counts(1.0, 100.0)), 1.0);
}

#[test]
fn a_trend_is_one_of_rates_and_not_of_counts() {
    let cell = |workers, failed, requests| {
        (
            workers,
            Failed {
                failed,
                requests,
                effect: 1.0,
            },
        )
    };
    assert!(rises(&[
        cell(1, 0, 300),
        cell(10, 5, 300),
        cell(100, 20, 300)
    ]));
    assert!(!rises(&[
        cell(1, 20, 300),
        cell(10, 5, 300),
        cell(100, 0, 300)
    ]));
    // Twice the failures of twice the requests.
    assert!(!rises(&[
        cell(1, 30, 300),
        cell(10, 30, 300),
        cell(100, 60, 600)
    ]));
    // One worker count, and none that failed.
    assert!(!rises(&[cell(1, 3, 300)]) && !rises(&[cell(1, 0, 9), cell(2, 0, 9)]));
    let cells = [
        cell(1, 3, 300),
        cell(10, 3, 300),
        cell(20, 60, 300),
        cell(100, 90, 300),
    ];
    assert_eq!(knee(&cells), Some(20));
}

#[test]
fn failures_of_one_sample_count_for_less() {
    let sample = |failed: u64| Measurement {
        ok: 100 - failed,
        failures: vec![FailureCount {
            kind: "timeout".to_owned(),
            status: None,
            count: failed,
            example: String::new(),
        }],
        ..Measurement::default()
    };
    let of = |failed: [u64; 3]| {
        let samples = failed.map(sample);
        Failed::of(&samples.iter().collect::<Vec<_>>())
    };
    assert_eq!(of([0, 0, 0]).effect, 1.0);
    assert_eq!(of([7, 7, 7]).effect, 1.0);
    // (13² + 2 · 7²) · 3/2 over 300 · 0.0667 · 0.9333.
    let burst = of([20, 0, 0]);
    assert!((burst.effect - 21.43).abs() < 0.01, "{burst:?}");
    assert_eq!((burst.failed, burst.requests), (20, 300));
}
