//! Order statistics of measured values: what a summary says of several samples.
//!
//! Runtimes are skewed to the right (nothing makes a run faster than it can
//! be, much makes it slower), so the typical run is the median, and the spread
//! is shown as what was seen: minimum and maximum.

use serde::Serialize;

use crate::precision::{enclosing, enclosing_at};

/// Finite values in ascending order, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    /// Sorts values. `None` where there are none, or where one of them is not
    /// finite: a figure drawn from such values would not be one.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        Some(Self(values))
    }

    /// How many they are.
    #[allow(clippy::len_without_is_empty, reason = "they are never none")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The sum of squares of the values' logarithms about their mean; 0 where a value
    /// has none.
    pub fn log_squares(&self) -> f64 {
        let logs = self.0.iter().map(|value| value.ln());
        let mean = logs.clone().sum::<f64>() / self.0.len() as f64;
        let squares: f64 = logs.map(|log| (log - mean).powi(2)).sum();
        if squares.is_finite() { squares } else { 0.0 }
    }

    /// The smallest value.
    pub fn min(&self) -> f64 {
        self.0[0]
    }

    /// The largest value.
    pub fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The middle value, or the mean of the two middle ones.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The `p`-quantile by linear interpolation between order statistics:
    /// definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical
    /// Packages" (The American Statistician 50, 1996), the default of R and
    /// NumPy. `p` outside 0..=1 is taken as the nearer end.
    pub fn quantile(&self, p: f64) -> f64 {
        let last = self.0.len() - 1;
        let position = p.clamp(0.0, 1.0) * last as f64;
        let below = (position.floor() as usize).min(last);
        let above = (below + 1).min(last);
        let (low, high) = (self.0[below], self.0[above]);
        // Rounding may carry the sum past its upper neighbour.
        (low + (high - low) * (position - below as f64)).clamp(low, high)
    }

    /// High quantiles of two sets of values, of one probability: the highest that
    /// both can tell, up to 0.9. By definition 8 of Hyndman and Fan, which
    /// they recommend: its median is about that of the distribution whatever the
    /// number of values, so that few values favour neither side.
    pub fn high_quantiles(&self, other: &Self) -> (f64, f64) {
        // With so many values, the greatest stands for this probability.
        let told = |values: &Self| {
            let n = values.0.len() as f64;
            (n - 1.0 / 3.0) / (n + 1.0 / 3.0)
        };
        let p = HIGH.min(told(self)).min(told(other));
        let quantile = |values: &Self| {
            let last = values.0.len() - 1;
            // Position (n + 1/3) · p + 1/3, counted from 0.
            let position = (last as f64 + 4.0 / 3.0) * p - 2.0 / 3.0;
            values.quantile(position / last.max(1) as f64)
        };
        (quantile(self), quantile(other))
    }

    /// Whether the medians of two sets of values differ: their intervals of one
    /// confidence, 75 %, do not overlap. This says so of equal ones in about
    /// one case in ten, whatever the numbers of values, from three on. Where so many
    /// are compared with one of them the confidence is higher (Bonferroni), as far as
    /// the number of values allows.
    pub fn is_apart_among(&self, other: &Self, comparisons: usize) -> bool {
        let apart = 1.0 - (1.0 - APART) / comparisons.max(1) as f64;
        let attainable = |values: &Self| enclosing(values.0.len(), 1.0).map_or(0.0, |(_, p)| p);
        let confidence = apart.min(attainable(self)).min(attainable(other));
        let interval = |values| Interval::interpolated(values, confidence);
        let (one, other) = (interval(self), interval(other));
        one.high < other.low || other.high < one.low
    }
}

/// The highest probability whose quantiles are compared.
const HIGH: f64 = 0.9;

/// The confidence of the intervals by which medians are told apart: what three
/// samples allow.
const APART: f64 = 0.75;

/// The middle of several measured values, and the range in which they lay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// The spread of values. `None` where there are none, or one of them is
    /// not finite.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let sorted = Sorted::new(values)?;
        Some(Self {
            median: sorted.median(),
            min: sorted.min(),
            max: sorted.max(),
        })
    }
}

