//! The command line: one verb per module, each a thin user of the library.
//!
//! A program of your own calls [`main`] with a catalogue that has your strategies in it,
//! and gets every command for them.

mod compare;
mod error;
mod hints;
mod list;
mod manual;
mod options;
mod output;
mod report;
mod signals;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use self::error::CliError;
use crate::measure;
use crate::strategy::Catalogue;
use crate::strategy::multiprocess::worker;

/// Measures which concurrency strategy, HTTP client and worker count a batch of API
/// calls should use, beside the theoretical lower bound
#[derive(Parser)]
#[command(
    name = "fanout",
    version,
    max_term_width = 100,
    after_help = EXAMPLES,
    after_long_help = EXAMPLES.to_owned() + EXIT_CODES
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  fanout compare                             full sweep, bundled server
  fanout compare --workers 3,20 --samples 3  two worker counts, 3 samples each
  fanout compare --url 'http://127.0.0.1:8080/items/{index}'
  fanout report results/latest               the report again, from its record";

const EXIT_CODES: &str = "

Exit codes:
  0    done
  1    could not run, or no request was answered
  130  stopped by a signal; what was measured is kept";

#[derive(Subcommand)]
enum Verb {
    /// Run the same batch through every strategy, and compare
    Compare(Box<compare::Args>),
    /// List strategies, clients, and which go together
    List(list::Args),
    /// Write the report again, from a record
    Report(report::Args),
    /// Run the bundled mock server (the same as `mock-server`)
    Serve(mock_server::cli::Args),
    /// Print completions for a shell
    #[command(hide = true)]
    Completions(manual::Completions),
    /// Write man pages to a directory
    #[command(hide = true)]
    Man(manual::Pages),
}

/// Runs the command that the program's arguments name.
pub fn main(catalogue: &Catalogue) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let outcome = match hidden_verb(catalogue, &arguments) {
        Some(outcome) => outcome,
        None => visible_verb(catalogue, arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if error.is_reader_gone() => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(format_args!("error: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// The commands by which fanout runs itself; they come before all parsing
/// because a worker process starts within the time that is measured.
fn hidden_verb(
    catalogue: &Catalogue,
    arguments: &[OsString],
) -> Option<Result<ExitCode, CliError>> {
    let words: Vec<&str> = arguments.iter().map_while(|word| word.to_str()).collect();
    let served = match words.as_slice() {
        [_, worker::VERB] => worker::serve(catalogue),
        [_, measure::SAMPLE_VERB] => {
            program().and_then(|program| measure::serve_sample(catalogue, &program))
        }
        _ => return None,
    };
    Some(served.map(|()| ExitCode::SUCCESS).map_err(CliError::new))
}

fn visible_verb(catalogue: &Catalogue, arguments: Vec<OsString>) -> Result<ExitCode, CliError> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let error = hints::mend(error);
            // Help goes to standard output, an error to standard error; where
            // neither can be written there is nobody to tell.
            let _ = error.print();
            return Ok(ExitCode::from(u8::from(error.use_stderr())));
        }
    };
    match cli.verb {
        Verb::Compare(args) => compare::run(&args, catalogue),
        Verb::List(args) => list::run(&args, catalogue),
        Verb::Report(args) => report::run(&args),
        Verb::Serve(args) => mock_server::cli::run(&args)
            .map(|()| ExitCode::SUCCESS)
            .map_err(CliError::new),
        Verb::Completions(args) => manual::completions(&args),
        Verb::Man(args) => manual::pages(&args),
    }
}

/// The program that is running, to start again for samples, workers and the
/// bundled server.
fn program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}
