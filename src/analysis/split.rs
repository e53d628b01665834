//! Where the gap went: what lies between a runtime and its lower bound, in
//! parts that add up.
//!
//! At every moment of a run each of its w workers either has a request or has
//! none, so the runtime T is the mean over the workers of four sums:
//!
//! ```text
//! T = (Σ latency + Σ before the first + Σ between two + Σ after the last) / w
//! ```
//!
//! The bound B holds Σ s / w of service times s, with what is known to come on
//! top of each (the pace of its body, the work on its answer), and leaves
//! B − Σ s / w in which workers have nothing to do, such as the round that N
//! requests do not fill. Taking both away leaves T − B. What is known of the
//! latencies (connecting, the server's own account, CPU time) divides their
//! share further.

mod ideal;

pub use self::ideal::Ideal;

use serde::Serialize;

use crate::analysis::statistics::Spread;
use crate::record::{Cell, Measurement, Outcomes};

/// What time beyond the bound was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartKind {
    /// Requests waited for a connection to open.
    Connecting,
    /// Workers waited for a request: until their first, and from one to the
    /// next, the check of an answer included.
    Dispatch,
    /// With dispatch `chunked`, workers waited for the last of their group.
    ChunkBarriers,
    /// The server answered later than its service time: its timer, its queue,
    /// its limits.
    Server,
    /// Attempts failed and were followed by others.
    Retries,
    /// The client's threads computed. An upper estimate: with threads on several
    /// cores they compute side by side, and in records of earlier builds the CPU
    /// time of building and teardown is in it.
    ClientCpu,
    /// What is left of the latencies: the network, wake-ups, and waiting for a
    /// processor. With a bound from the fastest answer, slower answers too.
    Transport,
    /// Workers had ended while others had not, beyond what the bound implies.
    TailIdle,
    /// The strategy was built. Part of the cold runtime alone.
    Building,
    /// Measured parts that contradict each other or the runtime; negative
    /// where they come to more than it.
    Unexplained,
}

impl PartKind {
    /// Every kind, in the order in which a split lists its parts.
    pub const ALL: [Self; 10] = [
        Self::Connecting,
        Self::Dispatch,
        Self::ChunkBarriers,
        Self::Server,
        Self::Retries,
        Self::ClientCpu,
        Self::Transport,
        Self::TailIdle,
        Self::Building,
        Self::Unexplained,
    ];

    /// The kind's name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Dispatch => "dispatch",
            Self::ChunkBarriers => "chunk-barriers",
            Self::Server => "server",
            Self::Retries => "retries",
            Self::ClientCpu => "client-cpu",
            Self::Transport => "transport",
            Self::TailIdle => "tail-idle",
            Self::Building => "building",
            Self::Unexplained => "unexplained",
        }
    }
}

/// One part of a split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Part {
    /// What the time was spent on.
    #[serde(rename = "part")]
    pub kind: PartKind,
    /// Seconds of runtime. At least 0, but for `unexplained`.
    pub seconds: f64,
}

/// The way from a cell's lower bound to its runtime: without `building` the
/// parts add up to the median warm runtime less the bound, with it to the
/// median cold runtime less the bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// A part for each of [`PartKind::ALL`], in that order.
    pub parts: Vec<Part>,
}

impl Split {
    /// The split of a cell's samples without failures: that of the sample with
    /// the median warm runtime, or the mean of the two middle ones. `None`
    /// without samples, and where the times of one are not those of a run.
    pub fn of(cell: &Cell, samples: &[&Measurement], ideal: Ideal) -> Option<Self> {
        let (low, high) = middle(samples)?;
        let (low, high) = (Parts::of(cell, low, ideal)?, Parts::of(cell, high, ideal)?);
        let mut mean = Parts::default();
        for (mean, (low, high)) in mean.0.iter_mut().zip(low.0.iter().zip(high.0)) {
            *mean = low.midpoint(high);
        }
        let median = |of: fn(&Measurement) -> f64| Spread::of(samples.iter().map(|m| of(m)));
        let built = median(|m| m.cold_s)?.median - median(|m| m.warm_s)?.median;
        mean.put(PartKind::Building, built);
        let parts = PartKind::ALL.map(|kind| Part {
            kind,
            seconds: mean.0[kind as usize],
        });
        Some(Self {
            parts: parts.to_vec(),
        })
    }

