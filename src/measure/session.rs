//! A session: a plan, sample by sample, into a record. A thread for each sample
//! that runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::event::{Event, Observer, SessionError};
use super::lanes::{Asked, Lane, Lanes, Target, Took};
use super::machine::Processes;
use super::pauses::Pauses;
use super::plan::Plan;
use super::schedule::{Budget, Came, Enough, Schedule, Step, Task, Turn};
use crate::record::{Ending, Purpose, Sample, SampleResult, Sampling, Taken, Writer};

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

/// A session as it goes on.
struct Course<'scope, 'env, 'run, 'lanes> {
    session: &'env Session<'env>,
    scope: &'scope Scope<'scope, 'env>,
    /// Set when samples that run are of no use any more.
    halt: &'env AtomicBool,
    processes: &'env Processes,
    lanes: &'run mut Lanes<'lanes>,
    schedule: Schedule,
    clock: Clock,
    /// When this course began.
    course_at: Instant,
    sender: Sender<Report>,
    reports: Receiver<Report>,
    /// The samples that run, by number.
    running: BTreeMap<usize, Running>,
}

/// What goes on from one course of a session to the next.
#[derive(Clone, Copy)]
struct Clock {
    /// When the session began.
    begun_at: Instant,
    /// Samples that have begun.
    begun: usize,
    /// Rounds that have begun in earlier courses.
    rounds: u32,
    /// The program's build when the session began.
    build: Build,
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
    came: Result<Took, SessionError>,
}

impl<'scope, 'env, 'run, 'lanes> Course<'scope, 'env, 'run, 'lanes> {
    /// A course that is about to begin.
    fn new(
        session: &'env Session<'env>,
        scope: &'scope Scope<'scope, 'env>,
        halt: &'env AtomicBool,
        processes: &'env Processes,
        lanes: &'run mut Lanes<'lanes>,
        schedule: Schedule,
        clock: Clock,
    ) -> Self {
        let (sender, reports) = channel();
        Self {
            session,
            scope,
            halt,
            processes,
            lanes,
            schedule,
            clock,
            course_at: Instant::now(),
            sender,
            reports,
            running: BTreeMap::new(),
        }
    }

    /// The clock for the course after this one.
    fn clock(&self) -> Clock {
        Clock {
            rounds: self.schedule.rounds(),
            ..self.clock
        }
    }

    /// Goes on until the schedule is done or the session stopped.
    fn run(
        &mut self,
        writer: &mut Writer,
        observer: &mut dyn Observer,
    ) -> Result<Ending, SessionError> {
        let mut pauses = Pauses::default();
        loop {
            let now = self.course_at.elapsed();
            let stopped = self.session.stop.load(Ordering::Relaxed);
            let until = match (stopped, self.running.is_empty()) {
                (true, true) => return Ok(Ending::Interrupted),
                (true, false) => None,
                (false, _) => match self.schedule.next(now) {
                    Step::Begin(turn) => {
                        self.begin(turn, now, observer)?;
                        continue;
                    }
                    Step::Done => return Ok(Ending::Complete),
                    Step::Wait(until) => until,
                },
            };
            let patience = until.map_or(Duration::MAX, |until| until.saturating_sub(now));
            // In time to see that the session was stopped.
            match self.reports.recv_timeout(patience.min(pauses.draw())) {
                Ok(Report::Progress(number, done)) => {
                    let remaining = self.progressed(number, done);
                    observer.on(&Event::Progress {
                        number,
                        done,
                        remaining,
                    });
                }
                Ok(Report::Ended(number, ended)) => {
                    if let Some(sample) = self.ended(number, *ended, observer)? {
                        writer.sample(sample)?;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    fn begin(
        &mut self,
        turn: Turn,
        now: Duration,
        observer: &mut dyn Observer,
    ) -> Result<(), SessionError> {
        let session = self.session;
        if Build::of(session.program) != self.clock.build {
            return Err(SessionError::Replaced {
                program: session.program.display().to_string(),
            });
        }
        let cell = &session.plan.cells[turn.task];
        let mut lane = self.lanes.take(cell)?;
        let number = self.clock.begun;
        self.clock.begun += 1;
        observer.on(&Event::Begun {
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
            began: self.clock.begun_at.elapsed(),
            beside,
        };
        self.running.insert(number, running);
        let (sender, processes, halt) = (self.sender.clone(), self.processes, self.halt);
        self.scope.spawn(move || {
            let stopped = || halt.load(Ordering::Relaxed) || session.stop.load(Ordering::Relaxed);
            let progress = |done| {
                let _ = sender.send(Report::Progress(number, done));
            };
            let asked = Asked {
                program: session.program,
                cell,
                round: turn.round,
            };
            let came = lane.sample(&asked, processes, stopped, progress);
            let ended = Ended { lane, came };
            // Nobody listens any more only where the session has failed.
            let _ = sender.send(Report::Ended(number, Box::new(ended)));
        });
        Ok(())
    }

    /// How long the session will go on, where a sample's progress changes that.
    fn progressed(&mut self, number: usize, done: u64) -> Option<Duration> {
        let now = self.course_at.elapsed();
        let task = self.running.get(&number)?.turn.task;
        let is_news = self.schedule.progressed(task, done, now);
        is_news.then(|| self.schedule.remaining(now)).flatten()
    }

    /// What came of a sample, for the record; nothing where it was stopped before
    /// its end.
    fn ended(
        &mut self,
        number: usize,
        ended: Ended,
        observer: &mut dyn Observer,
    ) -> Result<Option<Sample>, SessionError> {
        self.lanes.give_back(ended.lane);
        let took = ended.came?;
        let (Some(running), Some(result)) = (self.running.remove(&number), took.result) else {
            return Ok(None);
        };
        let now = self.course_at.elapsed();
        let ended = self.clock.begun_at.elapsed();
        let settled = self
            .schedule
            .ended(running.turn.task, came(&result, self.session.purpose));
        let sample = Sample {
            cell: self.session.plan.cells[running.turn.task].clone(),
            round: running.turn.round,
            taken: Taken {
                began_s: running.began.as_secs_f64(),
                wall_s: ended.saturating_sub(running.began).as_secs_f64(),
                beside: running.beside,
                settled,
                confirms: self.session.plan.confirms,
                machine: took.machine,
            },
            result,
        };
        observer.on(&Event::Ended {
            number,
            sample: &sample,
            remaining: self.schedule.remaining(now),
        });
        Ok(Some(sample))
    }
}

/// What the schedule learns of a sample.
fn came(result: &SampleResult, purpose: Purpose) -> Came {
    let SampleResult::Measured(measured) = result else {
        return Came::default();
    };
    let bundled = measured.server.map(|server| server.cpu_s);
    let server = bundled.or(measured.local_server_cpu_s).unwrap_or(0.0);
    Came {
        runtime_s: measured
            .is_nearly_whole()
            .then(|| purpose.runtime_s(measured)),
        cold_s: Some(measured.cold_s),
        cpu_s: measured.cpu_s + server,
    }
}

/// What changes when a program is built anew: its size, and when it was
/// written. `None` where it is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Build(Option<(u64, std::time::SystemTime)>);

impl Build {
    fn of(program: &Path) -> Self {
        let metadata = std::fs::metadata(program).ok();
        Self(metadata.and_then(|data| Some((data.len(), data.modified().ok()?))))
    }
}
