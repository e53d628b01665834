//! The summary: a row a cell, from which every exporter draws, so that a
//! table, a plot and a CSV file of one record can never disagree.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::analysis::bound::{self, ServiceTime};
use crate::analysis::statistics::{Spread, median_count};
use crate::record::{
    Cell, Ending, FailureCount, Measurement, Record, Sample, SampleResult, Session,
};

/// A runtime may fall below its bound by this fraction before a note says so:
/// timers are not finer.
const UNDER_BOUND: f64 = -0.001;

/// What a record says, a row a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What was asked, of which server, on which machine.
    pub session: Session,
    /// How the session ended.
    pub ending: Ending,
    /// The service time that the bounds are computed from, where one is known.
    pub service: Option<ServiceTime>,
    /// A row a cell. Those whose every request succeeded come first, then
    /// those with failures, then those without a measurement; the fastest
    /// first in each.
    pub rows: Vec<Row>,
    /// The place in `rows` of the lowest median warm runtime among the cells
    /// whose every request succeeded in every sample. `None` without such.
    pub best: Option<usize>,
    /// What a reader should know: the session's notes, then this summary's.
    pub notes: Vec<String>,
}

/// One cell's figures over all of its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The setting.
    pub cell: Cell,
    /// The lower bound for the workers that the strategy can use, in seconds.
    /// `None` where no service time is known.
    pub bound_s: Option<f64>,
    /// The figures. `None` where no sample was measured.
    pub figures: Option<Figures>,
    /// Samples that came to no measurement.
    pub errors: usize,
    /// Why the first of those did not.
    pub first_error: Option<String>,
}

/// What a cell's measured samples say. Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Samples that were measured, at least 1.
    pub samples: usize,
    /// The warm runtime.
    pub warm_s: Spread,
    /// The median cold runtime.
    pub cold_s: f64,
    /// `warm_s.median / bound_s − 1`. `None` where the bound is 0 or unknown,
    /// and where requests failed: the bound is that of N good answers.
    pub gap: Option<f64>,
    /// Requests that succeeded in the worst sample, the one with the most
    /// failures: a failure in one sample of ten must not vanish in a median.
    pub ok: u64,
    /// Requests that failed in that sample; `ok + failed` is the cell's
    /// requests.
    pub failed: u64,
    /// Those failures by kind.
    pub failures: Vec<FailureCount>,
    /// Median CPU time of the strategy and its processes.
    pub cpu_s: f64,
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
}

impl Summary {
    /// Summarises a record. Takes any record: one without samples gives no
    /// rows, and a sample whose times or counts cannot be (a time that is no
    /// number, requests that do not add up) counts as an error.
    pub fn of(record: &Record) -> Self {
        let service = ServiceTime::of(record);
        let mut rows: Vec<Row> = by_cell(&record.samples)
            .into_iter()
            .map(|(cell, samples)| Row::of(cell, &samples, service))
            .collect();
        rows.sort_by(Row::order);
        let best = rows
            .first()
            .is_some_and(Row::every_request_succeeded)
            .then_some(0);
        let mut notes = record.session.notes.clone();
        notes.extend(findings(record, service, &rows));
        Self {
            session: record.session.clone(),
            ending: record.ending,
            service,
            rows,
            best,
            notes,
        }
    }

    /// The best row, see [`Summary::best`].
    pub fn best_row(&self) -> Option<&Row> {
        self.best.and_then(|index| self.rows.get(index))
    }

    /// Whether a sample was measured at all.
    pub fn has_figures(&self) -> bool {
        self.rows.iter().any(|row| row.figures.is_some())
    }
}

impl Row {
    fn of(cell: &Cell, samples: &[&Sample], service: Option<ServiceTime>) -> Self {
        let bound_s = service
            .map(|service| bound::lower_bound(cell.requests, cell.workers_usable, service.seconds));
        let mut measured = Vec::new();
        let mut reasons = Vec::new();
        for sample in samples {
            match &sample.result {
                SampleResult::Measured(measurement) => match contradiction(cell, measurement) {
                    None => measured.push(measurement),
                    Some(reason) => reasons.push(reason),
                },
                SampleResult::Error(reason) => reasons.push(reason.clone()),
            }
        }
        Self {
            cell: cell.clone(),
            bound_s,
            figures: Figures::of(&measured, bound_s),
            errors: reasons.len(),
            first_error: reasons.into_iter().next(),
        }
    }

