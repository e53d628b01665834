//! `fanout report`: the report again, from a record.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::options::For;
use super::output::{Format, print_summary};
use super::values::parse_share;
use super::{CliError, output};
use crate::analysis::Summary;
use crate::record::{self, Record};
use crate::report;
use crate::secrets;

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// Directory with a record.jsonl, or such a file
    ///
    /// Several are set side by side, and need --out.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,

    /// Directory of the report [default: beside the record]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Read what is whole of a record that was cut off
    #[arg(long)]
    partial: bool,

    /// Compare records of different machines
    ///
    /// The report names the difference.
    #[arg(long)]
    force: bool,

    /// Parameter of URLs whose value is hidden; can be repeated
    ///
    /// Its value is left out of everything that is written. Known ones (api_key, token,
    /// signature, …) are hidden without it. The record that is read keeps it.
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    secret: Vec<String>,

    /// Share of requests that may fail, as 1%
    ///
    /// Share that may fail in a recommended cell. Unless specified, that of the record,
    /// else no more than in the best cells.
    #[arg(long, value_name = "SHARE", value_parser = parse_share, allow_hyphen_values = true)]
    max_failures: Option<f64>,

    /// Run once (cold) or repeated (warm)
    ///
    /// once: the cold runtime is judged. repeated: the warm one. Unless specified, that of
    /// the record, else once.
    #[arg(
        long = "for",
        value_enum,
        value_name = "PURPOSE",
        hide_possible_values = true
    )]
    purpose: Option<For>,

    /// Every cell in the table, as in summary.md
    ///
    /// Otherwise, in a long table, those of the recommended worker count, and the fastest
    /// of every other.
    #[arg(long, hide_short_help = true)]
    all: bool,

    /// table, json, csv or markdown
    ///
    /// Form in which the summary is printed to standard output.
    #[arg(long, value_enum, default_value = "table", hide_possible_values = true)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  fanout report results/latest                     again, beside its record
  fanout report before after --out results/both    two records, side by side
  fanout report results/latest --for repeated      judged by the warm runtime";

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    secrets::name(&args.secret);
    let (summary, out) = match (args.dirs.as_slice(), &args.out) {
        ([file], None) if file.is_file() => {
            return Err(CliError::new(format_args!(
                "{} is a file; name a directory for its report with --out DIR",
                file.display()
            )));
        }
        ([dir], out) => (
            Summary::of(&read(args, dir)?),
            out.as_ref().unwrap_or(dir).clone(),
        ),
        (dirs, Some(out)) => (side_by_side(args, dirs)?, out.clone()),
        (_, None) => {
            return Err(CliError::new("comparing several records needs --out DIR"));
        }
    };
    let written = report::write_session(&summary, &out)?;
    print_summary(&summary, args.format, args.all)?;
    output::say_written(&out, &written);
    Ok(ExitCode::SUCCESS)
}

fn side_by_side(args: &Args, dirs: &[PathBuf]) -> Result<Summary, CliError> {
    let mut records = Vec::with_capacity(dirs.len());
    for dir in dirs {
        let name = dir.display().to_string();
        let name = name.trim_end_matches('/').to_owned();
        if records.iter().any(|(other, _)| *other == name) {
            return Err(CliError::new(format_args!(
                "{name} is named twice; remove one"
            )));
        }
        records.push((name, read(args, dir)?));
    }
    let first = records.remove(0);
    Ok(Summary::side_by_side(first, records, args.force)?)
}

/// The record of a directory, or in a file.
fn read(args: &Args, place: &Path) -> Result<Record, CliError> {
    let mut record = match (place.is_file(), args.partial) {
        (true, true) => salvage(place)?,
        (true, false) => Record::read(place)?,
        (false, true) => salvage(&unfinished(args, place)?)?,
        (false, false) => Record::read(&place.join(record::FILE_NAME))?,
    };
    if let Some(purpose) = args.purpose {
        record.session.purpose = purpose.into();
    }
    record.session.max_failures = args.max_failures.or(record.session.max_failures);
    Ok(record)
}

/// The unfinished record of a directory, if there is one, else the finished one.
fn unfinished(args: &Args, dir: &Path) -> Result<PathBuf, CliError> {
    let (finished, unfinished) = (dir.join(record::FILE_NAME), dir.join(record::PARTIAL_NAME));
    match (finished.exists(), unfinished.exists()) {
        // The report of the one must not take the place of the other's.
        (true, true) if args.out.is_none() => Err(CliError::new(format_args!(
            "both {} and {} are there: `fanout report {}` draws the first; for the second say \
             where with --out",
            finished.display(),
            unfinished.display(),
            dir.display()
        ))),
        (_, true) => Ok(unfinished),
        _ => Ok(finished),
    }
}

/// Complete samples of a record that was cut off.
fn salvage(path: &Path) -> Result<Record, CliError> {
    let record = Record::read_partial(path)?;
    if record.samples.is_empty() {
        return Err(CliError::new(format_args!(
            "{} has no complete sample, so there is nothing to report",
            path.display()
        )));
    }
    Ok(record)
}
