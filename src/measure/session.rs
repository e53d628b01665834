//! A session: a plan, sample by sample, into a record.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::lanes::{Lane, Lanes, Target};
use super::machine::Processes;
use super::plan::Plan;
use super::process::SampleProcess;
use super::sample::Job;
use super::schedule::{Budget, Came, Enough, Schedule, Step, Task, Turn};
use super::server::StartError;
use super::witness::Witness;
use crate::record::{Cell, Ending, MachineUse, Sample, SampleResult, Sampling, Taken, Writer};

/// A plan, and all that is needed to carry it out.
pub struct Session<'a> {
    /// What to measure.
    pub plan: &'a Plan,
    /// How often and in which order; its number of samples, where it has one,
    /// goes before the plan's.
    pub sampling: &'a Sampling,
    /// What cells are measured against: one for each profile, at least one.
    pub targets: Vec<Target>,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// The program whose hidden command takes a sample.
    pub program: &'a Path,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
}

/// What happens in a session, as it happens. Samples are numbered from 0 in the
/// order in which they begin.
#[derive(Debug)]
pub enum Event<'a> {
    /// A sample begins.
    Begun {
        /// What is run.
        cell: &'a Cell,
        /// Its number.
        number: usize,
        /// Whether no other runs beside it.
        alone: bool,
        /// How long the session is expected to go on.
        remaining: Duration,
    },
    /// So many of a sample's requests have an outcome.
    Progress {
        /// Its number.
        number: usize,
        /// Requests.
        done: u64,
    },
    /// A sample has ended.
    Ended {
        /// Its number.
        number: usize,
        /// What came of it.
        sample: &'a Sample,
        /// How long the session is expected to go on.
        remaining: Duration,
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
    #[error(
        "cannot write the record: {0}; what was measured before stands in the .partial file beside it"
    )]
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
        "{program} was changed while the session ran; what was measured until then is kept, and one session measures one build: run it again, or run a copy that no build touches"
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
    /// before any has two, and what drifts drifts over all of them.
    ///
    /// # Errors
    /// Where the record cannot be written, or a process cannot be started. A
    /// sample that fails is a line of the record, not an error.
    pub fn run(
        mut self,
        writer: &mut Writer,
        observer: &mut dyn Observer,
    ) -> Result<Ending, SessionError> {
        let processes = Processes::default();
        let schedule = self.schedule();
        let targets = std::mem::take(&mut self.targets);
        let mut lanes = Lanes::new(self.program, &processes, targets);
        let halt = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (sender, reports) = channel();
            let mut course = Course {
                session: &self,
                scope,
                halt: &halt,
                processes: &processes,
                lanes: &mut lanes,
                schedule,
                begun_at: Instant::now(),
                build: build_of(self.program),
                sender,
                reports,
                running: BTreeMap::new(),
                begun: 0,
                writer,
                observer,
            };
            let ran = course.run();
            // What still runs after an error is not waited for.
            halt.store(true, Ordering::Relaxed);
            ran
        })
    }

    fn schedule(&self) -> Schedule {
        let tasks = self.plan.cells.iter().map(|cell| {
            let of_cell = |target: &&Target| target.profile == cell.profile;
            let target = self.targets.iter().find(of_cell).or(self.targets.first());
            let expected = target.and_then(|target| target.expected_s(cell));
            Task::new(cell.requests, cell.workers_usable, expected)
        });
        let enough = match self.sampling.budget_s {
            Some(budget) => {
                Enough::Precise(Duration::try_from_secs_f64(budget).unwrap_or(Duration::MAX))
            }
            None => Enough::Samples(self.sampling.samples.unwrap_or(self.plan.samples)),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let budget = Budget::of(self.sampling.lanes, cores);
        Schedule::new(tasks.collect(), enough, budget, self.sampling.seed)
    }
}

/// A session as it goes on.
struct Course<'scope, 'env, 'run> {
    session: &'env Session<'env>,
    scope: &'scope Scope<'scope, 'env>,
    /// Set when samples that run are of no use any more.
    halt: &'env AtomicBool,
    processes: &'env Processes,
    lanes: &'run mut Lanes<'env>,
    schedule: Schedule,
    begun_at: Instant,
    /// The program's build when the session began.
    build: Option<(u64, std::time::SystemTime)>,
    sender: Sender<Report>,
    reports: Receiver<Report>,
    /// The samples that run, by number.
    running: BTreeMap<usize, Running>,
    /// Samples that have begun.
    begun: usize,
    writer: &'run mut Writer,
    observer: &'run mut dyn Observer,
}

struct Running {
    turn: Turn,
    began: Duration,
    beside: usize,
}

/// What a sample's thread says of it.
enum Report {
    Progress(usize, u64),
    Ended(usize, Box<Ended>),
}

struct Ended {
    lane: Lane,
    /// `None` where it was stopped before its end.
    result: Result<Option<SampleResult>, SessionError>,
    machine: Option<MachineUse>,
}