    /// Whether every sample was measured and every request in it succeeded.
    pub fn every_request_succeeded(&self) -> bool {
        self.errors == 0
            && self
                .figures
                .as_ref()
                .is_some_and(|figures| figures.failed == 0)
    }

    /// Whole cells before failing before unmeasured ones, the fastest first;
    /// among equally fast ones the fewest workers, then by name.
    fn order(a: &Self, b: &Self) -> Ordering {
        let class = |row: &Self| match &row.figures {
            Some(_) if row.every_request_succeeded() => 0,
            Some(_) => 1,
            None => 2,
        };
        let warm = |row: &Self| {
            row.figures
                .as_ref()
                .map_or(0.0, |figures| figures.warm_s.median)
        };
        class(a)
            .cmp(&class(b))
            .then_with(|| warm(a).total_cmp(&warm(b)))
            .then_with(|| a.cell.workers.cmp(&b.cell.workers))
            .then_with(|| a.cell.cmp(&b.cell))
    }
}

impl Figures {
    fn of(measured: &[&Measurement], bound_s: Option<f64>) -> Option<Self> {
        let worst = measured
            .iter()
            .rev()
            .max_by_key(|measurement| measurement.failed())?;
        let times = |of: fn(&Measurement) -> f64| Spread::of(measured.iter().map(|m| of(m)));
        let counts = |of: fn(&Measurement) -> u64| {
            median_count(measured.iter().map(|m| of(m))).unwrap_or_default()
        };
        let known = |count: u64| (count > 0).then_some(count);
        let warm_s = times(|m| m.warm_s)?;
        Some(Self {
            samples: measured.len(),
            warm_s,
            cold_s: times(|m| m.cold_s)?.median,
            gap: bound_s
                .filter(|_| worst.failed() == 0)
                .and_then(|bound_s| bound::gap(warm_s.median, bound_s)),
            ok: worst.ok,
            failed: worst.failed(),
            failures: worst.failures.clone(),
            cpu_s: times(|m| m.cpu_s)?.median,
            peak_rss_bytes: known(counts(|m| m.peak_rss_bytes)),
            threads: known(counts(|m| m.threads)),
            processes: counts(|m| m.processes),
            connections: counts(|m| m.connections),
            most_in_flight: counts(|m| m.most_in_flight),
        })
    }
}

