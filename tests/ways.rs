//! Every way to run a batch: dispatch, reuse of connections, runtime threads,
//! what follows a failure, and what becomes of answers, in every strategy.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use common::scripted::{Scripted, Then};
use common::{Kept, SEED, entries, fanout, inventory, label};
use fanout::client::{Client, Handling, Retry, Save, Work};
use fanout::measure::{self, Job, Terms};
use fanout::record::{Cell, Measurement};
use fanout::strategy::{Batch, Catalogue, Dispatch, Entry, InOrder, Sink};
use fanout::workload::{Bundled, Expect, Gets, Table, Template, Workload};
use mock_server::profile::Profile;

/// Long enough that no test waits for it by accident.
const PATIENT: Duration = Duration::from_secs(60);

fn mock_server(delay: Duration) -> mock_server::Server {
    let config = mock_server::Config::default()
        .with_delay(delay)
        .with_seed(SEED);
    mock_server::Server::start(config).unwrap()
}

/// A job for a strategy with its first client, over three workers.
fn job(entry: &Entry, url: &str, workload: Gets) -> Job {
    Job {
        cell: Cell {
            strategy: entry.name.to_owned(),
            client: entry.clients[0].name().to_owned(),
            dispatch: "queue".to_owned(),
            reuse: "session".to_owned(),
            runtime_threads: None,
            processes: None,
            workers: 3,
            workers_usable: entry.usable_workers(3),
            requests: workload.requests(),
            profile: None,
        },
        terms: Terms::new(workload, url, PATIENT),
    }
}

fn records(requests: usize) -> Gets {
    (*inventory(requests, Expect::Record { seed: SEED })).clone()
}

fn run(job: &Job, entry: &Entry) -> Measurement {
    measure::run(job, entry, &fanout(), |_| {}).unwrap_or_else(|e| panic!("{}: {e}", label(entry)))
}

#[test]
fn no_request_of_a_chunk_begins_before_the_chunk_before_it_has_ended() {
    for entry in entries() {
        let server = mock_server(Duration::from_millis(2));
        let mut job = job(&entry, &server.url(), records(11));
        job.cell.dispatch = "chunked".to_owned();
        let measured = run(&job, &entry);
        let (name, outcomes) = (label(&entry), &measured.outcomes);
        assert_eq!((measured.ok, measured.failed()), (11, 0), "{name}");
        let chunk = |place: usize| outcomes.index[place] as usize / job.cell.workers_usable;
        for place in 0..outcomes.index.len() {
            let earlier = (0..place).filter(|earlier| chunk(*earlier) < chunk(place));
            let ends = earlier.map(|at| outcomes.started_s[at] + outcomes.latency_s[at]);
            let last = ends.fold(0.0, f64::max);
            assert!(outcomes.started_s[place] >= last, "{name}: {outcomes:?}");
        }
        assert_eq!(server.journal().summary.arrived, 11, "{name}");
    }
}

#[test]
fn per_request_opens_a_connection_a_request_and_closes_it() {
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let mut job = job(&entry, &server.url(), records(12));
        job.cell.reuse = "per-request".to_owned();
        let measured = run(&job, &entry);
        let name = label(&entry);
        assert_eq!((measured.ok, measured.failed()), (12, 0), "{name}");
        assert_eq!(measured.connections, 12, "{name}");
        assert!(measured.connecting_s > 0.0, "{name}");
        assert_eq!(
            server.journal().summary.connections_opened,
            12,
            "{name}: a probe or a pool opened more"
        );
    }
}

#[test]
fn a_session_connects_before_the_first_request_where_the_client_can() {
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let measured = run(&job(&entry, &server.url(), records(12)), &entry);
        let ahead = entry.clients[0].connections() == fanout::client::Connections::PerWorker;
        assert_eq!(measured.connecting_s == 0.0, ahead, "{}", label(&entry));
    }
}

