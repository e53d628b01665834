//! The plot of a session: warm runtime against workers, beside the lower bound.
//!
//! Runtimes of good strategies differ by a per cent or two, over two decades
//! of runtime: on one axis they are one line. So there are two panels. The
//! upper shows what a batch takes, the lower how far each lies above the bound.

use crate::analysis::Summary;
use crate::record::Ending;
use crate::report::plot::labels;
use crate::report::plot::lines;
use crate::report::plot::page::{self, LEFT, WIDTH};
use crate::report::plot::panel::{
    BOUND_WIDTH, Beside, EndLabel, LABEL, LABEL_INDENT, LABEL_ROOM, Line, Panel,
};
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::{Anchor, Frame, Place, Scene, Stroke, Text};
use crate::report::plot::series::{self, Series};
use crate::report::plot::style;
use crate::report::{prose, units};

/// The widest label at a line's end.
const WIDEST_LABEL: f64 = 200.0;
/// Where the largest gap is this many times the median one, the axis of gaps
/// makes room for the small ones.
const UNEVEN: f64 = 12.0;

/// The bound over worker counts, for one size of batch.
struct Bound {
    label: String,
    /// Workers and seconds.
    points: Vec<(f64, f64)>,
}

/// The room that both panels share.
struct Layout<'a> {
    workers: &'a [f64],
    /// Those of them whose names have room.
    named: Vec<f64>,
    x: Scale,
    right: f64,
    /// The widest label.
    label_room: f64,
    /// The least height of a panel whose labels all have room.
    column: f64,
}

/// The plot, or `None` where no sample was measured.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    let series = Series::all(summary);
    let workers = series::workers(&series);
    let (least, most) = (*workers.first()?, *workers.last()?);
    let bounds = bounds(summary, &workers);
    let label_room = label_room(&series, &bounds);
    let right = WIDTH - LABEL_INDENT - label_room - 14.0;
    let x = Scale::new(Spacing::Log, (least, most), (LEFT + 26.0, right - 24.0));
    let layout = Layout {
        workers: &workers,
        named: page::named_workers(&x, &workers),
        x,
        right,
        label_room,
        column: (series.len() + bounds.len()) as f64 * LABEL_ROOM,
    };
    let mut scene = Scene {
        description: description(summary),
        width: WIDTH,
        height: 0.0,
        shapes: Vec::new(),
    };
    let title = format!("{}: runtime by workers", prose::requests_of(summary));
    let y = page::head(&mut scene, &title, summary) + 12.0;
    let y = layout.runtimes(&mut scene, &series, &bounds, y);
    let y = layout.gaps(&mut scene, &series, y);
    page::worker_axis(&mut scene, &layout.x, &workers, right, y);
    scene.height = page::foot(&mut scene, summary, &remarks(summary, &series), y + 66.0);
    Some(scene)
}

fn bounds(summary: &Summary, workers: &[f64]) -> Vec<Bound> {
    let Some(model) = summary.model() else {
        return Vec::new();
    };
    let sizes = prose::requests(summary);
    let bound = |requests: &usize| Bound {
        label: match sizes.len() {
            1 => prose::bound_name(summary).to_owned(),
            _ => format!("lower bound, N={requests}"),
        },
        points: workers
            .iter()
            .map(|w| (*w, model.bound(*requests, *w as usize).seconds))
            .filter(|(_, bound)| *bound > 0.0)
            .collect(),
    };
    sizes.iter().map(bound).collect()
}

