//! Every strategy does the same job: the whole batch, each request once, the
//! right answers, as many workers as it was given.

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, OnceLock, Weak};
use std::time::Duration;

use common::scripted::Scripted;
use common::{Kept, SEED, assert_connections, entries, fanout, inventory, label, run_batch, setup};
use fanout::client::Client;
use fanout::measure::{self, Job, Terms};
use fanout::record::Cell;
use fanout::strategy::{Batch, Entry};
use fanout::workload::Expect;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TIMEOUT: Duration = Duration::from_secs(30);

fn mock_server(delay: Duration) -> mock_server::Server {
    let config = mock_server::Config::default()
        .with_delay(delay)
        .with_seed(SEED);
    mock_server::Server::start(config).unwrap()
}

#[test]
fn every_strategy_gets_every_record_exactly_once() {
    for entry in entries() {
        for (workers, requests) in [(1, 7), (3, 100), (8, 5)] {
            let server = mock_server(Duration::ZERO);
            let workload = inventory(requests, Expect::Record { seed: SEED });
            let setup = setup(&entry, &server.url(), workers, TIMEOUT);
            let kept = run_batch(&entry, &setup, &workload);
            let name = label(&entry);
            assert_eq!(kept.verdicts(), vec![Ok(()); requests], "{name}");
            let summary = server.journal().summary;
            assert_eq!(summary.arrived, requests as u64, "{name}");
            assert_eq!(summary.distinct, requests as u64, "{name}");
            let usable = entry.usable_workers(workers);
            assert_connections(&entry, setup.target.traffic().connections, usable, requests);
        }
    }
}

/// A server that answers only when as many requests as that are waiting, and
/// tells the most that were.
fn in_lockstep(workers: usize) -> (Scripted, Arc<AtomicUsize>) {
    let (waiting, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (all_there, seen) = (Barrier::new(workers), Arc::clone(&most));
    let server = Scripted::start(move |exchange| {
        seen.fetch_max(waiting.fetch_add(1, SeqCst) + 1, SeqCst);
        all_there.wait();
        waiting.fetch_sub(1, SeqCst);
        exchange.answer(200, b"{}")
    });
    (server, most)
}

#[test]
fn every_strategy_keeps_as_many_requests_in_flight_as_it_has_workers() {
    for entry in entries() {
        let usable = entry.usable_workers(4);
        let (server, most) = in_lockstep(usable);
        let job = job(&entry, &server.url(), 4, 12, Expect::Json);
        let measured = measure::run(&job, &entry, &fanout(), |_| {}).unwrap();
        let name = label(&entry);
        assert_eq!((measured.ok, measured.failed()), (12, 0), "{name}");
        assert_eq!(most.load(SeqCst), usable, "{name}");
        assert_eq!(measured.most_in_flight, usable as u64, "{name}");
        let workers: BTreeSet<_> = measured.outcomes.worker.into_iter().collect();
        assert_eq!(workers.len(), usable, "{name}");
    }
}

#[test]
fn workers_in_fewer_processes_do_the_same_job() {
    for entry in entries().iter().filter(|entry| entry.chooses_processes) {
        for (workers, processes) in [(4, 1), (5, 2), (3, 8)] {
            let requests = workers * 3;
            let (server, most) = in_lockstep(workers);
            let mut job = job(entry, &server.url(), workers, requests, Expect::Json);
            job.cell.processes = Some(processes);
            let measured = measure::run(&job, entry, &fanout(), |_| {}).unwrap();
            let name = format!("{}, {workers} in {processes}", label(entry));
            let all = requests as u64;
            assert_eq!((measured.ok, measured.failed()), (all, 0), "{name}");
            assert_eq!(most.load(SeqCst), workers, "{name}");
            assert_eq!(measured.most_in_flight, workers as u64, "{name}");
            assert_eq!(measured.processes, processes.min(workers) as u64, "{name}");
            let threads = measured.doers.len();
            assert_eq!(threads, workers, "{name}");
            assert_connections(entry, measured.connections, workers, requests);
        }
    }
}

#[test]
fn stock_ureq_keeps_three_connections_between_chunks() {
    let stock = |entry: &Entry| entry.clients[0] == Client::UREQ_STOCK;
    for entry in entries().iter().filter(|entry| stock(entry)) {
        let workers = entry.usable_workers(8);
        let (server, _) = in_lockstep(workers);
        let mut job = job(entry, &server.url(), workers, workers * 3, Expect::Json);
        job.cell.dispatch = "chunked".to_owned();
        job.cell.processes = entry.chooses_processes.then_some(1);
        let measured = measure::run(&job, entry, &fanout(), |_| {}).unwrap();
        let name = label(entry);
        assert_eq!(measured.ok, 3 * workers as u64, "{name}");
        // All of the first chunk open one, and of each later one all but three.
        let opened = workers + 2 * workers.saturating_sub(3);
        assert_eq!(measured.connections, opened as u64, "{name}");
    }
}

#[test]
fn every_connection_of_the_server_is_in_the_record() {
    for entry in entries() {
        // reqwest may open one that the server has not yet accepted at the end.
        if entry.clients[0] == Client::REQWEST {
            continue;
        }
        let server = mock_server(Duration::from_millis(1));
        let job = job(&entry, &server.url(), 8, 80, Expect::Record { seed: SEED });
        let measured = measure::run(&job, &entry, &fanout(), |_| {}).unwrap();
        let seen = server.journal().summary.connections_opened;
        assert_eq!(measured.connections, seen, "{}", label(&entry));
    }
}

#[test]
fn every_strategy_runs_batch_after_batch_over_the_same_connections() {
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let workload = inventory(20, Expect::Record { seed: SEED });
        let setup = setup(&entry, &server.url(), 3, TIMEOUT);
        let mut strategy = (entry.build)(&setup).unwrap();
        for _ in 0..3 {
            let kept = Kept::new(workload.clone());
            let batch = Batch::new(workload.clone(), kept.clone());
            strategy.run(&batch.into()).unwrap();
            assert_eq!(kept.verdicts(), vec![Ok(()); 20], "{}", entry.name);
        }
        let usable = entry.usable_workers(3);
        assert_connections(&entry, setup.target.traffic().connections, usable, 60);
    }
}

