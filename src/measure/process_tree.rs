//! Processes and those below them, as `/proc` tells; none where there is no such
//! thing.

use std::time::Duration;

/// CPU time in ticks, as a `/proc/PID/stat` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    /// Of its own threads.
    pub(super) own: u64,
    /// Of the children that it waited for, with all below them.
    pub(super) waited_for: u64,
}

impl Ticks {
    /// Those of a process; none where it is not there.
    pub(super) fn of(process: u32) -> Self {
        Self::read(&stat(process)).unwrap_or_default()
    }

    /// The fields utime, stime, cutime and cstime, counted from the end of the
    /// name, in which anything may stand (proc_pid_stat(5)).
    fn read(stat: &str) -> Option<Self> {
        let fields = stat.rsplit(')').next()?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut next = || fields.next()?.parse::<u64>().ok();
        Some(Self {
            own: next()? + next()?,
            waited_for: next()? + next()?,
        })
    }
}

/// A process, and those below it that it has not waited for.
pub(super) fn with_children(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    let mut next = 0;
    while let Some(parent) = all.get(next) {
        let tasks = std::fs::read_dir(format!("/proc/{parent}/task"));
        let children = tasks
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        for children in children.collect::<Vec<_>>() {
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
        }
        next += 1;
    }
    all
}

/// A process, its parent, and so on.
pub(super) fn with_parents(process: u32) -> impl Iterator<Item = u32> {
    let parent_of = |process: &u32| {
        let stat = stat(*process);
        let fields = stat.rsplit(')').next()?;
        let parent = fields.split_whitespace().nth(1)?.parse().ok()?;
        (parent > 0).then_some(parent)
    };
    std::iter::successors(Some(process), parent_of)
}

/// So many ticks as a time.
pub(super) fn time_of(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / ticks_per_second())
}

/// The unit of `/proc/stat`.
pub(super) fn ticks_per_second() -> f64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .filter(|ticks| *ticks > 0)
        .map_or(100.0, |ticks| ticks as f64)
}

fn stat(process: u32) -> String {
    std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_time_is_found_behind_any_name() {
        let stat = "7 (a ) 1 2 b) S 1 7 7 0 -1 4194304 9 9 9 9 40 2 300 1000 20 0 1 0 5";
        let ticks = Ticks {
            own: 42,
            waited_for: 1300,
        };
        assert_eq!(Ticks::read(stat), Some(ticks));
        assert_eq!(Ticks::read(""), None);
    }

    #[test]
    fn child_is_below_its_parent_where_proc_tells() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("cat");
        let (this, id) = (std::process::id(), child.id());
        let told = std::path::Path::new("/proc/self/stat").exists();
        assert_eq!(with_parents(id).any(|above| above == this), told);
        assert_eq!(with_children(this).contains(&id), told);
        drop(child.stdin.take());
        child.wait().expect("ended");
    }
}
