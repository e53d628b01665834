//! Lanes: what samples run against. Samples that run side by side have a bundled
//! server each, in a process of its own, so that every journal and every account
//! of CPU time is one sample's.

use std::path::Path;

use super::event::SessionError;
use super::local_server::LocalServer;
use super::machine::Processes;
use super::process::SampleProcess;
use super::sample::{Job, Terms};
use super::schedule::Task;
use super::server::{Behaviour, ServerProcess, StartError};
use super::witness::Witness;
use crate::record::{Cell, MachineUse, SampleResult};

/// What the cells of a profile, or of a URL, are measured with.
pub struct Target {
    /// The profile by the name that its cells carry; `None` where there is only
    /// one.
    pub profile: Option<String>,
    /// What every sample is run under. The URL is that of the first server.
    pub terms: Terms,
    /// The mean service time of the batch's requests and the longest of them, in
    /// seconds; `None` where they are not known.
    pub service_s: Option<(f64, f64)>,
    /// CPU time that each answer is worked on, in seconds.
    pub cpu_per_answer_s: f64,
    /// The bundled server; `None` where requests go to another, or nowhere.
    pub bundled: Option<Bundled>,
}

/// The bundled server, which is started as often as samples run side by side.
pub struct Bundled {
    /// How it behaves.
    pub behaviour: Behaviour,
    /// The first of them.
    pub first: ServerProcess,
}

impl Target {
    /// A cell for the schedule. How long a sample of it takes, if nothing but the
    /// service times takes any, is `max(ceil(N / w) · d, max s)`. Files that are
    /// saved share a disk, so that nothing can be expected of the time beside
    /// others.
    pub(super) fn task(&self, cell: &Cell) -> Task {
        let known = self
            .service_s
            .filter(|_| self.terms.handling.save.is_none());
        let expected = known.map(|(mean, longest)| {
            let rounds = cell.requests.div_ceil(cell.workers_usable.max(1));
            (rounds as f64 * mean).max(longest)
        });
        Task::new(cell.requests, cell.workers_usable, expected).working(self.cpu_per_answer_s)
    }
}

/// A place to take a sample in.
pub(super) struct Lane {
    target: usize,
    terms: Terms,
    /// The bundled server's own account.
    witness: Option<Witness>,
}

/// What is asked of a lane.
pub(super) struct Asked<'a> {
    /// The program whose hidden command takes a sample.
    pub(super) program: &'a Path,
    pub(super) cell: &'a Cell,
    pub(super) round: u32,
}

/// What came of it.
pub(super) struct Took {
    /// `None` where it was stopped before its end.
    pub(super) result: Option<SampleResult>,
    pub(super) machine: Option<MachineUse>,
}

impl Lane {
    /// Takes a sample.
    ///
    /// # Errors
    /// Where no process can be started.
    pub(super) fn sample(
        &mut self,
        asked: &Asked<'_>,
        processes: &Processes,
        stopped: impl Fn() -> bool,
        progress: impl FnMut(u64),
    ) -> Result<Took, SessionError> {
        let before = processes.reading();
        // A server that has ended costs this sample, and the lane.
        let result = match self.witness.as_mut().map(Witness::reset) {
            Some(Err(silent)) => Some(SampleResult::Error(silent)),
            _ => {
                let result = self.run(asked, processes, stopped, progress)?;
                result.map(|result| self.confirmed(result))
            }
        };
        let after = processes.reading();
        let machine = before
            .zip(after)
            .map(|(before, after)| after.since(&before));
        Ok(Took { result, machine })
    }

    /// Runs it in a process of its own.
    fn run(
        &self,
        asked: &Asked<'_>,
        processes: &Processes,
        stopped: impl Fn() -> bool,
        progress: impl FnMut(u64),
    ) -> Result<Option<SampleResult>, SessionError> {
        let mut job = Job {
            cell: asked.cell.clone(),
            terms: self.terms.clone(),
        };
        if let Some(save) = &mut job.terms.handling.save {
            save.dir.push(self.directory_of(asked));
        }
        let process = SampleProcess::start(asked.program, &job);
        let mut process = process.map_err(|source| SessionError::Process {
            program: asked.program.display().to_string(),
            source,
        })?;
        let id = process.id();
        processes.extend([id]);
        let result = process.result(stopped, progress);
        processes.end(id, || drop(process));
        if let Some(save) = job.terms.handling.save.filter(|_| !self.terms.keeps_files) {
            // Left only by a sample that was ended before it could.
            let _ = std::fs::remove_dir_all(&save.dir);
        }
        Ok(result)
    }

