//! `cargo bench`: every strategy at every worker count, judged by criterion.
//!
//! The samples are those of a `fanout compare` session: each run is a process of
//! its own that builds its strategy anew, and each round runs every cell once, in
//! random order. Criterion gets the warm runtimes of a cell when all rounds are
//! done, a run per sample. So its intervals cover what differs from one build to
//! the next and what drifts during the session, and one slow minute of the
//! machine falls on every cell alike.
//!
//! `FANOUT_DELAY`, `FANOUT_WORKERS` and `FANOUT_REQUESTS` change the service
//! time (20ms), the worker counts (1,2,3,5,10,20,50,100) and the batch (100).
//! `--sample-size` changes the number of rounds (10).

mod session;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode};
use fanout::analysis::Summary;
use fanout::measure::{Plan, Sweep};
use fanout::record::{Cell, Record, SampleResult};
use fanout::report;
use fanout::report::table::Look;
use fanout::strategy::Catalogue;
use mock_server::duration;

/// Runs of each cell: the fewest samples that criterion takes.
const ROUNDS: u32 = 10;

/// Time of criterion's warm-up call. It sets how many iterations criterion asks
/// of each sample; see [`judge`].
const WARM_UP: Duration = Duration::from_millis(2);

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read();
    arguments.check()?;
    // As criterion has it: without --bench, or with --test, nothing is measured.
    let testing = !arguments.has("--bench") || arguments.has("--test");
    let settings = Settings::read(testing)?;
    mock_server::limits::raise_open_files()?;
    let catalogue = Catalogue::bundled();
    let names = catalogue
        .entries()
        .iter()
        .map(|entry| entry.name.to_owned());
    let mut plan = Plan::sweep(
        &catalogue,
        &Sweep {
            // By name each has its default client alone.
            strategies: names.collect(),
            workers: settings.workers.clone(),
            requests: settings.requests,
            samples: if testing { 1 } else { arguments.rounds()? },
            ..Sweep::default()
        },
    )?;
    let names = Names::of(&plan.cells);
    let planned = plan.cells.len();
    if arguments.has("--list") || arguments.has("--load-baseline") {
        // Criterion measures nothing then, and asks for nothing.
        judge(&names, &plan, &[]);
        return Ok(());
    }
    let selected = selected()?;
    plan.cells
        .retain(|cell| selected.contains(&names.whole(cell)));
    if plan.cells.is_empty() {
        return Err("no cell has such a name: `cargo bench -- --list` shows the names".into());
    }
    let whole = plan.cells.len() == planned;
    let part = if whole { "bench" } else { "bench-partial" };
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let scratch = tempfile::tempdir()?;
    let dir = if testing {
        scratch.path().to_owned()
    } else {
        results.join(part)
    };
    report::files::make_directory(&dir)?;
    let record = session::run(&plan, &settings, &dir)?;
    judge(&names, &plan, &runtimes(&plan, &record));
    if testing {
        return Ok(());
    }
    let summary = Summary::of(&record);
    println!("{}", report::table::render(&summary, Look::default()));
    report::write_session(&summary, &dir)?;
    println!("wrote the record, the report and its plots in results/{part}");
    if whole {
        report::write(&summary, &results, report::PLOTS)?;
        println!("wrote results/runtime.svg and results/runtime.png");
    }
    Ok(())
}

/// The warm runtimes of each cell of a plan, in seconds.
fn runtimes(plan: &Plan, record: &Record) -> Vec<Vec<f64>> {
    let of_cell = |cell: &Cell| {
        let samples = record.samples.iter().filter(|sample| sample.cell == *cell);
        samples
            .filter_map(|sample| match &sample.result {
                SampleResult::Measured(measured) => Some(measured.warm_s),
                SampleResult::Error(_) => None,
            })
            .collect()
    };
    plan.cells.iter().map(of_cell).collect()
}

