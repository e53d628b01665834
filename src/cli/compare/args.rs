//! Options of `fanout compare`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mock_server::duration;
use mock_server::profile::Knobs;

use super::refine;
use super::sampling::Options;
use crate::cli::CliError;
use crate::cli::options::{Answers, Axes, Failing, For, parse_table};
use crate::cli::output::Format;
use crate::cli::values::{parse_name, parse_requests, parse_workers};
use crate::client::Client;
use crate::strategy::Catalogue;
use crate::workload::{Bundled, Expect, Source, Table};

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
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
    pub(super) strategies: Vec<String>,

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
    pub(super) workers: Vec<usize>,

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
    pub(super) secret: Vec<String>,

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
    pub(super) purpose: For,

    /// Directory of the report
    ///
    /// It gets the record (record.jsonl) and all that is drawn from it.
    #[arg(long, value_name = "DIR", default_value = "results/latest")]
    pub(super) out: PathBuf,

    /// Every cell in the table, as in summary.md
    ///
    /// Otherwise, in a long table, those of the recommended worker count, and the fastest
    /// of every other.
    #[arg(long, hide_short_help = true)]
    pub(super) all: bool,

    /// table, json, csv or markdown
    ///
    /// Form in which the summary is printed to standard output.
    #[arg(long, value_enum, default_value = "table", hide_possible_values = true)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) sampling: Options,

    #[command(flatten)]
    pub(super) axes: Axes,

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
    pub(super) fn counts(&self) -> refine::Counts {
        refine::Counts::of(self.url.as_deref())
    }

    /// The worker counts that the sweep begins with.
    pub(super) fn workers(&self) -> Vec<usize> {
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
    pub(super) fn clients(&self, catalogue: &Catalogue) -> Result<Vec<Client>, CliError> {
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

/// What an answer must be to count, as one says it on the command line.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Expectation {
    /// Status 2xx
    Status,
    /// Status 2xx and a JSON body
    Json,
    /// An inventory record with the id asked for
    Inventory,
}

impl From<Expectation> for Expect {
    fn from(expectation: Expectation) -> Self {
        match expectation {
            Expectation::Status => Self::Status,
            Expectation::Json => Self::Json,
            Expectation::Inventory => Self::Inventory,
        }
    }
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
