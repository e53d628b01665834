//! Service times of a batch's requests, where they differ.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Service times of a batch's requests, in seconds, where they are known and
/// differ: what a lower bound needs of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceTimes {
    /// Requests of the batch.
    pub requests: usize,
    /// The shortest of all.
    pub shortest_s: f64,
    /// The longest [`ServiceTimes::MOST`] of them, or all where they are fewer,
    /// the longest first.
    pub longest_first_s: Vec<f64>,
}

impl ServiceTimes {
    /// Times that a record holds at most: 10,000 take some 100 kB.
    pub const MOST: usize = 10_000;

    /// What a record holds of a batch's service times. `None` where all are the
    /// same.
    pub fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<Duration> = times.collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let (longest, shortest) = (*times.first()?, *times.last()?);
        (shortest < longest).then(|| Self {
            requests: times.len(),
            shortest_s: shortest.as_secs_f64(),
            longest_first_s: times
                .iter()
                .take(Self::MOST)
                .map(Duration::as_secs_f64)
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ServiceTimes;

    #[test]
    fn times_are_kept_longest_first_where_they_differ() {
        let of = |millis: &[u64]| {
            ServiceTimes::of(millis.iter().map(|millis| Duration::from_millis(*millis)))
        };
        let times = of(&[200, 100, 400]).expect("they differ");
        assert_eq!((times.requests, times.shortest_s), (3, 0.1));
        assert_eq!(times.longest_first_s, [0.4, 0.2, 0.1]);
        assert_eq!(of(&[250, 250]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_large_batch_keeps_its_longest_times() {
        let most = ServiceTimes::MOST as u64;
        let all = (0..2 * most).map(Duration::from_millis);
        let times = ServiceTimes::of(all).expect("they differ");
        assert_eq!(times.longest_first_s.len(), ServiceTimes::MOST);
        assert_eq!(
            (times.requests, times.shortest_s),
            (2 * ServiceTimes::MOST, 0.0)
        );
        assert_eq!(times.longest_first_s.last(), Some(&(most as f64 / 1e3)));
    }
}
