//! The bundled server as a process of its own, so that it shares no thread,
//! no allocator and no CPU account with what is measured.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running `fanout serve`; it is stopped when this is dropped, and stops by
/// itself should this process be killed.
pub struct ServerProcess {
    child: Child,
    url: String,
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
    pub fn start(program: &Path, delay: Duration, seed: u64) -> Result<Self, StartError> {
        let failed = |detail: &dyn ToString| StartError {
            program: program.display().to_string(),
            detail: detail.to_string(),
        };
        let mut child = Command::new(program)
            .args(["serve", "--port", "0", "--exit-with-parent"])
            .args(["--delay", &mock_server::duration::format(delay)])
            .args(["--seed", &seed.to_string()])
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
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It holds nothing that would have to be put away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
