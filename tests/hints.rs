//! What a command says when it is used otherwise than it is meant, or a server
//! answers otherwise than expected: the way on must be one that works.

#![cfg(unix)]

mod common;

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use common::fanout;
use common::scripted::Scripted;

/// What a comparison that cannot run says, on one line.
fn complaint(arguments: &[&str]) -> String {
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(fanout())
        .arg("compare")
        .args(arguments)
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    error.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_status_has_a_way_on_of_its_own() {
    let server = Scripted::start(|exchange| {
        let status = exchange.target.trim_start_matches('/').to_owned();
        let location = match status.as_str() {
            "301" => "location: /elsewhere?a=1\r\n",
            _ => "",
        };
        let head = format!("HTTP/1.1 {status} X\r\n{location}content-length: 0\r\n\r\n");
        exchange.raw(head.as_bytes())
    });
    let elsewhere = "use a path that the server has";
    for (status, expected, is_about_path) in [
        (301, "use the target /elsewhere?a=1", false),
        (302, "use the URL that it leads to", false),
        (401, "credentials", false),
        (403, "--secret NAME", false),
        (404, elsewhere, true),
        (405, "requests are GET;", true),
        (422, "check the path and query", true),
        (429, "--retries N", false),
        (500, "see its log", false),
    ] {
        let error = complaint(&["--url", &format!("{}/{status}", server.url())]);
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.contains(elsewhere), is_about_path, "{error}");
        assert!(error.contains(&format!(": status {status} ")), "{error}");
        assert!(!error.contains("status: status"), "{error}");
    }
}

#[test]
fn a_url_with_odd_characters_is_refused_by_name() {
    for (path, expected) in [
        ("/a<b", "%3C"),
        ("/a b", "%20"),
        ("/{\"a\":1}", "%7B"),
        ("/{", "%7B"),
    ] {
        let error = complaint(&["--url", &format!("http://127.0.0.1:9{path}")]);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn refused_values_are_not_offered() {
    let error = complaint(&["--timeout", "5"]);
    assert!(error.contains("5s") && !error.contains("or 0"), "{error}");
    let error = complaint(&["--rate-limit-rate", "30"]);
    assert!(error.contains("--rate-limit-burst N"), "{error}");
    let error = complaint(&["--rate", "30", "--url", "http://127.0.0.1:9"]);
    assert!(error.contains("fewer --workers"), "{error}");
}

/// What a short comparison writes to a terminal of this kind.
fn on_terminal(kind: Option<&str>) -> String {
    let out = tempfile::tempdir().unwrap();
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut command = Command::new(fanout());
    command
        .args(["compare", "--strategies", "tokio", "--delay", "1ms"])
        .args(["--workers", "1,2", "--samples", "1", "--out"])
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::from(terminal.slave))
        .env_remove("TERM");
    if let Some(kind) = kind {
        command.env("TERM", kind);
    }
    let mut child = command.spawn().unwrap();
    // The last writer's end: what is held here would keep the terminal open.
    drop(command);
    let mut written = Vec::new();
    // Linux ends a terminal without writers with an error.
    let _ = File::from(terminal.master).read_to_end(&mut written);
    assert!(child.wait().unwrap().success());
    String::from_utf8(written).unwrap()
}

#[test]
fn a_terminal_that_draws_no_bar_has_a_line_per_sample() {
    for kind in [None, Some("dumb")] {
        let written = on_terminal(kind);
        for line in ["[1/2] tokio", "[2/2] tokio"] {
            assert!(written.contains(line), "{kind:?}: {written}");
        }
        assert!(!written.contains('\u{1b}'), "{written:?}");
    }
    // The bar moves the cursor.
    assert!(on_terminal(Some("xterm")).contains('\u{1b}'));
}
