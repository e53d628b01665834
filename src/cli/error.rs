//! What a command that fails says, and the exit status that it leaves.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use super::output::tell;

/// Why a command could not do what it was asked to.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    /// Whoever read the output has gone away, as `head` does; that is no
    /// failure of ours.
    reader_gone: bool,
}

impl CliError {
    /// An error in its own words.
    pub(super) fn new(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            reader_gone: false,
        }
    }

    /// Output that could not be written.
    pub(super) fn output(error: &io::Error) -> Self {
        Self {
            reader_gone: error.kind() == io::ErrorKind::BrokenPipe,
            ..Self::new(format_args!("cannot write to standard output: {error}"))
        }
    }

    /// Whether it is only that the reader of the output has gone away.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.reader_gone
    }

    /// Says what went wrong, and gives the exit status.
    pub(super) fn report(&self) -> ExitCode {
        if self.reader_gone {
            return ExitCode::SUCCESS;
        }
        tell(format_args!("error: {}\n", self.message));
        ExitCode::FAILURE
    }
}

impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}
