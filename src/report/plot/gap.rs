//! How far each runtime lies above the lower bound, against workers: a panel of
//! the plot of runtimes, and a plot of its own.

use crate::analysis::Summary;
use crate::report::plot::layout::Layout;
use crate::report::plot::page;
use crate::report::plot::panel::{BOUND_WIDTH, Beside, EndLabel, Line, Panel};
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::{Frame, Scene};
use crate::report::plot::series::{self, Series};
use crate::report::{prose, units};

/// Where the largest gap is this many times the median one, the axis of gaps
/// makes room for the small ones.
const UNEVEN: f64 = 12.0;
/// What the line at zero is called.
const BOUND: &str = "lower bound";

/// The plot, or `None` where no cell has a gap.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    let series = Series::all(summary);
    let workers = series::workers(&series);
    let names = series.iter().map(|series| series.label.as_str());
    let layout = Layout::new(&workers, names.chain([BOUND]))?;
    let title = format!("{}: gap by workers", prose::requests_of(summary));
    let subject = format!(
        "Gap to the lower bound against workers: {}.",
        prose::batch(summary)
    );
    let mut scene = Scene::new(page::description(&subject, summary), page::WIDTH);
    let y = page::head(&mut scene, &title, summary, &page::medians(summary)) + 12.0;
    let y = panel(&layout, &mut scene, &series, y, 400.0)?;
    page::worker_axis(&mut scene, &layout.x, &workers, layout.right, y);
    let remarks = page::remarks(summary, &series);
    scene.height = page::foot(&mut scene, summary, &remarks, y + 66.0);
    Some(scene)
}

/// The panel, its title at a height, of at least some height itself. Returns
/// the height of its lower edge; `None`, and nothing drawn, without a gap.
pub(super) fn panel(
    layout: &Layout<'_>,
    scene: &mut Scene,
    series: &[Series<'_>],
    y: f64,
    height: f64,
) -> Option<f64> {
    let mut drawn: Vec<Line> = series.iter().map(Series::gaps).collect();
    drawn.retain(|line| !line.points.is_empty());
    if drawn.is_empty() {
        return None;
    }
    let step = (0.62 * layout.least_distance() / drawn.len() as f64).min(8.0);
    let middle = (drawn.len() - 1) as f64 / 2.0;
    for (index, line) in drawn.iter_mut().enumerate() {
        line.dodge = (index as f64 - middle) * step;
    }
    let frame = layout.frame(y + 22.0, height);
    let (scale, reading) = gap_scale(&drawn, frame);
    page::panel_title(scene, y, "Gap", reading);
    let panel = Panel {
        frame,
        x: &layout.x,
        y: scale,
        crowding: layout.least_distance(),
    };
    panel.grid(scene, &layout.named, gap_names);
    let zero = panel.y.place(0.0);
    panel.level(scene, zero);
    panel.lines(scene, &drawn, Beside::Dodged);
    let mut ends: Vec<EndLabel> = drawn
        .iter()
        .filter_map(|line| line.end_label(&panel))
        .collect();
    let end = (layout.right - 8.0, zero + BOUND_WIDTH / 2.0);
    ends.push(EndLabel {
        text: BOUND.to_owned(),
        end,
        look: None,
    });
    panel.end_labels(scene, ends, layout.label_room, Beside::Dodged);
    Some(frame.bottom + BOUND_WIDTH)
}

/// An axis from zero, and how it is to be read.
fn gap_scale(drawn: &[Line], frame: Frame) -> (Scale, &'static str) {
    let points = || drawn.iter().flat_map(|line| &line.points);
    let extreme = points().flat_map(|point| <[f64; 2]>::from(point.extent()));
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
