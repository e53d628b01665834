//! Counts the threads of this process in the middle of a run, from a thread of
//! its own: a worker that read `/proc` would be timed while it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::collector::Collector;
use super::resources;

/// A thread that waits for the middle of a run.
pub(super) struct ThreadCounter {
    released: Arc<AtomicBool>,
    counting: Option<JoinHandle<Counted>>,
}

/// The count, and what it took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// Threads in the middle of the run, the counting one included; 0 where that
    /// is not known.
    pub(super) threads: u64,
    /// CPU time of the count, where it was made within the run.
    pub(super) cpu: Duration,
}

impl ThreadCounter {
    /// Starts the thread. Without one, nothing is counted.
    pub(super) fn start(collector: &Arc<Collector>) -> Self {
        let released = Arc::new(AtomicBool::new(false));
        let (waiting, given_up) = (Arc::clone(collector), Arc::clone(&released));
        let counting = std::thread::Builder::new()
            .name("thread-count".to_owned())
            .spawn(move || {
                while !waiting.is_halfway() && !given_up.load(Ordering::Acquire) {
                    std::thread::park();
                }
                // After the run it is in no phase.
                let in_run = !given_up.load(Ordering::Acquire);
                let woken = own_cpu();
                let threads = resources::threads(std::process::id());
                Counted {
                    threads,
                    cpu: match in_run {
                        true => own_cpu().saturating_sub(woken),
                        false => Duration::ZERO,
                    },
                }
            })
            .ok();
        if let Some(counting) = &counting {
            collector.wake_halfway(counting.thread().clone());
        }
        Self { released, counting }
    }

    /// The count, once the run has ended.
    pub(super) fn end(mut self) -> Counted {
        self.release().unwrap_or_default()
    }

    fn release(&mut self) -> Option<Counted> {
        let counting = self.counting.take()?;
        self.released.store(true, Ordering::Release);
        counting.thread().unpark();
        counting.join().ok()
    }
}

impl Drop for ThreadCounter {
    /// A run that was given up leaves no thread behind.
    fn drop(&mut self) {
        self.release();
    }
}

/// CPU time of this thread so far.
fn own_cpu() -> Duration {
    let cpu = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    cpu.map(Duration::from).unwrap_or_default()
}
