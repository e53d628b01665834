//! `fanout` answers one question with evidence: *I have N API calls to make.
//! Which concurrency strategy, which HTTP client, how many workers?*

pub mod record;
