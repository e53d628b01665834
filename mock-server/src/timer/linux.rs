//! The precise timer: one `timerfd` a runtime, armed for the earliest of a heap
//! of absolute deadlines.
//!
//! A processor that idles takes its time to wake, 0.1 to 0.2 ms in a virtual
//! machine. The descriptor is therefore armed earlier than the deadline, by what
//! waking has lately taken, and what is left is waited out awake, see [`EarlyWakeup`].

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::early_wakeup::EarlyWakeup;

/// A runtime without anything to do for so long counts as asleep.
const TO_SLEEP: Duration = Duration::from_millis(1);

/// Deadlines and the descriptor that wakes the runtime for the earliest.
pub(crate) struct Timer {
    fd: AsyncFd<Descriptor>,
    queue: RefCell<Queue>,
}

/// `TimerFd` as tokio wants to see it.
struct Descriptor(TimerFd);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

#[derive(Default)]
struct Queue {
    /// The earliest deadline on top. A wait that was abandoned leaves its entry
    /// here, at most as many as there are others; its slot then holds another
    /// generation.
    heap: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    abandoned: usize,
    slots: Vec<Slot>,
    free: Vec<usize>,
    armed: Option<Armed>,
    lead: EarlyWakeup,
}

/// What the descriptor is set for.
#[derive(Clone, Copy)]
struct Armed {
    deadline: Instant,
    /// When it wakes the runtime.
    at: Instant,
    /// Whether there was time to fall asleep until then.
    idle: bool,
}

#[derive(Default)]
struct Slot {
    generation: u64,
    waker: Option<Waker>,
}

impl Timer {
    /// Creates the descriptor and starts the task that serves it, which ends
    /// when the last clone of the timer is gone.
    pub(crate) fn start() -> io::Result<Rc<Self>> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let fd = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        // SAFETY: `Descriptor` owns the timer's descriptor, gives that same one
        // each time, and closes it only when dropped; the `AsyncFd` owns the
        // `Descriptor` and hands it out by shared reference only.
        let fd = unsafe { AsyncFd::register_with_interest(Descriptor(fd), Interest::READABLE) }?;
        let timer = Rc::new(Self {
            fd,
            queue: RefCell::default(),
        });
        tokio::task::spawn_local(drive(Rc::downgrade(&timer)));
        Ok(timer)
    }

    pub(crate) fn until(self: &Rc<Self>, deadline: Instant) -> Sleep<'_> {
        Sleep {
            timer: self,
            deadline,
            place: None,
        }
    }

    /// Wakes what is due, and arms the descriptor for what is next.
    fn fire(&self) {
        let mut queue = self.queue.borrow_mut();
        let mut now = Instant::now();
        if let Some(armed) = queue.armed.take()
            && armed.idle
        {
            queue.lead.learn(now.saturating_duration_since(armed.at));
        }
        if let Some(&Reverse((deadline, ..))) = queue.heap.peek()
            && queue.lead.may_wait_awake(now, deadline)
        {
            while now < deadline {
                std::hint::spin_loop();
                now = Instant::now();
            }
        }
        while let Some(&Reverse((deadline, slot, generation))) = queue.heap.peek() {
            if deadline > now {
                break;
            }
            queue.heap.pop();
            if queue.slots[slot].generation == generation {
                if let Some(waker) = queue.slots[slot].waker.take() {
                    waker.wake();
                }
                queue.release(slot);
            } else {
                queue.abandoned -= 1;
            }
        }
        if let Some(&Reverse((deadline, ..))) = queue.heap.peek() {
            self.arm(&mut queue, deadline);
        }
    }

    fn arm(&self, queue: &mut Queue, deadline: Instant) {
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        // A zero time would disarm it.
        let left = left
            .saturating_sub(queue.lead.of(now))
            .max(Duration::from_nanos(1));
        let set = self.fd.get_ref().0.set(
            Expiration::OneShot(TimeSpec::from_duration(left)),
            TimerSetTimeFlags::empty(),
        );
        // Setting a valid time on an own descriptor has no way to fail; were it
        // to, `armed` stays unset and the next wait tries again.
        if set.is_ok() {
            queue.armed = Some(Armed {
                deadline,
                at: now + left,
                idle: left >= TO_SLEEP,
            });
        }
    }
}

impl Queue {
    fn insert(&mut self, deadline: Instant, waker: Waker) -> (usize, u64) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[slot].waker = Some(waker);
        let generation = self.slots[slot].generation;
        self.heap.push(Reverse((deadline, slot, generation)));
        (slot, generation)
    }

    /// A wait that is not over is given up.
    fn abandon(&mut self, slot: usize) {
        self.release(slot);
        self.abandoned += 1;
        if self.abandoned * 2 > self.heap.len() {
            let slots = &self.slots;
            self.heap
                .retain(|Reverse((_, slot, generation))| slots[*slot].generation == *generation);
            self.abandoned = 0;
        }
    }

    fn release(&mut self, slot: usize) {
        self.slots[slot].generation += 1;
        self.slots[slot].waker = None;
        self.free.push(slot);
    }
}

/// Serves the descriptor's expirations. It is registered edge-triggered, so the
/// count of expirations need not be read: arming again resets it.
async fn drive(timer: Weak<Timer>) {
    loop {
        // The descriptor lives in the timer, so the task holds the timer only
        // while it is polled; otherwise neither would ever be dropped.
        let fired = std::future::poll_fn(|cx| {
            let Some(timer) = timer.upgrade() else {
                return Poll::Ready(false);
            };
            match timer.fd.poll_read_ready(cx) {
                Poll::Ready(Ok(mut ready)) => {
                    ready.clear_ready();
                    drop(ready);
                    timer.fire();
                    Poll::Ready(true)
                }
                Poll::Ready(Err(_)) => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            }
        });
        if !fired.await {
            return;
        }
    }
}

/// The wait for one deadline.
pub(crate) struct Sleep<'t> {
    timer: &'t Timer,
    deadline: Instant,
    place: Option<(usize, u64)>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.timer.queue.borrow_mut();
        let Some((slot, generation)) = self.place else {
            if Instant::now() >= self.deadline {
                return Poll::Ready(());
            }
            let place = queue.insert(self.deadline, cx.waker().clone());
            if queue
                .armed
                .is_none_or(|armed| self.deadline < armed.deadline)
            {
                self.timer.arm(&mut queue, self.deadline);
            }
            drop(queue);
            self.place = Some(place);
            return Poll::Pending;
        };
        if queue.slots[slot].generation != generation {
            drop(queue);
            self.place = None;
            return Poll::Ready(());
        }
        let known = queue.slots[slot].waker.as_ref();
        if !known.is_some_and(|waker| waker.will_wake(cx.waker())) {
            queue.slots[slot].waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some((slot, generation)) = self.place {
            let mut queue = self.timer.queue.borrow_mut();
            if queue.slots[slot].generation == generation {
                queue.abandon(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_waits_are_forgotten_before_they_are_due() {
        let runtime = tokio::runtime::LocalRuntime::new().unwrap();
        runtime.block_on(async {
            let timer = Timer::start().unwrap();
            let due = Instant::now() + Duration::from_secs(3600);
            let mut kept = Box::pin(timer.until(due));
            for _ in 0..1000 {
                let mut wait = Box::pin(timer.until(due));
                std::future::poll_fn(|cx| {
                    assert!(wait.as_mut().poll(cx).is_pending());
                    assert!(kept.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            let queue = timer.queue.borrow();
            assert!(queue.heap.len() <= 4, "{}", queue.heap.len());
            assert!(queue.slots.len() <= 4, "{}", queue.slots.len());
        });
    }
}
