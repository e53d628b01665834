//! The schedule: which sample is taken when, and beside which others.
//!
//! Pure: it is told the time and what came of samples, and says what to begin.
//!
//! Each cell has one sample before any has two. A round has two parts: samples
//! that need the machine to themselves, one after the other in random order,
//! and samples that leave it idle, side by side under a budget. The latter begin
//! with the longest, so that a round ends soon, and in random order among those
//! that take equally long: strategies at the same worker count, which are what
//! is compared. Which part comes first is drawn as well.

mod outlook;

use std::collections::VecDeque;
use std::time::Duration;

use super::shuffle::Shuffle;
use crate::precision::Interval;

/// What is let run side by side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Budget {
    /// The most samples at once; 1 for one after the other.
    pub(super) lanes: usize,
    /// The most requests in flight at once, over all of them.
    pub(super) in_flight: usize,
    /// The CPU time that they may spend in a second, over all of them, in
    /// seconds.
    pub(super) cpu: f64,
}

impl Budget {
    /// A tenth of a machine's processors: so seldom does a request find both its
    /// own work and another sample's waiting.
    pub(super) fn of(lanes: usize, cores: usize) -> Self {
        Self {
            lanes,
            in_flight: 64,
            cpu: 0.1 * cores as f64,
        }
    }
}

/// The most CPU time in a second that one sample may need, in seconds, to run
/// beside others: with more it would come in bursts that the others notice.
const BUSY: f64 = 0.05;

/// A sample shorter than this, in seconds, runs alone: the start of another
/// would be no small part of it.
const SHORT: f64 = 1.5;

/// CPU time that client and server spend on a request, in seconds, before it is
/// measured, and never less: an upper limit for a release build.
const CPU_PER_REQUEST: f64 = 0.001;

/// From the start of one sample beside others to that of the next: processes
/// and connections that are all built at once would delay each other.
const STAGGER: Duration = Duration::from_millis(100);

/// A cell that never succeeded in so many samples is given no more of them.
const HOPELESS: u32 = 3;

/// When a cell has enough samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Enough {
    /// After so many.
    Samples(u32),
    /// When the interval of its median is narrow, or this time is over. One
    /// sample each is taken whatever it is.
    Precise(Duration),
}

/// A cell as the schedule sees it.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// How long a sample takes, in seconds; `None` where nothing is known.
    expected_s: Option<f64>,
    /// How long it was expected to take at first: what does not depend on who
    /// was faster puts none of them first.
    length: Duration,
    requests: usize,
    in_flight: usize,
    cpu_per_request: f64,
    runtime_s: Vec<f64>,
    samples: u32,
    /// Requests of the sample that runs that have an outcome.
    outcomes: u64,
    /// Whether it gets no more samples.
    done: bool,
}

impl Task {
    /// A cell of so many requests, of which so many are in flight at once, and
    /// that is expected to take so many seconds.
    pub(super) fn new(requests: usize, in_flight: usize, expected_s: Option<f64>) -> Self {
        Self {
            expected_s,
            length: duration(expected_s),
            requests,
            in_flight,
            cpu_per_request: CPU_PER_REQUEST,
            runtime_s: Vec::new(),
            samples: 0,
            outcomes: 0,
            done: false,
        }
    }

    /// The same with so much CPU time more on each request, in seconds.
    pub(super) fn working(mut self, cpu_s: f64) -> Self {
        self.cpu_per_request += cpu_s;
        self
    }

    /// CPU time that a sample needs in a second, in seconds.
    fn cpu(&self) -> f64 {
        match self.expected_s {
            Some(expected) if expected > 0.0 => {
                self.requests as f64 / expected * self.cpu_per_request
            }
            _ => f64::INFINITY,
        }
    }

    /// Whether it leaves the machine idle enough for others.
    fn shares(&self, budget: &Budget) -> bool {
        budget.lanes > 1
            && self.in_flight <= budget.in_flight
            && self.cpu() <= BUSY.min(budget.cpu)
            && self.expected_s.is_some_and(|expected| expected >= SHORT)
    }

    fn expected(&self) -> Duration {
        duration(self.expected_s)
    }
}

/// What came of a sample.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Came {
    /// Its warm runtime in seconds, where nearly every request of it succeeded.
    pub(super) runtime_s: Option<f64>,
    /// Its cold runtime in seconds, where it was measured.
    pub(super) cold_s: Option<f64>,
    /// CPU time that client and server spent on it, in seconds.
    pub(super) cpu_s: f64,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Begin a sample.
    Begin(Turn),
    /// Wait until a sample ends, or until this time, where there is one.
    Wait(Option<Duration>),
    /// Nothing is left to do, and nothing runs.
    Done,
}

