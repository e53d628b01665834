//! The edge of what was measured, bursts of rate limits, and who is missing.

use super::{advice, simulated};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, cell, measured};
use crate::analysis::recommend::{Edge, Merit};
use crate::analysis::simulated::Service;
use crate::record::{Ending, Limits, RateLimit, ServerKind};

#[test]
fn answer_at_the_edge_says_what_the_bound_promises_beyond() {
    let swept = |counts: &[usize], limits: Limits| {
        let mut record = RecordBuilder::new().session(|session| {
            session.server.limits = limits;
            session.server.service_s = Some(0.02);
        });
        for workers in counts {
            let warm_s = 1_000_usize.div_ceil(*workers) as f64 * 0.0202;
            record = record.sample("tokio", *workers, measured(1_000, warm_s));
        }
        advice(&record.build()).expect("a recommendation")
    };
    // 125 is the last count up to 128 that saves a round.
    let (cell, advised) = swept(&[50, 100, 112, 125], Limits::default());
    assert_eq!(cell, "tokio + hyper, w=125");
    let edge = advised.edge.expect("the edge");
    assert_eq!((edge.workers, edge.beyond), (125, 1_000));
    assert!((edge.bound_s - 0.16).abs() < 1e-9 && (edge.beyond_s - 0.02).abs() < 1e-9);
    // A capacity is the end of what the bound promises.
    let capacity = Limits {
        capacity: Some(250),
        ..Limits::default()
    };
    let edge: Edge = swept(&[50, 125], capacity).1.edge.expect("the edge");
    assert_eq!(edge.beyond, 250);
    // With one for each request, and where the bound falls no further, there is none.
    assert_eq!(swept(&[125, 1_000], Limits::default()).1.edge, None);
    let capacity = Limits {
        capacity: Some(100),
        ..Limits::default()
    };
    assert_eq!(swept(&[50, 100], capacity).1.edge, None);
}

#[test]
fn batch_within_a_burst_is_advised_for_the_rate() {
    // 30/s after a burst of 30, 50 ms: two workers ask for 40/s, which 100 requests
    // are too few to be refused for. Of 600 they lose hundreds.
    let rate = Some(RateLimit {
        per_s: 30.0,
        burst: 30,
    });
    let service = |requests| Service {
        rate,
        ..Service::drawn(vec![0.05; requests])
    };
    assert_eq!(service(100).run(2).failed, 0);
    assert!(service(600).run(2).failed > 300);
    let limits = Limits {
        rate,
        ..Limits::default()
    };
    let record = simulated(&service(100), limits, &[1, 2, 5]);
    let summary = Summary::of(&record.clone().build());
    let advised = summary.recommendation.expect("a recommendation");
    assert_eq!(summary.rows[advised.row].cell.workers, 1);
    let sustained = advised.sustained.expect("the rate");
    assert!(sustained.kept && sustained.burst == 30);
    let burst = advised
        .alternatives
        .iter()
        .find(|other| other.merit == Merit::WithinBurst);
    let burst = burst.expect("the cell for this batch alone");
    assert_eq!(summary.rows[burst.row].cell.workers, 2);
    // Where requests that are refused are sent again, the limit keeps itself.
    let again = record.session(|session| session.conditions.retries = 8);
    let (cell, advised) = advice(&again.build()).expect("a recommendation");
    assert!(
        cell.ends_with("w=2") && advised.sustained.is_none(),
        "{cell}"
    );
}

#[test]
fn batch_that_fits_in_a_quota_gets_the_fast_cell() {
    // A thousand per hour, in one window, as a server's policy states it.
    let limits = Limits {
        rate: Some(RateLimit {
            per_s: 1_000.0 / 3_600.0,
            burst: 1_000,
        }),
        ..Limits::default()
    };
    let swept = |requests: usize, kind: ServerKind| {
        let service = Service::drawn(vec![0.05; requests]);
        let record = simulated(&service, limits, &[1, 2, 10]);
        let record = record.session(|session| session.server.kind = kind);
        let (cell, advised) = advice(&record.build()).expect("a recommendation");
        (cell, advised.sustained.expect("the rate"))
    };
    let (cell, sustained) = swept(100, ServerKind::Bundled);
    assert!(cell.ends_with("w=10"), "{cell}");
    assert!(sustained.fits && !sustained.kept && sustained.burst == 1_000);
    // No worker keeps to so low a rate.
    assert_eq!(sustained.workers, None);
    assert!(swept(1_000, ServerKind::Bundled).1.fits);
    assert!(!swept(1_001, ServerKind::Bundled).1.fits);
    // The limit of a policy counts its quota twice.
    let (_, sustained) = swept(500, ServerKind::Url);
    assert!(sustained.fits && sustained.burst == 500);
    assert!(!swept(501, ServerKind::Url).1.fits);
}

#[test]
fn advice_within_a_burst_says_what_keeps_to_the_rate() {
    let limits = |per_s| Limits {
        rate: Some(RateLimit { per_s, burst: 100 }),
        ..Limits::default()
    };
    let workers = |per_s: f64, counts: &[usize]| {
        let service = Service::drawn(vec![0.05; 100]);
        let record = simulated(&service, limits(per_s), counts).build();
        let advised = advice(&record).expect("a recommendation").1;
        advised.sustained.expect("the rate").workers
    };
    // One worker asks for 20/s and two for 40/s.
    assert_eq!(workers(30.0, &[1, 2, 10]), Some(1));
    assert_eq!(workers(45.0, &[1, 2, 10]), Some(2));
    // Not measured, and what the rate keeps busy.
    assert_eq!(workers(65.0, &[10, 20]), Some(3));
}

#[test]
fn cells_that_are_all_above_a_rate_are_said_to_be() {
    let rate = Some(RateLimit {
        per_s: 10.0,
        burst: 60,
    });
    let limits = Limits {
        rate,
        ..Limits::default()
    };
    let record = simulated(&Service::drawn(vec![0.05; 100]), limits, &[1, 2]);
    let advised = advice(&record.build()).expect("a recommendation").1;
    assert!(!advised.sustained.expect("the rate").kept);
}

#[test]
fn contender_without_a_sample_makes_advice_provisional() {
    let names = ["thread-pool", "rayon", "tokio"];
    let planned = || names.map(|name| [1, 20].map(|workers| cell(name, workers, 100)));
    let record = RecordBuilder::new()
        .session(|session| session.planned = planned().into_iter().flatten().collect())
        .ending(Ending::Interrupted)
        .sample("thread-pool", 20, measured(100, 1.01))
        .error("rayon", 20, "too many open files");
    let summary = Summary::of(&record.clone().build());
    let advised = summary.recommendation.as_ref().expect("a recommendation");
    let missing: Vec<_> = advised.unmeasured.iter().map(|cell| cell.line()).collect();
    assert_eq!(missing, ["tokio + hyper"]);
    // With one sample of each it rests on all of them.
    let all = record.sample("tokio", 1, measured(100, 20.1)).build();
    assert!(
        advice(&all)
            .expect("a recommendation")
            .1
            .unmeasured
            .is_empty()
    );
}
