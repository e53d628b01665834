//! A piece of a body on its way through hyper.

use std::rc::Rc;

use bytes::{Buf, Bytes};

use super::connection::Connection;
use crate::journal::Ticket;

/// Bytes that leave together. The last ones of an answer over HTTP/2 have its
/// place in the journal aboard: there they may wait for the client's window long
/// after they were handed over, and are sent only when they have been consumed.
/// Thrown away before that, they count as aborted.
pub(super) struct Chunk {
    bytes: Bytes,
    aboard: Option<Box<(Rc<Connection>, Ticket)>>,
}

impl Chunk {
    /// The last bytes of an answer.
    pub(super) fn last(bytes: Bytes, line: Rc<Connection>, ticket: Ticket) -> Self {
        let aboard = Some(Box::new((line, ticket)));
        Self { bytes, aboard }
    }
}

impl From<Bytes> for Chunk {
    fn from(bytes: Bytes) -> Self {
        let aboard = None;
        Self { bytes, aboard }
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if self.bytes.is_empty()
            && let Some(aboard) = self.aboard.take()
        {
            let (line, ticket) = *aboard;
            line.leave(ticket);
        }
    }
}
