//! A token bucket, in whole numbers: over any time t it admits at most
//! burst + rate · t requests, and exactly that many when enough arrive.

use std::time::{Duration, Instant};

/// A rate limit. `rate` is in requests per second, 0.001 to 10,000,000; `burst`
/// is how many are admitted at once, at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests per second, resolved to a millionth.
    pub rate: f64,
    /// Requests that a full bucket admits at once.
    pub burst: u32,
}

/// A token in units: a rate of one millionth of a request per second earns one
/// unit per nanosecond.
const TOKEN: u128 = 1_000_000_000_000_000;

/// The bucket of a [`RateLimit`].
#[derive(Debug)]
pub(super) struct Bucket {
    limit: RateLimit,
    /// Units earned per nanosecond.
    earned: u128,
    level: u128,
    at: Instant,
}

/// Where a client stands with the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) limit: RateLimit,
    pub(crate) admitted: bool,
    /// Whole tokens left.
    pub(crate) remaining: u32,
    /// Until there is a token; zero when there is one.
    pub(crate) next_token: Duration,
    /// Until the bucket is full.
    pub(crate) full: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(limit: RateLimit, now: Instant) -> Self {
        Self {
            limit,
            earned: ((limit.rate * 1e6).round() as u128).max(1),
            level: u128::from(limit.burst) * TOKEN,
            at: now,
        }
    }

    /// Takes a token if there is one.
    pub(super) fn take(&mut self, now: Instant) -> Standing {
        let full = u128::from(self.limit.burst) * TOKEN;
        // Two threads may report their instants out of order.
        if now > self.at {
            let nanos = (now - self.at).as_nanos();
            self.level = full.min(self.level + nanos * self.earned);
            self.at = now;
        }
        let admitted = self.level >= TOKEN;
        if admitted {
            self.level -= TOKEN;
        }
        let until = |level: u128| {
            let nanos = level.saturating_sub(self.level).div_ceil(self.earned);
            Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        };
        Standing {
            limit: self.limit,
            admitted,
            remaining: (self.level / TOKEN) as u32,
            next_token: until(TOKEN),
            full: until(full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_admits_burst_plus_rate_times_time_exactly() {
        let start = Instant::now();
        for (rate, burst, secs) in [
            (100.0, 20, 7u32),
            (0.5, 1, 100),
            (333.333_333, 5, 3),
            (1e6, 10, 1),
        ] {
            let mut bucket = Bucket::new(RateLimit { rate, burst }, start);
            // Asked more often than the rate allows, up to and at the end.
            let steps = ((rate * f64::from(secs)) as u64 * 4).max(1000);
            let total = Duration::from_secs(secs.into());
            let admitted = (0..=steps)
                .filter(|&step| {
                    let at = total.as_nanos() * u128::from(step) / u128::from(steps);
                    bucket
                        .take(start + Duration::from_nanos(at as u64))
                        .admitted
                })
                .count();
            let expected = f64::from(burst) + (rate * 1e6).round() / 1e6 * f64::from(secs);
            assert_eq!(
                admitted, expected as usize,
                "{rate}/s, burst {burst}, {secs} s"
            );
        }
    }

    proptest! {
        #[test]
        fn no_window_exceeds_the_limit(
            rate in 0.1..1000.0,
            burst in 1u32..50,
            gaps in proptest::collection::vec(0u64..50_000_000, 1..200),
        ) {
            let start = Instant::now();
            let mut bucket = Bucket::new(RateLimit { rate, burst }, start);
            let mut at = 0;
            let mut admitted = Vec::new();
            for gap in gaps {
                at += gap;
                let standing = bucket.take(start + Duration::from_nanos(at));
                if standing.admitted {
                    admitted.push(at);
                } else {
                    prop_assert!(standing.next_token > Duration::ZERO);
                }
            }
            for (i, from) in admitted.iter().enumerate() {
                for (j, to) in admitted.iter().enumerate().skip(i) {
                    let bound = f64::from(burst) + (rate + 1e-6) * (to - from) as f64 / 1e9;
                    prop_assert!((j - i + 1) as f64 <= bound + 1e-6);
                }
            }
        }

        #[test]
        fn the_promised_token_is_there_and_not_before(rate in 0.1..1000.0, burst in 1u32..5) {
            let start = Instant::now();
            let mut bucket = Bucket::new(RateLimit { rate, burst }, start);
            while bucket.take(start).admitted {}
            let wait = bucket.take(start).next_token;
            prop_assert!(!bucket.take(start + wait - Duration::from_nanos(1)).admitted);
            prop_assert!(bucket.take(start + wait).admitted);
        }
    }
}
