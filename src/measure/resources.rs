//! What a process used, as the system tells: CPU time from `getrusage`, threads
//! and peak memory from `/proc` where there is one, 0 where there is not.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// What this process, and those of its children that were waited for, used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// CPU time in the program's own code.
    pub(super) user: Duration,
    /// CPU time in the kernel.
    pub(super) system: Duration,
    /// How often a thread gave up its core to wait.
    pub(super) voluntary_switches: u64,
    /// How often a thread had to leave its core to another.
    pub(super) involuntary_switches: u64,
}

impl Usage {
    /// What was used until now.
    pub(super) fn now() -> Self {
        let mut all = Self::default();
        let who = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN];
        for usage in who.into_iter().filter_map(|who| getrusage(who).ok()) {
            let time = |time: TimeVal| {
                Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or(0))
            };
            let count = |count| u64::try_from(count).unwrap_or(0);
            all.user += time(usage.user_time());
            all.system += time(usage.system_time());
            all.voluntary_switches += count(usage.voluntary_context_switches());
            all.involuntary_switches += count(usage.involuntary_context_switches());
        }
        all
    }

    /// CPU time in all.
    pub(super) fn cpu(self) -> Duration {
        self.user + self.system
    }

    /// What was used since an earlier moment.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            voluntary_switches: self.voluntary_switches - earlier.voluntary_switches,
            involuntary_switches: self.involuntary_switches - earlier.involuntary_switches,
        }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.user += other.user;
        self.system += other.system;
        self.voluntary_switches += other.voluntary_switches;
        self.involuntary_switches += other.involuntary_switches;
    }
}

/// What a sample uses from phase to phase. What the harness uses between two
/// phases, to read `/proc`, is in none of them.
pub(super) struct Phases {
    begun: Usage,
    /// Of the phases that have ended, this process and those waited for.
    used: Usage,
    /// CPU time of the processes that the strategy has, when the latest phase
    /// ended.
    helpers: Duration,
}

/// CPU time of one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PhaseCpu(pub(super) Duration);

impl Phases {
    /// The first phase begins.
    pub(super) fn begin() -> Self {
        Self {
            begun: Usage::now(),
            used: Usage::default(),
            helpers: Duration::ZERO,
        }
    }

    /// A phase has ended, in which the strategy came to have such processes. Its
    /// CPU time. The next begins with [`Phases::go_on`].
    pub(super) fn end(&mut self, helpers: &[u32]) -> PhaseCpu {
        let used = Usage::now().since(self.begun);
        self.used += used;
        let helpers: Duration = helpers.iter().copied().map(cpu_time_of).sum();
        // One that has ended meanwhile is among those waited for.
        let of_helpers = used.cpu() + helpers;
        let cpu = of_helpers.saturating_sub(self.helpers);
        self.helpers = helpers;
        PhaseCpu(cpu)
    }

    /// The next phase begins.
    pub(super) fn go_on(&mut self) {
        self.begun = Usage::now();
    }

    /// What all phases used, once the strategy's processes were waited for.
    pub(super) fn used(&self) -> Usage {
        self.used
    }
}

/// Threads of a process.
pub(super) fn threads(process: u32) -> u64 {
    status(process, "Threads:").unwrap_or_default()
}

/// The most memory that a process had resident, in bytes.
pub(super) fn peak_rss_bytes(process: u32) -> u64 {
    match status(process, "VmHWM:") {
        Some(kilobytes) => kilobytes * 1024,
        // Without /proc a process knows its own only. On Linux this figure is
        // not used: it starts from what the parent had.
        None if process == std::process::id() => own_peak_rss_bytes(),
        None => 0,
    }
}

fn own_peak_rss_bytes() -> u64 {
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let usage = getrusage(UsageWho::RUSAGE_SELF);
    let peak = usage.map_or(0, |usage| usage.max_rss());
    u64::try_from(peak).unwrap_or(0) * unit
}

/// CPU time of another process so far, to the nanosecond; 0 where the system
/// does not tell. Threads that have ended are not in it.
pub(super) fn cpu_time_of(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| {
            let spent = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanoseconds = spent.split_whitespace().next()?.parse().ok()?;
            Some(Duration::from_nanos(nanoseconds))
        })
        .sum()
}

/// A number from `/proc/PID/status`; `None` where there is no such thing.
fn status(process: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_threads_and_memory_where_the_system_tells() {
        let this = std::process::id();
        let told = std::path::Path::new("/proc/self/status").exists();
        assert_eq!(threads(this) > 0, told);
        assert!(peak_rss_bytes(this) > 100_000);
    }

    #[test]
    fn what_was_used_never_shrinks() {
        let before = Usage::now();
        let sum: u64 = (0..1_000_000).map(std::hint::black_box).sum();
        let after = Usage::now();
        assert!(std::hint::black_box(sum) > 0 && after.user >= before.user);
        assert!(after.voluntary_switches >= before.voluntary_switches);
    }

    /// Spins for some CPU time of this process.
    fn spin(time: Duration) {
        let begun = Usage::now();
        while Usage::now().since(begun).cpu() < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn what_lies_between_phases_counts_for_none() {
        // Other tests run in this process as well, so that only the least that
        // a phase can have is known, and what one is given of another's.
        let begun = Usage::now();
        let mut phases = Phases::begin();
        spin(Duration::from_millis(20));
        let build = phases.end(&[]);
        let between = Usage::now();
        spin(Duration::from_millis(20));
        phases.go_on();
        let between = Usage::now().since(between);
        spin(Duration::from_millis(30));
        let run = phases.end(&[]);
        assert!(build.0 >= Duration::from_millis(20), "{build:?}");
        assert!(run.0 >= Duration::from_millis(30), "{run:?}");
        assert!(between.cpu() >= Duration::from_millis(20));
        assert_eq!(phases.used().cpu(), build.0 + run.0);
        assert!(build.0 + run.0 + between.cpu() <= Usage::now().since(begun).cpu());
    }
}
