//! CPU work on each answer: what a program that parses what it got would do.

use std::hash::{DefaultHasher, Hasher};
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// So many rounds of work on an answer. A round parses the body as JSON, as far
/// as it is that, and hashes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Rounds; 0 for no work.
    pub rounds: u32,
}

/// How long is measured before a round's time is believed.
const TRIAL: Duration = Duration::from_millis(2);

/// Trials, of which the shortest counts: nothing makes a round faster than it
/// can be.
const TRIALS: usize = 15;

impl Work {
    /// The work on a body that takes about so long on this machine now, and how
    /// long it takes, as measured on an otherwise idle core.
    pub fn calibrate(body: &[u8], goal: Duration) -> (Self, Duration) {
        if goal.is_zero() {
            return (Self::default(), Duration::ZERO);
        }
        let mut work = Self { rounds: 1 };
        // Rounds enough for the clock to be the smaller error.
        while time(work, body) < TRIAL && work.rounds < 1 << 20 {
            work.rounds *= 2;
        }
        let shortest = (0..TRIALS).map(|_| time(work, body)).min();
        let round = shortest.unwrap_or_default().as_secs_f64() / f64::from(work.rounds);
        let rounds = (goal.as_secs_f64() / round.max(1e-9)).round();
        let rounds = rounds.clamp(1.0, f64::from(u32::MAX)) as u32;
        (
            Self { rounds },
            Duration::from_secs_f64(round * f64::from(rounds)),
        )
    }

    /// Does the work on a body.
    pub fn on(self, body: &[u8]) {
        let mut hash = DefaultHasher::new();
        for _ in 0..self.rounds {
            // What is no JSON is parsed as far as it goes.
            let _ = black_box(serde_json::from_slice::<serde_json::Value>(black_box(body)));
            hash.write(body);
        }
        black_box(hash.finish());
    }
}

fn time(work: Work, body: &[u8]) -> Duration {
    let begun = Instant::now();
    work.on(body);
    begun.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_grow_with_the_goal_and_are_never_none() {
        let body = br#"{"id":"1","name":"Granite"}"#;
        let (none, took) = Work::calibrate(body, Duration::ZERO);
        assert_eq!((none, took), (Work::default(), Duration::ZERO));
        let (least, _) = Work::calibrate(body, Duration::from_nanos(1));
        assert_eq!(least.rounds, 1);
        let (some, _) = Work::calibrate(body, Duration::from_micros(100));
        let (more, _) = Work::calibrate(body, Duration::from_millis(10));
        assert!(some.rounds > 1 && more.rounds > some.rounds);
    }

    #[test]
    fn any_body_can_be_worked_on() {
        for body in [&b""[..], b"<p>", b"[1,", &[0xff; 10]] {
            Work { rounds: 3 }.on(body);
        }
    }
}
