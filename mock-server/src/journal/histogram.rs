//! A histogram of times that any thread may read while one writes: log-linear,
//! so that a microsecond and a second are both resolved to 3 %.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Buckets for each doubling: 2⁵, which bounds the relative error by 1/32.
const SUB_BITS: u32 = 5;
const SUBS: u64 = 1 << SUB_BITS;

/// Times are counted in units of 100 ns.
const UNIT: u64 = 100;

/// Doublings above the linear part: up to 2³¹ units, 214 s.
const DOUBLINGS: usize = 26;

const BUCKETS: usize = (SUBS as usize) * (DOUBLINGS + 1);

/// Counts of times by size.
pub(crate) struct Histogram {
    buckets: Box<[AtomicU64]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Histogram {
    /// Counts one time.
    pub(crate) fn record(&self, time: Duration) {
        self.buckets[bucket(time)].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the counts of this histogram to `sums`.
    fn add_to(&self, sums: &mut [u64]) {
        for (sum, bucket) in sums.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
    }
}

fn bucket(time: Duration) -> usize {
    let units = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / UNIT;
    if units < SUBS {
        return units as usize;
    }
    let doubling = units.ilog2() - SUB_BITS;
    let within = (units >> doubling) - SUBS;
    let at = u64::from(doubling + 1) * SUBS + within;
    (at as usize).min(BUCKETS - 1)
}

/// The upper edge of a bucket: times in it are shorter than this.
fn upper_edge(bucket: usize) -> Duration {
    let (group, within) = (bucket as u64 / SUBS, bucket as u64 % SUBS);
    let units = match group {
        0 => within + 1,
        _ => (SUBS + within + 1) << (group - 1),
    };
    Duration::from_nanos(units * UNIT)
}

/// How late answers were: how long after its deadline each was let go
/// to be written, in milliseconds. Percentiles
/// are rounded up by at most 1/32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lateness {
    /// Answers that had a deadline.
    pub count: u64,
    /// The mean, from the middles of the histogram's buckets.
    pub mean_ms: f64,
    /// The median.
    pub p50_ms: f64,
    /// The 90th percentile.
    pub p90_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The 99.9th percentile.
    pub p999_ms: f64,
    /// The greatest.
    pub max_ms: f64,
}

impl Lateness {
    /// Reads several histograms as one.
    pub(super) fn of<'h>(histograms: impl Iterator<Item = &'h Histogram>) -> Self {
        let mut sums = vec![0; BUCKETS];
        histograms.for_each(|histogram| histogram.add_to(&mut sums));
        let count: u64 = sums.iter().sum();
        let at = |share: f64| {
            let rank = ((count as f64 * share).ceil() as u64).max(1);
            let mut seen = 0;
            let found = sums.iter().position(|sum| {
                seen += sum;
                seen >= rank
            });
            found.map_or(0.0, |bucket| upper_edge(bucket).as_secs_f64() * 1e3)
        };
        let middle = |bucket: usize| {
            let lower = bucket.checked_sub(1).map_or(Duration::ZERO, upper_edge);
            (lower + upper_edge(bucket)).as_secs_f64() / 2.0 * 1e3
        };
        let total: f64 = sums
            .iter()
            .enumerate()
            .map(|(bucket, sum)| middle(bucket) * *sum as f64)
            .sum();
        Self {
            count,
            mean_ms: if count > 0 { total / count as f64 } else { 0.0 },
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_lies_below_its_edge_and_within_the_error(nanos in 0u64..200_000_000_000) {
            let edge = upper_edge(bucket(Duration::from_nanos(nanos))).as_nanos() as u64;
            prop_assert!(nanos < edge);
            prop_assert!(edge - nanos <= UNIT + nanos / SUBS + UNIT);
        }
    }

    #[test]
    fn percentiles_are_those_of_the_times() {
        let (one, two) = (Histogram::default(), Histogram::default());
        for us in 1..=1000 {
            let half = if us % 2 == 0 { &one } else { &two };
            half.record(Duration::from_micros(us));
        }
        let lateness = Lateness::of([&one, &two].into_iter());
        assert_eq!(lateness.count, 1000);
        for (read, exact) in [
            (lateness.p50_ms, 0.5),
            (lateness.p99_ms, 0.99),
            (lateness.max_ms, 1.0),
        ] {
            assert!(read >= exact && read <= exact * 1.04, "{read} for {exact}");
        }
        let exact = 0.5005;
        assert!(
            (lateness.mean_ms / exact - 1.0).abs() < 0.01,
            "{lateness:?}"
        );
        assert_eq!(Lateness::of(std::iter::empty()), Lateness::default());
    }

    #[test]
    fn the_longest_time_has_a_bucket() {
        Histogram::default().record(Duration::MAX);
    }
}
