//! What is drawn of a bound between worker counts, and of samples beside their
//! median.

use std::collections::BTreeSet;

use super::{drawn, steady};
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured};
use crate::report::plot::gap;
use crate::report::plot::panel::{BOUND_WIDTH, SAMPLE};
use crate::report::plot::scene::{Scene, Shape};

/// Lines as wide as the bound's, in pixels.
fn bounds(scene: &Scene) -> Vec<&[(f64, f64)]> {
    let mut lines = Vec::new();
    for shape in &scene.shapes {
        if let Shape::Line { places, stroke } = shape
            && stroke.width == BOUND_WIDTH
            && places.len() > 2
        {
            lines.push(places.as_slice());
        }
    }
    lines
}

#[test]
fn bound_falls_in_steps_between_measured_counts() {
    let scene = drawn(&steady(&["tokio"], &[1, 10, 50, 100]));
    let [bound] = bounds(&scene)[..] else {
        panic!("one bound");
    };
    for ends in bound.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        assert!(from.0 == to.0 || from.1 == to.1, "{from:?} to {to:?}");
    }
    // Each size of a round, from 100 requests over 1 worker to 100 over 100.
    let sizes: BTreeSet<usize> = (1..=100)
        .map(|workers| 100_usize.div_ceil(workers))
        .collect();
    let levels: BTreeSet<u64> = bound.iter().map(|place| place.1.to_bits()).collect();
    assert_eq!(levels.len(), sizes.len());
}

/// Small dots and upright bars that a plot of gaps has of `samples` samples.
fn scattered(samples: u32) -> (usize, usize) {
    let mut builder = RecordBuilder::new();
    for round in 0..samples {
        let runtime = 1.01 + 0.001 * f64::from(round);
        builder = builder.sample("tokio", 20, measured(100, runtime));
    }
    let scene = gap::scene(&Summary::of(&builder.build())).expect("something to draw");
    let count = |what: fn(&Shape) -> bool| scene.shapes.iter().filter(|shape| what(shape)).count();
    let dots = count(|shape| matches!(shape, Shape::Disc { radius, .. } if *radius == SAMPLE));
    let bars = count(|shape| match shape {
        Shape::Line { places, stroke } => stroke.width == 1.4 && places[0].0 == places[1].0,
        _ => false,
    });
    (dots, bars)
}

#[test]
fn samples_are_dots_up_to_12_and_an_interval_beyond() {
    assert_eq!(scattered(1), (0, 0));
    assert_eq!(scattered(3), (3, 0));
    assert_eq!(scattered(12), (12, 0));
    assert_eq!(scattered(13), (0, 1));
}
