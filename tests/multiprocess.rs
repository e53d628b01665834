//! Worker processes: lost, replaced, and never left behind.

#![cfg(unix)]

mod common;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::scripted::Scripted;
use common::{Kept, entries, inventory, run_batch, setup};
use fanout::client::Target;
use fanout::outcome::FailureKind;
use fanout::strategy::{Batch, Dispatch, Entry, Setup};
use fanout::workload::Expect;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENT: Duration = Duration::from_secs(60);

fn multiprocess() -> Entry {
    *entries()
        .iter()
        .find(|entry| entry.name == "multiprocess")
        .unwrap()
}

fn signal(process: u32, signal: impl Into<Option<Signal>>) -> nix::Result<()> {
    kill(
        Pid::from_raw(i32::try_from(process).unwrap()),
        signal.into(),
    )
}

fn runs(process: u32) -> bool {
    signal(process, None).is_ok()
}

/// Runs a batch of 20 with 3 workers, a process each, while the second request
/// hangs; `act` is called with the processes' ids when the first outcome is there.
fn with_one_hanging(
    limit: Duration,
    act: impl Fn(&[u32]) + Send + Sync + 'static,
) -> (Arc<Kept>, Vec<u32>) {
    with_one_hanging_of(3, None, limit, act)
}

/// The same with so many workers, spread over so many processes.
fn with_one_hanging_of(
    workers: usize,
    processes: Option<usize>,
    limit: Duration,
    act: impl Fn(&[u32]) + Send + Sync + 'static,
) -> (Arc<Kept>, Vec<u32>) {
    let server = Scripted::start(|exchange| {
        if exchange.target.ends_with("materials?id=1") {
            return exchange.hang();
        }
        exchange.answer(200, b"{}")
    });
    let entry = multiprocess();
    let workload = inventory(20, Expect::Json);
    let setup = Setup {
        processes,
        ..setup(&entry, &server.url(), workers, limit)
    };
    let mut strategy = (entry.build)(&setup).unwrap();
    let workers = strategy.processes();
    let act = Mutex::new(Some(act));
    let told = workers.clone();
    let kept = Kept::telling(workload.clone(), move |_| {
        if let Some(act) = act.lock().unwrap().take() {
            act(&told);
        }
    });
    let batch = Arc::new(Batch::new(workload, kept.clone()));
    strategy.run(&batch).unwrap();
    let after = strategy.processes();
    drop(strategy);
    for process in workers.iter().chain(&after) {
        assert!(!runs(*process), "worker process {process} was left behind");
    }
    (kept, after)
}

#[test]
fn a_killed_worker_loses_its_own_request_and_is_replaced() {
    // Request 1 is with worker 1: free workers get the first requests in order.
    let (kept, after) = with_one_hanging(PATIENT, |workers| {
        signal(workers[1], Signal::SIGKILL).unwrap();
    });
    let verdicts = kept.verdicts();
    assert_eq!(verdicts[1], Err(FailureKind::WorkerLost));
    let others = verdicts.iter().enumerate().filter(|(index, _)| *index != 1);
    for (index, verdict) in others {
        assert_eq!(*verdict, Ok(()), "request {index}");
    }
    assert_eq!(after.len(), 3);
    let lost = kept.first_failure().unwrap();
    assert!(lost.contains("signal: 9"), "{lost}");
}

#[test]
fn all_workers_killed_at_once_still_leave_an_outcome_for_each_request() {
    let (kept, after) = with_one_hanging(PATIENT, |workers| {
        for worker in workers {
            signal(*worker, Signal::SIGKILL).unwrap();
        }
    });
    let verdicts = kept.verdicts();
    assert_eq!(verdicts[1], Err(FailureKind::WorkerLost));
    // A worker has half of its share of what is left at most, and each was replaced.
    let lost = verdicts.iter().filter(|verdict| verdict.is_err()).count();
    assert!((1..=9).contains(&lost), "{verdicts:?}");
    for verdict in verdicts {
        assert!(matches!(verdict, Ok(()) | Err(FailureKind::WorkerLost)));
    }
    assert_eq!(after.len(), 3);
}

