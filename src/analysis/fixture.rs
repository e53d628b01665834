//! Small records made by hand, for the tests of this wing.

use crate::record::{
    Cell, Conditions, Ending, FailureCount, Limits, Measurement, Outcomes, Purpose, Receipt,
    Record, Retried, Sample, SampleResult, Server, ServerAccount, ServerKind, Session, Taken,
    VERSION,
};

/// Builds a record sample by sample.
#[derive(Clone)]
pub(crate) struct RecordBuilder {
    record: Record,
    requests: usize,
}

impl From<Record> for RecordBuilder {
    /// Goes on with a record.
    fn from(record: Record) -> Self {
        let requests = record.samples.last();
        Self {
            requests: requests.map_or(100, |sample| sample.cell.requests),
            record,
        }
    }
}

impl RecordBuilder {
    /// A session of the bundled server at 200 ms, without samples.
    pub(crate) fn new() -> Self {
        Self {
            record: Record {
                session: session(),
                samples: Vec::new(),
                ending: Ending::Complete,
            },
            requests: 100,
        }
    }

    /// What is known of the server's service time.
    pub(crate) fn service(mut self, service_s: Option<f64>) -> Self {
        self.record.session.server.service_s = service_s;
        self
    }

    /// The session's own facts.
    pub(crate) fn session(mut self, change: impl FnOnce(&mut Session)) -> Self {
        change(&mut self.record.session);
        self
    }

    /// How the session ended.
    pub(crate) fn ending(mut self, ending: Ending) -> Self {
        self.record.ending = ending;
        self
    }

    /// Adds a run of a strategy that was measured.
    pub(crate) fn sample(self, strategy: &str, workers: usize, measured: Measured) -> Self {
        let requests = measured.requests as usize;
        self.cell(cell(strategy, workers, requests), measured)
    }

    /// Adds a run of any cell that was measured.
    pub(crate) fn cell(mut self, cell: Cell, measured: Measured) -> Self {
        self.requests = cell.requests;
        let measurement = measured.measurement(cell.workers_usable);
        self.record.samples.push(Sample {
            round: 0,
            taken: Taken::default(),
            cell,
            result: SampleResult::Measured(Box::new(measurement)),
        });
        self
    }

    /// Marks the last run as one that confirms a choice.
    pub(crate) fn confirming(mut self) -> Self {
        let last = self.record.samples.last_mut();
        last.expect("a sample").taken.confirms = true;
        self
    }

    /// Adds a run that came to nothing.
    pub(crate) fn error(mut self, strategy: &str, workers: usize, reason: &str) -> Self {
        self.record.samples.push(Sample {
            round: 0,
            taken: Taken::default(),
            cell: cell(strategy, workers, self.requests),
            result: SampleResult::Error(reason.to_owned()),
        });
        self
    }

    /// The record.
    pub(crate) fn build(self) -> Record {
        self.record
    }
}

/// A cell over the client that a strategy usually has.
pub(crate) fn cell(strategy: &str, workers: usize, requests: usize) -> Cell {
    let over_hyper = ["tokio", "async-std", "smol"].contains(&strategy);
    Cell {
        strategy: strategy.to_owned(),
        client: if over_hyper { "hyper" } else { "ureq" }.to_owned(),
        dispatch: "queue".to_owned(),
        reuse: "session".to_owned(),
        runtime_threads: None,
        processes: None,
        workers,
        workers_usable: if strategy == "sequential" { 1 } else { workers },
        requests,
        profile: None,
    }
}

/// A run of a batch, every request of which succeeds unless said otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    requests: u64,
    warm_s: f64,
    /// `None`: a little longer than warm.
    cold_s: Option<f64>,
    /// `None`: as long as the runtime leaves room for.
    latency_s: Option<f64>,
    failures: Vec<FailureCount>,
    /// Attempts that were made again, and the status that they had.
    retried: (u64, u16),
}

