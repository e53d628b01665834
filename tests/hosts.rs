//! Servers by other names than 127.0.0.1, paths as they are given, and servers
//! that the probe must treat as the cells will.

#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;

use common::fanout;
use common::scripted::Scripted;

fn compare(arguments: &[&str]) -> Output {
    let out = tempfile::tempdir().unwrap();
    Command::new(fanout())
        .arg("compare")
        .args(arguments)
        .args([
            "--workers",
            "2",
            "--samples",
            "1",
            "--requests",
            "4",
            "--format",
            "csv",
            "--out",
        ])
        .arg(out.path())
        .output()
        .unwrap()
}

fn succeeds(arguments: &[&str]) -> String {
    let output = compare(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

/// The mock server on an address; stopped at the end.
struct Server(Child, String);

impl Server {
    fn on(host: &str) -> Option<Self> {
        TcpListener::bind((host, 0)).ok()?;
        let mut child = Command::new(fanout())
            .args([
                "serve",
                "--port",
                "0",
                "--delay",
                "1ms",
                "--exit-with-parent",
                "--host",
                host,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().to_owned();
        Some(Self(child, port))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_strategy_reaches_hosts_by_name_and_by_ipv6() {
    // A name with several addresses, of which one listens.
    let named = Server::on("127.0.0.1").unwrap();
    let csv = succeeds(&["--url", &format!("http://localhost:{}", named.1)]);
    assert!(!csv.contains("failed"), "{csv}");
    // Where there is no IPv6 there is nothing to reach.
    if let Some(server) = Server::on("::1") {
        succeeds(&["--url", &format!("http://[::1]:{}", server.1)]);
    }
}

#[test]
fn the_root_is_sent_as_given() {
    let (sender, targets) = channel();
    let sender = std::sync::Mutex::new(sender);
    let server = Scripted::start(move |exchange| {
        sender
            .lock()
            .unwrap()
            .send(exchange.target.to_owned())
            .unwrap();
        exchange.answer(200, b"{}")
    });
    for (path, expected) in [("/", "/"), ("/?a={index}", "/?a="), ("?a=1", "/?a=1")] {
        succeeds(&[
            "--strategies",
            "tokio",
            "--url",
            &format!("{}{path}", server.url()),
        ]);
        let seen: Vec<_> = targets.try_iter().collect();
        assert!(
            seen.len() >= 4 && seen.iter().all(|seen| seen.starts_with(expected)),
            "{seen:?}"
        );
    }
    // A bare origin is an inventory.
    compare(&["--strategies", "tokio", "--url", &server.url()]);
    assert!(
        targets
            .try_iter()
            .all(|seen| seen.starts_with("/inventory/"))
    );
}

#[test]
fn a_body_that_is_encoded_unasked_is_told_at_the_probe() {
    let server = Scripted::start(|exchange| {
        exchange.raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
              content-length: 4\r\n\r\n\x1f\x8b\x08\x00",
        )
    });
    let url = format!("{}/x", server.url());
    let said = succeeds(&["--strategies", "tokio", "--url", &url]);
    assert!(said.contains("encodes bodies (gzip)"), "{said}");
    let refused = compare(&["--strategies", "tokio", "--url", &url, "--expect", "json"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("encodes bodies (gzip)") && said.contains("--expect"),
        "{said}"
    );
}

/// A server that gives one response per connection, and closes it without a word.
fn one_each() -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                match stream.read(&mut byte) {
                    Ok(1) => head.push(byte[0]),
                    _ => break,
                }
            }
            if head.starts_with(b"STOP") {
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        }
    });
    (url, serving)
}

#[test]
fn the_probe_keeps_no_connection_where_the_cells_keep_none() {
    let (url, serving) = one_each();
    for strategy in ["thread-pool", "tokio"] {
        for _ in 0..2 {
            succeeds(&[
                "--strategies",
                strategy,
                "--reuse",
                "per-request",
                "--url",
                &url,
            ]);
        }
    }
    let address = url.trim_start_matches("http://").trim_end_matches("/x");
    let mut last = std::net::TcpStream::connect(address).unwrap();
    last.write_all(b"STOP\r\n\r\n").unwrap();
    serving.join().unwrap();
}
