//! What the tests of strategies share: a batch to run, and a sink to run it into.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary includes the whole and uses a part of it"
)]

pub mod scripted;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fanout::client::{Connections, Target};
use fanout::outcome::{FailureKind, Outcome};
use fanout::request::Endpoint;
use fanout::strategy::{Batch, Catalogue, Entry, Setup, Sink};
use fanout::workload::{Expect, Gets, Template, Workload};

/// The seed of every server that these tests start.
pub const SEED: u64 = 11;

/// The program that has worker processes and the server in it.
pub fn fanout() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_fanout"))
}

/// Every bundled strategy, once with each HTTP client that goes with it, as if
/// it had no other.
pub fn entries() -> Vec<Entry> {
    let with_each = |entry: &Entry| {
        let entry = *entry;
        entry
            .clients
            .chunks(1)
            .filter(|clients| clients[0].is_http())
            .map(move |clients| entry.clients(clients))
    };
    Catalogue::bundled()
        .entries()
        .iter()
        .flat_map(with_each)
        .collect()
}

/// What a failing test calls a strategy with its client.
pub fn label(entry: &Entry) -> String {
    format!("{} + {}", entry.name, entry.clients[0])
}

/// Checks how many connections were opened, as exactly as the client promises.
pub fn assert_connections(entry: &Entry, opened: u64, workers: usize, requests: usize) {
    let name = label(entry);
    match entry.clients[0].connections() {
        Connections::PerWorker => assert_eq!(opened, workers as u64, "{name}"),
        Connections::None => assert_eq!(opened, 0, "{name}"),
        Connections::Pooled => {
            assert!((1..=requests as u64).contains(&opened), "{name}: {opened}");
        }
    }
}

/// A setup for a strategy with its first client.
pub fn setup(entry: &Entry, url: &str, workers: usize, timeout: Duration) -> Setup {
    let target = Target::new(Endpoint::resolve(url).unwrap(), timeout);
    let workers = entry.usable_workers(workers);
    Setup::new(workers, entry.clients[0], target, fanout())
}

/// A port of 127.0.0.1 at which nobody listens, for as long as the socket is
/// held.
pub fn deaf_port() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// A batch of inventory requests.
pub fn inventory(requests: usize, expect: Expect) -> Arc<Gets> {
    let template = Template::parse(Template::INVENTORY).unwrap();
    Arc::new(Gets::new(template, requests, expect))
}

/// Keeps outcomes, each judged, and tells a listener of each.
pub struct Kept {
    workload: Arc<dyn Workload>,
    judged: Mutex<Vec<(Outcome, Result<(), FailureKind>)>>,
    listener: Box<dyn Fn(&Outcome) + Send + Sync>,
}

impl Kept {
    pub fn new(workload: Arc<dyn Workload>) -> Arc<Self> {
        Self::telling(workload, |_| {})
    }

    pub fn telling(
        workload: Arc<dyn Workload>,
        listener: impl Fn(&Outcome) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            workload,
            judged: Mutex::default(),
            listener: Box::new(listener),
        })
    }

    /// The verdict on each request, by index; panics where one is missing or
    /// there twice.
    pub fn verdicts(&self) -> Vec<Result<(), FailureKind>> {
        let judged = self.judged.lock().unwrap();
        let mut verdicts: Vec<_> = judged.iter().map(|(o, v)| (o.index, *v)).collect();
        verdicts.sort_by_key(|(index, _)| *index);
        let indices: Vec<_> = verdicts.iter().map(|(index, _)| *index).collect();
        let all: Vec<_> = (0..self.workload.requests()).collect();
        assert_eq!(indices, all, "each request has exactly one outcome");
        verdicts.into_iter().map(|(_, verdict)| verdict).collect()
    }

    /// The workers that outcomes came from.
    pub fn workers(&self) -> std::collections::BTreeSet<usize> {
        let judged = self.judged.lock().unwrap();
        judged.iter().map(|(outcome, _)| outcome.worker).collect()
    }

    /// When a worker's requests began and ended, in the order of their ends.
    pub fn spans(&self, worker: usize) -> Vec<std::ops::Range<std::time::Duration>> {
        let judged = self.judged.lock().unwrap();
        let own = judged
            .iter()
            .filter(|(outcome, _)| outcome.worker == worker);
        let mut spans: Vec<_> = own.map(|(o, _)| o.started..o.finished).collect();
        spans.sort_by_key(|span| span.end);
        spans
    }

    /// Whether all of them met a limit of the clients.
    pub fn all_limited(&self) -> bool {
        let judged = self.judged.lock().unwrap();
        let results = judged.iter().map(|(outcome, _)| &outcome.result);
        let mut failures = results.map(|result| result.as_ref().err());
        failures.all(|failure| failure.is_some_and(|failure| failure.limited))
    }

    /// The first failure in words, for a test that fails to show.
    pub fn first_failure(&self) -> Option<String> {
        let judged = self.judged.lock().unwrap();
        judged
            .iter()
            .find_map(|(outcome, _)| outcome.result.as_ref().err().map(ToString::to_string))
    }
}

impl Sink for Kept {
    fn accept(&self, outcome: Outcome) {
        let verdict = match &outcome.result {
            Ok(_) if outcome.checked => Ok(()),
            Ok(response) => self.workload.check(outcome.index, response),
            Err(failure) => Err(failure.clone()),
        };
        (self.listener)(&outcome);
        let verdict = verdict.map_err(|failure| failure.kind);
        self.judged.lock().unwrap().push((outcome, verdict));
    }
}

/// Runs one batch through a strategy, and gives what came of it.
pub fn run_batch(entry: &Entry, setup: &Setup, workload: &Arc<Gets>) -> Arc<Kept> {
    let kept = Kept::new(Arc::clone(workload) as Arc<_>);
    let mut strategy = (entry.build)(setup).unwrap();
    let batch = Batch::new(Arc::clone(workload) as Arc<_>, Arc::clone(&kept) as Arc<_>);
    strategy.run(&Arc::new(batch)).unwrap();
    kept
}

/// All processes below one, as the kernel tells.
#[cfg(target_os = "linux")]
pub fn descendants(process: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children
            .split_whitespace()
            .map(|child| child.parse().unwrap())
        {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}

/// The bundled server that a `compare` has started.
#[cfg(target_os = "linux")]
pub fn bundled_server(compare: i32) -> i32 {
    let serves = |process: &i32| {
        let command = std::fs::read_to_string(format!("/proc/{process}/cmdline"));
        command.is_ok_and(|command| command.contains("serve"))
    };
    descendants(compare).into_iter().find(serves).unwrap()
}
