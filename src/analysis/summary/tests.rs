//! What a summary says of records whole, failing, empty and impossible.

use proptest::prelude::*;

use super::Summary;
use crate::analysis::bound::Source;
use crate::analysis::fixture::{RecordBuilder, measured, sweep};
use crate::record::{Ending, SampleResult};

#[test]
fn a_row_has_the_median_the_range_and_the_gap() {
    let record = RecordBuilder::new()
        .sample("tokio", 3, measured(100, 6.90))
        .sample("tokio", 3, measured(100, 6.82))
        .sample("tokio", 3, measured(100, 6.84))
        .build();
    let summary = Summary::of(&record);
    let row = &summary.rows[0];
    let figures = row.figures.as_ref().expect("figures");
    assert_eq!(figures.samples, 3);
    let warm = figures.warm_s;
    assert_eq!((warm.min, warm.median, warm.max), (6.82, 6.84, 6.90));
    assert_eq!(row.bound_s, Some(34.0 * 0.2));
    let gap = figures.gap.expect("a gap");
    assert!((gap - (6.84 / 6.8 - 1.0)).abs() < 1e-12);
    assert_eq!(summary.best, Some(0));
}

#[test]
fn the_bound_counts_only_workers_that_can_be_used() {
    let record = RecordBuilder::new()
        .sample("sequential", 20, measured(100, 20.1))
        .build();
    assert_eq!(Summary::of(&record).rows[0].bound_s, Some(20.0));
}

#[test]
fn a_failure_in_one_sample_is_not_lost_in_the_others() {
    let record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.0))
        .sample(
            "tokio",
            5,
            measured(100, 1.0).failed(60, "status").failed(2, "body"),
        )
        .sample("tokio", 5, measured(100, 4.0).failed(1, "timeout"))
        .build();
    let summary = Summary::of(&record);
    let figures = summary.rows[0].figures.as_ref().expect("figures");
    assert_eq!((figures.ok, figures.failed), (38, 62));
    let kinds: Vec<_> = figures.failures.iter().map(|f| f.kind.as_str()).collect();
    assert_eq!(kinds, ["status", "body"]);
    assert_eq!((figures.pooled.failed, figures.pooled.requests), (63, 300));
}

#[test]
fn fast_failures_do_not_win() {
    let record = RecordBuilder::new()
        .error("rayon", 100, "too many open files")
        .sample("tokio", 50, measured(100, 0.1).failed(100, "connect"))
        .sample("thread-pool", 2, measured(100, 10.1))
        .sample("thread-pool", 3, measured(100, 6.9))
        .error("thread-pool", 3, "it did not come back")
        .build();
    let summary = Summary::of(&record);
    let order: Vec<_> = summary
        .rows
        .iter()
        .map(|row| row.cell.to_string())
        .collect();
    assert_eq!(
        order,
        [
            "thread-pool + ureq, w=3",
            "thread-pool + ureq, w=2",
            "tokio + hyper, w=50",
            "rayon + ureq, w=100",
        ]
    );
    assert_eq!(summary.best, Some(0));
    assert_eq!(summary.rows[0].errors, 1);
    assert_eq!(
        summary.rows[3].first_error.as_deref(),
        Some("too many open files")
    );
}

#[test]
fn among_equally_fast_cells_the_fewest_workers_win() {
    let record = RecordBuilder::new()
        .sample("tokio", 50, measured(100, 0.4))
        .sample("tokio", 20, measured(100, 0.4))
        .build();
    let summary = Summary::of(&record);
    assert_eq!(summary.best_row().expect("a best row").cell.workers, 20);
}

#[test]
fn nothing_measured_leaves_nothing_best() {
    let empty = Summary::of(&RecordBuilder::new().build());
    assert!(empty.rows.is_empty() && empty.best.is_none());
    let failed = Summary::of(&RecordBuilder::new().error("tokio", 1, "no").build());
    assert_eq!(failed.best, None);
    assert!(!failed.has_figures());
    assert!(failed.notes[0].contains("no sample was measured"));
}

#[test]
fn what_cannot_be_is_an_error_and_not_a_figure() {
    let mut record = RecordBuilder::new()
        .sample("tokio", 1, measured(100, f64::NAN))
        .sample("rayon", 1, measured(100, 20.1))
        .build();
    record.samples[1].cell.requests = 90;
    let summary = Summary::of(&record);
    assert!(!summary.has_figures());
    let reasons: Vec<_> = summary
        .rows
        .iter()
        .filter_map(|row| row.first_error.as_deref())
        .collect();
    assert!(
        reasons.contains(&"the record holds NaN s as a time"),
        "{reasons:?}"
    );
    assert!(
        reasons.contains(&"the record accounts for 100 of 90 requests"),
        "{reasons:?}"
    );
}

