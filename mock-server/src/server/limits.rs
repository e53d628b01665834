//! The limits that the operating system sets a server with many connections.

use std::io;

/// Raises the soft limit on open files to the hard one, and returns it.
///
/// A connection is a file; the usual soft limit of 1,024 would refuse the
/// 10,000 that a server like this is asked to hold.
///
/// # Errors
/// When the limit can be neither read nor changed. A caller may go on with the
/// limit it has.
#[cfg(unix)]
pub fn raise_open_files() -> io::Result<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// There is no such limit to raise on this system.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn raise_open_files() -> io::Result<u64> {
    Ok(u64::MAX)
}
