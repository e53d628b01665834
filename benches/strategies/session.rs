//! The session behind `cargo bench`: the plan's cells in random rounds, one
//! sample at a time, each in a process of its own, into a record.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use fanout::measure::{
    self, Behaviour, Bundled, Event, Observer, Plan, ServerProcess, Session, Target, Terms,
};
use fanout::record::{self, Record, Sample, SampleResult, Sampling, Writer};
use fanout::workload::{Expect, Gets, Template};

use super::Settings;

/// The program that has the server, the samples and the worker processes in it;
/// the present one is a bench.
const FANOUT: &str = env!("CARGO_BIN_EXE_fanout");

/// Seed of the server's records.
const SEED: u64 = 1;

/// Least time from the start of one round to that of the next. Samples of the same
/// moment agree more than the machine does from one moment to another, and their
/// interval would be too narrow for runs that are compared.
const ROUND: Duration = Duration::from_secs(1);

/// Longest that one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a plan, and returns the record that was written into a directory.
///
/// # Errors
/// Where the server or a sample cannot be started, where the record cannot be
/// written, and where a sample fails or has a failed request: criterion would
/// keep its time as a measurement.
pub(crate) fn run(plan: &Plan, settings: &Settings, dir: &Path) -> Result<Record, Box<dyn Error>> {
    let program = Path::new(FANOUT);
    let behaviour = Behaviour::fixed(settings.delay, SEED)?;
    let server = ServerProcess::start(program, &behaviour)?;
    let url = server.url().to_owned();
    let workload = Gets::new(
        Template::of_url(&url)?,
        settings.requests,
        Expect::Record { seed: SEED },
    );
    let delay_s = settings.delay.as_secs_f64();
    let sampling = Sampling {
        samples: Some(plan.samples),
        budget_s: None,
        seed: order_seed(),
        lanes: 1,
        wake_s: Some(measure::wake_up().as_secs_f64()),
    };
    let mut writer = Writer::create(
        dir,
        &described(delay_s, plan, &behaviour, &url, &workload, &sampling),
    )?;
    let stop = AtomicBool::new(false);
    let session = Session {
        plan: plan.clone(),
        sampling: &sampling,
        purpose: record::Purpose::Repeated,
        targets: vec![Target {
            profile: None,
            terms: Terms::new(workload, url, TIMEOUT),
            service_s: Some((delay_s, delay_s)),
            cpu_per_answer_s: 0.0,
            bundled: Some(Bundled {
                behaviour,
                first: server,
            }),
        }],
        program,
        stop: &stop,
    };
    let mut progress = Progress {
        cells: plan.cells.len(),
        ended: 0,
        round: Instant::now(),
        stop: &stop,
        failed: None,
    };
    let ran = session.run(&mut writer, &mut progress, &mut || None);
    if let Some(failed) = progress.failed {
        writer.discard()?;
        return Err(failed.into());
    }
    writer.finish(ran?)?;
    Ok(Record::read(&dir.join(record::FILE_NAME))?)
}

/// A seed that differs from session to session; it is in the record.
fn order_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.subsec_nanos().into())
}

fn described(
    delay_s: f64,
    plan: &Plan,
    behaviour: &Behaviour,
    url: &str,
    workload: &Gets,
    sampling: &Sampling,
) -> record::Session {
    record::Session {
        version: record::VERSION,
        started_at: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: "cargo bench".to_owned(),
        receipt: measure::receipt(),
        server: record::Server {
            kind: record::ServerKind::Bundled,
            url: url.to_owned(),
            service_s: Some(delay_s),
            longest_s: None,
            times: None,
            profile: None,
            digest: Some(behaviour.profile().digest()),
            limits: record::Limits::default(),
        },
        others: Vec::new(),
        verified: workload.expect().to_string(),
        timeout_s: TIMEOUT.as_secs_f64(),
        conditions: record::Conditions::default(),
        max_failures: None,
        purpose: record::Purpose::Repeated,
        sampling: Some(sampling.clone()),
        planned: plan.cells.clone(),
        discontinued: measure::discontinued(&fanout::strategy::Catalogue::bundled(), plan),
        notes: plan.notes.clone(),
    }
}

/// Says on standard error how far the session is, and stops it at the first
/// sample that does not count.
struct Progress<'a> {
    cells: usize,
    ended: usize,
    /// Start of the present round.
    round: Instant,
    stop: &'a AtomicBool,
    failed: Option<String>,
}

impl Observer for Progress<'_> {
    fn on(&mut self, event: &Event<'_>) {
        let Event::Ended {
            sample, remaining, ..
        } = event
        else {
            return;
        };
        self.ended += 1;
        if let Some(failed) = failure(sample) {
            self.stop.store(true, Ordering::Relaxed);
            self.failed.get_or_insert(failed);
        } else if self.ended.is_multiple_of(self.cells) {
            eprintln!(
                "round {} of every cell is done; about {} s left",
                self.ended / self.cells,
                remaining.unwrap_or_default().as_secs()
            );
            std::thread::sleep(ROUND.saturating_sub(self.round.elapsed()));
            self.round = Instant::now();
        }
    }
}

/// Why no time of a sample counts, if none does.
fn failure(sample: &Sample) -> Option<String> {
    let cell = &sample.cell;
    match &sample.result {
        SampleResult::Error(error) => Some(format!("{cell}: {error}")),
        SampleResult::Measured(measured) => measured.failures.first().map(|failure| {
            format!(
                "{cell}: {} of {} requests failed: {}",
                measured.failed(),
                cell.requests,
                failure.example
            )
        }),
    }
}