    /// The seconds of a part.
    pub fn seconds(&self, kind: PartKind) -> f64 {
        let part = self.parts.iter().find(|part| part.kind == kind);
        part.map_or(0.0, |part| part.seconds)
    }

    /// The warm runtime less the bound, in seconds: all parts but building.
    pub fn warm_s(&self) -> f64 {
        let warm = self
            .parts
            .iter()
            .filter(|part| part.kind != PartKind::Building);
        warm.map(|part| part.seconds).sum()
    }
}

/// The samples that the median warm runtime lies between; one sample twice
/// where it is that of one.
pub(crate) fn middle<'a>(
    samples: &[&'a Measurement],
) -> Option<(&'a Measurement, &'a Measurement)> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(|a, b| a.warm_s.total_cmp(&b.warm_s));
    let last = sorted.len().checked_sub(1)?;
    Some((sorted[last / 2], sorted[last.div_ceil(2)]))
}

/// Seconds by kind.
#[derive(Clone, Copy, Debug, Default)]
struct Parts([f64; PartKind::ALL.len()]);

impl Parts {
    fn of(cell: &Cell, measurement: &Measurement, ideal: Ideal) -> Option<Self> {
        let tally = Tally::of(cell, measurement)?;
        let workers = tally.workers as f64;
        let mut parts = Self::default();
        parts.put(PartKind::Dispatch, tally.dispatch_s / workers);
        parts.put(PartKind::ChunkBarriers, tally.barriers_s / workers);
        parts.put(PartKind::TailIdle, tally.tail_s / workers);
        parts.put(PartKind::Unexplained, tally.overlap_s / workers);

        parts.put(PartKind::Connecting, measurement.connecting_s / workers);
        parts.put(PartKind::Retries, retried_s(measurement) / workers);
        let late = lateness_s(measurement) * cell.requests as f64;
        let late = (late - ideal.paced_s).max(0.0);
        parts.put(PartKind::Server, late / workers);
        let told = measurement.connecting_s + retried_s(measurement) + late;
        let left = (tally.latency_s - ideal.work_s - told) / workers;
        let cpu = measurement.run_cpu_s.unwrap_or(measurement.cpu_s);
        let cpu = (cpu - ideal.cpu_s).max(0.0) / workers;
        let cpu = cpu.min(left.max(0.0));
        parts.put(PartKind::ClientCpu, cpu);
        parts.put(PartKind::Transport, left - cpu);

        parts.hide(ideal, workers);
        Some(parts)
    }

    /// Adds to a part; what is less than nothing cannot be explained by it.
    fn put(&mut self, kind: PartKind, seconds: f64) {
        let kind = if seconds < 0.0 {
            PartKind::Unexplained
        } else {
            kind
        };
        self.0[kind as usize] += seconds;
    }

    /// Takes away the time in which the bound itself leaves workers idle: a
    /// delay that falls into it costs nothing. What a limit beside the workers
    /// imposes is in the part of its own, what the workers leave over stands at the end of a run;
    /// of delays that took their place, each hides the same share.
    fn hide(&mut self, ideal: Ideal, workers: f64) {
        let rest_s = self.take(ideal.limit, ideal.bound_s - ideal.workers_s)
            + self.take(PartKind::TailIdle, ideal.workers_s - ideal.work_s / workers);
        let hidden = rest_s.max(0.0);
        let all: f64 = self.explained().map(|part| *part).sum();
        let kept = if all > hidden {
            1.0 - hidden / all
        } else {
            0.0
        };
        self.explained().for_each(|part| *part *= kept);
        self.0[PartKind::Unexplained as usize] -= rest_s - (1.0 - kept) * all;
    }

    /// Takes seconds from a part, as far as it has them. Returns what is left.
    fn take(&mut self, kind: PartKind, seconds: f64) -> f64 {
        let part = &mut self.0[kind as usize];
        let taken = part.min(seconds.max(0.0));
        *part -= taken;
        seconds - taken
    }

    fn explained(&mut self) -> impl Iterator<Item = &mut f64> {
        let parts = self.0.iter_mut().zip(PartKind::ALL);
        parts
            .filter(|(_, kind)| *kind != PartKind::Unexplained)
            .map(|(part, _)| part)
    }
}

