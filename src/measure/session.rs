//! A session: a plan, sample by sample, into a record.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::plan::Plan;
use super::process::SampleProcess;
use super::sample::{Job, Terms};
use super::witness::Witness;
use crate::record::{Cell, Ending, Sample, SampleResult, Writer};

/// A plan, and all that is needed to carry it out.
pub struct Session<'a> {
    /// What to measure.
    pub plan: &'a Plan,
    /// What every sample is run under.
    pub terms: &'a Terms,
    /// The program whose hidden command takes a sample.
    pub program: &'a Path,
    /// The server's own account, where it is the bundled one.
    pub witness: Option<&'a mut Witness>,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
}

/// What happens in a session, as it happens.
#[derive(Debug)]
pub enum Event<'a> {
    /// A sample begins.
    Begun {
        /// What is run.
        cell: &'a Cell,
        /// Its number in the session, from 0.
        number: usize,
    },
    /// So many of its requests have an outcome.
    Progress(u64),
    /// It has ended.
    Ended(&'a Sample),
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
    #[error(
        "cannot write the record: {0}; what was measured before stands in the .partial file beside it"
    )]
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
        "{program} was changed while the session ran; what was measured until then is kept, and one session measures one build: run it again, or run a copy that no build touches"
    )]
    Replaced {
        /// The program.
        program: String,
    },
    /// The bundled server is gone.
    #[error("{0}")]
    Witness(String),
}

impl Session<'_> {
    /// Takes every sample of the plan, round by round, so that each cell has
    /// one before any has two, and what drifts drifts over all of them.
    ///
    /// # Errors
    /// Where the record cannot be written, a process cannot be started, or the
    /// server's account cannot be had. A sample that fails is a line of the
    /// record, not an error.
    pub fn run(
        &mut self,
        writer: &mut Writer,
        observer: &mut dyn Observer,
    ) -> Result<Ending, SessionError> {
        let mut number = 0;
        let build = build_of(self.program);
        for round in 0..self.plan.samples {
            for cell in &self.plan.cells {
                if build_of(self.program) != build {
                    return Err(SessionError::Replaced {
                        program: self.program.display().to_string(),
                    });
                }
                observer.on(&Event::Begun { cell, number });
                let Some(result) = self.sample(cell, round, observer)? else {
                    return Ok(Ending::Interrupted);
                };
                let sample = Sample {
                    cell: cell.clone(),
                    round,
                    result,
                };
                observer.on(&Event::Ended(&sample));
                writer.sample(sample)?;
                number += 1;
            }
        }
        Ok(Ending::Complete)
    }

    /// One sample; `None` where the session was stopped before its end.
    fn sample(
        &mut self,
        cell: &Cell,
        round: u32,
        observer: &mut dyn Observer,
    ) -> Result<Option<SampleResult>, SessionError> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if let Some(witness) = &mut self.witness {
            witness.reset().map_err(SessionError::Witness)?;
        }
        let mut job = Job {
            cell: cell.clone(),
            terms: self.terms.clone(),
        };
        if let Some(save) = &mut job.terms.handling.save {
            save.dir.push(directory_of(cell, round));
        }
        let process = SampleProcess::start(self.program, &job);
        let process = process.map_err(|source| SessionError::Process {
            program: self.program.display().to_string(),
            source,
        })?;
        let result = process.result(self.stop, |done| observer.on(&Event::Progress(done)));
        if let Some(save) = job.terms.handling.save.filter(|_| !self.terms.keeps_files) {
            // Left only by a sample that was ended before it could.
            let _ = std::fs::remove_dir_all(&save.dir);
        }
        Ok(match (result, &mut self.witness) {
            (Some(SampleResult::Measured(mut measurement)), Some(witness)) => {
                Some(match witness.confirm(&measurement) {
                    Ok(account) => {
                        measurement.server = account;
                        SampleResult::Measured(measurement)
                    }
                    Err(disagreement) => SampleResult::Error(disagreement),
                })
            }
            (result, _) => result,
        })
    }
}

/// The name of the directory in which a sample saves its files.
fn directory_of(cell: &Cell, round: u32) -> String {
    let threads = cell.runtime_threads.map(|threads| format!("-t{threads}"));
    format!(
        "{}-{}-{}-{}{}-w{}-{}",
        cell.strategy,
        cell.client,
        cell.dispatch,
        cell.reuse,
        threads.unwrap_or_default(),
        cell.workers,
        round + 1
    )
}

/// What changes when a program is built anew: its size, and when it was
/// written. `None` where it is not there.
fn build_of(program: &Path) -> Option<(u64, std::time::SystemTime)> {
    let metadata = std::fs::metadata(program).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
