//! What the page's scripts draw: a block of JSON with every figure beside its
//! text, so that figures are formatted in one place and a page never shows a
//! number that is none.

use serde::Serialize;

use super::drawn::{Quantile, SplitView, TimelineView, css, quantiles};
use crate::analysis::bound;
use crate::analysis::scatter::Scatter;
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
    /// Where it falls: it holds from each step to the next.
    steps: Vec<BoundStep>,
    /// What it is at the measured worker counts, as text.
    texts: Vec<(usize, String)>,
}

/// Workers, seconds, and the seconds that a greedy queue does not exceed, where
/// they are known and more.
type BoundStep = (usize, f64, Option<f64>);

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

/// A figure, what its samples show beside it, and what it is called.
#[derive(Serialize)]
struct Value {
    at: f64,
    /// Each of several samples, where they are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    samples: Vec<f64>,
    /// Where the median lies, where they are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<(f64, f64)>,
    text: String,
}

impl Value {
    fn new(at: f64, samples: &[f64], text: String) -> Self {
        let (samples, interval) = match Scatter::of(samples) {
            Scatter::Each(each) if each.len() > 1 => (each, None),
            Scatter::Each(_) => (Vec::new(), None),
            Scatter::Median { low, high } => {
                (Vec::new(), Some((billionths(low), billionths(high))))
            }
        };
        Self {
            at: billionths(at),
            samples: samples.into_iter().map(billionths).collect(),
            interval,
            text,
        }
    }
}

impl Data {
    pub(super) fn of(summary: &Summary) -> Self {
        let all = Series::all(summary);
        let naming = Naming::of(summary);
        let names = all.iter().map(|series| series.name.as_str());
        let labels = prose::distinct(names, |name| prose::shorten(name, LONGEST_NAME));
        Self {
            bounds: bounds(summary, &all),
            series: all
                .iter()
                .map(|series| {
                    let label = labels[&series.name].clone();
                    SeriesView::of(series, label, &naming, summary)
                })
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
    let (Some(least), Some(most)) = (workers.first(), workers.last()) else {
        return Vec::new();
    };
    let sizes = prose::requests(summary);
    let bound = |requests: &usize| {
        let name = prose::bound_name(summary);
        let steps = model.steps(*requests, *least as usize, *most as usize);
        let text = |workers: &f64| {
            let workers = *workers as usize;
            let bound = model.bound(*requests, workers);
            let text = units::plain_seconds(bound.seconds);
            let text = match above(&bound) {
                Some(ceiling) => {
                    let ceiling = units::seconds(ceiling);
                    format!("{text}, a greedy queue at most {ceiling}")
                }
                None => text,
            };
            (bound.seconds > 0.0).then_some((workers, text))
        };
        Bound {
            name: match sizes.len() {
                1 => name.to_owned(),
                _ => format!("{name}, N={requests}"),
            },
            steps: steps
                .iter()
                .filter(|(_, bound)| bound.seconds > 0.0)
                .map(|(workers, bound)| {
                    let ceiling = above(bound).map(billionths);
                    (*workers, billionths(bound.seconds), ceiling)
                })
                .collect(),
            texts: workers.iter().filter_map(text).collect(),
        }
    };
    let bounds = sizes.iter().map(bound);
    bounds.filter(|bound| !bound.steps.is_empty()).collect()
}

/// The ceiling of a bound, where it is more than the bound.
fn above(bound: &bound::Bound) -> Option<f64> {
    let ceiling = bound.ceiling_s;
    ceiling.filter(|ceiling| *ceiling > bound.seconds * 1.001)
}

impl SeriesView {
    fn of(series: &Series<'_>, name: String, naming: &Naming, summary: &Summary) -> Self {
        let Look {
            colour,
            marker,
            dash,
        } = series.look;
        Self {
            name,
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
        let (warm, each) = (figures.warm_s.median, &figures.each);
        let mebibytes = |bytes: &u64| series::mebibytes(*bytes);
        Self {
            workers,
            facts: facts(row, figures, naming),
            whole: row.compares(),
            runtime: Value::new(warm, &each.warm_s, units::seconds(warm)),
            gap: figures
                .gap
                .map(|gap| Value::new(gap, &series::gaps(row, figures), units::percent(gap))),
            cpu: Value::new(figures.cpu_s, &each.cpu_s, units::seconds(figures.cpu_s)),
            memory: figures.peak_rss_bytes.map(|bytes| {
                let each: Vec<f64> = each.peak_rss_bytes.iter().map(mebibytes).collect();
                Value::new(mebibytes(&bytes), &each, units::bytes(bytes))
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
