//! `cargo bench`: every strategy at every worker count, by criterion, and the
//! plot of what was measured.
//!
//! The batch goes to the bundled server in a process of its own. What is timed
//! is the warm run: building a strategy is setup. Before a time counts, the
//! answers are checked, as everywhere.
//!
//! `FANOUT_DELAY`, `FANOUT_WORKERS` and `FANOUT_REQUESTS` change the service
//! time (20ms), the worker counts (1,2,3,5,10,20,50,100) and the batch (100).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode};
use fanout::analysis::Summary;
use fanout::measure::{self, Behaviour, Collector, Job, Plan, ServerProcess, Sweep, Terms};
use fanout::record::{self, Cell, Ending, Measurement, Record, Sample, SampleResult};
use fanout::report;
use fanout::strategy::{Batch, Catalogue, Setup, Strategy};
use fanout::workload::{Expect, Gets, Template, Workload};
use mock_server::duration;

/// The program that has the server and the worker processes in it; the present
/// one is a bench.
const FANOUT: &str = env!("CARGO_BIN_EXE_fanout");

const SEED: u64 = 1;

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is asked for, by environment variables.
struct Settings {
    /// Whether criterion only tests that benches run.
    testing: bool,
    delay: Duration,
    workers: Vec<usize>,
    requests: usize,
}

impl Settings {
    /// Reads the environment. Where criterion only tests that benches run, a
    /// small batch will do.
    fn read(testing: bool) -> Result<Self, Box<dyn Error>> {
        let (delay, workers, requests) = if testing {
            ("1ms", "1,3", "6")
        } else {
            ("20ms", "1,2,3,5,10,20,50,100", "100")
        };
        let delay = setting("FANOUT_DELAY", delay);
        let workers = setting("FANOUT_WORKERS", workers);
        let requests = setting("FANOUT_REQUESTS", requests);
        Ok(Self {
            testing,
            delay: duration::parse(&delay).map_err(|e| format!("FANOUT_DELAY: {e}"))?,
            workers: workers
                .split(',')
                .map(|workers| count("FANOUT_WORKERS", workers))
                .collect::<Result<_, _>>()?,
            requests: count("FANOUT_REQUESTS", &requests)?,
        })
    }
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn count(name: &str, text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(format!(
            "{name}: `{text}` is not a whole number from 1, as in 1,3,20"
        )),
    }
}

fn bench() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    // As criterion has it: without --bench, or with --test, nothing is measured.
    let settings = Settings::read(!has("--bench") || has("--test"))?;
    mock_server::limits::raise_open_files()?;
    let catalogue = Catalogue::bundled();
    let plan = Plan::sweep(
        &catalogue,
        &Sweep {
            workers: settings.workers.clone(),
            requests: settings.requests,
            samples: 1,
            ..Sweep::default()
        },
    )?;
    let server = ServerProcess::start(Path::new(FANOUT), &Behaviour::fixed(settings.delay, SEED))?;
    let measured = RefCell::new(Measured::default());

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("batch");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000);
    for cell in &plan.cells {
        bench_cell(&mut group, cell, &catalogue, server.url(), &measured)?;
    }
    group.finish();
    criterion.final_summary();

    draw(measured.into_inner(), &plan, &server, &settings)
}

/// What was measured, by cell: the seconds of each run.
type Measured = BTreeMap<Cell, Vec<f64>>;

