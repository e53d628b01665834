//! Steps in which a ureq connection tells its socket what is left of a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time;

use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration;

/// Into how many steps the limit of a request is divided for its socket.
const STEPS: u32 = 64;

/// The longest of them, whatever the limit.
const LONGEST_STEP: time::Duration = time::Duration::from_millis(500);

/// The step for a limit.
pub(super) fn step(limit: time::Duration) -> time::Duration {
    (limit / STEPS).min(LONGEST_STEP)
}

/// The step, in nanoseconds, in which what is left of a request's limit is told
/// to its socket; 0 to tell it as it is.
///
/// It is told before each write and read where it differs from the time before:
/// two system calls a request that say next to nothing. Rounded up to a step it
/// seldom differs. Whether an answer came in time is not for the socket to say.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps(Arc<AtomicU64>);

impl Steps {
    pub(super) fn set(&self, step: time::Duration) {
        let step = u64::try_from(step.as_nanos()).unwrap_or_default();
        self.0.store(step, Ordering::Relaxed);
    }

    pub(super) fn round(&self, left: NextTimeout) -> NextTimeout {
        let step = u128::from(self.0.load(Ordering::Relaxed));
        let Duration::Exact(after) = left.after else {
            return left;
        };
        let rounded = after.as_nanos().div_ceil(step.max(1)) * step;
        match u64::try_from(rounded) {
            Ok(nanos @ 1..) => NextTimeout {
                after: time::Duration::from_nanos(nanos).into(),
                ..left
            },
            _ => left,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn left(nanos: u64) -> NextTimeout {
        NextTimeout {
            after: time::Duration::from_nanos(nanos).into(),
            ..NextTimeout::default()
        }
    }

    #[test]
    fn what_is_left_a_little_later_is_told_the_same() {
        let steps = Steps::default();
        steps.set(step(time::Duration::from_secs(30)));
        let told = |nanos| steps.round(left(nanos)).after;
        assert_eq!(told(30_000_000_000), told(29_600_000_000));
        assert!(told(29_000_000_000) < told(30_000_000_000));
        assert_eq!(steps.round(NextTimeout::default()), NextTimeout::default());
    }

    #[test]
    fn no_step_is_longer_than_half_a_second() {
        let seconds = time::Duration::from_secs;
        assert_eq!(step(seconds(1)), seconds(1) / 64);
        assert_eq!(step(seconds(86_400)), seconds(1) / 2);
    }

    proptest! {
        #[test]
        fn a_limit_is_told_no_shorter_and_at_most_a_step_longer(nanos: u64, step: u64) {
            let steps = Steps::default();
            let none = steps.round(left(nanos));
            prop_assert_eq!(none, left(nanos));
            steps.set(time::Duration::from_nanos(step));
            let told = steps.round(left(nanos)).after.as_nanos();
            prop_assert!(told >= u128::from(nanos));
            prop_assert!(told - u128::from(nanos) < u128::from(step.max(1)));
        }
    }
}
