//! Clients that leave while their request waits, and those that only seem to.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::program::Program;
use crate::support::{AT_ONCE, Client, call, profiled, until};
use crate::versions::encrypted;
use mock_server::{Config, Server, Tls};

const REQUEST: &[u8] = b"GET /inventory/products?id=1 HTTP/1.1\r\nHost: m\r\n\r\n";

const HOUR: &str = "service_time = { kind = \"fixed\", time = \"1h\" }\n";

/// A client whose request waits.
fn waiting(server: &Server) -> TcpStream {
    let arrived = server.journal().summary.arrived;
    let mut client = TcpStream::connect(server.addr()).unwrap();
    client.write_all(REQUEST).unwrap();
    until(|| server.journal().summary.arrived > arrived);
    client
}

fn reset(client: TcpStream) {
    socket2::SockRef::from(&client)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(client);
}

/// The one place that a server has is free again.
fn is_let_go(server: &Server, aborted: u64) {
    assert_eq!(call(server.addr(), "GET", "/health").status, 200);
    assert_eq!(server.journal().summary.aborted, aborted);
}

#[test]
fn a_client_that_leaves_while_it_waits_is_let_go() {
    for held in [
        HOUR,
        // A fault holds the request, after its service time or at once.
        "faults = { hang = 1.0, hang_time = \"1h\" }",
        "service_time = { kind = \"fixed\", time = \"0\" }\nfaults = { hang = 1.0, hang_time = \"1h\" }",
    ] {
        let server = profiled(&format!("{held}\nconnections = {{ max = 1 }}"));
        drop(waiting(&server));
        is_let_go(&server, 1);
        reset(waiting(&server));
        is_let_go(&server, 2);
        // Behind what it sent meanwhile.
        let mut client = waiting(&server);
        client.write_all(REQUEST).unwrap();
        drop(client);
        is_let_go(&server, 3);
        // Long after it was done sending.
        let client = waiting(&server);
        client.shutdown(Shutdown::Write).unwrap();
        let mut first = [0; 1];
        assert_eq!(client.peek(&mut first).unwrap(), 1);
        drop(client);
        is_let_go(&server, 4);
    }
}

#[test]
fn a_client_that_leaves_amid_a_slow_answer_is_let_go() {
    let text = "body = { chunk = 1, gap = \"1h\" }\nconnections = { max = 1 }";
    let server = profiled(&format!("{AT_ONCE}{text}"));
    reset(waiting(&server));
    is_let_go(&server, 1);
}

#[test]
fn a_client_that_is_done_sending_gets_what_it_waits_for() {
    let server = profiled("service_time = { kind = \"fixed\", time = \"100ms\" }");
    // One request, two, and one that is sent while the first waits.
    for (at_once, later) in [(1, 0), (2, 0), (1, 1)] {
        server.reset_journal();
        let mut client = Client::connect(server.addr());
        client.write(&REQUEST.repeat(at_once));
        until(|| server.journal().summary.arrived > 0);
        client.write(&REQUEST.repeat(later));
        client.stream().shutdown(Shutdown::Write).unwrap();
        for _ in 0..at_once + later {
            let answer = client.read(false);
            assert_eq!(
                (answer.status, &*answer.json()["id"].to_string()),
                (200, "\"1\"")
            );
        }
        assert!(client.read_to_end().is_empty());
        let summary = server.journal().summary;
        assert_eq!(
            (summary.completed, summary.aborted),
            ((at_once + later) as u64, 0)
        );
    }
}

#[test]
fn bytes_are_counted_once_for_a_client_that_is_done_sending() {
    let server = profiled("service_time = { kind = \"fixed\", time = \"100ms\" }");
    let mut client = Client::connect(server.addr());
    client.write(REQUEST);
    client.stream().shutdown(Shutdown::Write).unwrap();
    let answer = client.read_to_end();
    let summary = server.journal().summary;
    assert_eq!(summary.bytes_sent, answer.len() as u64);
    assert_eq!(summary.bytes_received, REQUEST.len() as u64);
}

#[test]
fn what_is_sent_while_another_waits_is_served_in_turn() {
    let server = profiled("service_time = { kind = \"fixed\", time = \"50ms\" }");
    let mut client = Client::connect(server.addr());
    client.write(REQUEST);
    until(|| server.journal().summary.arrived > 0);
    // More than is read ahead.
    let others: String = (0..1000)
        .map(|id| format!("GET /health HTTP/1.1\r\nHost: m\r\nX-Id: {id}\r\n\r\n"))
        .collect();
    client.write(others.as_bytes());
    client.write(b"POST /echo HTTP/1.1\r\nHost: m\r\nContent-Length: 8\r\n\r\nG\r\n\r\nGET");
    for _ in 0..1001 {
        assert_eq!(client.read(false).status, 200);
    }
    assert_eq!(client.read(false).json()["body"], "G\r\n\r\nGET");
}

/// A client over TLS, or HTTP/2, of hyper's.
mod others {
    use super::*;
    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper::Request;
    use hyper::client::conn::{http1, http2};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    fn leave(server: &Server, over: impl AsyncFnOnce()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let before = server.journal().summary;
        runtime.block_on(async {
            let arrival = async {
                while server.journal().summary.arrived == before.arrived {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = over() => panic!("it was answered"),
                () = arrival => {}
            }
        });
        drop(runtime);
        until(|| server.journal().summary.aborted > before.aborted);
    }

    fn request() -> Request<Empty<Bytes>> {
        let request = Request::get("http://localhost/inventory/products?id=1");
        request
            .header("host", "localhost")
            .body(Empty::new())
            .unwrap()
    }

    #[test]
    fn a_client_that_leaves_over_http2_is_let_go() {
        let server = profiled(&format!("{HOUR}connections = {{ max = 1 }}"));
        leave(&server, async || {
            let stream = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .unwrap();
            tokio::spawn(connection);
            let _ = sender.send_request(request()).await;
        });
        assert_eq!(call(server.addr(), "GET", "/health").status, 200);
    }

    #[test]
    fn a_client_that_leaves_over_tls_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let certificate = dir.path().join("ca.pem");
        let config = Config::default()
            .with_delay(Duration::from_secs(3600))
            .with_tls(Tls::new(Some(certificate.clone())));
        let server = Server::start(config).unwrap();
        leave(&server, async || {
            let stream = encrypted(&server, &certificate, b"http/1.1").await;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let _ = sender.send_request(request()).await;
        });
    }
}

/// Many of them leave nothing behind in a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn clients_that_leave_give_back_their_descriptors() {
    let program = Program::start(&["--port", "0", "--delay", "1h"]);
    let addr = program.addr;
    let descriptors = format!("/proc/{}/fd", program.child.id());
    let open = || std::fs::read_dir(&descriptors).unwrap().count();
    let journal = |count: &str| -> u64 {
        let page = call(addr, "GET", "/journal?limit=0").json();
        page["summary"][count].as_u64().unwrap()
    };
    let before = open();
    for round in 1..=2 {
        let clients: Vec<_> = (0..200)
            .map(|_| {
                let mut client = TcpStream::connect(addr).unwrap();
                client.write_all(REQUEST).unwrap();
                client
            })
            .collect();
        until(|| journal("arrived") == round * 200);
        assert!(open() >= before + 200);
        drop(clients);
        until(|| journal("aborted") == round * 200 && open() <= before + 1);
    }
}
