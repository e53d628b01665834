//! Events of a session, and the errors that end one.

use std::io;
use std::time::Duration;

use super::server::StartError;
use crate::record::{Cell, Sample};

/// What happens in a session, as it happens. Samples are numbered from 0 in the
/// order in which they begin.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many samples more are to be taken, where each cell has as many.
    Planned(usize),
    /// A sample begins.
    Begun {
        /// What is run.
        cell: &'a Cell,
        /// Its number.
        number: usize,
        /// Whether no other runs beside it.
        alone: bool,
        /// How long the session is expected to go on; `None` where nothing is
        /// known of that yet.
        remaining: Option<Duration>,
    },
    /// So many of a sample's requests have an outcome.
    Progress {
        /// Its number.
        number: usize,
        /// Requests.
        done: u64,
        /// How long the session is expected to go on, where that has changed.
        remaining: Option<Duration>,
    },
    /// A sample has ended.
    Ended {
        /// Its number.
        number: usize,
        /// What came of it.
        sample: &'a Sample,
        /// How long the session is expected to go on; `None` where nothing is
        /// known of that yet.
        remaining: Option<Duration>,
    },
}

/// Takes a session's events.
pub trait Observer {
    /// Takes one.
    fn on(&mut self, event: &Event<'_>);
}

/// Why a session ended before its plan did.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The record cannot be written.
    #[error("cannot write the record: {0}; earlier samples are in the .partial file beside it")]
    Record(#[from] io::Error),
    /// No process can be started.
    #[error("cannot start a sample's process ({program}): {source}")]
    Process {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program was built anew or removed in the middle of a session.
    #[error(
        "{program} was rebuilt during the session; earlier samples are kept; run again, or run a copy of the program"
    )]
    Replaced {
        /// The program.
        program: String,
    },
    /// A bundled server cannot be started.
    #[error(transparent)]
    Server(#[from] StartError),
}
