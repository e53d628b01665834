//! `fanout compare`: the same batch through every strategy.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mock_server::duration;
use mock_server::profile::Knobs;

use super::options::{Answers, Axes, Failing, For, UNKEPT, parse_table};
use super::output::{Format, print_summary, say_written, tell};
use super::progress::Progress;
use super::refine;
use super::sampling::Options;
use super::target::{Expectation, Target};
use super::values::{parse_name, parse_requests, parse_workers};
use super::{CliError, descriptors, program, signals};
use crate::analysis::Summary;
use crate::analysis::summary::Row;
use crate::client::Client;
use crate::measure::{self, Plan, Session, SessionError, Sweep, discontinued, receipt};
use crate::record::{self, Ending, Record, Sampling, Writer};
use crate::report::files::{self, Made, Scratch};
use crate::report::{self, units};
use crate::secrets;
use crate::strategy::Catalogue;
use crate::workload::{Bundled, Source, Table};

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// Your own server [default: the bundled one]
    ///
    /// Origin, or URL with the placeholders {index} (0, 1, …), {type} (materials, then
    /// products) and {id} (0, 1, … within each type). An origin alone gets the paths
    /// of the inventory API. Unless specified, the bundled server runs in a process of its own.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,

    /// Strategies [default: all]
    ///
    /// `fanout list` names them.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = parse_name)]
    strategies: Vec<String>,

    /// HTTP clients [default: each strategy's own]
    ///
    /// Each strategy runs with each of these that goes with it. A strategy's own client
    /// is the first that `fanout list` names. Without --strategies, thread-pool and
    /// tokio also run with reqwest.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = parse_name)]
    clients: Vec<String>,

    /// Worker counts [default: 1 to 100, then refined]
    ///
    /// Most requests in flight at once. Unless specified, the sweep begins with
    /// 1,2,3,5,10,20,50,100 (1,2,5,10,20 where --url is not on this machine). It adds
    /// counts between them that could change the recommendation, then samples again the
    /// cells that the recommendation rests on.
    #[arg(long, value_delimiter = ',', value_name = "N,…", value_parser = parse_workers,
        allow_hyphen_values = true)]
    workers: Vec<usize>,

    /// What requests ask for
    ///
    /// inventory: small records. users: a list of fifty. files: 20.6 kB each, saved.
    /// records: a row of --table each. squares: CPU work alone, without a server.
    #[arg(long, value_name = "NAME", value_parser = Bundled::named, default_value = "inventory",
          conflicts_with = "url")]
    pub(super) workload: &'static Bundled,

    /// Requests in the batch [default: 100]
    ///
    /// With --table, as many as it has rows unless specified.
    #[arg(long, value_name = "N", value_parser = parse_requests, allow_hyphen_values = true)]
    requests: Option<usize>,

    /// Service time, as 200ms or 1.5s [default: 200ms]
    ///
    /// Fixed service time of the bundled server, from 0. With --profile, it replaces the
    /// profile's. With --url, the fixed service time that your server is known to have;
    /// unless specified, the fastest response is the estimate.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(super) delay: Option<Duration>,

    /// Behaviour of the bundled server, by name or file
    ///
    /// Presets (`fanout serve --list-profiles`) or TOML files. Each of several is
    /// measured.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = parse_name,
          conflicts_with = "url")]
    profile: Vec<String>,

    /// Table of parameters, a row per request
    ///
    /// CSV file with a line of names, or JSON array of objects (.json). For --workload
    /// records, or for the placeholders {column} of --url.
    #[arg(long, value_name = "FILE", value_parser = parse_table, hide_short_help = true)]
    pub(super) table: Option<Arc<Table>>,

    /// One key of every profile, as rate_limit.rate=50; can be repeated
    #[arg(
        long = "set",
        value_name = "KEY=VALUE",
        conflicts_with = "url",
        hide_short_help = true
    )]
    pub(super) settings: Vec<String>,

    #[command(flatten)]
    pub(super) knobs: Knobs,

    /// Seed of the bundled server's records
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub(super) seed: u64,

    /// Check of each response, with --url
    ///
    /// status: 200 to 299. json: a JSON body as well. inventory: an inventory record
    /// with the right id. Unless specified, the strictest that the first and the last
    /// response of the batch meet.
    #[arg(
        long,
        value_enum,
        requires = "url",
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub(super) expect: Option<Expectation>,

    /// Parameter of the URL whose value is hidden; can be repeated
    ///
    /// Its value is neither printed nor recorded. Known ones (api_key, token,
    /// signature, …) are hidden without it.
    #[arg(long, value_name = "NAME", requires = "url", hide_short_help = true)]
    secret: Vec<String>,

    /// Run once (cold) or repeated (warm)
    ///
    /// once: the batch runs once, so building the strategy counts, and the cold runtime
    /// is judged. repeated: the strategy stays built, and the warm runtime is judged.
    #[arg(
        long = "for",
        value_enum,
        value_name = "PURPOSE",
        default_value = "once",
        hide_possible_values = true
    )]
    purpose: For,

    /// Directory of the report
    ///
    /// It gets the record (record.jsonl) and all that is drawn from it.
    #[arg(long, value_name = "DIR", default_value = "results/latest")]
    pub(super) out: PathBuf,

    /// table, json, csv or markdown
    ///
    /// Form in which the summary is printed to standard output.
    #[arg(long, value_enum, default_value = "table", hide_possible_values = true)]
    format: Format,

    #[command(flatten)]
    sampling: Options,

    #[command(flatten)]
    axes: Axes,

    #[command(flatten)]
    pub(super) failing: Failing,

    #[command(flatten)]
    pub(super) answers: Answers,
}

