//! Signals that stop a session: Ctrl-C, SIGTERM and SIGHUP.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigHandler, Signal, signal};

use super::CliError;
use super::output::tell;

/// Exit status after Ctrl-C, as a shell has it: 128 + SIGINT.
pub(super) const INTERRUPTED: u8 = 130;

/// A flag that a signal sets; a second one ends the program at once. SIGHUP stays
/// ignored where it was, as under `nohup`.
///
/// # Errors
/// The handler cannot be set.
pub(super) fn stop(out: &Path) -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let out = out.to_owned();
    let hangs_up = !matches!(ignore_hangup()?, SigHandler::SigIgn);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            tell(format_args!(
                "\nended at once; `fanout report --partial {} --out DIR` reports the complete samples, \
                 if any\n",
                out.display()
            ));
            std::process::exit(INTERRUPTED.into());
        }
    })?;
    if !hangs_up {
        ignore_hangup()?;
    }
    Ok(stop)
}

/// Ignores SIGHUP; returns what was set before.
fn ignore_hangup() -> nix::Result<SigHandler> {
    // SAFETY: no code of ours runs on the signal, and nothing else in the program
    // handles SIGHUP at this time.
    unsafe { signal(Signal::SIGHUP, SigHandler::SigIgn) }
}
