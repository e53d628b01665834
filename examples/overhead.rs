//! What the harness costs: each strategy beside a bare loop of the same HTTP
//! library on the same runtime, with the same headers and the same limit of
//! time on each request, without queue, outcomes, retries or checks. (ureq has
//! none in the bare loop: with one, its own resolver starts a thread a request.)
//!
//! ```text
//! cargo run --release --example overhead -- [WORKERS] [SECONDS] [ROUNDS]
//! ```
//!
//! Both run in this process, in turn, against one server in a process of its
//! own without delay. Each turn has threads and connections of its own, ready
//! before its time begins, as their age alone makes a difference of some per
//! cent, in the bare loop as in the harness. Each round begins with what the one
//! before ended with. The figure is the median over the rounds of harness/bare, in good answers a
//! second. A path to the `fanout` program may stand in `FANOUT`; otherwise it
//! is the one that was built beside this example.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fanout::client::{Client, Target};
use fanout::measure::{Behaviour, Collector, ServerProcess};
use fanout::request::Endpoint;
use fanout::strategy::{Batch, Catalogue, Setup, Strategy};
use fanout::workload::{Expect, Gets, Template, Workload};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};

const SEED: u64 = 1;

/// What a request may take, in both.
const LIMIT: Duration = Duration::from_secs(30);

/// As long as the harness's own.
const AGENT: &str = "barely/0.1.0";

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A bare loop: so many workers make so many requests each.
type Bare = fn(&Endpoint, usize, usize) -> Fallible<Duration>;

/// Each strategy with a client, and the bare loop beside it.
const PAIRS: &[(&str, Client, Bare)] = &[
    ("sequential", Client::UREQ, ureq_threads),
    ("thread-pool", Client::UREQ, ureq_threads),
    ("thread-pool", Client::REQWEST, reqwest_threads),
    ("rayon", Client::UREQ, ureq_rayon),
    ("tokio", Client::HYPER, hyper_tokio),
    ("tokio", Client::REQWEST, reqwest_tokio),
    ("async-std", Client::HYPER, hyper_async_std),
    ("smol", Client::HYPER, hyper_smol),
];

fn main() -> Fallible<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut number = |usual| numbers.next().unwrap_or(Ok(usual));
    let (workers, seconds, rounds) = (number(20)?, number(1)?, number(7)?);
    let fanout = match std::env::var_os("FANOUT") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()?
            .ancestors()
            .nth(2)
            .ok_or("no directory above the example")?
            .join("fanout"),
    };
    let behaviour = Behaviour::fixed(Duration::ZERO, SEED)?;
    let server = ServerProcess::start(&fanout, &behaviour)?;
    let endpoint = Endpoint::resolve(server.url())?;
    println!("{workers} workers, {rounds} rounds of about {seconds} s each way\n");
    println!("| strategy | client | bare, req/s | harness, req/s | harness/bare |");
    println!("|---|---|--:|--:|--:|");
    for (name, client, bare) in PAIRS {
        let entry = *Catalogue::bundled().named(name)?;
        let workers = entry.usable_workers(workers);
        let target = Target::new(endpoint.clone(), LIMIT);
        let setup = Setup::new(workers, *client, target, fanout.clone());
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

/// A batch through a strategy as `fanout compare` runs it: every answer is
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

/// The same requests as the harness makes, half of each type.
fn target(number: usize) -> String {
    let kind = if number.is_multiple_of(2) {
        "materials"
    } else {
        "products"
    };
    format!("/inventory/{kind}?id={number}")
}

/// Runs blocking workers, each of which was made ready, and times them.
fn threads<C: Send>(
    workers: usize,
    make: impl Fn() -> Fallible<C> + Sync,
    work: impl Fn(usize, &mut C) -> Fallible<()> + Sync,
) -> Fallible<Duration> {
    let ready = std::sync::Barrier::new(workers + 1);
    std::thread::scope(|scope| {
        let (ready, make, work) = (&ready, &make, &work);
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let client = make();
                    ready.wait();
                    work(worker, &mut client?)
                })
            })
            .collect();
        ready.wait();
        let begun = Instant::now();
        for thread in threads {
            thread.join().map_err(|_| "a bare worker panicked")??;
        }
        Ok(begun.elapsed())
    })
}

fn ureq_agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .no_delay(true)
        .proxy(None)
        .user_agent(AGENT)
        .accept("*/*")
        .max_idle_connections(1)
        .max_idle_connections_per_host(1)
        .build();
    ureq::Agent::new_with_config(config)
}

fn ureq_once(agent: &ureq::Agent, endpoint: &Endpoint, number: usize) -> Fallible<()> {
    let mut answer = agent.get(format!("{endpoint}{}", target(number))).call()?;
    answer.body_mut().read_to_vec()?;
    Ok(())
}

fn ureq_threads(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    let make = || {
        let agent = ureq_agent();
        ureq_once(&agent, endpoint, 0)?;
        Ok(agent)
    };
    threads(workers, make, |worker, agent| {
        (0..each).try_for_each(|number| ureq_once(agent, endpoint, worker * each + number))
    })
}

fn ureq_rayon(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()?;
    let agents = pool.broadcast(|_| {
        let agent = ureq_agent();
        ureq_once(&agent, endpoint, 0).map(|()| agent)
    });
    let agents = agents.into_iter().collect::<Fallible<Vec<_>>>()?;
    let begun = Instant::now();
    let ran = pool.broadcast(|context| {
        let worker = context.index();
        (0..each)
            .try_for_each(|number| ureq_once(&agents[worker], endpoint, worker * each + number))
    });
    let took = begun.elapsed();
    ran.into_iter().collect::<Fallible<Vec<()>>>()?;
    Ok(took)
}

