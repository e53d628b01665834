//! One worker process as its parent holds it: the process and its two pipes.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mio::unix::pipe::{Receiver, Sender};
use mio::{Interest, Registry, Token};

use super::wire::{self, Duty, Orders, Report};
use super::worker::VERB;
use crate::strategy::{Setup, without_runtime_variables};
use crate::workload::Gets;

/// Longest that a process which has closed its output may take to end by itself.
const ENDING: Duration = Duration::from_secs(1);

/// A worker process. It is ended, and waited for, when this is dropped.
pub(super) struct WorkerProcess {
    child: Child,
    orders: Sender,
    reports: Receiver,
    /// Bytes of orders that were not written yet.
    unsent: Vec<u8>,
    received: Vec<u8>,
    /// Whether it has said that it is ready.
    pub(super) ready: bool,
    pub(super) started: Instant,
}

impl WorkerProcess {
    /// Starts the process, and has the poll watch its pipes under one token.
    pub(super) fn spawn(
        setup: &Setup,
        workers: usize,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let duty = serde_json::to_string(&Duty {
            endpoint: setup.target.endpoint.clone(),
            client: setup.client.name().to_owned(),
            timeout: setup.target.timeout,
            reuse: setup.target.reuse,
            // The share of its workers.
            body_limit: setup.target.body_limit() / setup.workers.max(1) as u64 * workers as u64,
            handling: setup.handling.as_ref().clone(),
            workers,
            expected: setup.expected.as_deref().map(Gets::for_checks),
        })?;
        let mut child = without_runtime_variables(&mut Command::new(&setup.worker_program))
            .arg(VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| io::Error::other("no pipes"))?;
        let mut process = Self {
            child,
            orders: Sender::from(stdin),
            reports: Receiver::from(stdout),
            unsent: Vec::new(),
            received: Vec::new(),
            ready: false,
            started: Instant::now(),
        };
        process.orders.set_nonblocking(true)?;
        process.reports.set_nonblocking(true)?;
        registry.register(&mut process.orders, token, Interest::WRITABLE)?;
        registry.register(&mut process.reports, token, Interest::READABLE)?;
        wire::encode(&duty, &mut process.unsent)?;
        // A process that has ended already says how when its reports are read.
        let _ = process.write();
        Ok(process)
    }

    /// The process's id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Puts orders with those that are written next.
    pub(super) fn add(&mut self, orders: &Orders) -> io::Result<()> {
        wire::encode(orders, &mut self.unsent)
    }

    /// Writes the orders that were added, as far as the pipe has room.
    pub(super) fn write(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.orders.write(&self.unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what the pipe holds, and takes the whole reports from it.
    ///
    /// # Errors
    /// Beside the reports: `UnexpectedEof` where the process has closed its end,
    /// and whatever else says that no more can come.
    pub(super) fn reports(&mut self) -> (Vec<Report>, io::Result<()>) {
        let open = self.fill();
        let (reports, sound) = wire::decode(&mut self.received);
        (reports, sound.and(open))
    }

    /// Reads until the pipe is empty, as the poll tells of new bytes only.
    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.reports.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How the process ended that has closed its output. It does so a moment before
    /// it can be waited for, and killed then it would seem to have been killed.
    pub(super) fn ended(&mut self) -> String {
        let begun = Instant::now();
        while begun.elapsed() < ENDING && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.end()
    }

    /// Ends the process if it still runs, and says how it ended.
    pub(super) fn end(&mut self) -> String {
        // It fails where the process has ended already.
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => format!("worker process {} ended ({status})", self.child.id()),
            Err(error) => format!("worker process {} is lost ({error})", self.child.id()),
        }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.end();
    }
}
