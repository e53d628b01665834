//! The bundled server as a process of its own, so that it shares no thread,
//! no allocator and no CPU account with what is measured.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mock_server::profile::{Profile, Source};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Deserialize;
use ureq::Agent;

use super::resources;
use crate::strategy::without_runtime_variables;

/// A running `fanout serve`; it is stopped when this is dropped, and stops by
/// itself should this process be killed.
pub struct ServerProcess {
    child: Child,
    /// Its standard input: it stops when this is closed.
    stdin: Option<ChildStdin>,
    url: String,
    threads: usize,
}

/// Behaviour of the bundled server, settled: files are read once, and every
/// server that is started with it has the same.
#[derive(Clone, Debug)]
pub struct Behaviour {
    name: Option<String>,
    seed: u64,
    profile: Profile,
    /// The profile as TOML, with all that its files hold.
    text: Arc<str>,
}

impl Behaviour {
    /// A fixed service time, and nothing else.
    ///
    /// # Errors
    /// Where the time is longer than a profile allows.
    pub fn fixed(delay: Duration, seed: u64) -> Result<Self, String> {
        Self::of(None, Some(delay), &[], seed)
    }

    /// The behaviour of a preset or a TOML file, with a fixed service time in
    /// place of its own, keys set as in `rate_limit.rate=50`, and the seed of
    /// records, latencies and faults.
    ///
    /// # Errors
    /// A sentence that names the profile or the key, its value and its range.
    pub fn of(
        name: Option<&str>,
        delay: Option<Duration>,
        settings: &[String],
        seed: u64,
    ) -> Result<Self, String> {
        let (profile, text) = Source::gather(name, delay, settings)?.settle()?;
        Ok(Self {
            name: name.map(str::to_owned),
            seed,
            profile,
            text: text.into(),
        })
    }

    /// The preset's name or the file's path; `None` for a fixed service time
    /// alone.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The profile that it comes to.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
}

/// Longest that a server may take to listen: a machine under load starts a
/// process in a second or two.
const START_LIMIT: Duration = Duration::from_secs(30);

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
        let mut child = without_runtime_variables(&mut Command::new(program))
            .args(["serve", "--port", "0", "--exit-with-parent"])
            .arg(format!("--threads={threads}"))
            .arg(format!("--seed={}", behaviour.seed))
            .arg(format!("--profile-on-stdin={}", behaviour.text.len()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C at the terminal is for the parent to act on.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut process = Self {
            child,
            stdin: None,
            url: String::new(),
            threads,
        };
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(failed(&"it has no pipe"));
        };
        // A program that reads nothing would hold this thread up for ever. That
        // one ends with the program, which a failure here kills.
        let (text, mut pipe) = (Arc::clone(&behaviour.text), stdin);
        let written = std::thread::spawn(move || pipe.write_all(text.as_bytes()).map(|()| pipe));
        let listening = first_line(stdout, START_LIMIT).map_err(|error| failed(&error))?;
        let url = listening.trim().strip_prefix("listening on ");
        process.url = url
            .ok_or_else(|| failed(&format!("its first line was {listening:?}")))?
            .to_owned();
        process.stdin = written.join().ok().and_then(Result::ok);
        process
            .has(&behaviour.profile.digest())
            .map_err(|error| failed(&error))?;
        Ok(process)
    }

    /// Checks that it serves by the profile of a digest.
    fn has(&self, digest: &str) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Health {
            profile: String,
        }
        let config = Agent::config_builder()
            .timeout_global(Some(START_LIMIT))
            .proxy(None)
            .max_idle_connections(0)
            .build();
        let health = Agent::new_with_config(config)
            .get(format!("{}/health", self.url))
            .call();
        let health: Health = health
            .map_err(|error| error.to_string())
            .and_then(|mut health| {
                let body = health.body_mut().as_reader();
                serde_json::from_reader(body).map_err(|error| error.to_string())
            })?;
        if health.profile == digest {
            return Ok(());
        }
        Err(format!(
            "it serves another profile ({}, expected {digest}); rebuild, so that both are of one build",
            health.profile
        ))
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

/// The first line of a program's output.
///
/// # Errors
/// Where it does not come in time, or the output ends before it does.
fn first_line(mut output: ChildStdout, limit: Duration) -> io::Result<String> {
    let begun = Instant::now();
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let left = limit.saturating_sub(begun.elapsed());
        let mut ready = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut ready, patience) {
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(0) if left.is_zero() => {
                let late = format!("it did not listen within {} s", limit.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, late));
            }
            Ok(0) => continue,
            Ok(_) => {}
        }
        let mut byte = [0];
        if output.read(&mut byte)? == 0 || line.len() == LONGEST_LINE {
            break;
        }
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// The most bytes of a first line that are looked at.
const LONGEST_LINE: usize = 1000;

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It holds nothing that would have to be put away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
