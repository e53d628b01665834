//! One panel of a plot over worker counts: axes, lines, markers, whiskers, and
//! a label at the end of each line.

use crate::report::plot::labels;
use crate::report::plot::lines;
use crate::report::plot::scale::Scale;
use crate::report::plot::scene::{Anchor, Frame, Place, Scene, Stroke, Text};
use crate::report::plot::style::{self, BOUND, GREY, GRID, Look};

/// The em of labels and ticks, in pixels.
pub(super) const LABEL: f64 = 14.0;
/// The room of a label in a column, in pixels.
pub(super) const LABEL_ROOM: f64 = 19.0;
/// From the panel's frame to the text of a label: leader and key.
pub(super) const LABEL_INDENT: f64 = 58.0;

/// A panel: where it is, and what its axes are.
pub(super) struct Panel<'a> {
    pub(super) frame: Frame,
    pub(super) x: &'a Scale,
    pub(super) y: Scale,
    /// The least distance between two worker counts, in pixels: where they are
    /// many, markers are small.
    pub(super) crowding: f64,
}

/// A line to draw.
pub(super) struct Line {
    /// What is written at its end.
    pub(super) label: String,
    pub(super) look: Look,
    /// Its points by ascending worker count.
    pub(super) points: Vec<Point>,
    /// Pixels by which it is moved aside, so that equal values show.
    pub(super) dodge: f64,
    /// Whether the points are joined.
    pub(super) joined: bool,
}

/// A measured value at a worker count.
pub(super) struct Point {
    pub(super) workers: f64,
    pub(super) value: f64,
    /// The least and the most of several samples.
    pub(super) range: Option<(f64, f64)>,
    /// Whether every request succeeded, so that the value compares.
    pub(super) whole: bool,
}

/// A label that is to stand beside the panel, and where its line ends.
pub(super) struct EndLabel {
    pub(super) text: String,
    pub(super) end: Place,
    /// `None` for the lower bound.
    pub(super) look: Option<Look>,
}

impl Line {
    /// Places of the points that compare.
    pub(super) fn path(&self, panel: &Panel<'_>) -> Vec<Place> {
        let whole = self.points.iter().filter(|point| point.whole);
        whole
            .map(|point| self.place(panel, point.workers, point.value))
            .collect()
    }

    fn place(&self, panel: &Panel<'_>, workers: f64, value: f64) -> Place {
        (panel.x.place(workers) + self.dodge, panel.y.place(value))
    }

    /// The label at this line's last point, if it has one.
    pub(super) fn end_label(&self, panel: &Panel<'_>) -> Option<EndLabel> {
        let last = self.points.last()?;
        Some(EndLabel {
            text: self.label.clone(),
            end: self.place(panel, last.workers, last.value),
            look: Some(self.look),
        })
    }
}

