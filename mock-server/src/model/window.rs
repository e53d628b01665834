//! What depends on the time since a run began: warming up, and being down.

use std::time::Duration;

use crate::duration::LONGEST;

/// Service times are stretched at first: by `factor` at the start of a run,
/// falling evenly to 1 at the end of `lasting`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmUp {
    /// How long it lasts.
    pub lasting: Duration,
    /// The factor at the start, 1 to 1,000; no time becomes longer than a day.
    pub factor: f64,
}

impl WarmUp {
    pub(super) fn stretch(&self, time: Duration, since: Duration) -> Duration {
        if since >= self.lasting {
            return time;
        }
        let left = 1.0 - since.as_secs_f64() / self.lasting.as_secs_f64();
        time.mul_f64(1.0 + (self.factor - 1.0) * left).min(LONGEST)
    }
}

/// A time in which every request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it begins, counted from the start of the run.
    pub from: Duration,
    /// How long it lasts.
    pub lasting: Duration,
    /// The status of the refusals, 500 to 599.
    pub status: u16,
}

impl Outage {
    pub(super) fn covers(&self, since: Duration) -> bool {
        since >= self.from && since - self.from < self.lasting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warming_up_falls_evenly_to_nothing() {
        let warm_up = WarmUp {
            lasting: Duration::from_secs(10),
            factor: 3.0,
        };
        let at = |secs| warm_up.stretch(Duration::from_millis(100), Duration::from_secs(secs));
        assert_eq!(at(0), Duration::from_millis(300));
        assert_eq!(at(5), Duration::from_millis(200));
        assert_eq!(at(10), Duration::from_millis(100));
        // Nothing is served for longer than a day.
        assert_eq!(warm_up.stretch(LONGEST, Duration::ZERO), LONGEST);
    }
}
