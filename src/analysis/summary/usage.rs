//! What a cell used beside time and memory, and what the server says of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::statistics::{Spread, median_count};
use crate::record::Measurement;

/// What a cell used beside time and memory: medians over its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct UsageFigures {
    /// CPU time in the program's own code, in seconds.
    pub user_s: f64,
    /// CPU time in the kernel, in seconds.
    pub system_s: f64,
    /// How often a thread gave up its core to wait.
    pub voluntary_switches: u64,
    /// How often a thread had to leave its core to another.
    pub involuntary_switches: u64,
    /// Time that requests waited for connections to open, added up, in seconds.
    pub connecting_s: f64,
    /// Bytes sent; `None` where the client does not tell.
    pub bytes_sent: Option<u64>,
    /// Bytes received; `None` where the client does not tell.
    pub bytes_received: Option<u64>,
    /// Attempts that failed and were followed by another.
    pub retried: u64,
    /// Requests sent again because a kept connection was closed.
    pub resent: u64,
    /// Threads of the strategy's runtime; `None` where it has none, or a sample
    /// does not tell.
    pub runtime_threads_used: Option<u64>,
    /// CPU time of a server on this machine while the batch ran, the bundled or
    /// another; `None` where a sample does not tell.
    pub server_cpu_s: Option<f64>,
    /// How long results waited for those before them: the mean over the requests,
    /// in seconds; `None` where results are handed on as they come.
    pub held_mean_s: Option<f64>,
    /// The same: the longest.
    pub held_max_s: Option<f64>,
}

impl UsageFigures {
    pub(super) fn of(measured: &[&Measurement]) -> Self {
        let time = |of: fn(&Measurement) -> f64| {
            Spread::of(measured.iter().map(|m| of(m))).map_or(0.0, |times| times.median)
        };
        let count = |of: fn(&Measurement) -> Option<u64>| {
            median_count(measured.iter().filter_map(|m| of(m)))
        };
        Self {
            user_s: time(|m| m.user_s),
            system_s: time(|m| m.system_s),
            voluntary_switches: count(|m| Some(m.voluntary_switches)).unwrap_or_default(),
            involuntary_switches: count(|m| Some(m.involuntary_switches)).unwrap_or_default(),
            connecting_s: time(|m| m.connecting_s),
            bytes_sent: count(|m| m.bytes_sent),
            bytes_received: count(|m| m.bytes_received),
            retried: count(|m| Some(m.retried.index.len() as u64)).unwrap_or_default(),
            resent: count(|m| Some(m.resent)).unwrap_or_default(),
            runtime_threads_used: count(|m| m.runtime_threads),
            server_cpu_s: told(measured, |m| {
                let bundled = m.server.and_then(|server| server.run_cpu_s);
                bundled.or(m.local_server_cpu_s)
            }),
            held_mean_s: told(measured, |m| {
                let held = &m.outcomes.held_s;
                (!held.is_empty()).then(|| held.iter().sum::<f64>() / held.len() as f64)
            }),
            held_max_s: told(measured, |m| {
                m.outcomes.held_s.iter().copied().max_by(f64::total_cmp)
            }),
        }
    }

    /// The same with every time in it changed.
    pub fn map_times(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            user_s: change(self.user_s),
            system_s: change(self.system_s),
            connecting_s: change(self.connecting_s),
            server_cpu_s: self.server_cpu_s.map(&change),
            held_mean_s: self.held_mean_s.map(&change),
            held_max_s: self.held_max_s.map(&change),
            ..self
        }
    }
}

/// The median of a time that every sample tells.
pub(super) fn told(
    samples: &[&Measurement],
    of: impl Fn(&Measurement) -> Option<f64>,
) -> Option<f64> {
    let times: Option<Vec<f64>> = samples.iter().map(|sample| of(sample)).collect();
    Spread::of(times?).map(|times| times.median)
}

/// How many failed in one way, over all samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedBy {
    /// How they failed, by the name of the kind.
    pub kind: String,
    /// The status of the answers. `None` without one, and in older records.
    pub status: Option<u16>,
    /// How many.
    pub count: u64,
}

impl FailedBy {
    fn sum<'a>(of: impl Iterator<Item = (&'a String, Option<u16>, u64)>) -> Vec<Self> {
        let mut counts = BTreeMap::new();
        for (kind, status, count) in of {
            *counts.entry((kind, status)).or_default() += count;
        }
        let counts = counts.into_iter();
        counts
            .map(|((kind, status), count)| Self {
                kind: kind.clone(),
                status,
                count,
            })
            .collect()
    }

    /// The requests that failed.
    pub(super) fn requests(measured: &[&Measurement]) -> Vec<Self> {
        let failures = measured.iter().flat_map(|m| &m.failures);
        Self::sum(failures.map(|failure| (&failure.kind, failure.status, failure.count)))
    }

    /// The attempts that failed and were made again.
    pub(super) fn retries(measured: &[&Measurement]) -> Vec<Self> {
        let attempts = measured.iter().flat_map(|m| {
            let status = |place: usize| m.retried.status.get(place).copied().flatten();
            let kinds = m.retried.kind.iter().enumerate();
            kinds.map(move |(place, kind)| (kind, status(place), 1))
        });
        Self::sum(attempts)
    }
}

/// What the bundled server says of a cell: medians over its samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerFigures {
    /// The share of its serving threads' time that it was busy.
    pub busy: f64,
    /// How late it answered, beyond the service time, at the 99th percentile,
    /// in seconds.
    pub lateness_p99_s: f64,
}

impl ServerFigures {
    /// Busier than this, the server is taken to be the limit: a queue in front
    /// of a server that is busy for a share u is 1 / (1 − u) times as long.
    pub const BOUND_FROM: f64 = 0.8;

    /// Whether the server was the limit, so that the cell says little of the
    /// strategy.
    pub fn is_bound(&self) -> bool {
        self.busy >= Self::BOUND_FROM
    }

    pub(super) fn of(measured: &[&Measurement]) -> Option<Self> {
        let accounts = || measured.iter().filter_map(|m| m.server);
        Some(Self {
            busy: Spread::of(accounts().map(|account| account.busy))?.median,
            lateness_p99_s: Spread::of(accounts().map(|account| account.lateness_p99_s))?.median,
        })
    }
}

/// The figures of each sample, in no order that means anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EachSample {
    /// Warm runtimes in seconds, of the samples whose times count.
    pub warm_s: Vec<f64>,
    /// CPU times in seconds, of the same.
    pub cpu_s: Vec<f64>,
    /// Peak memory in bytes, of all that were measured; 0 where the system did
    /// not tell.
    pub peak_rss_bytes: Vec<u64>,
}

impl EachSample {
    /// Those of the samples that were measured, of which the times of some count.
    pub(super) fn of(measured: &[&Measurement], timed: &[&Measurement]) -> Self {
        Self {
            warm_s: timed.iter().map(|m| m.warm_s).collect(),
            cpu_s: timed.iter().map(|m| m.cpu_s).collect(),
            peak_rss_bytes: measured.iter().map(|m| m.peak_rss_bytes).collect(),
        }
    }
}
