//! Whom `fanout compare` measures against: the bundled server, or a URL.

use std::path::Path;
use std::time::Duration;

use super::CliError;
use super::compare::Args;
use super::probe::probe;
use crate::measure::{self, Behaviour, Host, ServerProcess};
use crate::record;
use crate::request::Endpoint;
use crate::workload::{Expect, Gets, Template};

/// The service time of the bundled server, unless another is asked for.
const DELAY: Duration = Duration::from_millis(200);

/// Whom a session measures against.
pub(super) struct Target {
    /// What is said of each server.
    pub(super) servers: Vec<record::Server>,
    /// What cells are measured with, in the same order.
    pub(super) measured: Vec<measure::Target>,
    pub(super) notes: Vec<String>,
}

impl Target {
    /// Starts the bundled server, once for each profile, or looks at the URL
    /// that was named.
    ///
    /// # Errors
    /// Where a profile or the URL is wrong, or nothing answers.
    pub(super) fn of(args: &Args, program: &Path) -> Result<Self, CliError> {
        if let Some(url) = &args.url {
            return Self::named(args, url);
        }
        let profiles = args.profiles();
        // One by itself is not told apart from others.
        let mut behaviours = Vec::new();
        if profiles.len() < 2 {
            behaviours.push((None, Self::behaviour(args, profiles.first())));
        } else {
            let named = |name: &String| (Some(name.clone()), Self::behaviour(args, Some(name)));
            behaviours.extend(profiles.iter().map(named));
        }
        // What is wrong with the last is said before the first is started.
        for (_, behaviour) in &behaviours {
            behaviour.resolve().map_err(CliError::new)?;
        }
        let mut target = Self {
            servers: Vec::new(),
            measured: Vec::new(),
            notes: Vec::new(),
        };
        for (name, behaviour) in behaviours {
            target.add(args, name, behaviour, program)?;
        }
        Ok(target)
    }

    /// What a right answer is, in words.
    pub(super) fn verified(&self) -> String {
        let mut verified: Vec<String> = Vec::new();
        for target in &self.measured {
            let words = target.workload.expect().to_string();
            if !verified.contains(&words) {
                verified.push(words);
            }
        }
        verified.join("; or ")
    }

    fn behaviour(args: &Args, profile: Option<&String>) -> Behaviour {
        Behaviour {
            profile: profile.cloned(),
            delay: args.delay.or(profile.is_none().then_some(DELAY)),
            settings: args.knobs.and(&args.settings),
            seed: args.seed,
        }
    }

    /// Adds the bundled server behaving so.
    fn add(
        &mut self,
        args: &Args,
        name: Option<String>,
        behaviour: Behaviour,
        program: &Path,
    ) -> Result<(), CliError> {
        let profile = behaviour.resolve().map_err(CliError::new)?;
        let first = ServerProcess::start(program, &behaviour)?;
        let expect = args.workload.expect(args.seed, &profile);
        let template = args.workload.template()?;
        let workload = Gets::new(template.clone(), args.requests, expect);
        let (mean, longest) = workload.service_times(|route, id| {
            let time = &profile.service_time;
            time.of_first(args.seed, route, &id.to_string())
        });
        self.servers.push(record::Server {
            kind: record::ServerKind::Bundled,
            url: format!("{}{template}", first.url()),
            service_s: Some(mean),
            longest_s: longest,
            profile: behaviour.profile.clone(),
        });
        self.measured.push(measure::Target {
            profile: name,
            workload,
            service_s: Some((mean, longest.unwrap_or(mean))),
            host: Host::Bundled {
                behaviour: Box::new(behaviour),
                first,
            },
        });
        Ok(())
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
        let service_s = args.delay.map(|delay| delay.as_secs_f64());
        Ok(Self {
            servers: vec![record::Server {
                kind: record::ServerKind::Url,
                url: format!("{endpoint}{template}"),
                service_s,
                longest_s: None,
                profile: None,
            }],
            measured: vec![measure::Target {
                profile: None,
                workload: Gets::new(template, args.requests, probe.expect),
                service_s: service_s.map(|service| (service, service)),
                host: Host::Url(endpoint.to_string()),
            }],
            notes: probe.note.into_iter().collect(),
        })
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
