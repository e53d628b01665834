//! Named profiles, each made to teach one thing about concurrency.

/// A named profile.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Preset {
    /// The name, as `--profile` takes it.
    pub name: &'static str,
    /// What it teaches, in a sentence.
    pub teaches: &'static str,
    /// The profile as TOML, to start one's own from.
    pub text: &'static str,
}

const fn preset(name: &'static str, teaches: &'static str, text: &'static str) -> Preset {
    Preset {
        name,
        teaches,
        text,
    }
}

/// Every preset, the simplest first.
pub const PRESETS: &[Preset] = &[
    preset(
        "steady",
        "With one fixed service time every sensible strategy meets the bound ceil(N/w)·d.",
        "service_time = { kind = \"fixed\", time = \"200ms\" }\n",
    ),
    preset(
        "jittery",
        "With a little variation a client that waits for each chunk falls behind one that keeps a window full.",
        "service_time = { kind = \"normal\", mean = \"200ms\", sd = \"40ms\" }\n",
    ),
    preset(
        "exponential",
        "A client that waits for each chunk of w pays the harmonic number of w: 2.28 times at 5, 3.6 times at 20.",
        "service_time = { kind = \"exponential\", mean = \"200ms\" }\n",
    ),
    preset(
        "long-tail",
        "With rare slow requests the last ones decide; more workers do not shorten a straggler.",
        "service_time = { kind = \"lognormal\", p50 = \"50ms\", p99 = \"1s\" }\n",
    ),
    preset(
        "heavy-tail",
        "When single requests can take seconds, more workers do not help the batch that meets one.",
        "service_time = { kind = \"pareto\", min = \"40ms\", shape = 1.5 }\n",
    ),
    preset(
        "rate-limited",
        "Beyond the rate more workers only collect more 429s.",
        "service_time = { kind = \"fixed\", time = \"50ms\" }\nrate_limit = { rate = 100.0, burst = 20 }\n",
    ),
    preset(
        "saturating",
        "Throughput stops at servers / service time; workers beyond that only queue.",
        "service_time = { kind = \"exponential\", mean = \"100ms\" }\ncapacity = { servers = 10 }\n",
    ),
    preset(
        "overloaded",
        "A bounded queue turns too many workers into 503s: errors are fast and are not throughput.",
        "service_time = { kind = \"fixed\", time = \"100ms\" }\ncapacity = { servers = 8, queue = 8, retry_after = \"1s\" }\n",
    ),
    preset(
        "contended",
        "Service that slows with load has a best worker count, near 31 here, and is slower beyond it.",
        "service_time = { kind = \"fixed\", time = \"50ms\" }\nload = { sigma = 0.02, kappa = 0.001 }\n",
    ),
    preset(
        "flaky",
        "Some requests fail, by status, reset, silence or a broken body; a batch must end with every one accounted for.",
        "service_time = { kind = \"lognormal\", p50 = \"50ms\", p99 = \"300ms\" }\n\
         [faults]\nerror = 0.02\nreset = 0.01\nempty = 0.005\ntruncated = 0.005\nmalformed = 0.005\n",
    ),
    preset(
        "slow-download",
        "Bodies share a link: downloads stop scaling when it is full, whatever the workers.",
        "service_time = { kind = \"fixed\", time = \"20ms\" }\n\
         [body]\nbytes_per_second = 1000000\ntotal_bytes_per_second = 10000000\n",
    ),
    preset(
        "few-connections",
        "Connections are dear: each waits to be accepted and closes early, so keeping them pays.",
        "service_time = { kind = \"fixed\", time = \"20ms\" }\n\
         [connections]\naccept_delay = \"30ms\"\nmax = 16\nrequests = 100\nidle_timeout = \"5s\"\n",
    ),
    preset(
        "cold-start",
        "The first seconds are slower and one outage follows: means over a whole run mislead.",
        "service_time = { kind = \"fixed\", time = \"50ms\" }\n\
         warm_up = { lasting = \"3s\", factor = 4.0 }\noutage = [{ from = \"5s\", lasting = \"1s\" }]\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Source;

    #[test]
    fn every_preset_is_a_valid_profile_with_a_name_of_its_own() {
        for (at, preset) in PRESETS.iter().enumerate() {
            let source = Source::open(preset.name).unwrap();
            source
                .finish()
                .unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            assert!(PRESETS[..at].iter().all(|other| other.name != preset.name));
            assert!(preset.teaches.ends_with('.'));
        }
    }

    #[test]
    fn the_contended_optimum_is_where_its_preset_says() {
        let profile = Source::open("contended").unwrap().finish().unwrap();
        let load = profile.load.unwrap();
        assert_eq!(((1.0 - load.sigma) / load.kappa).sqrt().round(), 31.0);
    }
}
