//! How often the interval of a recommended cell holds its true median.

use super::{advice, told};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured, normal};
use crate::analysis::recommend::{Choice, Estimate, Terms};
use crate::analysis::refine::{CONFIRMED, confirm};
use crate::record::Record;

/// Fifty cells that are equal but for noise, with so many samples each; then those
/// that confirm the choice, if there are to be any. Of five requests, as the true
/// median matters alone.
fn equals(seed: u64, samples: usize, confirms: bool) -> Record {
    let mut noise = normal(seed);
    let mut run = || measured(5, 0.2 * (0.02 * noise()).exp()).cold(0.3);
    let mut record = RecordBuilder::new().session(|session| {
        session.server.service_s = None;
        session.purpose = crate::record::Purpose::Repeated;
    });
    for _ in 0..samples {
        for strategy in 0..50 {
            record = record.sample(&format!("strategy-{strategy}"), 5, run());
        }
    }
    let record = record.build();
    if !confirms {
        return record;
    }
    let cells = confirm(&Summary::of(&record));
    let mut record = RecordBuilder::from(record);
    for _ in 0..CONFIRMED {
        for cell in &cells {
            record = record.cell(cell.clone(), run()).confirming();
        }
    }
    record.build()
}

/// In how many of some seeds the interval of the fastest holds the true median.
fn coverage(samples: usize, confirms: bool) -> f64 {
    const SEEDS: u64 = 200;
    let holds = |seed: &u64| {
        let summary = Summary::of(&equals(*seed, samples, confirms));
        // The cheapest of all equals is recommended, and all cost alike, so the
        // fastest is the one that luck chose.
        let choice = Choice::of(&summary.rows, Terms::of(&summary.session));
        let choice = choice.expect("a choice");
        let interval = Estimate::of(&choice, choice.fastest).interval;
        (interval.low..=interval.high).contains(&0.2)
    };
    (0..SEEDS).filter(holds).count() as f64 / SEEDS as f64
}

#[test]
fn interval_of_the_best_of_fifty_holds_as_often_as_it_says() {
    // Six samples hold a median with 97 %.
    let fresh = coverage(6, true);
    assert!(fresh >= 0.94, "{fresh}");
    // Those that chose it hold it less often, and that is said.
    let chosen_by = coverage(6, false);
    assert!(chosen_by < 0.9, "{chosen_by}");
}

#[test]
fn samples_that_confirm_have_no_part_in_the_choice() {
    let record = equals(1, 3, false);
    let (before, advised) = advice(&record).expect("a recommendation");
    assert!(!advised.estimate.fresh && advised.estimate.samples == 3);
    assert!(
        told(&record).contains("the same samples chose this cell among 50"),
        "{}",
        told(&record)
    );
    let record = equals(1, 3, true);
    let (after, advised) = advice(&record).expect("a recommendation");
    assert_eq!(before, after);
    assert!(advised.estimate.fresh && advised.estimate.samples == CONFIRMED);
    assert!(told(&record).contains("6 samples taken after the choice"));
    let summary = Summary::of(&record);
    assert!(summary.rows.iter().all(|row| row.samples() == 3));
}

#[test]
fn confirming_samples_that_took_longer_are_said() {
    let mut record = RecordBuilder::new()
        .sample("tokio", 50, measured(100, 0.404))
        .sample("tokio", 100, measured(100, 0.204));
    for _ in 0..6 {
        let run = measured(100, 0.23);
        record = record.sample("tokio", 100, run).confirming();
    }
    let said = told(&record.build());
    assert!(
        said.contains("They took 13 % longer than the samples that chose it"),
        "{said}"
    );
}