/// A batch of so many requests that took so many seconds.
pub(crate) fn measured(requests: u64, warm_s: f64) -> Measured {
    Measured {
        requests,
        warm_s,
        cold_s: None,
        latency_s: None,
        failures: Vec::new(),
        retried: (0, 0),
    }
}

impl Measured {
    /// How long each request took.
    pub(crate) fn latency(mut self, latency_s: f64) -> Self {
        self.latency_s = Some(latency_s);
        self
    }

    /// How long it took with building the strategy.
    pub(crate) fn cold(mut self, cold_s: f64) -> Self {
        self.cold_s = Some(cold_s);
        self
    }

    /// How many of the requests failed, and how.
    pub(crate) fn failed(mut self, count: u64, kind: &str) -> Self {
        self.failures.push(FailureCount {
            kind: kind.to_owned(),
            status: None,
            count,
            example: format!("the first {kind}"),
        });
        self
    }

    /// How many attempts were answered with a status and made again.
    pub(crate) fn retried(mut self, count: u64, status: u16) -> Self {
        self.retried = (count, status);
        self
    }

    /// How many of the requests were answered with a status other than success.
    pub(crate) fn refused(mut self, count: u64, status: u16) -> Self {
        self.failures.push(FailureCount {
            kind: "status".to_owned(),
            status: Some(status),
            count,
            example: format!("GET /1: status {status}"),
        });
        self
    }

    fn measurement(self, workers: usize) -> Measurement {
        let failed: u64 = self.failures.iter().map(|failure| failure.count).sum();
        let requests = self.requests as usize;
        // Workers take turns, and the last round ends with the run.
        let rounds = requests.div_ceil(workers.max(1)).max(1);
        let room_s = self.warm_s / rounds as f64;
        let latency_s = self.latency_s.unwrap_or((room_s - 0.000_1).max(0.0));
        let started = |index: usize| {
            let left = rounds - 1 - index / workers.max(1);
            (self.warm_s - latency_s - left as f64 * room_s).max(0.0)
        };
        Measurement {
            warm_s: self.warm_s,
            cold_s: self.cold_s.unwrap_or(self.warm_s + 0.004),
            ok: self.requests - failed,
            failures: self.failures,
            cpu_s: 0.021,
            peak_rss_bytes: 9 << 20,
            threads: 4,
            processes: 0,
            connections: 3,
            most_in_flight: 3,
            server: Some(ServerAccount {
                cpu_s: 0.01,
                run_cpu_s: None,
                busy: 0.01 / (self.warm_s + 0.004),
                lateness_p50_s: 0.00006,
                lateness_p99_s: 0.0002,
                lateness_mean_s: 0.00008,
                held_mean_s: 0.0,
            }),
            retried: {
                let (count, status) = (self.retried.0 as usize, self.retried.1);
                Retried {
                    index: (0..count).map(|place| (place % requests) as u32).collect(),
                    started_s: vec![0.0; count],
                    latency_s: vec![0.001; count],
                    waited_s: vec![0.01; count],
                    kind: vec!["status".to_owned(); count],
                    status: vec![Some(status); count],
                }
            },
            outcomes: Outcomes {
                index: (0..self.requests as u32).collect(),
                worker: (0..requests)
                    .map(|index| (index % workers.max(1)) as u32)
                    .collect(),
                started_s: (0..requests).map(started).collect(),
                latency_s: vec![latency_s; requests],
                ok: (0..self.requests).map(|index| index >= failed).collect(),
                ..Outcomes::default()
            },
            ..Measurement::default()
        }
    }
}

/// Standard normal numbers that look like chance and are the same in every run.
pub(crate) fn normal(seed: u64) -> impl FnMut() -> f64 {
    let mut random = fastrand::Rng::with_seed(seed);
    move || {
        let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * random.f64()).cos()
    }
}

