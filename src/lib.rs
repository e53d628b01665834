//! `fanout` answers one question with evidence: *I have N API calls to make.
//! Which concurrency strategy, which HTTP client, how many workers?*

pub mod analysis;
pub mod cli;
pub mod client;
pub mod foreign;
pub mod measure;
pub mod outcome;
pub mod precision;
pub mod record;
pub mod report;
pub mod request;
pub mod secrets;
pub mod strategy;
pub mod workload;
