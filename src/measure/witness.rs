//! The bundled server as a witness: what it says of each sample, from its
//! journal and from what its process spent.

use std::time::Duration;

use super::journal::{Doubt, Journal};
use super::server::ServerProcess;
use crate::record::{Measurement, ServerAccount};

/// The bundled server, and where its account of the present sample began.
pub(super) struct Witness {
    server: ServerProcess,
    journal: Journal,
    cpu_before: Duration,
}

impl Witness {
    /// A witness of what goes to this server from now on.
    pub(super) fn new(server: ServerProcess) -> Self {
        Self {
            journal: Journal::at(server.url()),
            cpu_before: server.cpu_time(),
            server,
        }
    }

    /// Where its server listens.
    pub(super) fn url(&self) -> &str {
        self.server.url()
    }

    /// Its server's process.
    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }

    /// Whether its server has not ended.
    pub(super) fn is_alive(&mut self) -> bool {
        self.server.ended().is_none()
    }

    /// Begins a new account.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub(super) fn reset(&mut self) -> Result<(), String> {
        if let Err(silent) = self.journal.reset() {
            return Err(self.server_ended().unwrap_or(silent));
        }
        self.cpu_before = self.server.cpu_time();
        Ok(())
    }

    /// Confirms a sample, and says what the server spent on it. `None` where the
    /// server does not answer any more, and the sample's failures say so
    /// themselves.
    ///
    /// # Errors
    /// Where the server has ended: the failures are then not the strategy's. And
    /// where its journal does not agree with the sample.
    pub(super) fn confirm(
        &mut self,
        measurement: &Measurement,
    ) -> Result<Option<ServerAccount>, String> {
        let spent = self.server.cpu_time().saturating_sub(self.cpu_before);
        let delays = match self.journal.confirm(measurement) {
            Ok(delays) => delays,
            Err(Doubt::Differs(how)) => return Err(how),
            Err(Doubt::Silent(why)) => {
                return match self.server_ended() {
                    Some(ended) => Err(ended),
                    None if measurement.failed() > 0 => Ok(None),
                    None => Err(why),
                };
            }
        };
        let lateness = delays.lateness;
        // What the sample's process read around its run.
        let run_cpu_s = measurement.server.and_then(|server| server.run_cpu_s);
        let capacity = measurement.warm_s * self.server.threads() as f64;
        let busy = run_cpu_s.unwrap_or(spent.as_secs_f64()) / capacity;
        Ok(Some(ServerAccount {
            cpu_s: spent.as_secs_f64(),
            run_cpu_s,
            busy: if busy.is_finite() { busy } else { 0.0 },
            lateness_p50_s: lateness.p50_ms / 1000.0,
            lateness_p99_s: lateness.p99_ms / 1000.0,
            lateness_mean_s: lateness.mean_ms / 1000.0,
            held_mean_s: delays.held_mean_ms / 1000.0,
        }))
    }

    /// How the server ended, if that is why it is silent. A process that is
    /// killed closes its connections a moment before it can be waited for.
    fn server_ended(&mut self) -> Option<String> {
        for _ in 0..100 {
            if let Some(ended) = self.server.ended() {
                return Some(ended);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}