impl Args {
    /// The profiles asked for, each once.
    pub(super) fn profiles(&self) -> Vec<String> {
        let mut profiles: Vec<String> = Vec::new();
        for profile in &self.profile {
            if !profiles.contains(profile) {
                profiles.push(profile.clone());
            }
        }
        profiles
    }

    /// The worker counts of a sweep for which none are named.
    fn counts(&self) -> refine::Counts {
        refine::Counts::of(self.url.as_deref())
    }

    /// The worker counts that the sweep begins with.
    fn workers(&self) -> Vec<usize> {
        match self.workers.as_slice() {
            [] => self.counts().first.to_vec(),
            asked => asked.to_vec(),
        }
    }

    /// Requests in the batch.
    ///
    /// # Errors
    /// Where the table has fewer rows.
    pub(super) fn requests(&self) -> Result<usize, CliError> {
        match (self.requests, &self.table) {
            (None, None) => Ok(REQUESTS),
            (None, Some(table)) => Ok(table.rows()),
            (Some(asked), Some(table)) if asked > table.rows() => Err(CliError::new(format_args!(
                "--requests {asked} exceeds the {} rows of the table (one request per row); lower it",
                table.rows()
            ))),
            (Some(asked), _) => Ok(asked),
        }
    }

    /// The clients to use; none for each strategy's own.
    ///
    /// # Errors
    /// Where one is not known, or does not go with the workload.
    fn clients(&self, catalogue: &Catalogue) -> Result<Vec<Client>, CliError> {
        let local = self.url.is_none() && self.workload.source == Source::Local;
        let named = self.clients.iter().map(|name| catalogue.client(name));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        match named.iter().find(|client| client.is_http() == local) {
            None if local => Ok(vec![Client::LOCAL]),
            None => Ok(named),
            Some(client) if local => Err(CliError::new(format_args!(
                "client {client} makes HTTP requests, and workload {} needs none; leave out --clients",
                self.workload.name
            ))),
            Some(client) => Err(CliError::new(format_args!(
                "client {client} makes no requests; it needs --workload squares"
            ))),
        }
    }
}

/// Requests in a batch, unless another number is asked for.
const REQUESTS: usize = 100;

const EXAMPLES: &str = "\
Examples:
  fanout compare                                  full sweep, bundled server
  fanout compare --time 10m                       until medians are within 0.5 %
  fanout compare --workers 3,20 --samples 5 --strategies tokio,rayon
  fanout compare --url http://127.0.0.1:3000      your inventory server
  fanout compare --url 'http://127.0.0.1:8080/items/{index}' --delay 80ms
  fanout compare --table ids.csv --url 'http://127.0.0.1:8080/?id={id}'
  fanout compare --profile steady,long-tail       which strategy wins where
  fanout compare --workload files --delay 20ms    downloads of 20.6 kB, saved
  fanout compare --dispatch queue,chunked         what waiting for groups costs
  fanout compare --reuse session,per-request      what a kept connection saves
  fanout compare --cpu 500us --workers 2,20       responses that take work
  fanout compare --workload squares --cpu 1ms     CPU work alone
  fanout compare --delay 20ms --format json > summary.json

