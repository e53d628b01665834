//! Text and files from elsewhere: what a server answers, and what a path leads
//! to.

#![cfg(unix)]

mod common;

use std::process::{Command, Output};

use common::fanout;
use common::scripted::Scripted;

fn compare(arguments: &[&str]) -> Output {
    let out = tempfile::tempdir().unwrap();
    Command::new(fanout())
        .arg("compare")
        .args(arguments)
        .args([
            "--strategies",
            "tokio",
            "--workers",
            "2",
            "--samples",
            "1",
            "--out",
        ])
        .arg(out.path())
        .output()
        .unwrap()
}

#[test]
fn an_answer_cannot_write_to_the_terminal() {
    for (status, body) in [(200, "{\"\u{1b}]0;owned\u{7}"), (500, "\u{1b}[2J\u{9b}31m")] {
        let server = Scripted::start(move |exchange| exchange.answer(status, body.as_bytes()));
        let url = format!("{}/x?{{index}}", server.url());
        for expect in ["json", "status"] {
            let output = compare(&["--url", &url, "--expect", expect, "--requests", "4"]);
            for text in [output.stdout, output.stderr] {
                let text = String::from_utf8(text).unwrap();
                let acting = text.chars().find(|c| c.is_control() && *c != '\n');
                assert_eq!(acting, None, "{text}");
            }
        }
    }
}

#[test]
fn a_table_without_an_end_is_refused() {
    let url = "http://127.0.0.1:9/{id}";
    for table in ["/dev/zero", "/dev", "/dev/random"] {
        let output = compare(&["--url", url, "--table", table]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(error.contains("a device or a directory"), "{error}");
    }
}

#[test]
fn a_record_that_is_no_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("record.jsonl")).unwrap();
    let output = Command::new(fanout())
        .arg("report")
        .arg(dir.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no regular file"), "{error}");
}

#[test]
fn a_secret_of_the_url_is_sent_and_kept_nowhere() {
    let server = Scripted::start(|exchange| {
        let target = exchange.target.to_owned();
        assert!(
            target.contains("api_key=S3CRET") && target.contains("mine=S3CRET"),
            "{target}"
        );
        // Some fail, so that a failure's words are kept as well.
        let status = if target.contains("n=3") { 401 } else { 200 };
        exchange.answer(status, b"{}")
    });
    let url = format!("{}/x?n={{index}}&api_key=S3CRET&mine=S3CRET", server.url());
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(fanout())
        .args([
            "compare",
            "--strategies",
            "tokio,multiprocess",
            "--workers",
            "1,2",
        ])
        .args([
            "--samples",
            "1",
            "--requests",
            "6",
            "--secret",
            "mine",
            "--url",
            &url,
            "--out",
        ])
        .arg(out.path())
        .output()
        .unwrap();
    let clean = |bytes: &[u8], what: &str| {
        let found = bytes.windows(6).any(|window| window == b"S3CRET");
        assert!(!found, "{what}: {}", String::from_utf8_lossy(bytes));
    };
    clean(&output.stdout, "standard output");
    clean(&output.stderr, "standard error");
    let mut files = 0;
    for file in std::fs::read_dir(out.path()).unwrap() {
        let path = file.unwrap().path();
        clean(&std::fs::read(&path).unwrap(), &path.display().to_string());
        files += 1;
    }
    assert!(files > 5 && output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("api_key=***"), "{text}");
}

#[test]
fn report_hides_a_secret_that_the_record_holds() {
    let server = Scripted::start(|exchange| exchange.answer(200, b"{}"));
    let url = format!("{}/x?n={{index}}&mine=S3CRET", server.url());
    let dirs = tempfile::tempdir().unwrap();
    let (measured, out) = (dirs.path().join("measured"), dirs.path().join("out"));
    let compared = Command::new(fanout())
        .args(["compare", "--strategies", "tokio", "--workers", "2"])
        .args(["--samples", "1", "--requests", "4", "--url", &url, "--out"])
        .arg(&measured)
        .output()
        .unwrap();
    assert!(compared.status.success(), "{compared:?}");
    let reported = Command::new(fanout())
        .args(["report", "--secret", "mine", "--out"])
        .args([&out, &measured])
        .output()
        .unwrap();
    assert!(reported.status.success(), "{reported:?}");
    let holds = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"S3CRET");
    assert!(holds(&compared.stdout) && !holds(&reported.stdout));
    let files = std::fs::read_dir(&out).unwrap().map(|file| file.unwrap());
    let files: Vec<_> = files.map(|file| file.path()).collect();
    assert!(files.len() > 5);
    for path in files {
        assert!(!holds(&std::fs::read(&path).unwrap()), "{}", path.display());
    }
}
