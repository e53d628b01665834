//! What clients see: the endpoints over real sockets.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::support::{Client, call};
use mock_server::inventory::{self, Kind};
use mock_server::journal::{Page, Route};
use mock_server::{Config, Server};

fn instant() -> Server {
    Server::start(Config::default().with_delay(Duration::ZERO)).unwrap()
}

#[test]
fn the_inventory_answers_what_the_library_says() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    for kind in Kind::ALL {
        for id in ["0", "49", "x y", "é"] {
            let escaped: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let answer = client.call("GET", &format!("/inventory/{kind}?id={escaped}"));
            assert_eq!(answer.status, 200);
            let content_type = answer.field("content-type");
            assert_eq!(content_type, Some("application/json; charset=utf-8"));
            assert_eq!(answer.body, inventory::body(1, kind, id));
        }
    }
    assert_eq!(server.journal().summary.connections_opened, 1);
}

#[test]
fn any_id_is_answered_with_json_that_echoes_it() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    for (query, id) in [
        ("id=a%22b%5C", "a\"b\\"),
        ("id=", ""),
        ("id=%00%ff", "\u{0}\u{fffd}"),
        ("id=1&id=2", "1"),
        ("id=%zz", "%zz"),
    ] {
        let answer = client.call("GET", &format!("/inventory/products?{query}"));
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(answer.json()["id"], id, "{query}");
    }
}

#[test]
fn the_seed_decides_the_records_and_nothing_else_does() {
    let config = || Config::default().with_delay(Duration::ZERO);
    let target = "/inventory/products?id=3";
    let one = Server::start(config().with_seed(1)).unwrap();
    let again = Server::start(config().with_seed(1).with_threads(1)).unwrap();
    let other = Server::start(config().with_seed(2)).unwrap();
    call(again.addr(), "GET", "/inventory/products?id=99");
    let body = |server: &Server| call(server.addr(), "GET", target).body;
    assert_eq!(body(&one), body(&again));
    assert_ne!(body(&one), body(&other));
}

#[test]
fn what_is_not_there_is_refused_in_json() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    for (method, target, status, allow) in [
        ("GET", "/inventory/gadgets?id=1", 404, None),
        ("GET", "/nothing", 404, None),
        ("GET", "/inventory/products", 400, None),
        ("POST", "/inventory/products?id=1", 405, Some("GET, HEAD")),
        ("DELETE", "/health", 405, Some("GET, HEAD")),
        ("PUT", "/journal", 405, Some("GET, HEAD, DELETE")),
        ("GET", "/journal?limit=x", 400, None),
        ("GET", "/journal?limit=10001", 400, None),
    ] {
        let answer = client.call(method, target);
        assert_eq!(answer.status, status, "{method} {target}");
        assert_eq!(answer.field("allow"), allow, "{method} {target}");
        assert!(answer.json()["error"].is_string(), "{method} {target}");
    }
    let summary = server.journal().summary;
    assert_eq!((summary.arrived, summary.unmatched), (0, 4));
}

#[test]
fn head_has_the_fields_of_get_and_no_body() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    let get = client.call("GET", "/inventory/products?id=1");
    let head = client.call("HEAD", "/inventory/products?id=1");
    assert_eq!(head.status, 200);
    assert_eq!(head.field("content-length"), get.field("content-length"));
    assert_eq!(client.call("GET", "/health").status, 200);
}

#[test]
fn the_delay_is_that_of_one_request_however_many_are_in_flight() {
    let delay = Duration::from_secs(1);
    let server = Server::start(Config::default().with_delay(delay)).unwrap();
    let started = Instant::now();
    let mut clients: Vec<_> = (0..50).map(|_| Client::connect(server.addr())).collect();
    for (id, client) in clients.iter_mut().enumerate() {
        client.send("GET", &format!("/inventory/materials?id={id}"));
    }
    for client in &mut clients {
        assert_eq!(client.read(false).status, 200);
    }
    assert!(started.elapsed() >= delay);
    // All were in flight together, which is what a delay that does not
    // serialise means; no clock is needed to see it.
    assert_eq!(server.journal().summary.most_in_flight, 50);
}

#[test]
fn the_journal_counts_each_id_and_starts_anew_when_told() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    for id in ["0", "1", "1", "odd id", "07"] {
        let target = format!("/inventory/products?id={}", id.replace(' ', "+"));
        client.call("GET", &target);
    }
    let answer = client.call("GET", "/journal?offset=1&limit=2");
    let page: Page = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((page.summary.arrived, page.summary.completed), (5, 5));
    assert_eq!((page.summary.distinct, page.summary.duplicate), (4, 1));
    assert_eq!((page.total, page.offset, page.next_offset), (4, 1, Some(3)));
    let ids: Vec<_> = page.ids.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["1", "07"]);
    assert_eq!(server.journal().counts(Route::Products, "1").completed, 2);

    assert_eq!(client.call("DELETE", "/journal").status, 204);
    let summary = server.journal().summary;
    assert_eq!(
        (
            summary.arrived,
            summary.distinct,
            summary.connections_opened
        ),
        (0, 0, 0)
    );
}

