//! Worker processes: lost, replaced, and never left behind.

#![cfg(unix)]

mod common;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::scripted::Scripted;
use common::{Kept, entries, inventory, setup};
use fanout::outcome::FailureKind;
use fanout::strategy::{Batch, Entry, Setup};
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

/// Runs a batch of 20 with 3 workers while the second request hangs; `act` is
/// called with the workers' ids when the first outcome is there.
fn with_one_hanging(
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
    let setup = setup(&entry, &server.url(), 3, limit);
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
