//! A session: a plan, sample by sample, into a record.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::course::{Build, Clock, Course};
use super::lanes::{Lanes, Target};
use super::machine::Processes;
use super::plan::Plan;
use super::schedule::{Budget, Enough, Schedule, Task};
use super::server::StartError;
use crate::record::{Cell, Ending, Purpose, Sample, Sampling, Writer};

/// A plan, and all that is needed to carry it out.
pub struct Session<'a> {
    /// What to measure.
    pub plan: Plan,
    /// How long and in which order. The number of samples is the plan's.
    pub sampling: &'a Sampling,
    /// What the batch is measured for: which runtime's precision counts.
    pub purpose: Purpose,
    /// What cells are measured against: one for each profile, at least one.
    pub targets: Vec<Target>,
    /// The program whose hidden command takes a sample.
    pub program: &'a Path,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
}

/// What happens in a session, as it happens. Samples are numbered from 0 in the
/// order in which they begin.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many samples more are to be taken, where each cell has as many.
    Planned(usize),
    /// A sample begins.
    Begun {
        /// What is run.
        cell: &'a Cell,
        /// Its number.
        number: usize,
        /// Whether no other runs beside it.
        alone: bool,
        /// How long the session is expected to go on; `None` where nothing is
        /// known of that yet.
        remaining: Option<Duration>,
    },
    /// So many of a sample's requests have an outcome.
    Progress {
        /// Its number.
        number: usize,
        /// Requests.
        done: u64,
        /// How long the session is expected to go on, where that has changed.
        remaining: Option<Duration>,
    },
    /// A sample has ended.
    Ended {
        /// Its number.
        number: usize,
        /// What came of it.
        sample: &'a Sample,
        /// How long the session is expected to go on; `None` where nothing is
        /// known of that yet.
        remaining: Option<Duration>,
    },
}

/// Takes a session's events.
pub trait Observer {
    /// Takes one.
    fn on(&mut self, event: &Event<'_>);
}

/// Why a session ended before its plan did.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The record cannot be written.
    #[error("cannot write the record: {0}; earlier samples are in the .partial file beside it")]
    Record(#[from] io::Error),
    /// No process can be started.
    #[error("cannot start a sample's process ({program}): {source}")]
    Process {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program was built anew or removed in the middle of a session.
    #[error(
        "{program} was rebuilt during the session; earlier samples are kept; run again, or run a copy of the program"
    )]
    Replaced {
        /// The program.
        program: String,
    },
    /// A bundled server cannot be started.
    #[error(transparent)]
    Server(#[from] StartError),
}

impl Session<'_> {
    /// Takes every sample of the plan, in rounds, so that each cell has one
    /// before any has two, and what drifts drifts over all of them. At its end
    /// what comes further is asked for, and taken likewise.
    ///
    /// # Errors
    /// Where the record cannot be written, or a process cannot be started. A
    /// sample that fails is a line of the record, not an error.
    pub fn run(
        mut self,
        writer: &mut Writer,
        observer: &mut dyn Observer,
        further: &mut dyn FnMut() -> Option<Plan>,
    ) -> Result<Ending, SessionError> {
        let processes = Processes::default();
        let begun_at = Instant::now();
        let mut lanes = Lanes::new(self.program, &processes, &mut self.targets);
        let mut clock = Clock {
            begun_at,
            begun: 0,
            rounds: 0,
            build: Build::of(self.program),
        };
        loop {
            observer.on(&Event::Planned(self.plan.len()));
            let schedule = self.schedule(begun_at.elapsed()).after(clock.rounds);
            let halt = AtomicBool::new(false);
            let ending = std::thread::scope(|scope| {
                let mut course =
                    Course::new(&self, scope, &halt, &processes, &mut lanes, schedule, clock);
                let ran = course.run(writer, observer);
                clock = course.clock();
                // What still runs after an error is not waited for.
                halt.store(true, Ordering::Relaxed);
                ran
            })?;
            // Every cell of a further plan would have a sample, however late it is.
            let spent = begun_at.elapsed().as_secs_f64();
            let more = match self.sampling.budget_s {
                Some(budget) if spent >= budget => None,
                _ => further(),
            };
            match more {
                Some(plan) if ending == Ending::Complete => self.plan = plan,
                _ => return Ok(ending),
            }
        }
    }

    fn schedule(&self, elapsed: Duration) -> Schedule {
        let tasks = self.plan.cells.iter().map(|cell| {
            let of_cell = |target: &&Target| target.profile == cell.profile;
            let target = self.targets.iter().find(of_cell);
            target.or(self.targets.first()).map_or_else(
                || Task::new(cell.requests, cell.workers_usable, None),
                |target| target.task(cell),
            )
        });
        let enough = match self.sampling.budget_s {
            Some(budget) => {
                let budget = Duration::try_from_secs_f64(budget).unwrap_or(Duration::MAX);
                Enough::Precise(budget.saturating_sub(elapsed))
            }
            None => Enough::Samples(self.plan.samples),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let budget = Budget::of(self.sampling.lanes, cores);
        Schedule::new(tasks.collect(), enough, budget, self.sampling.seed)
    }
}