#[test]
fn clients_count_the_bytes_that_the_server_sends() {
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let measured = run(&job(&entry, &server.url(), records(20)), &entry);
        let name = label(&entry);
        if !entry.clients[0].counts_bytes() {
            assert_eq!(measured.bytes_received, None, "{name}");
            continue;
        }
        let sent = server.journal().summary.bytes_sent;
        assert_eq!(measured.bytes_received, Some(sent), "{name}");
        let requests: usize = (0..20)
            .map(|index| records(20).request(index).target.len())
            .sum();
        assert!(measured.bytes_sent > Some(requests as u64), "{name}");
    }
}

#[test]
fn the_threads_that_did_the_work_are_named() {
    for entry in entries() {
        let server = mock_server(Duration::from_millis(1));
        let measured = run(&job(&entry, &server.url(), records(30)), &entry);
        let name = label(&entry);
        let doers = measured.doers;
        let made: u64 = doers.iter().map(|doer| doer.requests).sum();
        assert_eq!(made, 30, "{name}: {doers:?}");
        let ours = std::process::id();
        let own = doers.iter().all(|doer| doer.process == ours);
        assert_eq!(own, entry.name != "multiprocess", "{name}: {doers:?}");
        if cfg!(target_os = "linux") {
            assert!(
                doers.iter().all(|doer| doer.thread > 0),
                "{name}: {doers:?}"
            );
        }
    }
}

#[test]
fn a_runtime_has_the_threads_that_it_is_told_to() {
    let chooses = |entry: &Entry| entry.chooses_runtime_threads;
    for entry in entries().into_iter().filter(chooses) {
        for (threads, most) in [(0, 1), (1, 2), (3, 4)] {
            let server = mock_server(Duration::from_millis(1));
            let mut job = job(&entry, &server.url(), records(60));
            job.cell.runtime_threads = Some(threads);
            let measured = run(&job, &entry);
            let used: std::collections::BTreeSet<_> =
                measured.doers.iter().map(|doer| doer.thread).collect();
            let name = label(&entry);
            assert_eq!(measured.ok, 60, "{name}");
            assert!(used.len() <= most, "{name} with {threads}: {used:?}");
        }
    }
}

/// Answers each request with 503 the first two times that it comes.
fn shy_server() -> Scripted {
    let seen = std::sync::Mutex::new(std::collections::HashMap::<String, usize>::new());
    Scripted::start(move |exchange| {
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(exchange.target.to_owned()).or_default();
        *times += 1;
        let times = *times;
        drop(seen);
        if times <= 2 {
            let head = b"HTTP/1.1 503 X\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
            exchange.raw(head)
        } else {
            exchange.answer(200, b"{}")
        }
    })
}

#[test]
fn a_request_is_tried_again_and_every_attempt_is_in_the_measurement() {
    for entry in entries() {
        for (retries, ok) in [(2, 5), (1, 0)] {
            let server = shy_server();
            let workload = (*inventory(5, Expect::Json)).clone();
            let mut job = job(&entry, &server.url(), workload);
            job.terms.handling.retry = Retry {
                base: Duration::from_millis(1),
                ..Retry::times(retries)
            };
            let measured = run(&job, &entry);
            let name = label(&entry);
            assert_eq!((measured.ok, measured.failed()), (ok, 5 - ok), "{name}");
            let retried = measured.retried;
            assert_eq!(retried.index.len(), 5 * retries as usize, "{name}");
            assert!(retried.kind.iter().all(|kind| kind == "status"), "{name}");
            let failed = measured.outcomes.failed;
            assert_eq!(failed.index.len() as u64, 5 - ok, "{name}");
        }
    }
}

