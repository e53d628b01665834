//! The worker process's side: orders in, reports out, until the parent is gone.

use std::fs::File;
use std::io::{self, BufReader, Stdin, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::AHEAD;
use super::orders::Inbox;
use super::wire::{self, Done, Duty, Order, Report};
use crate::client::{BlockingCaller, Handling, Maker, Target, Traffic};
use crate::outcome::Call;
use crate::request::Request;
use crate::strategy::Catalogue;
use crate::workload::{Gets, Workload};

/// The hidden command that makes a program a worker process.
pub const VERB: &str = "worker-process";

/// How much of the answers' bodies waits for no further ones, in bytes: half of
/// what a pipe holds.
const MUCH: usize = 32 << 10;

/// Serves orders from standard input until it ends. What it must know is a
/// [`Duty`], which comes first.
///
/// The process ends when its parent does, even in the middle of a request: the
/// parent's death closes the pipe, and a thread that watches for just that
/// ends the process.
///
/// # Errors
/// Where the duty is none, the client is not a blocking one, or the pipes
/// break.
pub fn serve(catalogue: &Catalogue) -> io::Result<()> {
    std::thread::Builder::new()
        .name("parent-watch".to_owned())
        .spawn(exit_with_parent)?;
    let mut input = BufReader::new(io::stdin());
    let duty: String =
        wire::read(&mut input)?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let duty: Duty = serde_json::from_str(&duty)?;
    let process = Arc::new(Process::new(duty, catalogue, input)?);
    for number in 1..process.all_there.1 {
        let process = Arc::clone(&process);
        std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || process.end_with(number))?;
    }
    process.work(0)
}

/// What the workers of a process share.
struct Process {
    client: Maker,
    timeout: Duration,
    handling: Arc<Handling>,
    expected: Option<Gets>,
    inbox: Mutex<Inbox<BufReader<Stdin>>>,
    reports: Mutex<Reports>,
    /// Where workers wait for one another before the process is ready, and how
    /// many they are.
    all_there: (Barrier, usize),
}

impl Process {
    fn new(duty: Duty, catalogue: &Catalogue, input: BufReader<Stdin>) -> io::Result<Self> {
        let workers = duty.workers.max(1);
        let target = Target::new(duty.endpoint, duty.timeout)
            .with_reuse(duty.reuse)
            .with_body_limit(duty.body_limit);
        let client = catalogue
            .client(&duty.client)
            .map_err(io::Error::other)?
            .blocking(&target, workers)
            .ok_or_else(|| {
                io::Error::other(format!("`{}` is not a blocking client", duty.client))
            })??;
        Ok(Self {
            client,
            timeout: duty.timeout,
            handling: Arc::new(duty.handling),
            expected: duty.expected,
            inbox: Mutex::new(Inbox::new(input)),
            reports: Mutex::new(Reports::new(target, workers)?),
            all_there: (Barrier::new(workers), workers),
        })
    }

    /// The life of a worker beside the first. Without it the process would be one
    /// short, and a request without an outcome, so the process ends with it.
    fn end_with(&self, number: usize) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.work(number)));
        std::process::exit(i32::from(!matches!(ended, Ok(Ok(())))));
    }

    /// A worker's life: its client, then order after order.
    fn work(&self, number: usize) -> io::Result<()> {
        let handling = Arc::clone(&self.handling);
        let mut caller = BlockingCaller::new((self.client)(), handling, self.timeout);
        if self.all_there.0.wait().is_leader() {
            self.reports().write()?;
        }
        while let Some((order, together)) = self.next()? {
            let index = order.index;
            let request = Request {
                index,
                target: order.target,
                expires: order.left.map(|left| Instant::now() + left),
            };
            let begun = Instant::now();
            let call = caller.call(&request);
            let took = begun.elapsed();
            let call = self.checked(index, call);
            self.reports().add(
                Done {
                    index,
                    worker: number,
                    call,
                    took,
                },
                together,
            )?;
        }
        Ok(())
    }

    /// The next order, and how many results are worth a report meanwhile. Who has
    /// to wait for one first reports what there is.
    fn next(&self) -> io::Result<Option<(Order, usize)>> {
        if let Ok(mut inbox) = self.inbox.try_lock()
            && let Some(order) = inbox.at_hand()
        {
            return Ok(Some(order));
        }
        self.reports().write_any()?;
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.next()
    }

    /// What came of a request, with the verdict on its response; a body that was
    /// found right stays here.
    fn checked(&self, index: usize, mut call: Call) -> Call {
        if let Some(expected) = &self.expected
            && let Ok(response) = &mut call.result
        {
            match expected.check(index, response) {
                Ok(()) => {
                    response.body = Bytes::new();
                    call.checked = true;
                }
                Err(failure) => call.result = Err(failure),
            }
        }
        call
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be reported.
struct Reports {
    /// Standard output without the line buffer that the library puts before it,
    /// which would cut a report in two.
    output: File,
    target: Target,
    told: Traffic,
    done: Vec<Done>,
    /// What the waiting ones took, and the bytes of their bodies.
    waiting: (Duration, usize),
    /// What they may take.
    ahead: Duration,
}

impl Reports {
    fn new(target: Target, workers: usize) -> io::Result<Self> {
        Ok(Self {
            output: File::from(io::stdout().as_fd().try_clone_to_owned()?),
            target,
            told: Traffic::default(),
            done: Vec::new(),
            waiting: Default::default(),
            ahead: AHEAD.saturating_mul(u32::try_from(workers).unwrap_or(u32::MAX)),
        })
    }

    /// Adds a result, and reports where so many are together, or where they
    /// should wait no longer for others.
    fn add(&mut self, done: Done, together: usize) -> io::Result<()> {
        self.waiting.0 += done.took;
        let body = done.call.result.as_ref();
        self.waiting.1 += body.map_or(0, |answer| answer.body.len());
        self.done.push(done);
        let due = self.waiting.0 >= self.ahead || self.waiting.1 >= MUCH;
        match due || self.done.len() >= together {
            true => self.write(),
            false => Ok(()),
        }
    }

    /// Reports what there is, if there is anything.
    fn write_any(&mut self) -> io::Result<()> {
        match self.done.is_empty() {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let all = self.target.traffic();
        let report = Report {
            traffic: all.since(std::mem::replace(&mut self.told, all)),
            done: std::mem::take(&mut self.done),
        };
        self.waiting = Default::default();
        let mut frame = Vec::new();
        wire::encode(&report, &mut frame)?;
        self.output.write_all(&frame)
    }
}

/// Waits until nobody holds the other end of standard input, then ends the
/// process.
fn exit_with_parent() {
    let stdin = io::stdin();
    loop {
        // With no event asked for, poll returns for a hang-up or an error
        // alone, and leaves what there is to read where it is.
        let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
        match poll(&mut watched, PollTimeout::NONE) {
            Ok(_) => std::process::exit(0),
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
