//! How latencies are distributed, a line a strategy, with room for the tail.
//!
//! The axis runs over the share of answers that came sooner, spaced so that
//! each factor of ten in what is left has the same room: the slowest answer of
//! thousands is a point of its own, and no line ends before it.

use crate::analysis::summary::{Row, Summary};
use crate::analysis::{Latencies, Source};
use crate::report::plot::labels;
use crate::report::plot::layout;
use crate::report::plot::page::{self, LEFT};
use crate::report::plot::panel::{Beside, EndLabel, LABEL, LABEL_ROOM, MARKER, Panel};
use crate::report::plot::runtime::seconds_names;
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::{Anchor, Frame, Place, Scene, Stroke, Text};
use crate::report::plot::series::Series;
use crate::report::plot::style::{GREY, Look};
use crate::report::{prose, units};

/// Shares that have a name on the axis and a marker on each line, and one in
/// how many answers takes as long.
const SHARES: [(f64, &str); 7] = [
    (1.0, "0 %"),
    (2.0, "50 %"),
    (10.0, "90 %"),
    (100.0, "99 %"),
    (1e3, "99.9 %"),
    (1e4, "99.99 %"),
    (1e5, "99.999 %"),
];

/// The least time that the axis shows, in seconds: clocks are not finer.
const LEAST: f64 = 1e-6;

/// A strategy's distribution.
struct Drawn<'a> {
    name: String,
    look: Look,
    latencies: &'a Latencies,
}

/// The plot, or `None` without a good answer.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    let series = Series::all(summary);
    let workers = workers_shown(summary)?;
    let drawn: Vec<Drawn<'_>> = series.iter().filter_map(|s| at(s, workers)).collect();
    let answers = drawn.iter().map(|line| line.latencies.answers);
    let (fewest, most) = (answers.clone().min()?, answers.max()?);
    let base_s = service(summary).filter(|s| drawn.iter().all(|line| fastest(line) > *s));
    let value = |seconds: f64| (seconds - base_s.unwrap_or(0.0)).max(LEAST);

    let subject = format!(
        "{} with {}",
        prose::requests_of(summary),
        units::counted(workers as u64, "worker")
    );
    let title = format!("{subject}: latencies");
    let mut scene = Scene::new(
        page::description(
            &format!("Distribution of the latencies of {subject}."),
            summary,
        ),
        page::WIDTH,
    );
    let figures = match fewest == most {
        true => format!(
            "{} a line, all samples together",
            units::counted(most, "answer")
        ),
        false => format!(
            "{} to {} answers a line, all samples together",
            units::count(fewest),
            units::count(most)
        ),
    };
    let y = page::head(&mut scene, &title, summary, &figures) + 12.0;
    let reading = match base_s {
        Some(base) => format!(
            "beyond the service time of {}, logarithmic scale",
            units::plain_seconds(base)
        ),
        None => "from the start of a request to its outcome, logarithmic scale".to_owned(),
    };
    page::panel_title(&mut scene, y, "Latency", &reading);

    let shown = layout::labels(drawn.iter().map(|line| line.name.as_str()));
    let (label_room, right) = layout::columns(shown.values().map(String::as_str));
    let height = 380.0_f64.max(drawn.len() as f64 * LABEL_ROOM);
    let frame = Frame {
        left: LEFT,
        top: y + 22.0,
        right,
        bottom: y + 22.0 + height,
    };
    let values = || {
        let points = drawn.iter().flat_map(|line| &line.latencies.points);
        points.map(|point| value(point.seconds))
    };
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(0.0, f64::max),
    );
    let x = Scale::new(
        Spacing::Log,
        (1.0, most as f64),
        (LEFT + 12.0, right - 24.0),
    );
    let panel = Panel {
        frame,
        x: &x,
        y: Scale::new(
            Spacing::Log,
            (low / 1.1, high * 1.1),
            (frame.bottom, frame.top),
        ),
        crowding: 60.0,
    };
    let named = shares(&x, most);
    let ticks: Vec<f64> = named.iter().map(|share| share.0).collect();
    panel.grid(&mut scene, &ticks, seconds_names);
    let place = |one_in: f64, seconds: f64| (x.place(one_in), panel.y.place(value(seconds)));
    let paths: Vec<(Look, Vec<Place>)> = drawn
        .iter()
        .map(|line| (line.look, steps(line.latencies, place)))
        .collect();
    panel.paths(&mut scene, &paths, Beside::Together);
    let mut rings = false;
    for (many, _) in &named {
        rings |= markers(&mut scene, &drawn, *many, place);
    }
    let ends = drawn.iter().zip(&paths).filter_map(|(line, (look, path))| {
        Some(EndLabel {
            text: shown[&line.name].clone(),
            end: *path.last()?,
            look: Some(*look),
        })
    });
    let ends = ends.collect();
    panel.end_labels(&mut scene, ends, label_room, Beside::Together);
    let y = share_axis(&mut scene, &x, &named, right, frame.bottom);
    let closed = "service times of a closed loop: a worker asks again when it has its answer, so \
                  these are not the waits of users who arrive at random";
    let mut remarks = vec![closed.to_owned()];
    if rings {
        remarks.push("○ several at one place".to_owned());
    }
    scene.height = page::foot(&mut scene, summary, &remarks, y + 27.0);
    Some(scene)
}

