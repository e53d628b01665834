//! `fanout compare`: the same batch through every strategy.

mod args;
mod descriptors;
mod limits;
mod no_answer;
mod policy;
mod probe;
mod progress;
mod refine;
mod sampling;
mod target;

use std::process::ExitCode;

pub(super) use self::args::Args;
use self::progress::Progress;
use self::target::Target;
use super::options::UNKEPT;
use super::output::{print_summary, say_written, tell};
use super::{CliError, program, signals};
use crate::analysis::Summary;
use crate::analysis::summary::Row;
use crate::measure::{self, Plan, Session, SessionError, Sweep, discontinued, receipt};
use crate::record::{self, Ending, Record, Sampling, Writer};
use crate::report::files::{self, Made, Scratch};
use crate::report::{self, units};
use crate::secrets;
use crate::strategy::Catalogue;

pub(super) fn run(args: &Args, catalogue: &Catalogue) -> Result<ExitCode, CliError> {
    secrets::name(&args.secret);
    let plan = Plan::sweep(
        catalogue,
        &Sweep {
            strategies: args.strategies.clone(),
            clients: args.clients(catalogue)?,
            dispatches: args.axes.dispatch.clone(),
            reuses: args.axes.reuse.clone(),
            runtime_threads: args.axes.runtime_threads.clone(),
            processes: args.axes.processes.clone(),
            workers: args.workers(),
            requests: args.requests()?,
            samples: args.sampling.samples().unwrap_or(1),
        },
    )?
    .for_profiles(&args.profiles());
    let mut sampling = args.sampling.sampling(args.url.is_some());
    let saves = args.url.is_none() && args.workload.saves || args.answers.saves();
    descriptors::allow(catalogue, &plan, sampling.lanes, saves)?;
    // Tried before a server is asked, and gone again: it may never have a file.
    drop(Made::directory(&args.out)?);
    let program = program()?;
    let target = Target::of(args, catalogue, &plan, &program)?;
    sampling.wake_s = Some(measure::wake_up().as_secs_f64());
    let _made = Made::directory(&args.out)?;
    let mut writer = begin_record(args, catalogue, &plan, &target, &sampling)?;
    // Nobody else writes here while the record is this session's.
    let scratch = Scratch::cleared(args.out.join(UNKEPT));
    // From here on there is something to keep.
    let stop = signals::stop(&args.out)?;
    if args.url.is_some() {
        tell(format_args!(
            "{}\n",
            announced(&plan, sampling.samples, &target, args)
        ));
    }
    let mut progress = Progress::new(sampling.samples.is_some());
    let session = Session {
        plan,
        sampling: &sampling,
        purpose: args.purpose.into(),
        targets: target.measured,
        program: &program,
        stop: &stop,
    };
    let samples = sampling.samples.unwrap_or(1);
    // Where worker counts are named, no others are measured, and none again.
    let searches = args.workers.is_empty();
    let mut further = refine::Further {
        catalogue,
        dir: &args.out,
        samples,
        counts: args.counts(),
        waves: if searches { refine::WAVES } else { 0 },
        confirms: searches,
    };
    let ran = session.run(&mut writer, &mut progress, &mut || further.next());
    drop(scratch);
    progress.clear();
    conclude(args, writer, ran)
}

/// How many requests a server of the user's own is about to get.
fn announced(plan: &Plan, samples: Option<u32>, target: &Target, args: &Args) -> String {
    let one_each: u64 = plan.cells.iter().map(|cell| cell.requests as u64).sum();
    let requests = plan.cells.first().map_or(0, |cell| cell.requests as u64);
    let total = one_each * u64::from(samples.unwrap_or(1));
    let url = target
        .servers
        .first()
        .map_or("", |server| server.url.as_str());
    let host = url.split('/').nth(2).unwrap_or(url);
    let host = host.rsplit('@').next().unwrap_or(host);
    let more = match (samples, args.workers.is_empty()) {
        (None, _) => ", and more until --time is up",
        (_, true) => ", plus the worker counts and samples that the sweep adds",
        (_, false) => "",
    };
    format!(
        "{} × {} × {} = {} to {host}{more}",
        units::counted(plan.cells.len() as u64, "cell"),
        units::counted(samples.unwrap_or(1).into(), "sample"),
        units::counted(requests, "request"),
        units::counted(total, "request"),
    )
}

