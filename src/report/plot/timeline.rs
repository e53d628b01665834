//! Who did what when: a lane a worker, a bar a request.

use crate::analysis::summary::{Row, Summary};
use crate::analysis::timeline::{Mark, MarkKind, Timeline};
use crate::report::plot::labels;
use crate::report::plot::lines;
use crate::report::plot::page::{self, LEFT, WIDTH};
use crate::report::plot::panel::LABEL;
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::{Anchor, Frame, Scene, Stroke, Text};
use crate::report::plot::style::{self, Colour, GREY, INK};
use crate::report::prose::{self, Naming};
use crate::report::units;

/// The right edge of the lanes.
const RIGHT: f64 = WIDTH - 30.0;
/// What a panel of many lanes is high.
const HIGHEST: f64 = 330.0;
/// The height of a lane where they are few.
const LANE: f64 = 15.0;
/// The em of what stands beside lanes, in pixels.
const SMALL: f64 = 13.5;
/// The least width of a mark, in pixels.
const LEAST: f64 = 0.75;
/// Time without a request.
const IDLE: Colour = (240, 240, 240);

/// What marks look like, and what they mean.
const KINDS: [(MarkKind, Colour, &str); 3] = [
    (MarkKind::Usual, (86, 180, 233), "a request"),
    (MarkKind::Slow, (213, 94, 0), "slower than"),
    (MarkKind::Failed, (0, 0, 0), "failed"),
];

/// The plot, or `None` where no sample was measured.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    if summary.timelines.is_empty() {
        return None;
    }
    let title = format!("{}: who did what when", prose::requests_of(summary));
    let subject = format!("Requests by worker over time: {}.", prose::batch(summary));
    let mut scene = Scene::new(page::description(&subject, summary), WIDTH);
    let mut y = page::head(&mut scene, &title, summary, "a median sample of each") + 12.0;
    for timeline in &summary.timelines {
        let lanes = Lanes::of(summary, timeline);
        y = lanes.draw(&mut scene, summary, y);
    }
    let remarks = ["grey: time without a request".to_owned()];
    scene.height = page::foot(&mut scene, summary, &remarks, y);
    Some(scene)
}

/// A timeline and the bound of its cell.
struct Lanes<'a> {
    timeline: &'a Timeline,
    bound_s: Option<f64>,
    /// The end of the axis, in seconds.
    end_s: f64,
}

impl<'a> Lanes<'a> {
    fn of(summary: &Summary, timeline: &'a Timeline) -> Self {
        let row = |row: &&Row| row.cell == timeline.cell;
        let runtimes = summary.timelines.iter().map(|other| other.runtime_s);
        let longest = runtimes.fold(0.0, f64::max);
        // On one axis, unless that would leave one of them too little of it.
        let end_s = match timeline.runtime_s {
            own if longest <= 3.0 * own => longest,
            own => own,
        };
        Self {
            timeline,
            bound_s: summary.rows.iter().find(row).and_then(|row| row.bound_s),
            end_s: end_s.max(1e-9),
        }
    }

    /// Draws it from the height of its title down. Returns the height of what
    /// comes next.
    fn draw(&self, scene: &mut Scene, summary: &Summary, y: f64) -> f64 {
        let cell = &self.timeline.cell;
        let workers = units::counted(cell.workers_usable as u64, "worker");
        let runtime = units::seconds(self.timeline.runtime_s);
        let name = Naming::of(summary).short(cell);
        let name = style::fitted(&name, 15.0, true, WIDTH / 2.0);
        page::panel_title(scene, y, &name, &format!("{workers}, {runtime}"));
        self.key(scene, y + 23.0);
        let top = y + 58.0;
        let lanes = self.timeline.lanes.len() as f64;
        let frame = Frame {
            left: LEFT,
            top,
            right: RIGHT,
            bottom: top + (lanes * LANE).min(HIGHEST),
        };
        let x = Scale::new(
            Spacing::Linear,
            (0.0, self.end_s),
            (frame.left, frame.right),
        );
        self.marks(scene, &x, frame);
        self.numbers(scene, frame);
        self.bound(scene, &x, frame);
        time_axis(scene, &x, frame.bottom);
        frame.bottom + 54.0
    }

