//! The command line of the server, for the `mock-server` program and for any
//! other that offers the same server under a verb of its own.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::config::Config;
use crate::{duration, limits, listen, serve};

/// The options of the server.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,

    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// Time until a request is answered, as 200ms, 1.5s or 0
    #[arg(long, default_value = "200ms", value_parser = duration::parse)]
    pub delay: Duration,

    /// Seed of the records: the same seed gives the same answers
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Serving threads, one per core by default
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// Stop when standard input ends, so that a server started by another
    /// program through a pipe never outlives it
    #[arg(long)]
    pub exit_with_parent: bool,
}

impl Args {
    fn config(&self) -> Config {
        let config = Config::default()
            .with_delay(self.delay)
            .with_seed(self.seed);
        match self.threads {
            Some(threads) => config.with_threads(threads.into()),
            None => config,
        }
    }
}

/// Runs the server until SIGINT or SIGTERM (or the end of standard input, with
/// `--exit-with-parent`).
///
/// The first line on standard output is `listening on http://HOST:PORT`, written
/// when connections are accepted. Once connections are accepted, standard output
/// gets nothing more.
///
/// # Errors
/// When the address cannot be listened on, or the system refuses threads or
/// signal handlers. The message names the address and the way out.
pub fn run(args: &Args) -> io::Result<()> {
    // The limit as it is serves fewer connections, but serves.
    let _ = limits::raise_open_files();
    let listener = listen(SocketAddr::new(args.host, args.port))?;
    let addr = listener.local_addr()?;
    if !addr.ip().is_loopback() {
        eprintln!(
            "warning: {addr} can be reached from other machines; --host 127.0.0.1 keeps the server to this one"
        );
    }
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let orphaned = if args.exit_with_parent {
        std::thread::Builder::new()
            .name("mock-stdin".to_owned())
            .spawn(move || {
                wait_for_end(io::stdin().lock());
                // Nobody listens any more when a signal came first.
                let _ = stop.send(());
            })?;
        Some(stopped)
    } else {
        None
    };
    announce(addr)?;
    serve(listener, args.config(), async {
        tokio::select! {
            () = signalled() => {}
            () = ended(orphaned) => {}
        }
    })?;
    Ok(())
}

/// Completes when the parent is gone; never, when there is none to watch.
async fn ended(orphaned: Option<tokio::sync::oneshot::Receiver<()>>) {
    match orphaned {
        Some(told) => drop(told.await),
        None => std::future::pending().await,
    }
}

/// The line that a program which started the server waits for.
fn announce(addr: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{addr}")?;
    out.flush()
}

/// Reads to the end; an error is an end as well.
fn wait_for_end(mut input: impl Read) {
    let mut ignored = [0; 1024];
    while !matches!(input.read(&mut ignored), Ok(0) | Err(_)) {}
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};

    let term = async {
        match signal(SignalKind::terminate()) {
            Ok(mut term) => {
                term.recv().await;
            }
            // Then the default action of the signal stops the process.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupted() => {}
        () = term => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
