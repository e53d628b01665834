//! One sample: build a strategy, run a batch through it, take it down, and
//! write up what that took.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::collector::Collector;
use super::local_server::LocalServer;
use super::resources::{self, Phases};
use super::saved::SavedFiles;
use super::thread_counter::ThreadCounter;
use crate::client::{Handling, Reuse, Target};
use crate::record::{Cell, Measurement, ServerAccount};
use crate::request::Endpoint;
use crate::run::{Resolved, Run};
use crate::strategy::{Batch, Dispatch, Entry, Setup, Sink, StrategyError, panic_message};
use crate::workload::Gets;

/// What every sample of a session is run under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// The batch.
    pub workload: Gets,
    /// Where it goes: an origin.
    pub url: String,
    /// The longest that one attempt of a request may take.
    pub timeout: Duration,
    /// The longest that the batch may take.
    pub deadline: Option<Duration>,
    /// Bytes that the bodies of responses may take together in a sample.
    pub body_limit: u64,
    /// Whether outcomes are handed on in the order of their requests.
    pub in_order: bool,
    /// What is done around each request. Where bodies are saved, each sample
    /// has a directory of its own in the one that this names.
    pub handling: Handling,
    /// Whether files that were saved are left where they are.
    pub keeps_files: bool,
    /// The bundled server's process, whose CPU time is read around the run.
    pub server_process: Option<u32>,
    /// The processes of another server that listens on this machine.
    pub local_server: LocalServer,
}

impl Terms {
    /// A batch whose requests are tried once, without a deadline, and whose
    /// answers are not worked on.
    pub fn new(workload: Gets, url: impl Into<String>, timeout: Duration) -> Self {
        Self {
            workload,
            url: url.into(),
            timeout,
            deadline: None,
            body_limit: Target::BODY_LIMIT,
            in_order: false,
            handling: Handling::default(),
            keeps_files: false,
            server_process: None,
            local_server: LocalServer::default(),
        }
    }

    /// How long a sample of so many workers may go without an outcome.
    pub(super) fn longest_silence(&self, workers: usize) -> Duration {
        let longest = self.handling.longest(self.timeout, workers);
        self.deadline
            .map_or(longest, |deadline| deadline.min(longest))
    }
}

/// All that a sample needs to know, so that it can be told to another process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What to run.
    pub cell: Cell,
    /// What it is run under.
    pub terms: Terms,
}

impl Job {
    /// What the cell's strategy is built with.
    ///
    /// # Errors
    /// Where the URL is no endpoint, the client does not go with the strategy, or a
    /// value of the cell is not known.
    pub fn setup(&self, entry: &Entry, worker_program: &Path) -> Result<Setup, String> {
        let Self { cell, terms } = self;
        let endpoint = Endpoint::resolve(&terms.url).map_err(|error| error.to_string())?;
        let client = entry.client(&cell.client);
        let client = client.ok_or_else(|| unknown("client", &cell.client))?;
        let reuse = Reuse::named(&cell.reuse).ok_or_else(|| unknown("reuse", &cell.reuse))?;
        let target = Target::new(endpoint, terms.timeout)
            .with_reuse(reuse)
            .with_body_limit(terms.body_limit);
        let worker_program = worker_program.to_owned();
        let setup = Setup::new(cell.workers_usable, client, target, worker_program);
        Ok(Setup {
            handling: Arc::new(terms.handling.clone()),
            runtime_threads: cell.runtime_threads,
            processes: cell.processes,
            expected: Some(Arc::new(terms.workload.clone())),
            ..setup
        })
    }

    fn dispatch(&self) -> Result<Dispatch, String> {
        let name = &self.cell.dispatch;
        Dispatch::named(name).ok_or_else(|| unknown("dispatch", name))
    }
}

fn unknown(what: &str, name: &str) -> String {
    format!("there is no {what} `{name}`")
}

/// Takes one sample in the present process.
///
/// `watch` is given the collector before the run begins, to follow it by.
///
/// # Errors
/// Where the strategy cannot be built, breaks down or panics, or does not
/// account for every request.
pub fn run(
    job: &Job,
    entry: &Entry,
    worker_program: &Path,
    watch: impl FnOnce(&Arc<Collector>),
) -> Result<Measurement, String> {
    let terms = &job.terms;
    let batch = Resolved {
        entry: *entry,
        setup: job.setup(entry, worker_program)?,
        dispatch: job.dispatch()?,
        workload: Arc::new(terms.workload.clone()),
        deadline: terms.deadline,
    };
    let saved = SavedFiles::prepare(terms.handling.save.as_ref(), terms.keeps_files)?;
    let server_cpu = || {
        let bundled = terms.server_process.map(resources::cpu_time_of);
        bundled.or_else(|| terms.local_server.cpu_time())
    };
    let (measured, served) = sample(&batch, terms.in_order, server_cpu, watch)?;
    if let Some(saved) = saved {
        saved.verify(batch.workload.as_ref(), &measured.outcomes)?;
    }
    let served = served.map(|cpu| cpu.as_secs_f64());
    let bundled = terms.server_process.is_some();
    Ok(Measurement {
        local_server_cpu_s: served.filter(|_| !bundled),
        server: served.filter(|_| bundled).map(|cpu| ServerAccount {
            run_cpu_s: Some(cpu),
            ..ServerAccount::default()
        }),
        ..measured
    })
}

