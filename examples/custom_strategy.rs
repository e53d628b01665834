//! A strategy of one's own, with every command of `fanout` for it.
//!
//! ```text
//! cargo run --release --example custom_strategy -- compare --workers 3,20 \
//!     --strategies thread-per-request,thread-pool
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use fanout::client::Client;
use fanout::strategy::{Batch, Built, Catalogue, Entry, Setup, Strategy, StrategyError};

/// Starts a thread for each request, as many at a time as there are workers,
/// and waits for all of them before it starts the next ones: what a loop over
/// `thread::spawn` and `join` comes to.
struct ThreadPerRequest {
    setup: Setup,
}

const ENTRY: Entry = Entry::new("thread-per-request", build)
    .summary("a new thread and a new connection per request, in groups")
    .good_for("seeing what threads, connections and waiting for a group cost")
    .clients(&[Client::UREQ]);

fn build(setup: &Setup) -> Built {
    let setup = setup.clone();
    Ok(Box::new(ThreadPerRequest { setup }))
}

impl Strategy for ThreadPerRequest {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        let callers = self.setup.blocking_callers()?;
        let mut left = true;
        while left {
            std::thread::scope(|scope| -> Result<(), StrategyError> {
                for worker in 0..self.setup.workers {
                    let Some(index) = batch.claim() else {
                        left = false;
                        break;
                    };
                    let mut caller = callers();
                    scope.spawn(move || batch.make(index, worker, &mut caller));
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    fanout::cli::main(&Catalogue::bundled().with(ENTRY))
}
