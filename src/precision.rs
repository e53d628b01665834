//! How well samples determine a median: the interval by which a session decides
//! that a cell has enough of them, and which reports show.
//!
//! The interval is free of any assumption on how values are distributed, other
//! than that samples are independent: the number of them below the true median
//! is binomial with p = 1/2, so the order statistics `x(k)` and `x(n + 1 − k)`
//! enclose it with probability `1 − 2 · P(B(n, 1/2) < k)` (David and Nagaraja,
//! *Order Statistics*, 3rd edition, 2003, section 7.1). Few samples cannot give
//! one: at 95 % it takes six, whose least and greatest enclose it with 96.9 %.

use serde::Serialize;

/// The probability with which an interval encloses the true median, at least.
pub const CONFIDENCE: f64 = 0.95;

/// A median is precise when its interval lies within this fraction of it.
pub const PRECISION: f64 = 0.005;

/// An interval that encloses the true median with a probability of
/// [`CONFIDENCE`] or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// The interval of the median of some values. `None` where they are too few,
    /// or one of them is not finite.
    pub fn of_median(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let from_either_end = rank(values.len())?;
        Some(Self {
            low: values[from_either_end - 1],
            high: values[values.len() - from_either_end],
        })
    }

    /// Whether both ends lie within [`PRECISION`] of a median.
    pub fn is_precise(&self, median: f64) -> bool {
        let reach = PRECISION * median;
        median - self.low <= reach && self.high - median <= reach
    }
}

/// The greatest k of which `x(k)` and `x(n + 1 − k)` enclose the median with
/// [`CONFIDENCE`]; `None` where not even the least and the greatest value do.
fn rank(samples: usize) -> Option<usize> {
    let (rank, probability) = enclosing(samples, CONFIDENCE)?;
    (probability >= CONFIDENCE).then_some(rank)
}

/// The greatest k of which `x(k)` and `x(n + 1 − k)` enclose the median with at
/// least such a probability, and the probability with which they do; the least
/// and the greatest value (k = 1) where not even those do. `None` without
/// samples.
pub(crate) fn enclosing(samples: usize, confidence: f64) -> Option<(usize, f64)> {
    let n = samples as f64;
    // The logarithm, because 2^-n has no place in a float from n = 1075 on.
    let mut log_probability = -n * std::f64::consts::LN_2;
    let mut below = 0.0;
    let mut found = None;
    for below_rank in 0..samples.div_ceil(2) {
        below += log_probability.exp();
        let encloses = (1.0 - 2.0 * below).max(0.0);
        if found.is_some() && encloses < confidence {
            break;
        }
        let k = below_rank + 1;
        found = Some((k, encloses));
        log_probability += ((n - k as f64 + 1.0) / k as f64).ln();
    }
    found
}

/// The probability with which `x(k)` and `x(n + 1 − k)` enclose the median.
pub(crate) fn enclosing_at(samples: usize, rank: usize) -> f64 {
    let n = samples as f64;
    let mut log_probability = -n * std::f64::consts::LN_2;
    let mut below = 0.0;
    for below_rank in 0..rank {
        below += log_probability.exp();
        log_probability += ((n - below_rank as f64) / (below_rank as f64 + 1.0)).ln();
    }
    (1.0 - 2.0 * below).max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CONFIDENCE, Interval, rank};

    #[test]
    fn ranks_are_those_of_the_published_tables() {
        // Two-sided 95 %, as in Conover, Practical Nonparametric Statistics.
        let cases = [(6, 1), (8, 1), (9, 2), (12, 3), (15, 4), (20, 6), (100, 40)];
        for (samples, expected) in cases {
            assert_eq!(rank(samples), Some(expected), "{samples}");
        }
        for few in 0..6 {
            assert_eq!(rank(few), None, "{few}");
        }
        // As the normal approximation has it: n/2 − 1.96 · √n/2.
        let many = rank(10_000).expect("a rank");
        assert!((4901..=4903).contains(&many), "{many}");
    }

    #[test]
    fn an_interval_is_precise_within_half_a_per_cent() {
        let of = |values: &[f64]| Interval::of_median(values.iter().copied());
        let near = of(&[1.0, 1.001, 1.002, 1.0, 1.003, 1.004]).expect("an interval");
        assert_eq!((near.low, near.high), (1.0, 1.004));
        assert!(near.is_precise(1.0015));
        let far = of(&[1.0, 1.001, 1.002, 1.0, 1.003, 1.01]).expect("an interval");
        assert!(!far.is_precise(1.0015));
        assert_eq!(of(&[1.0; 5]), None);
        assert_eq!(of(&[1.0, 1.0, 1.0, 1.0, 1.0, f64::NAN]), None);
        assert_eq!(of(&[]), None);
    }

    proptest! {
        #[test]
        fn the_interval_encloses_the_median_and_narrows_with_confidence(
            values in proptest::collection::vec(0.1_f64..10.0, 6..200),
        ) {
            let interval = Interval::of_median(values.iter().copied()).expect("an interval");
            let below = values.iter().filter(|v| **v < interval.low).count();
            let above = values.iter().filter(|v| **v > interval.high).count();
            prop_assert!(2 * below < values.len() && 2 * above < values.len());
            prop_assert!(interval.low <= interval.high);
        }

        #[test]
        fn one_rank_further_in_would_promise_too_much(samples in 6_usize..300) {
            let rank = rank(samples).expect("a rank");
            // P(B < k) by Pascal's triangle, which is exact enough up to 300.
            let mut row = vec![1.0_f64];
            for _ in 0..samples {
                let mut next = vec![0.5; row.len() + 1];
                for (place, value) in next.iter_mut().enumerate() {
                    let left = if place > 0 { row[place - 1] } else { 0.0 };
                    let right = row.get(place).copied().unwrap_or(0.0);
                    *value = 0.5 * (left + right);
                }
                row = next;
            }
            let encloses = |k: usize| 1.0 - 2.0 * row[..k].iter().sum::<f64>();
            prop_assert!(encloses(rank) >= CONFIDENCE - 1e-9);
            prop_assert!(encloses(rank + 1) < CONFIDENCE + 1e-9);
        }
    }
}
