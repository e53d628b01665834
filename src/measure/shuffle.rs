//! A random order that a seed gives on every machine.

/// A stream of random numbers, SplitMix64 (Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators", OOPSLA 2014).
#[derive(Clone, Debug)]
pub(super) struct Shuffle {
    state: u64,
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Shuffle {
    /// The stream of a seed's round.
    pub(super) fn new(seed: u64, round: u32) -> Self {
        Self {
            state: mix(seed.wrapping_add(GOLDEN)) ^ u64::from(round),
        }
    }

    /// Brings values into random order (Fisher and Yates): every order is as
    /// likely as any other.
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for place in (1..values.len()).rev() {
            values.swap(place, self.below(place as u64 + 1));
        }
    }

    /// A whole number below a bound, by multiply and shift: its bias is the
    /// bound's share of 2⁶⁴.
    fn below(&mut self, bound: u64) -> usize {
        self.state = self.state.wrapping_add(GOLDEN);
        let product = u128::from(mix(self.state)) * u128::from(bound);
        (product >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Shuffle;

    #[test]
    fn the_order_is_the_seeds_and_the_rounds_alone() {
        let order = |seed, round| {
            let mut values: Vec<u8> = (0..20).collect();
            Shuffle::new(seed, round).shuffle(&mut values);
            values
        };
        assert_eq!(order(1, 0), order(1, 0));
        assert_ne!(order(1, 0), order(2, 0));
        assert_ne!(order(1, 0), order(1, 1));
        let mut sorted = order(7, 3);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn every_order_comes_about_equally_often() {
        let mut seen: BTreeMap<[u8; 4], u32> = BTreeMap::new();
        for seed in 0..24_000 {
            let mut values = [0, 1, 2, 3];
            Shuffle::new(seed, 0).shuffle(&mut values);
            *seen.entry(values).or_default() += 1;
        }
        assert_eq!(seen.len(), 24);
        // Pearson's statistic with 23 degrees of freedom: 99.99 % lie below 56.
        let chi2: f64 = seen
            .values()
            .map(|count| (f64::from(*count) - 1000.0).powi(2) / 1000.0)
            .sum();
        assert!(chi2 < 56.0, "chi² = {chi2}");
    }
}
