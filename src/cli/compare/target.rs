//! Server under test of `fanout compare`: the bundled one, a URL, or none where a batch
//! is CPU work alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mock_server::profile::Profile;

use super::args::Args;
use super::policy::{Headers, Policy};
use super::{limits, probe};
use crate::cli::CliError;
use crate::cli::options::Results;
use crate::cli::output::tell;
use crate::client::{self, Handling};
use crate::measure::{self, Behaviour, Plan, ServerProcess, Terms};
use crate::record::{self, Conditions};
use crate::request::Endpoint;
use crate::strategy::Catalogue;
use crate::workload::{Expect, Gets, Source, Table, Template, Workload};

/// Service time of the bundled server unless specified.
const DELAY: Duration = Duration::from_millis(200);

/// Server under test and request settings.
pub(super) struct Target {
    /// Record entries of the servers, at least one.
    pub(super) servers: Vec<record::Server>,
    /// Settings of the cells, in the same order.
    pub(super) measured: Vec<measure::Target>,
    pub(super) conditions: Conditions,
    pub(super) notes: Vec<String>,
}

impl Target {
    /// Starts the bundled server, once for each profile, or looks at the URL that
    /// was named, and calibrates the work on each answer with one of its answers.
    ///
    /// # Errors
    /// A profile or the URL is wrong, or nothing responds.
    pub(super) fn of(
        args: &Args,
        catalogue: &Catalogue,
        plan: &Plan,
        program: &Path,
    ) -> Result<Self, CliError> {
        let mut target = match &args.url {
            Some(url) => Self::named(args, probe::Way::of(catalogue, plan)?, url)?,
            None => match args.workload.source {
                Source::Local => Self::local(args)?,
                Source::Server | Source::Table => Self::bundled(args, program)?,
            },
        };
        if args.answers.works() {
            target.calibrate(args)?;
        }
        Ok(target)
    }

    /// Description of a valid response.
    pub(super) fn verified(&self) -> String {
        let mut verified: Vec<String> = Vec::new();
        for target in &self.measured {
            let words = target.terms.workload.expect().to_string();
            if !verified.contains(&words) {
                verified.push(words);
            }
        }
        verified.join("; or ")
    }

