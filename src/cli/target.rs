//! Whom `fanout compare` measures against: the bundled server, a URL, or nobody
//! where a batch is CPU work alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mock_server::profile::Profile;

use super::compare::Args;
use super::options::Results;
use super::{CliError, limits, probe};
use crate::client::Handling;
use crate::measure::{Behaviour, ServerProcess, Terms, Witness};
use crate::record::{self, Conditions};
use crate::request::Endpoint;
use crate::workload::{Expect, Gets, Source, Table, Template};

/// The service time of the bundled server, unless another is asked for.
const DELAY: Duration = Duration::from_millis(200);

/// Whom a session measures against, and on what terms.
pub(super) struct Target {
    pub(super) server: record::Server,
    pub(super) terms: Terms,
    pub(super) conditions: Conditions,
    /// The bundled server; it runs for as long as this is held.
    pub(super) witness: Option<Witness>,
    pub(super) notes: Vec<String>,
}

impl Target {
    /// Starts the bundled server, or looks at the URL that was named, and
    /// calibrates the work on each answer with one of its answers.
    ///
    /// # Errors
    /// Where the profile or the URL is wrong, or nothing answers.
    pub(super) fn of(args: &Args, program: &Path) -> Result<Self, CliError> {
        let mut target = match &args.url {
            Some(url) => Self::named(args, url)?,
            None => match args.workload.source {
                Source::Local => Self::local(args)?,
                Source::Server | Source::Table => Self::bundled(args, program)?,
            },
        };
        if args.answers.works() {
            let body = probe::an_answer(&target.terms)?;
            let (work, took) = args.answers.work(&body);
            target.terms.handling.work = work;
            target.conditions.cpu_per_answer_s = took.as_secs_f64();
        }
        Ok(target)
    }

    fn new(
        args: &Args,
        server: record::Server,
        url: &str,
        workload: Gets,
    ) -> Result<Self, CliError> {
        let named = args.url.is_none();
        let saves = named && args.workload.saves;
        let save = args.answers.saving(saves, &args.out)?;
        let retry = args.failing.retry();
        let in_order = args.answers.results == Results::InOrder;
        let conditions = Conditions {
            workload: if named { args.workload.name } else { "" }.to_owned(),
            in_order,
            deadline_s: args.failing.deadline.map(|deadline| deadline.as_secs_f64()),
            retries: retry.retries,
            cpu_per_answer_s: 0.0,
            saved: save.is_some(),
            fsync: save.as_ref().is_some_and(|save| save.fsync),
        };
        let terms = Terms {
            deadline: args.failing.deadline,
            in_order,
            handling: Handling {
                retry,
                save,
                ..Handling::default()
            },
            keeps_files: args.answers.keep_files,
            ..Terms::new(workload, url, args.failing.timeout)
        };
        Ok(Self {
            server,
            terms,
            conditions,
            witness: None,
            notes: Vec::new(),
        })
    }

    /// A batch that needs no server.
    fn local(args: &Args) -> Result<Self, CliError> {
        let described = [
            ("--delay", args.delay.is_some()),
            ("--profile", args.profile.is_some()),
            (
                "--set or a flag of the profile",
                !args.knobs.and(&args.settings).is_empty(),
            ),
        ];
        if let Some((option, _)) = described.iter().find(|(_, given)| *given) {
            return Err(CliError::new(format_args!(
                "{option} describes the bundled server, and workload {} has none: leave out one of the two",
                args.workload.name
            )));
        }
        let expect = args.workload.expect(args.seed, &Profile::default());
        let workload = Gets::new(args.workload.template(None)?, args.requests()?, expect);
        let server = record::Server {
            kind: record::ServerKind::Local,
            url: String::new(),
            service_s: Some(0.0),
            longest_s: None,
            profile: None,
            limits: record::Limits::default(),
        };
        // Nothing is ever sent there.
        Self::new(args, server, "http://127.0.0.1", workload)
    }

    fn bundled(args: &Args, program: &Path) -> Result<Self, CliError> {
        let table = bundled_table(args)?;
        let behaviour = Behaviour {
            profile: args.profile.clone(),
            delay: args.delay.or(args.profile.is_none().then_some(DELAY)),
            settings: args.knobs.and(&args.settings),
            seed: args.seed,
        };
        let profile = behaviour.resolve().map_err(CliError::new)?;
        let template = args.workload.template(table.as_deref())?;
        let expect = args.workload.expect(args.seed, &profile);
        let limits = limits::of(&profile, &expect);
        let workload = Gets::new(template.clone(), args.requests()?, expect).with_table(table);
        let (mean, longest) = workload.service_times(|route, id| {
            let time = &profile.service_time;
            time.of_first(args.seed, route, &id.to_string())
        });
        let process = ServerProcess::start(program, &behaviour)?;
        let url = process.url().to_owned();
        let server = record::Server {
            kind: record::ServerKind::Bundled,
            url: format!("{url}{template}"),
            service_s: Some(mean),
            longest_s: longest,
            profile: args.profile.clone(),
            limits,
        };
        Ok(Self {
            witness: Some(Witness::new(process)),
            ..Self::new(args, server, &url, workload)?
        })
    }

    fn named(args: &Args, url: &str) -> Result<Self, CliError> {
        if let Some(setting) = args.knobs.and(&[]).first() {
            return Err(CliError::new(format_args!(
                "`{setting}` describes the bundled server, and {url} is not it: leave out one of the two"
            )));
        }
        let template = Template::of_url(url)?;
        template.fits(args.table.as_deref())?;
        let endpoint = Endpoint::resolve(url)?;
        let judge = |expect| {
            let batch = Gets::new(template.clone(), args.requests()?, expect);
            Ok::<_, CliError>(batch.with_table(args.table.clone()))
        };
        let insisted = args.expect.map(Expect::from);
        let probe = probe::probe(&endpoint, &template, &judge, args.failing.timeout, insisted)?;
        let server = record::Server {
            kind: record::ServerKind::Url,
            url: format!("{endpoint}{template}"),
            service_s: args.delay.map(|delay| delay.as_secs_f64()),
            longest_s: None,
            profile: None,
            limits: record::Limits::default(),
        };
        let workload = judge(probe.expect)?;
        Ok(Self {
            notes: probe.note.into_iter().collect(),
            ..Self::new(args, server, &endpoint.to_string(), workload)?
        })
    }
}

/// The table, where the workload takes one.
fn bundled_table(args: &Args) -> Result<Option<Arc<Table>>, CliError> {
    match (args.workload.source, &args.table) {
        (Source::Table, None) => Err(CliError::new(
            "workload records needs a table: add --table FILE (CSV with a line of names, or JSON)",
        )),
        (Source::Table, Some(table)) => Ok(Some(Arc::clone(table))),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(CliError::new(format_args!(
            "workload {} has no use for --table: add --workload records, or --url with places for \
             its columns",
            args.workload.name
        ))),
    }
}

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