/// How late the server answered on average and how long its behaviour held
/// requests up, by its own account. Records of
/// earlier builds hold no mean: there the median stands in for it.
fn lateness_s(measurement: &Measurement) -> f64 {
    match measurement.server {
        None => 0.0,
        Some(server) if server.lateness_mean_s > 0.0 => server.lateness_mean_s + server.held_mean_s,
        Some(server) => server.lateness_p50_s,
    }
}

/// What attempts that failed took, and the waits after them.
fn retried_s(measurement: &Measurement) -> f64 {
    let retried = &measurement.retried;
    retried.latency_s.iter().chain(&retried.waited_s).sum()
}

/// The workers' time in one run, added up over all of them, in seconds.
#[derive(Default)]
struct Tally {
    workers: usize,
    latency_s: f64,
    /// Without a request, before the last of the worker's.
    dispatch_s: f64,
    /// Of that, from the end of a request to the end of its group.
    barriers_s: f64,
    /// After the worker's last request.
    tail_s: f64,
    /// Time with several requests at once, counted as less than nothing.
    overlap_s: f64,
}

impl Tally {
    /// One pass over the outcomes, in the order in which they ended. `None`
    /// where they are not those of the cell's requests.
    fn of(cell: &Cell, measurement: &Measurement) -> Option<Self> {
        let Outcomes {
            index,
            worker,
            started_s,
            latency_s,
            ok: _,
            held_s: _,
            failed: _,
        } = &measurement.outcomes;
        let lengths = [worker.len(), started_s.len(), latency_s.len()];
        let requests = cell.requests;
        if index.len() != requests || lengths.iter().any(|length| *length != requests) {
            return None;
        }
        let mut tally = Self::default();
        let mut groups = Groups::of(cell);
        // When each worker's latest request ended; `None` before the first.
        let mut ended: Vec<Option<f64>> = vec![None; cell.workers_usable];
        let known = cell.workers_usable.max(requests);
        let spans = started_s.iter().zip(latency_s);
        for ((index, worker), (started, latency)) in index.iter().zip(worker).zip(spans) {
            let worker = *worker as usize;
            if worker >= known || !started.is_finite() || !latency.is_finite() {
                return None;
            }
            if worker >= ended.len() {
                ended.resize(worker + 1, None);
            }
            let free = ended[worker].unwrap_or(0.0);
            groups.enter(*index as usize);
            tally.wait(free, *started, groups.before_s);
            tally.latency_s += latency;
            let end = started + latency;
            groups.ended(end);
            ended[worker] = Some(end);
        }
        tally.workers = ended.len();
        for end in ended {
            // Who sat out the last group waited for the one before it to end.
            let barrier = end.map_or(0.0, |end| (groups.before_s - end).max(0.0));
            tally.barriers_s += barrier;
            tally.tail_s += measurement.warm_s - end.unwrap_or(0.0) - barrier;
        }
        Some(tally)
    }

    /// A worker waited from one time to another, in which its group ended.
    fn wait(&mut self, from: f64, to: f64, group_ended: f64) {
        let idle = to - from;
        if idle < 0.0 {
            self.overlap_s += idle;
            return;
        }
        let barrier = (group_ended - from).clamp(0.0, idle);
        self.barriers_s += barrier;
        self.dispatch_s += idle - barrier;
    }
}

/// The groups of w requests that dispatch `chunked` goes through one by one.
struct Groups {
    /// Requests of a group; `None` where all are one.
    size: Option<usize>,
    present: usize,
    /// The end of the groups before the present one, in seconds.
    before_s: f64,
    latest_s: f64,
}

impl Groups {
    fn of(cell: &Cell) -> Self {
        let chunked = cell.dispatch == "chunked";
        Self {
            size: chunked.then_some(cell.workers_usable.max(1)),
            present: 0,
            before_s: 0.0,
            latest_s: 0.0,
        }
    }

    fn enter(&mut self, index: usize) {
        let group = self.size.map_or(0, |size| index / size);
        if group > self.present {
            self.present = group;
            self.before_s = self.latest_s;
        }
    }

    fn ended(&mut self, end: f64) {
        self.latest_s = self.latest_s.max(end);
    }
}

#[cfg(test)]
mod tests;
