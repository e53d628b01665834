//! Error of a command: its message and exit code.

use std::fmt::{self, Display};
use std::io;

/// Reason why a command failed.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    /// Set where the reader of the output has closed it, as `head` does; that is no
    /// failure.
    reader_gone: bool,
}

impl CliError {
    /// An error with a message.
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

    /// Tests whether only the reader of the output has closed it.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.reader_gone
    }
}

impl Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}
