//! The parent's side: processes that share the workers, all watched by one thread.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use super::AHEAD;
use super::child::WorkerProcess;
use super::errand::Errand;
use super::wire::{Order, Orders};
use crate::outcome::{Failure, FailureKind};
use crate::strategy::{Batch, Setup, Strategy, StrategyError};

/// How long the processes may take to become ready, besides the time that
/// opening a connection may take.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How much longer than [`AHEAD`] and what one request may take a worker may be
/// silent before it is given up: it keeps the request's limit itself, unless it
/// was stopped.
const GRACE: Duration = Duration::from_secs(5);

/// The same where the batch has a deadline, which is to be kept.
const DEADLINE_GRACE: Duration = Duration::from_millis(250);

/// How often silent workers are looked for, and where the batch has a deadline.
const PATROL: Duration = Duration::from_secs(1);
const DEADLINE_PATROL: Duration = Duration::from_millis(250);

/// Worker processes, by slot. A slot is empty once its worker was lost and
/// could not be replaced.
pub(super) struct ProcessPool {
    slots: Vec<Option<WorkerProcess>>,
    /// The workers of each slot's process, by number.
    workers: Vec<Range<usize>>,
    poll: Poll,
    events: Events,
    setup: Setup,
    /// How long a worker may be silent that has something to do. It is asked for
    /// with every request, and takes system calls to find.
    patience: Duration,
}

impl ProcessPool {
    /// Starts all processes and waits until each is ready.
    pub(super) fn start(setup: &Setup) -> Result<Self, StrategyError> {
        let workers = spread(setup.workers, setup.processes);
        let wanted = workers.len();
        let failed = |started, detail: &dyn ToString| StrategyError::Process {
            started,
            wanted,
            program: setup.worker_program.clone(),
            detail: detail.to_string(),
        };
        let poll = Poll::new().map_err(|error| failed(0, &error))?;
        let mut slots = Vec::with_capacity(wanted);
        for (slot, workers) in workers.iter().enumerate() {
            let process = WorkerProcess::spawn(setup, workers.len(), poll.registry(), Token(slot))
                .map_err(|error| failed(slot, &hinted(&error)))?;
            slots.push(Some(process));
        }
        let longest = setup.handling.longest(setup.target.timeout, setup.workers);
        let mut pool = Self {
            patience: AHEAD + longest + GRACE,
            events: Events::with_capacity(slots.len().max(64)),
            slots,
            workers,
            poll,
            setup: setup.clone(),
        };
        let limit = START_LIMIT + setup.target.timeout;
        let deadline = Instant::now() + limit;
        let mut ready = 0;
        while ready < wanted {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let detail = format!("not ready within {limit:?}");
                return Err(failed(ready, &detail));
            }
            for slot in pool.woken(left).map_err(|error| failed(ready, &error))? {
                match pool.greet(slot) {
                    Ok(greeted) => ready += usize::from(greeted),
                    Err(detail) => return Err(failed(ready, &detail)),
                }
            }
        }
        Ok(pool)
    }

    /// Waits for news, and says whose it is; nobody's where time is up.
    fn woken(&mut self, limit: Duration) -> io::Result<Vec<usize>> {
        match self.poll.poll(&mut self.events, Some(limit)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let mut slots: Vec<_> = self.events.iter().map(|event| event.token().0).collect();
        // Both pipes of a worker have the same token.
        slots.dedup();
        Ok(slots)
    }

    /// How long a process may be silent that has something to do.
    fn patience_for(&self, left: Option<Duration>) -> Duration {
        left.map_or(self.patience, |left| {
            self.patience.min(left + DEADLINE_GRACE)
        })
    }

    /// Looks for a new worker's word that it is ready.
    fn greet(&mut self, slot: usize) -> Result<bool, String> {
        let Some(worker) = self.slots[slot].as_mut().filter(|worker| !worker.ready) else {
            return Ok(false);
        };
        let written = worker.write();
        let (reports, open) = worker.reports();
        if let Err(error) = open.and(written) {
            return Err(format!("{error}: {}", worker.ended()));
        }
        for report in &reports {
            self.setup.target.count(report.traffic);
            worker.ready = true;
        }
        Ok(worker.ready)
    }

    /// Puts a new worker in a slot, if one can be started.
    fn replace(&mut self, slot: usize) {
        // The old one is gone before the new one comes.
        self.slots[slot] = None;
        let workers = self.workers[slot].len();
        let (registry, token) = (self.poll.registry(), Token(slot));
        self.slots[slot] = WorkerProcess::spawn(&self.setup, workers, registry, token).ok();
    }
}

