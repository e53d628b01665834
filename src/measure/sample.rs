//! One sample: build a strategy, run a batch through it, take it down, and
//! write up what that took.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::collector::Collector;
use super::resources;
use crate::client::{Client, Target};
use crate::record::{Cell, Measurement};
use crate::request::Endpoint;
use crate::strategy::{Batch, Entry, Setup, StrategyError, panic_message};
use crate::workload::{Gets, Workload};

/// All that a sample needs to know, so that it can be told to another process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What to run.
    pub cell: Cell,
    /// The batch.
    pub workload: Gets,
    /// Where it goes: an origin.
    pub url: String,
    /// The longest that one request may take, in seconds.
    pub timeout_s: f64,
}

impl Job {
    /// What the cell's strategy is built with.
    ///
    /// # Errors
    /// Where the URL is no endpoint, or the client is not known.
    pub fn setup(&self, worker_program: &Path) -> Result<Setup, String> {
        let endpoint = Endpoint::resolve(&self.url).map_err(|error| error.to_string())?;
        let name = &self.cell.client;
        let client = Client::named(name).ok_or_else(|| format!("there is no client `{name}`"))?;
        Ok(Setup {
            workers: self.cell.workers_usable,
            client,
            target: Target::new(endpoint, Duration::from_secs_f64(self.timeout_s)),
            worker_program: worker_program.to_owned(),
        })
    }
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
    let setup = job.setup(worker_program)?;
    let workload: Arc<dyn Workload> = Arc::new(job.workload.clone());
    let collector = Arc::new(Collector::new(Arc::clone(&workload)));
    watch(&collector);
    let harness_threads = resources::threads(std::process::id());
    let cpu_before = resources::cpu_time();

    let begun = Instant::now();
    let mut strategy = guarded(|| (entry.build)(&setup))?;
    let built = begun.elapsed();

    let batch = Arc::new(Batch::new(workload, Arc::clone(&collector) as Arc<_>));
    guarded(|| strategy.run(&batch))?;

    // Read before the harness sums up: what that takes is not the strategy's.
    let helpers = strategy.processes();
    let resources = Resources::of(collector.threads(), harness_threads, &helpers);
    guarded(|| {
        drop(strategy);
        Ok(())
    })?;
    let cpu = resources::cpu_time().saturating_sub(cpu_before);
    let collected = collector.finish()?;

    Ok(Measurement {
        warm_s: collected.last_s,
        cold_s: built.as_secs_f64() + collected.last_s,
        ok: collected.ok,
        failures: collected.failures,
        cpu_s: cpu.as_secs_f64(),
        peak_rss_bytes: resources.peak_rss_bytes,
        threads: resources.threads,
        processes: helpers.len() as u64,
        connections: setup.target.connections(),
        most_in_flight: collected.most_in_flight,
        server: None,
        outcomes: collected.outcomes,
        ..Measurement::default()
    })
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