    /// The result with the server's account, which must agree with it.
    fn confirmed(&mut self, result: SampleResult) -> SampleResult {
        match (result, &mut self.witness) {
            (SampleResult::Measured(mut measurement), Some(witness)) => {
                match witness.confirm(&measurement) {
                    Ok(account) => {
                        measurement.server = account;
                        SampleResult::Measured(measurement)
                    }
                    Err(disagreement) => SampleResult::Error(disagreement),
                }
            }
            (result, _) => result,
        }
    }

    /// The name of the directory in which a sample saves its files.
    fn directory_of(&self, asked: &Asked<'_>) -> String {
        let cell = asked.cell;
        let threads = cell.runtime_threads.map(|threads| format!("-t{threads}"));
        let processes = cell.processes.map(|processes| format!("-x{processes}"));
        let profile = cell
            .profile
            .as_ref()
            .map(|_| format!("-p{}", self.target + 1));
        format!(
            "{}-{}-{}-{}{}{}{}-w{}-{}",
            cell.strategy,
            cell.client,
            cell.dispatch,
            cell.reuse,
            threads.unwrap_or_default(),
            processes.unwrap_or_default(),
            profile.unwrap_or_default(),
            cell.workers,
            asked.round + 1
        )
    }
}

/// The lanes of a session.
pub(super) struct Lanes<'a> {
    program: &'a Path,
    processes: &'a Processes,
    targets: Vec<Started>,
}

struct Started {
    profile: Option<String>,
    terms: Terms,
    /// How the bundled server behaves, where it is that one.
    behaviour: Option<Behaviour>,
    free: Vec<Witness>,
}

impl Started {
    /// Looks for the processes of a server that is not the bundled one.
    fn find_server(&mut self, processes: &Processes) {
        self.terms.local_server = LocalServer::at(&self.terms.url);
        processes.serve(&self.terms.local_server);
    }
}

impl<'a> Lanes<'a> {
    /// Takes the bundled servers of targets over.
    pub(super) fn new(program: &'a Path, processes: &'a Processes, targets: &mut [Target]) -> Self {
        let started = targets.iter_mut().map(|target| {
            let bundled = target.bundled.take();
            let bundled = bundled.map(|bundled| (bundled.behaviour, bundled.first));
            let (behaviour, first) = bundled.unzip();
            processes.extend(first.iter().map(ServerProcess::id));
            let mut started = Started {
                profile: target.profile.clone(),
                terms: target.terms.clone(),
                behaviour,
                free: first.into_iter().map(Witness::new).collect(),
            };
            if started.behaviour.is_none() {
                started.find_server(processes);
            }
            started
        });
        Self {
            program,
            processes,
            targets: started.collect(),
        }
    }

    /// A lane for a cell: one that is free, or a new one.
    ///
    /// # Errors
    /// Where a server that it needs cannot be started.
    pub(super) fn take(&mut self, cell: &Cell) -> Result<Lane, StartError> {
        let of_cell = |target: &Started| target.profile == cell.profile;
        let place = self.targets.iter().position(of_cell).unwrap_or(0);
        let target = &mut self.targets[place];
        let witness = match (&target.behaviour, target.free.pop()) {
            (None, _) => None,
            (Some(_), Some(free)) => Some(free),
            (Some(behaviour), None) => {
                let server = ServerProcess::start(self.program, behaviour)?;
                self.processes.extend([server.id()]);
                Some(Witness::new(server))
            }
        };
        if target.behaviour.is_none() && target.terms.local_server.has_changed() {
            target.find_server(self.processes);
        }
        let mut terms = target.terms.clone();
        if let Some(witness) = &witness {
            witness.url().clone_into(&mut terms.url);
            terms.server_process = Some(witness.id());
        }
        Ok(Lane {
            target: place,
            terms,
            witness,
        })
    }

    /// Takes a lane back. One whose server has ended is given up: the next
    /// sample has a new one.
    pub(super) fn give_back(&mut self, lane: Lane) {
        let Some(mut witness) = lane.witness else {
            return;
        };
        if witness.is_alive() {
            self.targets[lane.target].free.push(witness);
        } else {
            let id = witness.id();
            self.processes.end(id, || drop(witness));
        }
    }
}
