//! How much earlier than its deadline a timer is armed.

use std::time::{Duration, Instant};

/// The longest lead.
const LONGEST: Duration = Duration::from_micros(200);

/// The share of all time that may be waited out awake: one in so many.
const SHARE: u32 = 100;

/// What may be saved up of it.
const SAVED: Duration = Duration::from_millis(2);

/// Learns how long waking takes, and keeps account of the time that is waited
/// out awake because waking took less.
#[derive(Debug)]
pub(super) struct EarlyWakeup {
    lead: Duration,
    /// Time that may be waited out awake, as of the moment beside it.
    credit: Duration,
    at: Instant,
}

impl Default for EarlyWakeup {
    fn default() -> Self {
        Self {
            lead: Duration::ZERO,
            credit: SAVED,
            at: Instant::now(),
        }
    }
}

impl EarlyWakeup {
    /// The lead to arm with: near the least that waking has lately taken.
    pub(super) fn of(&mut self, now: Instant) -> Duration {
        if self.credit(now) < self.lead {
            return Duration::ZERO;
        }
        self.lead
    }

    /// Takes in how late a wake-up was that found its processor asleep. The lead
    /// falls fast and rises slowly, so that most wake-ups come after their
    /// deadline by a little, and few before it.
    pub(super) fn learn(&mut self, late: Duration) {
        self.lead = match late.checked_sub(self.lead) {
            Some(later) => (self.lead + later / 16).min(LONGEST),
            None => self.lead - (self.lead - late) / 2,
        };
    }

    /// Whether what is left until a deadline is short enough, and the share not
    /// yet spent; if so it counts as spent.
    pub(super) fn may_wait_awake(&mut self, now: Instant, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(now);
        let credit = self.credit(now);
        let may = left <= self.lead && left <= credit;
        if may {
            self.credit = credit - left;
        }
        may
    }

    fn credit(&mut self, now: Instant) -> Duration {
        let earned = now.saturating_duration_since(self.at) / SHARE;
        self.at = now;
        self.credit = (self.credit + earned).min(SAVED);
        self.credit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: fn(u64) -> Duration = Duration::from_micros;

    #[test]
    fn the_lead_nears_the_least_that_waking_takes() {
        let mut lead = EarlyWakeup::default();
        for round in 0..500 {
            lead.learn(if round % 4 == 0 { US(100) } else { US(180) });
        }
        let now = Instant::now();
        assert!((US(95)..US(125)).contains(&lead.of(now)), "{lead:?}");
        for _ in 0..20 {
            lead.learn(US(5));
        }
        assert!(lead.of(now) < US(6), "{lead:?}");
        for _ in 0..500 {
            lead.learn(Duration::from_secs(1));
        }
        assert_eq!(lead.of(now), LONGEST);
    }

    #[test]
    fn no_more_than_its_share_is_waited_out_awake() {
        let mut lead = EarlyWakeup::default();
        for _ in 0..500 {
            lead.learn(US(100));
        }
        let (begun, mut awake) = (Instant::now(), Duration::ZERO);
        for step in 0..10_000 {
            let now = begun + US(200) * step;
            if lead.may_wait_awake(now, now + US(90)) {
                awake += US(90);
            }
        }
        let most = US(200) * 10_000 / SHARE + SAVED;
        assert!(awake <= most && awake > most / 2, "{awake:?} of {most:?}");
        // Longer than waking ever takes is never waited out awake.
        let later = begun + Duration::from_secs(60);
        assert!(!lead.may_wait_awake(later, later + US(101)));
        assert!(lead.may_wait_awake(later, later + US(50)));
    }
}