#[test]
fn no_time_of_a_measurement_is_beyond_belief() {
    for odd in [-1.0, 1e308, f64::INFINITY] {
        let mut record = RecordBuilder::new()
            .sample("tokio", 1, measured(100, 20.1))
            .sample("rayon", 1, measured(100, 20.1))
            .build();
        if let SampleResult::Measured(measured) = &mut record.samples[0].result {
            measured.outcomes.latency_s[7] = odd;
        }
        let summary = Summary::of(&record);
        // It costs its sample, and no other.
        let errors: Vec<_> = summary.rows.iter().map(|row| row.errors).collect();
        assert_eq!(errors, [0, 1], "{odd}");
        record.session.server.service_s = Some(odd);
        let service = Summary::of(&record)
            .service
            .expect("that of the fastest answer");
        assert!(matches!(service.source, Source::Fastest { .. }), "{odd}");
    }
}

#[test]
fn without_delay_there_is_a_bound_of_zero_and_no_gap() {
    let record = RecordBuilder::new()
        .service(Some(0.0))
        .sample("tokio", 20, measured(100, 0.002))
        .build();
    let row = &Summary::of(&record).rows[0];
    assert_eq!(row.bound_s, Some(0.0));
    assert_eq!(row.figures.as_ref().expect("figures").gap, None);
}

#[test]
fn an_unstated_service_time_is_labelled_as_measured() {
    let record = RecordBuilder::new()
        .service(None)
        .sample("tokio", 20, measured(100, 1.1).latency(0.21))
        .build();
    let service = Summary::of(&record).service.expect("a service time");
    assert_eq!(service.source, Source::Fastest { answers: 100 });
    assert_eq!(service.source.to_string(), "the fastest of 100 answers");
}

#[test]
fn a_runtime_under_the_bound_is_called_out() {
    let record = RecordBuilder::new()
        .service(Some(0.3))
        .sample("tokio", 100, measured(100, 0.21).latency(0.2))
        .build();
    let notes = Summary::of(&record).notes;
    assert!(
        notes[0].contains("30.0 % under the lower bound"),
        "{notes:?}"
    );
}

#[test]
fn a_runtime_under_the_bound_of_the_work_on_answers_blames_no_stated_time() {
    let record = RecordBuilder::new()
        .service(None)
        .session(|session| session.conditions.cpu_per_answer_s = 0.01)
        // 100 answers of 10 ms take two cores half a second, after the 180 ms in
        // which the first came.
        .sample("tokio", 50, measured(100, 0.544).latency(0.19))
        .build();
    let notes = Summary::of(&record).notes;
    assert!(
        notes[0].contains("20.0 % under the lower bound, which is that of the CPU time"),
        "{notes:?}"
    );
    assert!(!notes[0].contains("stated"), "{notes:?}");
}

#[test]
fn an_unfinished_session_says_so_after_its_own_notes() {
    let record = RecordBuilder::new()
        .session(|session| session.notes.push("mind this".to_owned()))
        .ending(Ending::Interrupted)
        .build();
    let notes = Summary::of(&record).notes;
    assert_eq!(notes[0], "mind this");
    assert!(notes[1].contains("stopped before its end"));
}

#[test]
fn a_sweep_has_a_row_a_cell() {
    let summary = Summary::of(&sweep());
    assert_eq!(summary.rows.len(), 41);
    let best = summary.best_row().expect("a best row");
    assert_eq!(best.cell.to_string(), "tokio + hyper, w=100");
}

proptest! {
    #[test]
    fn every_row_adds_up_and_holds_numbers(
        runs in prop::collection::vec((0..3_usize, 1..60_usize, 0.0..30.0_f64, 0..=20_u64), 0..40),
        service in prop::option::of(0.0..1.0_f64),
    ) {
        let mut record = RecordBuilder::new().service(service);
        for (strategy, workers, warm_s, failed) in runs {
            let run = measured(20, warm_s).failed(failed, "status");
            record = record.sample(["tokio", "rayon", "sequential"][strategy], workers, run);
        }
        let summary = Summary::of(&record.build());
        for row in &summary.rows {
            let figures = row.figures.as_ref().expect("measured");
            prop_assert_eq!(figures.ok + figures.failed, row.cell.requests as u64);
            prop_assert!(figures.gap.is_none_or(f64::is_finite));
            prop_assert!(row.bound_s.is_none_or(f64::is_finite));
        }
        let whole = |row: &&super::Row| row.compares();
        let fastest = summary.rows.iter().filter(whole)
            .filter_map(|row| row.figures.as_ref())
            .map(|figures| figures.warm_s.median)
            .reduce(f64::min);
        let best = summary.best_row().and_then(|row| row.figures.as_ref());
        prop_assert_eq!(best.map(|figures| figures.warm_s.median), fastest);
    }
}
