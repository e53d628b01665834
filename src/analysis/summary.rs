//! The summary: a row a cell, from which every exporter draws, so that a
//! table, a plot and a CSV file of one record can never disagree.

pub(super) mod choice;
mod findings;
mod profiles;
mod runtimes;
mod usage;

pub use profiles::DifferentMachines;
pub use runtimes::{Confirmation, Runtimes};
pub use usage::{EachSample, FailedBy, ServerFigures, UsageFigures};

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::analysis::bound::{self, Constraint, Model, ServiceTime};
use crate::analysis::failures::{self, Failed};
use crate::analysis::latency::Latencies;
use crate::analysis::recommend::{Basis, Recommendation};
use crate::analysis::sampled::Sampled;
use crate::analysis::split::{Ideal, Split};
use crate::analysis::statistics::{Sorted, Spread, median_count};
use crate::analysis::timeline::Timeline;
use crate::record::{Cell, Ending, FailureCount, Measurement, Purpose, Record, Sample, Session};

/// What a record says, a row a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What tells it from others that it stands beside: a profile's name, or a
    /// record's. `None` where it stands alone.
    pub name: Option<String>,
    /// What was asked, of which server, on which machine.
    pub session: Session,
    /// How the session ended.
    pub ending: Ending,
    /// The service time that the bounds are computed from, where one is known.
    pub service: Option<ServiceTime>,
    /// A row a cell. Those that fail no more than the best come first, then
    /// those that fail more, then those without a measurement; the fastest
    /// first in each.
    pub rows: Vec<Row>,
    /// The place in `rows` of the lowest median warm runtime among the cells
    /// that fail no more than the best. `None` where no cell compares.
    pub best: Option<usize>,
    /// Single samples, worker by worker: of the best row, or else of the first
    /// with figures, and of one with dispatch `chunked` where there is one.
    pub timelines: Vec<Timeline>,
    /// Which row to use, and why. `None` where no cell compares.
    pub recommendation: Option<Recommendation>,
    /// What a reader should know: the session's notes, then this summary's.
    pub notes: Vec<String>,
    /// Of a record with several profiles, or of records side by side, the summary
    /// of each; empty otherwise.
    /// `rows` are then theirs, one profile's after the other's, and `best` and
    /// `service` those of the first that has any.
    pub profiles: Vec<Summary>,
}

/// One cell's figures over all of its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The setting.
    pub cell: Cell,
    /// The lower bound for the workers that the strategy can use, in seconds.
    /// `None` where no service time is known.
    pub bound_s: Option<f64>,
    /// What a greedy queue never exceeds, in seconds, see [`Bound`].
    ///
    /// [`Bound`]: crate::analysis::bound::Bound
    pub ceiling_s: Option<f64>,
    /// What decides the lower bound.
    pub constraint: Option<Constraint>,
    /// The figures. `None` where no sample was measured.
    pub figures: Option<Figures>,
    /// Samples that came to no measurement.
    pub errors: usize,
    /// Why the first of those did not.
    pub first_error: Option<String>,
    /// Whether it fails or loses samples more than the best cells do, by more than
    /// chance explains, or has no good answer in most of its samples: then its times do
    /// not compare.
    pub fails_more: bool,
    /// How it was sampled.
    pub sampled: Sampled,
    /// What samples say that were taken after the cell was chosen. No other figure of
    /// the row has them in it. `None` without such.
    pub confirmation: Option<Confirmation>,
    /// Whether its strategy rests on what its maintainers have given up.
    pub discontinued: bool,
}

