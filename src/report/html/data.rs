//! What the page's scripts draw: a block of JSON with every figure beside its
//! text, so that figures are formatted in one place and a page never shows a
//! number that is none.

use serde::Serialize;

use super::drawn::{Quantile, SplitView, TimelineView, css, quantiles};
use crate::analysis::bound;
use crate::analysis::summary::{Figures, Row, Summary};
use crate::report::plot::series::{self, Series};
use crate::report::plot::style::{Look, Marker};
use crate::report::prose::{self, Naming};
use crate::report::units::{self, billionths};

/// The longest name of a line, in characters.
const LONGEST_NAME: usize = 60;

/// Everything that the scripts draw.
#[derive(Serialize)]
pub(super) struct Data {
    /// The lower bound over worker counts, for each size of batch.
    bounds: Vec<Bound>,
    series: Vec<SeriesView>,
    timelines: Vec<TimelineView>,
    /// The workers of the recommended cell, which plots of one worker count show
    /// first.
    workers: Option<usize>,
}

#[derive(Serialize)]
struct Bound {
    name: String,
    points: Vec<BoundPoint>,
}

/// Workers, seconds, those as text, and the seconds that a greedy queue does
/// not exceed, where they are known and more.
type BoundPoint = (usize, f64, String, Option<f64>);

/// One strategy, or one of its clients.
#[derive(Serialize)]
struct SeriesView {
    name: String,
    /// `None` for the colour of the text.
    colour: Option<String>,
    marker: &'static str,
    dash: &'static [f64],
    /// Whether it runs on one worker while others run on more: a level, not a
    /// line.
    single: bool,
    points: Vec<PointView>,
}

/// One cell.
#[derive(Serialize)]
struct PointView {
    workers: usize,
    /// What was measured, in words.
    facts: Vec<String>,
    /// Whether every request succeeded.
    whole: bool,
    runtime: Value,
    gap: Option<Value>,
    cpu: Value,
    memory: Option<Value>,
    latencies: Vec<Quantile>,
    split: Option<SplitView>,
}

/// A figure, the range in which its samples lay, and what it is called.
#[derive(Serialize)]
struct Value {
    at: f64,
    range: Option<(f64, f64)>,
    text: String,
}

impl Data {
    pub(super) fn of(summary: &Summary) -> Self {
        let all = Series::all(summary);
        let naming = Naming::of(summary);
        Self {
            bounds: bounds(summary, &all),
            series: all
                .iter()
                .map(|series| SeriesView::of(series, &naming, summary))
                .collect(),
            timelines: summary
                .timelines
                .iter()
                .map(|timeline| TimelineView::of(timeline, &naming))
                .collect(),
            workers: recommended(summary).map(|row| row.cell.workers_usable),
        }
    }
}

fn recommended(summary: &Summary) -> Option<&Row> {
    let advice = summary.recommendation.as_ref()?;
    summary.rows.get(advice.row)
}

