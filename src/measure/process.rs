//! A sample in a process of its own: how it is asked for, and how it answers.
//!
//! The job goes in as one line of JSON; what comes back is a line for each bit
//! of progress, and one for the end. The process ends when its parent does, or
//! when the parent gives it up.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::pauses::Pauses;
use super::sample::{Job, run};
use super::saved::remove_in_use;
use crate::record::{Measurement, SampleResult};
use crate::strategy::{Catalogue, without_runtime_variables};

/// The hidden command that makes a program take one sample; it has no arguments.
pub const SAMPLE_VERB: &str = "sample-process";

/// How much longer than one request may take a sample may go without an
/// outcome before it is given up: building many workers takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Message {
    /// Outcomes so far.
    Progress(u64),
    /// The end.
    Measured(Box<Measurement>),
    /// There is no measurement.
    Error(String),
}

/// Takes the sample that standard input asks for, and tells it on standard
/// output.
///
/// # Errors
/// Where the two cannot be read and written, or hold no job.
pub fn serve_sample(catalogue: &Catalogue, worker_program: &Path) -> io::Result<()> {
    // What a panic says is in the sample's error; twice would be noise.
    std::panic::set_hook(Box::new(|_| {}));
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line)?;
    let unkept = job.terms.handling.save.clone();
    let unkept = unkept
        .filter(|_| !job.terms.keeps_files)
        .map(|save| save.dir);
    std::thread::Builder::new()
        .name("parent-watch".to_owned())
        .spawn(move || {
            // Nothing more is ever said: this returns when the parent is gone.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            if let Some(dir) = unkept {
                remove_in_use(&dir);
            }
            std::process::exit(0);
        })?;
    let entry = catalogue
        .named(&job.cell.strategy)
        .map_err(io::Error::other)?;
    let result = run(&job, entry, worker_program, |collector| {
        let collector = Arc::downgrade(collector);
        // Progress is a courtesy: without a thread for it the sample goes on.
        let _ = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || {
                let mut pauses = Pauses::default();
                loop {
                    std::thread::sleep(pauses.draw());
                    let Some(collector) = collector.upgrade() else {
                        return;
                    };
                    if say(&Message::Progress(collector.arrived())).is_err() {
                        return;
                    }
                }
            });
    });
    say(&match result {
        Ok(measurement) => Message::Measured(Box::new(measurement)),
        Err(error) => Message::Error(error),
    })
}

fn say(message: &Message) -> io::Result<()> {
    // One lock for the whole line: the progress thread speaks as well. A
    // million outcomes are not put together in memory first.
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer(&mut stdout, message)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// A sample's process as its parent holds it. It is ended, with the processes
/// that it started, when this is dropped.
pub(super) struct SampleProcess {
    child: Child,
    messages: Receiver<io::Result<Message>>,
    /// How long it may go without an outcome.
    patience: Duration,
    /// How it ended, once it has.
    ended: Option<String>,
}

/// Longest that a process which has closed its output may take to end by itself.
const ENDING: Duration = Duration::from_secs(1);

impl SampleProcess {
    /// Starts a process of a program that has the hidden command.
    pub(super) fn start(program: &Path, job: &Job) -> io::Result<Self> {
        let mut child = without_runtime_variables(&mut Command::new(program))
            .arg(SAMPLE_VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own: Ctrl-C at the terminal is for the parent to
            // act on, and the whole group can be ended at once.
            .process_group(0)
            .spawn()?;
        let stdout = child.stdout.take();
        let (sender, messages) = channel();
        let mut process = Self {
            child,
            messages,
            patience: PATIENCE + job.terms.longest_silence(job.cell.workers),
            ended: None,
        };
        if let Some(stdin) = &mut process.child.stdin {
            serde_json::to_writer(&mut *stdin, job)?;
            stdin.write_all(b"\n")?;
        }
        let stdout = stdout.ok_or_else(|| io::Error::other("no pipe"))?;
        std::thread::Builder::new()
            .name("sample-reader".to_owned())
            .spawn(move || {
                for line in BufReader::new(stdout).lines() {
                    let message = line.and_then(|line| Ok(serde_json::from_str(&line)?));
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            })?;
        Ok(process)
    }

    /// Its id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end, and tells of progress on the way. `None` where it was
    /// stopped before.
    pub(super) fn result(
        &mut self,
        stopped: impl Fn() -> bool,
        mut progress: impl FnMut(u64),
    ) -> Option<SampleResult> {
        let mut outcomes_before = 0;
        let mut silence = Silence::default();
        let mut pauses = Pauses::default();
        loop {
            if stopped() {
                return None;
            }
            let (pause, begun) = (pauses.draw(), Instant::now());
            let message = self.messages.recv_timeout(pause);
            silence.waited(pause, begun.elapsed());
            match message {
                Ok(Ok(Message::Progress(outcomes))) => {
                    if outcomes > outcomes_before {
                        (outcomes_before, silence) = (outcomes, Silence::default());
                    }
                    progress(outcomes);
                }
                Ok(Ok(Message::Measured(measurement))) => {
                    return Some(SampleResult::Measured(measurement));
                }
                Ok(Ok(Message::Error(error))) => return Some(SampleResult::Error(error)),
                Ok(Err(error)) => {
                    let error = format!("the sample's process cannot be understood: {error}");
                    return Some(SampleResult::Error(error));
                }
                // Only what has nothing to say is given up.
                Err(RecvTimeoutError::Timeout) if silence.0 > self.patience => {
                    let error = format!("no request ended for {:?}: given up", self.patience);
                    return Some(SampleResult::Error(error));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.ended.is_none() && !matches!(self.child.try_wait(), Ok(None)) {
                        // What it started may hold its output open, and what it
                        // said may still be on its way: it is read to its end.
                        self.end();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    // It closes its output a moment before it can be waited for, and
                    // killed then it would seem to have been killed.
                    let begun = Instant::now();
                    while begun.elapsed() < ENDING && matches!(self.child.try_wait(), Ok(None)) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    let ended = self.end();
                    let error = format!("the sample's process ended without a result ({ended})");
                    return Some(SampleResult::Error(error));
                }
            }
        }
    }
}

/// How long a sample has had no outcome while somebody listened. A session that
/// was suspended heard nothing, and that is not the sample's silence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Silence(Duration);

impl Silence {
    /// Longest that a wait may take beyond what was asked, on a busy machine.
    const LATE: Duration = Duration::from_secs(2);

    /// A wait that was to take so long took so long.
    fn waited(&mut self, asked: Duration, took: Duration) {
        self.0 += took.min(asked + Self::LATE);
    }
}

impl SampleProcess {
    /// Ends the process and what it started, and says how it ended.
    fn end(&mut self) -> &str {
        let child = &mut self.child;
        // Once only: later its group's number may be another's.
        self.ended.get_or_insert_with(|| {
            if let Ok(group) = i32::try_from(child.id()) {
                // It fails where all of them have ended, which is as well.
                let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
            }
            match child.wait() {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            }
        })
    }
}

impl Drop for SampleProcess {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Silence;

    #[test]
    fn a_suspension_is_no_silence() {
        let mut silence = Silence::default();
        let half = Duration::from_millis(500);
        silence.waited(half, half);
        // Stopped for an hour.
        silence.waited(half, Duration::from_secs(3600));
        assert_eq!(silence.0, 2 * half + Silence::LATE);
        for _ in 0..100 {
            silence.waited(half, half);
        }
        assert!(silence.0 > Duration::from_secs(50));
    }
}
