//! Plots of every shape of record: each is tidy, whatever it holds.

mod points;

use proptest::prelude::*;

use super::scene::{Frame, Scene, Shape, Text};
use super::{gap, latency, resources, runtime, split, timeline, wins};
use super::{runtime_png, runtime_svg};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, cell, measured, sweep, two_profiles};
use crate::record::{Cell, Record, SampleResult, Server};

const STRATEGIES: [&str; 12] = [
    "actor",
    "async-std",
    "blocking",
    "fibers",
    "green",
    "multiprocess",
    "rayon",
    "select",
    "smol",
    "thread-pool",
    "tokio",
    "uring",
];

/// Every plot but the first, by name.
/// A plot's file, and what draws it.
type Plot = (&'static str, fn(&Summary) -> Option<Scene>);

const OTHERS: [Plot; 5] = [
    ("gap", gap::scene),
    ("split", split::scene),
    ("latency", latency::scene),
    ("timeline", timeline::scene),
    ("resources", resources::scene),
];

/// The plot of runtimes. The others of the record are checked by the way.
fn drawn(record: &Record) -> Scene {
    let summary = Summary::of(record);
    for (_, draw) in OTHERS {
        if let Some(scene) = draw(&summary) {
            assert_tidy(&scene);
        }
    }
    runtime::scene(&summary).expect("something to draw")
}

fn words(scene: &Scene) -> Vec<&str> {
    texts(scene).iter().map(|text| text.text.as_str()).collect()
}

fn texts(scene: &Scene) -> Vec<&Text> {
    let mut texts = Vec::new();
    for shape in &scene.shapes {
        if let Shape::Text(text) = shape {
            texts.push(text);
        }
    }
    texts
}

/// Every shape lies on the paper, and no text on another.
fn assert_tidy(scene: &Scene) {
    let paper = Frame {
        left: 0.0,
        top: 0.0,
        right: scene.width,
        bottom: scene.height,
    };
    for shape in &scene.shapes {
        let places = match shape {
            Shape::Line { places, .. } | Shape::Area { places, .. } => places.clone(),
            Shape::Disc { centre, .. } => vec![*centre],
            Shape::Text(text) => {
                let Frame {
                    left,
                    top,
                    right,
                    bottom,
                } = text.frame();
                vec![(left, top), (right, bottom)]
            }
        };
        assert!(places.iter().all(|place| paper.holds(*place)), "{shape:?}");
    }
    let framed: Vec<_> = texts(scene)
        .into_iter()
        .map(|text| (text, text.frame()))
        .collect();
    for (index, (text, frame)) in framed.iter().enumerate() {
        for (other, taken) in &framed[index + 1..] {
            assert!(!frame.overlaps(taken), "{text:?} lies on {other:?}");
        }
    }
}

/// Batches of 100 requests of 200 ms, each strategy a little above the bound.
fn steady(strategies: &[&str], workers: &[usize]) -> Record {
    let mut record = RecordBuilder::new();
    for (place, strategy) in strategies.iter().enumerate() {
        for &workers in workers {
            let bound = 100_usize.div_ceil(workers) as f64 * 0.2;
            let runtime = bound * (1.003 + 0.004 * place as f64) + 0.0001 * workers as f64;
            record = record.sample(strategy, workers, measured(100, runtime));
        }
    }
    record.build()
}

#[test]
fn a_sweep_shows_every_strategy_the_bound_and_what_it_rests_on() {
    let scene = drawn(&sweep());
    assert_tidy(&scene);
    let lines: Vec<_> = texts(&scene)
        .iter()
        .map(|text| text.text.as_str())
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_plot_of_a_sweep_says_what_it_shows() {
    let summary = Summary::of(&sweep());
    for (name, draw) in OTHERS {
        let scene = draw(&summary).expect("something to draw");
        assert_tidy(&scene);
        insta::assert_snapshot!(name, words(&scene).join("\n"));
    }
}

#[test]
fn a_chunked_run_is_drawn_beside_the_best_and_shows_its_barriers() {
    let mut record = RecordBuilder::new().sample("tokio", 10, measured(100, 2.01));
    let chunked = Cell {
        dispatch: "chunked".to_owned(),
        ..cell("tokio", 10, 100)
    };
    record = record.cell(chunked, measured(100, 2.4).latency(0.2));
    let mut record = record.build();
    let SampleResult::Measured(slow) = &mut record.samples[1].result else {
        panic!("measured");
    };
    // The first request of the second group takes half of its round longer.
    slow.outcomes.latency_s[10] += 0.02;
    let summary = Summary::of(&record);
    let timeline = timeline::scene(&summary).expect("something to draw");
    assert_tidy(&timeline);
    assert!(words(&timeline).contains(&"tokio, chunked"));
    assert!(
        words(&timeline)
            .iter()
            .any(|word| word.starts_with("slower than"))
    );
    let split = split::scene(&summary).expect("something to draw");
    assert_tidy(&split);
    assert!(words(&split).contains(&"chunk barriers"));
}

#[test]
fn a_large_batch_is_few_shapes() {
    let record = RecordBuilder::new()
        .sample("tokio", 500, measured(100_000, 41.0))
        .build();
    let summary = Summary::of(&record);
    for (name, draw) in OTHERS {
        let scene = draw(&summary).expect("something to draw");
        assert_tidy(&scene);
        assert!(scene.shapes.len() < 6_000, "{name}: {}", scene.shapes.len());
    }
}

#[test]
fn few_points_are_drawn_as_few_points() {
    assert_tidy(&drawn(&steady(&["tokio"], &[20])));
    assert_tidy(&drawn(&steady(&STRATEGIES, &[20])));
    assert_tidy(&drawn(&steady(&["sequential"], &[1])));
    assert_tidy(&drawn(&steady(&["sequential"], &[1, 5, 20])));
    assert_tidy(&drawn(&steady(&["sequential", "tokio"], &[1])));
}

#[test]
fn many_worker_counts_and_strategies_keep_their_labels_apart() {
    assert_tidy(&drawn(&steady(
        &["tokio", "rayon"],
        &(1..=1000).collect::<Vec<_>>(),
    )));
    assert_tidy(&drawn(&steady(&STRATEGIES, &[1, 2, 3, 5, 10, 20, 50, 100])));
    let names: Vec<_> = (0..40).map(|place| format!("strategy-{place}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_tidy(&drawn(&steady(&names, &[1, 10, 100])));
}

#[test]
fn names_of_any_length_stay_on_the_paper() {
    let long = "a-strategy-with-a-name-that-goes-on-and-on-".repeat(5);
    let mut record = steady(&[&long, "tokio", "sequential"], &[1, 10, 100]);
    record.session.receipt.cpu = "processor ".repeat(40);
    record.session.receipt.revision = "0123456789abcdef".repeat(20);
    assert_tidy(&drawn(&record));
}

#[test]
fn names_that_begin_alike_have_a_label_each() {
    let [north, south] =
        ["north", "south"].map(|end| format!("{}{end}.toml", "/profiles".repeat(9) + "/"));
    let scene = drawn(&steady(&[&north, &south], &[1, 10, 100]));
    assert_tidy(&scene);
    for label in ["…north.toml", "…south.toml"] {
        assert!(words(&scene).contains(&label), "{:?}", words(&scene));
    }
}

#[test]
fn profiles_and_rows_that_begin_alike_have_a_head_each() {
    let long = |end: &str| format!("{}/{end}", "/profiles".repeat(9));
    let mut record = two_profiles();
    let servers = std::iter::once(&mut record.session.server).chain(&mut record.session.others);
    for server in servers {
        server.profile = server.profile.as_deref().map(long);
    }
    for sample in &mut record.samples {
        sample.cell.profile = sample.cell.profile.as_deref().map(long);
        sample.cell.strategy = long(&sample.cell.strategy);
    }
    let scene = wins::scene(&Summary::of(&record)).expect("two profiles");
    assert_tidy(&scene);
    for label in ["…steady", "…slow", "…tokio", "…rayon"] {
        assert!(words(&scene).contains(&label), "{:?}", words(&scene));
    }
}

#[test]
fn without_delay_there_is_one_panel_and_no_bound() {
    let record = RecordBuilder::new()
        .service(Some(0.0))
        .sample("tokio", 1, measured(100, 0.004))
        .sample("tokio", 20, measured(100, 0.0015))
        .sample("thread-pool", 1, measured(100, 0.005))
        .sample("thread-pool", 20, measured(100, 0.0025))
        .build();
    let scene = drawn(&record);
    assert_tidy(&scene);
    assert!(
        texts(&scene)
            .iter()
            .all(|text| text.text != "lower bound" && text.text != "Gap")
    );
}

#[test]
fn failures_are_crossed_out_and_explained() {
    let record = RecordBuilder::new()
        .sample("tokio", 1, measured(100, 20.1))
        .sample("tokio", 20, measured(100, 0.1).failed(90, "connect"))
        .sample("rayon", 20, measured(100, 0.1).failed(100, "connect"))
        .build();
    let scene = drawn(&record);
    assert_tidy(&scene);
    assert!(
        texts(&scene)
            .iter()
            .any(|text| text.text.contains("×: more requests"))
    );
    let all_failed = RecordBuilder::new()
        .service(None)
        .sample("rayon", 20, measured(100, 0.1).failed(100, "connect"))
        .build();
    assert_tidy(&drawn(&all_failed));
}

#[test]
fn nothing_measured_is_nothing_drawn() {
    let summary = Summary::of(&RecordBuilder::new().error("tokio", 1, "no server").build());
    assert_eq!(runtime_svg(&summary).expect("no failure"), None);
    assert_eq!(runtime_png(&summary).expect("no failure"), None);
    for (name, draw) in OTHERS {
        assert!(draw(&summary).is_none(), "{name}");
    }
}

#[test]
fn batches_of_several_sizes_have_a_bound_each() {
    let record = RecordBuilder::new()
        .cell(cell("tokio", 1, 10), measured(10, 2.01))
        .cell(cell("tokio", 10, 10), measured(10, 0.21))
        .cell(cell("tokio", 1, 100), measured(100, 20.1))
        .cell(cell("tokio", 10, 100), measured(100, 2.02))
        .build();
    let scene = drawn(&record);
    assert_tidy(&scene);
    let labels: Vec<_> = texts(&scene)
        .iter()
        .map(|text| text.text.as_str())
        .collect();
    assert!(labels.contains(&"lower bound, N=10") && labels.contains(&"lower bound, N=100"));
}

#[test]
fn svg_and_png_show_the_same_scene() {
    let summary = Summary::of(&sweep());
    let svg = runtime_svg(&summary).expect("painted").expect("something");
    let scene = drawn(&sweep());
    let size = format!(
        "width=\"{}\" height=\"{}\"",
        scene.width,
        scene.height.ceil()
    );
    assert!(svg.contains(&size), "{size}");
    assert_eq!(svg.matches("<text").count(), texts(&scene).len());
    let png = runtime_png(&summary).expect("painted").expect("something");
    let width = u32::from_be_bytes(png[16..20].try_into().expect("4 bytes"));
    assert_eq!(f64::from(width), 2.0 * scene.width);
}

#[test]
fn the_matrix_says_who_wins_where_and_by_how_much() {
    let scene = wins::scene(&Summary::of(&two_profiles())).expect("two profiles");
    assert_tidy(&scene);
    let words = words(&scene);
    for word in [
        "steady",
        "slow",
        "→ ★ 1.00 ×",
        "→ ≈ 1.00 ×",
        "2.104 s, w=20",
        "1.04 ×",
    ] {
        assert!(words.contains(&word), "{word}: {words:?}");
    }
    assert!(wins::scene(&Summary::of(&sweep())).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_matrix_of_any_size_is_tidy(
        profiles in 2..14_usize,
        strategies in 1..8_usize,
        warm in prop::collection::vec((1e-6..1e4_f64, 0..4_u64), 14 * 8),
    ) {
        let profile = |place: usize| format!("profile-{}-{}", place, "long ".repeat(place % 4));
        let server = two_profiles().session.server;
        let served = |place| Server { profile: Some(profile(place)), ..server.clone() };
        let mut servers: Vec<Server> = (0..profiles).map(served).collect();
        let mut builder = RecordBuilder::new().session(|session| {
            session.server = servers.remove(0);
            session.others = servers;
        });
        for place in 0..profiles {
            for strategy in 0..strategies {
                let (warm_s, failed) = warm[place * 8 + strategy];
                let cell = Cell { profile: Some(profile(place)), ..cell(STRATEGIES[strategy], 20, 10) };
                builder = builder.cell(cell, measured(10, warm_s).failed(failed / 3, "status"));
            }
        }
        if let Some(scene) = wins::scene(&Summary::of(&builder.build())) {
            assert_tidy(&scene);
        }
    }

    #[test]
    fn any_record_is_drawn_tidily(
        runs in prop::collection::vec(
            (0..8_usize, 1..300_usize, 1e-7..100.0_f64, 0..=10_u64),
            1..60,
        ),
        service in prop::option::of(prop_oneof![Just(0.0), 1e-6..1.0_f64]),
    ) {
        let mut record = RecordBuilder::new().service(service);
        for (strategy, workers, warm_s, failed) in runs {
            let name = ["sequential", STRATEGIES[strategy]][usize::from(strategy > 0)];
            let run = measured(10, warm_s).failed(failed / 5, "status");
            record = record.sample(name, workers, run);
        }
        assert_tidy(&drawn(&record.build()));
    }
}