impl Panel<'_> {
    /// A line at each worker count and at round values, which are named.
    pub(super) fn grid(&self, scene: &mut Scene, ticks: &[f64], value_name: fn(f64) -> String) {
        let Frame {
            left,
            top,
            right,
            bottom,
        } = self.frame;
        for tick in ticks {
            let x = self.x.place(*tick);
            scene.line(vec![(x, top), (x, bottom)], Stroke::new(GRID, 1.0));
        }
        for tick in self.y.ticks(24.0) {
            let y = self.y.place(tick);
            scene.line(vec![(left, y), (right, y)], Stroke::new(GRID, 1.0));
            scene.text(
                Text::new((left - 8.0, y), value_name(tick), LABEL)
                    .colour(GREY)
                    .anchor(Anchor::End),
            );
        }
    }

    /// The lower bound: wide, grey and beneath everything.
    pub(super) fn bound(&self, scene: &mut Scene, points: &[(f64, f64)]) -> Vec<Place> {
        let places: Vec<Place> = points
            .iter()
            .map(|(workers, value)| (self.x.place(*workers), self.y.place(*value)))
            .collect();
        match places.as_slice() {
            [] => {}
            // One worker count: a bound there, and nowhere else.
            [(x, y)] => scene.line(vec![(x - 22.0, *y), (x + 22.0, *y)], bound_stroke()),
            _ => scene.line(places.clone(), bound_stroke()),
        }
        places
    }

    /// The lower bound where values are measured from it.
    pub(super) fn level(&self, scene: &mut Scene, y: f64) {
        scene.line(
            vec![(self.frame.left, y), (self.frame.right, y)],
            bound_stroke(),
        );
    }

    /// Lines, whiskers and markers.
    pub(super) fn lines(&self, scene: &mut Scene, drawn: &[Line], dashed: bool) {
        let joined: Vec<_> = drawn
            .iter()
            .filter(|line| line.joined)
            .map(|line| (line.look, line.path(self)))
            .collect();
        for (look, path) in &joined {
            let pattern = if dashed { look.dash } else { &[] };
            for part in lines::dashes(path, pattern, 0.0) {
                stroke(scene, part, *look);
            }
        }
        if !dashed {
            self.interleave(scene, &joined);
        }
        for line in drawn {
            self.whiskers(scene, line);
        }
        // From large to small, so that markers of one place ring each other.
        for (index, line) in drawn.iter().enumerate() {
            let rank = index as f64 / (drawn.len().max(2) - 1) as f64;
            let radius = if dashed { 4.4 } else { 6.4 - 3.0 * rank };
            let radius = radius * (self.crowding / 14.0).clamp(0.25, 1.0);
            for point in &line.points {
                let place = line.place(self, point.workers, point.value);
                if point.whole {
                    scene.marker(line.look.marker, place, radius, line.look.colour);
                } else {
                    scene.cross(place, 4.5, line.look.colour);
                }
            }
        }
    }

    /// Lines that lie on one another would show the last alone. Drawn again in
    /// turn, a short piece each, they show as one rope of all their colours,
    /// and a line that runs apart stays as it is.
    fn interleave(&self, scene: &mut Scene, joined: &[(Look, Vec<Place>)]) {
        let piece = 9.0;
        let count = joined.len();
        if count < 2 {
            return;
        }
        let pattern = [piece, piece * (count - 1) as f64];
        for (index, (look, path)) in joined.iter().enumerate() {
            for part in lines::dashes(path, &pattern, piece * index as f64) {
                stroke(scene, part, *look);
            }
        }
    }

    fn whiskers(&self, scene: &mut Scene, line: &Line) {
        for point in &line.points {
            let Some((least, most)) = point.range else {
                continue;
            };
            let (x, from) = line.place(self, point.workers, least);
            let (_, to) = line.place(self, point.workers, most);
            let bar = Stroke::new(line.look.colour, 1.4);
            scene.line(vec![(x, from), (x, to)], bar);
            for y in [from, to] {
                scene.line(vec![(x - 2.5, y), (x + 2.5, y)], bar);
            }
        }
    }

    /// Labels in a column to the right, each tied to its line's end.
    pub(super) fn end_labels(&self, scene: &mut Scene, mut ends: Vec<EndLabel>, room: f64) {
        ends.sort_by(|a, b| a.end.1.total_cmp(&b.end.1));
        let wanted: Vec<f64> = ends.iter().map(|label| label.end.1).collect();
        let places = labels::stacked(&wanted, LABEL_ROOM, self.frame.top, self.frame.bottom);
        let right = self.frame.right;
        for (label, y) in ends.iter().zip(places) {
            let leader = Stroke::new(label.look.map_or(BOUND, |look| look.colour), 1.0);
            let route = vec![
                (label.end.0 + 8.0, label.end.1),
                (right + 24.0, y),
                (right + 30.0, y),
            ];
            scene.line(route, leader.faint(0.55));
            key(scene, label.look, (right + 42.0, y));
            let text = style::fitted(&label.text, LABEL, false, room);
            scene.text(Text::new((right + LABEL_INDENT, y), text, LABEL));
        }
    }
}

/// A sample of a line, as a legend shows it.
fn key(scene: &mut Scene, look: Option<Look>, (x, y): Place) {
    match look {
        None => scene.line(vec![(x - 11.0, y), (x + 11.0, y)], bound_stroke()),
        Some(look) => {
            for part in lines::dashes(&[(x - 11.0, y), (x + 11.0, y)], &[], 0.0) {
                stroke(scene, part, look);
            }
            scene.marker(look.marker, (x, y), 4.4, look.colour);
        }
    }
}

/// How the lower bound is drawn wherever it is.
fn bound_stroke() -> Stroke {
    Stroke::new(BOUND, 8.0).faint(0.55)
}

fn stroke(scene: &mut Scene, places: Vec<Place>, look: Look) {
    if places.len() > 1 {
        scene.line(places, Stroke::new(look.colour, 2.0));
    }
}
