//! What parent and worker process say to one another.
//!
//! A frame is a length (32 bits, little-endian) and that many bytes of
//! postcard. On the worker process's standard input come its [`Duty`], as JSON
//! in a frame, and then [`Orders`]. It answers with [`Report`]s on its standard
//! output: first that it is ready, then what came of its orders.

use std::io::{self, Read};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::client::{Handling, Reuse, Traffic};
use crate::outcome::Call;
use crate::request::Endpoint;
use crate::workload::Gets;

/// What a worker process must know.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Duty {
    /// Where requests go, resolved already.
    pub endpoint: Endpoint,
    /// The client's name.
    pub client: String,
    /// The longest that one attempt of a request may take.
    pub timeout: Duration,
    /// Whether connections are kept.
    pub reuse: Reuse,
    /// Bytes that the bodies of responses may take in this process.
    pub body_limit: u64,
    /// What is done around each request.
    pub handling: Handling,
    /// Workers of the process: a thread each.
    pub workers: usize,
    /// What responses must be; `None` where their bodies are to be sent back.
    pub expected: Option<Gets>,
}

/// Requests to make.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// In the order in which they are to be begun.
    pub orders: Vec<Order>,
    /// How many results are worth a report while there is more to do.
    pub together: usize,
}

/// A request to make.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its place in the batch.
    pub index: usize,
    /// Path and query.
    pub target: String,
    /// What is left until the batch's deadline, if it has one.
    pub left: Option<Duration>,
}

/// What a worker process has to say.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What went over its connections since its last report.
    pub traffic: Traffic,
    /// What came of orders, as they ended; of none in the first report, which
    /// says that the process is ready.
    pub done: Vec<Done>,
}

/// What came of an order.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Its place in the batch.
    pub index: usize,
    /// Which of the process's workers did it, from 0.
    pub worker: usize,
    /// Its result, and what it took to get there.
    pub call: Call,
    /// From its first attempt's start until its answer was worked on.
    pub took: Duration,
}

/// The bytes of a frame's length.
const PREFIX: usize = 4;

/// Adds a frame to others.
///
/// # Errors
/// Where the message is longer than 4 GiB.
pub fn encode<T: Serialize>(message: &T, frames: &mut Vec<u8>) -> io::Result<()> {
    let start = frames.len();
    frames.extend_from_slice(&[0; PREFIX]);
    *frames = postcard::to_extend(message, std::mem::take(frames)).map_err(io::Error::other)?;
    let length = frames.len() - start - PREFIX;
    let length = u32::try_from(length).map_err(io::Error::other)?;
    frames[start..start + PREFIX].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Takes the whole frames from the front of what was received.
///
/// # Errors
/// Beside the messages before it: where bytes are not a message.
pub fn decode<T: DeserializeOwned>(received: &mut Vec<u8>) -> (Vec<T>, io::Result<()>) {
    let mut messages = Vec::new();
    let mut rest = received.as_slice();
    let mut sound = Ok(());
    while let Some((prefix, payload)) = rest.split_first_chunk::<PREFIX>() {
        let length = u32::from_le_bytes(*prefix) as usize;
        let Some((payload, beyond)) = payload.split_at_checked(length) else {
            break;
        };
        match postcard::from_bytes(payload) {
            Ok(message) => messages.push(message),
            Err(garbage) => {
                sound = Err(io::Error::other(garbage));
                break;
            }
        }
        rest = beyond;
    }
    let taken = received.len() - rest.len();
    received.drain(..taken);
    (messages, sound)
}

/// Reads a frame; `None` at the end of the input.
///
/// # Errors
/// Where it cannot be read, or breaks off.
pub fn read<T: DeserializeOwned>(mut input: impl Read) -> io::Result<Option<T>> {
    let mut prefix = [0; PREFIX];
    match input.read_exact(&mut prefix) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut payload = vec![0; u32::from_le_bytes(prefix) as usize];
    input.read_exact(&mut payload)?;
    postcard::from_bytes(&payload)
        .map(Some)
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::{Failure, FailureKind, Response};

    fn report(bodies: Vec<Vec<u8>>) -> Report {
        let done = |body| Done {
            index: 3,
            worker: 1,
            call: Call::from(Ok(Response::new(200, body))),
            took: Duration::from_micros(7),
        };
        Report {
            traffic: Traffic {
                connections: 1,
                ..Traffic::default()
            },
            done: bodies.into_iter().map(done).collect(),
        }
    }

    fn encoded(report: &Report) -> Vec<u8> {
        let mut frames = Vec::new();
        encode(report, &mut frames).unwrap();
        frames
    }

    #[test]
    fn a_failure_survives_the_pipe() {
        let report = Report {
            traffic: Traffic::default(),
            done: [
                Failure::new(FailureKind::Timeout, "late"),
                Failure::status(429),
            ]
            .map(|failure| Done {
                index: 0,
                worker: 0,
                call: Call::from(Err(failure)),
                took: Duration::from_secs(30),
            })
            .into(),
        };
        let frame = encoded(&report);
        assert_eq!(read::<Report>(frame.as_slice()).unwrap(), Some(report));
    }

    #[test]
    fn an_empty_input_is_the_end_and_a_broken_frame_an_error() {
        assert_eq!(read::<Report>(io::empty()).unwrap(), None);
        let frame = encoded(&report(vec![vec![1, 2, 3]]));
        assert!(read::<Report>(&frame[..frame.len() - 1]).is_err());
    }

    #[test]
    fn what_came_whole_before_garbage_counts() {
        let good = report(vec![vec![1]]);
        let mut received = encoded(&good);
        received.extend_from_slice(&[1, 0, 0, 0, 0xff]);
        let (reports, sound) = decode::<Report>(&mut received);
        assert_eq!(reports, [good]);
        assert!(sound.is_err());
    }

    proptest! {
        #[test]
        fn frames_are_the_same_however_they_are_cut(
            said in proptest::collection::vec(
                proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..4), 0..5,
            ),
            cut in 1_usize..40,
        ) {
            let reports: Vec<_> = said.into_iter().map(report).collect();
            let stream: Vec<u8> = reports.iter().flat_map(encoded).collect();
            let (mut received, mut decoded) = (Vec::new(), Vec::new());
            for piece in stream.chunks(cut) {
                received.extend_from_slice(piece);
                let (mut reports, sound) = decode::<Report>(&mut received);
                prop_assert!(sound.is_ok());
                decoded.append(&mut reports);
            }
            prop_assert_eq!(decoded, reports);
            prop_assert!(received.is_empty());
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode::<Report>(&mut bytes);
        }
    }
}
