//! What is known of a server and a machine, and the bounds that follow: the
//! time that no schedule can beat, the time that a greedy queue never exceeds,
//! and which limit it is that decides.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::sums::Sums;
use super::{ServiceTime, Source, is_time};
use crate::record::{Limits, Session};

/// The limit that decides a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Constraint {
    /// The service times shared out over the workers: more workers help.
    ServiceTime,
    /// The longest single request: no number of workers shortens it.
    LongestRequest,
    /// The server's rate limit.
    RateLimit,
    /// The requests that the server serves at once.
    Capacity,
    /// The server's link.
    Bandwidth,
    /// The work on each answer, shared out over the cores.
    Cpu,
}

impl Constraint {
    /// Its name, as programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceTime => "service-time",
            Self::LongestRequest => "longest-request",
            Self::RateLimit => "rate-limit",
            Self::Capacity => "capacity",
            Self::Bandwidth => "bandwidth",
            Self::Cpu => "cpu",
        }
    }
}

impl fmt::Display for Constraint {
    /// Completes "the bound is that of …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServiceTime => "the service times",
            Self::LongestRequest => "the longest request",
            Self::RateLimit => "the rate limit",
            Self::Capacity => "the server's capacity",
            Self::Bandwidth => "the server's bandwidth",
            Self::Cpu => "the CPU time of the answers",
        })
    }
}

/// Between which times a batch can end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// No schedule of requests that all succeed ends before this, in seconds.
    pub seconds: f64,
    /// A greedy queue (whoever is free takes the next request) on a machine
    /// that costs no time of its own ends by then, in seconds. `None` where
    /// the times are not known well enough: they were not stated, or they grow
    /// with what happens.
    pub ceiling_s: Option<f64>,
    /// What decides the first.
    pub constraint: Constraint,
}

/// What is known of a session's server and machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    service: ServiceTime,
    /// The service times, where they are known one by one.
    times: Option<Arc<Sums>>,
    limits: Limits,
    cpu_s: f64,
    cores: f64,
}

impl Model {
    /// What a session tells. Limits that cannot be (a rate that is no number,
    /// a capacity of 0) are taken as not known.
    pub fn new(session: &Session, service: ServiceTime) -> Self {
        let mut limits = session.server.limits;
        let possible = |per_s: f64| per_s.is_finite() && per_s > 0.0;
        limits.rate = limits.rate.filter(|rate| possible(rate.per_s));
        limits.capacity = limits.capacity.filter(|servers| *servers > 0);
        let times = session.server.times.as_ref().and_then(Sums::of);
        Self {
            service,
            times: times
                .filter(|_| service.source == Source::Stated)
                .map(Arc::new),
            limits,
            cpu_s: Some(session.conditions.cpu_per_answer_s)
                .filter(|cpu_s| is_time(*cpu_s))
                .unwrap_or(0.0),
            cores: session.receipt.cores.max(1) as f64,
        }
    }

    /// The service time.
    pub fn service(&self) -> ServiceTime {
        self.service
    }

    /// The limits that count.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The bound of so many requests over so many workers; 0 workers are taken
    /// as 1. It is the largest of
    ///
    /// - the service times over the workers, each request with the CPU time of
    ///   its answer and the time that its body takes, unless they are measured
    ///   with it;
    /// - the same over the requests that are served at once;
    /// - `(N − b) / r` for a rate limit of r with a burst of b, and, where all
    ///   are the same, the service time of the last one admitted;
    /// - the shortest service time, as no body leaves before it has passed, and
    ///   the bodies over the server's link;
    /// - the same time, and the CPU time of the answers over the cores, or over
    ///   the workers where they are fewer.
    pub fn bound(&self, requests: usize, workers: usize) -> Bound {
        let workers = workers.max(1);
        let mut bound = Bound {
            seconds: self.over(requests, workers),
            ceiling_s: None,
            constraint: Constraint::ServiceTime,
        };
        if let Some(longest) = self.each().longest_s
            && bound.seconds <= longest * (1.0 + 1e-8)
            && requests as f64 * self.each().seconds < longest * workers as f64
        {
            bound.constraint = Constraint::LongestRequest;
        }
        for (constraint, seconds) in self.others(requests, workers) {
            // A hundredth of a millionth more is rounding.
            if seconds > bound.seconds * (1.0 + 1e-8) {
                (bound.constraint, bound.seconds) = (constraint, seconds);
            }
        }
        // A queue that outruns a rate limit is refused, and so has no ceiling.
        let ceiling = (bound.constraint != Constraint::RateLimit)
            .then(|| self.ceiling(requests, workers))
            .flatten();
        bound.ceiling_s = ceiling.map(|ceiling| ceiling.max(bound.seconds));
        bound
    }

