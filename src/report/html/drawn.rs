//! The parts of the page's data that are more than a figure a cell: latencies,
//! the split of the gap, timelines.

use serde::Serialize;

use crate::analysis::timeline::{Mark, MarkKind, Timeline};
use crate::analysis::{Latencies, PartKind, Split, Summary};
use crate::report::plot::{self, style};
use crate::report::prose::{self, Naming};
use crate::report::units::{self, billionths};
use crate::report::words::gap;

/// One in how many answers took longer, seconds, and the seconds as text.
pub(super) type Quantile = (f64, f64, String);

/// The latencies that all but one in so many answers did not exceed: the
/// fastest, the quartile, the median, then 1–2–5 to the decade, so that every
/// cell has the same ones; the slowest of all comes last.
pub(super) fn quantiles(latencies: &Latencies) -> Vec<Quantile> {
    let answers = latencies.answers as f64;
    let quantile = |one_in: f64, seconds: f64| {
        let text = units::seconds(seconds);
        (billionths(one_in), billionths(seconds), text)
    };
    let decades = (0..20).flat_map(|decade| [1.0, 2.0, 5.0].map(|n| n * 10_f64.powi(decade)));
    let mut all: Vec<f64> = decades.take_while(|one_in| *one_in < answers).collect();
    if answers > 2.0 {
        all.insert(1, 4.0 / 3.0);
    }
    let mut quantiles: Vec<Quantile> = all
        .into_iter()
        .map(|one_in| quantile(one_in, latencies.percentile(1.0 - 1.0 / one_in)))
        .collect();
    if let Some(slowest) = latencies.points.first() {
        quantiles.push(quantile(answers, slowest.seconds));
    }
    quantiles
}

/// Where one cell's gap went.
#[derive(Serialize)]
pub(super) struct SplitView {
    /// The parts that are not 0, in their order.
    parts: Vec<PartView>,
    /// All of them but building, as text.
    whole: String,
}

#[derive(Serialize)]
struct PartView {
    name: &'static str,
    /// `None` for the colour of the text.
    colour: Option<String>,
    seconds: f64,
    text: String,
    /// Whether it is part of the cold runtime alone.
    cold: bool,
}

impl SplitView {
    pub(super) fn of(split: &Split, summary: &Summary) -> Self {
        let part = |part: &crate::analysis::Part| PartView {
            name: gap::name(part.kind, summary),
            colour: colour(part.kind),
            seconds: billionths(part.seconds),
            text: units::seconds(part.seconds),
            cold: part.kind == PartKind::Building,
        };
        Self {
            parts: split
                .parts
                .iter()
                .filter(|part| billionths(part.seconds) != 0.0)
                .map(part)
                .collect(),
            whole: units::seconds(split.warm_s()),
        }
    }
}

/// A part's colour, that of the plots in files; `None` for the text's own.
fn colour(kind: PartKind) -> Option<String> {
    let (colour, ..) = plot::split::look(kind);
    (colour != style::INK).then(|| css(colour))
}

/// A colour as CSS writes it.
pub(super) fn css((red, green, blue): style::Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// One sample, worker by worker.
#[derive(Serialize)]
pub(super) struct TimelineView {
    name: String,
    runtime_s: f64,
    /// What the drawing leaves out or puts together; empty where nothing.
    remark: String,
    lanes: Vec<LaneView>,
}

#[derive(Serialize)]
struct LaneView {
    worker: u32,
    marks: Vec<MarkView>,
}

/// From, to, kind (`usual`, `slow`, `failed`), and what it is in words.
type MarkView = (f64, f64, &'static str, String);

impl TimelineView {
    pub(super) fn of(timeline: &Timeline, naming: &Naming) -> Self {
        let shown = timeline.lanes.len();
        let mut remarks = Vec::new();
        if shown < timeline.workers {
            remarks.push(format!("{shown} of {} workers", timeline.workers));
        }
        let most = timeline.most_in_a_mark();
        if most > 1 {
            let most = units::count(most);
            remarks.push(format!("a bar stands for up to {most} requests in a row"));
        }
        let workers = units::counted(timeline.cell.workers_usable as u64, "worker");
        let name = prose::shorten(&naming.long(&timeline.cell), 60);
        let lane = |lane: &crate::analysis::timeline::Lane| LaneView {
            worker: lane.worker,
            marks: lane.marks.iter().map(mark).collect(),
        };
        Self {
            name: format!("{name}, {workers}"),
            runtime_s: billionths(timeline.runtime_s),
            remark: remarks.join("; "),
            lanes: timeline.lanes.iter().map(lane).collect(),
        }
    }
}

fn mark(mark: &Mark) -> MarkView {
    let (kind, said) = match mark.kind {
        MarkKind::Usual => ("usual", ""),
        MarkKind::Slow => ("slow", ", slow"),
        MarkKind::Failed => ("failed", ", failed"),
    };
    let what = match mark.requests {
        1 => format!(
            "{} from {}",
            units::seconds(mark.to_s - mark.from_s),
            units::seconds(mark.from_s)
        ),
        requests => format!(
            "{} requests from {} to {}",
            units::count(requests),
            units::seconds(mark.from_s),
            units::seconds(mark.to_s)
        ),
    };
    // Microseconds are finer than any screen.
    let micros = |seconds: f64| (seconds * 1e6).round() / 1e6;
    (
        micros(mark.from_s),
        micros(mark.to_s),
        kind,
        format!("{what}{said}"),
    )
}
