//! CPU work on each answer: what a program that parses what it got would do.

use std::hash::{DefaultHasher, Hasher};
use std::hint::black_box;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Work on an answer: its body is parsed as JSON, as far as it is that, and
/// hashed; then a fixed block is hashed so many times, so that the work hardly
/// depends on the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Times that the block is hashed; 0 for no work at all.
    pub rounds: u32,
}

/// What is hashed in each round.
const BLOCK: [u8; 256] = [0x5a; 256];

/// How long is measured before a time is believed.
const TRIAL: Duration = Duration::from_millis(2);

/// Trials, of which the shortest counts: nothing makes work faster than it can
/// be.
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
        while shortest(1, || work.on(body)) < TRIAL && work.rounds < 1 << 20 {
            work.rounds *= 2;
        }
        let once = Self { rounds: 1 };
        let times = 1000;
        let base = shortest(TRIALS, || (0..times).for_each(|_| once.on(body))) / times;
        let round = (shortest(TRIALS, || work.on(body)).saturating_sub(base)) / work.rounds;
        let beyond = goal.saturating_sub(base).as_secs_f64();
        let rounds = 1.0 + (beyond / round.as_secs_f64().max(1e-9)).round();
        let calibrated = Self {
            rounds: rounds.min(f64::from(u32::MAX)) as u32,
        };
        let took = shortest(TRIALS, || calibrated.on(body));
        (calibrated, took)
    }

    /// The longest that it may take where so many workers share the cores: ten
    /// times as long as on a slow machine, as others may have the core as well.
    pub(super) fn longest(self, workers: usize) -> Duration {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let sharing = u32::try_from(workers.div_ceil(cores)).unwrap_or(u32::MAX);
        let alone = Duration::from_micros(10) * self.rounds;
        alone.saturating_mul(sharing.max(1))
    }

    /// Does the work on a body.
    pub fn on(self, body: &[u8]) {
        if self.rounds == 0 {
            return;
        }
        // What is no JSON is parsed as far as it goes.
        let _ = black_box(serde_json::from_slice::<serde_json::Value>(black_box(body)));
        let mut hash = DefaultHasher::new();
        hash.write(body);
        for _ in 0..self.rounds {
            hash.write(black_box(&BLOCK));
        }
        black_box(hash.finish());
    }
}

/// CPU time of the calling thread: what else runs on the machine is not in it.
fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    now.map(Duration::from).unwrap_or_default()
}

/// The shortest of so many times that something took.
fn shortest(trials: usize, what: impl Fn()) -> Duration {
    let trial = |_| {
        let begun = thread_time();
        what();
        thread_time().saturating_sub(begun)
    };
    (0..trials).map(trial).min().unwrap_or_default()
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
