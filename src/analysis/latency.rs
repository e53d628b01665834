//! How the latencies of a cell are distributed, with the tail kept whole.

use serde::Serialize;

use crate::record::Measurement;

/// Points of a distribution to a factor of ten in rank.
const TO_A_DECADE: f64 = 24.0;

/// The distribution of the latencies of a cell's good answers, all samples
/// together. In a closed loop these are service times as the workers saw them,
/// not what users arriving at random would wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Latencies {
    /// Good answers.
    pub answers: u64,
    /// Some of the latencies, from the slowest answer to the fastest: dense
    /// among the slowest, so that the number of points stays small and no
    /// answer of the tail is smoothed away.
    pub points: Vec<Ranked>,
}

/// One latency and its place among the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// How many answers took at least as long, this one included: 1 for the
    /// slowest.
    pub rank: u64,
    /// Its latency in seconds.
    pub seconds: f64,
}

impl Latencies {
    /// The distribution over some samples. `None` without a good answer.
    pub fn of(samples: &[&Measurement]) -> Option<Self> {
        let mut latencies: Vec<f64> = samples
            .iter()
            .flat_map(|sample| sample.outcomes.latency_s.iter().zip(&sample.outcomes.ok))
            .filter(|(latency, ok)| **ok && latency.is_finite())
            .map(|(latency, _)| *latency)
            .collect();
        latencies.sort_unstable_by(|a, b| b.total_cmp(a));
        let answers = latencies.len() as u64;
        let points = ranks(answers).into_iter().map(|rank| Ranked {
            rank,
            seconds: latencies[rank as usize - 1],
        });
        (answers > 0).then(|| Self {
            answers,
            points: points.collect(),
        })
    }

    /// One in how many answers takes at least as long as the one of a rank: 2 at
    /// the median, 100 at the 99th percentile.
    pub fn one_in(&self, rank: u64) -> f64 {
        self.answers as f64 / rank as f64
    }

    /// The least latency that a share of the answers took no longer than, such
    /// as 0.5 for the median. Exact for the quartiles, 0.95, 0.9, 0.99 and so on; else
    /// the nearest of those that were kept, within a tenth of its rank.
    pub fn percentile(&self, share: f64) -> f64 {
        let rank = rank_of(share, self.answers);
        let point = self.points.iter().find(|point| point.rank >= rank);
        point.map_or(0.0, |point| point.seconds)
    }
}

/// The rank of the fastest answer that a share of all took no longer than.
fn rank_of(share: f64, answers: u64) -> u64 {
    // A share that divides the answers must not be rounded across its rank.
    let longer = (1.0 - share) * answers as f64 + 1e-6;
    (longer as u64 + 1).min(answers)
}

/// Ranks from the slowest to the fastest of so many, about evenly spaced in
/// their logarithm, and those of the shares that have names.
fn ranks(answers: u64) -> Vec<u64> {
    if answers == 0 {
        return Vec::new();
    }
    let decades = (answers as f64).log10();
    let spaced = (0..=(decades * TO_A_DECADE).ceil() as u32)
        .map(|step| 10_f64.powf(f64::from(step) / TO_A_DECADE).round() as u64);
    let nines = (1..=decades.ceil() as i32).map(|nines| 1.0 - 10_f64.powi(-nines));
    let named = nines.chain([0.95, 0.75, 0.5, 0.25]);
    let mut ranks: Vec<u64> = spaced
        .map(|rank| rank.min(answers))
        .chain(named.map(|share| rank_of(share, answers)))
        .chain([answers])
        .collect();
    ranks.sort_unstable();
    ranks.dedup();
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Latencies, ranks};
    use crate::record::{Measurement, Outcomes};

    fn measurement(latency_s: Vec<f64>, ok: Vec<bool>) -> Measurement {
        Measurement {
            outcomes: Outcomes {
                latency_s,
                ok,
                ..Outcomes::default()
            },
            ..Measurement::default()
        }
    }

    #[test]
    fn few_answers_are_all_kept_and_failures_are_none_of_them() {
        let run = measurement(vec![0.3, 0.1, 9.0, 0.2], vec![true, true, false, true]);
        let latencies = Latencies::of(&[&run]).expect("answers");
        let points: Vec<_> = latencies
            .points
            .iter()
            .map(|p| (p.rank, p.seconds))
            .collect();
        assert_eq!(points, [(1, 0.3), (2, 0.2), (3, 0.1)]);
        assert_eq!(latencies.one_in(1), 3.0);
        assert_eq!(latencies.percentile(0.5), 0.2);
        assert_eq!(latencies.percentile(1.0), 0.3);
        let failed = measurement(vec![0.3], vec![false]);
        assert_eq!(Latencies::of(&[&failed]), None);
    }

    #[test]
    fn a_million_answers_are_few_points() {
        assert!(ranks(1_000_000).len() < 150);
        assert!(ranks(0).is_empty());
    }

    #[test]
    fn shares_with_names_are_exact() {
        // The slowest answer takes 1000 s, the fastest 1 s.
        let run = measurement((1..=1000).map(f64::from).collect(), vec![true; 1000]);
        let latencies = Latencies::of(&[&run]).expect("answers");
        let exact = [
            (0.25, 250.0),
            (0.5, 500.0),
            (0.75, 750.0),
            (0.9, 900.0),
            (0.95, 950.0),
            (0.99, 990.0),
            (0.999, 999.0),
        ];
        for (share, seconds) in exact {
            assert_eq!(latencies.percentile(share), seconds, "{share}");
        }
    }

    proptest! {
        #[test]
        fn points_run_from_the_slowest_to_the_fastest(
            latencies in prop::collection::vec(1e-6..100.0_f64, 1..2000),
        ) {
            let count = latencies.len();
            let slowest = latencies.iter().copied().fold(0.0, f64::max);
            let fastest = latencies.iter().copied().fold(f64::INFINITY, f64::min);
            let run = measurement(latencies, vec![true; count]);
            let digest = Latencies::of(&[&run]).expect("answers");
            prop_assert_eq!(digest.points[0].seconds, slowest);
            let last = digest.points.last().expect("a point");
            prop_assert_eq!((last.rank, last.seconds), (count as u64, fastest));
            for pair in digest.points.windows(2) {
                prop_assert!(pair[0].rank < pair[1].rank);
                prop_assert!(pair[0].seconds >= pair[1].seconds);
                prop_assert!(pair[1].rank as f64 <= 1.11 * pair[0].rank as f64 + 1.0);
            }
        }
    }
}