    /// What the marks mean, in one line.
    fn key(&self, scene: &mut Scene, y: f64) {
        let most = self.timeline.most_in_a_mark();
        let mut left = LEFT;
        for (kind, colour, meaning) in KINDS {
            if !self.marks_of(kind).any(|_| true) {
                continue;
            }
            let meaning = match kind {
                MarkKind::Usual if most > 1 => format!("up to {} requests", units::count(most)),
                MarkKind::Slow => format!("{meaning} {}", units::seconds(self.timeline.slow_s)),
                _ => meaning.to_owned(),
            };
            scene.rectangle((left, y - 5.0), (left + 16.0, y + 5.0), colour);
            let text = Text::new((left + 22.0, y), meaning, SMALL);
            left = text.frame().right + 18.0;
            scene.text(text);
        }
        let (shown, all) = (self.timeline.lanes.len(), self.timeline.workers);
        let lanes = match shown < all {
            true => format!("a lane a worker, {shown} of {all}"),
            false => "a lane a worker".to_owned(),
        };
        scene.text(Text::new((left, y), lanes, SMALL).colour(GREY));
    }

    fn marks_of(&self, kind: MarkKind) -> impl Iterator<Item = (usize, &'a Mark)> + use<'a> {
        let lanes = self.timeline.lanes.iter().enumerate();
        let marks =
            lanes.flat_map(|(lane, marks)| marks.marks.iter().map(move |mark| (lane, mark)));
        marks.filter(move |(_, mark)| mark.kind == kind)
    }

    /// Bars, the unusual ones on top.
    fn marks(&self, scene: &mut Scene, x: &Scale, frame: Frame) {
        let lane = (frame.bottom - frame.top) / self.timeline.lanes.len().max(1) as f64;
        let between = if lane > 4.0 { 1.0 } else { 0.25 };
        let end = x.place(self.timeline.runtime_s);
        scene.rectangle((frame.left, frame.top), (end, frame.bottom), IDLE);
        for (kind, colour, _) in KINDS {
            for (place, mark) in self.marks_of(kind) {
                let (from, to) = (x.place(mark.from_s), x.place(mark.to_s));
                // One that follows at once is told apart by a sliver of paper.
                let sliver = if to - from > 3.0 { 0.75 } else { 0.0 };
                let to = (to - sliver).max(from + LEAST);
                let top = frame.top + place as f64 * lane;
                scene.rectangle((from, top), (to, top + lane - between), colour);
            }
        }
    }

    /// The numbers of the workers: all that have room, from the first to the last.
    fn numbers(&self, scene: &mut Scene, frame: Frame) {
        let lanes = &self.timeline.lanes;
        let lane = (frame.bottom - frame.top) / lanes.len().max(1) as f64;
        let text = |place: usize, worker: u32| {
            let y = frame.top + (place as f64 + 0.5) * lane;
            Text::new((frame.left - 8.0, y), worker.to_string(), SMALL)
                .colour(GREY)
                .anchor(Anchor::End)
        };
        let texts: Vec<Text> = lanes
            .iter()
            .enumerate()
            .map(|(place, lane)| text(place, lane.worker))
            .collect();
        let extents: Vec<_> = texts
            .iter()
            .map(|text| text.frame())
            .map(|frame| (frame.top, frame.bottom))
            .collect();
        let ends = [0, texts.len().saturating_sub(1)];
        let order: Vec<usize> = ends.into_iter().chain(0..texts.len()).collect();
        let mut shown = labels::thinned(&extents, &order);
        if shown.len() < texts.len() {
            shown.retain(|place| ends.contains(place));
        }
        for place in shown {
            scene.text(texts[place].clone());
        }
        let middle = (frame.top + frame.bottom) / 2.0;
        if lane < SMALL {
            let name = Text::new((frame.left - 8.0, middle), "worker", SMALL);
            scene.text(name.colour(GREY).anchor(Anchor::End));
        }
    }

    /// A line where the lower bound is.
    fn bound(&self, scene: &mut Scene, x: &Scale, frame: Frame) {
        let Some(bound_s) = self
            .bound_s
            .filter(|bound| *bound > 0.0 && *bound <= self.end_s)
        else {
            return;
        };
        let place = x.place(bound_s);
        let line = vec![(place, frame.top - 4.0), (place, frame.bottom)];
        for part in lines::dashes(&line, &[5.0, 3.0], 0.0) {
            scene.line(part, Stroke::new(INK, 1.4));
        }
        let at = (place, frame.top - 12.0);
        let text = Text::new(
            at,
            format!("bound {}", units::plain_seconds(bound_s)),
            SMALL,
        );
        scene.text(if place > (frame.left + frame.right) / 2.0 {
            text.anchor(Anchor::End)
        } else {
            text
        });
    }
}

fn time_axis(scene: &mut Scene, x: &Scale, y: f64) {
    for tick in x.ticks(80.0) {
        let place = x.place(tick);
        scene.line(vec![(place, y), (place, y + 5.0)], Stroke::new(GREY, 1.0));
        let name = units::plain_seconds(units::billionths(tick));
        scene.text(
            Text::new((place, y + 18.0), name, LABEL)
                .colour(GREY)
                .anchor(Anchor::Middle),
        );
    }
}