#[test]
fn a_server_that_hangs_holds_up_nobody_past_the_deadline() {
    for entry in entries() {
        let server = Scripted::start(|exchange| exchange.hang());
        let workload = (*inventory(40, Expect::Json)).clone();
        let mut job = job(&entry, &server.url(), workload);
        job.terms.deadline = Some(Duration::from_millis(200));
        job.terms.handling.retry = Retry::times(5);
        let begun = Instant::now();
        let measured = run(&job, &entry);
        let name = label(&entry);
        assert_eq!((measured.ok, measured.failed()), (0, 40), "{name}");
        let kinds: Vec<_> = measured.failures.iter().map(|f| f.kind.as_str()).collect();
        assert_eq!(kinds, ["deadline"], "{name}");
        assert!(begun.elapsed() < PATIENT, "{name}");
    }
}

#[test]
fn a_server_that_dies_halfway_costs_outcomes_and_loses_none() {
    for entry in entries() {
        let answered = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&answered);
        let server = Scripted::start(move |exchange| {
            if exchange.earlier >= 10 {
                return Then::Close;
            }
            seen.fetch_add(1, SeqCst);
            exchange.answer(200, b"{}")
        });
        let workload = (*inventory(20, Expect::Json)).clone();
        let mut job = job(&entry, &server.url(), workload);
        job.terms.handling.retry = Retry {
            base: Duration::from_millis(1),
            ..Retry::times(1)
        };
        let measured = run(&job, &entry);
        let name = label(&entry);
        assert_eq!(measured.ok + measured.failed(), 20, "{name}");
        assert_eq!(measured.ok as usize, answered.load(SeqCst), "{name}");
    }
}

fn files(requests: usize, size: usize) -> Gets {
    let profile = Profile {
        file_size: size,
        ..Profile::default()
    };
    let bundled = Bundled::named("files").unwrap();
    let expect = bundled.expect(SEED, &profile);
    Gets::new(bundled.template(None).unwrap(), requests, expect)
}

fn file_server(size: usize) -> mock_server::Server {
    let config = mock_server::Config::default()
        .with_seed(SEED)
        .with_profile(Profile {
            file_size: size,
            ..Profile::default()
        });
    mock_server::Server::start(config).unwrap()
}

fn saving(job: &mut Job, dir: &Path, fsync: bool) {
    job.terms.handling.save = Some(Save {
        dir: dir.join("saved"),
        fsync,
    });
}