/// The line of a distribution: each answer from its own rank to that of the next
/// slower one, as it is what all of that share waited for at least.
fn steps(latencies: &Latencies, place: impl Fn(f64, f64) -> Place) -> Vec<Place> {
    let mut path = Vec::new();
    for point in latencies.points.iter().rev() {
        path.push(place(latencies.one_in(point.rank), point.seconds));
        if point.rank > 1 {
            path.push(place(latencies.one_in(point.rank - 1), point.seconds));
        }
    }
    path
}

/// Markers on the lines at a share; a ring where one would hide another. Tells
/// whether there is such a ring.
fn markers(
    scene: &mut Scene,
    drawn: &[Drawn<'_>],
    many: f64,
    place: impl Fn(f64, f64) -> Place,
) -> bool {
    let mut rings = false;
    let mut at: Vec<(Place, Look)> = drawn
        .iter()
        .filter(|line| many <= line.latencies.answers as f64)
        .map(|line| {
            let latency = line.latencies.percentile(1.0 - 1.0 / many);
            (place(many, latency), line.look)
        })
        .collect();
    at.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
    for group in at.chunk_by(|a, b| b.0.1 - a.0.1 < MARKER) {
        match group {
            [(at, look)] => scene.marker(look.marker, *at, MARKER, look.colour),
            _ => {
                let y = group.iter().map(|(at, _)| at.1).sum::<f64>() / group.len() as f64;
                scene.ring((group[0].0.0, y), MARKER + 0.6);
                rings = true;
            }
        }
    }
    rings
}

/// The worker count to show: that of the best row, or else of the first with a
/// good answer.
fn workers_shown(summary: &Summary) -> Option<usize> {
    let answered = |row: &&Row| row.figures.as_ref().is_some_and(|f| f.latencies.is_some());
    let row = summary.best_row().filter(|row| answered(row));
    let row = row.or_else(|| summary.rows.iter().find(answered))?;
    Some(row.cell.workers)
}

/// A strategy at a worker count; one of a single worker whatever the count.
fn at<'a>(series: &'a Series<'_>, workers: usize) -> Option<Drawn<'a>> {
    let mut rows = series.rows.iter();
    let row = rows.find(|row| series.single || row.cell.workers == workers)?;
    Some(Drawn {
        name: match series.single {
            true => format!("{}, 1 worker", series.name),
            false => series.name.clone(),
        },
        look: series.look,
        latencies: row.figures.as_ref()?.latencies.as_ref()?,
    })
}

/// The service time, where all requests have the same and it was stated.
fn service(summary: &Summary) -> Option<f64> {
    let service = summary.service?;
    let one = service.source == Source::Stated && service.longest_s.is_none();
    Some(service.seconds).filter(|seconds| one && *seconds > 0.0)
}

fn fastest(line: &Drawn<'_>) -> f64 {
    line.latencies
        .points
        .last()
        .map_or(0.0, |point| point.seconds)
}

/// The shares whose names have room, as far as there are answers for them.
fn shares(x: &Scale, answers: u64) -> Vec<(f64, &'static str)> {
    let reached = SHARES.iter().filter(|share| share.0 <= answers as f64);
    let reached: Vec<_> = reached.copied().collect();
    let extents: Vec<_> = reached
        .iter()
        .map(|share| share_name(x, *share, 0.0).frame())
        .map(|frame| (frame.left - 6.0, frame.right + 6.0))
        .collect();
    let order: Vec<usize> = (0..reached.len()).collect();
    let shown = labels::thinned(&extents, &order);
    shown.into_iter().map(|index| reached[index]).collect()
}

fn share_name(x: &Scale, (one_in, name): (f64, &str), y: f64) -> Text {
    Text::new((x.place(one_in), y), name, LABEL)
        .colour(GREY)
        .anchor(Anchor::Middle)
}

/// Returns the height of the axis' own name.
fn share_axis(scene: &mut Scene, x: &Scale, named: &[(f64, &str)], right: f64, y: f64) -> f64 {
    for share in named {
        let place = x.place(share.0);
        scene.line(vec![(place, y), (place, y + 5.0)], Stroke::new(GREY, 1.0));
        scene.text(share_name(x, *share, y + 18.0));
    }
    let name = "share of answers that came sooner; a line ends at its slowest";
    let middle = (LEFT + right) / 2.0;
    scene.text(Text::new((middle, y + 39.0), name, LABEL).anchor(Anchor::Middle));
    y + 39.0
}
