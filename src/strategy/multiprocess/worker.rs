//! The worker process's side: orders in, reports out, until the parent is gone.

use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::wire::{self, Duty, Order, Report};
use crate::client::{BlockingCaller, Client, Target, Traffic};
use crate::request::{Endpoint, Request};

/// The hidden command that makes a program a worker process; its argument is
/// that of [`serve`].
pub const VERB: &str = "worker-process";

/// Serves orders from standard input until it ends. What it must know is a
/// [`Duty`] in JSON.
///
/// The process ends when its parent does, even in the middle of a request: the
/// parent's death closes the pipe, and a thread that watches for just that
/// ends the process.
///
/// # Errors
/// Where the duty is none, the client is not a blocking one, or the pipes
/// break.
pub fn serve(duty: &str) -> io::Result<()> {
    std::thread::Builder::new()
        .name("parent-watch".to_owned())
        .spawn(exit_with_parent)?;
    let duty: Duty = serde_json::from_str(duty)?;
    let endpoint = Endpoint::resolve(&duty.url).map_err(io::Error::other)?;
    let target = Target::new(endpoint, duty.timeout).with_reuse(duty.reuse);
    let client = Client::named(&duty.client)
        .and_then(|client| client.blocking(&target, 1))
        .ok_or_else(|| io::Error::other(format!("`{}` is not a blocking client", duty.client)))??;
    let mut caller = BlockingCaller::new(client(), Arc::new(duty.handling), duty.timeout);

    let mut orders = BufReader::new(io::stdin());
    let mut told = Traffic::default();
    let mut report = |call| {
        let all = target.traffic();
        let traffic = all.since(std::mem::replace(&mut told, all));
        wire::write(io::stdout(), &Report { traffic, call })
    };
    report(None)?;
    while let Some(order) = wire::read::<Order>(&mut orders)? {
        let request = Request {
            index: order.index,
            target: order.target,
            expires: order.left.map(|left| Instant::now() + left),
        };
        report(Some(caller.call(&request)))?;
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