/// What a cell's measured samples say. Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Samples that were measured, at least 1.
    pub samples: usize,
    /// Those of them in which a request succeeded.
    pub answered: usize,
    /// Those of them whose times count: the ones without failures; where there is
    /// none, those with few; or else all.
    pub timed: usize,
    /// The warm runtime.
    pub warm_s: Spread,
    /// The cold runtime.
    pub cold_s: Spread,
    /// Both runtimes, sample by sample.
    pub runtimes: Runtimes,
    /// `warm_s.median / bound_s − 1`. `None` where the bound is 0 or unknown,
    /// and where requests failed: the bound is that of N good answers.
    pub gap: Option<f64>,
    /// What lies between the bound and the runtime. `None` where the bound is
    /// unknown, where requests failed, and where the times of the requests do
    /// not make up a run.
    pub split: Option<Split>,
    /// How the latencies of the good answers are distributed; `None` without
    /// one.
    pub latencies: Option<Latencies>,
    /// Requests that succeeded in the worst sample, the one with the most
    /// failures: a failure in one sample of ten must not vanish in a median.
    pub ok: u64,
    /// Requests that failed in that sample; `ok + failed` is the cell's
    /// requests.
    pub failed: u64,
    /// Those failures by kind and status.
    pub failures: Vec<FailureCount>,
    /// The failures of all samples together.
    pub pooled: Failed,
    /// Median CPU time of the strategy and its processes.
    pub cpu_s: f64,
    /// The median of what of it building took; `None` where a sample does not
    /// tell.
    pub build_cpu_s: Option<f64>,
    /// The median of what of it the run took; `None` where a sample does not tell.
    pub run_cpu_s: Option<f64>,
    /// The failures of all samples by kind and status.
    pub failed_by: Vec<FailedBy>,
    /// Attempts that failed and were made again, of all samples, by kind and status.
    pub retries: Vec<FailedBy>,
    /// What else was used.
    pub usage: UsageFigures,
    /// Median peak memory. `None` where the system did not tell.
    pub peak_rss_bytes: Option<u64>,
    /// Median of the threads. `None` where the system did not tell.
    pub threads: Option<u64>,
    /// Median of the processes started.
    pub processes: u64,
    /// Median of the connections opened.
    pub connections: u64,
    /// Median of the most requests in flight.
    pub most_in_flight: u64,
    /// What the server says, where it is the bundled one.
    pub server: Option<ServerFigures>,
    /// What plots show beside the medians.
    pub each: EachSample,
}

impl Summary {
    /// Summarises a record. Takes any record: one without samples gives no
    /// rows, and a sample whose times or counts cannot be (a time that is no
    /// number, requests that do not add up) counts as an error.
    pub fn of(record: &Record) -> Self {
        if record.session.others.is_empty() {
            Self::of_one(record)
        } else {
            profiles::summary(record)
        }
    }

    /// The summary of a record with one profile.
    fn of_one(record: &Record) -> Self {
        let service = ServiceTime::of(record);
        let model = service.map(|service| Model::new(&record.session, service));
        let is = |confirms: bool| {
            let samples = record.samples.iter();
            samples.filter(move |sample| sample.taken.confirms == confirms)
        };
        let cells = by_cell(is(false));
        let mut rows: Vec<Row> = cells
            .iter()
            .map(|(cell, samples)| Row {
                sampled: Sampled::of(record, samples),
                discontinued: record.session.is_discontinued(cell),
                ..Row::of(cell, samples, model.as_ref())
            })
            .collect();
        for (cell, samples) in by_cell(is(true)) {
            if let Some(row) = rows.iter_mut().find(|row| row.cell == *cell) {
                row.confirmation = Confirmation::of(cell, &samples);
            }
        }
        failures::judge(&mut rows, record.session.max_failures);
        rows.sort_by(Row::order);
        let best = rows.first().is_some_and(Row::compares).then_some(0);
        let unmeasured = choice::unmeasured(&record.session.planned, &rows);
        let mut notes = record.session.notes.clone();
        notes.extend(findings::of(record, service, &rows));
        notes.extend(findings::unmeasured(&unmeasured));
        let recommendation = Recommendation::of(&Basis {
            session: &record.session,
            ending: record.ending,
            model,
            rows: &rows,
            unmeasured: &unmeasured,
        });
        Self {
            name: None,
            session: record.session.clone(),
            ending: record.ending,
            service,
            timelines: choice::timelines(&cells, &rows, best),
            rows,
            best,
            recommendation,
            notes,
            profiles: Vec::new(),
        }
    }

    /// The best row, see [`Summary::best`].
    pub fn best_row(&self) -> Option<&Row> {
        self.best.and_then(|index| self.rows.get(index))
    }

    /// The summary of a cell's profile; this one, where it has one profile.
    pub fn of_cell(&self, cell: &Cell) -> &Self {
        let its = |one: &&Self| one.name == cell.profile;
        self.profiles.iter().find(its).unwrap_or(self)
    }

    /// Whether a row is the best one: of its profile, where there are several.
    pub fn is_best(&self, index: usize) -> bool {
        self.is_place(index, |profile| profile.best)
    }

    /// Whether a row is the recommended one: of its profile, where there are
    /// several.
    pub fn is_recommended(&self, index: usize) -> bool {
        let place = |summary: &Self| summary.recommendation.as_ref().map(|advice| advice.row);
        self.is_place(index, place)
    }

    fn is_place(&self, index: usize, place: impl Fn(&Self) -> Option<usize>) -> bool {
        if self.profiles.is_empty() {
            return place(self) == Some(index);
        }
        let mut first = 0;
        self.profiles.iter().any(|profile| {
            let place = place(profile).map(|place| first + place);
            first += profile.rows.len();
            place == Some(index)
        })
    }

