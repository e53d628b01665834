//! A station of servers with a queue before it, in virtual time.
//!
//! Requests are served in the order of arrival. Because each service time is
//! known on arrival, so are the instants at which the servers fall free, and a
//! request's start and departure follow at once: the first is the later of its
//! arrival and the earliest free server. No task waits in a queue, and capacity
//! is never lost to a late wake-up.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

/// A finite capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Requests served at once, at least 1.
    pub servers: u32,
    /// Requests that may wait for a server; `None` is any number.
    pub queue: Option<u32>,
    /// The least time that a refused client is told to wait.
    pub retry_after: Duration,
}

/// The Universal Scalability Law (Gunther): with n requests in service each
/// takes S · (1 + σ(n − 1) + κn(n − 1)). Throughput peaks at
/// n* = √((1 − σ)/κ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// σ, the share of the work that is serial, 0 to 1.
    pub sigma: f64,
    /// κ, the cost of keeping each pair of requests coherent, 0 to 1.
    pub kappa: f64,
}

impl Load {
    /// The factor on the service time when `n` requests are in service.
    fn factor(self, n: usize) -> f64 {
        let n = n as f64;
        1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0)
    }
}

/// The servers of a [`Capacity`], or as many as it takes.
#[derive(Debug)]
pub(super) struct Station {
    capacity: Option<Capacity>,
    load: Option<Load>,
    /// When each request in service departs, the next one on top.
    departures: BinaryHeap<Reverse<Instant>>,
    /// When each waiting request starts, in order.
    starts: VecDeque<Instant>,
    last_start: Option<Instant>,
    /// The latest arrival.
    latest: Option<Instant>,
}

impl Station {
    pub(super) fn new(capacity: Option<Capacity>, load: Option<Load>) -> Self {
        Self {
            capacity,
            load,
            departures: BinaryHeap::new(),
            starts: VecDeque::new(),
            last_start: None,
            latest: None,
        }
    }

    /// Takes a request in: its start, and its service time under load. When the
    /// queue is full, how long to stay away.
    pub(super) fn enter(
        &mut self,
        arrived: Instant,
        service: Duration,
    ) -> Result<(Instant, Duration), Duration> {
        // Threads report arrivals a little out of order; one that is late joins
        // behind those that were seen.
        let arrived = self.latest.map_or(arrived, |latest| arrived.max(latest));
        self.latest = Some(arrived);
        while self.starts.front().is_some_and(|&start| start <= arrived) {
            self.starts.pop_front();
        }
        let mut start = arrived;
        if let Some(capacity) = self.capacity {
            // Those that depart no later than the arrival have made room.
            if let Some(free) = self.earliest_free(capacity.servers as usize, arrived) {
                let full = capacity
                    .queue
                    .is_some_and(|queue| self.starts.len() >= queue as usize);
                if full {
                    return Err((free - arrived).max(capacity.retry_after));
                }
                start = free;
            }
        }
        // Arrivals that two threads report out of order still start in turn.
        start = self.last_start.map_or(start, |last| start.max(last));
        self.last_start = Some(start);
        while self
            .departures
            .peek()
            .is_some_and(|&Reverse(departure)| departure <= start)
        {
            self.departures.pop();
        }
        let service = match self.load {
            Some(load) => {
                let seconds = service.as_secs_f64() * load.factor(self.departures.len() + 1);
                Duration::from_secs_f64(seconds.min(crate::duration::LONGEST.as_secs_f64()))
            }
            None => service,
        };
        self.departures.push(Reverse(start + service));
        if start > arrived {
            self.starts.push_back(start);
        }
        Ok((start, service))
    }