fn reqwest_threads(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .timeout(LIMIT)
        .user_agent(AGENT)
        .pool_max_idle_per_host(workers)
        .build()?;
    let once = |number| -> Fallible<()> {
        client
            .get(format!("{endpoint}{}", target(number)))
            .send()?
            .bytes()?;
        Ok(())
    };
    threads(
        workers,
        || once(0),
        |worker, ()| (0..each).try_for_each(|number| once(worker * each + number)),
    )
}

fn tokio_runtime() -> Fallible<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

fn reqwest_tokio(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    async fn work(
        client: reqwest::Client,
        endpoint: Endpoint,
        first: usize,
        each: usize,
    ) -> Fallible<()> {
        for number in first..first + each {
            client
                .get(format!("{endpoint}{}", target(number)))
                .send()
                .await?
                .bytes()
                .await?;
        }
        Ok(())
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(LIMIT)
        .user_agent(AGENT)
        .pool_max_idle_per_host(workers)
        .build()?;
    tokio_runtime()?.block_on(async {
        let warm: Vec<_> = (0..workers)
            .map(|_| tokio::spawn(work(client.clone(), endpoint.clone(), 0, 1)))
            .collect();
        for task in warm {
            task.await??;
        }
        let begun = Instant::now();
        let tasks: Vec<_> = (0..workers)
            .map(|worker| tokio::spawn(work(client.clone(), endpoint.clone(), worker * each, each)))
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok(begun.elapsed())
    })
}

/// One request over a connection that another task drives, as hyper's own
/// examples do it.
async fn hyper_once(
    sender: &mut SendRequest<Empty<Bytes>>,
    host: &str,
    number: usize,
) -> Fallible<()> {
    sender.ready().await?;
    let message = hyper::Request::get(target(number))
        .header(hyper::header::HOST, host)
        .header(hyper::header::ACCEPT, "*/*")
        .header(hyper::header::USER_AGENT, AGENT)
        .body(Empty::new())?;
    let answer = sender.send_request(message).await?;
    answer.into_body().collect().await?;
    Ok(())
}

/// A worker's requests, with a runtime's own limit of time on each.
macro_rules! hyper_work {
    ($sender:expr, $host:expr, $numbers:expr, |$once:ident| $limited:expr) => {
        async move {
            let (mut sender, host) = ($sender, $host);
            for number in $numbers {
                let $once = hyper_once(&mut sender, &host, number);
                $limited?;
            }
            Fallible::Ok(sender)
        }
    };
}

fn hyper_tokio(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    tokio_runtime()?.block_on(async {
        let mut senders = Vec::new();
        for _ in 0..workers {
            let stream = tokio::net::TcpStream::connect(endpoint.addresses()[0]).await?;
            stream.set_nodelay(true)?;
            let (sender, driver) = handshake(hyper_util::rt::TokioIo::new(stream)).await?;
            tokio::spawn(driver);
            senders.push(sender);
        }
        let begun = Instant::now();
        let tasks: Vec<_> = (0..)
            .zip(senders)
            .map(|(worker, sender)| {
                let host = endpoint.authority().to_owned();
                let numbers = worker * each..(worker + 1) * each;
                tokio::spawn(hyper_work!(sender, host, numbers, |once| {
                    tokio::time::timeout(LIMIT, once).await?
                }))
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok(begun.elapsed())
    })
}

fn hyper_async_std(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    async_std::task::block_on(async {
        let mut senders = Vec::new();
        for _ in 0..workers {
            let stream = async_std::net::TcpStream::connect(endpoint.addresses()[0]).await?;
            stream.set_nodelay(true)?;
            let (sender, driver) = handshake(smol_hyper::rt::FuturesIo::new(stream)).await?;
            async_std::task::spawn(driver);
            senders.push(sender);
        }
        let begun = Instant::now();
        let tasks: Vec<_> = (0..)
            .zip(senders)
            .map(|(worker, sender)| {
                let host = endpoint.authority().to_owned();
                let numbers = worker * each..(worker + 1) * each;
                async_std::task::spawn(hyper_work!(sender, host, numbers, |once| {
                    async_std::future::timeout(LIMIT, once).await?
                }))
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        Ok(begun.elapsed())
    })
}

async fn late() -> Fallible<()> {
    smol::Timer::after(LIMIT).await;
    Err("too late".into())
}

fn hyper_smol(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    let executor = smol::Executor::new();
    let (running, ended) = smol::channel::bounded::<()>(1);
    let cores = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| smol::block_on(executor.run(ended.recv())));
        }
        let took = smol::block_on(async {
            let mut senders = Vec::new();
            for _ in 0..workers {
                let stream = smol::net::TcpStream::connect(endpoint.addresses()[0]).await?;
                stream.set_nodelay(true)?;
                let (sender, driver) = handshake(smol_hyper::rt::FuturesIo::new(stream)).await?;
                executor.spawn(driver).detach();
                senders.push(sender);
            }
            let begun = Instant::now();
            let tasks: Vec<_> = (0..)
                .zip(senders)
                .map(|(worker, sender)| {
                    let host = endpoint.authority().to_owned();
                    let numbers = worker * each..(worker + 1) * each;
                    executor.spawn(hyper_work!(sender, host, numbers, |once| {
                        smol::future::or(once, late()).await
                    }))
                })
                .collect();
            for task in tasks {
                task.await?;
            }
            Ok(begun.elapsed())
        });
        drop(running);
        took
    })
}
