//! What a profile does to connections, and how long a client may take.

use std::time::Duration;

use crate::support::{AT_ONCE, Client, profiled};
use mock_server::{Config, Patience, Server, Tls};

/// A server that waits for nobody.
fn impatient() -> Config {
    Config::default()
        .with_delay(Duration::ZERO)
        .with_patience(Patience::of(Duration::from_millis(20)))
}

/// The preface of HTTP/2, and settings of which there are none.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn a_head_that_is_never_whole_ends_its_connection() {
    let server = Server::start(impatient()).unwrap();
    let starts = [
        b"GET /inventory/products?id=1 HTTP/1.1\r\nX-Sl".to_vec(),
        // A part of the preface, and of a frame.
        GREETING[..20].to_vec(),
        [GREETING, b"\0\0\x20\x01\x05"].concat(),
        // Fields that are to go on, and do not.
        [GREETING, b"\0\0\x01\x01\x01\0\0\0\x01\x82"].concat(),
    ];
    for start in starts {
        let mut client = Client::connect(server.addr());
        client.write(&start);
        let answer = client.try_read_to_end().unwrap_or_default();
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains("HTTP/1"), "{start:?}: {text}");
    }
    // What is whole may stay, in either version.
    let mut whole = Client::connect(server.addr());
    let mut idle = Client::connect(server.addr());
    idle.write(GREETING);
    for _ in 0..3 {
        assert_eq!(whole.call("GET", "/health").status, 200);
        assert!(idle.is_open_for(Duration::from_millis(30)));
    }
}

#[test]
fn a_head_behind_another_request_is_limited_too() {
    let server = Server::start(impatient()).unwrap();
    let get = "GET /health HTTP/1.1\r\nHost: m\r\n\r\n";
    let post = "POST /echo HTTP/1.1\r\nHost: m\r\nContent-Length: 6\r\n\r\na\r\n\r\nb";
    let chunked = "POST /echo HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n\
                   6\r\na\r\n\r\nb\r\n0\r\n\r\n";
    for before in [get, post, chunked] {
        for rest in ["G", "GET /health HTTP/1.1\r\nHost"] {
            let mut client = Client::connect(server.addr());
            client.write(format!("{before}{rest}").as_bytes());
            assert_eq!(client.read(false).status, 200, "{before}");
            let answer = client.try_read_to_end().unwrap_or_default();
            assert_eq!(String::from_utf8_lossy(&answer), "", "{before}{rest}");
        }
        // What is whole may stay.
        let mut client = Client::connect(server.addr());
        for _ in 0..2 {
            client.write(before.as_bytes());
            assert_eq!(client.read(false).status, 200, "{before}");
            assert!(client.is_open_for(Duration::from_millis(30)), "{before}");
        }
    }
}

#[test]
fn a_body_that_is_never_whole_is_408() {
    let server = Server::start(impatient()).unwrap();
    let mut client = Client::connect(server.addr());
    client.write(b"POST /echo HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nhe");
    let answer = client.read(false);
    assert_eq!(answer.status, 408);
    let error = answer.json()["error"].to_string();
    assert!(error.contains("longer than 20ms"), "{error}");
    assert_eq!(server.journal().summary.unmatched, 1);
}

#[test]
fn a_handshake_that_never_comes_ends_its_connection() {
    let server = Server::start(impatient().with_tls(Tls::new(None))).unwrap();
    assert!(Client::connect(server.addr()).read_to_end().is_empty());
}

#[test]
fn a_connection_closes_after_its_last_request() {
    let server = profiled(&format!("{AT_ONCE}connections = {{ requests = 3 }}"));
    let mut client = Client::connect(server.addr());
    for last in [None, None, Some("close")] {
        let answer = client.call("GET", "/inventory/products?id=1");
        assert_eq!(answer.field("connection"), last);
    }
    assert!(client.read_to_end().is_empty());
}

#[test]
fn an_idle_connection_closes_when_its_time_is_over() {
    let server = profiled(&format!(
        "{AT_ONCE}connections = {{ idle_timeout = \"20ms\" }}"
    ));
    let mut client = Client::connect(server.addr());
    assert_eq!(client.call("GET", "/inventory/products?id=1").status, 200);
    assert!(client.read_to_end().is_empty());
}

#[test]
fn a_connection_beyond_the_limit_waits_for_a_place() {
    let server = profiled(&format!("{AT_ONCE}connections = {{ max = 1 }}"));
    let mut first = Client::connect(server.addr());
    assert_eq!(first.call("GET", "/health").status, 200);
    let mut second = Client::connect(server.addr());
    second.send("GET", "/health");
    // It has not been answered as long as the first is open.
    second
        .stream()
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert!(second.try_read_to_end().is_err());
    second
        .stream()
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    drop(first);
    assert_eq!(second.read(false).status, 200);
}

#[test]
fn a_new_connection_waits_for_its_accept_delay_once() {
    let started = std::time::Instant::now();
    let server = profiled(&format!(
        "{AT_ONCE}connections = {{ accept_delay = \"50ms\" }}"
    ));
    let mut client = Client::connect(server.addr());
    assert_eq!(client.call("GET", "/health").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(50));
}
