//! What the machine does beside the session: time stolen by the hypervisor, and
//! CPU time of processes that are not the session's.
//!
//! `/proc/stat` tells what all processes spent, in ticks; what the session's own
//! spent is taken from that. Where there is no `/proc`, nothing is told.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::local_server::LocalServer;
use super::process_tree::{Ticks, ticks_per_second, time_of, with_children};
use super::resources::Usage;
use crate::record::MachineUse;

/// The processes of a session: this one, and those that it started and has not
/// yet waited for, with all below them; and those of a server under test.
#[derive(Debug, Default)]
pub(super) struct Processes {
    alive: Mutex<BTreeSet<u32>>,
    /// Processes of a server under test that this one is below.
    above: Mutex<BTreeSet<u32>>,
}

impl Processes {
    /// Counts processes that were started.
    pub(super) fn extend(&self, processes: impl IntoIterator<Item = u32>) {
        self.lock().extend(processes);
    }

    /// Counts the processes of a server under test.
    pub(super) fn serve(&self, server: &LocalServer) {
        self.extend(server.whole().iter().copied());
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        above.extend(server.alone());
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
        let others = time_of(self.ticks(&alive));
        reading.ours = Usage::now().cpu() + others;
        Some(reading)
    }

    /// CPU time in ticks of the session's processes but this one.
    fn ticks(&self, alive: &BTreeSet<u32>) -> u64 {
        let below = alive.iter().map(|process| ticks_below(*process));
        let above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        let above = above.iter().map(|above| Ticks::of(*above).own);
        below.chain(above).sum()
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

/// CPU time in ticks of a process, of its children that it waited for, and of
/// those that it has not, with all below them; 0 where it is not there.
fn ticks_below(process: u32) -> u64 {
    let all = with_children(process).into_iter().map(Ticks::of);
    all.map(|ticks| ticks.own + ticks.waited_for).sum()
}

/// The load average of the last minute.
fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
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

    #[test]
    fn server_under_test_is_no_other_process() {
        let processes = Processes::default();
        let mut server = std::process::Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        let id = server.id();
        processes.serve(&LocalServer::of(&BTreeSet::from([id])));
        let told = std::path::Path::new("/proc/stat").exists();
        while told && Ticks::of(id).own < 10 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let ticks = processes.ticks(&processes.lock());
        server.kill().unwrap();
        server.wait().unwrap();
        assert_eq!(ticks >= 10, told);
    }
}
