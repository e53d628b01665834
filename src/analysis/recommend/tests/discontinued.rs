//! What is recommended where a strategy rests on what its maintainers have
//! given up.

use super::advice;
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured};
use crate::record::{Discontinued, Record, SampleResult};

/// `async-std` as fast as `tokio`, or faster by a share, and cheaper.
fn record(faster: f64, told: bool) -> Record {
    let mut builder = RecordBuilder::new().session(|session| {
        if told {
            session.discontinued.push(Discontinued {
                strategy: "async-std".to_owned(),
                instead: "smol".to_owned(),
                advisory: "RUSTSEC-2025-0052".to_owned(),
            });
        }
    });
    for round in 0..3 {
        let warm_s = 1.01 + 0.001 * f64::from(round);
        let quicker = warm_s * (1.0 - faster);
        builder = builder.sample("tokio", 20, measured(100, warm_s));
        builder = builder.sample("async-std", 20, measured(100, quicker));
    }
    let mut record = builder.build();
    for sample in &mut record.samples {
        if let SampleResult::Measured(measured) = &mut sample.result
            && sample.cell.strategy == "async-std"
        {
            measured.cpu_s /= 4.0;
        }
    }
    record
}

#[test]
fn maintained_equal_goes_before_discontinued_one() {
    let (cell, _) = advice(&record(0.0, true)).expect("a recommendation");
    assert_eq!(cell, "tokio + hyper, w=20");
    // An older record does not tell, and reads as before.
    let (cell, _) = advice(&record(0.0, false)).expect("a recommendation");
    assert_eq!(cell, "async-std + hyper, w=20");
}

#[test]
fn discontinued_strategy_is_recommended_where_it_is_faster() {
    let record = record(0.3, true);
    let (cell, _) = advice(&record).expect("a recommendation");
    assert_eq!(cell, "async-std + hyper, w=20");
    let notes = Summary::of(&record).notes.join("\n");
    assert!(
        notes.contains("in favour of smol (RUSTSEC-2025-0052)"),
        "{notes}"
    );
}