    /// The least time in which so many workers can make so many requests, in
    /// seconds: by the service times one by one where they are known, by their
    /// mean and the longest otherwise ([`ServiceTime::bound`]).
    pub(in crate::analysis) fn over(&self, requests: usize, workers: usize) -> f64 {
        let besides = self.each().seconds - self.service.seconds;
        self.at_least(requests, workers, self.each(), besides)
    }

    /// That of requests which take so, of which so much besides their service.
    fn at_least(&self, requests: usize, workers: usize, each: ServiceTime, besides: f64) -> f64 {
        let times = self.times.as_ref();
        let listed = times
            .filter(|times| times.requests() == requests)
            .map_or(0.0, |times| times.bound(workers, besides));
        each.bound(requests, workers).max(listed)
    }

    /// The time before which no answer can have left the server, in seconds.
    fn first_s(&self) -> f64 {
        match (&self.times, self.service.source, self.service.longest_s) {
            (Some(times), ..) => times.shortest_s(),
            (None, Source::Stated, None) => self.service.seconds,
            // The shortest of times that differ is not known.
            (None, Source::Stated, Some(_)) => 0.0,
            // The work on the fastest answer is in its latency.
            (None, Source::Fastest { .. }, _) => (self.service.seconds - self.cpu_s).max(0.0),
        }
    }

    /// A request as the worker sees it: with its body, and the work on its
    /// answer. Both are in the latency of an answer already.
    pub(in crate::analysis) fn each(&self) -> ServiceTime {
        if self.service.source != Source::Stated {
            return self.service;
        }
        let besides = self.cpu_s + self.paced_s();
        ServiceTime {
            seconds: self.service.seconds + besides,
            longest_s: self.service.longest_s.map(|longest| longest + besides),
            source: self.service.source,
        }
    }

    /// The time that an answer's body takes at its connection's pace, in
    /// seconds.
    pub(in crate::analysis) fn paced_s(&self) -> f64 {
        let connection = self.limits.link.and_then(|link| {
            Some(link.answer_bytes as f64 / link.connection_bytes_per_s?.max(1) as f64)
        });
        connection.unwrap_or(0.0)
    }

    /// The CPU time that an answer is known to take, in seconds.
    pub(in crate::analysis) fn cpu_s(&self) -> f64 {
        self.cpu_s
    }

    fn others(&self, requests: usize, workers: usize) -> Vec<(Constraint, f64)> {
        let mut others = Vec::new();
        let n = requests as f64;
        if let Some(servers) = self.limits.capacity.filter(|servers| *servers < workers) {
            let seconds = self.at_least(requests, servers, self.service, 0.0);
            others.push((Constraint::Capacity, seconds));
        }
        if let Some(rate) = self.limits.rate
            && requests as u64 > rate.burst
        {
            let last = match self.each() {
                ServiceTime {
                    longest_s: None,
                    seconds,
                    ..
                } => seconds,
                _ => 0.0,
            };
            let admitted = (requests as u64 - rate.burst) as f64 / rate.per_s;
            others.push((Constraint::RateLimit, admitted + last));
        }
        if let Some(link) = self.limits.link
            && let Some(total) = link.total_bytes_per_s
        {
            let seconds = n * link.answer_bytes as f64 / total.max(1) as f64;
            others.push((Constraint::Bandwidth, self.first_s() + seconds));
        }
        if self.cpu_s > 0.0 && requests > 0 {
            let hands = self.cores.min(workers as f64);
            others.push((Constraint::Cpu, self.first_s() + n * self.cpu_s / hands));
        }
        others
    }

    /// `Σ s / m + (1 − 1/m) · max s` on m machines: Graham, "Bounds for Certain
    /// Multiprocessing Anomalies" (Bell System Technical Journal 45, 1966).
    /// Where all are the same a greedy queue meets the bound.
    fn ceiling(&self, requests: usize, workers: usize) -> Option<f64> {
        let each = self.each();
        let servers = self.limits.capacity.filter(|servers| *servers < workers);
        let in_turn = servers.is_some() && each != self.service;
        let by_turns = self.cpu_s > 0.0 && workers as f64 > self.cores;
        if self.service.source != Source::Stated || self.limits.slows || in_turn || by_turns {
            return None;
        }
        let machines = servers.unwrap_or(workers);
        let Some(longest) = each.longest_s else {
            return Some(each.bound(requests, machines));
        };
        let work = each.seconds * requests as f64;
        let machines = machines as f64;
        Some(work / machines + (1.0 - 1.0 / machines) * longest)
    }
}

#[cfg(test)]
mod tests;
