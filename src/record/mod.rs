//! The record: everything measured in one session, and the only door between
//! the wing that measures and the wing that understands.
//!
//! On disk a record is `record.jsonl`: one JSON object a line, the session
//! first, then a line a sample as it was measured, and a closing line. Units
//! are the machine's: seconds as floats, bytes as integers. A reader needs
//! nothing but this file.

mod file;
mod limits;
mod sampling;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::file::{ReadError, Writer};
pub use self::limits::{Limits, Link, RateLimit};
pub use self::sampling::{MachineUse, Sampling, Taken};

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
    /// How often and in which order cells were sampled; `None` where another
    /// program decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// What a reader should know about this session: workers that a strategy
    /// could not use, a check that had to be loosened.
    #[serde(default)]
    pub notes: Vec<String>,
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
    /// The bundled server's profile by name; `None` for a fixed delay.
    #[serde(default)]
    pub profile: Option<String>,
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

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}", self.strategy, self.client)?;
        match self.runtime_threads {
            None => {}
            Some(0) => write!(f, " on the calling thread")?,
            Some(1) => write!(f, " on 1 runtime thread")?,
            Some(threads) => write!(f, " on {threads} runtime threads")?,
        }
        for (value, usual) in [(&self.dispatch, "queue"), (&self.reuse, "session")] {
            if value != usual {
                write!(f, ", {value}")?;
            }
        }
        f.write_str(", w=")?;
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

impl Session {
    /// The server that a cell was measured against.
    pub fn server_of(&self, cell: &Cell) -> &Server {
        let named = |server: &&Server| server.profile == cell.profile;
        match cell.profile {
            Some(_) => self.others.iter().find(named).unwrap_or(&self.server),
            None => &self.server,
        }
    }

    /// The servers of a session, that of the first profile first.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        std::iter::once(&self.server).chain(&self.others)
    }
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

/// What one run of a batch measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// From the start of the run to its last outcome, in seconds.
    pub warm_s: f64,
    /// The same with building the strategy (threads, runtimes, processes,
    /// connections), in seconds.
    pub cold_s: f64,
    /// Requests answered as the batch expects.
    pub ok: u64,
    /// Requests that ended otherwise, by kind. `ok` and these add up to the
    /// cell's requests.
    pub failures: Vec<FailureCount>,
    /// User and system CPU time of the strategy and its processes, from
    /// before building to after teardown, in seconds.
    pub cpu_s: f64,
    /// The part of it that was spent in the program's own code.
    #[serde(default)]
    pub user_s: f64,
    /// The part of it that was spent in the kernel.
    #[serde(default)]
    pub system_s: f64,
    /// How often a thread gave up its core to wait for something.
    #[serde(default)]
    pub voluntary_switches: u64,
    /// How often a thread had to leave its core to another.
    #[serde(default)]
    pub involuntary_switches: u64,
    /// Peak resident memory of the sample's process and, added to it, of the
    /// strategy's processes; 0 where the system does not tell.
    pub peak_rss_bytes: u64,
    /// Operating-system threads while the batch ran, the calling one and those
    /// of the strategy's processes included, the harness's own not; 0 where
    /// the system does not tell.
    pub threads: u64,
    /// Processes that the strategy started.
    pub processes: u64,
    /// Connections opened.
    pub connections: u64,
    /// Time that requests waited for a connection to open, all of them added
    /// up, in seconds; connections opened while building are not in it.
    #[serde(default)]
    pub connecting_s: f64,
    /// Bytes sent on its connections; `None` where the client does not tell.
    #[serde(default)]
    pub bytes_sent: Option<u64>,
    /// Bytes received on them.
    #[serde(default)]
    pub bytes_received: Option<u64>,
    /// The threads that made the requests.
    #[serde(default)]
    pub doers: Vec<Doer>,
    /// The most requests that were seen in flight at once.
    pub most_in_flight: u64,
    /// The bundled server's account of the run; `None` for a server of the
    /// user's own.
    #[serde(default)]
    pub server: Option<ServerAccount>,
    /// Attempts that failed and were followed by another.
    #[serde(default)]
    pub retried: Retried,
    /// Each request's times, in the order in which they ended.
    pub outcomes: Outcomes,
}

/// A thread that made requests, and how many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doer {
    /// The worker, from 0. A task that moves between threads has several.
    pub worker: u32,
    /// The process's id.
    pub process: u32,
    /// The thread's id; the process's id for its first thread.
    pub thread: u32,
    /// Requests that it ended.
    pub requests: u64,
}

/// Attempts that failed and were followed by another, in columns of equal
/// length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retried {
    /// The request's place in the batch, from 0.
    pub index: Vec<u32>,
    /// The attempt's start, in seconds from the start of the request.
    pub started_s: Vec<f64>,
    /// From the attempt's start to its failure, in seconds.
    pub latency_s: Vec<f64>,
    /// How it failed, by the name of the kind.
    pub kind: Vec<String>,
}

/// What the bundled server spent on a run, so that its part can be told from
/// the client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerAccount {
    /// CPU time of its process while the sample's process ran, in seconds; 0
    /// where the system does not tell.
    pub cpu_s: f64,
    /// The share of its serving threads' time that this is of the cold runtime:
    /// near 1, the server is the limit.
    pub busy: f64,
    /// How late it answered, beyond the service time: the median, in seconds.
    pub lateness_p50_s: f64,
    /// The same: the 99th percentile.
    pub lateness_p99_s: f64,
    /// The same: the mean.
    #[serde(default)]
    pub lateness_mean_s: f64,
    /// How long its behaviour held a request up beyond the drawn service time:
    /// waiting for capacity, slowed down under load, a body at its pace. The
    /// mean over the requests that it completed, in seconds.
    #[serde(default)]
    pub held_mean_s: f64,
}

impl Measurement {
    /// Requests that did not end as the batch expects.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|failure| failure.count).sum()
    }
}

/// How many requests failed in one way, and the first of them in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCount {
    /// `connect`, `timeout`, `status`, `body`, `decode` or `worker-lost`.
    pub kind: String,
    /// How many requests ended so.
    pub count: u64,
    /// What the first of them said.
    pub example: String,
}

/// The times of a batch's requests, in columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// The request's place in the batch, from 0.
    pub index: Vec<u32>,
    /// The worker that made it, from 0.
    pub worker: Vec<u32>,
    /// Its start, in seconds from the start of the run.
    pub started_s: Vec<f64>,
    /// From its start to its outcome, in seconds.
    pub latency_s: Vec<f64>,
    /// Whether it ended as the batch expects.
    pub ok: Vec<bool>,
    /// The requests that did not, and why.
    #[serde(default)]
    pub failed: Failed,
}

/// The requests of a batch that failed, in columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The request's place in the batch, from 0.
    pub index: Vec<u32>,
    /// How it failed, by the name of the kind.
    pub kind: Vec<String>,
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
