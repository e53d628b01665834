//! Whatever a server does, N requests in are N outcomes out, each with its
//! reason.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scripted::{Exchange, Scripted, Then};
use common::{entries, fanout, inventory, label, run_batch, setup};
use fanout::client::Client;
use fanout::measure::{self, Job, Terms};
use fanout::outcome::FailureKind;
use fanout::record::Cell;
use fanout::strategy::{Batch, Built, Entry, Setup, Strategy, StrategyError};
use fanout::workload::Expect;

/// Long enough that no test waits for it by accident.
const PATIENT: Duration = Duration::from_secs(60);

/// Runs a batch of 8 through every strategy against a script, and checks that
/// every request ends with the same failure.
fn all_fail_with(expected: FailureKind, timeout: Duration, script: fn(&mut Exchange<'_>) -> Then) {
    for entry in entries() {
        let server = Scripted::start(script);
        let workload = inventory(8, Expect::Json);
        let setup = setup(&entry, &server.url(), 3, timeout);
        let kept = run_batch(&entry, &setup, &workload);
        let first = kept.first_failure();
        let verdicts = kept.verdicts();
        assert_eq!(
            verdicts,
            vec![Err(expected); 8],
            "{}: {first:?}",
            label(&entry)
        );
    }
}

#[test]
fn nobody_listens() {
    let (_held, address) = common::deaf_port();
    for entry in entries() {
        let workload = inventory(8, Expect::Json);
        let setup = setup(&entry, &format!("http://{address}"), 3, PATIENT);
        let kept = run_batch(&entry, &setup, &workload);
        assert_eq!(
            kept.verdicts(),
            vec![Err(FailureKind::Connect); 8],
            "{}",
            label(&entry)
        );
        assert!(kept.first_failure().unwrap().contains("cannot connect"));
        assert_eq!(setup.target.traffic().connections, 0);
    }
}

#[test]
fn the_server_fails() {
    all_fail_with(FailureKind::Status, PATIENT, |exchange| {
        exchange.answer(503, b"{}")
    });
}

#[test]
fn the_server_redirects() {
    all_fail_with(FailureKind::Status, PATIENT, |exchange| {
        exchange.raw(b"HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")
    });
}

#[test]
fn the_server_closes_without_a_word() {
    all_fail_with(FailureKind::Body, PATIENT, |_| Then::Close);
}

#[test]
fn the_answer_breaks_off() {
    all_fail_with(FailureKind::Body, PATIENT, |exchange| {
        exchange.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
        Then::Close
    });
}

/// Every worker meets a body that is larger than all bodies may be together.
fn all_meet_the_limit_of_bodies(head: &'static str) {
    for entry in entries() {
        let server = Scripted::start(move |exchange| {
            exchange.raw(head.as_bytes());
            let piece = [b' '; 1 << 16];
            while exchange.raw(&piece) == Then::Keep {}
            Then::Close
        });
        let workload = inventory(8, Expect::Json);
        let mut setup = setup(&entry, &server.url(), 8, PATIENT);
        setup.target = setup.target.with_body_limit(4 << 20);
        let kept = run_batch(&entry, &setup, &workload);
        let name = label(&entry);
        assert_eq!(kept.verdicts(), [Err(FailureKind::Body); 8], "{name}");
        let message = kept.first_failure().unwrap();
        assert!(
            kept.all_limited() && message.contains("--body-limit"),
            "{name}: {message}"
        );
    }
}

#[test]
fn announced_length_beyond_the_limit_fails() {
    all_meet_the_limit_of_bodies("HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n");
}

#[test]
fn endless_bodies_fail_within_the_limit() {
    all_meet_the_limit_of_bodies("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
}

#[test]
fn the_answer_is_not_http() {
    all_fail_with(FailureKind::Body, PATIENT, |exchange| {
        exchange.raw(b"\x16\x03\x01 this is not the protocol\r\n\r\n");
        Then::Close
    });
}

#[test]
fn the_answer_is_not_what_the_batch_expects() {
    all_fail_with(FailureKind::Decode, PATIENT, |exchange| {
        exchange.answer(200, b"<p>no JSON</p>")
    });
}

#[test]
fn the_server_hangs() {
    all_fail_with(
        FailureKind::Timeout,
        Duration::from_millis(100),
        |exchange| exchange.hang(),
    );
}

#[test]
fn the_answer_hangs_in_the_middle() {
    all_fail_with(
        FailureKind::Timeout,
        Duration::from_millis(100),
        |exchange| {
            exchange.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
            exchange.hang()
        },
    );
}

#[test]
fn a_connection_that_the_server_closes_between_requests_is_opened_anew() {
    for entry in entries() {
        let server = Scripted::start(|exchange| {
            exchange.raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
            Then::Close
        });
        let workload = inventory(8, Expect::Json);
        let setup = setup(&entry, &server.url(), 2, PATIENT);
        let kept = run_batch(&entry, &setup, &workload);
        let first = kept.first_failure();
        assert_eq!(
            kept.verdicts(),
            vec![Ok(()); 8],
            "{}: {first:?}",
            label(&entry)
        );
        assert!(setup.target.traffic().connections >= 8, "{}", label(&entry));
    }
}

#[test]
fn the_server_goes_away_halfway() {
    for entry in entries() {
        let server = Scripted::start(|exchange| {
            if exchange.earlier < 4 {
                exchange.answer(200, b"{}")
            } else {
                Then::Close
            }
        });
        let workload = inventory(12, Expect::Json);
        let setup = setup(&entry, &server.url(), 2, PATIENT);
        let verdicts = run_batch(&entry, &setup, &workload).verdicts();
        let answered = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        assert_eq!(answered, 4, "{}: {verdicts:?}", label(&entry));
    }
}

#[test]
fn one_slow_request_holds_up_its_own_worker_alone() {
    for entry in entries() {
        if entry.usable_workers(2) == 1 {
            continue;
        }
        let server = Scripted::start(|exchange| {
            if exchange.target.contains("materials?id=0") {
                return exchange.hang();
            }
            exchange.answer(200, b"{}")
        });
        let workload = inventory(40, Expect::Json);
        let setup = setup(&entry, &server.url(), 2, Duration::from_millis(500));
        let verdicts = run_batch(&entry, &setup, &workload).verdicts();
        assert_eq!(verdicts[0], Err(FailureKind::Timeout), "{}", label(&entry));
        assert!(verdicts[1..].iter().all(Result::is_ok), "{}", label(&entry));
    }
}

/// Strategies of a user's own, each wrong in its way.
mod wrong {
    use super::{Arc, Batch, Built, Client, Entry, Setup, Strategy, StrategyError};

    pub(super) struct Own(fn(&Batch));

    impl Strategy for Own {
        fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
            (self.0)(batch);
            Ok(())
        }
    }

    pub(super) const fn entry(build: fn(&Setup) -> Built) -> Entry {
        Entry::new("own", build).clients(&[Client::UREQ])
    }

    pub(super) fn loses_one(_: &Setup) -> Built {
        Ok(Box::new(Own(|batch| {
            let _ = batch.claim();
            answer_the_rest(batch);
        })))
    }

    pub(super) fn doubles_one(_: &Setup) -> Built {
        Ok(Box::new(Own(|batch| {
            batch.begin(0, 0).finish(Ok(super::right()));
            answer_the_rest(batch);
        })))
    }

    pub(super) fn panics(_: &Setup) -> Built {
        Ok(Box::new(Own(|_| panic!("in user code"))))
    }

    pub(super) fn panics_in_build(_: &Setup) -> Built {
        panic!("while building")
    }

    fn answer_the_rest(batch: &Batch) {
        while let Some(index) = batch.claim() {
            batch.begin(index, 0).finish(Ok(super::right()));
        }
    }
}

fn right() -> fanout::outcome::Response {
    fanout::outcome::Response::new(200, "{}")
}

#[test]
fn a_strategy_that_loses_doubles_or_panics_fails_its_sample_alone() {
    let job = Job {
        cell: Cell {
            strategy: "own".to_owned(),
            client: "ureq".to_owned(),
            dispatch: "queue".to_owned(),
            reuse: "session".to_owned(),
            runtime_threads: None,
            processes: None,
            workers: 1,
            workers_usable: 1,
            requests: 4,
            profile: None,
        },
        terms: Terms::new(
            (*inventory(4, Expect::Json)).clone(),
            "http://127.0.0.1:9",
            Duration::from_secs(1),
        ),
    };
    for (build, expected) in [
        (wrong::loses_one as fn(&_) -> _, "lost 1 of 4"),
        (wrong::doubles_one, "request 0 twice"),
        (wrong::panics, "in user code"),
        (wrong::panics_in_build, "while building"),
    ] {
        let entry = wrong::entry(build);
        let error = measure::run(&job, &entry, &fanout(), |_| {}).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
