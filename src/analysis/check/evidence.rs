//! The evidence of a coin that may be bent: a test martingale of the sign test.
//!
//! Under the hypothesis a positive sign is at most as likely as a negative one,
//! given all that came before. Then a capital that bets the share κ of itself on
//! each positive sign does not grow on average, and by Ville's inequality (*Étude
//! critique de la notion de collectif*, 1939) it ever reaches `c` with a
//! probability of `1/c` at most. So one may look after every pair, and stop at any
//! time (Ramdas, Grünwald, Vovk and Shafer, Statistical Science 38, 2023). The
//! mean over several κ is such a capital too, and is nearly as good as the best
//! of them.

use serde::Serialize;

/// The shares that are bet: for signs that are nearly all, most, or somewhat more
/// often positive.
const SHARES: [f64; 3] = [0.95, 0.7, 0.35];

/// Signs so far. Ties count for neither side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Positive signs.
    pub positive: u64,
    /// Negative signs.
    pub negative: u64,
}

impl Evidence {
    /// Takes the sign of a difference.
    pub fn take(&mut self, difference: f64) {
        if difference > 0.0 {
            self.positive += 1;
        } else if difference < 0.0 {
            self.negative += 1;
        }
    }

    /// The logarithm of the capital, which began with 1:
    /// `E = ⅓ Σ (1 + κ)^positive · (1 − κ)^negative`.
    pub fn log_capital(self) -> f64 {
        let (positive, negative) = (self.positive as f64, self.negative as f64);
        // Capitals go beyond what a float holds.
        let logs = SHARES.map(|share| positive * share.ln_1p() + negative * (-share).ln_1p());
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
        most + (sum / SHARES.len() as f64).ln()
    }

    /// Whether the capital has reached a threshold.
    pub fn reaches(self, threshold: f64) -> bool {
        self.log_capital() >= threshold.ln()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Evidence;

    /// The fewest positive signs among so many that reach a threshold.
    fn fewest(signs: u64, threshold: f64) -> Option<u64> {
        let of = |positive| Evidence {
            positive,
            negative: signs - positive,
        };
        (0..=signs).find(|positive| of(*positive).reaches(threshold))
    }

    #[test]
    fn counts_for_slower_are_those_documented() {
        // 36 cells with two measures and two pooled rows, 1 % for all of them.
        let threshold = 74.0 / 0.01;
        assert_eq!(fewest(14, threshold), None);
        assert_eq!(fewest(15, threshold), Some(15));
        assert_eq!(fewest(20, threshold), Some(19));
        assert_eq!(fewest(30, threshold), Some(27));
        assert_eq!(fewest(60, threshold), Some(48));
    }

    #[test]
    fn counts_for_ok_are_those_documented() {
        let threshold = 1.0 / 0.02;
        assert_eq!(fewest(6, threshold), None);
        assert_eq!(fewest(7, threshold), Some(7));
        assert_eq!(fewest(12, threshold), Some(11));
        assert_eq!(fewest(20, threshold), Some(17));
    }

    /// The exact probability that a coin's capital reaches a threshold within so
    /// many tosses, over all paths that have not reached it before.
    fn ever_reaches(heads: f64, tosses: usize, threshold: f64) -> f64 {
        let mut reached = 0.0;
        // The probability of so many heads, by index.
        let mut alive = vec![1.0];
        for toss in 1..=tosses {
            let mut next = vec![0.0; toss + 1];
            for (positive, probability) in alive.iter().enumerate() {
                next[positive] += probability * (1.0 - heads);
                next[positive + 1] += probability * heads;
            }
            for (positive, probability) in next.iter_mut().enumerate() {
                let evidence = Evidence {
                    positive: positive as u64,
                    negative: (toss - positive) as u64,
                };
                if *probability > 0.0 && evidence.reaches(threshold) {
                    reached += *probability;
                    *probability = 0.0;
                }
            }
            alive = next;
        }
        reached
    }

    #[test]
    fn fair_coin_reaches_threshold_as_rarely_as_promised() {
        for threshold in [50.0, 2.0, 7400.0] {
            let exact = ever_reaches(0.5, 1000, threshold);
            assert!(exact <= 1.0 / threshold, "{threshold}: {exact}");
            // Not so rarely that the promise would be a waste.
            assert!(exact >= 0.2 / threshold, "{threshold}: {exact}");
        }
    }

    #[test]
    fn bent_coin_is_found_as_often_as_exact_sums_say() {
        let threshold = 7400.0;
        assert!(ever_reaches(0.95, 40, threshold) > 0.97);
        assert!(ever_reaches(0.8, 100, threshold) > 0.95);
        let tosses = 60;
        let exact = ever_reaches(0.8, tosses, threshold);
        let mut random = fastrand::Rng::with_seed(3);
        let runs = 4000;
        let found = (0..runs).filter(|_| {
            let mut evidence = Evidence::default();
            (0..tosses).any(|_| {
                evidence.take(if random.f64() < 0.8 { 1.0 } else { -1.0 });
                evidence.reaches(threshold)
            })
        });
        let share = found.count() as f64 / f64::from(runs);
        // Five standard deviations.
        assert!((share - exact).abs() < 0.04, "{share} and {exact}");
    }

    proptest! {
        #[test]
        fn next_fair_toss_changes_no_capital_on_average(
            positive in 0_u64..400,
            negative in 0_u64..400,
        ) {
            let capital = |positive, negative| Evidence { positive, negative }.log_capital();
            let now = capital(positive, negative);
            let up = (capital(positive + 1, negative) - now).exp();
            let down = (capital(positive, negative + 1) - now).exp();
            prop_assert!((f64::midpoint(up, down) - 1.0).abs() < 1e-9);
            prop_assert!(up >= 1.0 && down <= 1.0);
        }

        #[test]
        fn ties_and_no_numbers_change_nothing(n in 0_u64..50) {
            let mut evidence = Evidence { positive: n, negative: 3 };
            let before = evidence;
            evidence.take(0.0);
            evidence.take(f64::NAN);
            prop_assert_eq!(evidence, before);
        }
    }
}
