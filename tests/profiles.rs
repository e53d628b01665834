//! The profile of a session: read once, and the same for every server that is
//! started, whatever becomes of its file.

#![cfg(unix)]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use common::fanout;
use fanout::measure::{Behaviour, ServerProcess};
use fanout::record::{Record, SampleResult};

/// `compare` of a profile that two servers are started for, as samples of 100 ms
/// or more run side by side.
fn compare(profile: &str, out: &Path) -> Command {
    let mut command = Command::new(fanout());
    command
        .args([
            "compare",
            "--strategies",
            "tokio,thread-pool",
            "--workers",
            "1,2",
        ])
        .args([
            "--requests",
            "4",
            "--samples",
            "2",
            "--profile",
            profile,
            "--out",
        ])
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Checks that every sample met answers of at least 30 ms and none of 200 ms, but for
/// those that came to nothing, and counts these.
fn took_30_ms(out: &Path) -> usize {
    let record = Record::read(&out.join("record.jsonl")).unwrap();
    assert_eq!(record.session.server.service_s, Some(0.03));
    assert!(record.session.server.digest.is_some());
    assert_eq!(record.samples.len(), 8);
    let mut lost = 0;
    for sample in &record.samples {
        let SampleResult::Measured(measured) = &sample.result else {
            lost += 1;
            continue;
        };
        let fastest = measured.outcomes.latency_s.iter().copied().reduce(f64::min);
        assert!(
            (0.03..0.2).contains(&fastest.unwrap()),
            "{}: {fastest:?}",
            sample.cell
        );
    }
    lost
}

const THIRTY: &str = "service_time = { kind = 'fixed', time = '30ms' }\n";

#[test]
fn a_profile_that_can_be_read_once_is_read_once() {
    let out = tempfile::tempdir().unwrap();
    let mut child = compare("/dev/stdin", out.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(THIRTY.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(took_30_ms(out.path()), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_edit_during_the_session_changes_no_server() {
    use std::io::{BufRead, BufReader};

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let (out, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let profile = dir.path().join("p.toml");
    fs::write(&profile, THIRTY).unwrap();
    let mut child = compare(profile.to_str().unwrap(), out.path())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The first sample is done, or being taken.
    lines.next().unwrap().unwrap();
    fs::write(
        &profile,
        "service_time = { kind = 'fixed', time = '900ms' }\n",
    )
    .unwrap();
    // What is measured after this comes from a server that starts after the edit.
    let server = common::bundled_server(i32::try_from(child.id()).unwrap());
    kill(Pid::from_raw(server), Signal::SIGKILL).unwrap();
    let ended = |line: &String| line.contains("server has ended");
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| ended(&line)));
    let after = lines.filter(|line| !ended(line) && line.ends_with(" s"));
    assert!(after.count() >= 2);
    assert!(child.wait().unwrap().success());
    assert!(took_30_ms(out.path()) > 0);
}

#[test]
fn a_program_that_serves_another_profile_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = dir.path().join("other");
    // The real server, by a profile of its own.
    let script = format!(
        "#!/bin/sh\nexec '{}' serve --port 0 --exit-with-parent --delay 7ms\n",
        fanout().display()
    );
    fs::write(&server, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&server, mode).unwrap();
    let behaviour = Behaviour::of(None, None, &[], 1).unwrap();
    let error = ServerProcess::start(&server, &behaviour)
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("another profile"), "{error}");
}