    /// When a server falls free, if none is at `now`. Departures are popped in
    /// the order of starts, so at most `servers` of them lie after the last one.
    fn earliest_free(&mut self, servers: usize, now: Instant) -> Option<Instant> {
        let horizon = self.last_start.map_or(now, |last| last.max(now));
        while self
            .departures
            .peek()
            .is_some_and(|&Reverse(departure)| departure <= horizon)
        {
            self.departures.pop();
        }
        if self.departures.len() < servers {
            return (horizon > now).then_some(horizon);
        }
        self.departures.peek().map(|&Reverse(departure)| departure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn station(servers: u32, queue: Option<u32>) -> Station {
        let retry_after = Duration::from_millis(1);
        Station::new(
            Some(Capacity {
                servers,
                queue,
                retry_after,
            }),
            None,
        )
    }

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn two_servers_take_requests_in_the_order_of_arrival() {
        let now = Instant::now();
        let mut station = station(2, None);
        let starts: Vec<_> = [30, 10, 10, 10, 5]
            .map(|ms| station.enter(now, MS(ms)).unwrap().0 - now)
            .into();
        assert_eq!(starts, [MS(0), MS(0), MS(10), MS(20), MS(30)]);
    }

    #[test]
    fn a_full_queue_refuses_until_one_has_started() {
        let now = Instant::now();
        let mut station = station(1, Some(1));
        assert!(station.enter(now, MS(10)).is_ok());
        assert!(station.enter(now, MS(10)).is_ok());
        assert!(station.enter(now, MS(10)).is_err());
        assert!(station.enter(now + MS(9), MS(10)).is_err());
        let (start, _) = station.enter(now + MS(10), MS(10)).unwrap();
        assert_eq!(start, now + MS(20));
    }

    #[test]
    fn capacity_gives_k_over_the_mean_service_time() {
        let time = super::super::ServiceTime::Exponential { mean: MS(20) };
        for servers in [1, 5, 50] {
            let now = Instant::now();
            let mut station = station(servers, None);
            let mut last = now;
            let requests = 200_000;
            for id in 0..requests {
                use crate::random::{Purpose, Stream};
                let mut stream = Stream::new(4, Purpose::Latency, 0, &id.to_string(), 0);
                let service = time.sample(&mut stream);
                let (start, service) = station.enter(now, service).unwrap();
                last = last.max(start + service);
            }
            let throughput = f64::from(requests) / (last - now).as_secs_f64();
            let expected = f64::from(servers) / time.mean().unwrap().as_secs_f64();
            // The mean of 200,000 exponential draws has a standard error of 0.22 %,
            // and at the end servers fall idle for a few service times.
            assert!(
                (throughput / expected - 1.0).abs() < 0.01,
                "{throughput} of {expected}"
            );
        }
    }

    #[test]
    fn load_makes_each_request_slower() {
        let now = Instant::now();
        let load = Load {
            sigma: 0.1,
            kappa: 0.01,
        };
        let mut station = Station::new(None, Some(load));
        let services: Vec<_> = (0..3)
            .map(|_| station.enter(now, MS(100)).unwrap().1.as_micros())
            .collect();
        assert_eq!(services, [100_000, 112_000, 126_000]);
        let (_, later) = station.enter(now + MS(200), MS(100)).unwrap();
        assert_eq!(later, MS(100));
    }

    proptest! {
        #[test]
        fn never_more_in_service_than_servers_nor_more_waiting_than_places(
            servers in 1u32..5,
            queue in proptest::option::of(0u32..5),
            arrivals in proptest::collection::vec((0u64..30, 0u64..20, 0u64..60), 1..80),
        ) {
            let base = Instant::now();
            let mut station = station(servers, queue);
            let (mut at, mut last_start, mut latest) = (0, base, None);
            let mut taken: Vec<(Instant, Instant, Instant)> = Vec::new();
            for (gap, late, ms) in arrivals {
                at += gap;
                // A thread may report an arrival after others have reported later
                // ones; it counts as having come with the latest.
                let reported = base + MS(at.saturating_sub(late));
                let arrived = latest.map_or(reported, |last: Instant| last.max(reported));
                latest = Some(arrived);
                let waiting = taken.iter().filter(|(_, start, _)| *start > arrived).count();
                let busy = taken.iter().filter(|(_, start, end)| *start <= arrived && arrived < *end).count();
                match station.enter(reported, MS(ms)) {
                    Ok((start, service)) => {
                        prop_assert!(start >= arrived && start >= last_start);
                        // Work-conserving: a free server is never left idle.
                        if busy < servers as usize && waiting == 0 {
                            prop_assert_eq!(start, arrived);
                        }
                        last_start = start;
                        taken.push((arrived, start, start + service));
                    }
                    Err(_) => {
                        prop_assert!(busy == servers as usize);
                        prop_assert_eq!(Some(waiting), queue.map(|queue| queue as usize));
                    }
                }
            }
            for (_, moment, _) in &taken {
                let busy = taken.iter().filter(|(_, start, end)| start <= moment && moment < end).count();
                prop_assert!(busy <= servers as usize);
            }
        }
    }
}
