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
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Bound, Constraint, Model, Sums};
    use crate::analysis::bound::{ServiceTime, Source};
    use crate::analysis::fixture::RecordBuilder;
    use crate::analysis::simulated::Service;
    use crate::record::{Limits, Link, RateLimit, ServiceTimes};

    /// The simulated clock counts nanoseconds, each request rounded.
    const ROUNDING: f64 = 1e-6;

    fn model(seconds: f64, limits: Limits, cpu_s: f64) -> Model {
        let record = RecordBuilder::new()
            .service(Some(seconds))
            .session(|session| {
                session.server.limits = limits;
                session.conditions.cpu_per_answer_s = cpu_s;
            })
            .build();
        let service = ServiceTime::of(&record).expect("stated");
        Model::new(&record.session, service)
    }

    fn listed(times: &[f64]) -> ServiceTimes {
        let times = times.iter().map(|time| Duration::from_secs_f64(*time));
        ServiceTimes::of(times).unwrap_or_default()
    }

    fn of(bound: &Bound) -> (Constraint, f64) {
        (bound.constraint, (bound.seconds * 1e6).round() / 1e6)
    }

    #[test]
    fn a_rate_limit_binds_where_the_workers_outrun_it() {
        let rate = Some(RateLimit {
            per_s: 100.0,
            burst: 20,
        });
        let limits = Limits {
            rate,
            ..Limits::default()
        };
        let model = model(0.05, limits, 0.0);
        assert_eq!(of(&model.bound(100, 5)), (Constraint::ServiceTime, 1.0));
        // The last of 100 is admitted at 0.8 s.
        assert_eq!(of(&model.bound(100, 20)), (Constraint::RateLimit, 0.85));
        assert_eq!(of(&model.bound(20, 20)), (Constraint::ServiceTime, 0.05));
        let ceiling = |workers| model.bound(100, workers).ceiling_s;
        assert_eq!((ceiling(5), ceiling(20)), (Some(1.0), None));
    }

    #[test]
    fn a_capacity_binds_beyond_its_servers() {
        let limits = Limits {
            capacity: Some(8),
            ..Limits::default()
        };
        let model = model(0.1, limits, 0.0);
        assert_eq!(of(&model.bound(100, 8)), (Constraint::ServiceTime, 1.3));
        assert_eq!(of(&model.bound(100, 100)), (Constraint::Capacity, 1.3));
        assert_eq!(
            model.bound(100, 100).ceiling_s,
            Some(model.bound(100, 8).seconds)
        );
    }

    #[test]
    fn the_work_on_answers_counts_on_each_worker_and_on_all_cores() {
        let model = model(0.2, Limits::default(), 0.01);
        assert_eq!(of(&model.bound(100, 1)), (Constraint::ServiceTime, 21.0));
        // Two cores: 100 × 10 ms take half a second, whatever the workers, and
        // begin with the first answer.
        assert_eq!(of(&model.bound(100, 100)), (Constraint::Cpu, 0.7));
        assert_eq!(model.bound(100, 100).ceiling_s, None);
    }

    #[test]
    fn a_measured_latency_has_the_work_on_its_answer_in_it() {
        let stated = model(0.2, Limits::default(), 0.01);
        let fastest = Model {
            service: ServiceTime {
                source: Source::Fastest { answers: 100 },
                ..stated.service
            },
            ..stated
        };
        assert_eq!(of(&fastest.bound(100, 1)), (Constraint::ServiceTime, 20.0));
        // The fastest answer came after 190 ms, and its work is in its latency.
        assert_eq!(of(&fastest.bound(100, 100)), (Constraint::Cpu, 0.69));
    }

    #[test]
    fn a_link_carries_all_bodies_and_a_connection_its_own() {
        let link = Link {
            answer_bytes: 20_000,
            connection_bytes_per_s: Some(1_000_000),
            total_bytes_per_s: Some(10_000_000),
        };
        let limits = Limits {
            link: Some(link),
            slows: true,
            ..Limits::default()
        };
        let model = model(0.02, limits, 0.0);
        assert_eq!(of(&model.bound(100, 1)), (Constraint::ServiceTime, 4.0));
        assert_eq!(of(&model.bound(100, 100)), (Constraint::Bandwidth, 0.22));
        assert_eq!(model.bound(100, 1).ceiling_s, None);
    }

    #[test]
    fn limits_that_cannot_be_are_not_known() {
        for per_s in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            let limits = Limits {
                rate: Some(RateLimit { per_s, burst: 0 }),
                capacity: Some(0),
                ..Limits::default()
            };
            let bound = model(0.2, limits, f64::NAN).bound(100, 10);
            assert_eq!(of(&bound), (Constraint::ServiceTime, 2.0));
        }
    }

    proptest! {
        #[test]
        fn a_greedy_queue_lies_between_bound_and_ceiling(
            times in proptest::collection::vec(0.001_f64..1.0, 1..80),
            workers in 1_usize..30,
            capacity in proptest::option::of(1_usize..20),
        ) {
            let service = Service { capacity, ..Service::drawn(times.clone()) };
            let run = service.run(workers);
            let limits = Limits { capacity, ..Limits::default() };
            let model = Model {
                service: ServiceTime {
                    seconds: times.iter().sum::<f64>() / times.len() as f64,
                    longest_s: times.iter().copied().reduce(f64::max),
                    source: Source::Stated,
                },
                times: Sums::of(&listed(&times)).map(Arc::new),
                ..model(0.2, limits, 0.0)
            };
            let bound = model.bound(times.len(), workers);
            prop_assert!(run.warm_s >= bound.seconds - ROUNDING);
            let ceiling = bound.ceiling_s.expect("a ceiling");
            prop_assert!(run.warm_s <= ceiling + ROUNDING, "{} > {ceiling}", run.warm_s);
        }

        #[test]
        fn no_whole_batch_beats_a_rate_limit(
            time in 0.001_f64..0.5,
            requests in 1_usize..120,
            workers in 1_usize..30,
            per_s in 1.0_f64..500.0,
            burst in 1_u64..60,
        ) {
            let rate = Some(RateLimit { per_s, burst });
            let run = Service { rate, ..Service::drawn(vec![time; requests]) }.run(workers);
            let limits = Limits { rate, ..Limits::default() };
            let bound = model(time, limits, 0.0).bound(requests, workers);
            prop_assert!(run.failed > 0 || run.warm_s >= bound.seconds - ROUNDING);
        }

        #[test]
        fn more_workers_never_raise_a_bound(
            seconds in 0.0_f64..2.0,
            cpu_s in 0.0_f64..0.1,
            capacity in proptest::option::of(1_usize..20),
            requests in 0_usize..500,
            workers in 1_usize..200,
        ) {
            let limits = Limits { capacity, ..Limits::default() };
            let model = model(seconds, limits, cpu_s);
            let (few, more) = (model.bound(requests, workers), model.bound(requests, workers + 1));
            prop_assert!(more.seconds <= few.seconds * (1.0 + 1e-9));
            prop_assert!(few.ceiling_s.is_none_or(|ceiling| ceiling >= few.seconds));
        }
    }
}