/// The samples of each cell, cells in the order in which they appear first.
fn by_cell(samples: &[Sample]) -> Vec<(&Cell, Vec<&Sample>)> {
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

/// Why a measurement cannot be right, if it cannot.
fn contradiction(cell: &Cell, measurement: &Measurement) -> Option<String> {
    let times = [measurement.warm_s, measurement.cold_s, measurement.cpu_s];
    if let Some(time) = times.into_iter().find(|time| !bound::is_time(*time)) {
        return Some(format!("the record holds {time} s as a time"));
    }
    let accounted = measurement.ok.saturating_add(measurement.failed());
    (accounted != cell.requests as u64).then(|| {
        format!(
            "the record accounts for {accounted} of {} requests",
            cell.requests
        )
    })
}

/// What the figures themselves give a reader to know.
fn findings(record: &Record, service: Option<ServiceTime>, rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    if record.session.receipt.profile == "debug" {
        notes.push(
            "measured with a debug build: use a release build for figures that count".to_owned(),
        );
    }
    match record.ending {
        Ending::Complete => {}
        Ending::Interrupted => notes.push(
            "the session was stopped before its end: these are the samples taken until then"
                .to_owned(),
        ),
        Ending::CutOff => notes
            .push("the record is cut off: these are the samples that stand before that".to_owned()),
    }
    if !rows.is_empty() && rows.iter().all(|row| row.figures.is_none()) {
        notes.push("no sample was measured, so there is nothing to plot".to_owned());
    }
    notes.extend(under_the_bound(record, service, rows));
    notes
}

/// A runtime that beats a bound shows that the stated service time is wrong.
fn under_the_bound(record: &Record, service: Option<ServiceTime>, rows: &[Row]) -> Option<String> {
    let gap = |row: &Row| row.figures.as_ref().and_then(|figures| figures.gap);
    let row = rows
        .iter()
        .filter(|row| {
            row.every_request_succeeded() && gap(row).is_some_and(|gap| gap < UNDER_BOUND)
        })
        .min_by(|a, b| gap(a).unwrap_or(0.0).total_cmp(&gap(b).unwrap_or(0.0)))?;
    let fastest = ServiceTime::fastest(record)?;
    Some(format!(
        "{} ran {:.1} % under the lower bound: the server answers faster than the stated {} s \
         (the fastest answer took {:.6} s), so bounds and gaps here are not to be trusted",
        row.cell,
        -100.0 * gap(row)?,
        service?.seconds,
        fastest.seconds,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Summary;
    use crate::analysis::bound::Source;
    use crate::analysis::fixture::{RecordBuilder, measured, sweep};
    use crate::record::Ending;

    #[test]
    fn a_row_has_the_median_the_range_and_the_gap() {
        let record = RecordBuilder::new()
            .sample("tokio", 3, measured(100, 6.90))
            .sample("tokio", 3, measured(100, 6.82))
            .sample("tokio", 3, measured(100, 6.84))
            .build();
        let summary = Summary::of(&record);
        let row = &summary.rows[0];
        let figures = row.figures.as_ref().expect("figures");
        assert_eq!(figures.samples, 3);
        let warm = figures.warm_s;
        assert_eq!((warm.min, warm.median, warm.max), (6.82, 6.84, 6.90));
        assert_eq!(row.bound_s, Some(34.0 * 0.2));
        let gap = figures.gap.expect("a gap");
        assert!((gap - (6.84 / 6.8 - 1.0)).abs() < 1e-12);
        assert_eq!(summary.best, Some(0));
    }

    #[test]
    fn the_bound_counts_only_workers_that_can_be_used() {
        let record = RecordBuilder::new()
            .sample("sequential", 20, measured(100, 20.1))
            .build();
        assert_eq!(Summary::of(&record).rows[0].bound_s, Some(20.0));
    }

    #[test]
    fn a_failure_in_one_sample_is_not_lost_in_the_others() {
        let record = RecordBuilder::new()
            .sample("tokio", 5, measured(100, 4.0))
            .sample(
                "tokio",
                5,
                measured(100, 1.0).failed(60, "status").failed(2, "body"),
            )
            .sample("tokio", 5, measured(100, 4.0).failed(1, "timeout"))
            .build();
        let summary = Summary::of(&record);
        let figures = summary.rows[0].figures.as_ref().expect("figures");
        assert_eq!((figures.ok, figures.failed), (38, 62));
        let kinds: Vec<_> = figures.failures.iter().map(|f| f.kind.as_str()).collect();
        assert_eq!(kinds, ["status", "body"]);
        assert_eq!(summary.best, None);
    }

    #[test]
    fn fast_failures_do_not_win() {
        let record = RecordBuilder::new()
            .error("rayon", 100, "too many open files")
            .sample("tokio", 50, measured(100, 0.1).failed(100, "connect"))
            .sample("thread-pool", 2, measured(100, 10.1))
            .sample("thread-pool", 3, measured(100, 6.9))
            .error("thread-pool", 3, "it did not come back")
            .build();
        let summary = Summary::of(&record);
        let order: Vec<_> = summary
            .rows
            .iter()
            .map(|row| row.cell.to_string())
            .collect();
        assert_eq!(
            order,
            [
                "thread-pool + ureq, w=2",
                "tokio + hyper, w=50",
                "thread-pool + ureq, w=3",
                "rayon + ureq, w=100",
            ]
        );
        assert_eq!(summary.best, Some(0));
        assert_eq!(summary.rows[2].errors, 1);
        assert_eq!(
            summary.rows[3].first_error.as_deref(),
            Some("too many open files")
        );
    }

    #[test]
    fn among_equally_fast_cells_the_fewest_workers_win() {
        let record = RecordBuilder::new()
            .sample("tokio", 50, measured(100, 0.4))
            .sample("tokio", 20, measured(100, 0.4))
            .build();
        let summary = Summary::of(&record);
        assert_eq!(summary.best_row().expect("a best row").cell.workers, 20);
    }

    #[test]
    fn nothing_measured_leaves_nothing_best() {
        let empty = Summary::of(&RecordBuilder::new().build());
        assert!(empty.rows.is_empty() && empty.best.is_none());
        let failed = Summary::of(&RecordBuilder::new().error("tokio", 1, "no").build());
        assert_eq!(failed.best, None);
        assert!(!failed.has_figures());
        assert!(failed.notes[0].contains("no sample was measured"));
    }

    #[test]
    fn what_cannot_be_is_an_error_and_not_a_figure() {
        let mut record = RecordBuilder::new()
            .sample("tokio", 1, measured(100, f64::NAN))
            .sample("rayon", 1, measured(100, 20.1))
            .build();
        record.samples[1].cell.requests = 90;
        let summary = Summary::of(&record);
        assert!(!summary.has_figures());
        let reasons: Vec<_> = summary
            .rows
            .iter()
            .filter_map(|row| row.first_error.as_deref())
            .collect();
        assert!(
            reasons.contains(&"the record holds NaN s as a time"),
            "{reasons:?}"
        );
        assert!(
            reasons.contains(&"the record accounts for 100 of 90 requests"),
            "{reasons:?}"
        );
    }

    #[test]
    fn without_delay_there_is_a_bound_of_zero_and_no_gap() {
        let record = RecordBuilder::new()
            .service(Some(0.0))
            .sample("tokio", 20, measured(100, 0.002))
            .build();
        let row = &Summary::of(&record).rows[0];
        assert_eq!(row.bound_s, Some(0.0));
        assert_eq!(row.figures.as_ref().expect("figures").gap, None);
    }

    #[test]
    fn an_unstated_service_time_is_labelled_as_measured() {
        let record = RecordBuilder::new()
            .service(None)
            .sample("tokio", 20, measured(100, 1.1).latency(0.21))
            .build();
        let service = Summary::of(&record).service.expect("a service time");
        assert_eq!(service.source, Source::Fastest { answers: 100 });
        assert_eq!(service.source.to_string(), "the fastest of 100 answers");
    }

    #[test]
    fn a_runtime_under_the_bound_is_called_out() {
        let record = RecordBuilder::new()
            .service(Some(0.3))
            .sample("tokio", 100, measured(100, 0.21).latency(0.2))
            .build();
        let notes = Summary::of(&record).notes;
        assert!(
            notes[0].contains("30.0 % under the lower bound"),
            "{notes:?}"
        );
    }

    #[test]
    fn an_unfinished_session_says_so_after_its_own_notes() {
        let record = RecordBuilder::new()
            .session(|session| session.notes.push("mind this".to_owned()))
            .ending(Ending::Interrupted)
            .build();
        let notes = Summary::of(&record).notes;
        assert_eq!(notes[0], "mind this");
        assert!(notes[1].contains("stopped before its end"));
    }

    #[test]
    fn a_sweep_has_a_row_a_cell() {
        let summary = Summary::of(&sweep());
        assert_eq!(summary.rows.len(), 41);
        let best = summary.best_row().expect("a best row");
        assert_eq!(best.cell.to_string(), "tokio + hyper, w=100");
    }

    proptest! {
        #[test]
        fn every_row_adds_up_and_holds_numbers(
            runs in prop::collection::vec((0..3_usize, 1..60_usize, 0.0..30.0_f64, 0..=20_u64), 0..40),
            service in prop::option::of(0.0..1.0_f64),
        ) {
            let mut record = RecordBuilder::new().service(service);
            for (strategy, workers, warm_s, failed) in runs {
                let run = measured(20, warm_s).failed(failed, "status");
                record = record.sample(["tokio", "rayon", "sequential"][strategy], workers, run);
            }
            let summary = Summary::of(&record.build());
            for row in &summary.rows {
                let figures = row.figures.as_ref().expect("measured");
                prop_assert_eq!(figures.ok + figures.failed, row.cell.requests as u64);
                prop_assert!(figures.gap.is_none_or(f64::is_finite));
                prop_assert!(row.bound_s.is_none_or(f64::is_finite));
            }
            let whole = |row: &&super::Row| row.every_request_succeeded();
            let fastest = summary.rows.iter().filter(whole)
                .filter_map(|row| row.figures.as_ref())
                .map(|figures| figures.warm_s.median)
                .reduce(f64::min);
            let best = summary.best_row().and_then(|row| row.figures.as_ref());
            prop_assert_eq!(best.map(|figures| figures.warm_s.median), fastest);
        }
    }
}
