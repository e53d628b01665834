//! How often the harness looks while a sample runs: rarely, and never in step
//! with it. Whatever wakes just when an answer is due takes a core from it, and
//! round numbers of milliseconds meet again and again.

use std::time::Duration;

/// The shortest pause and the longest, in seconds.
const RANGE: (f64, f64) = (0.25, 0.75);

/// The fraction of the golden ratio: its multiples keep away from each other and
/// from every fraction that is simple (Weyl's sequence).
const STEP: f64 = 0.618_033_988_749_894_9;

/// Pauses without end, half a second on average.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pauses {
    drawn: u32,
}

impl Pauses {
    /// The next one.
    pub(super) fn draw(&mut self) -> Duration {
        self.drawn = self.drawn.wrapping_add(1);
        let place = (f64::from(self.drawn) * STEP).fract();
        let (shortest, longest) = RANGE;
        Duration::from_secs_f64(shortest + (longest - shortest) * place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_spread_over_their_range_and_over_every_period() {
        let mut drawn = Pauses::default();
        let pauses: Vec<f64> = (0..1000).map(|_| drawn.draw().as_secs_f64()).collect();
        let mean = pauses.iter().sum::<f64>() / 1000.0;
        assert!((mean - 0.5).abs() < 0.001, "{mean}");
        assert!(
            pauses
                .iter()
                .all(|pause| (RANGE.0..RANGE.1).contains(pause))
        );
        // Where they end within 200 ms, 20 ms and 1 ms, in tenths of it: no
        // tenth is met twice as often as it should be.
        for period in [0.2, 0.02, 0.001] {
            let mut at = 0.0;
            let mut met = [0; 10];
            for pause in &pauses {
                at += pause;
                met[((at % period) / period * 10.0) as usize % 10] += 1;
            }
            assert!(
                met.iter().all(|met| (50..200).contains(met)),
                "{period}: {met:?}"
            );
        }
    }
}
