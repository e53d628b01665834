//! Drives a connection from the task that uses it.
//!
//! A connection and the exchange over it wake one another several times a
//! request. As two tasks, each wake-up would go through the runtime's queue; as
//! one, each would put the task that is running at the back of that queue. Here
//! they are two parts of one task: a [`Relay`] notes which of them was called,
//! and that one is polled at once, in the same turn of the task.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// How often a task's turn goes on before it gives way: a part that wants others
/// to have theirs calls itself again and again.
const ROUNDS: usize = 16;

/// The connection was called.
const CONNECTION: u8 = 1;
/// The exchange was called.
const EXCHANGE: u8 = 2;
/// The task has its turn, and sees every call before it ends.
const TURN: u8 = 4;

/// Tells the two parts of a task apart.
pub(super) struct Relay {
    shared: Arc<Shared>,
    connection: Waker,
    exchange: Waker,
}

struct Shared {
    calls: AtomicU8,
    task: AtomicWaker,
}

/// What wakes one part.
struct Call {
    shared: Arc<Shared>,
    part: u8,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.shared.calls.fetch_or(self.part, SeqCst) & TURN == 0 {
            self.shared.task.wake();
        }
    }
}

impl Relay {
    /// A relay for a connection that was not polled yet.
    pub(super) fn new() -> Self {
        let shared = Arc::new(Shared {
            calls: AtomicU8::new(CONNECTION),
            task: AtomicWaker::new(),
        });
        let waker = |part| {
            let shared = Arc::clone(&shared);
            Waker::from(Arc::new(Call { shared, part }))
        };
        Self {
            connection: waker(CONNECTION),
            exchange: waker(EXCHANGE),
            shared,
        }
    }

