//! The program as its users meet it: what it prints, writes and refuses, and
//! what it leaves behind, which is nothing.

#![cfg(unix)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::fanout;
use common::scripted::{Scripted, Then};
#[cfg(target_os = "linux")]
use common::{bundled_server, descendants};
use fanout::record::{Ending, Record, SampleResult};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(fanout());
    command.args(arguments).env("NO_COLOR", "1");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn out() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// `compare` into a directory, with a small batch and a short delay.
fn compare(out: &Path, more: &[&str]) -> Output {
    let out = out.to_str().unwrap();
    let mut arguments = vec!["compare"];
    for (option, value, unless) in [
        ("--delay", "5ms", ""),
        ("--requests", "10", ""),
        ("--samples", "1", "--time"),
        ("--out", out, ""),
    ] {
        if !more.contains(&option) && !more.contains(&unless) {
            arguments.extend([option, value]);
        }
    }
    arguments.extend(more);
    run(&arguments)
}

/// The words of an error, once it is seen to be one.
fn refused(output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(stderr.contains("error:"), "{stderr}");
    stderr
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn compare_measures_every_strategy_and_writes_every_file() {
    let out = out();
    let output = compare(out.path(), &["--workers", "2,5", "--samples", "2"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        names(out.path()),
        [
            "gap.png",
            "gap.svg",
            "latency.png",
            "latency.svg",
            "record.jsonl",
            "report.html",
            "resources.png",
            "resources.svg",
            "runtime.png",
            "runtime.svg",
            "split.png",
            "split.svg",
            "summary.csv",
            "summary.md",
            "timeline.png",
            "timeline.svg",
        ]
    );
    let mut csv = csv::Reader::from_path(out.path().join("summary.csv")).unwrap();
    let head: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
    let promised = "strategy,client,dispatch,reuse,workers,requests,samples,warm_s,cold_s,bound_s,\
                    gap,ok,failed,cpu_s,peak_rss_bytes,threads,connections";
    assert!(head.join(",").starts_with(promised), "{head:?}");
    let rows: Vec<std::collections::HashMap<String, String>> =
        csv.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 17);
    for row in rows {
        assert_eq!(
            (row["ok"].as_str(), row["failed"].as_str()),
            ("10", "0"),
            "{row:?}"
        );
        assert_eq!(row["samples"], "2");
        let number = |field: &str| -> f64 { row[field].parse().unwrap() };
        let gap = number("warm_s") / number("bound_s") - 1.0;
        assert!((gap - number("gap")).abs() < 1e-6, "{row:?}");
        assert!(number("cold_s") >= number("warm_s"));
        assert!(number("gap") >= 0.0);
    }
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    assert_eq!(record.ending, Ending::Complete);
    assert_eq!(record.samples.len(), 34);
    assert!(record.session.notes[0].contains("sequential uses 1 worker"));
    let stdout = text(&output.stdout);
    assert!(
        stdout.contains("multiprocess") && !stdout.contains('\x1b'),
        "{stdout}"
    );
}

#[test]
fn json_is_alone_on_standard_output() {
    let out = out();
    let output = compare(
        out.path(),
        &[
            "--strategies",
            "tokio",
            "--workers",
            "2",
            "--format",
            "json",
        ],
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json.is_object());
    let list: serde_json::Value =
        serde_json::from_slice(&run(&["list", "--format", "json"]).stdout).unwrap();
    assert_eq!(
        list["strategies"].as_array().unwrap().len(),
        fanout::strategy::Catalogue::bundled().entries().len()
    );
}

#[test]
fn list_says_how_stock_clients_differ() {
    let table = text(&run(&["list"]).stdout);
    let json: serde_json::Value =
        serde_json::from_slice(&run(&["list", "--format", "json"]).stdout).unwrap();
    let clients = json["clients"].as_array().unwrap();
    for (name, tuned) in [("ureq-stock", "ureq"), ("hyper-stock", "hyper")] {
        let line = clients.iter().find(|client| client["name"] == name);
        let stock = &line.unwrap()["stock"];
        assert_eq!(stock["tuned"], tuned);
        let differs = stock["differs"].as_str().unwrap();
        assert!(
            table.contains(&format!("unlike {tuned}: {differs}")),
            "{table}"
        );
        assert!(
            table.contains(&format!("only with --clients {name}")),
            "{table}"
        );
    }
    assert!(clients.iter().any(|client| client["stock"].is_null()));
}

#[test]
fn report_draws_the_same_again() {
    let (out, again) = (out(), out());
    compare(
        out.path(),
        &["--strategies", "tokio,sequential", "--workers", "2"],
    );
    let dir = out.path().to_str().unwrap();
    let output = run(&["report", dir, "--out", again.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for name in ["summary.csv", "summary.md", "runtime.svg", "runtime.png"] {
        let read = |dir: &Path| fs::read(dir.join(name)).unwrap();
        assert!(read(out.path()) == read(again.path()), "{name} differs");
    }
}

#[test]
fn a_server_of_ones_own_is_measured_as_far_as_it_can_be_verified() {
    let server = Scripted::start(|exchange| match exchange.target {
        "/fixed" => exchange.answer(200, b"[1]"),
        target if target.starts_with("/inventory/") => {
            let id = target.rsplit('=').next().unwrap();
            let body = format!(r#"{{"id":"{id}","name":"n","price":"1.00 EUR","quantity":"1"}}"#);
            exchange.answer(200, body.as_bytes())
        }
        target if target.starts_with("/html/") => exchange.answer(200, b"<p>"),
        _ => exchange.answer(404, b"no"),
    });
    let verified = |path: &str| {
        let out = out();
        let url = format!("{}{path}", server.url());
        let output = compare(out.path(), &["--url", &url, "--workers", "2"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        Record::read(&out.path().join("record.jsonl"))
            .unwrap()
            .session
            .verified
    };
    assert!(verified("").contains("inventory record"));
    assert!(verified("/fixed").contains("JSON"));
    assert_eq!(verified("/html/{index}"), "status 2xx");

    let out = out();
    let refuse = |path: &str, more: &[&str]| {
        let url = format!("{}{path}", server.url());
        refused(&compare(out.path(), &[&["--url", &url], more].concat()))
    };
    assert!(refuse("/missing", &[]).contains("404"));
    assert!(refuse("/html/1", &["--expect", "json"]).contains("not JSON"));
    assert!(refuse("/{name}", &[]).contains("{name}"));
    assert_eq!(names(out.path()), [""; 0]);
}

#[test]
fn a_profile_is_served_and_its_drawn_times_bound_the_runtime() {
    let out = out();
    let dir = out.path().to_str().unwrap();
    let compare = |more: &[&str]| {
        let mut arguments = vec![
            "compare",
            "--requests",
            "20",
            "--workers",
            "4",
            "--out",
            dir,
        ];
        arguments.extend(["--strategies", "tokio,thread-pool"]);
        arguments.extend(more);
        run(&arguments)
    };
    let exponential = ["--set", "service_time.mean=5ms", "--profile", "exponential"];
    let output = compare(&exponential);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    let server = &record.session.server;
    assert_eq!(server.profile.as_deref(), Some("exponential"));
    let (mean, longest) = (server.service_s.unwrap(), server.longest_s.unwrap());
    assert!(longest > mean && mean > 0.0005, "{mean} {longest}");
    for sample in &record.samples {
        let fanout::record::SampleResult::Measured(measured) = &sample.result else {
            panic!("{sample:?}");
        };
        assert!(
            measured.warm_s >= longest.max(mean * 20.0 / 4.0),
            "{measured:?}"
        );
        // Every strategy meets the same latency for the same request.
        let slowest = measured
            .outcomes
            .latency_s
            .iter()
            .zip(&measured.outcomes.index)
            .max_by(|a, b| a.0.total_cmp(b.0))
            .unwrap();
        assert!(*slowest.0 >= longest, "{slowest:?}");
        assert!(measured.server.is_some());
    }

    let output = compare(&[
        "--profile",
        "steady",
        "--delay",
        "1ms",
        "--set",
        "faults.error=1",
    ]);
    assert!(
        refused(&output).contains("no cell got valid responses"),
        "{}",
        text(&output.stdout)
    );
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    let kinds: Vec<_> = record
        .samples
        .iter()
        .map(|sample| match &sample.result {
            fanout::record::SampleResult::Measured(measured) => measured.failures.clone(),
            fanout::record::SampleResult::Error(error) => panic!("{error}"),
        })
        .collect();
    for kind in kinds {
        assert_eq!((kind[0].kind.as_str(), kind[0].count), ("status", 20));
    }
    assert!(refused(&compare(&["--profile", "nonesuch"])).contains("nonesuch"));
    assert!(refused(&compare(&["--samples", "2", "--time", "1s"])).contains("--time"));
    for wrong in [
        &["--set", "capacity.servers=0"],
        &["--capacity-servers", "0"],
    ] {
        assert!(refused(&compare(wrong)).contains("capacity.servers"));
    }
    let elsewhere = ["--url", "http://127.0.0.1:9", "--capacity-servers", "2"];
    assert!(refused(&compare(&elsewhere)).contains("bundled server"));
}

#[test]
fn every_workload_of_the_bundled_server_is_verified_byte_for_byte() {
    for (workload, said) in [
        ("users", "the fifty users of seed 1"),
        ("files", "the file of 3000 bytes of seed 1"),
    ] {
        let out = out();
        let output = compare(
            out.path(),
            &[
                "--workload",
                workload,
                "--set=body.file_size=3000",
                "--strategies=tokio,multiprocess",
                "--workers=2",
            ],
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        let record = std::fs::read_to_string(out.path().join("record.jsonl")).unwrap();
        assert!(record.contains(said), "{record}");
    }
    let error = refused(&compare(out().path(), &["--workload", "user"]));
    assert!(error.contains("inventory, users, files"), "{error}");
}

#[test]
fn bad_input_is_named_with_the_way_out() {
    let out = out();
    let (_held, nobody) = common::deaf_port();
    let nobody = format!("http://{nobody}");
    for (arguments, expected) in [
        (["--strategies", "tokyo"], "did you mean `tokio`"),
        (["--strategies", "nothing-like-it"], "known: sequential"),
        (["--workers", "0"], "whole number from 1"),
        (["--workers", "3,x"], "'x'"),
        (["--requests", "0"], "whole number from 1"),
        (["--samples", "0"], "1..=10000"),
        (["--delay", "soon"], "soon"),
        (["--delay", "-5ms"], "-5ms"),
        (["--timeout", "0"], "more than 0"),
        (["--time", "0"], "more than 0"),
        (["--retry-base", "1s"], "--retries"),
        (["--retry-cap", "1s"], "--retries"),
        (["--time", "later"], "later"),
        (["--overlap", "--serial"], "--url"),
        (["--profile", "steady,nonesuch"], "nonesuch"),
        (["--clients", "curl"], "known: ureq, reqwest, hyper"),
        (["--url", "localhost:1"], "localhost:1"),
        (["--url", "https://127.0.0.1"], "https://127.0.0.1"),
        (["--url", &nobody], "cannot connect"),
        (["--out", "/proc/nowhere"], "/proc/nowhere"),
        (["--out", "/dev/null/x"], "/dev/null/x"),
    ] {
        let error = refused(&compare(out.path(), &arguments));
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    assert_eq!(
        names(out.path()),
        [""; 0],
        "nothing is written before it is checked"
    );
}

#[test]
fn strategies_that_do_not_go_with_a_client_are_said() {
    let out = out();
    let output = compare(
        out.path(),
        &[
            "--clients",
            "hyper",
            "--strategies",
            "rayon,tokio",
            "--workers",
            "2",
        ],
    );
    assert!(
        text(&output.stdout).contains("rayon is left out"),
        "{}",
        text(&output.stdout)
    );
    let error = refused(&compare(
        out.path(),
        &["--clients", "hyper", "--strategies", "rayon"],
    ));
    assert!(error.contains("(rayon) can use hyper"), "{error}");
}

#[test]
fn records_that_cannot_be_read_are_told_apart() {
    let out = out();
    compare(out.path(), &["--strategies", "tokio", "--workers", "1,2"]);
    let path = out.path().join("record.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let dir = out.path().to_str().unwrap();
    let csv = fs::read(out.path().join("summary.csv")).unwrap();
    let refuse = |record: &str| {
        fs::write(&path, record).unwrap();
        refused(&run(&["report", dir]))
    };

    assert!(refuse(&whole[..whole.len() - 10]).contains("cut off"));
    let partial = run(&["report", dir, "--partial", "--format", "csv"]);
    assert!(partial.status.success(), "{}", text(&partial.stderr));
    assert_eq!(text(&partial.stdout).lines().count(), 3);

    let future = whole.replacen("\"version\":1", "\"version\":99", 1);
    assert!(refuse(&future).contains("format version 99"));
    assert!(refuse(&whole.replacen("\"round\":0", "\"round\":\"x\"", 1)).contains("line 2"));
    assert!(refuse("hello\n").contains("not a fanout record"));
    assert!(refuse("").contains("not a fanout record"));
    assert_eq!(fs::read(out.path().join("summary.csv")).unwrap(), csv);
    fs::write(&path, &whole).unwrap();
    fs::write(out.path().join("record.jsonl.partial"), &whole).unwrap();
    assert!(refused(&run(&["report", dir, "--partial"])).contains("--out"));
    fs::remove_file(out.path().join("record.jsonl.partial")).unwrap();
    assert!(refuse(&format!("{whole}{whole}")).contains("after the end"));
    fs::remove_file(&path).unwrap();
    assert!(refused(&run(&["report", dir])).contains("fanout compare --out"));
    fs::write(out.path().join("record.jsonl.partial"), &whole).unwrap();
    // Cut off before its first sample, it has nothing to draw.
    let session = whole.lines().next().unwrap();
    let unfinished = out.path().join("record.jsonl.partial");
    fs::write(&unfinished, format!("{session}\n")).unwrap();
    assert!(refused(&run(&["report", dir, "--partial"])).contains("no complete sample"));
    fs::write(&unfinished, &whole).unwrap();
    let error = refused(&run(&["report", dir]));
    assert!(
        error.contains(&format!("fanout report --partial {dir}")),
        "{error}"
    );
}

#[test]
fn a_server_that_dies_between_samples_leaves_rows_not_ruins() {
    let server = Scripted::start(|exchange| {
        if exchange.earlier < 16 {
            exchange.answer(200, b"{}")
        } else {
            Then::Close
        }
    });
    let out = out();
    let url = format!("{}/x", server.url());
    let output = compare(
        out.path(),
        &["--url", &url, "--strategies", "tokio", "--workers", "1,2"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    let failed: Vec<_> = record
        .samples
        .iter()
        .map(|sample| match &sample.result {
            fanout::record::SampleResult::Measured(measured) => measured.failed(),
            fanout::record::SampleResult::Error(error) => panic!("{error}"),
        })
        .collect();
    // Three requests were the probe's.
    assert_eq!(failed, [0, 7]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_server_costs_its_sample_and_the_next_has_another() {
    let out = out();
    let (child, mut lines) = long_compare(out.path());
    assert!(lines.any(|line| line.starts_with("[2/")));
    let server = bundled_server(id(&child).as_raw());
    kill(Pid::from_raw(server), Signal::SIGKILL).unwrap();
    // Whatever the sample met, its failures are not the strategy's.
    let cost = |line: &String| line.contains("server has ended");
    assert!(lines.any(|line| cost(&line)));
    assert!(lines.any(|line| !cost(&line) && line.ends_with(" s")));
    kill(id(&child), Signal::SIGINT).unwrap();
    let said: Vec<_> = lines.collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{said:?}");
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    assert!(record.samples.len() >= 4);
    for sample in &record.samples {
        if let SampleResult::Measured(measured) = &sample.result {
            assert_eq!(measured.failed(), 0, "{}", sample.cell);
        }
    }
}

/// A running `compare` with many samples, and its standard error.
fn long_compare(out: &Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = command(&[
        "compare",
        "--strategies",
        "tokio,multiprocess",
        "--workers",
        "2",
        "--delay",
        "20ms",
        "--requests",
        "10",
        "--samples",
        "5000",
        "--out",
        out.to_str().unwrap(),
    ])
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    (child, lines.map(Result::unwrap))
}

fn id(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

#[test]
fn ctrl_c_keeps_and_reports_what_was_measured() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let out = out();
        let (mut child, mut lines) = long_compare(out.path());
        assert!(lines.any(|line| line.starts_with("[3/")));
        kill(id(&child), signal).unwrap();
        let said: Vec<_> = lines.collect();
        let mut stdout = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{said:?}");
        assert!(said.iter().any(|line| line.contains("stopped")), "{said:?}");
        assert!(stdout.contains("tokio"), "{stdout}");
        let record = Record::read(&out.path().join("record.jsonl")).unwrap();
        assert_eq!(record.ending, Ending::Interrupted);
        assert!(record.samples.len() >= 3);
        assert!(!names(out.path()).contains(&"record.jsonl.partial".to_owned()));
    }
}

/// Waits until something is so, which it is at once or never.
#[cfg(target_os = "linux")]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "still waiting for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_compare_leaves_no_process_behind() {
    let out = out();
    let (mut child, mut lines) = long_compare(out.path());
    // So that there is something to salvage.
    assert!(lines.any(|line| line.starts_with("[2/")));
    let said = std::thread::spawn(move || lines.count());
    // The server, a sample, and that sample's worker processes.
    let mut below = Vec::new();
    eventually("a sample with worker processes", || {
        below = descendants(id(&child).as_raw());
        below.len() >= 4
    });
    child.kill().unwrap();
    child.wait().unwrap();
    // One that has ended may wait for its new parent to see to it.
    let gone = |process: &i32| {
        fs::read_to_string(format!("/proc/{process}/stat")).map_or(true, |stat| {
            stat.rsplit(')').next().unwrap().starts_with(" Z")
        })
    };
    eventually("the end of what it started", || below.iter().all(gone));
    assert!(said.join().unwrap() > 0);
    // What was being written is there to salvage.
    let dir = out.path().to_str().unwrap();
    assert_eq!(names(out.path()), ["record.jsonl.partial"]);
    let salvaged = run(&["report", dir, "--partial"]);
    assert!(salvaged.status.success(), "{}", text(&salvaged.stderr));
    // And it is still there when the next session writes in the same place.
    let next = run(&[
        "compare",
        "--strategies",
        "tokio",
        "--workers",
        "2",
        "--delay",
        "0",
        "--out",
        dir,
    ]);
    assert!(
        text(&next.stderr).contains("record.jsonl.partial.1"),
        "{}",
        text(&next.stderr)
    );
    let (aside, elsewhere) = (
        out.path().join("record.jsonl.partial.1"),
        out.path().join("earlier"),
    );
    let salvaged = run(&[
        "report",
        aside.to_str().unwrap(),
        "--partial",
        "--out",
        elsewhere.to_str().unwrap(),
    ]);
    assert!(salvaged.status.success(), "{}", text(&salvaged.stderr));
}

/// Runs `compare` in a shell with limits set.
fn limited(limits: &str, out: &Path, more: &str) -> Output {
    Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{limits}; exec \"$0\" compare --delay 0 --out \"$1\" {more}"
        ))
        .arg(fanout())
        .arg(out)
        .output()
        .unwrap()
}

#[test]
fn too_few_file_descriptors_are_said_before_anything_is_measured() {
    let out = out();
    let output = limited("ulimit -n 80", out.path(), "--workers 100");
    let error = refused(&output);
    assert!(
        error.contains("ulimit -Hn") && error.contains("80"),
        "{error}"
    );
    assert_eq!(names(out.path()), [""; 0]);
}

#[test]
fn a_disk_that_is_full_does_not_touch_an_older_record() {
    let out = out();
    compare(out.path(), &["--strategies", "tokio", "--workers", "1"]);
    let before = fs::read(out.path().join("record.jsonl")).unwrap();
    // No file may grow beyond a few kilobytes, which stands in for a full disk.
    let limits = "trap '' XFSZ; ulimit -f 16";
    let output = limited(
        limits,
        out.path(),
        "--strategies tokio --workers 1 --samples 50",
    );
    let error = refused(&output);
    assert!(error.contains("record"), "{error}");
    assert_eq!(fs::read(out.path().join("record.jsonl")).unwrap(), before);
}

#[test]
fn output_that_nobody_reads_is_no_failure() {
    let output = Command::new("sh")
        .arg("-c")
        .arg("\"$0\" list --format json | true")
        .arg(fanout())
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_log_that_nobody_reads_stops_no_session_and_a_verdict_needs_no_reader() {
    let session = |server: &str, redirect: &str| {
        let out = out();
        let script = format!(
            "{{ \"$0\" compare --strategies tokio --workers 1,2,3 --requests 3 --samples 1 \
             {server} --out \"$1\" {redirect}; echo $? >\"$2\"; }} | true"
        );
        let status = out.path().join("status");
        Command::new("sh")
            .args(["-c", &script])
            .arg(fanout())
            .args([&out.path().join("results"), &status])
            .output()
            .unwrap();
        let record = Record::read(&out.path().join("results/record.jsonl")).unwrap();
        assert_eq!(record.samples.len(), 3);
        fs::read_to_string(status).unwrap().trim().to_owned()
    };
    assert_eq!(session("--delay 1ms", "2>&1"), "0");
    let failing = "--delay 1ms --set faults.error=1";
    assert_eq!(session(failing, "2>/dev/null"), "1");
}

#[test]
fn a_session_stopped_before_its_first_sample_leaves_older_results_alone() {
    let out = out();
    compare(out.path(), &["--strategies", "tokio", "--workers", "1"]);
    let all = |dir: &Path| -> Vec<_> {
        let names = names(dir).into_iter();
        names
            .map(|name| (fs::read(dir.join(&name)).unwrap(), name))
            .collect()
    };
    let before = all(out.path());
    let server = Scripted::start(|exchange| match exchange.earlier {
        // What the probe asks for; then it is silent.
        0..=2 => exchange.answer(200, b"{}"),
        _ => exchange.hang(),
    });
    let url = format!("{}/x", server.url());
    let dir = out.path().to_str().unwrap();
    let mut child = command(&["compare", "--url", &url, "--out", dir])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    // Its first word is that the first sample has begun.
    stderr.read_exact(&mut [0]).unwrap();
    kill(id(&child), Signal::SIGINT).unwrap();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("before the first sample"), "{said}");
    assert!(all(out.path()) == before, "older results changed");
}

#[test]
fn two_sessions_do_not_write_into_one_record() {
    let out = out();
    let (mut child, mut lines) = long_compare(out.path());
    assert!(lines.any(|line| line.starts_with("[1/")));
    let error = refused(&compare(out.path(), &["--strategies", "tokio"]));
    assert!(error.contains("another fanout"), "{error}");
    kill(id(&child), Signal::SIGINT).unwrap();
    let _ = lines.count();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    Record::read(&out.path().join("record.jsonl")).unwrap();
}

#[test]
fn serve_refuses_a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = refused(&run(&["serve", "--port", &port]));
    assert!(error.contains(&port), "{error}");
}

#[test]
fn help_has_examples() {
    for verb in ["compare", "list", "report", "serve"] {
        let help = text(&run(&[verb, "--help"]).stdout);
        assert!(help.contains("Usage:"), "{help}");
    }
    assert!(text(&run(&["--help"]).stdout).contains("Examples:"));
    assert!(text(&run(&["compare", "--help"]).stdout).contains("Examples:"));
}

#[test]
fn retries_and_the_server_s_journal_agree() {
    let out = out();
    let output = compare(
        out.path(),
        &[
            "--requests",
            "40",
            "--workers=5",
            "--strategies=thread-pool,tokio",
            "--retries=12",
            "--retry-base=1ms",
            "--faults-error=0.3",
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    assert_eq!(record.samples.len(), 2);
    for sample in &record.samples {
        let SampleResult::Measured(measured) = &sample.result else {
            panic!("{:?}", sample.result);
        };
        assert!(!measured.retried.index.is_empty());
        assert_eq!(
            measured.retried.waited_s.len(),
            measured.retried.index.len()
        );
        assert_eq!(measured.ok + measured.failed(), 40);
    }
}

#[test]
fn failures_in_every_cell_are_a_result_and_no_answer_at_all_is_none() {
    let flaky = out();
    let arguments = ["--requests", "60", "--workers=5", "--strategies=tokio"];
    let some = [&arguments[..], &["--faults-error=0.4"]].concat();
    let output = compare(flaky.path(), &some);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("every cell had failed requests"));
    let all = [&arguments[..], &["--faults-error=1"]].concat();
    let error = refused(&compare(out().path(), &all));
    assert!(error.contains("no cell got valid responses"), "{error}");
}

#[test]
fn a_server_that_dies_between_samples_is_not_said_never_to_have_answered() {
    // The last request after the one before it: the end of a sequential batch.
    let (nearly, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let server = Scripted::start(move |exchange| {
        if over.load(Relaxed) {
            return exchange.answer(500, b"");
        }
        nearly.fetch_or(exchange.target == "/8", Relaxed);
        over.store(nearly.load(Relaxed) && exchange.target == "/9", Relaxed);
        exchange.answer(200, b"{}")
    });
    let url = format!("{}/{{index}}", server.url());
    let arguments = ["--url", &url, "--samples", "2", "--strategies=sequential"];
    let output = compare(out().path(), &arguments);
    let error = refused(&output);
    assert!(
        error.contains("no cell got valid responses in most of its samples"),
        "{error}"
    );
    let shown = text(&output.stdout);
    assert!(!shown.contains("no request"), "{shown}");
}

#[test]
fn files_that_were_kept_are_in_nobody_s_way_and_stay() {
    let out = out();
    let save = ["--save", "--workers=2", "--strategies=tokio"];
    let keep = [&save[..], &["--keep-files"]].concat();
    assert!(compare(out.path(), &keep).status.success());
    let kept = names(&out.path().join("files"));
    assert_eq!(kept.len(), 1);
    let error = refused(&compare(out.path(), &keep));
    assert!(
        error.contains("--out") && error.contains("files"),
        "{error}"
    );
    assert!(compare(out.path(), &save).status.success());
    assert_eq!(names(&out.path().join("files")), kept);
    let cell = out.path().join("files").join(&kept[0]);
    assert_eq!(names(&cell).len(), 10);
}

#[test]
fn a_directory_s_name_may_be_any_bytes() {
    use std::os::unix::ffi::OsStrExt;

    let out = out();
    let dir = out.path().join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    let mut command = command(&["compare", "--requests=3", "--delay=1ms", "--samples=1"]);
    command
        .args(["--workers=1", "--strategies=tokio", "--out"])
        .arg(&dir);
    let output = command.output().unwrap();
    // A file system may refuse such a name; nothing panics over it.
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!error.contains("panicked"), "{error}");
    assert_eq!(
        output.status.success(),
        dir.join("record.jsonl").exists(),
        "{error}"
    );
}

#[test]
fn a_table_whose_columns_the_server_goes_by_is_refused_and_others_are_sent() {
    let out = out();
    let table = out.path().join("t.csv");
    fs::write(&table, "id,lang\n41,en\n42,de\n").unwrap();
    let table = table.to_str().unwrap();
    let arguments = ["--strategies=tokio", "--workers=1", "--table", table];
    let records = [&arguments[..], &["--workload=records"]].concat();
    let output = run(&[
        &["compare", "--out", out.path().to_str().unwrap()],
        &records[..],
    ]
    .concat());
    assert!(refused(&output).contains("column `id`"));
    let server = Scripted::start(|exchange| {
        let wanted = ["/?id=41&lang=en", "/?id=42&lang=de"];
        let known = wanted.contains(&exchange.target);
        exchange.answer(if known { 200 } else { 404 }, b"{}")
    });
    let url = format!("{}/?id={{id}}&lang={{lang}}", server.url());
    let all = ["--samples=1", "--url", &url];
    let output = run(&[
        &["compare", "--out", out.path().to_str().unwrap()],
        &arguments[..],
        &all,
    ]
    .concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn a_hangup_that_is_ignored_stops_nothing() {
    let out = out();
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(fanout())
        .args([
            "compare",
            "--strategies",
            "tokio",
            "--workers",
            "2",
            "--delay",
            "20ms",
        ])
        .args(["--requests", "10", "--samples", "4", "--serial", "--out"])
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    kill(id(&child), Signal::SIGHUP).unwrap();
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    assert_eq!((record.ending, record.samples.len()), (Ending::Complete, 4));
}

#[test]
fn the_total_of_requests_is_stated_before_the_first() {
    let server = Scripted::start(|exchange| exchange.answer(200, b"{}"));
    let (out, url) = (out(), format!("{}/x", server.url()));
    let few = [
        "--url",
        &url,
        "--strategies",
        "tokio",
        "--workers",
        "1,2",
        "--samples",
        "3",
    ];
    let said = text(&compare(out.path(), &few).stderr);
    let host = server.url();
    let host = host.trim_start_matches("http://");
    let total = format!("2 cells × 3 samples × 10 requests = 60 requests to {host}\n");
    assert!(said.contains(&total), "{said}");
    assert!(said.find(&total) < said.find("[1/"), "{said}");
}

#[test]
fn files_that_are_saved_need_descriptors_as_well() {
    let out = out();
    let more = "--workload files --fsync --strategies thread-pool --workers 100";
    let error = refused(&limited("ulimit -n 170", out.path(), more));
    assert!(error.contains("open files"), "{error}");
}
