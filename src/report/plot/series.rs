//! What a plot over worker counts draws of a summary: its rows by strategy.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Summary;
use crate::analysis::bound;
use crate::analysis::scatter::Scatter;
use crate::analysis::summary::{Figures, Row};
use crate::report::plot::layout;
use crate::report::plot::panel::{Line, Point};
use crate::report::plot::style::Look;
use crate::report::prose::Naming;

/// The least runtime that a logarithmic axis shows, in seconds.
const LEAST: f64 = 1e-9;

/// Names that look the same in every plot, so that two can be laid side by
/// side; others take what is left, in order.
const KNOWN: [&str; 6] = [
    "async-std",
    "multiprocess",
    "rayon",
    "thread-pool",
    "tokio",
    "smol",
];

/// The cells of one strategy, or of one of its clients, by worker count.
pub(in crate::report) struct Series<'a> {
    pub(in crate::report) name: String,
    /// The name as plots have room for it.
    pub(in crate::report) label: String,
    pub(in crate::report) look: Look,
    /// Rows with figures, by ascending worker count, at least one.
    pub(in crate::report) rows: Vec<&'a Row>,
    /// Whether it runs on one worker while others run on more.
    pub(in crate::report) single: bool,
    /// Whether it was given more workers than it can use.
    pub(in crate::report) refuses: bool,
}

impl<'a> Series<'a> {
    /// The series of a summary by name.
    pub(in crate::report) fn all(summary: &'a Summary) -> Vec<Self> {
        let naming = Naming::of(summary);
        let most = summary.rows.iter().map(|row| row.cell.workers).max();
        let mut named: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
        for row in &summary.rows {
            named.entry(naming.short(&row.cell)).or_default().push(row);
        }
        let mut all = Vec::new();
        for rows in named.values_mut() {
            rows.retain(|row| row.figures.is_some());
        }
        named.retain(|_, rows| !rows.is_empty());
        let strategies = named.values().map(|rows| rows[0].cell.strategy.as_str());
        let mut places = Places::of(strategies);
        let labels = layout::labels(named.keys().map(String::as_str));
        let mut singles = 0..;
        for (name, mut rows) in named {
            let single = most > Some(1) && rows.iter().all(|row| row.cell.workers_usable == 1);
            let refuses = rows
                .iter()
                .any(|row| row.cell.workers > row.cell.workers_usable);
            rows.sort_by_key(|row| row.cell.workers);
            let look = match single {
                true => Look::single(singles.next().unwrap_or(0)),
                false => places.look(&rows[0].cell.strategy),
            };
            all.push(Self {
                label: labels[&name].clone(),
                name,
                look,
                rows,
                single,
                refuses,
            });
        }
        // Drawn last, small and on top of what it shares its point with.
        all.sort_by_key(|series| series.single);
        all
    }

    /// Where a row stands on the axis.
    pub(in crate::report) fn workers(&self, row: &Row) -> usize {
        if self.single { 1 } else { row.cell.workers }
    }

    /// The measured values as a line. `of` gives a value, and that of each
    /// sample.
    fn line(&self, of: impl Fn(&Row, &Figures) -> Option<(f64, Vec<f64>)>) -> Line {
        let mut found: Vec<(f64, f64, Vec<f64>, bool)> = Vec::new();
        for row in &self.rows {
            let Some(figures) = &row.figures else {
                continue;
            };
            let Some((value, samples)) = of(row, figures) else {
                continue;
            };
            let workers = self.workers(row) as f64;
            // A strategy of one worker that was measured under several counts
            // did the same each time: one point, with the samples of all.
            match found.last_mut() {
                Some((there, _, already, _)) if *there == workers => already.extend(samples),
                _ => found.push((workers, value, samples, row.compares())),
            }
        }
        let points = found
            .into_iter()
            .map(|(workers, value, samples, whole)| Point {
                workers,
                value,
                scatter: Scatter::of(&samples),
                whole,
            });
        Line {
            label: self.label.clone(),
            look: self.look,
            points: points.collect(),
            dodge: 0.0,
            joined: !self.single,
        }
    }

    /// Warm runtime in seconds.
    pub(super) fn runtimes(&self) -> Line {
        self.line(|_, figures| {
            let least = |seconds: &f64| seconds.max(LEAST);
            let each = figures.each.warm_s.iter().map(least).collect();
            Some((least(&figures.warm_s.median), each))
        })
    }

    /// Gap as a fraction of the bound; without points where there is none.
    pub(super) fn gaps(&self) -> Line {
        self.line(|row, figures| Some((figures.gap?, gaps(row, figures))))
    }

    /// CPU time in seconds; without points where the system told none.
    pub(super) fn cpu(&self) -> Line {
        self.line(|_, figures| {
            let each = &figures.each.cpu_s;
            let told = each.iter().all(|seconds| *seconds > 0.0);
            told.then(|| (figures.cpu_s, each.clone()))
        })
    }

    /// Peak memory in MiB; without points where the system did not tell.
    pub(super) fn memory(&self) -> Line {
        self.line(|_, figures| {
            let each = &figures.each.peak_rss_bytes;
            let told = each.iter().all(|bytes| *bytes > 0);
            let median = mebibytes(figures.peak_rss_bytes?);
            told.then(|| (median, each.iter().copied().map(mebibytes).collect()))
        })
    }
}

/// The gap of each sample.
pub(in crate::report) fn gaps(row: &Row, figures: &Figures) -> Vec<f64> {
    let of_sample = |runtime: &f64| bound::gap(*runtime, row.bound_s?);
    figures.each.warm_s.iter().filter_map(of_sample).collect()
}

/// Bytes in MiB.
pub(in crate::report) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Which look is whose: a strategy has a colour, and its clients the markers.
struct Places {
    /// Each strategy's place, and how many of its lines have a look.
    taken: BTreeMap<String, (usize, usize)>,
}

impl Places {
    fn of<'s>(strategies: impl Iterator<Item = &'s str>) -> Self {
        let names: BTreeSet<&str> = strategies.collect();
        let known = |name: &str| KNOWN.iter().position(|known| *known == name);
        let kept: BTreeSet<usize> = names.iter().filter_map(|name| known(name)).collect();
        let mut free = (0..).filter(|place| !kept.contains(place));
        let places = names.into_iter().filter_map(|name| {
            let place = known(name).or_else(|| free.next())?;
            Some((name.to_owned(), (place, 0)))
        });
        Self {
            taken: places.collect(),
        }
    }

    /// The look of a strategy's next line.
    fn look(&mut self, strategy: &str) -> Look {
        let Some((place, variant)) = self.taken.get_mut(strategy) else {
            return Look::nth(0);
        };
        let look = Look::variant(*place, *variant);
        *variant += 1;
        look
    }
}

/// The worker counts that series have points at, ascending.
pub(in crate::report) fn workers(series: &[Series<'_>]) -> Vec<f64> {
    let mut workers: Vec<usize> = series
        .iter()
        .flat_map(|series| series.rows.iter().map(|row| series.workers(row)))
        .collect();
    workers.sort_unstable();
    workers.dedup();
    workers
        .into_iter()
        .map(|workers| workers.max(1) as f64)
        .collect()
}