/// A range that holds the true median with some confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end, a value that was measured.
    pub low: f64,
    /// Its upper end, a value that was measured.
    pub high: f64,
    /// The probability that such a range holds the median of what the values
    /// were drawn from, at least: 0 for a single value.
    pub confidence: f64,
}

impl Interval {
    /// The narrowest pair of order statistics, as far from the one end as from
    /// the other, that holds the median with at least `confidence`; minimum and
    /// maximum where so few values allow no more.
    ///
    /// Of n independent values, k or fewer lie below the median with the
    /// probability that n tosses of a coin come to k or fewer heads, whatever
    /// the distribution (Thompson 1936; David and Nagaraja, "Order Statistics",
    /// section 7.1): three values hold it with 75 %, six with 97 %.
    pub fn of_median(values: &Sorted, confidence: f64) -> Self {
        let values = &values.0;
        let (rank, confidence) = enclosing(values.len(), confidence).unwrap_or((1, 0.0));
        Self {
            low: values[rank - 1],
            high: values[values.len() - rank],
            confidence,
        }
    }
}

impl Interval {
    /// The interval of such a confidence, between two pairs of order statistics of
    /// which one has more and the other less (Hettmansperger and Sheather,
    /// "Confidence intervals based on interpolated order statistics", Statistics
    /// and Probability Letters 4, 1986); minimum and maximum where those have less.
    fn interpolated(values: &Sorted, confidence: f64) -> Self {
        let outer = Self::of_median(values, confidence);
        let n = values.0.len();
        let Some((rank, more)) = enclosing(n, confidence).filter(|(_, p)| *p > confidence) else {
            return outer;
        };
        // One value or two in the middle hold it with no confidence.
        let inner = (rank + 1).min(n.div_ceil(2));
        let less = enclosing_at(n, inner);
        if inner == rank || less >= confidence {
            return outer;
        }
        let share = (more - confidence) / (more - less);
        let (n, k) = (n as f64, rank as f64);
        let share = (n - k) * share / (k + (n - 2.0 * k) * share);
        let at = |place: usize| values.0[place - 1];
        let mixed = |one: f64, other: f64| one + share * (other - one);
        let last = values.0.len() + 1;
        Self {
            low: mixed(at(rank), at(inner)),
            high: mixed(at(last - rank), at(last - inner)),
            confidence,
        }
    }
}