#[test]
fn files_are_saved_once_each_verified_and_removed_unless_kept() {
    for entry in entries() {
        for (fsync, kept) in [(false, true), (true, false)] {
            let server = file_server(1000);
            let out = tempfile::tempdir().unwrap();
            let mut job = job(&entry, &server.url(), files(9, 1000));
            saving(&mut job, out.path(), fsync);
            job.terms.keeps_files = kept;
            let measured = run(&job, &entry);
            let name = label(&entry);
            assert_eq!((measured.ok, measured.failed()), (9, 0), "{name}");
            let saved = std::fs::read_dir(out.path().join("saved"));
            let saved = saved.map(Iterator::count).ok();
            assert_eq!(saved, kept.then_some(9), "{name}");
            if kept {
                let file = std::fs::read(Save::path(&out.path().join("saved"), 7)).unwrap();
                assert_eq!(file, mock_server::files::body(SEED, "7", 1000), "{name}");
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_saved_is_a_failure_of_its_request() {
    for entry in entries() {
        let server = file_server(1000);
        let out = tempfile::tempdir().unwrap();
        let mut job = job(&entry, &server.url(), files(6, 1000));
        saving(&mut job, out.path(), false);
        let dir = out.path().join("saved");
        // Taken once the directory is there: each file must have a name of its own.
        let measured = measure::run(&job, &entry, &fanout(), |_| {
            std::fs::write(Save::path(&dir, 2), "taken").unwrap();
        });
        let measured = measured.unwrap();
        let name = label(&entry);
        assert_eq!((measured.ok, measured.failed()), (5, 1), "{name}");
        assert_eq!(measured.outcomes.failed.index, [2], "{name}");
        assert_eq!(measured.outcomes.failed.kind, ["save"], "{name}");
    }
}

/// Takes a sample in a process of its own, which a shell starts under a limit.
fn limited(limit: &str, job: &Job) -> serde_json::Value {
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("{limit}; exec \"$0\" sample-process"))
        .arg(fanout())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    serde_json::to_writer(&mut stdin, job).unwrap();
    std::io::Write::write_all(&mut stdin, b"\n").unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let last = lines.find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        message.get("progress").is_none().then_some(message)
    });
    drop(stdin);
    child.wait().unwrap();
    last.expect("a result")
}

#[test]
fn a_disk_that_takes_no_more_fails_each_request_in_words() {
    for entry in entries() {
        let server = file_server(20_000);
        let out = tempfile::tempdir().unwrap();
        let mut job = job(&entry, &server.url(), files(6, 20_000));
        saving(&mut job, out.path(), false);
        // No file may grow beyond 4 or 8 kB, whichever the shell counts in.
        let result = limited("trap '' XFSZ; ulimit -f 8", &job);
        let measured = &result["measured"];
        let name = label(&entry);
        assert_eq!(measured["ok"], 0, "{name}: {result}");
        let failure = &measured["failures"][0];
        assert_eq!(
            (&failure["kind"], &failure["count"]),
            (&"save".into(), &6.into()),
            "{name}"
        );
        assert!(!out.path().join("saved").exists(), "{name}");
    }
}

#[test]
fn file_descriptors_that_run_out_fail_requests_and_lose_none() {
    for entry in entries() {
        // A worker process has its own; its parent says so while building.
        if entry.usable_workers(2) == 1 || entry.name == "multiprocess" {
            continue;
        }
        let server = mock_server(Duration::from_millis(20));
        let mut job = job(&entry, &server.url(), records(60));
        (job.cell.workers, job.cell.workers_usable) = (40, 40);
        let result = limited("ulimit -n 24", &job);
        let name = label(&entry);
        let Some(measured) = result.get("measured") else {
            let error = result["error"].as_str().unwrap();
            assert!(error.contains("ulimit -n"), "{name}: {error}");
            continue;
        };
        let (ok, failures) = (measured["ok"].as_u64().unwrap(), &measured["failures"]);
        let failed: u64 = failures
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["count"].as_u64().unwrap())
            .sum();
        assert_eq!(ok + failed, 60, "{name}");
        assert_eq!(failures[0]["kind"], "connect", "{name}: {failures}");
        let example = failures[0]["example"].as_str().unwrap();
        assert!(example.contains("ulimit -n"), "{name}: {example}");
    }
}

#[test]
fn a_panic_in_the_user_s_code_ends_the_run_and_nothing_else() {
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let workload = Arc::new(records(12));
        let kept = Kept::telling(Arc::clone(&workload) as Arc<_>, |outcome| {
            assert!(outcome.index != 5, "in the user's code");
        });
        let setup = common::setup(&entry, &server.url(), 3, PATIENT);
        let mut strategy = (entry.build)(&setup).unwrap();
        let batch = Arc::new(Batch::new(workload, kept));
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| strategy.run(&batch)));
        assert!(!matches!(ran, Ok(Ok(()))), "{}", label(&entry));
    }
}

#[test]
fn outcomes_come_in_the_order_of_their_requests_where_that_is_asked_for() {
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let workload = Arc::new(records(50));
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = Arc::clone(&order);
        let kept = Kept::telling(Arc::clone(&workload) as Arc<_>, move |outcome| {
            seen.lock().unwrap().push(outcome.index);
        });
        let setup = common::setup(&entry, &server.url(), 3, PATIENT);
        let mut strategy = (entry.build)(&setup).unwrap();
        let sink: Arc<dyn Sink> = Arc::new(InOrder::new(kept));
        let batch = Arc::new(Batch::new(workload, sink));
        Dispatch::Queue.run(strategy.as_mut(), &batch, 3).unwrap();
        let expected: Vec<_> = (0..50).collect();
        assert_eq!(*order.lock().unwrap(), expected, "{}", label(&entry));
    }
}

