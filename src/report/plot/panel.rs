//! One panel of a plot over worker counts: axes, lines, markers, samples, and a
//! label at the end of each line.

use crate::analysis::scatter::Scatter;
use crate::report::plot::labels;
use crate::report::plot::lines;
use crate::report::plot::scale::Scale;
use crate::report::plot::scene::{Anchor, Frame, Place, Scene, Stroke, Text};
use crate::report::plot::style::{self, BOUND, GREY, GRID, Look};

/// The em of labels and ticks, in pixels.
pub(super) const LABEL: f64 = 15.0;
/// The room of a label in a column, in pixels.
pub(super) const LABEL_ROOM: f64 = 20.0;
/// The width of the lower bound's line, in pixels.
pub(super) const BOUND_WIDTH: f64 = 8.0;
/// How far the bound goes on beyond the last worker count, in pixels.
const LAST_LEVEL: f64 = 10.0;
/// The radius of markers, in pixels.
pub(super) const MARKER: f64 = 4.6;
/// The radius of a sample's dot, in pixels.
pub(super) const SAMPLE: f64 = 1.6;
/// From the panel's frame to the text of a label: leader and key.
pub(super) const LABEL_INDENT: f64 = 61.0;

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
    /// What its samples show beside it.
    pub(super) scatter: Scatter,
    /// Whether every request succeeded, so that the value compares.
    pub(super) whole: bool,
}

/// How lines of nearly equal values are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Points are moved aside, and each line has its own dashes.
    Dodged,
    /// All stay in place: lines take turns, and shared points are rings.
    Together,
}

impl Beside {
    fn dash(self, look: Look) -> &'static [f64] {
        match self {
            Self::Dodged => look.dash,
            Self::Together => &[],
        }
    }
}

/// A label that is to stand beside the panel, and where its line ends.
pub(super) struct EndLabel {
    pub(super) text: String,
    pub(super) end: Place,
    /// `None` for the lower bound.
    pub(super) look: Option<Look>,
}

impl Point {
    /// The least and the most that is drawn of it.
    pub(super) fn extent(&self) -> (f64, f64) {
        let (low, high) = self.scatter.extent().unwrap_or((self.value, self.value));
        (low.min(self.value), high.max(self.value))
    }
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
    pub(super) fn grid(&self, scene: &mut Scene, ticks: &[f64], names: fn(&[f64]) -> Vec<String>) {
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
        let values = self.y.ticks(26.0);
        for (value, name) in values.iter().zip(names(&values)) {
            let y = self.y.place(*value);
            scene.line(vec![(left, y), (right, y)], Stroke::new(GRID, 1.0));
            scene.text(
                Text::new((left - 8.0, y), name, LABEL)
                    .colour(GREY)
                    .anchor(Anchor::End),
            );
        }
    }

