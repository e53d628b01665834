//! Hostile and broken clients: the server keeps answering the others.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{AT_ONCE, Client, call, profiled};
use proptest::prelude::*;

#[test]
fn clients_that_never_finish_a_head_hold_up_nobody() {
    let server = profiled(AT_ONCE);
    let slow: Vec<_> = (0..200)
        .map(|_| {
            let mut client = Client::connect(server.addr());
            client.write(b"GET /inventory/products?id=1 HTTP/1.1\r\nHost: m\r\nX-Sl");
            client
        })
        .collect();
    assert_eq!(
        call(server.addr(), "GET", "/inventory/products?id=2").status,
        200
    );
    drop(slow);
    // The server stops at once, although they were told ten seconds.
    assert_eq!(server.stop().unwrap().summary.completed, 1);
}

/// Found by throwing mutated requests at it: these two bytes may yet become the
/// preface of HTTP/2, and hid the end of the connection behind them.
#[test]
fn a_client_that_leaves_within_the_preface_is_let_go() {
    let server = profiled(&format!("{AT_ONCE}connections = {{ max = 1 }}"));
    let mut gone = TcpStream::connect(server.addr()).unwrap();
    gone.write_all(b"PR").unwrap();
    drop(gone);
    // There is one place, so this is answered only when the first has ended.
    assert_eq!(call(server.addr(), "GET", "/health").status, 200);
}

#[test]
fn thousands_of_idle_connections_cost_nobody_an_answer() {
    // A connection has two ends in this process, and the tests beside this one
    // need files as well.
    let files = mock_server::limits::raise_open_files().unwrap();
    let count = (files.saturating_sub(2000) / 2).min(10_000);
    assert!(count >= 100, "{files} files are too few to tell anything");
    if count < 10_000 {
        eprintln!("{count} idle connections: the limit is {files} open files, 22,000 make 10,000");
    }
    let server = profiled(AT_ONCE);
    let mut idle: Vec<_> = (0..count)
        .map(|_| {
            let client = TcpStream::connect(server.addr()).unwrap();
            // Thousands of ports would otherwise be taken for a minute after it.
            socket2::SockRef::from(&client)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            client
        })
        .collect();
    // Each is open, and not in the backlog alone.
    while server.journal().summary.connections_opened < count {
        std::thread::yield_now();
    }
    for id in 0..10 {
        let answer = call(
            server.addr(),
            "GET",
            &format!("/inventory/products?id={id}"),
        );
        assert_eq!(answer.status, 200);
    }
    // They are served as well, the first of them and the last.
    let last = idle.len() - 1;
    for stream in [idle.swap_remove(last), idle.swap_remove(0)] {
        let mut client = Client::over(stream);
        assert_eq!(client.call("GET", "/health").status, 200);
    }
    assert_eq!(server.journal().summary.aborted, 0);
}

#[test]
fn connections_that_are_reset_in_flight_count_as_aborted() {
    let server = profiled("service_time = { kind = \"fixed\", time = \"1s\" }");
    for id in 0..20 {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        write!(
            client,
            "GET /inventory/products?id={id} HTTP/1.1\r\nHost: m\r\n\r\n"
        )
        .unwrap();
        while server.journal().summary.arrived <= id {
            std::thread::yield_now();
        }
        socket2::SockRef::from(&client)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }
    assert_eq!(
        call(server.addr(), "GET", "/inventory/materials?id=1").status,
        200
    );
    let summary = server.stop().unwrap().summary;
    assert_eq!(
        (summary.arrived, summary.completed, summary.aborted),
        (21, 1, 20)
    );
}

#[test]
fn an_answer_that_nobody_reads_does_not_stop_the_others() {
    let server = profiled(AT_ONCE);
    let mut lazy = Client::connect(server.addr());
    lazy.send("GET", "/files/1?size=100000000");
    for id in 0..10 {
        assert_eq!(
            call(server.addr(), "GET", &format!("/files/{id}"))
                .body
                .len(),
            20_600
        );
    }
    drop(lazy);
}

#[cfg(target_os = "linux")]
#[test]
fn when_file_descriptors_run_out_those_connected_are_still_served() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let mut child = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 40 && exec \"$0\" --port 0 --delay 0 --exit-with-parent",
        ])
        .arg(env!("CARGO_BIN_EXE_mock-server"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let addr = line
        .trim()
        .strip_prefix("listening on http://")
        .unwrap()
        .parse()
        .unwrap();
    let mut first = Client::connect(addr);
    assert_eq!(first.call("GET", "/health").status, 200);
    let others: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(addr).unwrap())
        .collect();
    let mut complaint = String::new();
    BufReader::new(child.stderr.as_mut().unwrap())
        .read_line(&mut complaint)
        .unwrap();
    assert!(complaint.contains("ulimit -n"), "{complaint}");
    assert_eq!(first.call("GET", "/inventory/products?id=1").status, 200);
    drop(others);
    assert_eq!(call(addr, "GET", "/inventory/products?id=2").status, 200);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Heads that are nearly right: where a parser is most likely to slip.
fn nearly_http() -> impl Strategy<Value = Vec<u8>> {
    let whole = b"GET /inventory/products?id=1 HTTP/1.1\r\nHost: m\r\nContent-Length: 3\r\n\r\nabc";
    let edits = proptest::collection::vec((0..whole.len(), any::<u8>(), 0u8..3), 0..6);
    edits.prop_map(move |edits| {
        let mut bytes = whole.to_vec();
        for (at, byte, kind) in edits {
            let at = at.min(bytes.len() - 1);
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

#[test]
fn no_bytes_stop_the_server() {
    let server = profiled(AT_ONCE);
    let any_bytes = proptest::collection::vec(any::<u8>(), 0..400);
    let preface = any_bytes.clone().prop_map(|mut rest| {
        // Whatever follows the greeting of HTTP/2.
        rest.splice(0..0, *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        rest
    });
    let target = "[!-~]{0,60}"
        .prop_map(|target| format!("GET /{target} HTTP/1.1\r\nHost: m\r\n\r\n").into_bytes());
    let input = prop_oneof![any_bytes, preface, target, nearly_http()];
    proptest!(ProptestConfig::with_cases(400), |(bytes in input)| {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        // The server may have had enough before the last byte.
        let _ = client.write_all(&bytes);
    });
    assert_eq!(
        call(server.addr(), "GET", "/inventory/products?id=1").status,
        200
    );
    server.stop().unwrap();
}