impl<'scope, 'env> Course<'scope, 'env, '_> {
    fn run(&mut self) -> Result<Ending, SessionError> {
        loop {
            let now = self.begun_at.elapsed();
            let stopped = self.session.stop.load(Ordering::Relaxed);
            let until = match (stopped, self.running.is_empty()) {
                (true, true) => return Ok(Ending::Interrupted),
                (true, false) => None,
                (false, _) => match self.schedule.next(now) {
                    Step::Begin(turn) => {
                        self.begin(turn, now)?;
                        continue;
                    }
                    Step::Done => return Ok(Ending::Complete),
                    Step::Wait(until) => until,
                },
            };
            let patience = until.map_or(Duration::MAX, |until| until.saturating_sub(now));
            // In time to see that the session was stopped.
            match self
                .reports
                .recv_timeout(patience.min(Duration::from_millis(100)))
            {
                Ok(Report::Progress(number, done)) => {
                    self.observer.on(&Event::Progress { number, done });
                }
                Ok(Report::Ended(number, ended)) => self.ended(number, *ended)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    fn begin(&mut self, turn: Turn, now: Duration) -> Result<(), SessionError> {
        let session = self.session;
        if build_of(session.program) != self.build {
            return Err(SessionError::Replaced {
                program: session.program.display().to_string(),
            });
        }
        let cell = &session.plan.cells[turn.task];
        let lane = self.lanes.take(cell)?;
        let number = self.begun;
        self.begun += 1;
        self.observer.on(&Event::Begun {
            cell,
            number,
            alone: turn.alone,
            remaining: self.schedule.remaining(now),
        });
        let beside = self.running.len();
        for other in self.running.values_mut() {
            other.beside = other.beside.max(beside);
        }
        let running = Running {
            turn,
            began: now,
            beside,
        };
        self.running.insert(number, running);
        let (sender, processes, halt) = (self.sender.clone(), self.processes, self.halt);
        self.scope.spawn(move || {
            let stopped = || halt.load(Ordering::Relaxed) || session.stop.load(Ordering::Relaxed);
            let progress = |done| {
                let _ = sender.send(Report::Progress(number, done));
            };
            let ended = session.sample(cell, lane, processes, stopped, progress);
            // Nobody listens any more only where the session has failed.
            let _ = sender.send(Report::Ended(number, Box::new(ended)));
        });
        Ok(())
    }

    fn ended(&mut self, number: usize, ended: Ended) -> Result<(), SessionError> {
        let Some(running) = self.running.remove(&number) else {
            return Ok(());
        };
        self.lanes.give_back(ended.lane);
        let Some(result) = ended.result? else {
            return Ok(());
        };
        let now = self.begun_at.elapsed();
        let settled = self.schedule.ended(running.turn.task, came(&result));
        let sample = Sample {
            cell: self.session.plan.cells[running.turn.task].clone(),
            round: running.turn.round,
            taken: Taken {
                began_s: running.began.as_secs_f64(),
                wall_s: now.saturating_sub(running.began).as_secs_f64(),
                beside: running.beside,
                settled,
                machine: ended.machine,
            },
            result,
        };
        self.observer.on(&Event::Ended {
            number,
            sample: &sample,
            remaining: self.schedule.remaining(now),
        });
        Ok(self.writer.sample(sample)?)
    }
}

/// What the schedule learns of a sample.
fn came(result: &SampleResult) -> Came {
    let SampleResult::Measured(measured) = result else {
        return Came::default();
    };
    let server = measured.server.map_or(0.0, |server| server.cpu_s);
    Came {
        warm_s: (measured.failed() == 0).then_some(measured.warm_s),
        cold_s: Some(measured.cold_s),
        cpu_s: measured.cpu_s + server,
    }
}

impl Session<'_> {
    /// One sample, in a lane.
    fn sample(
        &self,
        cell: &Cell,
        mut lane: Lane,
        processes: &Processes,
        stopped: impl Fn() -> bool,
        progress: impl FnMut(u64),
    ) -> Ended {
        let before = processes.reading();
        let result = self.measured(cell, &mut lane, processes, stopped, progress);
        let after = processes.reading();
        let machine = before
            .zip(after)
            .map(|(before, after)| after.since(&before));
        Ended {
            lane,
            result,
            machine,
        }
    }

    fn measured(
        &self,
        cell: &Cell,
        lane: &mut Lane,
        processes: &Processes,
        stopped: impl Fn() -> bool,
        progress: impl FnMut(u64),
    ) -> Result<Option<SampleResult>, SessionError> {
        // A server that has ended costs this sample, and the lane.
        if let Some(Err(silent)) = lane.witness.as_mut().map(Witness::reset) {
            return Ok(Some(SampleResult::Error(silent)));
        }
        let process = SampleProcess::start(self.program, &self.job(cell, lane));
        let mut process = process.map_err(|source| SessionError::Process {
            program: self.program.display().to_string(),
            source,
        })?;
        let id = process.id();
        processes.extend([id]);
        let result = process.result(stopped, progress);
        processes.end(id, || drop(process));
        Ok(match (result, &mut lane.witness) {
            (Some(SampleResult::Measured(mut measurement)), Some(witness)) => {
                Some(match witness.confirm(&measurement) {
                    Ok(account) => {
                        measurement.server = account;
                        SampleResult::Measured(measurement)
                    }
                    Err(disagreement) => SampleResult::Error(disagreement),
                })
            }
            (result, _) => result,
        })
    }

    fn job(&self, cell: &Cell, lane: &Lane) -> Job {
        Job {
            cell: cell.clone(),
            workload: lane.workload.clone(),
            url: lane.url.clone(),
            timeout_s: self.timeout.as_secs_f64(),
        }
    }
}

/// What changes when a program is built anew: its size, and when it was
/// written. `None` where it is not there.
fn build_of(program: &Path) -> Option<(u64, std::time::SystemTime)> {
    let metadata = std::fs::metadata(program).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