fn bench_cell(
    group: &mut BenchmarkGroup<'_, WallTime>,
    cell: &Cell,
    catalogue: &Catalogue,
    url: &str,
    measured: &RefCell<Measured>,
) -> Result<(), Box<dyn Error>> {
    let entry = *catalogue.named(&cell.strategy)?;
    let workload = Gets::new(
        Template::of_url(url)?,
        cell.requests,
        Expect::Record { seed: SEED },
    );
    let job = Job {
        cell: cell.clone(),
        terms: Terms::new(workload.clone(), url, Duration::from_secs(30)),
    };
    let setup = job.setup(Path::new(FANOUT))?;
    let workload: Arc<dyn Workload> = Arc::new(workload);
    // Built when its first run is due: a filter may leave the cell out.
    let mut built: Option<Result<Box<dyn Strategy>, String>> = None;
    group.bench_function(BenchmarkId::new(&cell.strategy, cell.workers), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                let strategy = built.get_or_insert_with(|| build(&entry, &setup));
                let run = match strategy {
                    Ok(strategy) => timed(strategy.as_mut(), &workload),
                    Err(error) => Err(error.clone()),
                };
                let seconds = run.unwrap_or_else(|error| give_up(cell, &error));
                total += Duration::from_secs_f64(seconds);
                let mut measured = measured.borrow_mut();
                measured.entry(cell.clone()).or_default().push(seconds);
            }
            total
        });
    });
    Ok(())
}

fn build(entry: &fanout::strategy::Entry, setup: &Setup) -> Result<Box<dyn Strategy>, String> {
    (entry.build)(setup).map_err(|error| error.to_string())
}

/// criterion has no word for a run that failed, and would keep whatever time it
/// was given as a measurement; so nothing more is measured. The server and the
/// worker processes end with this one.
fn give_up(cell: &Cell, error: &str) -> ! {
    eprintln!("\nerror: {cell}: {error}; no time of this cell counts");
    std::process::exit(1)
}

/// One run's seconds, once every answer was found right.
fn timed(strategy: &mut dyn Strategy, workload: &Arc<dyn Workload>) -> Result<f64, String> {
    let collector = Arc::new(Collector::new(Arc::clone(workload)));
    let batch = Batch::new(Arc::clone(workload), Arc::clone(&collector) as Arc<_>);
    strategy
        .run(&Arc::new(batch))
        .map_err(|error| error.to_string())?;
    let collected = collector.finish()?;
    match collected.failures.first() {
        None => Ok(collected.last_s),
        Some(failure) => Err(format!(
            "{} requests failed: {}",
            failure.count, failure.example
        )),
    }
}

/// Draws what was measured into `results/`; nothing where nothing was.
fn draw(
    measured: Measured,
    plan: &Plan,
    server: &ServerProcess,
    settings: &Settings,
) -> Result<(), Box<dyn Error>> {
    if measured.is_empty() || settings.testing {
        return Ok(());
    }
    let summary = Summary::of(&record(measured, plan, server, settings));
    let results = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results");
    for path in report::write(&summary, &results, report::PLOTS)? {
        println!("drew {}", path.display());
    }
    Ok(())
}

/// The measurements in the form that plots are drawn from.
fn record(measured: Measured, plan: &Plan, server: &ServerProcess, settings: &Settings) -> Record {
    let samples = measured.into_iter().flat_map(|(cell, runs)| {
        (0..).zip(runs).map(move |(round, seconds)| Sample {
            cell: cell.clone(),
            round,
            taken: record::Taken::default(),
            result: SampleResult::Measured(Box::new(Measurement {
                warm_s: seconds,
                cold_s: seconds,
                ok: cell.requests as u64,
                ..Measurement::default()
            })),
        })
    });
    Record {
        session: record::Session {
            version: record::VERSION,
            started_at: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
            command: "cargo bench".to_owned(),
            receipt: measure::receipt(),
            server: record::Server {
                kind: record::ServerKind::Bundled,
                url: server.url().to_owned(),
                service_s: Some(settings.delay.as_secs_f64()),
                longest_s: None,
                profile: None,
                limits: record::Limits::default(),
            },
            others: Vec::new(),
            verified: Expect::Record { seed: SEED }.to_string(),
            timeout_s: 30.0,
            conditions: record::Conditions::default(),
            sampling: None,
            notes: plan.notes.clone(),
        },
        samples: samples.collect(),
        ending: Ending::Complete,
    }
}
