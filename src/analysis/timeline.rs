//! What each worker did when, in few enough marks to draw.

use crate::analysis::latency::Latencies;
use crate::record::{Cell, Measurement, Outcomes};

/// The most workers that a timeline shows.
const MOST_LANES: usize = 64;
/// About the most marks that it has, whatever the batch.
const MOST_MARKS: usize = 2_400;

/// One sample of a cell, worker by worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// What was run.
    pub cell: Cell,
    /// The warm runtime in seconds.
    pub runtime_s: f64,
    /// Workers that had a request.
    pub workers: usize,
    /// Some of those, or all, by number: spread evenly, and the one that ended
    /// last among them.
    pub lanes: Vec<Lane>,
    /// A latency of more seconds is slow: more than 3 times the distance of
    /// the quartiles above the upper one (what Tukey, "Exploratory Data
    /// Analysis", 1977, calls far out), 5 % above the median, and longer than a
    /// mark of several requests.
    pub slow_s: f64,
}

/// A worker's part of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// The worker's number, from 0.
    pub worker: u32,
    /// What it did, in order.
    pub marks: Vec<Mark>,
}

/// One request, or several that follow on each other too closely to be drawn
/// apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// The start of the first, in seconds from the start of the run.
    pub from_s: f64,
    /// The end of the last.
    pub to_s: f64,
    /// How many there are.
    pub requests: u64,
    /// The worst of what they were.
    pub kind: MarkKind,
}

/// How a request stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// It does not.
    Usual,
    /// It took longer than [`Timeline::slow_s`].
    Slow,
    /// It failed.
    Failed,
}

impl Timeline {
    /// The timeline of one sample. `None` where its times are not those of
    /// requests.
    pub fn of(cell: &Cell, measurement: &Measurement) -> Option<Self> {
        let outcomes = &measurement.outcomes;
        let lengths = [
            outcomes.started_s.len(),
            outcomes.latency_s.len(),
            outcomes.ok.len(),
        ];
        let times = || outcomes.started_s.iter().chain(&outcomes.latency_s);
        let same = lengths
            .iter()
            .all(|length| *length == outcomes.worker.len());
        if !same || times().any(|time| !time.is_finite()) {
            return None;
        }
        let mut workers = outcomes.worker.clone();
        workers.sort_unstable();
        workers.dedup();
        let shown = shown(&workers, *outcomes.worker.last()?);
        let step_s = match outcomes.worker.len() > MOST_MARKS {
            true => measurement.warm_s / (MOST_MARKS / shown.len().max(1)) as f64,
            false => 0.0,
        };
        // A slow request must not stand for all that share its mark.
        let slow_s = slow_from(measurement).unwrap_or(f64::INFINITY).max(step_s);
        Some(Self {
            cell: cell.clone(),
            runtime_s: measurement.warm_s,
            workers: workers.len(),
            lanes: lanes(outcomes, &shown, slow_s, step_s),
            slow_s,
        })
    }

    /// The most requests that one of its marks stands for.
    pub fn most_in_a_mark(&self) -> u64 {
        let marks = self.lanes.iter().flat_map(|lane| &lane.marks);
        marks.map(|mark| mark.requests).max().unwrap_or(0)
    }
}

/// Workers to show, ascending: all, or evenly spaced ones, with `last` in the
/// place of the nearest.
fn shown(workers: &[u32], last: u32) -> Vec<u32> {
    if workers.len() <= MOST_LANES {
        return workers.to_vec();
    }
    let spread = |lane: usize| workers[lane * (workers.len() - 1) / (MOST_LANES - 1)];
    let mut shown: Vec<u32> = (0..MOST_LANES).map(spread).collect();
    if let Some(nearest) = shown.iter_mut().min_by_key(|worker| worker.abs_diff(last)) {
        *nearest = last;
    }
    shown
}

fn slow_from(measurement: &Measurement) -> Option<f64> {
    let latencies = Latencies::of(&[measurement])?;
    let (lower, upper) = (latencies.percentile(0.25), latencies.percentile(0.75));
    let far_out = upper + 3.0 * (upper - lower);
    Some(far_out.max(1.05 * latencies.percentile(0.5)))
}