fn label_room(series: &[Series<'_>], bounds: &[Bound]) -> f64 {
    let names = series.iter().map(|series| &series.name);
    let widths = names
        .chain(bounds.iter().map(|bound| &bound.label))
        .map(|name| style::text_width(name, LABEL, false));
    widths.fold(0.0, f64::max).min(WIDEST_LABEL)
}

/// The plot in words.
fn description(summary: &Summary) -> String {
    let subject = format!(
        "Runtime against workers, and the gap to the lower bound: {}.",
        prose::batch(summary)
    );
    match prose::headline(summary) {
        Some(answer) => format!("{subject} Fastest: {answer}."),
        None => format!("{subject} No cell succeeded in every request."),
    }
}

/// What the plot needs said beneath it.
fn remarks(summary: &Summary, series: &[Series<'_>]) -> Vec<String> {
    let mut remarks = vec![prose::bound_origin(summary)];
    let mut rows = series.iter().flat_map(|series| &series.rows);
    if rows.any(|row| !row.every_request_succeeded()) {
        remarks.push("×: some requests or samples failed, so the time does not compare".to_owned());
    }
    if summary.ending != Ending::Complete {
        remarks.push("the session was not finished".to_owned());
    }
    remarks
}

impl Layout<'_> {
    fn frame(&self, top: f64, height: f64) -> Frame {
        Frame {
            left: LEFT,
            top,
            right: self.right,
            bottom: top + height.max(self.column),
        }
    }

    /// The least distance between two worker counts, in pixels.
    fn least_distance(&self) -> f64 {
        let pairs = self.workers.windows(2);
        pairs
            .map(|pair| self.x.place(pair[1]) - self.x.place(pair[0]))
            .fold(60.0, f64::min)
    }

    /// The upper panel. Returns the height of its lower edge.
    fn runtimes(&self, scene: &mut Scene, series: &[Series<'_>], bounds: &[Bound], y: f64) -> f64 {
        let drawn: Vec<Line> = series.iter().map(Series::runtimes).collect();
        let frame = self.frame(y + 22.0, 300.0);
        let panel = Panel {
            frame,
            x: &self.x,
            y: runtime_scale(&drawn, bounds, frame),
            crowding: self.least_distance(),
        };
        let reading = if panel.shares_points(&drawn) {
            "warm, logarithmic scale; ○ several at one place"
        } else {
            "warm, logarithmic scale"
        };
        page::panel_title(scene, y, "Runtime", reading);
        panel.grid(scene, &self.named, seconds_names);
        let mut paths = Vec::new();
        let mut ends = Vec::new();
        for bound in bounds {
            let path = panel.bound(scene, &bound.points);
            if let Some(end) = path.last() {
                ends.push(EndLabel {
                    text: bound.label.clone(),
                    end: *end,
                    look: None,
                });
            }
            paths.push(path);
        }
        paths.extend(
            drawn
                .iter()
                .filter(|line| line.joined)
                .map(|line| line.path(&panel)),
        );
        for (series, line) in series.iter().zip(&drawn) {
            if series.single {
                ends.extend(panel.single_worker(scene, series, line, &mut paths));
            } else {
                ends.extend(line.end_label(&panel));
            }
        }
        panel.lines(scene, &drawn, Beside::Together);
        panel.end_labels(scene, ends, self.label_room, Beside::Together);
        frame.bottom
    }

    /// The lower panel, if there are gaps. Returns the height of the lowest
    /// edge.
    fn gaps(&self, scene: &mut Scene, series: &[Series<'_>], y: f64) -> f64 {
        let mut drawn: Vec<Line> = series.iter().map(Series::gaps).collect();
        drawn.retain(|line| !line.points.is_empty());
        if drawn.is_empty() {
            return y;
        }
        let step = (0.62 * self.least_distance() / drawn.len() as f64).min(8.0);
        let middle = (drawn.len() - 1) as f64 / 2.0;
        for (index, line) in drawn.iter_mut().enumerate() {
            line.dodge = (index as f64 - middle) * step;
        }
        let frame = self.frame(y + 52.0, 200.0);
        let (scale, reading) = gap_scale(&drawn, frame);
        page::panel_title(scene, y + 30.0, "Gap", reading);
        let panel = Panel {
            frame,
            x: &self.x,
            y: scale,
            crowding: self.least_distance(),
        };
        panel.grid(scene, &self.named, gap_names);
        let zero = panel.y.place(0.0);
        panel.level(scene, zero);
        panel.lines(scene, &drawn, Beside::Dodged);
        let mut ends: Vec<EndLabel> = drawn
            .iter()
            .filter(|line| line.joined)
            .filter_map(|line| line.end_label(&panel))
            .collect();
        let end = (self.right - 8.0, zero + BOUND_WIDTH / 2.0);
        ends.push(EndLabel {
            text: "lower bound".to_owned(),
            end,
            look: None,
        });
        panel.end_labels(scene, ends, self.label_room, Beside::Dodged);
        frame.bottom + BOUND_WIDTH
    }
}

fn runtime_scale(drawn: &[Line], bounds: &[Bound], frame: Frame) -> Scale {
    let values = drawn
        .iter()
        .flat_map(|line| &line.points)
        .flat_map(|point| {
            let (least, most) = point.range.unwrap_or((point.value, point.value));
            [point.value, least, most]
        });
    let bounds = bounds
        .iter()
        .flat_map(|bound| bound.points.iter().map(|(_, value)| *value));
    let (low, high) = values
        .chain(bounds)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    Scale::new(
        Spacing::Log,
        (low / 1.3, high * 1.3),
        (frame.bottom, frame.top),
    )
}

/// An axis from zero, and how it is to be read.
fn gap_scale(drawn: &[Line], frame: Frame) -> (Scale, &'static str) {
    let points = || drawn.iter().flat_map(|line| &line.points);
    let extreme = points().flat_map(|point| {
        let (least, most) = point.range.unwrap_or((point.value, point.value));
        [point.value, least, most]
    });
    let (low, high) = extreme.fold((0.0_f64, 0.001_f64), |(low, high), gap| {
        (low.min(gap), high.max(gap))
    });
    let mut middle: Vec<f64> = points().map(|point| point.value).collect();
    middle.sort_by(f64::total_cmp);
    let median = middle[middle.len() / 2].max(0.001);
    let places = (frame.bottom, frame.top);
    if high > UNEVEN * median && high > 0.1 {
        let scale = Scale::new(Spacing::Root, (low * 1.1, high * 1.1), places);
        return (scale, "how far above the lower bound, square-root scale");
    }
    let scale = Scale::new(Spacing::Linear, (low * 1.1, high * 1.1), places);
    (scale, "how far above the lower bound")
}

/// Names of runtimes: in seconds, unless some are so short that these would be
/// mostly zeros.
fn seconds_names(ticks: &[f64]) -> Vec<String> {
    let readable = |tick: &f64| *tick >= 0.01;
    if ticks.iter().any(readable) && ticks.iter().all(|tick| *tick >= 0.001) {
        let name = |tick: &f64| format!("{} s", units::billionths(*tick));
        return ticks.iter().map(name).collect();
    }
    ticks.iter().copied().map(units::plain_seconds).collect()
}

/// Names of gaps in per cent, large ones with a prefix: `20k %`.
fn gap_names(ticks: &[f64]) -> Vec<String> {
    let name = |tick: &f64| {
        let percent = units::billionths(tick * 100.0);
        let prefixes = [
            (1e12, 1e12, "T"),
            (1e9, 1e9, "G"),
            (1e6, 1e6, "M"),
            (1e4, 1e3, "k"),
        ];
        let prefix = prefixes.iter().find(|(least, ..)| percent.abs() >= *least);
        match prefix {
            Some((_, unit, prefix)) => format!("{}{prefix} %", percent / unit),
            None => format!("{percent} %"),
        }
    };
    ticks.iter().map(name).collect()
}

impl Panel<'_> {
    /// A faint line at what one worker takes, for comparison along the whole
    /// axis. Returns its label where there is no room for it in the panel.
    fn single_worker(
        &self,
        scene: &mut Scene,
        series: &Series<'_>,
        line: &Line,
        paths: &mut Vec<Vec<Place>>,
    ) -> Option<EndLabel> {
        let point = line.points.first()?;
        let y = self.y.place(point.value);
        let level = vec![(self.x.place(point.workers), y), (self.frame.right, y)];
        for part in lines::dashes(&level, &[5.0, 5.0], 0.0) {
            scene.line(part, Stroke::new(series.look.colour, 1.2).faint(0.5));
        }
        let text = if series.refuses {
            format!("{} uses 1 worker", series.name)
        } else {
            format!("{} with 1 worker", series.name)
        };
        let right = self.frame.right - 10.0;
        let candidates: Vec<Text> = [-12.0, 13.0]
            .iter()
            .flat_map(|dy| [0.0, 120.0, 240.0].map(|dx| (right - dx, y + dy)))
            .map(|at| Text::new(at, text.clone(), LABEL).anchor(Anchor::End))
            .filter(|text| text.frame().left > self.frame.left)
            .collect();
        let rooms: Vec<Frame> = candidates.iter().map(Text::frame).collect();
        match labels::free_room(&rooms, paths, &[]) {
            Some(chosen) => {
                let Frame {
                    left,
                    right,
                    top,
                    bottom,
                } = rooms[chosen];
                // A text as high that overlaps this one has one of the two in it.
                paths.extend([top, bottom].map(|edge| vec![(left, edge), (right, edge)]));
                paths.push(level);
                scene.text(candidates[chosen].clone());
                None
            }
            None => Some(EndLabel {
                text: series.name.clone(),
                end: (self.frame.right - 8.0, y),
                look: Some(series.look),
            }),
        }
    }
}