    /// What is known of the server and the machine, and so the bound at any
    /// worker count. `None` where no service time is known.
    pub fn model(&self) -> Option<Model> {
        let model = |service| Model::new(&self.session, service);
        self.service.map(model)
    }

    /// Whether a sample was measured at all.
    pub fn has_figures(&self) -> bool {
        self.rows.iter().any(|row| row.figures.is_some())
    }
}

impl Row {
    fn of(cell: &Cell, samples: &[&Sample], model: Option<&Model>) -> Self {
        let bound = model.map(|model| model.bound(cell.requests, cell.workers_usable));
        let ideal = model.map(|model| Ideal::new(model, cell.requests, cell.workers_usable));
        let (measured, reasons) = choice::sorted_out(cell, samples);
        Self {
            cell: cell.clone(),
            bound_s: bound.map(|bound| bound.seconds),
            ceiling_s: bound.and_then(|bound| bound.ceiling_s),
            constraint: bound.map(|bound| bound.constraint),
            figures: Figures::of(cell, &measured, ideal),
            errors: reasons.len(),
            first_error: reasons.into_iter().next(),
            fails_more: false,
            sampled: Sampled::default(),
            confirmation: None,
            discontinued: false,
        }
    }

    /// Samples, with a measurement or without.
    pub fn samples(&self) -> usize {
        self.errors + self.figures.as_ref().map_or(0, |figures| figures.samples)
    }

    /// Requests that a worker makes, at most, where each makes as many: 1 where
    /// each request is its worker's first.
    pub fn rounds(&self) -> usize {
        let workers = self.cell.workers_usable.max(1);
        self.cell.requests.div_ceil(workers)
    }

    /// Whether each request is its worker's first, and so has a cost in it that
    /// the later ones of a longer batch do not have.
    pub fn is_first_round(&self) -> bool {
        self.rounds() == 1
    }

    /// Whether every sample was measured and every request in it succeeded.
    pub fn every_request_succeeded(&self) -> bool {
        self.errors == 0
            && self
                .figures
                .as_ref()
                .is_some_and(|figures| figures.failed == 0)
    }

    /// Whether it was measured, and fails no more than the best cells do: then its
    /// times compare.
    pub fn compares(&self) -> bool {
        self.figures.is_some() && !self.fails_more
    }

    /// The runtimes that decide for a purpose. `None` where it was not measured.
    pub(crate) fn judged(&self, purpose: Purpose) -> Option<&Sorted> {
        let figures = self.figures.as_ref()?;
        Some(figures.runtimes.judged(purpose))
    }

    /// The workers that have something to do: no more than there are requests.
    pub(crate) fn workers(&self) -> usize {
        self.cell.workers_usable.min(self.cell.requests)
    }

    /// Whether two cells differ in their workers alone.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.cell.without_workers() == other.cell.without_workers()
    }

    /// Cells that compare before failing before unmeasured ones. The first the
    /// fastest first; failing ones by what they got answered, as a failure can be
    /// fast. Among equals the fewest workers, then by name.
    fn order(a: &Self, b: &Self) -> Ordering {
        let class = |row: &Self| match &row.figures {
            Some(_) if row.compares() => 0,
            Some(_) => 1,
            None => 2,
        };
        let failing = |row: &Self| row.figures.as_ref().map_or(1.0, |f| f.pooled.share());
        let warm = |row: &Self| {
            row.figures
                .as_ref()
                .map_or(0.0, |figures| figures.warm_s.median)
        };
        class(a)
            .cmp(&class(b))
            .then_with(|| match class(a) {
                0 => Ordering::Equal,
                _ => failing(a).total_cmp(&failing(b)),
            })
            .then_with(|| warm(a).total_cmp(&warm(b)))
            .then_with(|| a.cell.workers.cmp(&b.cell.workers))
            .then_with(|| a.cell.cmp(&b.cell))
    }
}

impl Figures {
    /// Attempts, of all samples, that were answered with a status and made again.
    pub(crate) fn retried_with(&self, status: u16) -> u64 {
        let retries = self.retries.iter();
        let retries = retries.filter(|retries| retries.status == Some(status));
        retries.map(|retries| retries.count).sum()
    }

