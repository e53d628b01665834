//! The bundled server as a process of its own, so that it shares no thread,
//! no allocator and no CPU account with what is measured.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mock_server::profile::{Profile, Source};

use super::resources;

/// A running `fanout serve`; it is stopped when this is dropped, and stops by
/// itself should this process be killed.
pub struct ServerProcess {
    child: Child,
    url: String,
    threads: usize,
}

/// How the bundled server behaves: what its command line is given.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// A preset's name or a TOML file; `None` for a fixed service time alone.
    pub profile: Option<String>,
    /// A fixed service time, in place of the profile's.
    pub delay: Option<Duration>,
    /// Keys of the profile to set, as `rate_limit.rate=50`.
    pub settings: Vec<String>,
    /// The seed of records, latencies and faults.
    pub seed: u64,
}

impl Behaviour {
    /// A fixed service time, and nothing else.
    pub fn fixed(delay: Duration, seed: u64) -> Self {
        Self {
            delay: Some(delay),
            seed,
            ..Self::default()
        }
    }

    /// The profile that this comes to.
    ///
    /// # Errors
    /// A sentence that names the profile or the key, its value and its range.
    pub fn resolve(&self) -> Result<Profile, String> {
        Source::resolve(self.profile.as_deref(), self.delay, &self.settings)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![format!("--seed={}", self.seed)];
        arguments.extend(self.profile.iter().map(|name| format!("--profile={name}")));
        let delay = self.delay.map(mock_server::duration::format);
        arguments.extend(delay.map(|delay| format!("--delay={delay}")));
        arguments.extend(self.settings.iter().map(|key| format!("--set={key}")));
        arguments
    }
}

/// Why the bundled server could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the bundled server (`{program} serve`): {detail}")]
pub struct StartError {
    program: String,
    detail: String,
}

impl ServerProcess {
    /// Starts a program's `serve` command on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where it does not come to listen.
    pub fn start(program: &Path, behaviour: &Behaviour) -> Result<Self, StartError> {
        let failed = |detail: &dyn ToString| StartError {
            program: program.display().to_string(),
            detail: detail.to_string(),
        };
        // Every second core: on the same machine the clients need the others.
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2));
        let mut child = Command::new(program)
            .args(["serve", "--port", "0", "--exit-with-parent"])
            .arg(format!("--threads={threads}"))
            .args(behaviour.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C at the terminal is for the parent to act on.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(&error))?;
        let stdout = child.stdout.take();
        let mut process = Self {
            child,
            url: String::new(),
            threads,
        };
        let listening = stdout
            .ok_or_else(|| io::Error::other("no pipe"))
            .and_then(|stdout| {
                let mut line = String::new();
                BufReader::new(stdout).read_line(&mut line).map(|_| line)
            })
            .map_err(|error| failed(&error))?;
        let url = listening.trim().strip_prefix("listening on ");
        process.url = url
            .ok_or_else(|| failed(&format!("its first line was {listening:?}")))?
            .to_owned();
        Ok(process)
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process's id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(Some(status)) => Some(format!("the bundled server has ended ({status})")),
            _ => None,
        }
    }

    /// Threads that serve connections.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// CPU time that it has spent so far.
    pub(super) fn cpu_time(&self) -> Duration {
        resources::cpu_time_of(self.child.id())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It holds nothing that would have to be put away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
