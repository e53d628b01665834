//! The terminal's report as a reader sees it, at several widths.

use super::{Look, render};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, cell, measured, sweep, two_profiles};
use crate::record::{MachineUse, Record};

fn mixed() -> Record {
    RecordBuilder::new()
        .session(|session| session.notes.push("sequential uses 1 worker".to_owned()))
        .sample("tokio", 3, measured(100, 6.843))
        .sample("rayon", 3, measured(100, 3.2).failed(40, "status"))
        .sample("sequential", 20, measured(100, 20.1))
        .error("multiprocess", 3, "no such file")
        .build()
}

fn shown(record: &Record, colour: bool, width: usize) -> String {
    let look = Look {
        colour,
        width,
        ..Look::default()
    };
    render(&Summary::of(record), look)
}

#[test]
fn the_best_is_marked_and_failures_come_last() {
    insta::assert_snapshot!(shown(&mixed(), false, 100));
}

#[test]
fn a_sweep_is_told_in_80_columns_and_in_60() {
    insta::assert_snapshot!("sweep_80", shown(&sweep(), false, 80));
    insta::assert_snapshot!("sweep_60", shown(&sweep(), false, 60));
}

#[test]
fn colour_adds_to_the_marks_and_replaces_none() {
    let coloured = shown(&mixed(), true, 100);
    insta::assert_snapshot!(coloured.replace('\u{1b}', "␛"));
    assert!(coloured.contains("★") && coloured.contains("✗"));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [80, 100] {
        for record in [mixed(), sweep()] {
            for line in shown(&record, false, width).lines() {
                assert!(line.chars().count() <= width, "{width}: {line:?}");
            }
        }
    }
}

#[test]
fn dispatch_and_reuse_are_columns_only_where_they_differ() {
    assert!(!shown(&mixed(), false, 100).contains("dispatch"));
    let mut chunked = cell("tokio", 3, 100);
    chunked.dispatch = "chunked".to_owned();
    let both = RecordBuilder::new()
        .sample("tokio", 3, measured(100, 6.9))
        .cell(chunked, measured(100, 7.5))
        .build();
    assert!(shown(&both, false, 100).contains("dispatch"));
}

#[test]
fn several_profiles_have_a_column_and_an_answer_each() {
    insta::assert_snapshot!(shown(&two_profiles(), false, 80));
}

#[test]
fn a_spoilt_sample_is_marked_beside_what_else_is_marked() {
    let mut record = mixed();
    for sample in &mut record.samples {
        sample.taken.wall_s = 8.0;
        sample.taken.machine = Some(MachineUse {
            others_s: 4.0,
            steal_s: 0.1,
            cores: 2,
            load: 3.2,
        });
    }
    insta::assert_snapshot!(shown(&record, false, 100));
}

#[test]
fn nothing_measured_and_nothing_known_still_read_well() {
    let empty = shown(&RecordBuilder::new().service(None).build(), false, 80);
    insta::assert_snapshot!(empty);
}

#[test]
fn long_table_shows_the_recommended_count_and_the_best_of_others() {
    let mut record = RecordBuilder::new();
    for workers in 1..=12 {
        for (strategy, more) in [("tokio", 0.0), ("rayon", 0.01)] {
            let warm_s = 20.0 / f64::from(workers) + more;
            record = record.sample(strategy, workers as usize, measured(100, warm_s));
        }
    }
    let summary = Summary::of(&record.build());
    let rows = |all| {
        let look = Look {
            all,
            ..Look::default()
        };
        let shown = render(&summary, look);
        let rows = shown.lines().filter(|line| line.contains("100/100"));
        (rows.count(), shown)
    };
    let (some, text) = rows(false);
    assert_eq!((some, rows(true).0), (13, 24));
    assert!(text.contains("11 more cells: --all"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("→ use tokio"));
}

#[test]
fn paths_that_begin_alike_keep_apart() {
    let [north, south] =
        ["north", "south"].map(|end| format!("/srv/measured/profiles/of/{end}.toml"));
    let record = RecordBuilder::new()
        .sample(&north, 3, measured(100, 6.9))
        .sample(&south, 3, measured(100, 7.9))
        .sample(&north, 5, measured(100, 4.9))
        .build();
    let shown = shown(&record, false, 100);
    let table = &shown[shown.find("strategy ").expect("a table")..];
    for line in ["…north.toml  ", "…south.toml  "] {
        assert!(table.contains(line), "{shown}");
    }
    assert!(shown.contains("a …north.toml"), "{shown}");
}

#[test]
fn a_long_name_keeps_the_figures_in_sight() {
    let long = "a-strategy-with-a-name-that-goes-on-and-on".repeat(3);
    let record = RecordBuilder::new()
        .sample(&long, 3, measured(100, 6.9))
        .build();
    let table = shown(&record, false, 80);
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );
    assert!(table.contains("6.900 s"));
}