fn begin_record(
    args: &Args,
    catalogue: &Catalogue,
    plan: &Plan,
    target: &Target,
    sampling: &Sampling,
) -> Result<Writer, CliError> {
    let mut servers = target.servers.iter().cloned();
    let first = servers.next();
    let first = first.ok_or_else(|| CliError::new("no server to measure"))?;
    let session = record::Session {
        version: record::VERSION,
        started_at: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
        command: command_line(),
        receipt: receipt(),
        server: first,
        others: servers.collect(),
        verified: target.verified(),
        timeout_s: args.failing.timeout.as_secs_f64(),
        conditions: target.conditions.clone(),
        purpose: args.purpose.into(),
        sampling: Some(sampling.clone()),
        planned: plan.cells.clone(),
        max_failures: args.failing.max_failures,
        discontinued: discontinued(catalogue, plan),
        notes: plan.notes.iter().chain(&target.notes).cloned().collect(),
    };
    let writer = Writer::create(&args.out, &session).map_err(|source| {
        CliError::new(files::WriteError {
            path: args.out.join(record::PARTIAL_NAME),
            source,
        })
    })?;
    if let Some(earlier) = writer.set_aside() {
        tell(format_args!(
            "an earlier session here did not finish; `fanout report --partial {} --out DIR` reports \
             its samples\n",
            earlier.display()
        ));
    }
    Ok(writer)
}

/// Puts the record in its place, and shows what was measured, whatever cut the
/// session short, unless it is the record itself that cannot be written.
fn conclude(
    args: &Args,
    writer: Writer,
    ran: Result<Ending, SessionError>,
) -> Result<ExitCode, CliError> {
    if let Err(error @ SessionError::Record(_)) = ran {
        return Err(error.into());
    }
    if writer.samples() == 0 {
        writer.discard()?;
        ran?;
        tell(format_args!(
            "stopped before the first sample; {} is unchanged\n",
            args.out.display()
        ));
        return Ok(ExitCode::from(signals::INTERRUPTED));
    }
    let ending = *ran.as_ref().unwrap_or(&Ending::Interrupted);
    writer.finish(ending).map_err(SessionError::Record)?;
    let path = args.out.join(record::FILE_NAME);
    let record = Record::read(&path)?;
    let summary = Summary::of(&record);
    drop(record);
    // The record stands: what cannot be drawn here can be told, and drawn elsewhere.
    let written = report::write_session(&summary, &args.out);
    match print_summary(&summary, args.format, args.all) {
        // What the session came to does not depend on who reads of it.
        Err(error) if !error.is_reader_gone() => return Err(error),
        _ => {}
    }
    let written = written.map_err(|error| {
        CliError::new(format_args!(
            "{error}; the record is complete in {}; write the report elsewhere with `fanout report {} --out DIR`",
            path.display(),
            args.out.display()
        ))
    })?;
    say_written(&args.out, [vec![path], written].concat().as_slice());
    match ran? {
        // Failures are rows, and may be what was to be measured.
        Ending::Complete if summary.best_row().is_some() => {
            if summary.rows.iter().any(Row::every_request_succeeded) {
                return Ok(ExitCode::SUCCESS);
            }
            tell(format_args!(
                "every cell had failed requests; the table has the causes\n"
            ));
            Ok(ExitCode::SUCCESS)
        }
        Ending::Complete => Err(CliError::new(
            "no cell got valid responses in most of its samples; the table has the causes",
        )),
        Ending::Interrupted | Ending::CutOff => {
            tell(format_args!("stopped; the samples until then are kept\n"));
            Ok(ExitCode::from(signals::INTERRUPTED))
        }
    }
}

/// The command as it was typed, for the record; the program by its name alone.
fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(|word| {
        let word = word.to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/=@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    std::iter::once("fanout".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}
