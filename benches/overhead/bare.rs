//! Bare loops: each library used as its documentation shows, and nothing else.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fanout::request::Endpoint;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};

use super::{Fallible, LIMIT};

/// A bare loop: so many workers make so many requests each.
pub(super) type Loop = fn(&Endpoint, usize, usize) -> Fallible<Duration>;

/// User agent as long as the harness's own.
const AGENT: &str = "barely/0.1.0";

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

pub(super) fn ureq_threads(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
    let make = || {
        let agent = ureq_agent();
        ureq_once(&agent, endpoint, 0)?;
        Ok(agent)
    };
    threads(workers, make, |worker, agent| {
        (0..each).try_for_each(|number| ureq_once(agent, endpoint, worker * each + number))
    })
}

pub(super) fn ureq_rayon(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
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

pub(super) fn reqwest_threads(
    endpoint: &Endpoint,
    workers: usize,
    each: usize,
) -> Fallible<Duration> {
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

pub(super) fn reqwest_tokio(
    endpoint: &Endpoint,
    workers: usize,
    each: usize,
) -> Fallible<Duration> {
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

pub(super) fn hyper_tokio(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
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

pub(super) fn hyper_async_std(
    endpoint: &Endpoint,
    workers: usize,
    each: usize,
) -> Fallible<Duration> {
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

pub(super) fn hyper_smol(endpoint: &Endpoint, workers: usize, each: usize) -> Fallible<Duration> {
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
