//! Bodies as servers end them: whole ones are taken, and cut ones refused, by
//! every client.

mod common;

use std::time::Duration;

use common::scripted::{Exchange, Scripted, Then};
use common::{entries, inventory, label, run_batch, setup};
use fanout::outcome::FailureKind;
use fanout::workload::Expect;

const PATIENT: Duration = Duration::from_secs(60);

const CHUNKED: &str = "transfer-encoding: chunked\r\n";

/// How a server ends a connection.
#[derive(Clone, Copy)]
enum End {
    Closes,
    Resets,
}

/// Sends a head with such fields and a body, and ends the connection.
fn answer(exchange: &mut Exchange<'_>, fields: &str, body: &str, end: End) -> Then {
    exchange.raw(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}").as_bytes());
    if let End::Resets = end {
        // Closed with this, it sends a reset in place of an end.
        let lingering = socket2::SockRef::from(&*exchange.stream);
        lingering.set_linger(Some(Duration::ZERO)).unwrap();
    }
    Then::Close
}

/// What every strategy with every client makes of such a response.
fn verdicts(
    fields: &'static str,
    body: &'static str,
    end: End,
) -> Vec<(String, Vec<Result<(), FailureKind>>)> {
    let of = |entry| {
        let server = Scripted::start(move |exchange| answer(exchange, fields, body, end));
        let setup = setup(&entry, &server.url(), 2, PATIENT);
        let kept = run_batch(&entry, &setup, &inventory(4, Expect::Json));
        (label(&entry), kept.verdicts())
    };
    entries().into_iter().map(of).collect()
}

#[test]
fn every_client_takes_whole_bodies() {
    for (fields, body) in [
        ("content-length: 2\r\n", "{}"),
        ("", "{}"),
        ("transfer-encoding: identity\r\n", "{}"),
        (CHUNKED, "2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: Chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        (
            "Transfer-Encoding: identity, chunked\r\n",
            "2\r\n{}\r\n0\r\n\r\n",
        ),
        (CHUNKED, "2;x=1\r\n{}\r\n000\r\n\r\n"),
        (CHUNKED, "1\r\n{\r\n1\r\n}\r\n0\r\nx-sum: 1\r\n\r\n"),
    ] {
        for (name, verdicts) in verdicts(fields, body, End::Closes) {
            assert_eq!(verdicts, [Ok(()); 4], "{name}: {fields:?} {body:?}");
        }
    }
}

#[test]
fn every_client_refuses_chunked_bodies_that_are_cut() {
    let whole = "2\r\n{}\r\n0\r\nx-sum: 1\r\ny: 2\r\n\r\n";
    for end in 0..whole.len() {
        for (name, verdicts) in verdicts(CHUNKED, &whole[..end], End::Closes) {
            let cut = &whole[..end];
            assert_eq!(verdicts, [Err(FailureKind::Body); 4], "{name}: {cut:?}");
        }
    }
}

#[test]
fn every_client_refuses_bodies_that_a_reset_cuts() {
    for (fields, body) in [
        ("content-length: 3\r\n", "{}"),
        ("", "{}"),
        (CHUNKED, "2\r\n{}\r\n0\r\n"),
    ] {
        for (name, verdicts) in verdicts(fields, body, End::Resets) {
            assert_eq!(verdicts, [Err(FailureKind::Body); 4], "{name}: {body:?}");
        }
    }
}