#[test]
fn a_killed_process_loses_the_requests_of_its_workers_alone() {
    let (kept, after) = with_one_hanging_of(6, Some(2), PATIENT, |processes| {
        // The first requests go to the first process.
        signal(processes[0], Signal::SIGKILL).unwrap();
    });
    let verdicts = kept.verdicts();
    assert_eq!(verdicts[1], Err(FailureKind::WorkerLost));
    let lost = verdicts.iter().filter(|verdict| verdict.is_err()).count();
    assert!((1..=6).contains(&lost), "{verdicts:?}");
    for verdict in verdicts {
        assert!(matches!(verdict, Ok(()) | Err(FailureKind::WorkerLost)));
    }
    assert_eq!(after.len(), 2);
    let workers = kept.workers();
    assert!(workers.iter().all(|worker| *worker < 6), "{workers:?}");
}

#[test]
fn a_stopped_process_is_given_up_with_all_its_workers() {
    let (kept, after) = with_one_hanging_of(6, Some(2), Duration::from_secs(5), |processes| {
        signal(processes[0], Signal::SIGSTOP).unwrap();
    });
    assert_eq!(kept.verdicts()[1], Err(FailureKind::WorkerLost));
    assert_eq!(after.len(), 2);
}

#[test]
fn workers_that_share_processes_work_side_by_side() {
    let server = Scripted::start(|exchange| exchange.answer(200, b"{}"));
    let entry = multiprocess();
    let workload = inventory(2000, Expect::Json);
    for dispatch in [Dispatch::Queue, Dispatch::Chunked] {
        let setup = Setup {
            processes: Some(2),
            expected: Some(workload.clone()),
            ..setup(&entry, &server.url(), 5, PATIENT)
        };
        let mut strategy = (entry.build)(&setup).unwrap();
        assert_eq!(strategy.processes().len(), 2);
        let kept = Kept::new(workload.clone());
        let batch = Arc::new(Batch::new(workload.clone(), kept.clone()));
        dispatch.run(strategy.as_mut(), &batch, 5).unwrap();
        assert!(kept.verdicts().iter().all(Result::is_ok));
        for worker in kept.workers() {
            let spans = kept.spans(worker);
            assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
        assert_eq!(setup.target.traffic().connections, 5);
    }
}

#[test]
fn responses_are_checked_where_they_come_in() {
    let server = Scripted::start(|exchange| {
        let is_wrong = exchange.target.ends_with("materials?id=1");
        exchange.answer(200, if is_wrong { b"<p>" } else { b"{}" })
    });
    let entry = multiprocess();
    let workload = inventory(10, Expect::Json);
    for checks in [true, false] {
        let setup = Setup {
            expected: checks.then(|| workload.clone()),
            ..setup(&entry, &server.url(), 3, PATIENT)
        };
        let kept = Kept::telling(workload.clone(), move |outcome| {
            let index = outcome.index;
            match &outcome.result {
                // The body comes back where nobody looked at it.
                Ok(response) => assert_eq!(response.body.is_empty(), checks, "{index}"),
                Err(failure) => assert!(checks && failure.message.contains("<p>"), "{failure}"),
            }
            let right = checks && outcome.result.is_ok();
            assert_eq!(outcome.checked, right, "{index}");
        });
        let mut strategy = (entry.build)(&setup).unwrap();
        let batch = Arc::new(Batch::new(workload.clone(), kept.clone()));
        strategy.run(&batch).unwrap();
        for (index, verdict) in kept.verdicts().into_iter().enumerate() {
            let expected = match index {
                1 => Err(FailureKind::Decode),
                _ => Ok(()),
            };
            assert_eq!(verdict, expected, "request {index}");
        }
    }
}

#[test]
fn worker_processes_resolve_no_name() {
    let server = Scripted::start(|exchange| exchange.answer(200, b"{}"));
    let address = server.url().replace("http://", "");
    let known = serde_json::json!({ "authority": "nowhere.invalid", "addresses": [address] });
    let entry = multiprocess();
    let workload = inventory(4, Expect::Json);
    let mut setup = setup(&entry, &server.url(), 2, PATIENT);
    setup.target = Target::new(serde_json::from_value(known).unwrap(), PATIENT);
    let kept = run_batch(&entry, &setup, &workload);
    let first = kept.first_failure();
    assert_eq!(kept.verdicts(), vec![Ok(()); 4], "{first:?}");
}

/// Runs 2,000 short requests with 2 workers, which are given several at once; a
/// worker that has request 1,000 is killed, if it `hangs`, once the other one is far
/// beyond it.
fn in_errands(hangs: bool) -> Arc<Kept> {
    const HANGING: usize = 1000;
    let server = Scripted::start(move |exchange| {
        // The first half asks for materials, the second one for products.
        if hangs && exchange.target.ends_with("products?id=0") {
            return exchange.hang();
        }
        exchange.answer(200, b"{}")
    });
    let entry = multiprocess();
    let workload = inventory(2000, Expect::Json);
    let setup = setup(&entry, &server.url(), 2, PATIENT);
    let mut strategy = (entry.build)(&setup).unwrap();
    let workers = strategy.processes();
    let killed = AtomicBool::new(false);
    let kept = Kept::telling(workload.clone(), move |outcome| {
        // No worker is given so many at once that this could be the same one.
        if hangs && outcome.index >= HANGING + 100 && !killed.swap(true, Relaxed) {
            signal(workers[1 - outcome.worker], Signal::SIGKILL).unwrap();
        }
    });
    let batch = Arc::new(Batch::new(workload, kept.clone()));
    strategy.run(&batch).unwrap();
    for worker in 0..2 {
        let spans = kept.spans(worker);
        assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
    kept
}

#[test]
fn short_requests_follow_one_another_however_many_go_at_once() {
    let kept = in_errands(false);
    assert!(kept.verdicts().iter().all(Result::is_ok));
    let of_workers = [kept.spans(0), kept.spans(1)];
    let spans = || of_workers.iter().flatten();
    assert!(spans().all(|span| span.start < span.end));
    // Only requests that were given together follow one another without a gap.
    let pairs = of_workers.iter().flat_map(|spans| spans.windows(2));
    assert!(pairs.into_iter().any(|pair| pair[0].end == pair[1].start));
}

#[test]
fn a_worker_killed_with_several_requests_leaves_an_outcome_for_each() {
    let verdicts = in_errands(true).verdicts();
    assert_eq!(verdicts[1000], Err(FailureKind::WorkerLost));
    let lost = verdicts.iter().filter(|verdict| verdict.is_err()).count();
    assert!((1..=32).contains(&lost), "{lost}");
}

#[test]
fn a_stopped_worker_is_given_up_when_its_time_is_over() {
    // It is stopped long before it would give the request up itself.
    let (kept, _) = with_one_hanging(Duration::from_secs(5), |workers| {
        signal(workers[1], Signal::SIGSTOP).unwrap();
    });
    let verdicts = kept.verdicts();
    assert_eq!(verdicts[1], Err(FailureKind::WorkerLost));
    assert_eq!(
        verdicts.iter().filter(|verdict| verdict.is_err()).count(),
        1
    );
}

fn build_with(program: &str) -> Result<(), String> {
    let entry = multiprocess();
    let setup = Setup {
        worker_program: PathBuf::from(program),
        ..setup(&entry, "http://127.0.0.1:9", 2, PATIENT)
    };
    match (entry.build)(&setup) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_program_that_is_no_worker_is_said_at_once() {
    for (program, expected) in [
        ("/nonexistent/fanout", "No such file"),
        ("/bin/true", "exit status: 0"),
        ("/bin/false", "exit status: 1"),
    ] {
        let error = build_with(program).unwrap_err();
        assert!(error.contains("worker process"), "{error}");
        assert!(error.contains(program), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
