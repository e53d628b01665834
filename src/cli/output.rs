//! Standard output: colour on a terminal only, and no panic when it is closed.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstream::ColorChoice;

use super::CliError;
use crate::analysis::Summary;
use crate::foreign::harmless;
use crate::report;
use crate::report::table::Look;
use crate::secrets::masked;

/// Form in which a summary is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people, on a terminal
    Table,
    /// For programs: one JSON object, machine units
    Json,
    /// summary.csv
    Csv,
    /// summary.md
    Markdown,
}

/// Writes a message to standard error, without the secrets of URLs, and without control
/// characters of a server's or a file's text. A closed standard error, as of a log's
/// pipe, is no reason to stop.
pub(super) fn tell(message: fmt::Arguments<'_>) {
    let message = message.to_string();
    let message = masked(&message);
    let message = harmless(&message);
    let mut stderr = io::stderr().lock();
    let _ = stderr
        .write_all(message.as_bytes())
        .and_then(|()| stderr.flush());
}

/// Prints a summary; as a table with all cells, or with those that matter most.
pub(super) fn print_summary(summary: &Summary, format: Format, all: bool) -> Result<(), CliError> {
    match format {
        Format::Table => print(&report::table::render(summary, Look { all, ..look() })),
        Format::Json => print(&report::json::render(summary)?),
        Format::Csv => print_export(summary, &report::csv::EXPORT),
        Format::Markdown => print_export(summary, &report::markdown::EXPORT),
    }
}

fn print_export(summary: &Summary, export: &report::Export) -> Result<(), CliError> {
    match (export.render)(summary)? {
        Some(bytes) => print_bytes(&bytes),
        None => Ok(()),
    }
}

/// Prints a text, ended by a newline.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.trim_end().as_bytes())?;
    print_bytes(b"\n")
}

pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| CliError::output(&error))
}

/// Look of standard output: as wide as the terminal, and in colour there unless
/// `NO_COLOR` is set.
pub(super) fn look() -> Look {
    let stdout = io::stdout();
    let width = if stdout.is_terminal() {
        console::Term::stdout().size().1.into()
    } else {
        100
    };
    Look {
        colour: anstream::AutoStream::choice(&stdout) != ColorChoice::Never,
        width,
        all: false,
    }
}

/// Lists the files that were written, on standard error.
pub(super) fn say_written(dir: &Path, files: &[PathBuf]) {
    let mut names = Vec::new();
    // Several profiles have files in a directory each, too many to name.
    let mut below: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let file = file.strip_prefix(dir).unwrap_or(file);
        match file.parent().filter(|parent| parent.parent().is_some()) {
            None => names.push(file.to_string_lossy().into_owned()),
            Some(parent) => *below.entry(format!("{}/", parent.display())).or_default() += 1,
        }
    }
    let below = below
        .iter()
        .map(|(parent, files)| format!("{parent} ({files} files)"));
    names.extend(below);
    tell(format_args!(
        "wrote {} in {}\n",
        names.join(", "),
        dir.display()
    ));
}