impl Strategy for ProcessPool {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        Run::new(self, batch).carry_out()
    }

    fn processes(&self) -> Vec<u32> {
        self.slots.iter().flatten().map(WorkerProcess::id).collect()
    }
}

/// One batch on its way through the pool.
struct Run<'run> {
    pool: &'run mut ProcessPool,
    batch: &'run Batch,
    /// What each slot's process has to do.
    errands: Vec<Errand<'run>>,
    /// Slots whose process is ready, and may have room for more.
    free: Vec<usize>,
    /// Workers that may still be replaced. It has an end, so that workers that
    /// die at once cannot keep a batch going for ever.
    replacements: usize,
}

impl<'run> Run<'run> {
    fn new(pool: &'run mut ProcessPool, batch: &'run Batch) -> Self {
        let processes = pool.slots.len();
        // The last is taken first: begin with slot 0.
        let free = (0..processes)
            .rev()
            .filter(|slot| pool.slots[*slot].as_ref().is_some_and(|w| w.ready))
            .collect();
        Self {
            errands: pool
                .workers
                .iter()
                .map(|workers| Errand::new(workers.start, workers.len()))
                .collect(),
            pool,
            batch,
            free,
            replacements: processes,
        }
    }

    fn carry_out(mut self) -> Result<(), StrategyError> {
        let mut patrolled = self.batch.elapsed();
        let mut unclaimed = true;
        let patrol = match self.batch.left() {
            Some(_) => DEADLINE_PATROL,
            None => PATROL,
        };
        loop {
            while unclaimed && let Some(slot) = self.free.pop() {
                unclaimed = self.hand_out(slot);
            }
            let idle = self.errands.iter().all(Errand::is_done);
            if idle && !unclaimed {
                return Ok(());
            }
            if idle && self.pool.slots.iter().all(Option::is_none) {
                self.fail_the_rest();
                return Ok(());
            }
            let woken = self.pool.woken(patrol);
            for slot in woken.map_err(|error| StrategyError::Runtime {
                what: "poll of the worker processes",
                detail: error.to_string(),
            })? {
                self.attend(slot);
            }
            if self.batch.elapsed() - patrolled >= patrol {
                patrolled = self.batch.elapsed();
                self.give_up_silent(patrolled);
            }
        }
    }

