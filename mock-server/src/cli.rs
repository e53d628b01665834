//! The command line of the server, for the `mock-server` program and for any
//! other that offers the same server under a verb of its own.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, Parity, Tls};
use crate::profile::{Knobs, PRESETS, Profile, Source};
use crate::{duration, limits, listen, serve};

/// The options of the server.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = parse_host)]
    pub host: IpAddr,

    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// Service time, as 200ms or 1.5s [default: 200ms]
    ///
    /// Time from a request to its response, from 0. Unless specified, the profile's.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub delay: Option<Duration>,

    /// Behaviour of the service: a preset or a file
    ///
    /// `--list-profiles` names the presets; the file is TOML, as `--show-profile` prints
    /// it. Each key also has an option of its own, listed below.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,

    /// One key of the profile, as rate_limit.rate=50
    ///
    /// It can be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// A flag for each key, as --rate-limit-rate 50; --help shows them all
    #[command(flatten)]
    pub knobs: Knobs,

    /// List the presets, and exit
    #[arg(long)]
    pub list_profiles: bool,

    /// Print a preset as TOML, and exit
    ///
    /// It is a start for a profile of your own.
    #[arg(long, value_name = "NAME")]
    pub show_profile: Option<String>,

    /// Seed of records, latencies and faults
    ///
    /// The same seed gives the same responses.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Serving threads [default: one per two cores]
    #[arg(long, hide_short_help = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// Server whose responses to give where servers differ
    #[arg(long, value_enum, default_value_t = Parity::Strict, hide_short_help = true)]
    pub parity: Parity,

    /// Encrypt connections, and offer HTTP/2
    ///
    /// The certificate is made at the start; HTTP/2 is offered by ALPN.
    #[arg(long)]
    pub tls: bool,

    /// File that --tls writes its certificate to
    #[arg(
        long,
        hide_short_help = true,
        value_name = "FILE",
        default_value = "mock-server-cert.pem",
        requires = "tls"
    )]
    pub tls_certificate: PathBuf,

    /// Measure the accuracy on this machine, and exit
    #[arg(long)]
    pub calibrate: bool,

    /// Stop when standard input ends
    ///
    /// So a server that another program starts through a pipe never outlives it.
    #[arg(long, hide_short_help = true)]
    pub exit_with_parent: bool,

    /// The profile is that many bytes of TOML at the start of standard input: a
    /// program that starts several servers reads it once for all of them
    #[arg(long, hide = true, value_name = "N", requires = "exit_with_parent",
          conflicts_with_all = ["profile", "delay", "settings"],
          value_parser = clap::value_parser!(u64).range(..=LONGEST_ON_STDIN))]
    pub profile_on_stdin: Option<u64>,
}

/// The most bytes that a profile on standard input may have: the times of the
/// longest trace, each in quotes.
const LONGEST_ON_STDIN: u64 = 256 << 20;

impl Args {
    /// The profile that the options describe: the preset or file, then the
    /// delay, then each key that a flag or `--set` sets.
    ///
    /// # Errors
    /// A sentence that names the profile or the key, its value and its range.
    pub fn profile(&self) -> Result<Profile, String> {
        if let Some(bytes) = self.profile_on_stdin {
            let mut text = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
            let whole = io::stdin().lock().read_exact(&mut text);
            whole.map_err(|error| format!("standard input ends within the profile: {error}"))?;
            let text = String::from_utf8(text).map_err(|error| error.to_string())?;
            return Source::from_text(&text, Path::new("."))?.finish();
        }
        let settings = self.knobs.and(&self.settings);
        Source::resolve(self.profile.as_deref(), self.delay, &settings)
    }

    /// The configuration that the options describe.
    ///
    /// # Errors
    /// As [`profile`](Self::profile).
    pub fn config(&self) -> Result<Config, String> {
        let mut config = Config::default()
            .with_profile(self.profile()?)
            .with_seed(self.seed)
            .with_parity(self.parity);
        config.threads = self.threads.map(usize::from);
        config.tls = self
            .tls
            .then(|| Tls::new(Some(self.tls_certificate.clone())));
        Ok(config)
    }
}

/// An address, or the one name that every machine gives itself.
fn parse_host(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.parse().map_err(|_| {
        format!("expected an address of this machine, as 127.0.0.1, ::1 or 0.0.0.0, or localhost, not `{text}`")
    })
}

/// Runs the server until SIGINT or SIGTERM (or the end of standard input, with
/// `--exit-with-parent`), or does what else the options ask for.
///
/// The first line on standard output is `listening on http://HOST:PORT`, written
/// when connections are accepted. Standard output gets nothing after it.
///
/// # Errors
/// When a profile is wrong, the address cannot be listened on, or the system
/// refuses threads. The message names the value and the way out.
pub fn run(args: &Args) -> io::Result<()> {
    if args.list_profiles {
        return list_profiles();
    }
    if let Some(name) = &args.show_profile {
        return show_profile(name);
    }
    // The limit as it is serves fewer connections, but serves.
    let _ = limits::raise_open_files();
    let config = args.config().map_err(io::Error::other)?;
    if args.calibrate {
        return crate::calibrate::run(&config);
    }
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
    let scheme = if args.tls { "https" } else { "http" };
    serve(listener, config, async {
        tokio::select! {
            () = signalled() => {}
            () = ended(orphaned) => {}
            // Within the server, so that its threads and its certificate are
            // there when the line is.
            () = announce(scheme, addr) => {}
        }
    })?;
    Ok(())
}

/// Writes the line that a program which started the server waits for, and never
/// completes. A server whose output is closed serves all the same.
async fn announce(scheme: &str, addr: SocketAddr) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "listening on {scheme}://{addr}").and_then(|()| out.flush());
    drop(out);
    std::future::pending::<()>().await;
}

fn list_profiles() -> io::Result<()> {
    let width = PRESETS
        .iter()
        .map(|preset| preset.name.len())
        .max()
        .unwrap_or(0);
    let mut out = io::stdout().lock();
    for preset in PRESETS {
        writeln!(out, "{:width$}  {}", preset.name, preset.teaches)?;
    }
    out.flush()
}

fn show_profile(name: &str) -> io::Result<()> {
    let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
        let message = format!("`{name}` is no preset; --list-profiles names them");
        return Err(io::Error::other(message));
    };
    let mut out = io::stdout().lock();
    write!(out, "# {}\n{}", preset.teaches, preset.text)?;
    out.flush()
}

/// Completes when the parent is gone; never, when there is none to watch.
async fn ended(orphaned: Option<tokio::sync::oneshot::Receiver<()>>) {
    match orphaned {
        Some(told) => drop(told.await),
        None => std::future::pending().await,
    }
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
