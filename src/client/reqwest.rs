//! reqwest: the client that most asynchronous code uses, and its blocking form.
//!
//! As its documentation advises, all workers of a process share one client and
//! its pool. It has no way to open a connection without a request, so the
//! first requests open them, and the pool may open one more while another is
//! being given back. The blocking form runs tokio on a thread of its own.

use std::error::Error as StdError;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use reqwest::{Url, redirect, retry};
use tower::util::MapResponseLayer;

use super::{
    AsyncClient, BlockingClient, Client, Connections, LARGEST_BODY, Maker, Target, USER_AGENT,
};
use crate::outcome::{Failure, FailureKind, Response};
use crate::request::Request;

/// The list's line.
pub(super) const CLIENT: Client = Client {
    name: "reqwest",
    summary: "blocking or on tokio, one connection pool for all workers",
    connections: Connections::Pooled,
    blocking: Some(blocking),
};

/// Both builders have the same methods, and no trait in common.
macro_rules! equalised {
    ($builder:expr, $target:expr, $workers:expr) => {{
        let target: &Target = $target;
        let host = Url::parse(&url(target, "/")).map_err(io::Error::other)?;
        let counting = target.clone();
        $builder
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host($workers)
            // Resolved before anything was timed.
            .resolve_to_addrs(
                host.host_str().unwrap_or_default(),
                target.endpoint.addresses(),
            )
            .connector_layer(MapResponseLayer::new(move |connection| {
                counting.count_connections(1);
                connection
            }))
            .timeout(target.timeout)
            .build()
            .map_err(io::Error::other)?
    }};
}

/// A worker's hold on the asynchronous client. It needs tokio.
pub struct ReqwestClient {
    client: reqwest::Client,
    target: Target,
}

impl AsyncClient for ReqwestClient {
    const CLIENT: Client = CLIENT;

    async fn connect(target: &Target, workers: usize) -> io::Result<Vec<Self>> {
        let client = equalised!(reqwest::Client::builder(), target, workers);
        let hold = || Self {
            client: client.clone(),
            target: target.clone(),
        };
        Ok((0..workers).map(|_| hold()).collect())
    }

    async fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let sent = self.client.get(url(&self.target, &request.target)).send();
        let answer = sent.await.map_err(|error| failure(&self.target, &error))?;
        let status = answer.status().as_u16();
        let body = Limited::new(reqwest::Body::from(answer), LARGEST_BODY);
        let body =
            body.collect()
                .await
                .map_err(|error| match error.downcast_ref::<reqwest::Error>() {
                    Some(error) => failure(&self.target, error),
                    None => Failure::new(FailureKind::Body, error),
                })?;
        Ok(Response {
            status,
            body: body.to_bytes(),
        })
    }
}

/// A worker's hold on the blocking client.
struct BlockingReqwest {
    client: reqwest::blocking::Client,
    target: Target,
}

fn blocking(target: &Target, workers: usize) -> io::Result<Maker> {
    let client = equalised!(reqwest::blocking::Client::builder(), target, workers);
    let target = target.clone();
    Ok(Arc::new(move || {
        Box::new(BlockingReqwest {
            client: client.clone(),
            target: target.clone(),
        })
    }))
}

impl BlockingClient for BlockingReqwest {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let target = &self.target;
        let message = self.client.get(url(target, &request.target));
        // The client's own limit counts anew for each read; this one does not.
        let answer = message.timeout(target.timeout).send();
        let answer = answer.map_err(|error| failure(target, &error))?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        answer
            .take(LARGEST_BODY as u64 + 1)
            .read_to_end(&mut body)
            .map_err(|error| broken_read(target, &error))?;
        if body.len() > LARGEST_BODY {
            return Err(Failure::new(FailureKind::Body, "length limit exceeded"));
        }
        Ok(Response {
            status,
            body: Bytes::from(body),
        })
    }
}

fn url(target: &Target, path: &str) -> String {
    format!("http://{}{path}", target.endpoint.authority())
}

fn broken_read(target: &Target, error: &io::Error) -> Failure {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    match inner {
        Some(error) => failure(target, error),
        None if error.kind() == io::ErrorKind::TimedOut => Failure::timeout(target.timeout),
        None => Failure::new(FailureKind::Body, error),
    }
}

fn failure(target: &Target, error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::timeout(target.timeout);
    }
    let causes = || {
        std::iter::successors(Some(error as &(dyn StdError + 'static)), |error| {
            StdError::source(*error)
        })
    };
    let refused = causes().find_map(|cause| cause.downcast_ref::<io::Error>());
    if let (true, Some(refused)) = (error.is_connect(), refused) {
        return target.connect_failure(refused);
    }
    let kind = if error.is_connect() {
        FailureKind::Connect
    } else {
        FailureKind::Body
    };
    let texts: Vec<_> = causes().map(ToString::to_string).collect();
    Failure::new(kind, texts.join(": "))
}