    /// Waits for an exchange while a connection moves its bytes; the connection
    /// is `None` once it has ended.
    pub(super) async fn drive<C, F>(&self, connection: &mut Option<C>, exchange: F) -> F::Output
    where
        C: Future + Unpin,
        F: Future,
    {
        let Shared { calls, task } = &*self.shared;
        // Whether a part was called; it is not any more.
        let called = |part: u8| {
            let called = calls.load(SeqCst) & part != 0;
            if called {
                calls.fetch_and(!part, SeqCst);
            }
            called
        };
        let mut exchange = pin!(exchange);
        calls.fetch_or(EXCHANGE, SeqCst);
        poll_fn(|context| {
            task.register(context.waker());
            calls.fetch_or(TURN, SeqCst);
            for _ in 0..ROUNDS {
                // The exchange first: the connection then deals in one go with
                // what it was called for before and with what is sent now.
                if called(EXCHANGE)
                    && let Poll::Ready(output) = exchange
                        .as_mut()
                        .poll(&mut Context::from_waker(&self.exchange))
                {
                    // A call that comes from here on waits for the next exchange.
                    return Poll::Ready(output);
                }
                if called(CONNECTION)
                    && let Some(driver) = connection
                    && Pin::new(driver)
                        .poll(&mut Context::from_waker(&self.connection))
                        .is_ready()
                {
                    // How it ended reaches the exchange too, as its error.
                    *connection = None;
                }
                if calls.compare_exchange(TURN, 0, SeqCst, SeqCst).is_ok() {
                    return Poll::Pending;
                }
            }
            calls.fetch_and(!TURN, SeqCst);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    use futures_util::FutureExt;

    use super::*;

    /// What two parts say to one another: whose turn it is, and who waits.
    #[derive(Default)]
    struct Talk {
        said: AtomicUsize,
        waiting: [Mutex<Option<Waker>>; 2],
    }

    impl Talk {
        /// Part 0 speaks at even numbers, part 1 at odd ones, up to an end.
        fn poll(&self, part: usize, end: usize, context: &Context<'_>) -> Poll<()> {
            let said = self.said.load(SeqCst);
            if said == end {
                return Poll::Ready(());
            }
            *self.waiting[part].lock().unwrap() = Some(context.waker().clone());
            if said % 2 == part {
                self.said.store(said + 1, SeqCst);
                if let Some(other) = self.waiting[1 - part].lock().unwrap().take() {
                    other.wake();
                }
            }
            Poll::Pending
        }
    }

    /// A connection on which nothing comes: how often it was polled, and what
    /// calls it.
    #[derive(Default)]
    struct Line {
        polls: AtomicUsize,
        waker: Mutex<Option<Waker>>,
    }

    impl Line {
        fn connection(&self) -> impl Future<Output = ()> + Unpin {
            poll_fn(|context: &mut Context<'_>| {
                self.polls.fetch_add(1, SeqCst);
                *self.waker.lock().unwrap() = Some(context.waker().clone());
                Poll::Pending
            })
        }
    }

    /// Counts wake-ups of a task.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    /// Polls once, with a waker that counts.
    fn polled<F: Future>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
    }

    /// Calls itself, and ends when it is polled again.
    fn at_second_poll<T: Copy>(output: T) -> impl Future<Output = T> {
        let mut called = false;
        poll_fn(move |context| {
            context.waker().wake_by_ref();
            match std::mem::replace(&mut called, true) {
                true => Poll::Ready(output),
                false => Poll::Pending,
            }
        })
    }

    #[test]
    fn parts_that_call_one_another_end_in_one_turn_of_the_task() {
        let (relay, talk) = (Relay::new(), Talk::default());
        let woken = Arc::<Woken>::default();
        let mut connection = Some(poll_fn(|context| talk.poll(0, 9, context)));
        let exchange = poll_fn(|context| talk.poll(1, 9, context));
        let mut both = pin!(relay.drive(&mut connection, exchange));
        assert!(polled(both.as_mut(), &woken).is_ready());
        assert_eq!(woken.0.load(SeqCst), 0);
    }

    #[test]
    fn a_call_from_elsewhere_wakes_the_task_and_polls_the_one_that_was_called() {
        let relay = Relay::new();
        let woken = Arc::<Woken>::default();
        let line = Line::default();
        let mut connection = Some(line.connection());
        let exchange = poll_fn(|_| Poll::<()>::Pending);
        let mut both = pin!(relay.drive(&mut connection, exchange));
        for turn in 1..4 {
            assert!(polled(both.as_mut(), &woken).is_pending());
            assert_eq!(
                (line.polls.load(SeqCst), woken.0.load(SeqCst)),
                (turn, turn - 1)
            );
            line.waker.lock().unwrap().take().unwrap().wake();
        }
    }

    #[test]
    fn a_part_that_calls_itself_for_ever_lets_others_have_their_turn() {
        let (relay, woken) = (Relay::new(), Arc::<Woken>::default());
        let mut connection = Some(std::future::pending::<()>());
        let exchange = poll_fn(|context: &mut Context<'_>| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        let mut both = pin!(relay.drive(&mut connection, exchange));
        assert!(polled(both.as_mut(), &woken).is_pending());
        assert_eq!(woken.0.load(SeqCst), 1);
    }

    #[test]
    fn a_call_between_two_exchanges_waits_for_the_second() {
        let relay = Relay::new();
        let woken = Arc::<Woken>::default();
        let line = Line::default();
        let mut connection = Some(line.connection());
        let first = relay.drive(&mut connection, at_second_poll(()));
        assert!(polled(pin!(first), &woken).is_ready());
        assert_eq!(line.polls.load(SeqCst), 1);
        // The server closes the connection, say. Nobody waits.
        line.waker.lock().unwrap().take().unwrap().wake();
        assert_eq!(woken.0.load(SeqCst), 0);
        let second = poll_fn(|_| Poll::<()>::Pending);
        assert!(polled(pin!(relay.drive(&mut connection, second)), &woken).is_pending());
        assert_eq!(line.polls.load(SeqCst), 2);
    }

    #[test]
    fn an_exchange_goes_on_without_a_connection_that_has_ended() {
        let relay = Relay::new();
        let mut connection = Some(std::future::ready(()));
        let exchange = at_second_poll(7);
        let both = relay.drive(&mut connection, exchange).now_or_never();
        assert_eq!(both, Some(7));
        assert!(connection.is_none());
    }
}
