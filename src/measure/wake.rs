//! How long an idle machine takes to wake.
//!
//! A processor that has nothing to do sleeps the deeper the longer, and a virtual
//! one is given away by its host. Every answer that a batch waits for ends such a
//! sleep, unless something else keeps the processor awake.

use std::time::{Duration, Instant};

/// How long a sleep is, and how many there are: a tenth of a second in all.
const SLEEP: Duration = Duration::from_millis(4);
const SLEEPS: usize = 25;

/// How late a sleeping thread begins to run: the median of some sleeps. On Linux
/// it has the timer's slack in it, 50 µs unless the system is set otherwise.
pub fn wake_up() -> Duration {
    let mut late: Vec<_> = (0..SLEEPS)
        .map(|_| {
            let begun = Instant::now();
            std::thread::sleep(SLEEP);
            begun.elapsed().saturating_sub(SLEEP)
        })
        .collect();
    late.sort_unstable();
    late[SLEEPS / 2]
}
