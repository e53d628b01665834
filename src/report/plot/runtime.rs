//! The plot of a session: warm runtime against workers, beside the lower bound.
//!
//! Runtimes of good strategies differ by a per cent or two, over two decades
//! of runtime: on one axis they are one line. So there are two panels. The
//! upper shows what a batch takes, the lower how far each lies above the bound.

use crate::analysis::Summary;
use crate::report::plot::gap;
use crate::report::plot::labels;
use crate::report::plot::layout::Layout;
use crate::report::plot::lines;
use crate::report::plot::page;
use crate::report::plot::panel::{Beside, EndLabel, LABEL, Line, Panel};
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::{Anchor, Frame, Place, Scene, Stroke, Text};
use crate::report::plot::series::{self, Series};
use crate::report::{prose, units};

/// The bound over worker counts, for one size of batch.
struct Bound {
    label: String,
    /// Workers and seconds, wherever it falls.
    steps: Vec<(f64, f64)>,
}

/// The plot, or `None` where no sample was measured.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    let series = Series::all(summary);
    let workers = series::workers(&series);
    let bounds = bounds(summary, &workers);
    let labels = series.iter().map(|series| series.label.as_str());
    let layout = Layout::new(
        &workers,
        labels.chain(bounds.iter().map(|b| b.label.as_str())),
    )?;
    let subject = format!(
        "Runtime against workers, and the gap to the lower bound: {}.",
        prose::batch(summary)
    );
    let mut scene = Scene::new(page::description(&subject, summary), page::WIDTH);
    let title = format!("{}: runtime by workers", prose::requests_of(summary));
    let y = page::head(&mut scene, &title, summary, &page::medians(summary)) + 12.0;
    let y = runtimes(&layout, &mut scene, &series, &bounds, y);
    let y = gap::panel(&layout, &mut scene, &series, y + 30.0, 200.0).unwrap_or(y);
    page::worker_axis(&mut scene, &layout.x, &workers, layout.right, y);
    let remarks = page::remarks(summary, &series);
    scene.height = page::foot(&mut scene, summary, &remarks, y + 66.0);
    Some(scene)
}

fn bounds(summary: &Summary, workers: &[f64]) -> Vec<Bound> {
    let Some(model) = summary.model() else {
        return Vec::new();
    };
    let sizes = prose::requests(summary);
    let (Some(least), Some(most)) = (workers.first(), workers.last()) else {
        return Vec::new();
    };
    let bound = |requests: &usize| Bound {
        label: match sizes.len() {
            1 => prose::bound_name(summary).to_owned(),
            _ => format!("lower bound, N={requests}"),
        },
        steps: model
            .steps(*requests, *least as usize, *most as usize)
            .into_iter()
            .map(|(workers, bound)| (workers as f64, bound.seconds))
            .filter(|(_, bound)| *bound > 0.0)
            .collect(),
    };
    sizes.iter().map(bound).collect()
}

/// The upper panel. Returns the height of its lower edge.
fn runtimes(
    layout: &Layout<'_>,
    scene: &mut Scene,
    series: &[Series<'_>],
    bounds: &[Bound],
    y: f64,
) -> f64 {
    let drawn: Vec<Line> = series.iter().map(Series::runtimes).collect();
    let frame = layout.frame(y + 22.0, 300.0);
    let panel = Panel {
        frame,
        x: &layout.x,
        y: runtime_scale(&drawn, bounds, frame),
        crowding: layout.least_distance(),
    };
    let reading = if panel.shares_points(&drawn) {
        "warm, logarithmic scale; ○ several at one place; lines are guides"
    } else {
        "warm, logarithmic scale; lines are guides"
    };
    page::panel_title(scene, y, "Runtime", reading);
    panel.grid(scene, &layout.named, seconds_names);
    let mut paths = Vec::new();
    let mut ends = Vec::new();
    for bound in bounds {
        let path = panel.bound(scene, &bound.steps);
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
    panel.end_labels(scene, ends, layout.label_room, Beside::Together);
    frame.bottom
}

fn runtime_scale(drawn: &[Line], bounds: &[Bound], frame: Frame) -> Scale {
    let values = drawn
        .iter()
        .flat_map(|line| &line.points)
        .flat_map(|point| <[f64; 2]>::from(point.extent()));
    let bounds = bounds
        .iter()
        .flat_map(|bound| bound.steps.iter().map(|(_, value)| *value));
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

/// Names of runtimes: in seconds, unless some are so short that these would be
/// mostly zeros.
pub(super) fn seconds_names(ticks: &[f64]) -> Vec<String> {
    let readable = |tick: &f64| *tick >= 0.01;
    if ticks.iter().any(readable) && ticks.iter().all(|tick| *tick >= 0.001) {
        let name = |tick: &f64| format!("{} s", units::billionths(*tick));
        return ticks.iter().map(name).collect();
    }
    ticks.iter().copied().map(units::plain_seconds).collect()
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
                text: series.label.clone(),
                end: (self.frame.right - 8.0, y),
                look: Some(series.look),
            }),
        }
    }
}
