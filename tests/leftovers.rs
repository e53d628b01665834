//! What a `compare` leaves in its directory, however it ends.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::fanout;
use common::scripted::Scripted;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn compare(out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(fanout());
    command.args(["compare", "--out"]).arg(out).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until something is so, which it is at once or never.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "still waiting for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A session whose first sample lasts, and has saved a body.
fn saving(out: &Path, strategy: &str) -> Child {
    let child = compare(out, &["--save", "--workers=4", "--requests=20000"])
        .args(["--delay=1ms", "--samples=1", "--strategies", strategy])
        .spawn()
        .unwrap();
    let files = out.join("files.partial");
    eventually("a body", || {
        let samples = names(&files);
        samples
            .iter()
            .any(|sample| !names(&files.join(sample)).is_empty())
    });
    child
}

#[test]
fn killed_session_leaves_no_bodies() {
    for strategy in ["tokio", "thread-pool", "multiprocess"] {
        let out = tempfile::tempdir().unwrap();
        let mut child = saving(out.path(), strategy);
        child.kill().unwrap();
        child.wait().unwrap();
        eventually("the end of the bodies", || {
            names(out.path()) == ["record.jsonl.partial"]
        });
    }
}

#[test]
fn terminated_session_leaves_no_bodies_and_no_directory() {
    let above = tempfile::tempdir().unwrap();
    let mut child = saving(&above.path().join("a/b"), "multiprocess");
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(id, Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // Nothing was measured: the directory itself was made for nothing.
    assert_eq!(names(above.path()), [""; 0]);
}

#[test]
fn bodies_of_an_earlier_session_are_cleared() {
    let out = tempfile::tempdir().unwrap();
    let (left, kept) = (
        out.path().join("files.partial/x"),
        out.path().join("files/y"),
    );
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("00000000.body"), "left").unwrap();
    fs::create_dir_all(&kept).unwrap();
    let few = [
        "--save",
        "--workers=2",
        "--requests=10",
        "--delay=0",
        "--samples=1",
    ];
    let status = compare(out.path(), &few).arg("--strategies=tokio").status();
    assert!(status.unwrap().success());
    assert!(!names(out.path()).contains(&"files.partial".to_owned()));
    assert!(kept.exists());
}

#[test]
fn refused_session_leaves_nothing() {
    let above = tempfile::tempdir().unwrap();
    let out = above.path().join("a/b");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let silent = format!("http://{}/x", closed.unwrap());
    for url in ["http://127.0.0.1:99999/x", "ftp://127.0.0.1/x", &silent] {
        let status = compare(&out, &["--url", url]).status().unwrap();
        assert!(!status.success(), "{url}");
        assert_eq!(names(above.path()), [""; 0], "{url}");
    }
    // Nor is there anything while the server is asked, when a signal ends it at once.
    let early = Arc::new(AtomicBool::new(false));
    let (seen, dir) = (Arc::clone(&early), above.path().to_owned());
    let server = Scripted::start(move |exchange| {
        seen.fetch_or(!names(&dir).is_empty(), Relaxed);
        exchange.answer(500, b"")
    });
    let url = format!("{}/x", server.url());
    let refused = compare(&out, &["--url", &url]).status().unwrap();
    assert!(!refused.success() && !early.load(Relaxed));
    assert_eq!(names(above.path()), [""; 0]);
}
