//! Limits of the clients: met alike by all, and named.

mod common;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::scripted::{Exchange, Scripted, Then};
use common::{entries, fanout, inventory, label, run_batch, setup};
use fanout::workload::{Expect, Gets, Template};

/// Fields of a head, a number of them with values of a length.
fn fields(number: usize, length: usize) -> String {
    let value = "v".repeat(length);
    (0..number).map(|n| format!("x-{n}: {value}\r\n")).collect()
}

fn answer(exchange: &mut Exchange<'_>, fields: &str) -> Then {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{fields}\r\n{{}}");
    exchange.raw(head.as_bytes())
}

/// The first failure of each client's batch against a server with such fields.
fn failures(fields: &str) -> Vec<(String, Option<String>)> {
    let of = |entry| {
        let own = fields.to_owned();
        let server = Scripted::start(move |exchange| answer(exchange, &own));
        let setup = setup(&entry, &server.url(), 2, Duration::from_secs(60));
        let kept = run_batch(&entry, &setup, &inventory(4, Expect::Json));
        (label(&entry), kept.first_failure())
    };
    entries().into_iter().map(of).collect()
}

#[test]
fn every_client_takes_heads_within_the_limits() {
    for fields in [fields(99, 10), fields(1, 59 << 10)] {
        for (name, failure) in failures(&fields) {
            assert_eq!(failure, None, "{name}");
        }
    }
}

#[test]
fn every_client_names_the_limit_of_a_head() {
    for fields in [
        fields(100, 1),
        fields(120, 1),
        fields(150, 1),
        fields(1, 62 << 10),
        fields(1, 70 << 10),
    ] {
        for (name, failure) in failures(&fields) {
            let failure = failure.unwrap_or_default();
            assert!(failure.contains("100 header fields"), "{name}: {failure}");
            assert!(failure.contains("ureq 128 at most"), "{name}: {failure}");
        }
    }
}

#[test]
fn every_client_refuses_lengths_that_differ() {
    for (name, failure) in failures("content-length: 3\r\n") {
        let failure = failure.unwrap_or_default().to_lowercase();
        assert!(failure.contains("content-length"), "{name}: {failure}");
    }
}

#[test]
fn ureq_names_its_limit_of_a_chunks_size_line() {
    let body = "2;signature=0123456789\r\n{}\r\n0\r\n\r\n";
    for entry in entries() {
        let server = Scripted::start(move |exchange| {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            exchange.raw(format!("{head}{body}").as_bytes())
        });
        let setup = setup(&entry, &server.url(), 2, Duration::from_secs(60));
        let kept = run_batch(&entry, &setup, &inventory(4, Expect::Json));
        let (name, failure) = (label(&entry), kept.first_failure());
        let named = |failure: &String| failure.contains("at most 20 bytes");
        let expected = name.contains("ureq").then_some(true);
        assert_eq!(failure.as_ref().map(named), expected, "{name}: {failure:?}");
    }
}

#[test]
fn every_client_names_the_limit_of_a_url() {
    let server = Scripted::start(|exchange| exchange.answer(200, b"{}"));
    for (length, limit) in [(13 << 10, None), (15 << 10, Some("path and query"))] {
        let template = Template::parse(&format!("/{}?{{index}}", "x".repeat(length))).unwrap();
        let workload = Arc::new(Gets::new(template, 4, Expect::Json));
        for entry in entries() {
            let setup = setup(&entry, &server.url(), 2, Duration::from_secs(60));
            let failure = run_batch(&entry, &setup, &workload).first_failure();
            let named = limit.map(|limit| failure.as_ref().is_some_and(|f| f.contains(limit)));
            assert_eq!(
                named,
                failure.as_ref().map(|_| true),
                "{}: {failure:?}",
                label(&entry)
            );
        }
    }
}

#[test]
fn refused_head_comes_with_its_own_way_on() {
    let server = Scripted::start(|exchange| answer(exchange, &fields(150, 1)));
    let out = tempfile::tempdir().unwrap();
    let url = format!("{}/x?{{index}}", server.url());
    let output = Command::new(fanout())
        .args(["compare", "--url", &url, "--requests", "2", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(error.contains("100 header fields"), "{error}");
    assert!(error.contains("keep to the limit"), "{error}");
}

#[test]
fn endless_bodies_take_no_more_memory_together() {
    // The probe's two requests, the first and the last, have a response.
    let server = Scripted::start(|exchange| {
        if ["/x?0", "/x?7"].contains(&exchange.target) {
            return exchange.answer(200, b"{}");
        }
        exchange.raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        let piece = [b' '; 1 << 16];
        while exchange.raw(&piece) == Then::Keep {}
        Then::Close
    });
    let out = tempfile::tempdir().unwrap();
    let url = format!("{}/x?{{index}}", server.url());
    let output = Command::new(fanout())
        .args([
            "compare",
            "--url",
            &url,
            "--requests",
            "8",
            "--workers",
            "8",
        ])
        .args([
            "--strategies",
            "thread-pool,tokio",
            "--clients",
            "ureq,hyper",
        ])
        .args(["--samples", "1", "--body-limit", "32MiB", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let csv = std::fs::read_to_string(out.path().join("summary.csv")).expect(&error);
    let mut rows = csv.lines().map(|line| line.split(','));
    let column = rows
        .next()
        .unwrap()
        .position(|name| name == "peak_rss_bytes")
        .unwrap();
    let peaks: Vec<u64> = rows
        .map(|mut row| row.nth(column).unwrap().parse().unwrap())
        .collect();
    assert_eq!(peaks.len(), 2, "{csv}");
    for peak in peaks {
        assert!(peak < 80 << 20, "{peak} bytes");
    }
}
