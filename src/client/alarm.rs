//! A limit of time on one request after another, without a timer for each.
//!
//! A timer that is set and taken back with every request costs a lock of the
//! runtime's timers twice a request. Requests of a worker follow one another
//! under the same limit, so a timer that was set for an earlier one rings before
//! it is needed: then, and seldom otherwise, it is set anew.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::Network;

/// What stands for never, where a limit cannot be added to the present time.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// A worker's timer.
pub(super) struct Alarm<N> {
    /// When it rings, and what waits for that.
    set: Option<(Instant, BoxFuture<'static, ()>)>,
    network: PhantomData<fn() -> N>,
}

impl<N: Network> Alarm<N> {
    pub(super) fn new() -> Self {
        Self {
            set: None,
            network: PhantomData,
        }
    }

    /// Waits for a future no longer than a limit; `None` when that has passed.
    pub(super) async fn within<F: Future>(
        &mut self,
        limit: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut future = pin!(future);
        let now = Instant::now();
        let end = now.checked_add(limit).unwrap_or(now + FAR);
        poll_fn(|context| {
            // The future is asked first: an answer at the limit still counts.
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            self.poll_end(end, context).map(|()| None)
        })
        .await
    }

    fn poll_end(&mut self, end: Instant, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let (rings, timer) = match &mut self.set {
                Some(set) if set.0 <= end => set,
                unset => {
                    let wait = end.saturating_duration_since(Instant::now());
                    unset.insert((end, Box::pin(N::sleep(wait))))
                }
            };
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let rung = *rings;
            self.set = None;
            if rung >= end {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::io;
    use std::net::SocketAddr;

    use hyper_util::rt::TokioIo;
    use tokio::net::TcpStream;

    use super::*;
    use crate::client::Target;

    /// tokio's time, and no network.
    struct Clock;

    impl Network for Clock {
        type Stream = TokioIo<TcpStream>;

        async fn connect(_: SocketAddr, _: &Target) -> io::Result<Self::Stream> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn sleep(wait: Duration) -> impl Future<Output = ()> + Send + 'static {
            tokio::time::sleep(wait)
        }

        async fn unblock<T, W>(work: W) -> T
        where
            T: Send + 'static,
            W: FnOnce() -> T + Send + 'static,
        {
            work()
        }
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(test);
    }

    const HOUR: Duration = Duration::from_secs(3600);
    const SHORT: Duration = Duration::from_millis(3);

    #[test]
    fn a_limit_ends_a_wait_whatever_the_limit_before_it() {
        run(async {
            let mut alarm = Alarm::<Clock>::new();
            for before in [HOUR, SHORT, Duration::ZERO, Duration::MAX] {
                // It is not there at once, so the timer is set.
                let soon = tokio::task::yield_now();
                let ended = alarm.within(before, soon).await;
                assert!(ended.is_some() || before.is_zero());
                assert_eq!(alarm.within(SHORT, pending::<()>()).await, None);
            }
        });
    }

    #[test]
    fn a_timer_of_an_earlier_request_that_rings_ends_no_later_one() {
        run(async {
            let mut alarm = Alarm::<Clock>::new();
            assert_eq!(alarm.within(SHORT, pending::<()>()).await, None);
            let twice = |limit| async move {
                tokio::time::sleep(limit).await;
                tokio::time::sleep(limit).await;
            };
            // Sets it; the next request is still there when it rings.
            let set = async { tokio::task::yield_now().await };
            assert_eq!(alarm.within(SHORT, set).await, Some(()));
            assert_eq!(alarm.within(HOUR, twice(SHORT)).await, Some(()));
        });
    }

    #[test]
    fn an_answer_at_the_limit_still_counts() {
        run(async {
            let mut alarm = Alarm::<Clock>::new();
            assert_eq!(alarm.within(Duration::ZERO, ready(1)).await, Some(1));
        });
    }
}
