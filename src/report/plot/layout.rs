//! The room that the panels of a plot over worker counts share.

use std::collections::BTreeMap;

use crate::report::plot::page::{self, LEFT, WIDTH};
use crate::report::plot::panel::{LABEL, LABEL_INDENT, LABEL_ROOM};
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::Frame;
use crate::report::plot::style;
use crate::report::prose;

/// The widest label at a line's end.
const WIDEST_LABEL: f64 = 200.0;

/// The labels of lines with some names.
pub(super) fn labels<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    prose::distinct(names, |name| {
        style::fitted(name, LABEL, false, WIDEST_LABEL)
    })
}

/// The widest of the labels to the right of a panel, and the panel's right edge.
pub(super) fn columns<'a>(labels: impl Iterator<Item = &'a str>) -> (f64, f64) {
    let widths = labels.map(|label| style::text_width(label, LABEL, false));
    let label_room = widths.fold(0.0, f64::max).min(WIDEST_LABEL);
    (label_room, WIDTH - LABEL_INDENT - label_room - 14.0)
}

/// One axis of workers, and a column of labels to the right of it.
pub(super) struct Layout<'a> {
    workers: &'a [f64],
    /// Those of them whose names have room.
    pub(super) named: Vec<f64>,
    pub(super) x: Scale,
    /// The right edge of the panels.
    pub(super) right: f64,
    /// The widest label.
    pub(super) label_room: f64,
    /// The least height of a panel whose labels all have room.
    column: f64,
}

impl<'a> Layout<'a> {
    /// Room for some worker counts, ascending, and for labels; `None` without
    /// a count.
    pub(super) fn new<'b>(
        workers: &'a [f64],
        labels: impl Iterator<Item = &'b str>,
    ) -> Option<Self> {
        let (least, most) = (*workers.first()?, *workers.last()?);
        let labels: Vec<&str> = labels.collect();
        let (label_room, right) = columns(labels.iter().copied());
        let x = Scale::new(Spacing::Log, (least, most), (LEFT + 26.0, right - 24.0));
        Some(Self {
            workers,
            named: page::named_workers(&x, workers),
            x,
            right,
            label_room,
            column: labels.len() as f64 * LABEL_ROOM,
        })
    }

    /// A panel's place, from a height down.
    pub(super) fn frame(&self, top: f64, height: f64) -> Frame {
        Frame {
            left: LEFT,
            top,
            right: self.right,
            bottom: top + height.max(self.column),
        }
    }

    /// The least distance between two worker counts, in pixels.
    pub(super) fn least_distance(&self) -> f64 {
        let pairs = self.workers.windows(2);
        pairs
            .map(|pair| self.x.place(pair[1]) - self.x.place(pair[0]))
            .fold(60.0, f64::min)
    }
}
