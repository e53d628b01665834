//! `--calibrate`: what this server can be trusted for on this machine, now.
//!
//! The server is measured by a client in the same process, as it will be used:
//! on a machine that it shares with whatever calls it. Figures that a busy
//! machine spoils are spoilt here too, which is the point.

mod load;

use std::io::{self, Write};
use std::time::Duration;

use crate::config::Config;
use crate::duration;
use crate::journal::Lateness;
use crate::model::Profile;
use crate::model::{Capacity, ServiceTime};
use crate::server::Server;

/// How long each figure is measured.
const SPAN: Duration = Duration::from_millis(1500);

/// Connections when the ceiling is measured.
const CONNECTIONS: usize = 20;

/// Requests per second when lateness is measured.
const RATE: usize = 1000;

/// What was found.
struct Calibration {
    /// The name of the timer that the server really waited by.
    timer: &'static str,
    ceiling: f64,
    lateness: Vec<(Duration, Lateness)>,
    /// Throughput of five servers of 10 ms over the 500 per second that it
    /// should be.
    capacity: f64,
}

/// Measures and prints. The profile is left out of it: what is measured is the
/// instrument.
///
/// # Errors
/// When a server cannot be started or called, or the output is closed.
pub(crate) fn run(config: &Config) -> io::Result<()> {
    let mut plain = config.clone().with_profile(Profile::default());
    plain.tls = None;
    let found = measure(&plain)?;
    let mut out = io::stdout().lock();
    print(&mut out, &plain, &found)?;
    out.flush()
}

fn measure(plain: &Config) -> io::Result<Calibration> {
    let server = Server::start(plain.clone().with_delay(Duration::ZERO))?;
    let answered = load::closed_loop(server.addr(), CONNECTIONS, Duration::ZERO, SPAN)?;
    let ceiling = answered as f64 / SPAN.as_secs_f64();
    let timer = server.timer();
    drop(server);

    let mut lateness = Vec::new();
    for millis in [1, 5, 20, 200] {
        let delay = Duration::from_millis(millis);
        let server = Server::start(plain.clone().with_delay(delay))?;
        // One request in flight for each that arrives during a delay.
        let connections = (RATE as u64 * millis / 1000).max(1) as usize;
        load::closed_loop(server.addr(), connections, delay, SPAN.max(5 * delay))?;
        lateness.push((delay, server.journal().summary.lateness));
    }

    let mut profile = Profile {
        service_time: ServiceTime::Fixed(Duration::from_millis(10)),
        ..Profile::default()
    };
    profile.capacity = Some(Capacity {
        servers: 5,
        queue: None,
        retry_after: Duration::from_secs(1),
    });
    let server = Server::start(plain.clone().with_profile(profile))?;
    let answered = load::closed_loop(server.addr(), CONNECTIONS, Duration::ZERO, SPAN)?;
    let capacity = answered as f64 / SPAN.as_secs_f64() / 500.0;
    Ok(Calibration {
        timer,
        ceiling,
        lateness,
        capacity,
    })
}

fn print(out: &mut impl Write, config: &Config, found: &Calibration) -> io::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    writeln!(
        out,
        "calibrated on {cores} cores, {} serving threads, timer: {}",
        config.thread_count(),
        found.timer
    )?;
    writeln!(
        out,
        "ceiling   {:.0} requests/s without delay, {CONNECTIONS} connections, client on the same cores",
        found.ceiling
    )?;
    writeln!(
        out,
        "lateness  of answers at about {RATE} requests/s, in ms"
    )?;
    writeln!(
        out,
        "          {:>8} {:>8} {:>8} {:>8} {:>8}",
        "delay", "p50", "p99", "p99.9", "max"
    )?;
    for (delay, late) in &found.lateness {
        writeln!(
            out,
            "          {:>8} {:>8.3} {:>8.3} {:>8.3} {:>8.3}",
            duration::format(*delay),
            late.p50_ms,
            late.p99_ms,
            late.p999_ms,
            late.max_ms
        )?;
    }
    writeln!(
        out,
        "queueing  5 servers of 10 ms gave {:.2} % of the 500 requests/s they should",
        found.capacity * 100.0
    )?;
    trust(out, found)
}

/// What follows from the figures, by two rules: a delay can be trusted when the
/// median answer is late by no more than 1 % of it, and a rate up to half of the
/// ceiling, beyond which the server may be what is measured.
fn trust(out: &mut impl Write, found: &Calibration) -> io::Result<()> {
    let worst = found
        .lateness
        .iter()
        .map(|(_, late)| late.p50_ms)
        .fold(0.0, f64::max);
    writeln!(
        out,
        "trust     delays from {:.1} ms (median lateness within 1 %), and up to {:.0} requests/s (half the ceiling)",
        worst * 100.0,
        found.ceiling / 2.0
    )?;
    let tail = found
        .lateness
        .iter()
        .map(|(_, late)| late.p99_ms)
        .fold(0.0, f64::max);
    if tail > 1.0 {
        writeln!(
            out,
            "warning   one answer in a hundred was late by {tail:.1} ms or more: something else is using this machine, or {} is too coarse",
            found.timer
        )?;
    }
    if found.capacity < 0.99 {
        writeln!(
            out,
            "warning   finite capacities fall short here: measure with fewer other programs running"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(p50_ms: f64, p99_ms: f64) -> Calibration {
        let late = Lateness {
            p50_ms,
            p99_ms,
            ..Lateness::default()
        };
        Calibration {
            timer: "a sundial",
            ceiling: 100_000.0,
            lateness: vec![(Duration::from_millis(1), late)],
            capacity: 1.0,
        }
    }

    #[test]
    fn what_can_be_trusted_follows_from_the_figures() {
        let told = |found: &Calibration| {
            let mut out = Vec::new();
            print(&mut out, &Config::default(), found).unwrap();
            String::from_utf8(out).unwrap()
        };
        let good = told(&found(0.05, 0.2));
        assert!(
            good.contains("delays from 5.0 ms") && good.contains("50000 requests/s"),
            "{good}"
        );
        assert!(good.contains("timer: a sundial"), "{good}");
        assert!(!good.contains("warning"), "{good}");
        let bad = told(&found(0.05, 3.0));
        assert!(bad.contains("late by 3.0 ms") && bad.contains("or a sundial is too coarse"));
    }

    #[test]
    fn a_server_is_known_by_the_timer_that_it_made() {
        let runtime = tokio::runtime::LocalRuntime::new().unwrap();
        let best = runtime.block_on(async { crate::timer::Timer::best().unwrap().name() });
        let server = Server::start(Config::default()).unwrap();
        assert_eq!(server.timer(), best);
    }
}