/// Measures a [`Run`] in the present process: its times, and what it took in CPU
/// time, memory, threads and connections. The run's strategy, client and workload
/// may be your own.
///
/// Peak memory is that of the process so far.
///
/// # Errors
/// Where the batch cannot be run, as with [`Run::go`], or the strategy panics.
pub fn one(run: &Run) -> Result<Measurement, String> {
    let batch = run.resolve().map_err(|error| error.to_string())?;
    let (measured, _) = sample(&batch, false, || None, |_| {})?;
    Ok(measured)
}

/// Takes a sample; with it comes the CPU time that the server spent meanwhile.
fn sample(
    batch: &Resolved,
    in_order: bool,
    server_cpu: impl Fn() -> Option<Duration>,
    watch: impl FnOnce(&Arc<Collector>),
) -> Result<(Measurement, Option<Duration>), String> {
    let Resolved {
        entry,
        setup,
        dispatch,
        workload,
        deadline,
    } = batch;
    let collector = Collector::new(Arc::clone(workload));
    let collector = Arc::new(match in_order {
        true => collector.in_order(),
        false => collector,
    });
    let sink: Arc<dyn Sink> = Arc::clone(&collector) as Arc<_>;
    watch(&collector);
    let counter = ThreadCounter::start(&collector);
    let harness_threads = resources::threads(std::process::id());
    let mut phases = Phases::begin();

    let begun = Instant::now();
    let mut strategy = guarded(|| (entry.build)(setup))?;
    let built = begun.elapsed();
    let build_cpu = phases.end(&strategy.processes());

    let opened_ahead = setup.target.traffic();
    let batch = Arc::new(Batch::new(Arc::clone(workload), sink).with_deadline(*deadline));
    let served_before = server_cpu();
    phases.go_on();
    guarded(|| dispatch.run(strategy.as_mut(), &batch, setup.workers))?;

    // Read before the harness sums up: what that takes is not the strategy's.
    let helpers = strategy.processes();
    let run_cpu = phases.end(&helpers);
    let served = server_cpu().zip(served_before);
    let served = served.map(|(after, before)| after.saturating_sub(before));
    let counted = counter.end();
    let runtime_threads = strategy.runtime_threads().map(|threads| threads as u64);
    let resources = Resources::of(counted.threads, harness_threads, &helpers);
    phases.go_on();
    guarded(|| {
        drop(strategy);
        Ok(())
    })?;
    phases.end(&[]);
    let used = phases.used();
    // The counter ran beside the run, and is not the strategy's.
    let cpu_s = |cpu: Duration| cpu.saturating_sub(counted.cpu).as_secs_f64();
    let traffic = setup.target.traffic();
    let counted = |bytes| setup.client.counts_bytes().then_some(bytes);
    let collected = collector.finish()?;

    let measured = Measurement {
        warm_s: collected.last_s,
        cold_s: built.as_secs_f64() + collected.last_s,
        ok: collected.ok,
        failures: collected.failures,
        cpu_s: cpu_s(used.cpu()),
        build_cpu_s: Some(build_cpu.0.as_secs_f64()),
        run_cpu_s: Some(cpu_s(run_cpu.0)),
        user_s: used.user.as_secs_f64(),
        system_s: used.system.as_secs_f64(),
        voluntary_switches: used.voluntary_switches,
        involuntary_switches: used.involuntary_switches,
        peak_rss_bytes: resources.peak_rss_bytes,
        threads: resources.threads,
        runtime_threads,
        processes: helpers.len() as u64,
        connections: traffic.connections,
        connecting_s: Duration::from_nanos(traffic.since(opened_ahead).connecting_ns).as_secs_f64(),
        resent: traffic.resent,
        bytes_sent: counted(traffic.sent),
        bytes_received: counted(traffic.received),
        local_server_cpu_s: None,
        doers: collected.doers,
        most_in_flight: collected.most_in_flight,
        server: None,
        retried: collected.retried,
        outcomes: collected.outcomes,
    };
    Ok((measured, served))
}

/// What can be read only while the strategy stands.
struct Resources {
    threads: u64,
    peak_rss_bytes: u64,
}

impl Resources {
    fn of(halfway: u64, harness_threads: u64, helpers: &[u32]) -> Self {
        let this = std::process::id();
        let own = halfway.max(resources::threads(this));
        // The calling thread was there before, and belongs to the strategy.
        let own = if own == 0 {
            0
        } else {
            own + 1 - harness_threads.min(own)
        };
        let sum = |read: fn(u32) -> u64| -> u64 { helpers.iter().copied().map(read).sum() };
        Self {
            threads: own + sum(resources::threads),
            peak_rss_bytes: resources::peak_rss_bytes(this) + sum(resources::peak_rss_bytes),
        }
    }
}

/// Runs a strategy's code; a panic in it is an error like another.
fn guarded<T>(code: impl FnOnce() -> Result<T, StrategyError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(format!(
            "the strategy panicked: {}",
            panic_message(panic.as_ref())
        )),
    }
}