Cells are sampled in random order, each once before any twice. Samples that leave the \
machine idle run side by side, the longest first.

Lower bound of a cell with one service time: ceil(requests / workers) times that.

Ctrl-C stops after cleaning up; what was measured is kept and reported.";

pub(super) fn run(args: &Args, catalogue: &Catalogue) -> Result<ExitCode, CliError> {
    secrets::name(&args.secret);
    let plan = Plan::sweep(
        catalogue,
        &Sweep {
            strategies: args.strategies.clone(),
            clients: args.clients(catalogue)?,
            dispatches: args.axes.dispatch.clone(),
            reuses: args.axes.reuse.clone(),
            runtime_threads: args.axes.runtime_threads.clone(),
            processes: args.axes.processes.clone(),
            workers: args.workers(),
            requests: args.requests()?,
            samples: args.sampling.samples().unwrap_or(1),
        },
    )?
    .for_profiles(&args.profiles());
    let mut sampling = args.sampling.sampling(args.url.is_some());
    let saves = args.url.is_none() && args.workload.saves || args.answers.saves();
    descriptors::allow(catalogue, &plan, sampling.lanes, saves)?;
    // Tried before a server is asked, and gone again: it may never have a file.
    drop(Made::directory(&args.out)?);
    let program = program()?;
    let target = Target::of(args, catalogue, &plan, &program)?;
    sampling.wake_s = Some(measure::wake_up().as_secs_f64());
    let _made = Made::directory(&args.out)?;
    let mut writer = begin_record(args, catalogue, &plan, &target, &sampling)?;
    // Nobody else writes here while the record is this session's.
    let scratch = Scratch::cleared(args.out.join(UNKEPT));
    // From here on there is something to keep.
    let stop = signals::stop(&args.out)?;
    if args.url.is_some() {
        tell(format_args!(
            "{}\n",
            announced(&plan, sampling.samples, &target, args)
        ));
    }
    let mut progress = Progress::new(sampling.samples.is_some());
    let session = Session {
        plan,
        sampling: &sampling,
        purpose: args.purpose.into(),
        targets: target.measured,
        program: &program,
        stop: &stop,
    };
    let samples = sampling.samples.unwrap_or(1);
    // Where worker counts are named, no others are measured, and none again.
    let searches = args.workers.is_empty();
    let mut further = refine::Further {
        catalogue,
        dir: &args.out,
        samples,
        counts: args.counts(),
        waves: if searches { refine::WAVES } else { 0 },
        confirms: searches,
    };
    let ran = session.run(&mut writer, &mut progress, &mut || further.next());
    drop(scratch);
    progress.clear();
    conclude(args, writer, ran)
}

/// How many requests a server of the user's own is about to get.
fn announced(plan: &Plan, samples: Option<u32>, target: &Target, args: &Args) -> String {
    let one_each: u64 = plan.cells.iter().map(|cell| cell.requests as u64).sum();
    let requests = plan.cells.first().map_or(0, |cell| cell.requests as u64);
    let total = one_each * u64::from(samples.unwrap_or(1));
    let url = target
        .servers
        .first()
        .map_or("", |server| server.url.as_str());
    let host = url.split('/').nth(2).unwrap_or(url);
    let host = host.rsplit('@').next().unwrap_or(host);
    let more = match (samples, args.workers.is_empty()) {
        (None, _) => ", and more until --time is up",
        (_, true) => ", plus the worker counts and samples that the sweep adds",
        (_, false) => "",
    };
    format!(
        "{} × {} × {} = {} to {host}{more}",
        units::counted(plan.cells.len() as u64, "cell"),
        units::counted(samples.unwrap_or(1).into(), "sample"),
        units::counted(requests, "request"),
        units::counted(total, "request"),
    )
}