#[test]
fn bytes_are_counted_in_both_directions() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    let request = b"GET /inventory/products?id=1 HTTP/1.1\r\nHost: m\r\n\r\n";
    for _ in 0..3 {
        client.write(request);
        let answer = client.read(false);
        let length = answer.head.len() + answer.body.len();
        let summary = server.journal().summary;
        assert_eq!(
            (summary.bytes_received, summary.bytes_sent),
            (request.len() as u64, length as u64)
        );
        server.reset_journal();
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    let heads: String = (0..20)
        .map(|id| format!("GET /inventory/products?id={id} HTTP/1.1\r\nHost: m\r\n\r\n"))
        .collect();
    client.write(heads.as_bytes());
    for id in 0..20 {
        assert_eq!(client.read(false).json()["id"], id.to_string());
    }
}

#[test]
fn a_client_that_is_done_sending_still_gets_its_answer() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    client.send("GET", "/inventory/products?id=1");
    client.stream().shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(false).status, 200);
    assert!(client.read_to_end().is_empty());
}

#[test]
fn bodies_that_no_route_wants_do_not_break_the_connection() {
    let server = instant();
    let mut client = Client::connect(server.addr());
    client.write(b"POST /nothing HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.read(false).status, 404);
    client.write(b"POST /nothing HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.write(b"5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(client.read(false).status, 404);
}

#[test]
fn what_is_not_http_is_refused_and_the_others_are_served() {
    let server = instant();
    let mut other = Client::connect(server.addr());
    for (bytes, status) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"[..], 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (
            b"GET / HTTP/1.1\r\nHost: m\r\nContent-Length: x\r\n\r\n",
            400,
        ),
        (&[b'x'; 20_000], 431),
    ] {
        let mut client = Client::connect(server.addr());
        client.write(bytes);
        let answer = client.read(false);
        assert_eq!(answer.status, status);
        assert_eq!(other.call("GET", "/health").status, 200);
    }
}

#[test]
fn stopping_finishes_what_is_in_flight_and_closes_what_is_idle() {
    let config = Config::default().with_delay(Duration::from_millis(200));
    let server = Server::start(config).unwrap();
    let addr = server.addr();
    let mut idle = Client::connect(addr);
    assert_eq!(idle.call("GET", "/health").status, 200);
    let mut busy = Client::connect(addr);
    busy.send("GET", "/inventory/products?id=1");
    while server.journal().summary.arrived == 0 {
        std::thread::yield_now();
    }
    let journal = server.stop().unwrap();
    assert_eq!(journal.summary.completed, 1);
    assert_eq!(busy.read(false).status, 200);
    assert!(busy.read_to_end().is_empty());
    assert!(idle.read_to_end().is_empty());
    assert!(std::net::TcpStream::connect(addr).is_err());
}

#[test]
fn stopping_is_bounded_by_the_grace() {
    let config = Config::default()
        .with_delay(Duration::from_secs(3600))
        .with_grace(Duration::from_millis(10));
    let server = Server::start(config).unwrap();
    let mut busy = Client::connect(server.addr());
    busy.send("GET", "/inventory/products?id=1");
    while server.journal().summary.arrived == 0 {
        std::thread::yield_now();
    }
    let summary = server.stop().unwrap().summary;
    assert_eq!((summary.completed, summary.aborted), (0, 1));
}

#[test]
fn a_request_names_one_host() {
    let server = instant();
    let get = |fields: &str, version: &str| {
        let mut client = Client::connect(server.addr());
        let head = format!("GET /inventory/products?id=1 HTTP/{version}\r\n{fields}\r\n");
        client.write(head.as_bytes());
        client.read(false).status
    };
    for (fields, status) in [
        ("Host: a\r\n", 200),
        ("Host: 127.0.0.1:3000\r\n", 200),
        ("Host: [::1]:3000\r\n", 200),
        ("Host: a_b.example\r\n", 200),
        ("Host:\r\n", 200),
        ("", 400),
        ("Host: a\r\nHost: a\r\n", 400),
        ("Host: a\r\nHost: b\r\n", 400),
        ("Host: a b\r\n", 400),
        ("Host: a/b\r\n", 400),
        ("Host: u@a\r\n", 400),
        ("Host: a:x\r\n", 400),
    ] {
        assert_eq!(get(fields, "1.1"), status, "{fields:?}");
        // An older client need not name one.
        let older = if fields.is_empty() { 200 } else { status };
        assert_eq!(get(fields, "1.0"), older, "{fields:?}");
    }
}

#[test]
fn a_refused_body_ends_its_connection_and_says_so() {
    let server = instant();
    for (field, body, status) in [
        ("Transfer-Encoding: chunked", "zz\r\nhello\r\n", 400),
        ("Content-Length: 2000000", "", 413),
    ] {
        let mut client = Client::connect(server.addr());
        client.write(format!("POST /echo HTTP/1.1\r\nHost: m\r\n{field}\r\n\r\n{body}").as_bytes());
        let answer = client.read(false);
        assert_eq!(answer.status, status, "{field}");
        assert_eq!(answer.field("connection"), Some("close"), "{field}");
        assert!(client.read_to_end().is_empty());
    }
}
