//! hyper: the asynchronous client, the same on every runtime.
//!
//! It speaks HTTP/1.1 over hyper's own I/O traits, so that runtimes compare
//! fairly: the only thing that differs between them is [`Network`]. A
//! connection is driven by the task that uses it, not by one of its own, which
//! saves a hand-over between tasks on every request. As hyper's documentation has
//! it, with a task for each connection, it is a client too: `hyper-stock`.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use http_body_util::Empty;
use hyper::Uri;
use hyper::body::Body as _;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};

use super::alarm::Alarm;
use super::drive::Relay;
use super::limits::{check_head, check_target, head_too_large};
use super::{
    AsyncClient, Client, Connections, Network, Reuse, Spawner, Stock, Target, USER_AGENT,
    retry_after,
};
use crate::outcome::{Failure, FailureKind, Response};
use crate::request::Request;

/// The list's line.
pub(super) const CLIENT: Client = Client {
    name: "hyper",
    summary: "asynchronous, the HTTP engine under reqwest and axum",
    connections: Connections::PerWorker,
    counts_bytes: true,
    stock: None,
    blocking: None,
};

/// The list's line of the client as hyper's documentation has it.
pub(super) const STOCK: Client = Client {
    name: "hyper-stock",
    summary: "hyper as its documentation has it, a task per connection",
    stock: Some(Stock {
        tuned: "hyper",
        differs: "connections are driven by tasks of their own; a timer per request",
    }),
    ..CLIENT
};

/// A client with one kept connection, tuned or not.
pub struct HyperClient<N: Network, const TUNED: bool = true> {
    target: Target,
    /// What every request says.
    headers: HeaderMap,
    /// In a box, as it goes through every exchange and back.
    connection: Option<Box<Connection<N::Stream>>>,
    alarm: Alarm<N>,
    /// What drives its connections; `None` where its own task does.
    spawner: Option<Spawner>,
}

/// The client as hyper's documentation has it.
pub type StockHyperClient<N> = HyperClient<N, false>;

impl<N: Network, const TUNED: bool> HyperClient<N, TUNED> {
    /// A client whose connection is open where the server can be reached;
    /// where it cannot, the first request tries again and says why.
    async fn ahead(target: Target, spawner: &Spawner) -> io::Result<Self> {
        let spawner = (!TUNED).then(|| Arc::clone(spawner));
        let mut alarm = Alarm::new();
        let connection = match target.reuse {
            Reuse::Session => {
                let opening = open::<N>(&target, spawner.as_ref());
                alarm.within(target.timeout, opening).await
            }
            Reuse::PerRequest => None,
        };
        Ok(Self {
            connection: connection.and_then(Result::ok),
            headers: headers(&target)?,
            target,
            alarm,
            spawner,
        })
    }
}

fn headers(target: &Target) -> io::Result<HeaderMap> {
    let host = HeaderValue::from_str(target.endpoint.authority()).map_err(io::Error::other)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, host);
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if target.reuse == Reuse::PerRequest {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(headers)
}

impl<N: Network, const TUNED: bool> AsyncClient for HyperClient<N, TUNED> {
    const CLIENT: Client = if TUNED { CLIENT } else { STOCK };

    async fn connect(target: &Target, workers: usize, spawner: &Spawner) -> io::Result<Vec<Self>> {
        let connecting = (0..workers).map(|_| Self::ahead(target.for_client(), spawner));
        join_all(connecting).await.into_iter().collect()
    }

    async fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        check_target(&request.target)?;
        let limit = request.limit(self.target.timeout);
        let uri = Uri::try_from(request.target.as_str());
        let uri = uri.map_err(|error| Failure::new(FailureKind::Body, error))?;
        if !TUNED {
            self.alarm = Alarm::new();
        }
        let way = Way {
            target: &self.target,
            headers: &self.headers,
            spawner: self.spawner.as_ref(),
        };
        let exchange = exchange::<N>(way, self.connection.take(), &uri);
        let ended = self.alarm.within(limit, exchange).await;
        let (connection, response) = ended.unwrap_or_else(|| Err(Failure::timeout(limit)))?;
        self.connection = Some(connection).filter(|_| self.target.reuse == Reuse::Session);
        Ok(response)
    }

    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send {
        N::sleep(wait)
    }

    fn unblock<T, W>(&self, work: W) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        N::unblock(work)
    }
}

/// How a client makes its requests.
#[derive(Clone, Copy)]
struct Way<'client> {
    target: &'client Target,
    headers: &'client HeaderMap,
    spawner: Option<&'client Spawner>,
}