    /// The lower bound: wide, grey and beneath everything. It holds from each
    /// step to the next.
    pub(super) fn bound(&self, scene: &mut Scene, steps: &[(f64, f64)]) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for (workers, value) in steps {
            let (x, y) = (self.x.place(*workers), self.y.place(*value));
            if let Some((_, held)) = places.last().copied()
                && held != y
            {
                places.push((x, held));
            }
            places.push((x, y));
        }
        match places.as_slice() {
            [] => {}
            // One worker count: a bound there, and nowhere else.
            [(x, y)] => scene.line(vec![(x - 22.0, *y), (x + 22.0, *y)], bound_stroke()),
            [.., (x, y)] => {
                // What the last count reaches is seen as a level, not as a drop.
                places.push((x + LAST_LEVEL, *y));
                scene.line(places.clone(), bound_stroke());
            }
        }
        places
    }

    /// The lower bound where values are measured from it.
    pub(super) fn level(&self, scene: &mut Scene, y: f64) {
        let y = y + BOUND_WIDTH / 2.0;
        scene.line(
            vec![(self.frame.left, y), (self.frame.right, y)],
            bound_stroke(),
        );
    }

    /// Lines, markers and samples.
    pub(super) fn lines(&self, scene: &mut Scene, drawn: &[Line], beside: Beside) {
        let joined: Vec<_> = drawn
            .iter()
            .filter(|line| line.joined)
            .map(|line| (line.look, line.path(self)))
            .collect();
        self.paths(scene, &joined, beside);
        self.intervals(scene, drawn);
        let rings = self.markers(scene, drawn, beside);
        self.samples(scene, drawn, &rings);
    }

    /// Lines alone.
    pub(super) fn paths(&self, scene: &mut Scene, paths: &[(Look, Vec<Place>)], beside: Beside) {
        for (look, path) in paths {
            for part in lines::dashes(path, beside.dash(*look), 0.0) {
                stroke(scene, part, *look);
            }
        }
        if beside == Beside::Together {
            self.interleave(scene, paths);
        }
    }

    /// Whether lines drawn together have points that lie on one another.
    pub(super) fn shares_points(&self, drawn: &[Line]) -> bool {
        self.gathered(drawn).iter().any(|points| points.len() > 1)
    }

    /// Points of lines at each worker count, those together that one marker
    /// would cover.
    fn gathered<'a>(&self, drawn: &'a [Line]) -> Vec<Vec<(Place, Look, &'a Point)>> {
        let mut all: Vec<(Place, Look, &Point)> = Vec::new();
        for line in drawn {
            let place = |point: &Point| line.place(self, point.workers, point.value);
            all.extend(
                line.points
                    .iter()
                    .map(|point| (place(point), line.look, point)),
            );
        }
        all.sort_by(|(a, ..), (b, ..)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut gathered: Vec<Vec<(Place, Look, &Point)>> = Vec::new();
        for next in all {
            let near = |last: &(Place, Look, &Point)| {
                last.0.0 == next.0.0 && next.0.1 - last.0.1 < MARKER && last.2.whole && next.2.whole
            };
            match gathered.last_mut() {
                Some(group) if group.last().is_some_and(near) => group.push(next),
                _ => gathered.push(vec![next]),
            }
        }
        gathered
    }

    /// How large markers are, as a share of their usual size.
    fn room(&self) -> f64 {
        (self.crowding / 14.0).min(1.0)
    }

    /// A marker a point; a ring where several lines share a place, since the
    /// marker of any one of them would hide the others. Returns the rings.
    fn markers(&self, scene: &mut Scene, drawn: &[Line], beside: Beside) -> Vec<Place> {
        let radius = MARKER * self.room();
        let mut rings = Vec::new();
        if radius < 1.0 {
            return rings;
        }
        for group in self.gathered(drawn) {
            let places = group.iter().map(|(place, ..)| place.1);
            match group.as_slice() {
                [_, _, ..] if beside == Beside::Together => {
                    let y = places.sum::<f64>() / group.len() as f64;
                    let centre = (group[0].0.0, y);
                    scene.ring(centre, radius + 0.6);
                    rings.push(centre);
                }
                points => {
                    for (place, look, point) in points {
                        if point.whole {
                            scene.marker(look.marker, *place, radius, look.colour);
                        } else {
                            scene.cross(*place, 4.5, look.colour);
                        }
                    }
                }
            }
        }
        rings
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

    /// The interval of each median that many samples determine.
    fn intervals(&self, scene: &mut Scene, drawn: &[Line]) {
        for line in drawn {
            for point in &line.points {
                let Scatter::Median { low, high } = point.scatter else {
                    continue;
                };
                let (x, from) = line.place(self, point.workers, low);
                let (_, to) = line.place(self, point.workers, high);
                let bar = Stroke::new(line.look.colour, 1.4);
                scene.line(vec![(x, from), (x, to)], bar);
                for y in [from, to] {
                    scene.line(vec![(x - 2.5, y), (x + 2.5, y)], bar);
                }
            }
        }
    }

    /// A dot a sample where they are few. The marker of their median would hide
    /// those near it, so they lie on top. A ring stands for several lines, and
    /// has none of a single one in it.
    fn samples(&self, scene: &mut Scene, drawn: &[Line], rings: &[Place]) {
        let radius = SAMPLE * self.room();
        for line in drawn {
            for point in &line.points {
                let Scatter::Each(each) = &point.scatter else {
                    continue;
                };
                // One sample is its own median.
                let several = each.iter().filter(|_| each.len() > 1);
                let places = several.map(|value| line.place(self, point.workers, *value));
                for (x, y) in places {
                    let near = |ring: &Place| (ring.0 - x).hypot(ring.1 - y) < MARKER + 1.0;
                    if radius > 0.3 && !rings.iter().any(near) {
                        scene.sample((x, y), radius, line.look.colour);
                    }
                }
            }
        }
    }

    /// Labels in a column to the right, each tied to its line's end.
    pub(super) fn end_labels(
        &self,
        scene: &mut Scene,
        mut ends: Vec<EndLabel>,
        room: f64,
        beside: Beside,
    ) {
        ends.sort_by(|a, b| a.end.1.total_cmp(&b.end.1));
        let wanted: Vec<f64> = ends.iter().map(|label| label.end.1).collect();
        let bottom = self.frame.bottom + LABEL_ROOM / 2.0;
        let places = labels::stacked(&wanted, LABEL_ROOM, self.frame.top, bottom);
        let right = self.frame.right;
        for (label, y) in ends.iter().zip(places) {
            let leader = Stroke::new(label.look.map_or(BOUND, |look| look.colour), 1.0);
            // Of a line that ends early the leader crosses the panel: dotted and
            // level, so that nobody reads it as measured.
            let early = label.end.0 < right - 60.0;
            let bend = if early {
                right + 6.0
            } else {
                label.end.0 + 8.0
            };
            let route = [
                (label.end.0 + 8.0, label.end.1),
                (bend, label.end.1),
                (right + 24.0, y),
                (right + 30.0, y),
            ];
            let pattern: &[f64] = if early { &[1.5, 4.0] } else { &[] };
            for part in lines::dashes(&route, pattern, 0.0) {
                scene.line(part, leader.faint(0.55));
            }
            key(scene, label.look, beside, (right + 42.0, y));
            let text = style::fitted(&label.text, LABEL, false, room);
            scene.text(Text::new((right + LABEL_INDENT, y), text, LABEL));
        }
    }
}

/// A sample of a line, as a legend shows it.
fn key(scene: &mut Scene, look: Option<Look>, beside: Beside, (x, y): Place) {
    match look {
        None => scene.line(vec![(x - 11.0, y), (x + 11.0, y)], bound_stroke()),
        Some(look) => {
            for part in lines::dashes(&[(x - 12.0, y), (x + 12.0, y)], beside.dash(look), 0.0) {
                stroke(scene, part, look);
            }
            scene.marker(look.marker, (x, y), MARKER, look.colour);
        }
    }
}

/// How the lower bound is drawn wherever it is.
fn bound_stroke() -> Stroke {
    Stroke::new(BOUND, BOUND_WIDTH).faint(0.55)
}

fn stroke(scene: &mut Scene, places: Vec<Place>, look: Look) {
    if places.len() > 1 {
        scene.line(places, Stroke::new(look.colour, 2.0));
    }
}
