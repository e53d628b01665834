//! Whom `fanout compare` measures against: the bundled server, or a URL.

use std::path::Path;
use std::time::Duration;

use mock_server::profile::Profile;

use super::CliError;
use super::compare::Args;
use super::probe::probe;
use crate::measure::{Behaviour, ServerProcess, Witness};
use crate::record;
use crate::request::Endpoint;
use crate::workload::{Expect, Gets, Template};

/// The service time of the bundled server, unless another is asked for.
const DELAY: Duration = Duration::from_millis(200);

/// Whom a session measures against.
pub(super) struct Target {
    pub(super) server: record::Server,
    /// The origin.
    pub(super) url: String,
    pub(super) workload: Gets,
    /// The bundled server; it runs for as long as this is held.
    pub(super) witness: Option<Witness>,
    pub(super) notes: Vec<String>,
}

impl Target {
    /// Starts the bundled server, or looks at the URL that was named.
    ///
    /// # Errors
    /// Where the profile or the URL is wrong, or nothing answers.
    pub(super) fn of(args: &Args, program: &Path) -> Result<Self, CliError> {
        match &args.url {
            None => Self::bundled(args, program),
            Some(url) => Self::named(args, url),
        }
    }

    fn bundled(args: &Args, program: &Path) -> Result<Self, CliError> {
        let behaviour = Behaviour {
            profile: args.profile.clone(),
            delay: args.delay.or(args.profile.is_none().then_some(DELAY)),
            settings: args.knobs.and(&args.settings),
            seed: args.seed,
        };
        let profile = behaviour.resolve().map_err(CliError::new)?;
        let process = ServerProcess::start(program, &behaviour)?;
        let url = process.url().to_owned();
        let expect = args.workload.expect(args.seed, &profile);
        let template = args.workload.template()?;
        let limits = limits(&profile, &expect);
        let workload = Gets::new(template.clone(), args.requests, expect);
        let (mean, longest) = workload.service_times(|route, id| {
            let time = &profile.service_time;
            time.of_first(args.seed, route, &id.to_string())
        });
        Ok(Self {
            server: record::Server {
                kind: record::ServerKind::Bundled,
                url: format!("{url}{template}"),
                service_s: Some(mean),
                longest_s: longest,
                profile: args.profile.clone(),
                limits,
            },
            workload,
            witness: Some(Witness::new(process)),
            notes: Vec::new(),
            url,
        })
    }

    fn named(args: &Args, url: &str) -> Result<Self, CliError> {
        if let Some(setting) = args.knobs.and(&[]).first() {
            return Err(CliError::new(format_args!(
                "`{setting}` describes the bundled server, and {url} is not it: leave out one of the two"
            )));
        }
        let template = Template::of_url(url)?;
        let endpoint = Endpoint::resolve(url)?;
        let insisted = args.expect.map(Expect::from);
        let probe = probe(&endpoint, &template, args.requests, args.timeout, insisted)?;
        Ok(Self {
            server: record::Server {
                kind: record::ServerKind::Url,
                url: format!("{endpoint}{template}"),
                service_s: args.delay.map(|delay| delay.as_secs_f64()),
                longest_s: None,
                profile: None,
                limits: record::Limits::default(),
            },
            url: endpoint.to_string(),
            workload: Gets::new(template, args.requests, probe.expect),
            witness: None,
            notes: probe.note.into_iter().collect(),
        })
    }
}

/// What a profile says of the server's limits. Of the size of an answer only a
/// file's is known before.
fn limits(profile: &Profile, expect: &Expect) -> record::Limits {
    let pacing = &profile.pacing;
    let link = match expect {
        Expect::File { size, .. } => Some(record::Link {
            answer_bytes: *size as u64,
            connection_bytes_per_s: pacing.bytes_per_second,
            total_bytes_per_s: pacing.total_bytes_per_second,
        }),
        _ => None,
    };
    record::Limits {
        rate: profile.rate_limit.map(|limit| record::RateLimit {
            per_s: limit.rate,
            burst: u64::from(limit.burst),
        }),
        capacity: profile.capacity.map(|capacity| capacity.servers as usize),
        link: link.filter(|_| *pacing != Default::default()),
        slows: profile.load.is_some()
            || profile.warm_up.is_some()
            || profile.connections != Default::default()
            || *pacing != Default::default(),
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
