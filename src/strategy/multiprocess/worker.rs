//! The worker process's side: orders in, reports out, until the parent is gone.

use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::wire::{self, Order, Report};
use crate::client::{Client, Target};
use crate::request::{Endpoint, Request};

/// The hidden command that makes a program a worker process; its arguments
/// are those of [`serve`], in that order.
pub const VERB: &str = "worker-process";

/// Serves orders from standard input until it ends.
///
/// The process ends when its parent does, even in the middle of a request: the
/// parent's death closes the pipe, and a thread that watches for just that
/// ends the process.
///
/// # Errors
/// Where the URL is no endpoint, the client is not a blocking one, or the pipes
/// break.
pub fn serve(url: &str, client: &str, timeout: Duration) -> io::Result<()> {
    std::thread::Builder::new()
        .name("parent-watch".to_owned())
        .spawn(exit_with_parent)?;
    let endpoint = Endpoint::resolve(url).map_err(io::Error::other)?;
    let target = Target::new(endpoint, timeout);
    let mut client = Client::named(client)
        .and_then(|client| client.blocking(&target, 1))
        .ok_or_else(|| io::Error::other(format!("`{client}` is not a blocking client")))??(
    );

    let mut orders = BufReader::new(io::stdin());
    let mut counted = 0;
    let mut report = |result| {
        let opened = target.connections();
        let connections = opened - std::mem::replace(&mut counted, opened);
        wire::write(
            io::stdout(),
            &Report {
                connections,
                result,
            },
        )
    };
    report(None)?;
    while let Some(Order { target }) = wire::read(&mut orders)? {
        report(Some(client.send(&Request { target })))?;
    }
    Ok(())
}

/// Waits until nobody holds the other end of standard input, then ends the
/// process.
fn exit_with_parent() {
    let stdin = io::stdin();
    loop {
        // With no event asked for, poll returns for a hang-up or an error
        // alone, and leaves what there is to read where it is.
        let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
        match poll(&mut watched, PollTimeout::NONE) {
            Ok(_) => std::process::exit(0),
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