/// Hands the runtimes to criterion, which prints, compares and keeps them.
///
/// Criterion warns on one iteration per sample, so it is made to ask for two:
/// its warm-up call takes [`WARM_UP`], and the measurement time is one and a half
/// of those per sample. Each sample is a single run all the same: its time is
/// handed over once per iteration.
fn judge(names: &Names, plan: &Plan, runtimes: &[Vec<f64>]) {
    let samples = plan.samples.max(ROUNDS);
    let mut criterion = Criterion::default()
        // A bootstrap of ten samples with a long tail holds less often than it says.
        .confidence_level(0.99)
        .significance_level(0.01)
        .noise_threshold(0.02)
        .nresamples(10_000)
        .configure_from_args();
    let mut group = criterion.benchmark_group(Names::GROUP);
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(samples as usize)
        .warm_up_time(Duration::from_nanos(1))
        .measurement_time(WARM_UP.mul_f64(1.5 * f64::from(samples)));
    for (place, cell) in plan.cells.iter().enumerate() {
        let id = BenchmarkId::new(names.line(cell), cell.workers);
        let mut runs = runtimes.get(place).into_iter().flatten().cycle();
        let mut warm = false;
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|iterations| {
                if !std::mem::replace(&mut warm, true) {
                    let begun = Instant::now();
                    while begun.elapsed() < WARM_UP {
                        std::hint::spin_loop();
                    }
                    return WARM_UP;
                }
                let run = runs.next().copied().unwrap_or_default();
                Duration::from_secs_f64(run * iterations as f64)
            });
        });
    }
    group.finish();
    criterion.final_summary();
}

/// The names that criterion knows cells by.
struct Names {
    /// Strategies that the plan runs with several clients.
    several: BTreeSet<String>,
}

impl Names {
    const GROUP: &'static str = "batch";

    fn of(cells: &[Cell]) -> Self {
        let lines: BTreeSet<_> = cells
            .iter()
            .map(|cell| (&cell.strategy, &cell.client))
            .collect();
        let count = |strategy: &String| lines.iter().filter(|line| line.0 == strategy).count();
        let several = lines.iter().filter(|line| count(line.0) > 1);
        Self {
            several: several.map(|line| line.0.clone()).collect(),
        }
    }

    /// The strategy, and its client where it has several.
    fn line(&self, cell: &Cell) -> String {
        if self.several.contains(&cell.strategy) {
            format!("{}+{}", cell.strategy, cell.client)
        } else {
            cell.strategy.clone()
        }
    }

    /// The whole name, as in `batch/tokio/20`.
    fn whole(&self, cell: &Cell) -> String {
        format!("{}/{}/{}", Self::GROUP, self.line(cell), cell.workers)
    }
}

/// The names of the cells that criterion's own options select. Criterion does not
/// tell beforehand, so this program is run once more, to list them.
fn selected() -> Result<BTreeSet<String>, Box<dyn Error>> {
    // Those that exclude --list. They select nothing.
    let arguments = std::env::args_os()
        .skip(1)
        .filter(|argument| argument != "--test");
    let listed = Command::new(std::env::current_exe()?)
        .args(arguments)
        .arg("--list")
        .output()?;
    if !listed.status.success() {
        return Err(String::from_utf8_lossy(&listed.stderr).into());
    }
    let listed = String::from_utf8(listed.stdout)?;
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": benchmark"));
    Ok(names.map(str::to_owned).collect())
}

/// The command line: criterion's options, of which some matter here as well.
struct Arguments(Vec<String>);

impl Arguments {
    fn read() -> Self {
        let words = std::env::args_os().skip(1);
        Self(
            words
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        )
    }

    fn has(&self, flag: &str) -> bool {
        self.value(flag).is_some()
    }

    /// What follows a flag, or its `=`; empty where nothing does.
    fn value(&self, flag: &str) -> Option<&str> {
        let with_value =
            |word: &String| word.starts_with(flag) && word[flag.len()..].starts_with('=');
        let place = self
            .0
            .iter()
            .position(|word| word == flag || with_value(word))?;
        Some(match self.0[place].split_once('=') {
            Some((_, value)) => value,
            None => self.0.get(place + 1).map_or("", String::as_str),
        })
    }

    /// Refuses what would measure something else than it says.
    fn check(&self) -> Result<(), String> {
        for flag in ["--quick", "--profile-time"] {
            if self.has(flag) {
                return Err(format!(
                    "{flag} has no effect here: each run is a process of its own, and criterion gets \
                     the times afterwards; use FANOUT_WORKERS, FANOUT_DELAY or a filter for a shorter job"
                ));
            }
        }
        Ok(())
    }

    fn rounds(&self) -> Result<u32, String> {
        match self.value("--sample-size") {
            None => Ok(ROUNDS),
            Some(text) => match text.parse() {
                Ok(rounds) if rounds >= ROUNDS => Ok(rounds),
                _ => Err(format!(
                    "--sample-size: `{text}` is not a whole number from {ROUNDS}"
                )),
            },
        }
    }
}

/// The job, by environment variables.
struct Settings {
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
