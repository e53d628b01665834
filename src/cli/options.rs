//! Options of `fanout compare` for requests and responses, in groups.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mock_server::duration;

use super::CliError;
use super::values::{parse_share, parse_size};
use crate::client::{Retry, Reuse, Save, Work};
use crate::record::Purpose;
use crate::strategy::Dispatch;
use crate::workload::Table;

/// Axes beside strategy, client and workers.
#[derive(clap::Args)]
#[command(next_help_heading = "How requests are made")]
pub(super) struct Axes {
    /// Order in which work reaches workers [default: queue]
    ///
    /// queue: a free worker takes the next request (sliding window). chunked: fixed-size
    /// groups, each after the one before. unbounded: all requests at once.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = parse_dispatch,
          hide_short_help = true)]
    pub(super) dispatch: Vec<Dispatch>,

    /// Connections: session or per-request [default: session]
    ///
    /// session: connections are kept. per-request: each request opens a new one.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = parse_reuse,
          hide_short_help = true)]
    pub(super) reuse: Vec<Reuse>,

    /// Threads of the runtimes of tokio and smol [default: as many as cores]
    ///
    /// 0 for the calling thread alone.
    #[arg(long, value_delimiter = ',', value_name = "N,…", value_parser = parse_threads,
          allow_hyphen_values = true, hide_short_help = true)]
    pub(super) runtime_threads: Vec<usize>,

    /// Processes of multiprocess [default: a process per worker]
    ///
    /// Its workers are spread over them, with a thread per worker in each.
    #[arg(long, value_delimiter = ',', value_name = "P,…", value_parser = parse_processes,
          allow_hyphen_values = true, hide_short_help = true)]
    pub(super) processes: Vec<usize>,
}

/// Handling of failed requests.
#[derive(clap::Args)]
#[command(next_help_heading = "When requests fail")]
pub(super) struct Failing {
    /// Time limit of one attempt of a request
    #[arg(long, value_name = "TIME", value_parser = duration::parse_positive, default_value = "30s",
          allow_hyphen_values = true, hide_short_help = true)]
    pub(super) timeout: Duration,

    /// Deadline for the whole batch; unfinished requests fail
    #[arg(long, value_name = "TIME", value_parser = duration::parse_positive,
          allow_hyphen_values = true, hide_short_help = true)]
    pub(super) deadline: Option<Duration>,

    /// Memory for bodies of responses, as 1GiB; a body that does not fit fails
    ///
    /// All bodies that a process holds at one time count, those of up to 64 KiB aside.
    /// Each process of multiprocess has the share of its workers.
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "256MiB",
          allow_hyphen_values = true, hide_short_help = true)]
    pub(super) body_limit: u64,

    /// Retries of a request
    ///
    /// After a connection that failed or broke, a timeout, or a status 408, 425, 429,
    /// 500, 502, 503 or 504.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000),
          default_value = "0", allow_hyphen_values = true, hide_short_help = true)]
    retries: u32,

    /// Initial backoff ceiling (full jitter); doubles per retry
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "100ms",
          requires = "retries", allow_hyphen_values = true, hide_short_help = true)]
    retry_base: Duration,

    /// Highest backoff ceiling, and the longest Retry-After that is honoured
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "30s",
          requires = "retries", allow_hyphen_values = true, hide_short_help = true)]
    retry_cap: Duration,

    /// Share of requests that may fail in a recommended cell, as 1%
    ///
    /// Unless specified, no more than in the best cells, as far as chance explains it.
    #[arg(long, value_name = "SHARE", value_parser = parse_share, allow_hyphen_values = true,
          hide_short_help = true)]
    pub(super) max_failures: Option<f64>,
}

/// Purpose of a batch.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum For {
    /// A batch that is run once: building its strategy counts
    Once,
    /// A batch that is run again and again on a strategy that stays built
    Repeated,
}

impl From<For> for Purpose {
    fn from(purpose: For) -> Self {
        match purpose {
            For::Once => Self::Once,
            For::Repeated => Self::Repeated,
        }
    }
}

impl Failing {
    pub(super) fn retry(&self) -> Retry {
        Retry {
            retries: self.retries,
            base: self.retry_base,
            cap: self.retry_cap,
        }
    }
}

/// Handling of responses.
#[derive(clap::Args)]
#[command(next_help_heading = "What happens to responses")]
pub(super) struct Answers {
    /// Order in which outcomes are handed on: as-completed or in-order
    ///
    /// in-order is the order of the requests.
    #[arg(
        long,
        value_enum,
        value_name = "ORDER",
        default_value = "as-completed",
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub(super) results: Results,

