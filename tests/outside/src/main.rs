//! Runs batches against a server of its own: by a bundled strategy, by a strategy,
//! a client and a workload of its own.

mod server;

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use fanout::Run;
use fanout::client::{BlockingCaller, BlockingClient, Client, Connections, Target};
use fanout::outcome::{Failure, FailureKind, Response};
use fanout::request::Request;
use fanout::strategy::{Batch, Entry, Strategy, StrategyError};
use fanout::workload::{Expect, Workload};

fn main() -> Result<(), Box<dyn Error>> {
    let url = server::start()?;

    let outcomes = Run::new("thread-pool")
        .workers(4)
        .against(format!("{url}/items/{{index}}"))
        .requests(20)
        .expecting(Expect::Json)
        .go()?;
    assert_eq!(outcomes.ok(), 20);
    for (index, outcome) in outcomes.iter().enumerate() {
        let response = outcome.result.as_ref().map_err(Failure::clone)?;
        assert_eq!(response.body, format!("\"/items/{index}\""));
    }

    let outcomes = Run::with(TAKING_TURNS)
        .workers(3)
        .client(RAW)
        .against(&url)
        .workload(Names(vec!["a", "b", "missing", "c"]))
        .go()?;
    let failed: Vec<_> = outcomes.failures().collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].0, failed[0].1.status), (2, Some(404)));
    let workers: Vec<_> = outcomes.iter().map(|outcome| outcome.worker).collect();
    assert_eq!(workers, [0, 1, 2, 0]);

    println!("{} requests in {:?}", outcomes.len(), outcomes.runtime());
    Ok(())
}

const TAKING_TURNS: Entry = Entry::new("taking-turns", |setup| {
    let callers = setup.blocking_callers()?;
    Ok(Box::new(TakingTurns(
        (0..setup.workers).map(|_| callers()).collect(),
    )))
})
.summary("one thread, which makes each request by the next worker")
.clients(&[Client::UREQ, RAW]);

struct TakingTurns(Vec<BlockingCaller>);

impl Strategy for TakingTurns {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        let workers = self.0.len();
        while let Some(index) = batch.claim() {
            let worker = index % workers;
            batch.make(index, worker, &mut self.0[worker]);
        }
        Ok(())
    }
}

const RAW: Client = Client::new("raw", "HTTP/1.0 by hand", Connections::Pooled).with_blocking(
    |target, _workers| {
        let target = target.clone();
        Ok(Arc::new(move || {
            Box::new(Raw {
                target: target.clone(),
            })
        }))
    },
);

struct Raw {
    target: Target,
}

impl BlockingClient for Raw {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let failed = |error: std::io::Error| Failure::new(FailureKind::Connect, error);
        let endpoint = &self.target.endpoint;
        let mut stream = TcpStream::connect(endpoint.addresses()).map_err(failed)?;
        let limit = request.limit(self.target.timeout);
        stream.set_read_timeout(Some(limit)).map_err(failed)?;
        write!(stream, "GET {} HTTP/1.0\r\n\r\n", request.target).map_err(failed)?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map_err(failed)?;
        let broken = || Failure::new(FailureKind::Body, "not HTTP");
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Ok(Response::new(status.ok_or_else(broken)?, body.to_owned()))
    }
}

struct Names(Vec<&'static str>);

impl Workload for Names {
    fn requests(&self) -> usize {
        self.0.len()
    }

    fn request(&self, index: usize) -> Request {
        Request::new(index, format!("/{}", self.0[index]))
    }

    fn check(&self, index: usize, response: &Response) -> Result<(), Failure> {
        if !response.is_success() {
            return Err(Failure::status(response.status));
        }
        if response.body != format!("\"/{}\"", self.0[index]) {
            return Err(Failure::new(FailureKind::Decode, "another name"));
        }
        Ok(())
    }
}
