//! `--calibrate`: what this server can be trusted for on this machine.

use std::io;

use crate::config::Config;

pub(crate) fn run(_config: &Config) -> io::Result<()> {
    Ok(())
}
