//! What a profile does to connections.

use std::time::Duration;

use crate::support::{AT_ONCE, Client, profiled};

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