    /// CPU time spent on each response, as 500us
    ///
    /// It is parsed and hashed as often as that takes, calibrated on this machine before
    /// anything is measured.
    #[arg(long, value_name = "TIME", value_parser = parse_cpu, allow_hyphen_values = true,
          hide_short_help = true)]
    cpu: Option<Duration>,

    /// Save each body as a file, check it and remove it
    ///
    /// --workload files always does.
    #[arg(long, hide_short_help = true)]
    save: bool,

    /// Flush each file to the disk before its request is done
    #[arg(long, hide_short_help = true)]
    pub(super) fsync: bool,

    /// Keep saved files, in OUT/files
    #[arg(long, hide_short_help = true)]
    pub(super) keep_files: bool,
}

/// The order in which outcomes are handed on.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Results {
    /// As they complete
    AsCompleted,
    /// In the order of their requests
    InOrder,
}

/// Directory of files that are not kept, below the report's: whatever is there is left
/// over.
pub(super) const UNKEPT: &str = "files.partial";

impl Answers {
    /// Saving of bodies, if any: in a directory below that of the report.
    ///
    /// # Errors
    /// Options are about files that are not saved, or kept files of an earlier run are in
    /// the way.
    pub(super) fn saving(&self, always: bool, out: &Path) -> Result<Option<Save>, CliError> {
        if self.save || always {
            let out = std::path::absolute(out)?;
            let dir = if self.keep_files {
                let kept = out.join("files");
                refuse_kept(&kept)?;
                kept
            } else {
                out.join(UNKEPT)
            };
            return Ok(Some(Save {
                dir,
                fsync: self.fsync,
            }));
        }
        let idle = [("--fsync", self.fsync), ("--keep-files", self.keep_files)];
        match idle.iter().find(|(_, given)| *given) {
            None => Ok(None),
            Some((option, _)) => Err(CliError::new(format_args!(
                "{option} has no effect without --save or --workload files"
            ))),
        }
    }

    /// Tests whether --save was given.
    pub(super) fn saves(&self) -> bool {
        self.save
    }

    /// The work on each response, calibrated on one, and the time that it takes.
    pub(super) fn work(&self, body: &[u8]) -> (Work, Duration) {
        Work::calibrate(body, self.cpu.unwrap_or_default())
    }

    /// Tests whether responses are worked on.
    pub(super) fn works(&self) -> bool {
        self.cpu.is_some_and(|cpu| !cpu.is_zero())
    }
}

/// Refuses a directory with files that an earlier run kept: nothing is written among
/// them, and none is removed.
fn refuse_kept(dir: &Path) -> Result<(), CliError> {
    let is_directory =
        |entry: std::io::Result<std::fs::DirEntry>| entry.is_ok_and(|entry| entry.path().is_dir());
    if std::fs::read_dir(dir).is_ok_and(|entries| entries.into_iter().any(is_directory)) {
        return Err(CliError::new(format_args!(
            "{} holds files that an earlier run kept; move or remove them, or name another \
             directory with --out",
            dir.display()
        )));
    }
    Ok(())
}

/// A table of parameters, named on the command line.
pub(super) fn parse_table(path: &str) -> Result<Arc<Table>, String> {
    let table = Table::read(&PathBuf::from(path));
    table.map(Arc::new).map_err(|error| error.to_string())
}

fn parse_dispatch(text: &str) -> Result<Dispatch, String> {
    Dispatch::named(text.trim()).ok_or_else(|| expected(Dispatch::ALL.map(Dispatch::name)))
}

fn parse_reuse(text: &str) -> Result<Reuse, String> {
    Reuse::named(text.trim()).ok_or_else(|| expected(Reuse::ALL.map(Reuse::name)))
}

fn expected<const N: usize>(names: [&str; N]) -> String {
    format!("expected one of {}", names.join(", "))
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(threads) if threads <= 1024 => Ok(threads),
        _ => {
            Err("expected a whole number from 0 to 1024, as in --runtime-threads 0,1,2".to_owned())
        }
    }
}

fn parse_processes(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(processes @ 1..=100_000) => Ok(processes),
        _ => Err("expected a whole number from 1 to 100000, as in --processes 2,4".to_owned()),
    }
}

fn parse_cpu(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        cpu if cpu > Duration::from_secs(10) => {
            Err("expected at most 10s of CPU time per response, as 500us".to_owned())
        }
        cpu => Ok(cpu),
    }
}
