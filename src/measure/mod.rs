//! Measuring: from a plan of cells to a record.
//!
//! Every sample is a process of its own: building is then truly cold, peak
//! memory and CPU time are the sample's alone, and a strategy that crashes
//! takes one sample with it. [`run`] is one sample in the present process,
//! [`Session`] runs a plan of them.

mod collector;
mod event;
mod journal;
mod lanes;
mod ledger;
mod local_server;
mod machine;
mod pauses;
mod plan;
mod process;
mod process_tree;
mod receipt;
mod resources;
mod sample;
mod saved;
mod schedule;
mod server;
mod session;
mod shuffle;
mod thread_counter;
mod wake;
mod witness;

pub use self::collector::Collector;
pub use self::event::{Event, Observer, SessionError};
pub use self::lanes::{Bundled, Target};
pub use self::local_server::LocalServer;
pub use self::plan::{Plan, PlanError, Sweep};
pub use self::process::{SAMPLE_VERB, serve_sample};
pub use self::receipt::{discontinued, receipt};
pub use self::sample::{Job, Terms, one, run};
pub use self::server::{Behaviour, ServerProcess, StartError};
pub use self::session::Session;
pub use self::wake::wake_up;
