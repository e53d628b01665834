//! What failures do to a recommendation.

use super::advice;
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured};
use crate::analysis::recommend::Binding;

#[test]
fn failures_that_are_everywhere_keep_no_cell_out_and_more_of_them_do() {
    let record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.0).failed(4, "status"))
        .sample("tokio", 10, measured(100, 2.0).failed(4, "status"))
        .sample("tokio", 20, measured(100, 1.0).failed(5, "status"))
        .build();
    let (cell, advice) = advice(&record).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=10");
    assert_eq!(advice.constraint, Binding::Failures);
    let why = advice.why.join("\n");
    assert!(
        why.contains("here 4 of 100 requests failed, and nowhere fewer"),
        "{why}"
    );
    // One more of 100 may be chance: that is for the reader to weigh.
    let other = advice
        .alternatives
        .iter()
        .find(|other| other.what.contains("more failures"));
    assert!(other.expect("the faster").cost.contains("1 failure more"));
}

#[test]
fn a_cell_that_chance_may_have_spared_has_the_faster_ones_beside_it() {
    let others = |failures: [u64; 4]| {
        let mut record = RecordBuilder::new();
        for (workers, failed) in [2, 5, 10, 20].into_iter().zip(failures) {
            let run = measured(100, 20.1 / workers as f64).failed(failed, "status");
            record = record.sample("tokio", workers, run);
        }
        let summary = Summary::of(&record.build());
        let advice = summary.recommendation.expect("a recommendation");
        let failing = advice.alternatives.iter();
        let failing = failing.filter(|other| other.what.contains("more failures"));
        let named = failing.map(|other| summary.rows[other.row].cell.workers);
        (
            summary.rows[advice.row].cell.workers,
            named.collect::<Vec<_>>(),
        )
    };
    assert_eq!(others([1, 0, 1, 3]), (5, vec![20]));
    // More than chance would have.
    assert_eq!(others([1, 0, 1, 4]), (5, vec![10]));
    // Here it is more workers that fail.
    assert_eq!(others([0, 0, 1, 3]), (5, vec![]));
}

#[test]
fn a_cell_that_came_to_nothing_in_a_sample_is_not_preferred() {
    let record = RecordBuilder::new()
        .sample("tokio", 5, measured(100, 4.0))
        .sample("tokio", 10, measured(100, 2.0))
        .error("tokio", 10, "it did not come back")
        .build();
    assert_eq!(
        advice(&record).expect("a recommendation").0,
        "tokio + hyper, w=5"
    );
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
