//! Bodies that the bundled server is known to send, byte for byte.

use std::cell::RefCell;
use std::sync::OnceLock;

use mock_server::{files, inventory, users};

use super::expect::exactly;
use super::kind::Kind;

/// Checks of the bundled server's bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exact {
    /// The one list that every response of [`Expect::Users`](super::Expect::Users)
    /// is, made once.
    users: OnceLock<Vec<u8>>,
}

thread_local! {
    /// Room for the record that an answer is compared with: judging is done
    /// within the timed section, once a request.
    static RECORD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Exact {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn record(
        &self,
        seed: u64,
        kind: Kind,
        id: usize,
        body: &[u8],
    ) -> Result<(), String> {
        let kind = match kind {
            Kind::Materials => inventory::Kind::Materials,
            Kind::Products => inventory::Kind::Products,
        };
        RECORD.with_borrow_mut(|record| {
            inventory::body_into(record, seed, kind, itoa::Buffer::new().format(id));
            exactly(body, record, format_args!("the record of seed {seed}"))
        })
    }

    pub(super) fn users(&self, seed: u64, body: &[u8]) -> Result<(), String> {
        let users = self.users.get_or_init(|| users::body(seed));
        exactly(body, users, format_args!("the users of seed {seed}"))
    }

    pub(super) fn file(
        &self,
        seed: u64,
        index: usize,
        size: usize,
        body: &[u8],
    ) -> Result<(), String> {
        let file = files::body(seed, &index.to_string(), size);
        let what = format_args!("file {index} of seed {seed}, {size} bytes");
        exactly(body, &file, what)
    }
}
