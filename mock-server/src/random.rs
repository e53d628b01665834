//! Common random numbers: every random quantity is a function of what it belongs
//! to and of nothing else, so that the order of arrival cannot change it.
//!
//! A *key* is hashed from the seed, the purpose (a record, a latency, a fault),
//! the route, the id and the attempt; the key then seeds a SplitMix64 stream
//! (Steele, Lea and Flood, OOPSLA 2014). Only integer arithmetic is used, so that
//! the same seed gives the same numbers on any machine.

/// What a random quantity is for. Distinct purposes give independent streams for
/// the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The fields of an inventory record.
    Record = 1,
    /// A service time.
    Latency = 2,
    /// Whether and how an answer fails.
    Fault = 3,
    /// The content of a file or of a user.
    Content = 4,
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of SplitMix64 (Stafford's variant 13): a bijection in which
/// every input bit flips about half of the output bits.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const fn absorb(state: u64, word: u64) -> u64 {
    mix(state.wrapping_add(GOLDEN) ^ mix(word.wrapping_add(GOLDEN)))
}

/// A stream of random numbers for one purpose of one request.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of `(seed, purpose, route, id, attempt)`. `route` is a stable
    /// number of the route, `attempt` counts from 0.
    pub(crate) fn new(seed: u64, purpose: Purpose, route: u64, id: &str, attempt: u64) -> Self {
        let mut state = absorb(seed, purpose as u64);
        state = absorb(state, route);
        state = absorb(state, attempt);
        state = absorb(state, id.len() as u64);
        for chunk in id.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state = absorb(state, u64::from_le_bytes(word));
        }
        Self { state }
    }

    /// The next 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number in the open interval (0, 1), in steps of 2⁻⁵³.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// A whole number in `0..bound`, by multiply and shift (Lemire 2019, without
    /// the rejection step: its bias is below 2⁻⁴⁰ for the bounds in use).
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let product = u128::from(self.next()) * u128::from(bound);
        // The product of 64 and 32 bits has 96, so its upper part fits.
        (product >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, route: u64, id: &str, attempt: u64) -> u64 {
        Stream::new(seed, Purpose::Record, route, id, attempt).next()
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let base = first(1, 1, "7", 0);
        assert_eq!(base, first(1, 1, "7", 0));
        for other in [
            first(2, 1, "7", 0),
            first(1, 2, "7", 0),
            first(1, 1, "8", 0),
            first(1, 1, "7\0", 0),
            first(1, 1, "", 0),
            first(1, 1, "7", 1),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn the_stream_is_the_same_on_every_machine() {
        let mut stream = Stream::new(1, Purpose::Record, 0, "0", 0);
        let drawn = [stream.next(), stream.next(), stream.next()];
        // From an implementation of the same definition in another language.
        assert_eq!(drawn, PINNED);
    }

    const PINNED: [u64; 3] = [
        4441567634097034225,
        9779389101591718876,
        12549141137453449325,
    ];

    #[test]
    fn whole_numbers_fill_their_range_evenly() {
        let mut seen = [0u32; 51];
        for id in 0..51_000 {
            let mut stream = Stream::new(9, Purpose::Record, 0, &id.to_string(), 0);
            seen[stream.below(51) as usize] += 1;
        }
        // Pearson's statistic with 50 degrees of freedom: 99.99 % lie below 93.
        let chi2: f64 = seen
            .iter()
            .map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0)
            .sum();
        assert!(chi2 < 93.0, "chi² = {chi2}");
    }
}
