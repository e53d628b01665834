//! Waiting until a deadline, as precisely as the system allows.
//!
//! tokio's own timer counts in milliseconds and rounds up, so an idle loop is
//! late by about one, always; at 20 ms that alone is 5 % of what a client
//! measures. On Linux a `timerfd` and a heap of deadlines take its place. Where
//! there is none, or it cannot be made, tokio's timer serves.
//!
//! A [`Timer`] belongs to one single-threaded runtime.

#[cfg(target_os = "linux")]
mod early_wakeup;
#[cfg(target_os = "linux")]
mod linux;

use std::io;
use std::time::Instant;

/// A source of deadlines for the tasks of one single-threaded runtime.
#[derive(Clone)]
pub(crate) enum Timer {
    #[cfg(target_os = "linux")]
    Precise(std::rc::Rc<linux::Timer>),
    Coarse,
}

impl Timer {
    /// The best timer that this system has. Must be called within the
    /// single-threaded runtime that will use it.
    ///
    /// # Errors
    /// When the system has a precise timer but refuses to create one (for
    /// example because file descriptors ran out).
    #[cfg(target_os = "linux")]
    pub(crate) fn best() -> io::Result<Self> {
        Self::choose(linux::Timer::start())
    }

    /// The precise timer, or tokio's where the system does not give one.
    #[cfg(target_os = "linux")]
    fn choose(precise: io::Result<std::rc::Rc<linux::Timer>>) -> io::Result<Self> {
        match precise {
            Ok(timer) => Ok(Self::Precise(timer)),
            // A sandbox may not have the system call at all, or forbid it.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
                ) =>
            {
                Ok(Self::Coarse)
            }
            Err(error) => Err(error),
        }
    }

    /// The best timer that this system has: tokio's.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn best() -> io::Result<Self> {
        Ok(Self::Coarse)
    }

    /// What its deadlines come from, for people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Self::Precise(_) => "timerfd",
            Self::Coarse => "tokio, which counts in milliseconds and rounds up",
        }
    }

    /// Completes at `deadline`, or at once when that has passed. Never early.
    pub(crate) async fn until(&self, deadline: Instant) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Precise(timer) => linux::Timer::until(timer, deadline).await,
            Self::Coarse => tokio::time::sleep_until(deadline.into()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn in_runtime<F: Future>(test: impl FnOnce() -> F) {
        let runtime = tokio::runtime::LocalRuntime::new().unwrap();
        runtime.block_on(async { test().await });
    }

    async fn order_of(timer: &Timer, millis: &[u64]) -> Vec<u64> {
        let order = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let base = Instant::now() + Duration::from_millis(20);
        let tasks: Vec<_> = millis
            .iter()
            .map(|&ms| {
                let (timer, order) = (timer.clone(), order.clone());
                tokio::task::spawn_local(async move {
                    let deadline = base + Duration::from_millis(ms);
                    timer.until(deadline).await;
                    assert!(Instant::now() >= deadline, "woken early");
                    order.borrow_mut().push(ms);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        std::rc::Rc::into_inner(order).unwrap().into_inner()
    }

    #[test]
    fn deadlines_come_in_order_and_never_early() {
        in_runtime(|| async {
            let timer = Timer::best().unwrap();
            assert_eq!(order_of(&timer, &[8, 2, 6, 4, 0]).await, [0, 2, 4, 6, 8]);
        });
    }

    #[test]
    fn the_coarse_timer_keeps_the_same_promise() {
        in_runtime(|| async {
            assert_eq!(order_of(&Timer::Coarse, &[20, 0, 10]).await, [0, 10, 20]);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_refused_timer_is_named_for_what_takes_its_place() {
        use io::ErrorKind::{OutOfMemory, PermissionDenied, Unsupported};

        in_runtime(|| async {
            assert_eq!(Timer::best().unwrap().name(), "timerfd");
            for refusal in [PermissionDenied, Unsupported] {
                let timer = Timer::choose(Err(refusal.into())).unwrap();
                assert!(timer.name().starts_with("tokio"), "{}", timer.name());
            }
            assert!(Timer::choose(Err(OutOfMemory.into())).is_err());
        });
    }

    #[test]
    fn a_deadline_in_the_past_does_not_wait() {
        in_runtime(|| async {
            let timer = Timer::best().unwrap();
            timer.until(Instant::now()).await;
        });
    }

    #[test]
    fn an_abandoned_wait_disturbs_no_other() {
        in_runtime(|| async {
            let timer = Timer::best().unwrap();
            let soon = Instant::now() + Duration::from_millis(5);
            {
                let mut abandoned = Box::pin(timer.until(soon));
                let polled = std::future::poll_fn(|cx| {
                    std::task::Poll::Ready(abandoned.as_mut().poll(cx).is_ready())
                });
                assert!(!polled.await);
            }
            timer.until(soon + Duration::from_millis(1)).await;
            timer.until(Instant::now() + Duration::from_millis(1)).await;
        });
    }
}