fn bounds(summary: &Summary, all: &[Series<'_>]) -> Vec<Bound> {
    let Some(model) = summary.model() else {
        return Vec::new();
    };
    let workers = series::workers(all);
    let sizes = prose::requests(summary);
    let bound = |requests: &usize| {
        let point = |workers: &f64| {
            let bound = model.bound(*requests, *workers as usize);
            let ceiling_s = bound
                .ceiling_s
                .filter(|ceiling| *ceiling > bound.seconds * 1.001);
            let mut text = units::plain_seconds(bound.seconds);
            if let Some(ceiling_s) = ceiling_s {
                let ceiling = units::seconds(ceiling_s);
                text = format!("{text}, a greedy queue at most {ceiling}");
            }
            let ceiling_s = ceiling_s.map(billionths);
            (
                *workers as usize,
                billionths(bound.seconds),
                text,
                ceiling_s,
            )
        };
        let name = prose::bound_name(summary);
        Bound {
            name: match sizes.len() {
                1 => name.to_owned(),
                _ => format!("{name}, N={requests}"),
            },
            points: workers
                .iter()
                .map(point)
                .filter(|(_, seconds, ..)| *seconds > 0.0)
                .collect(),
        }
    };
    let bounds = sizes.iter().map(bound);
    bounds.filter(|bound| !bound.points.is_empty()).collect()
}

impl SeriesView {
    fn of(series: &Series<'_>, naming: &Naming, summary: &Summary) -> Self {
        let Look {
            colour,
            marker,
            dash,
        } = series.look;
        Self {
            name: prose::shorten(&series.name, LONGEST_NAME),
            colour: (colour != (0, 0, 0)).then(|| css(colour)),
            marker: match marker {
                Marker::Circle => "circle",
                Marker::Square => "square",
                Marker::Triangle => "triangle",
                Marker::Diamond => "diamond",
                Marker::TriangleDown => "triangle-down",
            },
            dash,
            single: series.single,
            points: series
                .rows
                .iter()
                .filter_map(|row| {
                    let figures = row.figures.as_ref()?;
                    let workers = series.workers(row);
                    Some(PointView::of(row, figures, workers, naming, summary))
                })
                .collect(),
        }
    }
}

impl PointView {
    fn of(
        row: &Row,
        figures: &Figures,
        workers: usize,
        naming: &Naming,
        summary: &Summary,
    ) -> Self {
        let gap_of = |runtime| bound::gap(runtime, row.bound_s?);
        let several = figures.samples > 1;
        let value = |at: f64, (least, most): (f64, f64), text: String| Value {
            at: billionths(at),
            range: several.then(|| (billionths(least), billionths(most))),
            text,
        };
        let warm = figures.warm_s;
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        Self {
            workers,
            facts: facts(row, figures, naming),
            whole: row.every_request_succeeded(),
            runtime: value(
                warm.median,
                (warm.min, warm.max),
                units::seconds(warm.median),
            ),
            gap: figures.gap.and_then(|gap| {
                let range = (gap_of(warm.min)?, gap_of(warm.max)?);
                Some(value(gap, range, units::percent(gap)))
            }),
            cpu: value(
                figures.cpu_s,
                figures.cpu_range_s,
                units::seconds(figures.cpu_s),
            ),
            memory: figures.peak_rss_bytes.map(|bytes| {
                let (least, most) = figures.peak_rss_range_bytes;
                let range = (mebibytes(least), mebibytes(most));
                value(mebibytes(bytes), range, units::bytes(bytes))
            }),
            latencies: figures.latencies.as_ref().map_or_else(Vec::new, quantiles),
            split: (figures.split.as_ref()).map(|split| SplitView::of(split, summary)),
        }
    }
}

/// A cell in a few short lines.
fn facts(row: &Row, figures: &Figures, naming: &Naming) -> Vec<String> {
    let warm = figures.warm_s;
    let name = prose::shorten(&naming.long(&row.cell), LONGEST_NAME);
    let workers = units::counted(row.cell.workers_usable as u64, "worker");
    let mut facts = vec![format!("{name}, {workers}")];
    let mut runtime = format!("warm {}", units::seconds(warm.median));
    if let Some(gap) = figures.gap {
        runtime = format!("{runtime}, gap {}", units::percent(gap));
    }
    facts.push(runtime);
    facts.push(match figures.samples {
        1 => "1 sample".to_owned(),
        samples => format!(
            "{samples} samples: {} … {}",
            units::seconds(warm.min),
            units::seconds(warm.max)
        ),
    });
    let memory = figures.peak_rss_bytes.map_or(String::new(), |bytes| {
        format!(", memory {}", units::bytes(bytes))
    });
    facts.push(format!("CPU {}{memory}", units::seconds(figures.cpu_s)));
    if figures.failed > 0 {
        facts.push(format!(
            "{} of {} failed in the worst sample",
            units::count(figures.failed),
            units::counted(row.cell.requests as u64, "request")
        ));
    }
    if row.errors > 0 {
        let samples = units::counted(row.errors as u64, "sample");
        facts.push(format!("{samples} without a measurement"));
    }
    facts
}