fn begin_record(
    args: &Args,
    catalogue: &Catalogue,
    plan: &Plan,
    target: &Target,
    sampling: &Sampling,
) -> Result<Writer, CliError> {
    let mut servers = target.servers.iter().cloned();
    let first = servers.next();
    let first = first.ok_or_else(|| CliError::new("no server to measure"))?;
    let session = record::Session {
        version: record::VERSION,
        started_at: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
        command: command_line(),
        receipt: receipt(),
        server: first,
        others: servers.collect(),
        verified: target.verified(),
        timeout_s: args.failing.timeout.as_secs_f64(),
        conditions: target.conditions.clone(),
        purpose: args.purpose.into(),
        sampling: Some(sampling.clone()),
        planned: plan.cells.clone(),
        max_failures: args.failing.max_failures,
        discontinued: discontinued(catalogue, plan),
        notes: plan.notes.iter().chain(&target.notes).cloned().collect(),
    };
    let writer = Writer::create(&args.out, &session).map_err(|source| {
        CliError::new(files::WriteError {
            path: args.out.join(record::PARTIAL_NAME),
            source,
        })
    })?;
    if let Some(earlier) = writer.set_aside() {
        tell(format_args!(
            "an earlier session here did not finish; `fanout report --partial {} --out DIR` reports \
             its samples\n",
            earlier.display()
        ));
    }
    Ok(writer)
}

/// Puts the record in its place, and shows what was measured, whatever cut the
/// session short, unless it is the record itself that cannot be written.
fn conclude(
    args: &Args,
    writer: Writer,
    ran: Result<Ending, SessionError>,
) -> Result<ExitCode, CliError> {
    if let Err(error @ SessionError::Record(_)) = ran {
        return Err(error.into());
    }
    if writer.samples() == 0 {
        writer.discard()?;
        ran?;
        tell(format_args!(
            "stopped before the first sample; {} is unchanged\n",
            args.out.display()
        ));
        return Ok(ExitCode::from(signals::INTERRUPTED));
    }
    let ending = *ran.as_ref().unwrap_or(&Ending::Interrupted);
    writer.finish(ending).map_err(SessionError::Record)?;
    let path = args.out.join(record::FILE_NAME);
    let record = Record::read(&path)?;
    let summary = Summary::of(&record);
    drop(record);
    // The record stands: what cannot be drawn here can be told, and drawn elsewhere.
    let written = report::write_session(&summary, &args.out);
    match print_summary(&summary, args.format) {
        // What the session came to does not depend on who reads of it.
        Err(error) if !error.is_reader_gone() => return Err(error),
        _ => {}
    }
    let written = written.map_err(|error| {
        CliError::new(format_args!(
            "{error}; the record is complete in {}; write the report elsewhere with `fanout report {} --out DIR`",
            path.display(),
            args.out.display()
        ))
    })?;
    say_written(&args.out, [vec![path], written].concat().as_slice());
    match ran? {
        // Failures are rows, and may be what was to be measured.
        Ending::Complete if summary.best_row().is_some() => {
            if summary.rows.iter().any(Row::every_request_succeeded) {
                return Ok(ExitCode::SUCCESS);
            }
            tell(format_args!(
                "every cell had failed requests; the table has the causes\n"
            ));
            Ok(ExitCode::SUCCESS)
        }
        Ending::Complete => Err(CliError::new(
            "no request got a valid response; the table has the causes",
        )),
        Ending::Interrupted | Ending::CutOff => {
            tell(format_args!("stopped; the samples until then are kept\n"));
            Ok(ExitCode::from(signals::INTERRUPTED))
        }
    }
}

/// The command as it was typed, for the record; the program by its name alone.
fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(|word| {
        let word = word.to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/=@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    std::iter::once("fanout".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Args, EXAMPLES};
    use crate::measure::Behaviour;

    #[derive(Parser)]
    struct Compare {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn every_example_of_the_help_is_understood() {
        let examples = EXAMPLES
            .lines()
            .filter_map(|line| line.strip_prefix("  fanout "))
            .filter_map(|line| line.split("  ").next());
        let mut seen = 0;
        for example in examples {
            let words = example.split(" > ").next().unwrap_or_default();
            // A table that is not there cannot be read.
            let words = words.replace("--table ids.csv ", "").replace('\'', "");
            let compare = Compare::try_parse_from(words.split_whitespace());
            let compare = compare.unwrap_or_else(|error| panic!("{example}: {error}"));
            for profile in compare.args.profiles() {
                Behaviour::of(Some(&profile), None, &[], 1)
                    .unwrap_or_else(|error| panic!("{example}: {error}"));
            }
            seen += 1;
        }
        assert!(seen > 8, "{seen}");
    }
}