#[test]
fn squares_need_no_server_and_are_right_in_every_strategy() {
    let bundled = Bundled::named("squares").unwrap();
    let expect = bundled.expect(SEED, &Profile::default());
    let workload = Gets::new(bundled.template(None).unwrap(), 30, expect);
    for entry in Catalogue::bundled().entries() {
        let entry = entry.clients(&[Client::LOCAL]);
        let mut job = job(&entry, "http://127.0.0.1", workload.clone());
        job.terms.handling = Handling {
            work: Work { rounds: 50 },
            ..Handling::default()
        };
        let measured = run(&job, &entry);
        let name = label(&entry);
        assert_eq!((measured.ok, measured.failed()), (30, 0), "{name}");
        assert_eq!(measured.connections, 0, "{name}");
    }
}

#[test]
fn a_row_of_a_table_is_a_request_and_arrives_as_it_stands() {
    let table = Table::parse_csv("param1,param_2\n1,a b\n2,\"ä&=,\"\n3,\n").unwrap();
    let bundled = Bundled::named("records").unwrap();
    let template = bundled.template(Some(&table)).unwrap();
    let expect = bundled.expect(SEED, &Profile::default());
    let workload = Gets::new(template, 3, expect).with_table(Some(Arc::new(table)));
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let measured = run(&job(&entry, &server.url(), workload.clone()), &entry);
        let name = label(&entry);
        let failures = &measured.failures;
        assert_eq!(
            (measured.ok, measured.failed()),
            (3, 0),
            "{name}: {failures:?}"
        );
    }
}

#[test]
fn a_kept_connection_that_is_closed_costs_no_request() {
    for entry in entries() {
        // Each connection answers two requests, and closes without a word when it
        // has read a third.
        let server = Scripted::start(|exchange| match exchange.earlier_here {
            0 | 1 => exchange.answer(200, b"{}"),
            _ => Then::Close,
        });
        let workload = (*inventory(30, Expect::Json)).clone();
        let measured = run(&job(&entry, &server.url(), workload), &entry);
        let name = label(&entry);
        assert_eq!(
            (measured.ok, measured.failed()),
            (30, 0),
            "{name}: {:?}",
            measured.failures
        );
        assert!(measured.resent > 0, "{name}");
        assert!(measured.retried.index.is_empty(), "{name}");
    }
}

#[test]
fn a_new_connection_that_is_closed_is_a_failure() {
    for entry in entries() {
        let server = Scripted::start(|_| Then::Close);
        let workload = (*inventory(6, Expect::Json)).clone();
        let measured = run(&job(&entry, &server.url(), workload), &entry);
        let name = label(&entry);
        assert_eq!((measured.ok, measured.failed()), (0, 6), "{name}");
        // A connection that was opened ahead is kept, and may be tried again once.
        assert!(measured.resent <= 6, "{name}");
    }
}

#[test]
fn every_client_sends_the_same_target() {
    let given = "/a/../b'c/ü/%41?q='x'&r=[1]|2&{index}";
    let expected = "/b%27c/%C3%BC/%41?q=%27x%27&r=[1]%7C2&";
    for entry in entries() {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let server = Scripted::start(move |exchange| {
            record.lock().unwrap().push(exchange.target.to_owned());
            exchange.answer(200, b"{}")
        });
        let workload = Gets::new(Template::parse(given).unwrap(), 3, Expect::Status);
        let measured = run(&job(&entry, &server.url(), workload), &entry);
        let name = label(&entry);
        assert_eq!(measured.ok, 3, "{name}: {:?}", measured.failures);
        let mut seen = seen.lock().unwrap().clone();
        seen.sort();
        let all: Vec<_> = (0..3).map(|index| format!("{expected}{index}")).collect();
        assert_eq!(seen, all, "{name}");
    }
}
