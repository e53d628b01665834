//! Lanes: what samples run against. Samples that run side by side have a bundled
//! server each, in a process of its own, so that every journal and every account
//! of CPU time is one sample's.

use std::path::Path;

use super::machine::Processes;
use super::server::{Behaviour, ServerProcess, StartError};
use super::witness::Witness;
use crate::record::Cell;
use crate::workload::Gets;

/// What the cells of a profile, or of a URL, are measured with.
pub struct Target {
    /// The profile by the name that its cells carry; `None` where there is only
    /// one.
    pub profile: Option<String>,
    /// The batch.
    pub workload: Gets,
    /// The mean service time of the batch's requests and the longest of them, in
    /// seconds; `None` where they are not known.
    pub service_s: Option<(f64, f64)>,
    /// The server.
    pub host: Host,
}

/// Whose server it is.
pub enum Host {
    /// One that the user named, by its origin.
    Url(String),
    /// The bundled one, which is started as often as samples run side by side.
    Bundled {
        /// How it behaves.
        behaviour: Box<Behaviour>,
        /// The first of them.
        first: ServerProcess,
    },
}

impl Target {
    /// How long a sample of a cell takes, in seconds, if nothing but the service
    /// times takes any: `max(ceil(N / w) · d, max s)`. `None` where they are not
    /// known.
    pub(super) fn expected_s(&self, cell: &Cell) -> Option<f64> {
        let (mean, longest) = self.service_s?;
        let rounds = cell.requests.div_ceil(cell.workers_usable.max(1));
        Some((rounds as f64 * mean).max(longest))
    }
}

/// A place to take a sample in.
pub(super) struct Lane {
    target: usize,
    pub(super) url: String,
    pub(super) workload: Gets,
    /// The bundled server's own account.
    pub(super) witness: Option<Witness>,
}

/// The lanes of a session.
pub(super) struct Lanes<'a> {
    program: &'a Path,
    processes: &'a Processes,
    targets: Vec<Started>,
}

struct Started {
    profile: Option<String>,
    workload: Gets,
    /// The origin, where it is not ours to start.
    url: Option<String>,
    behaviour: Option<Box<Behaviour>>,
    free: Vec<Witness>,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(program: &'a Path, processes: &'a Processes, targets: Vec<Target>) -> Self {
        let started = targets.into_iter().map(|target| {
            let (url, behaviour, first) = match target.host {
                Host::Url(url) => (Some(url), None, None),
                Host::Bundled { behaviour, first } => (None, Some(behaviour), Some(first)),
            };
            processes.extend(first.iter().map(ServerProcess::id));
            Started {
                profile: target.profile,
                workload: target.workload,
                url,
                behaviour,
                free: first.into_iter().map(Witness::new).collect(),
            }
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
        let own = witness.as_ref().map(|witness| witness.url().to_owned());
        Ok(Lane {
            target: place,
            url: own.or(target.url.clone()).unwrap_or_default(),
            workload: target.workload.clone(),
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