/// One exchange. It owns the connection until the answer is whole: a connection
/// on which something went wrong is closed, not kept.
async fn exchange<N: Network>(
    way: Way<'_>,
    mut kept: Option<Box<Connection<N::Stream>>>,
    uri: &Uri,
) -> Result<(Box<Connection<N::Stream>>, Response), Failure> {
    let target = way.target;
    // One request is sent again once at most: RFC 9110, section 9.2.2.
    let mut resent = false;
    loop {
        let is_new = kept.is_none();
        let before = target.heard().1;
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => open::<N>(target, way.spawner).await?,
        };
        match connection.exchange(way, uri).await {
            Ok(response) => return Ok((connection, response)),
            // The server closed the kept connection as the request went out.
            Err(ExchangeError::Broken(_)) if !is_new && !resent && target.heard().1 == before => {
                resent = true;
                target.count_resent();
            }
            Err(ExchangeError::Broken(failure)) => return Err(failure),
            Err(ExchangeError::Unsent) if is_new => {
                return Err(Failure::new(
                    FailureKind::Body,
                    "the server closed a new connection before the request was sent",
                ));
            }
            // The server had closed the connection; nothing was sent.
            Err(ExchangeError::Unsent) => {}
        }
    }
}

async fn open<N: Network>(
    target: &Target,
    spawner: Option<&Spawner>,
) -> Result<Box<Connection<N::Stream>>, Failure> {
    let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in target.endpoint.addresses() {
        let begun = Instant::now();
        match N::connect(*address, target).await {
            Ok(stream) => {
                target.count_connection(begun);
                let (sender, driver) = http1::handshake(stream)
                    .await
                    .map_err(|error| broken(&error))?;
                let (driver, relay) = match spawner {
                    None => (Some(driver), Some(Relay::new())),
                    Some(spawn) => {
                        // How it ends reaches the exchange too, as its error.
                        spawn(Box::pin(driver.map(drop)));
                        (None, None)
                    }
                };
                return Ok(Box::new(Connection {
                    sender,
                    driver,
                    relay,
                    spare: HeaderMap::new(),
                }));
            }
            Err(error) => refused = error,
        }
    }
    Err(target.connect_failure(&refused))
}

type Message = hyper::Request<Empty<Bytes>>;

/// What is sent for a request. Its headers are put into a spare map.
fn message(uri: &Uri, headers: &HeaderMap, spare: &mut HeaderMap) -> Message {
    let mut message = Message::new(Empty::new());
    *message.uri_mut() = uri.clone();
    std::mem::swap(message.headers_mut(), spare);
    for (name, value) in headers {
        message.headers_mut().insert(name, value.clone());
    }
    message
}

struct Connection<S>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    sender: http1::SendRequest<Empty<Bytes>>,
    /// What moves the bytes; `None` once the connection has ended, or where a task of
    /// its own does.
    driver: Option<http1::Connection<S, Empty<Bytes>>>,
    /// `None` where a task of its own moves the bytes.
    relay: Option<Relay>,
    /// The last answer's headers: room for those of the next request. A map of
    /// its own for each is too large for what an allocator keeps for a thread,
    /// and tasks that go from one thread to another then wait for one another.
    spare: HeaderMap,
}

enum ExchangeError {
    /// Nothing was sent, so the request can go over another connection.
    Unsent,
    /// The exchange began and did not end well.
    Broken(Failure),
}

impl<S> Connection<S>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    async fn exchange(&mut self, way: Way<'_>, uri: &Uri) -> Result<Response, ExchangeError> {
        let (headers, bodies) = (way.headers, way.target.bodies());
        let Self {
            sender,
            driver,
            relay,
            spare,
        } = self;
        let is_tuned = relay.is_some();
        let answer = async {
            if sender.ready().await.is_err() {
                return Err(ExchangeError::Unsent);
            }
            let answer = sender
                .try_send_request(message(uri, headers, spare))
                .await
                .map_err(|mut error| match error.take_message() {
                    Some(_) => ExchangeError::Unsent,
                    None => ExchangeError::Broken(broken(error.error())),
                })?;
            let status = answer.status().as_u16();
            let asked = answer.headers().get(header::RETRY_AFTER);
            let retry_after = retry_after(asked.map(HeaderValue::as_bytes));
            let (head, body) = answer.into_parts();
            check_head(&head.headers).map_err(ExchangeError::Broken)?;
            if is_tuned {
                *spare = head.headers;
                // They are slices of the buffer that was read into.
                spare.clear();
            }
            let whole = bodies.body(body.size_hint().exact());
            let body = match whole {
                Ok(whole) => whole.collect(body, |error| broken(&error)).await,
                Err(failure) => Err(failure),
            };
            Ok(Response {
                status,
                body: body.map_err(ExchangeError::Broken)?,
                retry_after,
            })
        };
        match relay {
            Some(relay) => relay.drive(driver, answer).await,
            None => answer.await,
        }
    }
}

fn broken(error: &hyper::Error) -> Failure {
    if error.is_parse_too_large() {
        return head_too_large();
    }
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    Failure::new(
        FailureKind::Body,
        format_args!("{error}{}", cause.unwrap_or_default()),
    )
}
