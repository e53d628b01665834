//! What a batch cost: CPU time and peak memory, against workers.

use crate::analysis::Summary;
use crate::report::plot::layout::Layout;
use crate::report::plot::page;
use crate::report::plot::panel::{Beside, EndLabel, Line, Panel, Point};
use crate::report::plot::runtime::seconds_names;
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::Scene;
use crate::report::plot::series::{self, Series};
use crate::report::{prose, units};

/// A panel: its name, how its axis reads, and the names of its ticks.
struct Kind {
    name: &'static str,
    reading: &'static str,
    names: fn(&[f64]) -> Vec<String>,
}

/// The plot, or `None` where the system told of neither.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    let series = Series::all(summary);
    let workers = series::workers(&series);
    let layout = Layout::new(&workers, series.iter().map(|series| series.label.as_str()))?;
    let title = format!(
        "{}: CPU time and memory by workers",
        prose::requests_of(summary)
    );
    let subject = format!(
        "CPU time and peak memory against workers: {}.",
        prose::batch(summary)
    );
    let mut scene = Scene::new(page::description(&subject, summary), page::WIDTH);
    let y = page::head(&mut scene, &title, summary, &page::medians(summary)) + 12.0;
    let cpu = Kind {
        name: "CPU time",
        reading: "of a batch, client only, building included, logarithmic scale",
        names: seconds_names,
    };
    let memory = Kind {
        name: "Peak memory",
        reading: "MiB of all processes, shared pages counted in each, logarithmic scale",
        names: mebibyte_names,
    };
    let top = y;
    let y = panel(&layout, &mut scene, &cpu, series.iter().map(Series::cpu), y);
    let y = panel(
        &layout,
        &mut scene,
        &memory,
        series.iter().map(Series::memory),
        y,
    );
    if y == top {
        return None;
    }
    let y = y - GAP;
    page::worker_axis(&mut scene, &layout.x, &workers, layout.right, y);
    let mut remarks = page::remarks(summary, &series);
    // The bound has no place here.
    remarks.remove(0);
    scene.height = page::foot(&mut scene, summary, &remarks, y + 66.0);
    Some(scene)
}

/// From a panel's lower edge to the next one's title, in pixels.
const GAP: f64 = 34.0;

/// A panel, unless it would be empty. Returns the height of what comes next.
fn panel(
    layout: &Layout<'_>,
    scene: &mut Scene,
    kind: &Kind,
    lines: impl Iterator<Item = Line>,
    y: f64,
) -> f64 {
    let drawn: Vec<Line> = lines.filter(|line| !line.points.is_empty()).collect();
    let ranges = drawn
        .iter()
        .flat_map(|line| &line.points)
        .map(Point::extent);
    let Some((low, high)) = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return y;
    };
    let frame = layout.frame(y + 22.0, 230.0);
    let panel = Panel {
        frame,
        x: &layout.x,
        y: Scale::new(
            Spacing::Log,
            (low / 1.3, high * 1.3),
            (frame.bottom, frame.top),
        ),
        crowding: layout.least_distance(),
    };
    page::panel_title(scene, y, kind.name, kind.reading);
    panel.grid(scene, &layout.named, kind.names);
    panel.lines(scene, &drawn, Beside::Together);
    let ends: Vec<EndLabel> = drawn
        .iter()
        .filter_map(|line| line.end_label(&panel))
        .collect();
    panel.end_labels(scene, ends, layout.label_room, Beside::Together);
    frame.bottom + GAP
}

/// Names of sizes that are given in MiB.
fn mebibyte_names(ticks: &[f64]) -> Vec<String> {
    let name = |tick: &f64| match *tick {
        tick if tick >= 1e6 => format!("{:.0}k", tick / 1e3),
        tick => units::billionths(tick).to_string(),
    };
    ticks.iter().map(name).collect()
}
