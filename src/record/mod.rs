//! The record: everything measured in one session, and the only door between
//! the wing that measures and the wing that understands.
//!
//! On disk a record is `record.jsonl`: one JSON object a line, the session
//! first, then a line a sample as it was measured, and a closing line. Units
//! are the machine's: seconds as floats, bytes as integers. A reader needs
//! nothing but this file.

mod file;
mod limits;
mod measurement;
mod sampling;
mod times;
mod writer;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::secrets::masked;

pub use self::file::ReadError;
pub use self::limits::{Limits, Link, RateLimit};
pub use self::measurement::{
    Doer, Failed, FailureCount, Measurement, Outcomes, Retried, ServerAccount,
};
pub use self::sampling::{MachineUse, Purpose, Sampling, Taken};
pub use self::times::ServiceTimes;
pub use self::writer::Writer;

/// The version of the format that this build writes, and the newest it reads.
pub const VERSION: u32 = 1;

/// The record's file name within an output directory.
pub const FILE_NAME: &str = "record.jsonl";

/// The name of a record that is being written, or was cut off while it was.
pub const PARTIAL_NAME: &str = "record.jsonl.partial";

/// Everything measured in one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What was asked, of which server, on which machine.
    pub session: Session,
    /// Every sample, in the order in which they were taken.
    pub samples: Vec<Sample>,
    /// How the session ended.
    pub ending: Ending,
}

/// What was asked, of which server, on which machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The format's version, [`VERSION`] when written by this build.
    pub version: u32,
    /// The time at which the session began, UTC, RFC 3339.
    pub started_at: String,
    /// How the session was asked for, as a command line.
    pub command: String,
    /// Where and with what it was measured.
    pub receipt: Receipt,
    /// The server that answered; with several profiles, that of the first.
    pub server: Server,
    /// With several profiles, the servers of the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Server>,
    /// What a right answer was, in words: how the answers were verified.
    pub verified: String,
    /// The longest that one attempt of a request may take, in seconds.
    pub timeout_s: f64,
    /// What else was the same for every cell.
    #[serde(default)]
    pub conditions: Conditions,
    /// What the batch is measured for: whether the cold or the warm runtime decides.
    #[serde(default)]
    pub purpose: Purpose,
    /// How often and in which order cells were sampled; `None` where another
    /// program decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// The share of requests that may fail in a cell that is advised; `None` where a
    /// cell is left out only for failing more than others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<f64>,
    /// The cells that the session began with, so that those without a sample are
    /// known; empty in records of earlier builds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<Cell>,
    /// Strategies in it that rest on what its maintainers have given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discontinued: Vec<Discontinued>,
    /// What a reader should know about this session: workers that a strategy
    /// could not use, a check that had to be loosened.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A strategy that rests on what its maintainers have given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discontinued {
    /// The strategy.
    pub strategy: String,
    /// What they name in its place.
    pub instead: String,
    /// The advisory that says so.
    pub advisory: String,
}

/// What every cell of a session was run under, beside the time limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// The workload's name; empty for a URL of the user's own.
    pub workload: String,
    /// How every client was set, in words; empty where none was needed.
    pub http: String,
    /// Whether outcomes were handed on in the order of their requests, rather
    /// than as they completed.
    pub in_order: bool,
    /// The longest that a whole batch may take, in seconds; `None` without end.
    pub deadline_s: Option<f64>,
    /// Bytes that the bodies of responses could take together; `None` where none were
    /// received, and in records of earlier builds, which read 64 MiB per body.
    pub body_limit_bytes: Option<u64>,
    /// How often a request that failed may be tried again.
    pub retries: u32,
    /// CPU time that each answer was worked on, in seconds, as calibrated; 0
    /// for none.
    pub cpu_per_answer_s: f64,
    /// Whether each answer's body was saved as a file.
    pub saved: bool,
    /// Whether each saved file was flushed to the disk before its request
    /// counted as done.
    pub fsync: bool,
}

/// The machine and the build behind a session's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The version of fanout.
    pub fanout: String,
    /// The source revision it was built from, `+changes` where the tree was
    /// not clean, `unknown` outside a checkout.
    pub revision: String,
    /// The compiler, as `rustc --version` prints it.
    pub rustc: String,
    /// The cargo profile: `release` or `debug`.
    pub profile: String,
    /// The operating system and architecture, such as `linux x86_64`.
    pub os: String,
    /// The kernel's release.
    pub kernel: String,
    /// The processor's model name.
    pub cpu: String,
    /// Processors that this process may use.
    pub cores: usize,
    /// The machine's memory in bytes; 0 where it could not be read.
    pub memory_bytes: u64,
}

/// The server that a session measured against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// `bundled`, or `url` for one that the user named.
    pub kind: ServerKind,
    /// The URL, or URL template, that requests went to.
    pub url: String,
    /// The mean service time of the batch's requests in seconds, where it is
    /// known: what the bundled server has for each of them, or what the user
    /// stated of their own server.
    pub service_s: Option<f64>,
    /// Where they differ, the longest of them in seconds; `None` where all are
    /// the same.
    #[serde(default)]
    pub longest_s: Option<f64>,
    /// Where they differ, the times themselves; `None` where all are the same,
    /// where they are not known, and in records of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<ServiceTimes>,
    /// The bundled server's profile by name; `None` for a fixed delay.
    #[serde(default)]
    pub profile: Option<String>,
    /// Of the bundled server, the digest of all that its profile says: each of its
    /// processes confirmed that it serves by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What limits it beyond the service time, as far as that is known.
    #[serde(default)]
    pub limits: Limits,
}

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// The mock server that comes with fanout, in a process of its own.
    Bundled,
    /// A server that the user named.
    Url,
    /// None: answers are computed where they are asked for.
    Local,
}

