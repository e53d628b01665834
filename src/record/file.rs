//! The record on disk, read back whole, or not at all.

use std::fmt;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Ending, FailureCount, PARTIAL_NAME, Record, Sample, SampleResult, Session, VERSION};
use crate::foreign::harmless_json;
use crate::secrets::masked;

/// One line of the file. Tagged from outside: serde holds the whole of an
/// internally tagged value in memory before it knows the type, which for a
/// sample of a million outcomes is much.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    Session(Box<Session>),
    Sample(Box<Sample>),
    End(Ending),
}

/// The only part of a first line that every version keeps.
#[derive(Deserialize)]
struct Header {
    session: HeaderVersion,
}

#[derive(Deserialize)]
struct HeaderVersion {
    version: u32,
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file, or it may not be read.
    #[error("cannot read {}: {source}; {}", path.display(), way_to_a_record(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first line is not a session of any version.
    #[error("{} is not a fanout record: its first line should be a JSON object with a \"session\" and its version ({detail})", path.display())]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A later fanout wrote it.
    #[error("{} has format version {found}, and fanout {} reads up to {VERSION}; use a newer fanout, or measure again", path.display(), env!("CARGO_PKG_VERSION"))]
    Future {
        /// The file.
        path: PathBuf,
        /// The version that it names.
        found: u32,
    },
    /// A line in the middle is not what it should be.
    #[error("{}, line {line}: {detail}; the file is damaged; restore it, or measure again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What was wrong with it.
        detail: String,
    },
    /// The file ends before its closing line.
    #[error("{} is cut off after line {line}, behind {samples} complete samples; report those with `fanout report --partial {}`, or measure again", path.display(), directory(path))]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The last whole line, from 1.
        line: usize,
        /// The samples up to there.
        samples: usize,
    },
}

/// The directory that a record stands in, as one would type it.
fn directory(path: &Path) -> std::path::Display<'_> {
    path.parent().unwrap_or(Path::new(".")).display()
}

fn way_to_a_record(path: &Path) -> String {
    let unfinished = path.with_file_name(PARTIAL_NAME);
    if unfinished != path && unfinished.exists() {
        let dir = directory(path);
        format!("an unfinished record is there: `fanout report --partial {dir}` draws it")
    } else {
        "a record is made by `fanout compare --out DIR`".to_owned()
    }
}

impl Record {
    /// Reads a whole record.
    ///
    /// # Errors
    /// Where the file cannot be read, is of a later version, is damaged, or is
    /// cut off before its closing line.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let (record, lines) = Self::read_lines(path)?;
        if record.ending == Ending::CutOff {
            return Err(ReadError::CutOff {
                path: path.to_owned(),
                line: lines,
                samples: record.samples.len(),
            });
        }
        Ok(record)
    }

    /// Reads what is whole of a record that was cut off.
    ///
    /// # Errors
    /// As [`Record::read`], but for a missing end.
    pub fn read_partial(path: &Path) -> Result<Self, ReadError> {
        Self::read_lines(path).map(|(record, _)| record)
    }

    fn read_lines(path: &Path) -> Result<(Self, usize), ReadError> {
        let open = |source| ReadError::Open {
            path: path.to_owned(),
            source,
        };
        let damaged = |line, detail: &dyn fmt::Display| ReadError::Damaged {
            path: path.to_owned(),
            line,
            detail: detail.to_string(),
        };
        let file = std::fs::File::open(path).map_err(open)?;
        // A pipe or a device may have no end.
        if !file.metadata().map_err(open)?.is_file() {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
            return Err(open(source));
        }
        let mut reader = io::BufReader::new(file);
        let mut text = String::new();
        reader.read_line(&mut text).map_err(open)?;
        let mut record = Self {
            session: read_session(path, &masked(&harmless_json(&text)))?,
            samples: Vec::new(),
            ending: Ending::CutOff,
        };
        let mut number = 1;
        loop {
            text.clear();
            reader.read_line(&mut text).map_err(open)?;
            // A line without its newline is the one that was being written.
            if !text.ends_with('\n') {
                return Ok((record, number));
            }
            number += 1;
            match serde_json::from_str(&harmless_json(&text))
                .map_err(|error| damaged(number, &error))?
            {
                Line::Sample(mut sample) => {
                    sample.mask();
                    if let SampleResult::Measured(measured) = &mut sample.result {
                        let failures = measured.failures.iter_mut();
                        failures.for_each(FailureCount::recover_status);
                    }
                    record.samples.push(*sample);
                }
                Line::End(ending) => {
                    record.ending = ending;
                    text.clear();
                    return match reader.read_line(&mut text).map_err(open)? {
                        0 => Ok((record, number)),
                        _ => Err(damaged(number + 1, &"something stands after the end")),
                    };
                }
                Line::Session(_) => return Err(damaged(number, &"a second session")),
            }
        }
    }
}

fn read_session(path: &Path, text: &str) -> Result<Session, ReadError> {
    let not_a_record = |error: &dyn fmt::Display| ReadError::NotARecord {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let header: Header = serde_json::from_str(text).map_err(|error| not_a_record(&error))?;
    if header.session.version == 0 {
        return Err(not_a_record(&"there is no version 0"));
    }
    if header.session.version > VERSION {
        return Err(ReadError::Future {
            path: path.to_owned(),
            found: header.session.version,
        });
    }
    match serde_json::from_str(text).map_err(|error| not_a_record(&error))? {
        Line::Session(session) => Ok(*session),
        Line::Sample(_) | Line::End(_) => Err(not_a_record(&"another line")),
    }
}
