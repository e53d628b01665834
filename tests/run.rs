//! The builder: one batch through a strategy, outcomes as values.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scripted::Scripted;
use common::{SEED, deaf_port, entries, fanout, inventory, label};
use fanout::client::{BlockingClient, Client, Connections, Retry, Target};
use fanout::measure::{self, Job, Terms};
use fanout::outcome::{Failure, FailureKind, Response};
use fanout::record::Cell;
use fanout::request::Request;
use fanout::strategy::{Batch, Catalogue, Dispatch, Entry, Strategy};
use fanout::workload::{Expect, Workload};
use fanout::{Run, RunError};

fn server() -> mock_server::Server {
    let config = mock_server::Config::default()
        .with_delay(Duration::ZERO)
        .with_seed(SEED);
    mock_server::Server::start(config).unwrap()
}

#[test]
fn outcomes_are_in_index_order_in_every_strategy() {
    for entry in entries() {
        let server = server();
        let outcomes = Run::with(entry)
            .workers(3)
            .against(server.url() + "/files/{index}")
            .requests(20)
            .expecting(Expect::File {
                seed: SEED,
                size: mock_server::profile::Profile::default().file_size,
            })
            .worker_program(fanout())
            .go()
            .unwrap();
        let name = label(&entry);
        let indices: Vec<_> = outcomes.iter().map(|outcome| outcome.index).collect();
        assert_eq!(indices, (0..20).collect::<Vec<_>>(), "{name}");
        assert_eq!(outcomes.ok(), 20, "{name}");
        let size = mock_server::profile::Profile::default().file_size;
        for outcome in &outcomes {
            assert_eq!(outcome.result.as_ref().unwrap().body.len(), size, "{name}");
            assert!(outcome.finished <= outcomes.runtime(), "{name}");
        }
        assert_eq!(
            outcomes.traffic().connections,
            server.journal().summary.connections_opened,
            "{name}"
        );
    }
}

#[test]
fn failures_are_typed_and_keep_their_index() {
    let server = Scripted::start(|exchange| match exchange.target {
        "/1" => exchange.answer(404, b"no"),
        "/2" => exchange.answer(200, b"<p>"),
        _ => exchange.answer(200, b"{}"),
    });
    let outcomes = Run::new("tokio")
        .workers(2)
        .against(server.url() + "/{index}")
        .requests(4)
        .expecting(Expect::Json)
        .go()
        .unwrap();
    let failures: Vec<_> = outcomes
        .failures()
        .map(|(index, failure)| (index, failure.kind, failure.status))
        .collect();
    assert_eq!(
        failures,
        [
            (1, FailureKind::Status, Some(404)),
            (2, FailureKind::Decode, None)
        ]
    );
    assert_eq!(outcomes.ok(), 2);
}

#[test]
fn unreachable_server_fails_each_request() {
    let (_held, address) = deaf_port();
    let outcomes = Run::new("sequential")
        .against(format!("http://{address}"))
        .requests(2)
        .retry(Retry {
            base: Duration::ZERO,
            ..Retry::times(1)
        })
        .go()
        .unwrap();
    for outcome in outcomes {
        assert_eq!(outcome.result.unwrap_err().kind, FailureKind::Connect);
        assert_eq!(outcome.tried.len(), 1);
    }
}

#[test]
fn batch_without_requests_has_no_outcomes() {
    let outcomes = Run::new("smol").against("http://127.0.0.1:1").requests(0);
    let outcomes = outcomes.go().unwrap();
    assert!(outcomes.is_empty());
    assert_eq!(outcomes.runtime(), Duration::ZERO);
}

#[test]
fn time_limits_fail_requests_by_kind() {
    let server = Scripted::start(|exchange| exchange.hang());
    let run = Run::new("thread-pool")
        .workers(2)
        .against(server.url())
        .requests(3);
    let short = Duration::from_millis(50);
    for (run, kind) in [
        (run.clone().timeout(short), FailureKind::Timeout),
        (run.deadline(short), FailureKind::Deadline),
    ] {
        let outcomes = run.go().unwrap();
        let kinds: Vec<_> = outcomes
            .failures()
            .map(|(_, failure)| failure.kind)
            .collect();
        assert_eq!(kinds, [kind; 3]);
        assert!(
            outcomes
                .iter()
                .all(|outcome| outcome.latency() <= outcomes.runtime())
        );
    }
}

#[test]
fn unbounded_dispatch_gives_each_request_a_worker() {
    let server = server();
    let outcomes = Run::new("thread-pool")
        .workers(1)
        .dispatch(Dispatch::Unbounded)
        .against(server.url())
        .requests(6)
        .go()
        .unwrap();
    assert_eq!(outcomes.ok(), 6);
    assert_eq!(outcomes.traffic().connections, 6);
}

#[test]
fn local_client_needs_no_url() {
    let outcomes = Run::new("rayon").client(Client::LOCAL).requests(5).go();
    let squares: Vec<_> = outcomes
        .unwrap()
        .into_iter()
        .map(|outcome| outcome.result.unwrap().body)
        .collect();
    assert_eq!(squares, ["0", "1", "4", "9", "16"]);
}

/// A batch that asks for the same path each time, and wants another body.
struct Own(usize);

impl Workload for Own {
    fn requests(&self) -> usize {
        self.0
    }

    fn request(&self, index: usize) -> Request {
        Request::new(index, format!("/own?n={}", index * 2))
    }

