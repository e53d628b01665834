//! `fanout report`: everything drawn again from a record.

use std::path::PathBuf;
use std::process::ExitCode;

use super::output::{Format, print_summary};
use super::{CliError, output};
use crate::analysis::Summary;
use crate::record::{self, Record};
use crate::report;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Directory that holds a record.jsonl
    dir: PathBuf,

    /// Write the report there instead of beside the record
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Draw what is whole of a record that was cut off
    #[arg(long)]
    partial: bool,

    /// What to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let record = if args.partial {
        salvage(args)?
    } else {
        Record::read(&args.dir.join(record::FILE_NAME))?
    };
    let summary = Summary::of(&record);
    let out = args.out.as_ref().unwrap_or(&args.dir);
    let written = report::write_session(&summary, out)?;
    print_summary(&summary, args.format)?;
    output::say_written(out, &written);
    Ok(ExitCode::SUCCESS)
}

/// What is whole of a record that was cut off: the one that was being written,
/// where one was, else the finished one.
fn salvage(args: &Args) -> Result<Record, CliError> {
    let (finished, unfinished) = (
        args.dir.join(record::FILE_NAME),
        args.dir.join(record::PARTIAL_NAME),
    );
    let path = match (finished.exists(), unfinished.exists()) {
        // The report of the one must not take the place of the other's.
        (true, true) if args.out.is_none() => {
            return Err(CliError::new(format_args!(
                "both {} and {} are there: `fanout report {}` draws the first; for the \
                 second say where with --out",
                finished.display(),
                unfinished.display(),
                args.dir.display()
            )));
        }
        (_, true) => unfinished,
        _ => finished,
    };
    let record = Record::read_partial(&path)?;
    if record.samples.is_empty() {
        return Err(CliError::new(format_args!(
            "{} holds no whole sample: there is nothing to draw",
            path.display()
        )));
    }
    Ok(record)
}
