//! A build without the bundled server, whose bodies it cannot check.

use super::kind::Kind;

/// Refusal to take any body for the bundled server's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exact;

const UNKNOWN: &str =
    "cannot check the bundled server's bodies; build fanout with the feature mock-server";

impl Exact {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn record(&self, _: u64, _: Kind, _: usize, _: &[u8]) -> Result<(), String> {
        Err(UNKNOWN.to_owned())
    }

    pub(super) fn users(&self, _: u64, _: &[u8]) -> Result<(), String> {
        Err(UNKNOWN.to_owned())
    }

    pub(super) fn file(&self, _: u64, _: usize, _: usize, _: &[u8]) -> Result<(), String> {
        Err(UNKNOWN.to_owned())
    }
}