/// The lower median of counts: of an even number of them the smaller of the
/// two middle ones, so that the answer is a count that was seen (there are no
/// 3.5 connections). `None` where there are none.
pub fn median_count(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    let mut counts: Vec<u64> = counts.into_iter().collect();
    counts.sort_unstable();
    let middle = counts.len().checked_sub(1)? / 2;
    Some(counts[middle])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Interval, Sorted, Spread, median_count};

    fn sorted(values: &[f64]) -> Sorted {
        Sorted::new(values.iter().copied()).expect("finite values")
    }

    #[test]
    fn quantiles_follow_definition_seven() {
        // R: quantile(c(1, 2, 4, 8), c(.25, .5, .9)) gives 1.75, 3, 6.8.
        let values = sorted(&[8.0, 1.0, 4.0, 2.0]);
        assert_eq!(values.quantile(0.25), 1.75);
        assert_eq!(values.median(), 3.0);
        assert!((values.quantile(0.9) - 6.8).abs() < 1e-12);
        assert_eq!(values.quantile(-1.0), 1.0);
        assert_eq!(values.quantile(2.0), 8.0);
    }

    #[test]
    fn nothing_and_what_is_no_number_have_no_statistics() {
        assert_eq!(Sorted::new([]), None);
        assert_eq!(Sorted::new([1.0, f64::NAN]), None);
        assert_eq!(Spread::of([f64::INFINITY]), None);
        assert_eq!(median_count([]), None);
    }

    #[test]
    fn the_median_of_counts_is_one_of_them() {
        assert_eq!(median_count([4]), Some(4));
        assert_eq!(median_count([7, 3]), Some(3));
        assert_eq!(median_count([9, 1, 5]), Some(5));
    }

    /// In how many of some cases two sets of noisy values are told apart, of which one
    /// is so many times the other.
    fn apart(samples: (usize, usize), slower: f64, noise: f64) -> f64 {
        const CASES: usize = 4_000;
        let mut random = fastrand::Rng::with_seed(5);
        let mut normal = || {
            let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
            radius * (std::f64::consts::TAU * random.f64()).cos()
        };
        let mut draw = |n: usize, times: f64| {
            let values: Vec<_> = (0..n).map(|_| times * (noise * normal()).exp()).collect();
            sorted(&values)
        };
        let cases = (0..CASES).map(|_| (draw(samples.0, 1.0), draw(samples.1, slower)));
        cases
            .filter(|(one, other)| one.is_apart_among(other, 1))
            .count() as f64
            / CASES as f64
    }

    #[test]
    fn equal_medians_are_told_apart_as_seldom_with_any_samples() {
        for samples in [(3, 3), (3, 6), (6, 6), (3, 30), (12, 12), (30, 30)] {
            let apart = apart(samples, 1.0, 0.02);
            assert!((0.03..0.15).contains(&apart), "{samples:?}: {apart}");
        }
    }

    #[test]
    fn more_samples_tell_a_small_difference_better() {
        // 2 % slower, noise of 0.7 %.
        let few = apart((3, 3), 1.02, 0.007);
        let many = apart((30, 30), 1.02, 0.007);
        assert!(few > 0.8 && many > 0.99, "{few}, {many}");
    }

    #[test]
    fn high_quantiles_are_of_one_probability() {
        // The greatest of three stands for 0.8: in R, quantile(1:6, .8, type = 8)
        // gives 5.4.
        let (three, six) = (
            sorted(&[1.0, 2.0, 3.0]),
            sorted(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        );
        let (high, other) = three.high_quantiles(&six);
        assert!(
            (high - 3.0).abs() < 1e-9 && (other - 5.4).abs() < 1e-9,
            "{high}, {other}"
        );
        let one = sorted(&[7.0]);
        assert_eq!(one.high_quantiles(&one), (7.0, 7.0));
    }

    #[test]
    fn the_interval_of_a_median_is_as_sure_as_its_samples_allow() {
        let of = |n: i32| {
            let values: Vec<_> = (1..=n).map(f64::from).collect();
            let interval = Interval::of_median(&sorted(&values), 0.95);
            (interval.low, interval.high, interval.confidence)
        };
        assert_eq!(of(1), (1.0, 1.0, 0.0));
        assert_eq!(of(2), (1.0, 2.0, 0.5));
        assert_eq!(of(3), (1.0, 3.0, 0.75));
        assert_eq!(of(5), (1.0, 5.0, 0.9375));
        assert_eq!(of(6), (1.0, 6.0, 0.96875));
        // Tables give the second and the eighth of nine with 96.1 %.
        assert_eq!(of(9), (2.0, 8.0, 0.9609375));
        assert_eq!(of(20).0, 6.0);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_median(
            values in prop::collection::vec(0.0..1e9_f64, 1..2_000),
        ) {
            let values = sorted(&values);
            let interval = Interval::of_median(&values, 0.95);
            prop_assert!(interval.low <= values.median() && values.median() <= interval.high);
            prop_assert!((0.0..=1.0).contains(&interval.confidence));
        }

        #[test]
        fn the_median_lies_within_the_range(values in prop::collection::vec(0.0..1e9_f64, 1..40)) {
            let spread = Spread::of(values).expect("finite values");
            prop_assert!(spread.min <= spread.median && spread.median <= spread.max);
        }

        #[test]
        fn quantiles_rise_with_p_from_minimum_to_maximum(
            values in prop::collection::vec(-1e6..1e6_f64, 1..40),
            p in 0.0..1.0_f64,
            q in 0.0..1.0_f64,
        ) {
            let values = sorted(&values);
            prop_assert!(values.quantile(p.min(q)) <= values.quantile(p.max(q)));
            prop_assert_eq!(values.quantile(0.0), values.min());
            prop_assert_eq!(values.quantile(1.0), values.max());
        }

        #[test]
        fn half_of_the_values_lie_on_each_side_of_the_median(
            values in prop::collection::vec(-1e6..1e6_f64, 1..40),
        ) {
            let median = sorted(&values).median();
            prop_assert!(values.iter().filter(|value| **value <= median).count() * 2 >= values.len());
            prop_assert!(values.iter().filter(|value| **value >= median).count() * 2 >= values.len());
        }
    }
}
