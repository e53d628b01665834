//! The ledger: a line for every outcome, in memory that does not grow with the
//! batch.
//!
//! Lines gather in a few thousand places a shard; what is full goes to a file
//! without a name in the system's temporary directory. A batch of a hundred
//! never touches a disk, one of a million takes 32 bytes a request there.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::outcome::{Doer, FailureKind};

/// Threads share this many shards, so that they seldom wait for one another.
const SHARDS: usize = 16;

/// Lines that a shard holds before they go to the file.
const FULL: usize = 2048;

/// Bytes of a line in the file.
const LINE: usize = 32;

/// One outcome, in few bytes. A batch has no more than 2³² requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) index: u32,
    pub(super) worker: u32,
    pub(super) doer: Doer,
    pub(super) started_ns: u64,
    /// Below 2⁵⁶, which is two years.
    pub(super) latency_ns: u64,
    /// How it failed, if it did.
    pub(super) failure: Option<FailureKind>,
}

impl Line {
    /// When it ended, in nanoseconds from the start of the run.
    pub(super) fn ended_ns(&self) -> u64 {
        self.started_ns + self.latency_ns
    }

    fn encode(&self) -> [u8; LINE] {
        let mut bytes = [0; LINE];
        bytes[0..4].copy_from_slice(&self.index.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.worker.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.doer.process.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.doer.thread.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.started_ns.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.latency_ns.to_le_bytes());
        let kind = |failure| FailureKind::ALL.iter().position(|kind| *kind == failure);
        let kind = self.failure.and_then(kind).map_or(0, |place| place + 1);
        bytes[31] = u8::try_from(kind).unwrap_or(u8::MAX);
        bytes
    }

    fn decode(bytes: &[u8; LINE]) -> Self {
        let four = |at: usize| {
            let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            u32::from_le_bytes(four)
        };
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        let failure = usize::from(bytes[31]).checked_sub(1);
        Self {
            index: four(0),
            worker: four(4),
            doer: Doer {
                process: four(8),
                thread: four(12),
            },
            started_ns: eight(16),
            latency_ns: eight(24) & ((1 << 56) - 1),
            failure: failure.and_then(|place| FailureKind::ALL.get(place).copied()),
        }
    }
}

/// A line for every outcome of a run.
#[derive(Default)]
pub(super) struct Ledger {
    shards: [Shard; SHARDS],
    /// Where full shards go; `None` where there can be no such file, and lines
    /// stay in memory.
    file: OnceLock<Option<File>>,
    /// Bytes of the file that are taken.
    taken: AtomicU64,
    /// Which bytes of the file hold lines: a disk that is full leaves holes.
    written: Mutex<Vec<Range<u64>>>,
}

/// Each in cache lines of its own, two of which are fetched at once.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    lines: Mutex<Vec<Line>>,
    /// Lines that it was given, those that went to the file included.
    added: AtomicU64,
}

impl Ledger {
    /// Lines so far.
    pub(super) fn added(&self) -> u64 {
        let added = |shard: &Shard| shard.added.load(Ordering::Relaxed);
        self.shards.iter().map(added).sum()
    }

    /// Adds a line.
    pub(super) fn add(&self, line: Line) {
        // By thread where that is known: tasks go from one thread to another.
        let writer = match line.doer.thread {
            0 => line.worker,
            thread => thread,
        };
        let shard = &self.shards[writer as usize % SHARDS];
        shard.added.fetch_add(1, Ordering::Relaxed);
        let mut lines = shard.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= FULL && lines.len().is_multiple_of(FULL) && self.put_away(&lines).is_ok()
        {
            lines.clear();
        }
        lines.push(line);
    }

    fn put_away(&self, lines: &[Line]) -> io::Result<()> {
        let file = self.file.get_or_init(|| tempfile::tempfile().ok());
        let file = file.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let bytes: Vec<u8> = lines.iter().flat_map(Line::encode).collect();
        let at = self.taken.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        file.write_all_at(&bytes, at)?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push(at..at + bytes.len() as u64);
        Ok(())
    }

    /// Every line, in the order in which the requests ended.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(super) fn take_lines(&self) -> io::Result<Vec<Line>> {
        let mut all = Vec::new();
        if let Some(Some(file)) = self.file.get() {
            let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = Vec::new();
            for range in written.iter() {
                bytes.resize((range.end - range.start) as usize, 0);
                file.read_exact_at(&mut bytes, range.start)?;
                let lines = bytes.chunks_exact(LINE);
                all.extend(
                    lines
                        .filter_map(|line| line.first_chunk())
                        .map(Line::decode),
                );
            }
        }
        for shard in &self.shards {
            all.append(&mut shard.lines.lock().unwrap_or_else(PoisonError::into_inner));
        }
        all.sort_unstable_by_key(|line| (line.ended_ns(), line.index));
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(index: u32) -> Line {
        Line {
            index,
            worker: index % 40,
            doer: Doer {
                process: 7,
                thread: index % 3,
            },
            started_ns: u64::from(index) * 10,
            latency_ns: 5,
            failure: None,
        }
    }

    #[test]
    fn more_lines_than_fit_in_memory_come_back_whole_and_in_order() {
        let ledger = Ledger::default();
        let lines = (5 * FULL * SHARDS) as u32;
        for index in (0..lines).rev() {
            ledger.add(line(index));
        }
        assert!(ledger.taken.load(Ordering::Relaxed) > 0);
        let held: usize = ledger
            .shards
            .iter()
            .map(|s| s.lines.lock().unwrap().len())
            .sum();
        assert!(held <= FULL * SHARDS);
        let all = ledger.take_lines().unwrap();
        assert!(all.iter().copied().eq((0..lines).map(line)));
    }

    #[test]
    fn without_a_file_lines_stay_in_memory() {
        let ledger = Ledger {
            file: OnceLock::from(None),
            ..Ledger::default()
        };
        for index in 0..(3 * FULL) as u32 {
            ledger.add(Line {
                doer: Doer {
                    process: 7,
                    thread: 0,
                },
                ..line(index)
            });
        }
        assert_eq!(ledger.take_lines().unwrap().len(), 3 * FULL);
    }

    proptest! {
        #[test]
        fn a_line_survives_the_file(
            index: u32, worker: u32, process: u32, thread: u32,
            started_ns: u64, latency_ns in 0_u64..1 << 56, kind in 0..=FailureKind::ALL.len(),
        ) {
            let line = Line {
                index,
                worker,
                doer: Doer { process, thread },
                started_ns,
                latency_ns,
                failure: kind.checked_sub(1).map(|place| FailureKind::ALL[place]),
            };
            prop_assert_eq!(Line::decode(&line.encode()), line);
        }
    }
}
