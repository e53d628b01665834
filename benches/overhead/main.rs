//! Overhead of the harness: each strategy beside a bare loop of the same HTTP
//! library on the same runtime, with the same headers and the same time limit per
//! request, without queue, outcomes, retries or checks. (ureq has no limit in the
//! bare loop: with one, its own resolver starts a thread per request.)
//!
//! ```text
//! cargo bench --bench overhead -- [WORKERS] [SECONDS] [ROUNDS]
//! ```
//!
//! Both run in this process, in turn, against one server in a process of its own
//! without delay. Each turn has threads and connections of its own, ready before
//! its time begins: their age alone makes a difference of some percent, in the bare
//! loop as in the harness. Each round begins with what the one before ended with.
//! The figure is the median over the rounds of harness/bare, in good responses per
//! second.

mod bare;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fanout::client::{Client, Target};
use fanout::measure::{Behaviour, Collector, ServerProcess};
use fanout::request::Endpoint;
use fanout::strategy::{Batch, Catalogue, Setup, Strategy};
use fanout::workload::{Expect, Gets, Template, Workload};

const SEED: u64 = 1;

/// Time limit of a request, in both.
const LIMIT: Duration = Duration::from_secs(30);

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Each strategy with a client, and the bare loop beside it.
const PAIRS: &[(&str, Client, bare::Loop)] = &[
    ("sequential", Client::UREQ, bare::ureq_threads),
    ("thread-pool", Client::UREQ, bare::ureq_threads),
    ("thread-pool", Client::REQWEST, bare::reqwest_threads),
    ("rayon", Client::UREQ, bare::ureq_rayon),
    ("tokio", Client::HYPER, bare::hyper_tokio),
    ("tokio", Client::REQWEST, bare::reqwest_tokio),
    ("async-std", Client::HYPER, bare::hyper_async_std),
    ("smol", Client::HYPER, bare::hyper_smol),
];

fn main() -> Fallible<()> {
    // Cargo adds an option of its own.
    let own = std::env::args().skip(1).filter(|text| text != "--bench");
    let mut numbers = own.map(|text| text.parse::<usize>());
    let mut number = |usual| numbers.next().unwrap_or(Ok(usual));
    let (workers, seconds, rounds) = (number(20)?, number(1)?, number(7)?);
    let fanout = Path::new(env!("CARGO_BIN_EXE_fanout"));
    let behaviour = Behaviour::fixed(Duration::ZERO, SEED)?;
    let server = ServerProcess::start(fanout, &behaviour)?;
    let endpoint = Endpoint::resolve(server.url())?;
    println!("{workers} workers, {rounds} rounds of about {seconds} s each way\n");
    println!("| strategy | client | bare, req/s | harness, req/s | harness/bare |");
    println!("|---|---|--:|--:|--:|");
    for (name, client, bare) in PAIRS {
        let entry = *Catalogue::bundled().named(name)?;
        let workers = entry.usable_workers(workers);
        let target = Target::new(endpoint.clone(), LIMIT);
        let setup = Setup::new(workers, *client, target, fanout.to_owned());
        let harnessed = |requests| harness((entry.build)(&setup)?.as_mut(), requests);
        // A first turn says how many requests fill the time.
        let trial = 2_000 * workers.min(5);
        let took = harnessed(trial)?;
        let rate = trial as f64 / took.as_secs_f64();
        let each = ((rate * seconds as f64) as usize).div_ceil(workers).max(1);
        let requests = each * workers;
        let (mut bares, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let mut turn = |first: bool| -> Fallible<()> {
                if first {
                    bares.push(requests as f64 / bare(&endpoint, workers, each)?.as_secs_f64());
                } else {
                    ours.push(requests as f64 / harnessed(requests)?.as_secs_f64());
                }
                Ok(())
            };
            // ABBA: what drifts drifts over both.
            turn(round % 2 == 0)?;
            turn(round % 2 != 0)?;
            ratios.push(ours[ours.len() - 1] / bares[bares.len() - 1]);
        }
        println!(
            "| {name} | {client} | {:.0} | {:.0} | {:.3} |",
            median(&mut bares),
            median(&mut ours),
            median(&mut ratios)
        );
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A batch through a strategy as `fanout compare` runs it: every response is
/// checked byte for byte, every request accounted for.
fn harness(strategy: &mut dyn Strategy, requests: usize) -> Fallible<Duration> {
    let template = Template::parse(Template::INVENTORY)?;
    let workload: Arc<dyn Workload> =
        Arc::new(Gets::new(template, requests, Expect::Record { seed: SEED }));
    let collector = Arc::new(Collector::new(Arc::clone(&workload)));
    let batch = Arc::new(Batch::new(workload, Arc::clone(&collector) as Arc<_>));
    strategy.run(&batch)?;
    let collected = collector.finish()?;
    if let Some(failure) = collected.failures.first() {
        return Err(failure.example.clone().into());
    }
    Ok(Duration::from_secs_f64(collected.last_s))
}
