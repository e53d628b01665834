//! Which runtime decides, and between cells of different numbers of samples.

use super::{advice, told};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured, normal};
use crate::analysis::recommend::Binding;
use crate::analysis::refine;
use crate::record::{Purpose, Record};

/// 1,000 requests of 20 ms, as they were measured: with a worker for each the batch
/// is fastest once they are built.
fn thousand(purpose: Purpose) -> Record {
    let mut record = RecordBuilder::new()
        .service(Some(0.02))
        .session(|session| session.purpose = purpose);
    for round in 0..3 {
        let drift = 1.0 + 0.002 * f64::from(round);
        for (workers, warm_s, cold_s) in [
            (100, 0.210, 0.216),
            (500, 0.060, 0.092),
            (1_000, 0.042, 0.104),
        ] {
            let run = measured(1_000, warm_s * drift).cold(cold_s * drift);
            record = record.sample("thread-pool", workers, run);
        }
    }
    record.build()
}

#[test]
fn batch_that_is_run_once_pays_for_building() {
    let (cell, once) = advice(&thousand(Purpose::Once)).expect("a recommendation");
    assert_eq!(cell, "thread-pool + ureq, w=500");
    assert_eq!(once.purpose, Purpose::Once);
    assert!((once.cold_s - 0.092).abs() < 1e-3 && (once.warm_s - 0.060).abs() < 1e-3);
    assert_eq!(once.constraint, Binding::Building);
    let (cell, repeated) = advice(&thousand(Purpose::Repeated)).expect("a recommendation");
    assert_eq!(cell, "thread-pool + ureq, w=1000");
    assert_ne!(repeated.constraint, Binding::Building);
    insta::assert_snapshot!(told(&thousand(Purpose::Once)));
}

#[test]
fn record_without_purpose_is_judged_as_run_once() {
    let session = thousand(Purpose::Repeated).session;
    let mut json = serde_json::to_value(session).expect("JSON");
    json.as_object_mut().expect("an object").remove("purpose");
    let session: crate::record::Session = serde_json::from_value(json).expect("a session");
    assert_eq!(session.purpose, Purpose::Once);
}

#[test]
fn search_and_samples_follow_what_decides() {
    let samples = |purpose| {
        let mut cells = refine::next(&Summary::of(&thousand(purpose)), 0);
        cells.retain(|cell| cell.workers >= 500);
        cells.iter().map(|cell| cell.workers).collect::<Vec<_>>()
    };
    assert_eq!(samples(Purpose::Once), [500]);
    assert_eq!(samples(Purpose::Repeated), [1_000]);
}

/// In how many of some seeds 50 workers are advised, whose true median is so many
/// times that of 100, with so many samples of each.
fn advised_fewer(slower: f64, samples: (u32, u32)) -> f64 {
    const SEEDS: u64 = 400;
    let advised = |seed: &u64| {
        let mut noise = normal(1_000 + seed);
        let mut record = RecordBuilder::new().session(|session| {
            session.server.service_s = None;
        });
        for (workers, true_s, samples) in [(50, slower, samples.0), (100, 1.0, samples.1)] {
            for _ in 0..samples {
                let warm_s = true_s * (0.02 * noise()).exp();
                record = record.sample("tokio", workers, measured(100, warm_s));
            }
        }
        let summary = Summary::of(&record.build());
        let row = summary.recommendation.expect("a recommendation").row;
        summary.rows[row].cell.workers == 50
    };
    (0..SEEDS).filter(advised).count() as f64 / SEEDS as f64
}

#[test]
fn number_of_samples_favours_no_cell() {
    // Within the tolerance, at it, and beyond; few samples of the one cell, of the
    // other, and of neither. With upper ends of intervals it was 0.65 to 0.82 at 3 %.
    for slower in [1.03, 1.05, 1.07] {
        let shares = [(3, 6), (6, 6), (6, 3), (3, 12), (12, 3)].map(|n| advised_fewer(slower, n));
        let (least, most) = (
            shares.iter().copied().fold(1.0, f64::min),
            shares.iter().copied().fold(0.0, f64::max),
        );
        assert!(most - least <= 0.1, "{slower}: {shares:?}");
    }
}