    /// Calibrates the work on an answer once: all profiles answer alike.
    fn calibrate(&mut self, args: &Args) -> Result<(), CliError> {
        let Some(first) = self.measured.first() else {
            return Ok(());
        };
        let body = probe::an_answer(&first.terms)?;
        let (work, took) = args.answers.work(&body);
        for target in &mut self.measured {
            target.terms.handling.work = work;
            target.cpu_per_answer_s = took.as_secs_f64();
        }
        self.conditions.cpu_per_answer_s = took.as_secs_f64();
        Ok(())
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
            http: if workload.needs_server() {
                client::SETTLED.to_owned()
            } else {
                String::new()
            },
            in_order,
            deadline_s: args.failing.deadline.map(|deadline| deadline.as_secs_f64()),
            retries: retry.retries,
            body_limit_bytes: workload.needs_server().then_some(args.failing.body_limit),
            cpu_per_answer_s: 0.0,
            saved: save.is_some(),
            fsync: save.as_ref().is_some_and(|save| save.fsync),
        };
        let terms = Terms {
            deadline: args.failing.deadline,
            body_limit: args.failing.body_limit,
            in_order,
            handling: Handling {
                retry,
                save,
                ..Handling::default()
            },
            keeps_files: args.answers.keep_files,
            ..Terms::new(workload, url, args.failing.timeout)
        };
        let longest = server.longest_s;
        Ok(Self {
            measured: vec![measure::Target {
                profile: None,
                terms,
                service_s: server.service_s.map(|mean| (mean, longest.unwrap_or(mean))),
                cpu_per_answer_s: 0.0,
                bundled: None,
            }],
            servers: vec![server],
            conditions,
            notes: Vec::new(),
        })
    }

    /// A batch that needs no server.
    fn local(args: &Args) -> Result<Self, CliError> {
        let described = [
            ("--delay", args.delay.is_some()),
            ("--profile", !args.profiles().is_empty()),
            (
                "--set or a profile option",
                !args.knobs.and(&args.settings).is_empty(),
            ),
        ];
        if let Some((option, _)) = described.iter().find(|(_, given)| *given) {
            return Err(CliError::new(format_args!(
                "{option} is for the bundled server, and workload {} needs no server; leave out one of them",
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
            times: None,
            profile: None,
            digest: None,
            limits: record::Limits::default(),
        };
        // Nothing is ever sent there.
        Self::new(args, server, "http://127.0.0.1", workload)
    }

    fn bundled(args: &Args, program: &Path) -> Result<Self, CliError> {
        let table = bundled_table(args)?;
        let profiles = args.profiles();
        // What is wrong with the last is said before the first is started.
        let behaviours = match profiles.as_slice() {
            [] => vec![behaviour(args, None)],
            profiles => {
                let of = |profile| behaviour(args, Some(profile));
                profiles.iter().map(of).collect()
            }
        };
        let behaviours = behaviours.into_iter().collect::<Result<Vec<_>, _>>();
        let behaviours = behaviours.map_err(CliError::new)?;
        let mut targets = Vec::with_capacity(behaviours.len());
        for behaviour in behaviours {
            targets.push(Self::behaving(args, program, table.clone(), behaviour)?);
        }
        let several = targets.len() > 1;
        let mut targets = targets.into_iter();
        let none = || CliError::new("no profile to measure");
        let mut all = targets.next().ok_or_else(none)?;
        for other in targets {
            all.servers.extend(other.servers);
            all.measured.extend(other.measured);
        }
        if args.delay.is_some() && !profiles.is_empty() {
            all.notes.push(format!(
                "--delay replaces the service time of {}",
                profiles.join(", ")
            ));
        }
        // One by itself need not be told from others.
        if several {
            for (target, server) in all.measured.iter_mut().zip(&all.servers) {
                target.profile.clone_from(&server.profile);
            }
        }
        Ok(all)
    }

    /// The bundled server, behaving so.
    fn behaving(
        args: &Args,
        program: &Path,
        table: Option<Arc<Table>>,
        behaviour: Behaviour,
    ) -> Result<Self, CliError> {
        let profile = behaviour.profile();
        let template = args.workload.template(table.as_deref())?;
        let expect = args.workload.expect(args.seed, profile);
        let limits = limits::of(profile, &expect);
        let workload = Gets::new(template.clone(), args.requests()?, expect).with_table(table);
        let drawn = || {
            workload.service_times(|route, id| {
                let time = &profile.service_time;
                time.of_first(args.seed, route, &id.to_string())
            })
        };
        let times = record::ServiceTimes::of(drawn());
        let longest = times.as_ref().map(|times| times.longest_first_s[0]);
        let mean = match longest {
            Some(_) => {
                let sum: f64 = drawn().map(|time| time.as_secs_f64()).sum();
                sum / workload.requests() as f64
            }
            None => drawn().next().unwrap_or_default().as_secs_f64(),
        };
        let first = ServerProcess::start(program, &behaviour)?;
        let url = first.url().to_owned();
        let server = record::Server {
            kind: record::ServerKind::Bundled,
            url: format!("{url}{template}"),
            service_s: Some(mean),
            longest_s: longest,
            times,
            profile: behaviour.name().map(str::to_owned),
            digest: Some(profile.digest()),
            limits,
        };
        let mut target = Self::new(args, server, &url, workload)?;
        if let Some(measured) = target.measured.first_mut() {
            measured.bundled = Some(measure::Bundled { behaviour, first });
        }
        Ok(target)
    }

    fn named(args: &Args, way: probe::Way, url: &str) -> Result<Self, CliError> {
        if let Some(setting) = args.knobs.and(&[]).first() {
            return Err(CliError::new(format_args!(
                "`{setting}` is for the bundled server, not for {url}; leave out one of them"
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
        let first = judge(Expect::Status)?.request(0);
        let headers = Headers::ask(&endpoint, &first, args.failing.timeout);
        let encoded = headers.encoding.as_ref().map(|encoding| {
            format!(
                "the server encodes bodies ({encoding}) although no request accepts it; they are not \
                 decoded, so they are not verified, and sizes are those of encoded bodies"
            )
        });
        if let Some(encoded) = &encoded {
            tell(format_args!("note: {encoded}\n"));
        }
        let probe = probe::probe(&endpoint, &template, &judge, &args.failing, insisted, way)?;
        let workload = judge(probe.expect)?;
        let policy = headers.policy(args.requests()?);
        let server = record::Server {
            kind: record::ServerKind::Url,
            url: format!("{endpoint}{template}"),
            service_s: args.delay.map(|delay| delay.as_secs_f64()),
            longest_s: None,
            times: None,
            profile: None,
            digest: None,
            limits: record::Limits {
                rate: policy.and_then(Policy::limit),
                ..record::Limits::default()
            },
        };
        Ok(Self {
            notes: probe
                .note
                .into_iter()
                .chain(policy.map(Policy::note))
                .chain(encoded)
                .collect(),
            ..Self::new(args, server, &endpoint.to_string(), workload)?
        })
    }
}

fn behaviour(args: &Args, profile: Option<&String>) -> Result<Behaviour, String> {
    Behaviour::of(
        profile.map(String::as_str),
        args.delay.or(profile.is_none().then_some(DELAY)),
        &args.knobs.and(&args.settings),
        args.seed,
    )
}

/// The table, where the workload takes one.
fn bundled_table(args: &Args) -> Result<Option<Arc<Table>>, CliError> {
    match (args.workload.source, &args.table) {
        (Source::Table, None) => Err(CliError::new(
            "workload records needs --table FILE (CSV with a header line, or JSON)",
        )),
        (Source::Table, Some(table)) => Ok(Some(Arc::clone(table))),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(CliError::new(format_args!(
            "--table has no effect on workload {}; add --workload records, or --url with placeholders \
             for its columns",
            args.workload.name
        ))),
    }
}
