//! The profile on the command line: a flag for every key that has one value.

use clap::{Arg, ArgMatches, Command};

/// A key, the kind of its value, and what it does.
struct Knob {
    key: &'static str,
    value: &'static str,
    help: &'static str,
}

const fn knob(key: &'static str, value: &'static str, help: &'static str) -> Knob {
    Knob { key, value, help }
}

/// In the order in which they are set: a kind before what it is made of.
const KNOBS: &[Knob] = &[
    knob(
        "service_time.kind",
        "KIND",
        "fixed, uniform, normal, exponential, lognormal, pareto, percentiles or trace",
    ),
    knob("service_time.time", "TIME", "Service time of kind fixed"),
    knob(
        "service_time.min",
        "TIME",
        "Least of kind uniform or pareto",
    ),
    knob("service_time.max", "TIME", "Most of kind uniform"),
    knob(
        "service_time.mean",
        "TIME",
        "Mean of kind normal or exponential",
    ),
    knob(
        "service_time.sd",
        "TIME",
        "Standard deviation of kind normal",
    ),
    knob("service_time.p50", "TIME", "Median of kind lognormal"),
    knob(
        "service_time.p99",
        "TIME",
        "99th percentile of kind lognormal",
    ),
    knob("service_time.shape", "NUMBER", "Shape of kind pareto"),
    knob(
        "service_time.points",
        "LIST",
        "Of kind percentiles, as [[0,\"5ms\"],[50,\"20ms\"],[100,\"1s\"]]",
    ),
    knob(
        "service_time.file",
        "FILE",
        "Of kind trace: a file with a recorded time a line",
    ),
    knob(
        "capacity.servers",
        "N",
        "Requests that are served at once; others wait",
    ),
    knob(
        "capacity.queue",
        "N",
        "Requests that may wait; beyond it the answer is 503",
    ),
    knob(
        "capacity.retry_after",
        "TIME",
        "What the 503 tells a client to wait",
    ),
    knob(
        "load.sigma",
        "NUMBER",
        "Contention, of the Universal Scalability Law",
    ),
    knob(
        "load.kappa",
        "NUMBER",
        "Coherence, of the Universal Scalability Law",
    ),
    knob(
        "rate_limit.rate",
        "NUMBER",
        "Requests admitted per second; beyond it the answer is 429",
    ),
    knob(
        "rate_limit.burst",
        "N",
        "Requests that may come at once: the size of the token bucket",
    ),
    knob(
        "connections.accept_delay",
        "TIME",
        "How long a new connection waits before it is read",
    ),
    knob("connections.max", "N", "Connections open at once"),
    knob(
        "connections.requests",
        "N",
        "Requests on one connection, then it is closed",
    ),
    knob(
        "connections.idle_timeout",
        "TIME",
        "How long a connection may be idle",
    ),
    knob(
        "body.file_size",
        "BYTES",
        "Size of the bodies of /files/{id}",
    ),
    knob(
        "body.chunk",
        "BYTES",
        "Bodies leave in pieces of this size, a gap apart",
    ),
    knob("body.gap", "TIME", "Time between two pieces of a body"),
    knob(
        "body.bytes_per_second",
        "N",
        "Body bytes a second on one connection",
    ),
    knob(
        "body.total_bytes_per_second",
        "N",
        "Body bytes a second on all connections together",
    ),
    knob(
        "faults.error",
        "CHANCE",
        "Chance, from 0 to 1, of an answer 5xx",
    ),
    knob("faults.error_status", "STATUS", "Which 5xx that is"),
    knob(
        "faults.reset",
        "CHANCE",
        "Chance of a reset instead of an answer",
    ),
    knob("faults.empty", "CHANCE", "Chance of a close without a byte"),
    knob(
        "faults.truncated",
        "CHANCE",
        "Chance of a body that ends halfway",
    ),
    knob(
        "faults.malformed",
        "CHANCE",
        "Chance of a body that is not JSON",
    ),
    knob(
        "faults.hang",
        "CHANCE",
        "Chance of silence, and then a close",
    ),
    knob("faults.hang_time", "TIME", "How long that silence lasts"),
    knob(
        "warm_up.lasting",
        "TIME",
        "How long the service is slower at the start of a run",
    ),
    knob(
        "warm_up.factor",
        "NUMBER",
        "How many times slower it is at first",
    ),
];

