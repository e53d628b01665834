//! Any `expect=` is a proof that is right, or an error that says why.

use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::time::Duration;

use mock_server::journal::{Expectation, Page, Route};
use mock_server::{Config, Server};

use super::client;

/// What the server has served: the route, the id, how often.
const SERVED: [(&str, u64, usize); 4] = [
    ("materials", 0, 1),
    ("materials", 1, 2),
    ("materials", 5, 1),
    ("products", 3, 1),
];

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let config = Config::default().with_delay(Duration::ZERO).with_threads(1);
        let server = Server::start(config).expect("a port is free");
        for (route, id, times) in SERVED {
            for _ in 0..times {
                client::get(server.addr(), &format!("/inventory/{route}?id={id}"));
            }
        }
        server
    })
}

/// Asks the journal, and holds the proof against a count by hand.
pub(crate) fn check(data: &[u8]) {
    // Beyond this the head of the request is too long.
    let text = String::from_utf8_lossy(&data[..data.len().min(2000)]);
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = client::get(
        server().addr(),
        &format!("/journal?limit=0&expect={encoded}"),
    );
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    if text.parse::<Expectation>().is_err() {
        assert!(head.starts_with("HTTP/1.1 400"), "{head}");
        let error: serde_json::Value = serde_json::from_str(body).expect("errors are JSON");
        assert!(error["error"].is_string());
        return;
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let page: Page = serde_json::from_str(body).expect("a page is JSON");
    let proof = page.proof.expect("a proof was asked for");
    let ranges = ranges(&text);
    let covered = |&(route, id, _): &(&str, u64, usize)| {
        let covers =
            |(name, range): &(&str, RangeInclusive<u64>)| *name == route && range.contains(&id);
        ranges.iter().any(covers)
    };
    let expected: u64 = ranges
        .iter()
        .map(|(_, range)| range.end() - range.start() + 1)
        .sum();
    let found = SERVED.iter().filter(|served| covered(served));
    let missing = expected - found.clone().count() as u64;
    let repeated = found.filter(|served| served.2 > 1).count() as u64;
    let extra = SERVED.iter().filter(|served| !covered(served)).count() as u64;
    assert_eq!(
        (proof.expected, proof.missing, proof.repeated, proof.extra),
        (expected, missing, repeated, extra),
        "{text}"
    );
    assert_eq!(proof.exactly_once, missing + repeated + extra == 0);
    assert_eq!(proof.missing_ids.len() as u64, missing.min(100));
    assert_eq!(proof.extra_ids.len() as u64, extra.min(100));
}

/// The ranges of a text that is an expectation.
fn ranges(text: &str) -> Vec<(&str, RangeInclusive<u64>)> {
    let range = |part| {
        let (name, range) = str::split_once(part, ':')?;
        let (from, to) = range.split_once('-')?;
        assert!(Route::ALL.iter().any(|route| route.as_str() == name));
        Some((name, from.parse().ok()?..=to.parse().ok()?))
    };
    let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
    ranges.expect("an expectation has a range in each part")
}