/// One setting to measure: strategy × client × dispatch × reuse × workers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The strategy's name in the catalogue.
    pub strategy: String,
    /// The client's name.
    pub client: String,
    /// The order in which work reaches workers.
    pub dispatch: String,
    /// `session` (a kept connection per worker) or `per-request`.
    pub reuse: String,
    /// Threads of the strategy's runtime, 0 for the calling thread alone; `None`
    /// where it was left to the strategy, or it has no runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_threads: Option<usize>,
    /// Processes that the workers were spread over; `None` where it was left to
    /// the strategy, or it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<usize>,
    /// Workers asked for.
    pub workers: usize,
    /// Workers that the strategy can use of those: 1 for `sequential`,
    /// whatever is asked.
    pub workers_usable: usize,
    /// Requests in the batch.
    pub requests: usize,
    /// The server's profile, where a session has several; the profile of its
    /// [`Server`] by the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

impl Cell {
    /// Its name without workers and profile.
    pub fn line(&self) -> String {
        let mut line = format!("{} + {}", self.strategy, self.client);
        match self.runtime_threads {
            None => {}
            Some(0) => line.push_str(" on the calling thread"),
            Some(1) => line.push_str(" on 1 runtime thread"),
            Some(threads) => line.push_str(&format!(" on {threads} runtime threads")),
        }
        match self.processes {
            None => {}
            Some(1) => line.push_str(" in 1 process"),
            Some(processes) => line.push_str(&format!(" in {processes} processes")),
        }
        for (value, usual) in [(&self.dispatch, "queue"), (&self.reuse, "session")] {
            if value != usual {
                line.push_str(&format!(", {value}"));
            }
        }
        line
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, w=", self.line())?;
        if self.workers_usable < self.workers {
            write!(f, "{} of ", self.workers_usable)?;
        }
        write!(f, "{}", self.workers)?;
        match &self.profile {
            Some(profile) => write!(f, ", {profile}"),
            None => Ok(()),
        }
    }
}

impl Cell {
    /// The same without its workers: what cells have in common that differ in those
    /// alone.
    pub(crate) fn without_workers(&self) -> Self {
        Self {
            workers: 0,
            workers_usable: 0,
            ..self.clone()
        }
    }
}

impl Session {
    /// The server that a cell was measured against.
    pub fn server_of(&self, cell: &Cell) -> &Server {
        let named = |server: &&Server| server.profile == cell.profile;
        match cell.profile {
            Some(_) => self.others.iter().find(named).unwrap_or(&self.server),
            None => &self.server,
        }
    }

    /// Whether a cell's strategy rests on what its maintainers have given up.
    pub fn is_discontinued(&self, cell: &Cell) -> bool {
        let mut discontinued = self.discontinued.iter();
        discontinued.any(|one| one.strategy == cell.strategy)
    }

    /// The servers of a session, that of the first profile first.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        std::iter::once(&self.server).chain(&self.others)
    }
}

/// The planned cells that a server was meant for.
fn planned_for(planned: &[Cell], server: &Server) -> Vec<Cell> {
    let planned = planned.iter();
    let its = planned.filter(|cell| cell.profile == server.profile);
    its.cloned().collect()
}

impl Record {
    /// The record as one of each profile that it holds, in the order in which
    /// they were asked for; itself where it holds one.
    pub fn by_profile(self) -> Vec<Self> {
        if self.session.others.is_empty() {
            return vec![self];
        }
        let Self {
            mut session,
            samples,
            ending,
        } = self;
        let others = std::mem::take(&mut session.others);
        let mut records: Vec<Self> = std::iter::once(session.server.clone())
            .chain(others)
            .map(|server| Self {
                session: Session {
                    planned: planned_for(&session.planned, &server),
                    server,
                    ..session.clone()
                },
                samples: Vec::new(),
                ending,
            })
            .collect();
        for sample in samples {
            let of = |record: &Self| record.session.server.profile == sample.cell.profile;
            // One of no profile is none of theirs, and stays with the first.
            let place = records.iter().position(of);
            records[place.unwrap_or(0)].samples.push(sample);
        }
        records
    }
}

/// One run of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What was run.
    pub cell: Cell,
    /// The round of the session that it belongs to, from 0.
    pub round: u32,
    /// When it was taken, beside what, and what the machine did besides.
    #[serde(default)]
    pub taken: Taken,
    /// What came of it.
    pub result: SampleResult,
}

impl Sample {
    /// Takes the secrets of URLs out of what failures say.
    fn mask(&mut self) {
        let mask = |text: &mut String| *text = masked(text).into_owned();
        match &mut self.result {
            SampleResult::Error(error) => mask(error),
            SampleResult::Measured(measured) => {
                let examples = measured.failures.iter_mut();
                examples.for_each(|failure| mask(&mut failure.example));
            }
        }
    }
}

/// A run of a cell ends in a measurement, or in the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleResult {
    /// The batch ran, and every request is accounted for.
    Measured(Box<Measurement>),
    /// The batch could not run, or its requests could not be accounted for.
    /// No time of such a sample counts.
    Error(String),
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Every sample that was planned was taken.
    Complete,
    /// The user stopped it; what was measured until then is whole.
    Interrupted,
    /// The closing line is missing: the file was cut off, and read with
    /// [`Record::read_partial`].
    CutOff,
}
