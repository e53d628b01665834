//! Limits that every client keeps alike, whatever its library's own are.

use http::header::{CONTENT_LENGTH, HeaderMap};

use crate::outcome::{Failure, FailureKind};

/// The most header fields of a response: the limit of hyper and reqwest. They can be
/// told another, by which parsing costs more. ureq's is 128 and cannot be changed,
/// so that no option would hold for all clients.
const MOST_FIELDS: usize = 100;

/// The most bytes that they may have together. With a status line they fit into
/// what ureq reads a head into.
const LARGEST_HEAD: usize = 60 << 10;

/// The longest path and query, in bytes. With the other lines of a request they
/// fit into what ureq writes a head into.
const LONGEST_TARGET: usize = 14 << 10;

/// Checks a request's path and query.
pub(super) fn check_target(target: &str) -> Result<(), Failure> {
    let length = target.len();
    if length <= LONGEST_TARGET {
        return Ok(());
    }
    Err(limited(format_args!(
        "path and query have {length} bytes; fanout's clients send at most {LONGEST_TARGET}, a fixed limit"
    )))
}

/// Checks a response's header fields.
pub(super) fn check_head(headers: &HeaderMap) -> Result<(), Failure> {
    let size = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    if headers.len() > MOST_FIELDS || size.sum::<usize>() > LARGEST_HEAD {
        return Err(head_too_large());
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let first = lengths.next();
    if lengths.any(|other| Some(other) != first) {
        return Err(Failure::new(
            FailureKind::Body,
            "the response has Content-Length fields that differ",
        ));
    }
    Ok(())
}

/// The failure where a response's head is over a limit.
pub(super) fn head_too_large() -> Failure {
    limited(format_args!(
        "the response's head is too large; fanout's clients read at most {MOST_FIELDS} header fields \
         of {} KiB together, a fixed limit (hyper and reqwest read {MOST_FIELDS} fields unless told \
         otherwise, ureq 128 at most)",
        LARGEST_HEAD >> 10
    ))
}

/// A failure that is a limit of the clients, not a fault of the server.
pub(super) fn limited(message: std::fmt::Arguments<'_>) -> Failure {
    Failure {
        limited: true,
        ..Failure::new(FailureKind::Body, message)
    }
}
