//! The record: everything measured in one session, and the only door between
//! the wing that measures and the wing that understands.
//!
//! On disk a record is `record.jsonl`: one JSON object a line, the session
//! first, then a line a sample as it was measured, and a closing line. Units
//! are the machine's: seconds as floats, bytes as integers. A reader needs
//! nothing but this file.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
    /// The server that answered.
    pub server: Server,
    /// What a right answer was, in words: how the answers were verified.
    pub verified: String,
    /// The longest that one request may take, in seconds.
    pub timeout_s: f64,
    /// What a reader should know about this session: workers that a strategy
    /// could not use, a check that had to be loosened.
    #[serde(default)]
    pub notes: Vec<String>,
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
}

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// The mock server that comes with fanout, in a process of its own.
    Bundled,
    /// A server that the user named.
    Url,
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
    /// Workers asked for.
    pub workers: usize,
    /// Workers that the strategy can use of those: 1 for `sequential`,
    /// whatever is asked.
    pub workers_usable: usize,
    /// Requests in the batch.
    pub requests: usize,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}, w=", self.strategy, self.client)?;
        if self.workers_usable < self.workers {
            write!(f, "{} of ", self.workers_usable)?;
        }
        write!(f, "{}", self.workers)
    }
}

/// One run of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What was run.
    pub cell: Cell,
    /// The round of the session that it belongs to, from 0.
    pub round: u32,
    /// What came of it.
    pub result: SampleResult,
}

/// A run of a cell ends in a measurement, or in the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleResult {
    /// The batch ran, and every request is accounted for.
    Measured(Measurement),
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
    /// The most requests that were seen in flight at once.
    pub most_in_flight: u64,
    /// The bundled server's account of the run; `None` for a server of the
    /// user's own.
    #[serde(default)]
    pub server: Option<ServerAccount>,
    /// Each request's times, in the order in which they ended.
    pub outcomes: Outcomes,
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

/// One line of the file. Tagged from outside: serde holds the whole of an
/// internally tagged value in memory before it knows the type, which for a
/// sample of a million outcomes is much.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Session(Session),
    Sample(Sample),
    End(Ending),
}

/// The only part of a first line that every version keeps.
#[derive(Deserialize)]
struct Header {
    session: HeaderVersion,
}

#[derive(Deserialize)]
struct HeaderVersion {
    version: u32,
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file, or it may not be read.
    #[error("cannot read {}: {source}; {}", path.display(), way_to_a_record(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first line is not a session of any version.
    #[error("{} is not a fanout record: its first line should be a JSON object with a \"session\" and its version ({detail})", path.display())]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A later fanout wrote it.
    #[error("{} has format version {found}, and this fanout {} reads up to {VERSION}: use a newer fanout, or measure again with this one", path.display(), env!("CARGO_PKG_VERSION"))]
    Future {
        /// The file.
        path: PathBuf,
        /// The version that it names.
        found: u32,
    },
    /// A line in the middle is not what it should be.
    #[error("{}, line {line}: {detail}; the file was changed or damaged: measure again, or restore it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What was wrong with it.
        detail: String,
    },
    /// The file ends before its closing line.
    #[error("{} is cut off after line {line}: {samples} whole samples stand before that; `fanout report --partial {}` draws those, or measure again", path.display(), directory(path))]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The last whole line, from 1.
        line: usize,
        /// The samples up to there.
        samples: usize,
    },
}

/// The directory that a record stands in, as one would type it.
fn directory(path: &Path) -> std::path::Display<'_> {
    path.parent().unwrap_or(Path::new(".")).display()
}

fn way_to_a_record(path: &Path) -> String {
    let unfinished = path.with_file_name(PARTIAL_NAME);
    if unfinished != path && unfinished.exists() {
        let dir = directory(path);
        format!("an unfinished record is there: `fanout report --partial {dir}` draws it")
    } else {
        "a record is made by `fanout compare --out DIR`".to_owned()
    }
}