/// The sweep that most records hold: 100 requests of 200 ms, five strategies
/// close to the bound at eight worker counts in three samples, and sequential.
pub(crate) fn sweep() -> Record {
    let percent = [
        ("thread-pool", [0.4, 0.5, 0.5, 0.6, 0.9, 1.4, 2.6, 5.0]),
        ("rayon", [0.4, 0.5, 0.6, 0.6, 1.0, 1.5, 3.0, 5.6]),
        ("tokio", [0.6, 0.7, 0.7, 0.7, 0.9, 1.2, 1.9, 3.3]),
        ("async-std", [0.7, 0.7, 0.8, 0.8, 1.1, 1.4, 2.2, 4.1]),
        ("multiprocess", [0.5, 0.6, 0.8, 1.0, 1.7, 2.9, 5.2, 8.1]),
    ];
    let workers = [1, 2, 3, 5, 10, 20, 50, 100];
    let mut record = RecordBuilder::new();
    for round in 0..3 {
        let drift = 1.0 + 0.0008 * f64::from(round);
        record = record.sample("sequential", 1, measured(100, 20.1 * drift));
        for (strategy, percent) in percent {
            for (workers, percent) in workers.into_iter().zip(percent) {
                let bound = 100_usize.div_ceil(workers) as f64 * 0.2;
                let runtime = bound * (1.0 + percent / 100.0 * (0.9 + 0.12 * f64::from(round)));
                record = record.sample(strategy, workers, measured(100, runtime));
            }
        }
    }
    record.build()
}

/// Two strategies against two profiles: `steady` of 200 ms, where tokio is ahead
/// by less than samples differ, and `slow` of 400 ms, where rayon is by more.
pub(crate) fn two_profiles() -> Record {
    let server = |name: &str, service_s| Server {
        kind: ServerKind::Bundled,
        url: "http://127.0.0.1:3000/inventory".to_owned(),
        service_s: Some(service_s),
        longest_s: None,
        times: None,
        profile: Some(name.to_owned()),
        digest: None,
        limits: Limits::default(),
    };
    let at = |strategy: &str, workers, profile: &str| Cell {
        profile: Some(profile.to_owned()),
        ..cell(strategy, workers, 100)
    };
    let mut record = RecordBuilder::new()
        .session(|session| {
            session.server = server("steady", 0.2);
            session.others = vec![server("slow", 0.4)];
        })
        .cell(at("tokio", 20, "steady"), measured(100, 1.01))
        .cell(at("rayon", 20, "slow"), measured(100, 2.02))
        .cell(at("tokio", 3, "steady"), measured(100, 6.83))
        .cell(at("rayon", 20, "steady"), measured(100, 1.015))
        .cell(at("tokio", 20, "steady"), measured(100, 1.02))
        .cell(at("rayon", 20, "steady"), measured(100, 1.05))
        .cell(at("tokio", 20, "slow"), measured(100, 2.1));
    // Enough samples to tell the two apart.
    for noise_s in [-0.01, 0.01] {
        record = record
            .cell(at("rayon", 20, "slow"), measured(100, 2.02 + noise_s))
            .cell(at("tokio", 20, "slow"), measured(100, 2.1 + noise_s));
    }
    record.build()
}

fn session() -> Session {
    Session {
        version: VERSION,
        started_at: "2026-11-05T09:30:00Z".to_owned(),
        command: "fanout compare --samples 3".to_owned(),
        receipt: Receipt {
            fanout: "0.1.0".to_owned(),
            revision: "0123abc".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            profile: "release".to_owned(),
            os: "linux x86_64".to_owned(),
            kernel: "6.1.0".to_owned(),
            cpu: "Example CPU 3000".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
        },
        server: Server {
            kind: ServerKind::Bundled,
            url: "http://127.0.0.1:3000/inventory".to_owned(),
            service_s: Some(0.2),
            longest_s: None,
            times: None,
            profile: None,
            digest: None,
            limits: Limits::default(),
        },
        others: Vec::new(),
        verified: "status 200, and every field of every answer as the server's seed gives it"
            .to_owned(),
        timeout_s: 30.0,
        conditions: Conditions::default(),
        purpose: Purpose::Once,
        sampling: None,
        planned: Vec::new(),
        max_failures: None,
        discontinued: Vec::new(),
        notes: Vec::new(),
    }
}
