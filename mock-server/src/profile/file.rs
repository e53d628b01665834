//! A profile as it is written: the shape of the TOML, and the check of every
//! value against its range.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::range::{Time, number, positive, whole};
use super::times::{self, RawTime};
use super::{Connections, Profile};
use crate::model::{Capacity, Faults, Load, Outage, Pacing, RateLimit, WarmUp};

/// The longest body of `/files/{id}`: 256 MiB.
pub(crate) const LARGEST_FILE: usize = 256 << 20;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    description: String,
    service_time: Option<RawTime>,
    capacity: Option<RawCapacity>,
    load: Option<RawLoad>,
    rate_limit: Option<RawLimit>,
    connections: RawConnections,
    body: RawBody,
    faults: RawFaults,
    warm_up: Option<RawWarmUp>,
    outage: Vec<RawOutage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCapacity {
    servers: i64,
    queue: Option<i64>,
    retry_after: Option<Time>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLoad {
    #[serde(default)]
    sigma: f64,
    #[serde(default)]
    kappa: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    rate: f64,
    burst: i64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConnections {
    accept_delay: Option<Time>,
    max: Option<i64>,
    requests: Option<i64>,
    idle_timeout: Option<Time>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawBody {
    file_size: Option<i64>,
    chunk: Option<i64>,
    gap: Option<Time>,
    bytes_per_second: Option<i64>,
    total_bytes_per_second: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawFaults {
    error: f64,
    error_status: Option<i64>,
    reset: f64,
    empty: f64,
    truncated: f64,
    malformed: f64,
    hang: f64,
    hang_time: Option<Time>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWarmUp {
    lasting: Time,
    factor: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutage {
    from: Time,
    lasting: Time,
    status: Option<i64>,
}

/// Reads and checks a profile. `folder` is where a trace's relative path starts.
///
/// # Errors
/// A sentence that names the key, its value and its range.
pub(super) fn read(table: toml::Table, folder: &Path) -> Result<Profile, String> {
    let raw: Raw = toml::Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| {
            // The path to the key comes on a line of its own.
            error.to_string().trim().replace('\n', ", ")
        })?;
    let default = Profile::default();
    Ok(Profile {
        description: raw.description,
        service_time: match raw.service_time {
            Some(time) => times::read(time, folder)?,
            None => default.service_time,
        },
        capacity: raw.capacity.as_ref().map(capacity).transpose()?,
        load: raw.load.as_ref().map(load).transpose()?,
        rate_limit: raw.rate_limit.as_ref().map(rate_limit).transpose()?,
        connections: connections(&raw.connections)?,
        file_size: match raw.body.file_size {
            Some(size) => whole("body.file_size", size, 64, LARGEST_FILE as i64)? as usize,
            None => default.file_size,
        },
        pacing: pacing(&raw.body)?,
        faults: faults(&raw.faults)?,
        warm_up: raw.warm_up.as_ref().map(warm_up).transpose()?,
        outages: raw.outage.iter().map(outage).collect::<Result<_, _>>()?,
    })
}

const MANY: i64 = 1_000_000;

fn capacity(raw: &RawCapacity) -> Result<Capacity, String> {
    let queue = raw
        .queue
        .map(|queue| whole("capacity.queue", queue, 0, MANY));
    Ok(Capacity {
        servers: whole("capacity.servers", raw.servers, 1, MANY)? as u32,
        queue: queue.transpose()?.map(|queue| queue as u32),
        retry_after: raw
            .retry_after
            .map_or(Duration::from_secs(1), |Time(time)| time),
    })
}

fn load(raw: &RawLoad) -> Result<Load, String> {
    Ok(Load {
        sigma: number("load.sigma", raw.sigma, 0.0, 1.0)?,
        kappa: number("load.kappa", raw.kappa, 0.0, 1.0)?,
    })
}

fn rate_limit(raw: &RawLimit) -> Result<RateLimit, String> {
    Ok(RateLimit {
        rate: number("rate_limit.rate", raw.rate, 0.001, 1e7)?,
        burst: whole("rate_limit.burst", raw.burst, 1, MANY)? as u32,
    })
}

fn connections(raw: &RawConnections) -> Result<Connections, String> {
    let count = |key, value: Option<i64>| {
        value
            .map(|value| whole(key, value, 1, MANY).map(|value| value as u32))
            .transpose()
    };
    Ok(Connections {
        accept_delay: raw.accept_delay.map_or(Duration::ZERO, |Time(time)| time),
        max: count("connections.max", raw.max)?,
        requests: count("connections.requests", raw.requests)?,
        idle_timeout: raw
            .idle_timeout
            .map(|time| positive("connections.idle_timeout", time))
            .transpose()?,
    })
}

fn pacing(raw: &RawBody) -> Result<Pacing, String> {
    let rate = |key, value: Option<i64>| {
        value
            .map(|value| whole(key, value, 1, 1 << 40).map(|value| value as u64))
            .transpose()
    };
    let chunk = raw
        .chunk
        .map(|chunk| whole("body.chunk", chunk, 1, 1 << 20))
        .transpose()?;
    if raw.gap.is_some() && chunk.is_none() {
        return Err("`body.gap` needs `body.chunk`: the bytes between two gaps".to_owned());
    }
    Ok(Pacing {
        chunk: chunk.map(|chunk| chunk as usize),
        gap: raw.gap.map_or(Duration::ZERO, |Time(time)| time),
        bytes_per_second: rate("body.bytes_per_second", raw.bytes_per_second)?,
        total_bytes_per_second: rate("body.total_bytes_per_second", raw.total_bytes_per_second)?,
    })
}

fn server_error(key: &str, status: Option<i64>, default: u16) -> Result<u16, String> {
    match status {
        Some(status) => Ok(whole(key, status, 500, 599)? as u16),
        None => Ok(default),
    }
}

fn faults(raw: &RawFaults) -> Result<Faults, String> {
    let chance = |key: &str, value| number(&format!("faults.{key}"), value, 0.0, 1.0);
    let default = Faults::default();
    let faults = Faults {
        error: chance("error", raw.error)?,
        error_status: server_error(
            "faults.error_status",
            raw.error_status,
            default.error_status,
        )?,
        reset: chance("reset", raw.reset)?,
        empty: chance("empty", raw.empty)?,
        truncated: chance("truncated", raw.truncated)?,
        malformed: chance("malformed", raw.malformed)?,
        hang: chance("hang", raw.hang)?,
        hang_time: raw.hang_time.map_or(default.hang_time, |Time(time)| time),
    };
    // Sums of decimal fractions miss 1 by a few last places.
    if faults.total() > 1.0 + 1e-9 {
        return Err(format!(
            "the chances of `faults` add up to {}: expected at most 1",
            faults.total()
        ));
    }
    Ok(faults)
}

fn warm_up(raw: &RawWarmUp) -> Result<WarmUp, String> {
    Ok(WarmUp {
        lasting: positive("warm_up.lasting", raw.lasting)?,
        factor: number("warm_up.factor", raw.factor, 1.0, 1000.0)?,
    })
}

fn outage(raw: &RawOutage) -> Result<Outage, String> {
    Ok(Outage {
        from: raw.from.0,
        lasting: positive("outage.lasting", raw.lasting)?,
        status: server_error("outage.status", raw.status, 503)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn profile(text: &str) -> Result<Profile, String> {
        read(
            text.parse()
                .map_err(|error: toml::de::Error| error.to_string())?,
            Path::new("."),
        )
    }

    #[test]
    fn every_knob_can_be_set() {
        let read = profile(
            r#"
            description = "all of it"
            service_time = { kind = "lognormal", p50 = "50ms", p99 = "400ms" }
            capacity = { servers = 8, queue = 100, retry_after = "2s" }
            load = { sigma = 0.02, kappa = 0.0005 }
            rate_limit = { rate = 100, burst = 20 }
            connections = { accept_delay = "1ms", max = 5, requests = 10, idle_timeout = "5s" }
            body = { file_size = 1000, chunk = 100, gap = "5ms", bytes_per_second = 10, total_bytes_per_second = 20 }
            faults = { error = 0.1, error_status = 502, reset = 0.1, empty = 0.1, truncated = 0.1, malformed = 0.1, hang = 0.1, hang_time = "1s" }
            warm_up = { lasting = "10s", factor = 3.0 }
            outage = [{ from = "1s", lasting = "2s" }]
            "#,
        )
        .unwrap();
        assert_eq!(read.capacity.unwrap().servers, 8);
        assert_eq!(read.outages[0].status, 503);
        assert_eq!(read.connections.max, Some(5));
        assert_eq!(profile("").unwrap(), Profile::default());
    }

    #[test]
    fn a_value_out_of_range_is_an_error_that_names_key_value_and_range() {
        for (text, parts) in [
            (
                "capacity = { servers = 0 }",
                ["capacity.servers", "0", "from 1"],
            ),
            (
                "capacity = { servers = 1, queue = -1 }",
                ["capacity.queue", "-1", "from 0"],
            ),
            (
                "faults = { reset = 1.5 }",
                ["faults.reset", "1.5", "from 0 to 1"],
            ),
            (
                "faults = { error = nan }",
                ["faults.error", "NaN", "from 0 to 1"],
            ),
            (
                "faults = { error = 0.6, hang = 0.6 }",
                ["faults", "1.2", "at most 1"],
            ),
            (
                "faults = { error_status = 404 }",
                ["faults.error_status", "404", "500 to 599"],
            ),
            (
                "rate_limit = { rate = -1.0, burst = 1 }",
                ["rate_limit.rate", "-1", "0.001"],
            ),
            (
                "rate_limit = { rate = inf, burst = 1 }",
                ["rate_limit.rate", "inf", "10000000"],
            ),
            (
                "rate_limit = { rate = 1.0, burst = 0 }",
                ["rate_limit.burst", "0", "from 1"],
            ),
            ("load = { sigma = 2.0 }", ["load.sigma", "2", "0 to 1"]),
            (
                "body = { bytes_per_second = 0 }",
                ["body.bytes_per_second", "0", "from 1"],
            ),
            (
                "body = { gap = '1ms' }",
                ["body.gap", "body.chunk", "bytes"],
            ),
            (
                "warm_up = { lasting = '0', factor = 2.0 }",
                ["warm_up.lasting", "0", "above 0"],
            ),
            (
                "service_time = { kind = 'lognormal', p50 = '2s', p99 = '1s' }",
                ["p99", "1s", "at least `p50`, 2s"],
            ),
            (
                "service_time = { kind = 'lognormal', p50 = '0', p99 = '1s' }",
                ["p50", "0", "above 0"],
            ),
            (
                "service_time = { kind = 'fixed', time = '-1s' }",
                ["service_time", "-1s", "negative"],
            ),
            (
                "service_time = { kind = 'fixed', time = 200 }",
                ["service_time", "200", "unit"],
            ),
            (
                "service_time = { kind = 'poisson' }",
                ["service_time", "poisson", "exponential"],
            ),
            (
                "service_time = { kind = 'trace', times = [] }",
                ["service_time", "empty", "at least one"],
            ),
            (
                "service_time = { kind = 'trace', file = 'no.such' }",
                ["service_time.file", "no.such", "No such"],
            ),
            (
                "service_time = { kind = 'percentiles', points = [[0, '1s'], [100, '1ms']] }",
                ["points", "1ms", "do not fall"],
            ),
            (
                "service_time = { kind = 'percentiles', points = [[1, '1s'], [100, '2s']] }",
                ["points", "[1.0, 100.0]", "the first 0 and the last 100"],
            ),
            (
                "capcity = { servers = 1 }",
                ["capcity", "capacity", "unknown"],
            ),
            (
                "capacity = { server = 1 }",
                ["server", "servers", "unknown"],
            ),
        ] {
            let error = profile(text).expect_err(text);
            for part in parts {
                assert!(error.contains(part), "{text}: {error}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            let _ = profile(&text);
        }

        #[test]
        fn no_value_makes_a_key_panic(
            key in proptest::sample::select(vec![
                "capacity.servers", "rate_limit.rate", "faults.error", "load.kappa",
                "service_time.p50", "body.chunk", "warm_up.factor", "outage",
            ]),
            value in "(-?[0-9]{1,25}(\\.[0-9]{1,5})?|nan|inf|'[a-z0-9]{0,5}'|\\[[0-9]{0,3}\\])",
        ) {
            let _ = profile(&format!("{key} = {value}\nservice_time.kind = 'lognormal'"));
            let _ = profile(&format!("{key} = {value}"));
        }
    }
}