    /// Gives a process what it has room for; whether there was as much.
    fn hand_out(&mut self, slot: usize) -> bool {
        let errand = &mut self.errands[slot];
        let left = self.batch.left();
        let share = match left {
            // What is left of the time counts from when a worker begins.
            Some(_) => 0,
            None => self.batch.unclaimed() / self.pool.setup.workers,
        };
        let size = errand.size(share);
        let room = errand.room(size);
        let now = self.batch.elapsed();
        let limit = now + self.pool.patience_for(left);
        let mut orders = Orders {
            orders: Vec::with_capacity(room),
            together: errand.together(size),
        };
        while orders.orders.len() < room
            && let Some(index) = self.batch.claim()
        {
            let attempt = self.batch.begin(index, errand.first_worker());
            orders.orders.push(Order {
                index,
                target: attempt.request().target.clone(),
                left,
            });
            errand.add(attempt, now, limit);
        }
        let all = orders.orders.len() == room;
        if !orders.orders.is_empty() {
            let given = match &mut self.pool.slots[slot] {
                Some(process) => process.add(&orders).and_then(|()| process.write()),
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            if given.is_err() {
                self.lose(slot);
            }
        }
        all
    }

    /// Sees what a worker's pipes have to say.
    fn attend(&mut self, slot: usize) {
        let Some(worker) = &mut self.pool.slots[slot] else {
            return;
        };
        if !worker.ready {
            match self.pool.greet(slot) {
                Ok(true) => self.free.push(slot),
                Ok(false) => {}
                Err(_) => self.lose(slot),
            }
            return;
        }
        let written = worker.write();
        let (reports, open) = worker.reports();
        let now = self.batch.elapsed();
        let limit = now + self.pool.patience_for(self.batch.left());
        // Who says again that it is ready cannot be trusted.
        let mut trusted = true;
        let mut done = Vec::new();
        for report in reports {
            self.pool.setup.target.count(report.traffic);
            trusted &= !report.done.is_empty();
            done.extend(report.done);
        }
        if !done.is_empty() {
            let errand = &mut self.errands[slot];
            // Nor can who answers what it was not asked.
            trusted &= errand.report(done, now, limit);
            self.free.push(slot);
        }
        if !trusted || written.and(open).is_err() {
            self.lose(slot);
        }
    }

    /// A worker is gone: its requests fail, and another worker takes its place.
    fn lose(&mut self, slot: usize) {
        let ended = self.pool.slots[slot].as_mut().map(WorkerProcess::end);
        let ended = ended.unwrap_or_else(|| "no worker process is left".to_owned());
        self.free.retain(|free| *free != slot);
        self.errands[slot].lose(&ended, self.batch.elapsed());
        if self.replacements > 0 {
            self.replacements -= 1;
            self.pool.replace(slot);
        } else {
            self.pool.slots[slot] = None;
        }
    }

    /// Gives up workers that are overdue, with a request or with their first
    /// word: stopped, or in a loop.
    fn give_up_silent(&mut self, now: Duration) {
        let start_limit = START_LIMIT + self.pool.setup.target.timeout;
        for slot in 0..self.errands.len() {
            let overdue = self.errands[slot].is_overdue(now);
            let worker = self.pool.slots[slot].as_ref();
            let unborn = worker.is_some_and(|w| !w.ready && w.started.elapsed() > start_limit);
            if overdue || unborn {
                self.lose(slot);
            }
        }
    }

    /// No worker is left, and none can be started: every request that nobody
    /// has begun ends here.
    fn fail_the_rest(&self) {
        while let Some(index) = self.batch.claim() {
            let failure = Failure::new(
                FailureKind::WorkerLost,
                "every worker process ended, and none could be started",
            );
            self.batch.begin(index, 0).finish(Err(failure));
        }
    }
}

/// The workers of each process: as many as in any other, or one fewer.
fn spread(workers: usize, processes: Option<usize>) -> Vec<Range<usize>> {
    let processes = processes.unwrap_or(workers).clamp(1, workers.max(1));
    let bound = |process: usize| process * workers / processes;
    (0..processes)
        .map(|process| bound(process)..bound(process + 1))
        .collect()
}

/// What the system said, with the way out where it is known.
fn hinted(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(nix::libc::EMFILE | nix::libc::ENFILE) => {
            format!(
                "{error}; each worker process needs two file descriptors; raise `ulimit -n` or use fewer workers"
            )
        }
        Some(nix::libc::EAGAIN) => format!("{error}; raise `ulimit -u` or use fewer workers"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_spread_evenly_over_processes() {
        let sizes = |workers, processes| -> Vec<usize> {
            let ranges = spread(workers, processes);
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            ranges.iter().map(Range::len).collect()
        };
        assert_eq!(sizes(3, None), [1, 1, 1]);
        assert_eq!(sizes(20, Some(2)), [10, 10]);
        assert_eq!(sizes(7, Some(3)), [2, 2, 3]);
        assert_eq!(sizes(2, Some(8)), [1, 1]);
        assert_eq!(sizes(5, Some(1)), [5]);
    }
}