#[test]
fn every_strategy_agrees_with_a_server_that_is_not_ours() {
    let requests = 10;
    let workload = inventory(requests, Expect::Inventory);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        for kind in ["materials", "products"] {
            for id in 0..requests / 2 {
                let body =
                    format!(r#"{{"id":"{id}","name":"{kind}","price":"1.00 EUR","quantity":"2"}}"#);
                Mock::given(method("GET"))
                    .and(path(format!("/inventory/{kind}")))
                    .and(query_param("id", id.to_string()))
                    .respond_with(ResponseTemplate::new(200).set_body_string(body))
                    .expect(entries().len() as u64)
                    .mount(&server)
                    .await;
            }
        }
        server
    });
    for entry in entries() {
        let setup = setup(&entry, &server.uri(), 3, TIMEOUT);
        let kept = run_batch(&entry, &setup, &workload);
        let first = kept.first_failure();
        assert_eq!(
            kept.verdicts(),
            vec![Ok(()); requests],
            "{}: {first:?}",
            entry.name
        );
    }
    runtime.block_on(server.verify());
}

#[test]
fn a_stopped_batch_ends_with_what_was_in_flight() {
    for entry in entries() {
        let server = mock_server(Duration::ZERO);
        let workload = inventory(50, Expect::Record { seed: SEED });
        let setup = setup(&entry, &server.url(), 3, TIMEOUT);
        let mut strategy = (entry.build)(&setup).unwrap();
        let batch: Arc<OnceLock<Weak<Batch>>> = Arc::default();
        let ended = Arc::new(AtomicUsize::new(0));
        let kept = {
            let (batch, ended) = (Arc::clone(&batch), Arc::clone(&ended));
            Kept::telling(workload.clone(), move |_| {
                ended.fetch_add(1, SeqCst);
                // The first outcome stops the batch.
                if let Some(batch) = batch.get().and_then(Weak::upgrade) {
                    batch.stop();
                }
            })
        };
        let run = Arc::new(Batch::new(workload, kept));
        batch.set(Arc::downgrade(&run)).unwrap();
        strategy.run(&run).unwrap();
        drop(strategy);
        // Beside the one that stopped it, each worker may have had one begun.
        let ended = ended.load(SeqCst);
        let most = 1 + entry.usable_workers(3);
        assert!((1..=most).contains(&ended), "{}: {ended}", label(&entry));
        assert_eq!(
            server.journal().summary.arrived,
            ended as u64,
            "{}",
            label(&entry)
        );
    }
}

fn job(entry: &Entry, url: &str, workers: usize, requests: usize, expect: Expect) -> Job {
    Job {
        cell: Cell {
            strategy: entry.name.to_owned(),
            client: entry.clients[0].name().to_owned(),
            dispatch: "queue".to_owned(),
            reuse: "session".to_owned(),
            runtime_threads: None,
            processes: None,
            workers,
            workers_usable: entry.usable_workers(workers),
            requests,
            profile: None,
        },
        terms: Terms::new((*inventory(requests, expect)).clone(), url, TIMEOUT),
    }
}

#[test]
fn a_measurement_is_whole_and_no_faster_than_the_bound() {
    for entry in entries() {
        let server = mock_server(Duration::from_millis(50));
        let job = job(&entry, &server.url(), 3, 9, Expect::Record { seed: SEED });
        let measured = measure::run(&job, &entry, &fanout(), |_| {}).unwrap();
        let name = label(&entry);
        let usable = entry.usable_workers(3) as u64;
        assert_eq!((measured.ok, measured.failed()), (9, 0), "{name}");
        assert_connections(&entry, measured.connections, entry.usable_workers(3), 9);
        assert_eq!(measured.outcomes.index.len(), 9, "{name}");
        // No schedule beats the bound, whatever the machine does.
        let rounds = 9_u32.div_ceil(u32::try_from(usable).unwrap());
        assert!(measured.warm_s >= 0.050 * f64::from(rounds), "{name}");
        assert!(measured.cold_s > measured.warm_s, "{name}");
        assert!(measured.cpu_s > 0.0, "{name}");
    }
}