/// The flag that sets a key, with its value's name, as `--rate-limit-burst N`.
pub(super) fn option(key: &str) -> Option<String> {
    let knob = KNOBS.iter().find(|knob| knob.key == key)?;
    Some(format!("--{} {}", knob.flag(), knob.value))
}

/// The keys of a profile that flags set, in the form of `--set`:
/// `--rate-limit-rate 50` is `rate_limit.rate=50`. Outages are a list, which
/// only `--set` and a file can write.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    settings: Vec<String>,
}

impl Knobs {
    /// The settings, then those of `--set`, which have the last word.
    #[must_use]
    pub fn and(&self, settings: &[String]) -> Vec<String> {
        [self.settings.as_slice(), settings].concat()
    }
}

impl Knob {
    fn flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }

    fn arg(&self) -> Arg {
        // What a value must be is for the profile to say: it knows the ranges,
        // and a negative one is to be refused by it and not taken for a flag.
        Arg::new(self.key)
            .long(self.flag())
            .value_name(self.value)
            .help(self.help)
            .help_heading("Service profile, key by key")
            .allow_hyphen_values(true)
            .hide_short_help(true)
    }
}

impl clap::Args for Knobs {
    fn augment_args(command: Command) -> Command {
        command.args(KNOBS.iter().map(Knob::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Knobs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = KNOBS.iter().filter_map(|knob| {
            let value = matches.get_one::<String>(knob.key)?;
            Some(format!("{}={value}", knob.key))
        });
        let settings = given.collect();
        Ok(Self { settings })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{PRESETS, Source};
    use clap::{Args, FromArgMatches};

    fn settings(line: &str) -> Vec<String> {
        let words = std::iter::once("serve").chain(line.split_whitespace());
        let command = Knobs::augment_args(Command::new("serve"));
        let matches = command.try_get_matches_from(words).unwrap();
        Knobs::from_arg_matches(&matches).unwrap().settings
    }

    #[test]
    fn flags_set_keys_and_a_kind_comes_first() {
        let line = "--service-time-mean 20ms --rate-limit-rate -5 --service-time-kind exponential";
        assert_eq!(
            settings(line),
            [
                "service_time.kind=exponential",
                "service_time.mean=20ms",
                "rate_limit.rate=-5"
            ]
        );
    }

    #[test]
    fn a_value_out_of_its_range_is_named_with_its_key() {
        for (line, key, value) in [
            (
                "--rate-limit-rate -5 --rate-limit-burst 1",
                "rate_limit.rate",
                "-5",
            ),
            ("--faults-reset 1.5", "faults.reset", "1.5"),
            ("--capacity-servers 0", "capacity.servers", "0"),
        ] {
            let error = Source::resolve(None, None, &settings(line)).unwrap_err();
            assert!(error.contains(key) && error.contains(value), "{error}");
        }
    }

    /// Every key that a preset's text sets has a flag, and every flag a key
    /// that the profile knows.
    #[test]
    fn flags_and_keys_are_the_same() {
        for preset in PRESETS {
            for (name, value) in &preset.text.parse::<toml::Table>().unwrap() {
                let Some(table) = value.as_table() else {
                    continue;
                };
                for key in table.keys() {
                    let path = format!("{name}.{key}");
                    assert!(KNOBS.iter().any(|knob| knob.key == path), "{path}");
                }
            }
        }
        for knob in KNOBS {
            // What a service time is made of depends on its kind.
            let kind = match knob.key.strip_prefix("service_time.") {
                Some("min" | "shape") => "pareto",
                Some("max") => "uniform",
                Some("mean" | "sd") => "normal",
                Some("p50" | "p99") => "lognormal",
                Some("points") => "percentiles",
                Some("file") => "trace",
                _ => "fixed",
            };
            let settings = [
                format!("service_time.kind={kind}"),
                format!("{}=[]", knob.key),
            ];
            // No key takes an empty list; what no key is, is said first.
            let error = Source::resolve(None, None, &settings).unwrap_err();
            assert!(!error.contains("unknown key"), "{error}");
        }
    }
}