/// A worker's outcomes are in the order in which they ended, which is the
/// order in which it made them. Those within a step share a mark.
fn lanes(outcomes: &Outcomes, shown: &[u32], slow_s: f64, step_s: f64) -> Vec<Lane> {
    let lane = |worker: &u32| Lane {
        worker: *worker,
        marks: Vec::new(),
    };
    let mut lanes: Vec<Lane> = shown.iter().map(lane).collect();
    let times = outcomes.started_s.iter().zip(&outcomes.latency_s);
    let whose = outcomes.worker.iter().zip(&outcomes.ok);
    for ((started, latency), (worker, ok)) in times.zip(whose) {
        let Ok(place) = shown.binary_search(worker) else {
            continue;
        };
        let kind = match ok {
            false => MarkKind::Failed,
            true if *latency > slow_s => MarkKind::Slow,
            true => MarkKind::Usual,
        };
        let marks = &mut lanes[place].marks;
        let to_s = started + latency;
        // Two marks are apart by a step, or the first is longer than one: so a
        // lane has two marks a step at the most.
        match marks.last_mut() {
            Some(last) if to_s - last.from_s < step_s && started - last.to_s < step_s => {
                last.to_s = last.to_s.max(to_s);
                last.requests += 1;
                last.kind = last.kind.max(kind);
            }
            _ => marks.push(Mark {
                from_s: *started,
                to_s,
                requests: 1,
                kind,
            }),
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MOST_LANES, MOST_MARKS, MarkKind, Timeline, shown};
    use crate::analysis::fixture;
    use crate::record::{Measurement, Outcomes};

    /// Workers that make requests of these latencies in turn, in rounds.
    fn run(workers: usize, latencies: &[f64]) -> Measurement {
        let mut outcomes = Outcomes::default();
        let mut free = vec![0.0; workers];
        for (index, latency) in latencies.iter().enumerate() {
            let worker = index % workers;
            outcomes.index.push(index as u32);
            outcomes.worker.push(worker as u32);
            outcomes.started_s.push(free[worker]);
            outcomes.latency_s.push(*latency);
            outcomes.ok.push(true);
            free[worker] += latency;
        }
        Measurement {
            warm_s: free.into_iter().fold(0.0, f64::max),
            outcomes,
            ..Measurement::default()
        }
    }

    fn timeline(workers: usize, run: &Measurement) -> Timeline {
        let cell = fixture::cell("tokio", workers, run.outcomes.index.len());
        Timeline::of(&cell, run).expect("a timeline")
    }

    #[test]
    fn a_small_batch_has_a_mark_a_request_and_its_stragglers_stand_out() {
        let mut latencies = vec![0.2; 12];
        latencies[7] = 0.9;
        let mut run = run(4, &latencies);
        run.outcomes.ok[11] = false;
        let timeline = timeline(4, &run);
        assert_eq!((timeline.workers, timeline.most_in_a_mark()), (4, 1));
        let kinds: Vec<_> = timeline.lanes[3].marks.iter().map(|m| m.kind).collect();
        assert_eq!(kinds, [MarkKind::Usual, MarkKind::Slow, MarkKind::Failed]);
        let usual = |lane: usize| {
            timeline.lanes[lane]
                .marks
                .iter()
                .all(|m| m.kind == MarkKind::Usual)
        };
        assert!((0..3).all(usual));
    }

    #[test]
    fn a_large_batch_keeps_its_stragglers_in_few_marks() {
        let mut latencies = vec![0.001; 200_000];
        latencies[1_003] = 0.5;
        let timeline = timeline(100, &run(100, &latencies));
        let marks = || timeline.lanes.iter().flat_map(|lane| &lane.marks);
        assert!(marks().count() <= 2 * MOST_MARKS, "{}", marks().count());
        assert_eq!((timeline.workers, timeline.lanes.len()), (100, MOST_LANES));
        let slow: Vec<_> = marks().filter(|mark| mark.kind == MarkKind::Slow).collect();
        // Worker 3 is the last to end, and so it is shown.
        assert!(slow.len() == 1 && slow[0].to_s - slow[0].from_s >= 0.5);
    }

    #[test]
    fn times_that_are_none_have_no_timeline() {
        let cell = fixture::cell("tokio", 1, 2);
        assert_eq!(Timeline::of(&cell, &Measurement::default()), None);
        let mut odd = run(1, &[0.1, 0.1]);
        odd.outcomes.latency_s[0] = f64::NAN;
        assert_eq!(Timeline::of(&cell, &odd), None);
        odd.outcomes.latency_s.pop();
        assert_eq!(Timeline::of(&cell, &odd), None);
    }

    proptest! {
        #[test]
        fn workers_shown_ascend_and_hold_the_last(count in 1..500_u32, last in 0..500_u32) {
            let workers: Vec<u32> = (0..count).collect();
            let last = last % count;
            let shown = shown(&workers, last);
            prop_assert!(shown.contains(&last) && shown.len() <= MOST_LANES);
            prop_assert!(shown.windows(2).all(|pair| pair[0] < pair[1]));
        }

        #[test]
        fn every_request_of_a_shown_worker_is_in_a_mark(
            latencies in prop::collection::vec(1e-5..0.5_f64, 1..6000),
            workers in 1..64_usize,
        ) {
            let timeline = timeline(workers, &run(workers, &latencies));
            let marks = timeline.lanes.iter().flat_map(|lane| &lane.marks);
            let requests: u64 = marks.clone().map(|mark| mark.requests).sum();
            prop_assert_eq!(requests as usize, latencies.len());
            prop_assert!(marks.count() <= 2 * MOST_MARKS + workers);
        }
    }
}