/// A sample to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// The task's place in the schedule.
    pub(super) task: usize,
    /// Its round, from 0.
    pub(super) round: u32,
    /// Whether nothing else runs beside it.
    pub(super) alone: bool,
}

#[derive(Clone, Debug)]
struct Part {
    alone: bool,
    queue: VecDeque<usize>,
}

/// The schedule of a session. Times are since the session's beginning.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    tasks: Vec<Task>,
    enough: Enough,
    budget: Budget,
    seed: u64,
    /// Rounds of the session before this schedule's first.
    before: u32,
    /// Rounds that have begun.
    rounds: u32,
    parts: VecDeque<Part>,
    /// Tasks that run, and since when.
    running: Vec<(usize, Duration)>,
    begun_last: Option<Duration>,
}

impl Schedule {
    /// A schedule of these tasks.
    pub(super) fn new(tasks: Vec<Task>, enough: Enough, budget: Budget, seed: u64) -> Self {
        Self {
            tasks,
            enough,
            budget,
            seed,
            before: 0,
            rounds: 0,
            parts: VecDeque::new(),
            running: Vec::new(),
            begun_last: None,
        }
    }

    /// The same after so many rounds of its session: no two samples of a cell
    /// have one round, and each round has an order of its own.
    pub(super) fn after(mut self, rounds: u32) -> Self {
        self.before = rounds;
        self
    }

    /// Rounds of the session that have begun.
    pub(super) fn rounds(&self) -> u32 {
        self.before + self.rounds
    }

    /// What to do at this time.
    pub(super) fn next(&mut self, now: Duration) -> Step {
        loop {
            self.drop_what_time_forbids(now);
            match self.parts.front().map(|part| part.queue.is_empty()) {
                Some(false) => return self.begin_one(now),
                _ if !self.running.is_empty() => return Step::Wait(None),
                Some(true) => {
                    self.parts.pop_front();
                }
                None if self.begin_round() => {}
                None => return Step::Done,
            }
        }
    }

    /// Takes note that a sample has ended; says whether with it the interval of
    /// its cell's median became narrow enough.
    pub(super) fn ended(&mut self, task: usize, came: Came) -> bool {
        self.running.retain(|(running, _)| *running != task);
        let enough = self.enough;
        let task = &mut self.tasks[task];
        task.samples += 1;
        task.runtime_s.extend(came.runtime_s);
        if let Some(cold) = came.cold_s {
            task.expected_s = Some(task.expected_s.unwrap_or(0.0).max(cold));
            let cpu = came.cpu_s / task.requests.max(1) as f64;
            task.cpu_per_request = task.cpu_per_request.max(cpu);
        }
        match enough {
            Enough::Samples(samples) => {
                task.done = task.samples >= samples;
                false
            }
            Enough::Precise(_) => {
                let settled = is_settled(&task.runtime_s);
                let hopeless = task.runtime_s.is_empty() && task.samples >= HOPELESS;
                task.done |= settled || hopeless;
                settled
            }
        }
    }

    /// How long it will go on from now, if everything takes as long as it is
    /// expected to: where sampling ends by its budget, at most so long.
    fn remaining_as_expected(&self, now: Duration) -> Duration {
        let queued = self
            .parts
            .iter()
            .flat_map(|part| part.queue.iter().copied());
        let pending: Vec<usize> = queued
            .chain(self.running.iter().map(|(task, _)| *task))
            .collect();
        let rest = self.as_one_round(|task, _| pending.contains(&task));
        let rest = rest.play(now).saturating_sub(now);
        let another = || {
            let mut another = self.as_one_round(|_, task| !task.done);
            another.parts.clear();
            another.running.clear();
            another.play(Duration::ZERO)
        };
        match self.enough {
            Enough::Samples(samples) => rest + another() * samples.saturating_sub(self.rounds),
            Enough::Precise(budget) if self.rounds == 0 => another().max(budget),
            Enough::Precise(budget) => rest.max(budget.saturating_sub(now)),
        }
    }

