//! Tests of reading profiles.

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
            ["faults.error", "nan", "from 0 to 1"],
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
        (
            "rate_limit = { rate = 1.0 }",
            ["rate_limit.burst", "missing", "--rate-limit-burst N"],
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
            ["warm_up.lasting", "0", "more than 0"],
        ),
        (
            "service_time = { kind = 'lognormal', p50 = '2s', p99 = '1s' }",
            ["p99", "1s", "at least `p50`, 2s"],
        ),
        (
            "service_time = { kind = 'lognormal', p50 = '0', p99 = '1s' }",
            ["p50", "0", "more than 0"],
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
            "service_time = { kind = 'percentiles', points = [[0, '1s'], 5] }",
            ["service_time.points", "5", "as in [50, \"20ms\"]"],
        ),
        (
            "service_time = { kind = 'percentiles', points = [[0, '1 s.']] }",
            ["service_time.points", "1 s.", "not a duration"],
        ),
        (
            "service_time = { kind = 'exponential', mean = 'soon' }",
            ["`service_time.mean`", "soon", "not a duration"],
        ),
        (
            "service_time = { kind = 'exponential', mean = '25h' }",
            ["`service_time.mean`", "25h", "longer than 24h"],
        ),
        (
            "service_time = { kind = 'exponential' }",
            ["service_time.mean", "is", "missing"],
        ),
        (
            "service_time = { kind = 'fixed', mean = '1s' }",
            ["unknown", "service_time.mean", "expected time"],
        ),
        (
            "service_time = { kind = 3 }",
            ["service_time.kind", "3", "text"],
        ),
        ("service_time = '1s'", ["service_time", "1s", "a table"]),
        (
            "capacity = { servers = '8' }",
            ["capacity.servers", "\"8\"", "a whole number from 1"],
        ),
        (
            "capacity = { servers = 8.5 }",
            ["capacity.servers", "8.5", "a whole number from 1"],
        ),
        (
            "faults = { error = 'often' }",
            ["faults.error", "often", "a number from 0 to 1"],
        ),
        ("capacity = [8]", ["capacity", "[8]", "a table"]),
        ("outage = 1", ["outage", "1", "a list"]),
        ("outage = [1]", ["outage", "1", "a table"]),
        ("description = 1", ["description", "1", "text"]),
        (
            "capcity = { servers = 1 }",
            ["`capcity`", "capacity", "unknown"],
        ),
        (
            "capacity = { server = 1 }",
            ["`capacity.server`", "servers", "unknown"],
        ),
    ] {
        let error = profile(text).expect_err(text);
        for part in parts {
            assert!(error.contains(part), "{text}: {error}");
        }
        // No names of types, and no word of where the reader was.
        for word in ["i64", "f64", "struct", "Raw", "line", " in `"] {
            assert!(!error.contains(word), "{text}: {error}");
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