impl Record {
    /// Reads a whole record.
    ///
    /// # Errors
    /// Where the file cannot be read, is of a later version, is damaged, or is
    /// cut off before its closing line.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let (record, lines) = Self::read_lines(path)?;
        if record.ending == Ending::CutOff {
            return Err(ReadError::CutOff {
                path: path.to_owned(),
                line: lines,
                samples: record.samples.len(),
            });
        }
        Ok(record)
    }

    /// Reads what is whole of a record that was cut off.
    ///
    /// # Errors
    /// As [`Record::read`], but for a missing end.
    pub fn read_partial(path: &Path) -> Result<Self, ReadError> {
        Self::read_lines(path).map(|(record, _)| record)
    }

    fn read_lines(path: &Path) -> Result<(Self, usize), ReadError> {
        let open = |source| ReadError::Open {
            path: path.to_owned(),
            source,
        };
        let damaged = |line, detail: &dyn fmt::Display| ReadError::Damaged {
            path: path.to_owned(),
            line,
            detail: detail.to_string(),
        };
        let mut reader = io::BufReader::new(std::fs::File::open(path).map_err(open)?);
        let mut text = String::new();
        reader.read_line(&mut text).map_err(open)?;
        let mut record = Self {
            session: read_session(path, &text)?,
            samples: Vec::new(),
            ending: Ending::CutOff,
        };
        let mut number = 1;
        loop {
            text.clear();
            reader.read_line(&mut text).map_err(open)?;
            // A line without its newline is the one that was being written.
            if !text.ends_with('\n') {
                return Ok((record, number));
            }
            number += 1;
            match serde_json::from_str(&text).map_err(|error| damaged(number, &error))? {
                Line::Sample(sample) => record.samples.push(sample),
                Line::End(ending) => {
                    record.ending = ending;
                    return Ok((record, number));
                }
                Line::Session(_) => return Err(damaged(number, &"a second session")),
            }
        }
    }
}

fn read_session(path: &Path, text: &str) -> Result<Session, ReadError> {
    let not_a_record = |error: &dyn fmt::Display| ReadError::NotARecord {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let header: Header = serde_json::from_str(text).map_err(|error| not_a_record(&error))?;
    if header.session.version > VERSION {
        return Err(ReadError::Future {
            path: path.to_owned(),
            found: header.session.version,
        });
    }
    match serde_json::from_str(text).map_err(|error| not_a_record(&error))? {
        Line::Session(session) => Ok(session),
        Line::Sample(_) | Line::End(_) => Err(not_a_record(&"another line")),
    }
}

/// Writes a record line by line, as it comes to be.
///
/// The lines go to a file of their own beside the final one, which takes its
/// place when the session ends: a record that stands is whole, and an older one
/// is kept until then.
#[derive(Debug)]
pub struct Writer {
    file: io::BufWriter<std::fs::File>,
    partial: PathBuf,
    path: PathBuf,
    samples: usize,
}

impl Writer {
    /// Begins a record in a directory that exists.
    ///
    /// # Errors
    /// Where the directory cannot be written, or another session is writing a
    /// record there.
    pub fn create(dir: &Path, session: &Session) -> io::Result<Self> {
        let partial = dir.join(PARTIAL_NAME);
        let file = std::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&partial)?;
        // The lock ends with the process, however that ends.
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another fanout is writing a record there",
            ),
            std::fs::TryLockError::Error(error) => error,
        })?;
        file.set_len(0)?;
        let mut writer = Self {
            file: io::BufWriter::new(file),
            partial,
            path: dir.join(FILE_NAME),
            samples: 0,
        };
        writer.line(&Line::Session(session.clone()))?;
        Ok(writer)
    }

    /// Adds a sample, and hands it to the system before it returns.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn sample(&mut self, sample: Sample) -> io::Result<()> {
        self.line(&Line::Sample(sample))?;
        self.samples += 1;
        Ok(())
    }

    /// Samples written so far.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Gives the record up; an older one in its place stays as it is.
    ///
    /// # Errors
    /// Where the unfinished file cannot be removed.
    pub fn discard(self) -> io::Result<()> {
        std::fs::remove_file(&self.partial)
    }

    /// Closes the record and puts it in its place.
    ///
    /// # Errors
    /// Where it cannot be written or moved.
    pub fn finish(mut self, ending: Ending) -> io::Result<()> {
        self.line(&Line::End(ending))?;
        std::fs::rename(&self.partial, &self.path)
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")?;
        self.file.flush()
    }
}
