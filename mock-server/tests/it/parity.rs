//! The answers of Mockoon, as they were observed.

use std::time::Duration;

use crate::support::Client;
use mock_server::{Config, Parity, Server};

#[test]
fn mockoon_answers_as_it_was_observed_to() {
    let config = Config::default()
        .with_delay(Duration::ZERO)
        .with_parity(Parity::Mockoon);
    let server = Server::start(config).unwrap();
    let mut client = Client::connect(server.addr());

    let answer = client.call("GET", "/inventory/products?id=1");
    let names: Vec<_> = answer
        .head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .collect();
    let order: Vec<_> = names.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        order,
        [
            "content-type",
            "content-length",
            "date",
            "connection",
            "keep-alive"
        ]
    );
    assert_eq!(answer.field("keep-alive"), Some("timeout=5"));
    assert_eq!(
        answer.body,
        mock_server::inventory::body(1, mock_server::inventory::Kind::Products, "1")
    );

    assert_eq!(client.call("GET", "/inventory/products").json()["id"], "");
    let unknown = client.call("GET", "/inventory/gadgets?id=1");
    assert_eq!(
        (unknown.status, &unknown.body[..]),
        (200, &b"{ \"id\": \"1\", }"[..])
    );
    let quoted = client.call("GET", "/inventory/products?id=a%22b");
    assert!(quoted.body.starts_with(b"{\n  \"id\": \"a\"b\","));
    for (method, target) in [
        ("POST", "/inventory/products"),
        ("GET", "/nothing"),
        ("HEAD", "/inventory/products?id=1"),
    ] {
        let answer = client.call(method, target);
        assert_eq!(answer.status, 404, "{method} {target}");
        assert_eq!(
            answer.field("content-type"),
            Some("text/html; charset=utf-8")
        );
    }
}

/// The length is said where Mockoon says it, before a fault changes the body.
#[test]
fn a_fault_has_the_length_of_what_it_sends() {
    for fault in ["error", "malformed"] {
        let text =
            format!("service_time = {{ kind = \"fixed\", time = \"0\" }}\nfaults.{fault} = 1.0");
        let source = mock_server::profile::Source::from_text(&text, ".".as_ref()).unwrap();
        let config = Config::default()
            .with_profile(source.finish().unwrap())
            .with_parity(Parity::Mockoon);
        let server = Server::start(config).unwrap();
        let mut client = Client::connect(server.addr());
        for _ in 0..2 {
            let answer = client.call("GET", "/inventory/products?id=1");
            let length = answer.field("content-length").map(str::to_owned);
            assert_eq!(length, Some(answer.body.len().to_string()), "{fault}");
        }
    }
}

#[test]
fn mockoon_says_keep_alive_only_where_it_does() {
    let source = mock_server::profile::Source::from_text(
        "service_time = { kind = \"fixed\", time = \"0\" }\nconnections = { requests = 2 }",
        ".".as_ref(),
    );
    let config = Config::default()
        .with_profile(source.unwrap().finish().unwrap())
        .with_parity(Parity::Mockoon);
    let server = Server::start(config).unwrap();
    for (version, wish, first) in [
        ("1.1", "", "keep-alive"),
        ("1.1", "Connection: close\r\n", "close"),
        ("1.1", "Connection: te, Close\r\n", "close"),
        ("1.0", "", "close"),
        ("1.0", "Connection: keep-alive\r\n", "keep-alive"),
    ] {
        for target in ["/inventory/products?id=1", "/nothing"] {
            let mut client = Client::connect(server.addr());
            // The second is the last that the profile allows.
            for expected in [first, "close"] {
                let head = format!("GET {target} HTTP/{version}\r\nHost: m\r\n{wish}\r\n");
                client.write(head.as_bytes());
                let answer = client.read(false);
                let said = answer.field("connection");
                assert_eq!(said, Some(expected), "{version} {wish:?} {target}");
                let timeout = answer.field("keep-alive");
                assert_eq!(timeout.is_some(), expected == "keep-alive");
                if expected == "close" {
                    break;
                }
            }
            assert!(client.read_to_end().is_empty());
        }
    }
}
