//! The program as another program uses it: its first line, its exit codes, and
//! that it never outlives its parent when told not to.

use crate::support;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running program that is killed when the test ends, however it ends.
pub(crate) struct Program {
    pub(crate) child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) addr: SocketAddr,
}

impl Program {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let addr = line
            .trim_end()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("first line: {line:?}"))
            .parse()
            .unwrap();
        Self { child, out, addr }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-server"));
    command.args(args);
    command
}

#[test]
fn its_first_line_says_where_it_listens() {
    let program = Program::start(&["--port", "0", "--delay", "0", "--seed", "7"]);
    let answer = support::call(program.addr, "GET", "/inventory/products?id=1");
    let expected = mock_server::inventory::body(7, mock_server::inventory::Kind::Products, "1");
    assert_eq!(answer.body, expected);
}

#[cfg(unix)]
#[test]
fn signals_stop_it_with_success() {
    for signal in ["-INT", "-TERM"] {
        let mut program = Program::start(&["--port", "0", "--delay", "0"]);
        assert_eq!(support::call(program.addr, "GET", "/health").status, 200);
        let pid = program.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(program.child.wait().unwrap().code(), Some(0), "{signal}");
        let mut rest = String::new();
        program.out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

#[test]
fn it_ends_with_its_parent_when_asked_to() {
    let mut program = Program::start(&["--port", "0", "--exit-with-parent"]);
    drop(program.child.stdin.take());
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_in_use_is_an_error_with_the_way_out() {
    let program = Program::start(&["--port", "0"]);
    let output = command(&["--port", &program.addr.port().to_string()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&program.addr.to_string()), "{error}");
    assert!(error.contains("--port"), "{error}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_delay_that_does_not_parse_is_named() {
    let output = command(&["--delay", "200"]).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("`200`") && error.contains("200ms"),
        "{error}"
    );
}

#[test]
fn presets_are_listed_and_shown_as_profiles() {
    let listed = command(&["--list-profiles"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().count() >= 7);
    for line in listed.lines() {
        let name = line.split_whitespace().next().unwrap();
        let shown = command(&["--show-profile", name]).output().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        std::fs::write(&file, shown.stdout).unwrap();
        let program = Program::start(&["--port", "0", "--profile", file.to_str().unwrap()]);
        assert_eq!(support::call(program.addr, "GET", "/health").status, 200);
    }
}

#[test]
fn a_profile_that_is_wrong_is_an_error_that_names_the_key() {
    for (args, parts) in [
        (&["--profile", "no-such"][..], ["no-such", "rate-limited"]),
        (
            &["--set", "capacity.servers=0"],
            ["capacity.servers", "from 1"],
        ),
        (&["--set", "faults.reset=2"], ["faults.reset", "0 to 1"]),
        (&["--set", "nonsense=2"], ["nonsense", "unknown"]),
        (
            &["--show-profile", "no-such"],
            ["no-such", "--list-profiles"],
        ),
    ] {
        let output = command(args).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

/// A thread that is held up before it reads a request is as late as one that is
/// held up after.
#[cfg(target_os = "linux")]
#[test]
fn a_stall_before_a_request_is_read_counts_as_lateness() {
    use std::time::{Duration, Instant};

    let program = Program::start(&["--port", "0", "--delay", "20ms", "--threads", "1"]);
    let signal = |name: &str| {
        let pid = program.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    };
    let mut client = support::Client::connect(program.addr);
    for stalls in [false, true] {
        let began = Instant::now();
        if stalls {
            signal("-STOP");
        }
        client.send("GET", "/inventory/products?id=1");
        // The stall itself: the request has come, and waits this long at least.
        if stalls {
            std::thread::sleep(Duration::from_millis(300));
            signal("-CONT");
        }
        assert_eq!(client.read(false).status, 200);
        // No answer is early, whatever the clocks say.
        assert!(began.elapsed() >= Duration::from_millis(20));
    }
    let page = client.call("GET", "/journal?limit=0").json();
    let lateness = &page["summary"]["lateness"];
    let (count, max) = (&lateness["count"], lateness["max_ms"].as_f64().unwrap());
    assert_eq!(count, 2);
    assert!(max >= 270.0, "{lateness}");
}