    /// The same, but ending once these tasks have had one more sample each.
    fn as_one_round(&self, has_one: impl Fn(usize, &Task) -> bool) -> Self {
        let tasks = self.tasks.iter().enumerate().map(|(place, task)| Task {
            runtime_s: Vec::new(),
            samples: 0,
            done: !has_one(place, task),
            ..*task
        });
        Self {
            tasks: tasks.collect(),
            enough: Enough::Samples(1),
            budget: self.budget,
            seed: self.seed,
            before: self.before,
            rounds: self.rounds,
            parts: self.parts.clone(),
            running: self.running.clone(),
            begun_last: self.begun_last,
        }
    }

    /// Goes through it from a time on, each sample taking as long as expected;
    /// says when it ends.
    fn play(mut self, from: Duration) -> Duration {
        let mut now = from;
        loop {
            let until = match self.next(now) {
                Step::Begin(_) => continue,
                Step::Done => return now,
                Step::Wait(until) => until,
            };
            let ends = |(task, since): &(usize, Duration)| {
                (since.saturating_add(self.tasks[*task].expected()), *task)
            };
            match (until, self.running.iter().map(ends).min()) {
                (Some(until), next) if next.is_none_or(|(end, _)| until < end) => now = until,
                (_, Some((end, task))) => {
                    now = now.max(end);
                    self.ended(task, Came::default());
                }
                (_, None) => return now,
            }
        }
    }

    fn begin_one(&mut self, now: Duration) -> Step {
        let Some(part) = self.parts.front_mut() else {
            return Step::Done;
        };
        if part.alone && !self.running.is_empty() {
            return Step::Wait(None);
        }
        if let Some(last) = self.begun_last
            && !part.alone
            && !self.running.is_empty()
            && now < last + STAGGER
        {
            return Step::Wait(Some(last + STAGGER));
        }
        let (tasks, running, budget) = (&self.tasks, &self.running, &self.budget);
        let fits = |task: &usize| fits(tasks, running, budget, *task);
        let Some(task) = part
            .queue
            .iter()
            .position(fits)
            .and_then(|place| part.queue.remove(place))
        else {
            return Step::Wait(None);
        };
        let alone = part.alone;
        self.tasks[task].outcomes = 0;
        self.running.push((task, now));
        self.begun_last = Some(now);
        Step::Begin(Turn {
            task,
            round: self.rounds() - 1,
            alone,
        })
    }

    /// Once each cell has a sample, none is begun that would not end in time.
    fn drop_what_time_forbids(&mut self, now: Duration) {
        let Enough::Precise(budget) = self.enough else {
            return;
        };
        if self.rounds <= 1 {
            return;
        }
        let tasks = &mut self.tasks;
        for part in &mut self.parts {
            part.queue.retain(|task| {
                let task = &mut tasks[*task];
                task.done = now.saturating_add(task.expected()) > budget;
                !task.done
            });
        }
    }

    /// Draws the next round; says whether there is one.
    fn begin_round(&mut self) -> bool {
        let mut left: Vec<usize> = (0..self.tasks.len())
            .filter(|task| !self.tasks[*task].done)
            .collect();
        if left.is_empty() {
            return false;
        }
        let mut random = Shuffle::new(self.seed, self.rounds());
        random.shuffle(&mut left);
        let (mut beside, alone): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|task| self.tasks[*task].shares(&self.budget));
        // Stable: among equals the order stays the random one.
        beside.sort_by_key(|task| std::cmp::Reverse(self.tasks[*task].length));
        let mut parts = [(false, beside), (true, alone)];
        random.shuffle(&mut parts);
        self.parts = parts
            .into_iter()
            .map(|(alone, queue)| Part {
                alone,
                queue: queue.into(),
            })
            .collect();
        self.rounds += 1;
        true
    }
}

/// Whether a task may begin beside those that run.
fn fits(tasks: &[Task], running: &[(usize, Duration)], budget: &Budget, task: usize) -> bool {
    if running.is_empty() {
        return true;
    }
    let all = || {
        let running = running.iter().map(|(task, _)| *task);
        running.chain([task]).map(|task| &tasks[task])
    };
    running.len() < budget.lanes
        && all().map(|task| task.in_flight).sum::<usize>() <= budget.in_flight
        && all().map(Task::cpu).sum::<f64>() <= budget.cpu
}

fn duration(seconds: Option<f64>) -> Duration {
    Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or(Duration::MAX)
}

fn is_settled(runtime_s: &[f64]) -> bool {
    let mut sorted = runtime_s.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return false;
    };
    let median = (sorted[last / 2] + sorted[last.div_ceil(2)]) / 2.0;
    Interval::of_median(sorted).is_some_and(|interval| interval.is_precise(median))
}

#[cfg(test)]
mod tests;