    fn check(&self, index: usize, response: &Response) -> Result<(), Failure> {
        if response.body == format!("/own?n={}", index * 2) {
            return Ok(());
        }
        Err(Failure::new(FailureKind::Decode, "another body"))
    }
}

#[test]
fn own_workload_runs_in_every_strategy() {
    for entry in entries() {
        let server = Scripted::start(|exchange| {
            let body = exchange.target.replace("n=4", "n=0");
            exchange.answer(200, body.as_bytes())
        });
        let outcomes = Run::with(entry)
            .against(server.url())
            .workload(Own(5))
            .worker_program(fanout())
            .go()
            .unwrap();
        let failed: Vec<_> = outcomes.failures().map(|(index, _)| index).collect();
        assert_eq!((outcomes.len(), failed), (5, vec![2]), "{}", label(&entry));
    }
}

#[test]
fn own_workload_is_measured() {
    let server = server();
    let run = Run::new("thread-pool")
        .workers(2)
        .against(server.url())
        .workload(Own(5));
    let measured = measure::one(&run).unwrap();
    // The bundled server has no such path.
    assert_eq!((measured.ok, measured.failed()), (0, 5));
    assert_eq!(measured.connections, 2);
    assert_eq!(measured.outcomes.index.len(), 5);
    assert!(measured.warm_s > 0.0 && measured.cold_s > measured.warm_s);
    let error = measure::one(&run.client(Client::HYPER)).unwrap_err();
    assert!(error.contains("cannot use client hyper"), "{error}");
}

const CANNED: Client = Client::new("canned", "a response without a server", Connections::None)
    .with_blocking(|target: &Target, _workers| {
        let limit = target.timeout;
        Ok(Arc::new(move || Box::new(Canned(limit))))
    });

struct Canned(Duration);

impl BlockingClient for Canned {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let body = format!("{} within {:?}", request.target, self.0);
        Ok(Response::new(200, body))
    }
}

#[test]
fn own_client_runs_in_every_blocking_strategy() {
    for name in ["sequential", "thread-pool", "rayon"] {
        let catalogue = Catalogue::bundled();
        let entry = catalogue.named(name).unwrap().clients(&[CANNED]);
        let outcomes = Run::with(entry)
            .workload(Own(3))
            .timeout(Duration::from_secs(1))
            .go()
            .unwrap();
        assert_eq!(outcomes.failures().count(), 3, "{name}");
        let canned = Run::with(entry)
            .against("http://127.0.0.1:1/{index}")
            .requests(3)
            .timeout(Duration::from_secs(1))
            .go()
            .unwrap();
        let last = canned[2].result.as_ref().unwrap();
        assert_eq!(last.body, "/2 within 1s", "{name}");
    }
}

#[test]
fn own_client_is_measured_by_its_name() {
    let catalogue = Catalogue::bundled();
    let entry = catalogue.named("thread-pool").unwrap().clients(&[CANNED]);
    let workload = (*inventory(6, Expect::Status)).clone();
    let job = Job {
        cell: Cell {
            strategy: entry.name.to_owned(),
            client: "canned".to_owned(),
            dispatch: "queue".to_owned(),
            reuse: "session".to_owned(),
            runtime_threads: None,
            processes: None,
            workers: 2,
            workers_usable: 2,
            requests: 6,
            profile: None,
        },
        terms: Terms::new(workload, "http://127.0.0.1:1", Duration::from_secs(1)),
    };
    let measured = measure::run(&job, &entry, &fanout(), |_| {}).unwrap();
    assert_eq!((measured.ok, measured.connections), (6, 0));
}

/// A strategy that does not finish its work, or does it twice.
struct Wrong(&'static [usize]);

impl Strategy for Wrong {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), fanout::strategy::StrategyError> {
        for index in self.0 {
            batch.begin(*index, 0).finish(Ok(Response::new(200, "")));
        }
        Ok(())
    }
}

#[test]
fn unaccounted_requests_are_an_error() {
    let run = |entry| {
        Run::with(entry)
            .against("http://127.0.0.1:1")
            .requests(3)
            .go()
    };
    let lost = run(Entry::new("loses", |_| Ok(Box::new(Wrong(&[1])))));
    assert!(matches!(
        lost,
        Err(RunError::Lost {
            lost: 2,
            requests: 3
        })
    ));
    let twice = run(Entry::new("doubles", |_| {
        Ok(Box::new(Wrong(&[0, 1, 1, 2])))
    }));
    assert!(matches!(twice, Err(RunError::Stray(1))));
}

#[test]
fn runs_that_cannot_start_name_the_way_out() {
    let url = "http://127.0.0.1:1";
    for (run, expected) in [
        (Run::new("tokyo").against(url), "did you mean `tokio`?"),
        (Run::new("tokio"), "name one with `against`"),
        (Run::new("tokio").against("https://h"), "not an http:// URL"),
        (
            Run::new("tokio").against(url).workers(0),
            "needs at least 1 worker",
        ),
        (
            Run::new("tokio").against(url).client(Client::UREQ),
            "it goes with hyper, reqwest",
        ),
        (
            Run::new("multiprocess").against(url),
            "name the program with `worker_program`",
        ),
        (
            Run::new("tokio").against(format!("{url}/{{name}}")),
            "unknown placeholder",
        ),
    ] {
        let error = run.go().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
