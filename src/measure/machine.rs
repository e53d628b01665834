//! What the machine does beside the session: time stolen by the hypervisor, and
//! CPU time of processes that are not the session's.
//!
//! `/proc/stat` tells what all processes spent, in ticks; what the session's own
//! spent is taken from that. Where there is no `/proc`, nothing is told.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::resources::Usage;
use crate::record::MachineUse;

/// The processes of a session: this one, and those that it started and has not
/// yet waited for, with all below them.
#[derive(Debug, Default)]
pub(super) struct Processes {
    alive: Mutex<BTreeSet<u32>>,
}

impl Processes {
    /// Counts processes that were started.
    pub(super) fn extend(&self, processes: impl IntoIterator<Item = u32>) {
        self.lock().extend(processes);
    }

    /// Ends a process and counts it among those waited for, in one: a reading
    /// meets it in one of the two places.
    pub(super) fn end<T>(&self, process: u32, wait: impl FnOnce() -> T) -> T {
        let mut alive = self.lock();
        alive.remove(&process);
        wait()
    }

    /// Reads the machine's clocks.
    pub(super) fn reading(&self) -> Option<Reading> {
        let alive = self.lock();
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let mut reading = Reading::of(&text, ticks_per_second())?;
        let below: f64 = alive.iter().map(|process| ticks_below(*process)).sum();
        let below = Duration::try_from_secs_f64(below / ticks_per_second()).ok()?;
        let used = Usage::now();
        reading.ours = used.user + used.system + below;
        Some(reading)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<u32>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The machine's clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    /// Time that all processes were run for, over all processors.
    busy: Duration,
    steal: Duration,
    /// The session's part of it.
    ours: Duration,
    cores: usize,
}

impl Reading {
    /// Reads `/proc/stat`, whose first line is `cpu` and then, in ticks: user,
    /// nice, system, idle, iowait, irq, softirq, steal, and two that are in user
    /// and nice already (proc_stat(5)).
    fn of(text: &str, ticks_per_second: f64) -> Option<Self> {
        let fields: Vec<f64> = text
            .lines()
            .next()?
            .strip_prefix("cpu ")?
            .split_whitespace()
            .map(|field| field.parse().ok())
            .collect::<Option<_>>()?;
        let time = |places: &[usize]| {
            let ticks: f64 = places.iter().filter_map(|place| fields.get(*place)).sum();
            Duration::try_from_secs_f64(ticks / ticks_per_second).ok()
        };
        Some(Self {
            busy: time(&[0, 1, 2, 5, 6])?,
            steal: time(&[7])?,
            ours: Duration::ZERO,
            cores: text
                .lines()
                .skip(1)
                .take_while(|line| line.starts_with("cpu"))
                .count(),
        })
    }

    /// What the machine did beside the session since an earlier reading.
    pub(super) fn since(&self, earlier: &Self) -> MachineUse {
        let busy = self.busy.saturating_sub(earlier.busy);
        let ours = self.ours.saturating_sub(earlier.ours);
        MachineUse {
            steal_s: self.steal.saturating_sub(earlier.steal).as_secs_f64(),
            others_s: busy.saturating_sub(ours).as_secs_f64(),
            cores: self.cores,
            load: load().unwrap_or_default(),
        }
    }
}

/// CPU time of a process, of its children that it waited for, and of those that
/// it has not, with all below them; 0 where it is not there.
fn ticks_below(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
    let below: f64 = tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|children| {
            let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
            ids.map(ticks_below).collect::<Vec<_>>()
        })
        .sum();
    ticks_of(&stat) + below
}

/// The fields utime, stime, cutime and cstime of a `/proc/PID/stat`, counted from
/// the end of the name, in which anything may stand (proc_pid_stat(5)).
fn ticks_of(stat: &str) -> f64 {
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum()
}

/// The load average of the last minute.
fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The unit of `/proc/stat`.
fn ticks_per_second() -> f64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .map_or(100.0, |ticks| ticks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str = "cpu  1000 10 500 90000 40 5 15 20 0 0\n\
                           cpu0 500 5 250 45000 20 3 7 10 0 0\n\
                           cpu1 500 5 250 45000 20 2 8 10 0 0\n\
                           intr 1 2 3\n";
    const LATER: &str = "cpu  1100 10 550 90900 90 5 25 50 0 0\n\
                         cpu0 500 5 250 45000 20 3 7 10 0 0\n\
                         cpu1 500 5 250 45000 20 2 8 10 0 0\n";

    #[test]
    fn what_others_spent_is_all_that_was_spent_less_ours() {
        let earlier = Reading::of(EARLIER, 100.0).unwrap();
        let mut later = Reading::of(LATER, 100.0).unwrap();
        later.ours = Duration::from_millis(400);
        let used = later.since(&earlier);
        assert_eq!((used.steal_s, used.others_s, used.cores), (0.3, 1.2, 2));
        // Clocks of different grain may say more of us than of all.
        later.ours = Duration::from_secs(9);
        assert_eq!(later.since(&earlier).others_s, 0.0);
        assert_eq!(earlier.since(&later).steal_s, 0.0);
    }

    #[test]
    fn what_is_no_such_file_tells_nothing() {
        for text in ["", "cpu", "cpu  a b", "intr 1 2\n"] {
            assert_eq!(Reading::of(text, 100.0), None, "{text:?}");
        }
    }

    #[test]
    fn a_processes_time_is_found_behind_any_name() {
        let stat = "7 (a ) 1 2 b) S 1 7 7 0 -1 4194304 9 9 9 9 40 2 300 1000 20 0 1 0 5";
        assert_eq!(ticks_of(stat), 1342.0);
        assert_eq!(ticks_of(""), 0.0);
    }

    #[test]
    fn this_machine_tells_where_it_has_a_proc() {
        let reading = Processes::default().reading();
        assert_eq!(
            reading.is_some(),
            std::path::Path::new("/proc/stat").exists()
        );
        if let Some(reading) = reading {
            assert!(reading.cores > 0 && reading.busy > Duration::ZERO);
        }
    }
}
