//! A service and the workers that call it, in virtual time: what a measured
//! sweep would show without a machine's noise.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::record::RateLimit;

/// A service as the bundled server has it, and what a client adds.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Each request's service time, in seconds.
    pub(crate) times: Vec<f64>,
    /// Requests served at once.
    pub(crate) capacity: Option<usize>,
    /// Requests that may wait for that; `None` is any number.
    pub(crate) queue: Option<usize>,
    /// The rate limit.
    pub(crate) rate: Option<RateLimit>,
    /// σ and κ of the Universal Scalability Law.
    pub(crate) load: (f64, f64),
    /// Slower service until so many seconds, by that factor.
    pub(crate) warm_up: (f64, f64),
    /// From when until when every request is refused.
    pub(crate) outage: (f64, f64),
    /// Every how manieth request fails, whatever is done; 0 for none.
    pub(crate) faults: usize,
    /// What a request costs its worker, in seconds.
    pub(crate) client_s: f64,
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) warm_s: f64,
    pub(crate) failed: u64,
}

/// Time in whole nanoseconds, which a heap can order.
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

impl Service {
    /// A service of these times, without limit.
    pub(crate) fn drawn(times: Vec<f64>) -> Self {
        Self {
            times,
            capacity: None,
            queue: None,
            rate: None,
            load: (0.0, 0.0),
            warm_up: (0.0, 1.0),
            outage: (0.0, 0.0),
            faults: 0,
            client_s: 0.0,
        }
    }

    /// The batch over so many workers, in the order of its requests.
    pub(crate) fn run(&self, workers: usize) -> Run {
        let mut free: BinaryHeap<_> = (0..workers).map(|_| Reverse(0)).collect();
        let mut tokens = self.rate.map_or(0.0, |rate| rate.burst as f64);
        let (mut before, mut last, mut failed) = (0.0, 0.0_f64, 0);
        let mut departures: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
        let mut waiting: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
        for (index, time) in self.times.iter().enumerate() {
            let Some(Reverse(now_ns)) = free.pop() else {
                break;
            };
            let now = now_ns as f64 / 1e9;
            if let Some(rate) = self.rate {
                tokens = (tokens + (now - before) * rate.per_s).min(rate.burst as f64);
                before = now;
            }
            let end = self
                .admit(now, *time, &mut tokens, &mut departures, &mut waiting)
                .filter(|_| self.faults == 0 || index % self.faults != 0);
            failed += u64::from(end.is_none());
            let end = end.unwrap_or(now) + self.client_s;
            last = last.max(end);
            free.push(Reverse(nanos(end)));
        }
        Run {
            warm_s: last,
            failed,
        }
    }

    /// When a request is answered; `None` where it is refused.
    fn admit(
        &self,
        now: f64,
        time: f64,
        tokens: &mut f64,
        departures: &mut BinaryHeap<Reverse<u64>>,
        waiting: &mut BinaryHeap<Reverse<u64>>,
    ) -> Option<f64> {
        if self.rate.is_some() {
            if *tokens < 1.0 {
                return None;
            }
            *tokens -= 1.0;
        }
        if (self.outage.0..self.outage.1).contains(&now) {
            return None;
        }
        let gone = |heap: &mut BinaryHeap<Reverse<u64>>, by: u64| {
            while heap.peek().is_some_and(|Reverse(at)| *at <= by) {
                heap.pop();
            }
        };
        gone(waiting, nanos(now));
        gone(departures, nanos(now));
        let mut start = now;
        if self
            .capacity
            .is_some_and(|servers| departures.len() >= servers)
        {
            if self.queue.is_some_and(|queue| waiting.len() >= queue) {
                return None;
            }
            // The server that falls free first takes it: its departure is
            // replaced by this one's.
            start = departures.pop().map_or(now, |Reverse(at)| at as f64 / 1e9);
            waiting.push(Reverse(nanos(start)));
        }
        let n = departures.len() as f64;
        let stretch = 1.0 + self.load.0 * n + self.load.1 * n * (n + 1.0);
        let warm_up = if now < self.warm_up.0 {
            self.warm_up.1
        } else {
            1.0
        };
        let end = start + time * stretch * warm_up;
        departures.push(Reverse(nanos(end)));
        Some(end)
    }
}
