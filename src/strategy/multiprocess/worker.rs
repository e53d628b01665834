//! The worker process's side: orders in, reports out, until the parent is gone.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::AHEAD;
use super::wire::{self, Done, Duty, Order, Report};
use crate::client::{BlockingCaller, Client, Target, Traffic};
use crate::outcome::Call;
use crate::request::{Endpoint, Request};

/// The hidden command that makes a program a worker process; its argument is
/// that of [`serve`].
pub const VERB: &str = "worker-process";

/// How much of the answers' bodies waits for no further ones, in bytes: half of
/// what a pipe holds.
const MUCH: usize = 32 << 10;

/// Serves orders from standard input until it ends. What it must know is a
/// [`Duty`] in JSON.
///
/// The process ends when its parent does, even in the middle of a request: the
/// parent's death closes the pipe, and a thread that watches for just that
/// ends the process.
///
/// # Errors
/// Where the duty is none, the client is not a blocking one, or the pipes
/// break.
pub fn serve(duty: &str) -> io::Result<()> {
    std::thread::Builder::new()
        .name("parent-watch".to_owned())
        .spawn(exit_with_parent)?;
    let duty: Duty = serde_json::from_str(duty)?;
    let endpoint = Endpoint::resolve(&duty.url).map_err(io::Error::other)?;
    let target = Target::new(endpoint, duty.timeout).with_reuse(duty.reuse);
    let client = Client::named(&duty.client)
        .and_then(|client| client.blocking(&target, 1))
        .ok_or_else(|| io::Error::other(format!("`{}` is not a blocking client", duty.client)))??;
    let mut caller = BlockingCaller::new(client(), Arc::new(duty.handling), duty.timeout);

    let mut orders = BufReader::new(io::stdin());
    let mut reports = Reports::new(target)?;
    reports.write()?;
    while let Some(order) = wire::read::<Order>(&mut orders)? {
        let request = Request {
            index: order.index,
            target: order.target,
            expires: order.left.map(|left| Instant::now() + left),
        };
        let begun = Instant::now();
        let call = caller.call(&request);
        reports.add(call, begun.elapsed());
        // What was ordered together is reported together.
        if orders.buffer().is_empty() || reports.are_due() {
            reports.write()?;
        }
    }
    Ok(())
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
}

impl Reports {
    fn new(target: Target) -> io::Result<Self> {
        Ok(Self {
            output: File::from(io::stdout().as_fd().try_clone_to_owned()?),
            target,
            told: Traffic::default(),
            done: Vec::new(),
            waiting: Default::default(),
        })
    }

    fn add(&mut self, call: Call, took: Duration) {
        self.waiting.0 += took;
        self.waiting.1 += call.result.as_ref().map_or(0, |answer| answer.body.len());
        self.done.push(Done { call, took });
    }

    /// Whether they should wait no longer for others.
    fn are_due(&self) -> bool {
        self.waiting.0 >= AHEAD || self.waiting.1 >= MUCH
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