    fn of(cell: &Cell, measured: &[&Measurement], ideal: Option<Ideal>) -> Option<Self> {
        let worst = measured
            .iter()
            .rev()
            .max_by_key(|measurement| measurement.failed())?;
        let good = choice::timed(measured);
        let times = |of: fn(&Measurement) -> f64| Spread::of(good.iter().map(|m| of(m)));
        let counts = |of: fn(&Measurement) -> u64| {
            median_count(measured.iter().map(|m| of(m))).unwrap_or_default()
        };
        let known = |count: u64| (count > 0).then_some(count);
        let warm_s = times(|m| m.warm_s)?;
        let cpu_s = times(|m| m.cpu_s)?;
        let ideal = ideal.filter(|_| worst.failed() == 0);
        Some(Self {
            samples: measured.len(),
            answered: measured.iter().filter(|m| m.ok > 0).count(),
            timed: good.len(),
            warm_s,
            cold_s: times(|m| m.cold_s)?,
            runtimes: Runtimes::of(&good)?,
            gap: ideal.and_then(|ideal| bound::gap(warm_s.median, ideal.bound_s)),
            split: ideal.and_then(|ideal| Split::of(cell, &good, ideal)),
            latencies: Latencies::of(&good),
            ok: worst.ok,
            failed: worst.failed(),
            failures: worst.failures.clone(),
            pooled: Failed::of(measured),
            cpu_s: cpu_s.median,
            build_cpu_s: usage::told(&good, |m| m.build_cpu_s),
            run_cpu_s: usage::told(&good, |m| m.run_cpu_s),
            failed_by: FailedBy::requests(measured),
            retries: FailedBy::retries(measured),
            usage: UsageFigures::of(measured),
            peak_rss_bytes: known(counts(|m| m.peak_rss_bytes)),
            threads: known(counts(|m| m.threads)),
            processes: counts(|m| m.processes),
            connections: counts(|m| m.connections),
            most_in_flight: counts(|m| m.most_in_flight),
            server: ServerFigures::of(measured),
            each: EachSample::of(measured, &good),
        })
    }
}

/// The samples of each cell, cells in the order in which they appear first.
fn by_cell<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<(&'a Cell, Vec<&'a Sample>)> {
    let mut places = BTreeMap::new();
    let mut cells: Vec<(&Cell, Vec<&Sample>)> = Vec::new();
    for sample in samples {
        let place = *places.entry(&sample.cell).or_insert_with(|| {
            cells.push((&sample.cell, Vec::new()));
            cells.len() - 1
        });
        cells[place].1.push(sample);
    }
    cells
}

/// Every time that a measurement holds, in seconds.
fn times(measurement: &Measurement) -> impl Iterator<Item = f64> {
    let of_run = [
        measurement.warm_s,
        measurement.cold_s,
        measurement.cpu_s,
        measurement.user_s,
        measurement.system_s,
        measurement.connecting_s,
        measurement.build_cpu_s.unwrap_or(0.0),
        measurement.run_cpu_s.unwrap_or(0.0),
        measurement.local_server_cpu_s.unwrap_or(0.0),
    ];
    let of_server = measurement.server.into_iter().flat_map(|server| {
        [
            server.cpu_s,
            server.run_cpu_s.unwrap_or(0.0),
            server.lateness_p50_s,
            server.lateness_p99_s,
            server.lateness_mean_s,
            server.held_mean_s,
        ]
    });
    let (outcomes, retried) = (&measurement.outcomes, &measurement.retried);
    let of_requests = [
        &outcomes.started_s,
        &outcomes.latency_s,
        &outcomes.held_s,
        &retried.started_s,
        &retried.latency_s,
        &retried.waited_s,
    ];
    let of_requests = of_requests.into_iter().flatten().copied();
    of_run.into_iter().chain(of_server).chain(of_requests)
}

/// Why a measurement cannot be right, if it cannot.
fn contradiction(cell: &Cell, measurement: &Measurement) -> Option<String> {
    if let Some(time) = times(measurement).find(|time| !bound::is_time(*time)) {
        return Some(format!("the record holds {time} s as a time"));
    }
    if measurement.cold_s < measurement.warm_s {
        return Some(format!(
            "the record holds a cold runtime of {} s below the warm one of {} s",
            measurement.cold_s, measurement.warm_s
        ));
    }
    let usable = 1..=cell.workers;
    if cell.requests == 0 || !usable.contains(&cell.workers_usable) {
        return Some(format!(
            "the record holds {} of {} workers and {} requests",
            cell.workers_usable, cell.workers, cell.requests
        ));
    }
    let accounted = measurement.ok.saturating_add(measurement.failed());
    (accounted != cell.requests as u64).then(|| {
        format!(
            "the record accounts for {accounted} of {} requests",
            cell.requests
        )
    })
}

#[cfg(test)]
mod tests;
