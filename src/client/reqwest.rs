//! reqwest: the client that most asynchronous code uses, and its blocking form.
//!
//! As its documentation advises, all workers of a process share one client and
//! its pool. It has no way to open a connection without a request, so the
//! first requests open them, and the pool may open one more while another is
//! being given back. The blocking form runs tokio on a thread of its own.

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use reqwest::header::{self, HeaderValue};
use reqwest::{Url, redirect, retry};
use tower::layer::layer_fn;
use tower::{Layer, Service, ServiceExt};

use super::limits::{check_head, check_target, head_too_large};
use super::{
    AsyncClient, BlockingClient, Client, Connections, Maker, Reuse, Spawner, Target, USER_AGENT,
    retry_after,
};
use crate::outcome::{Failure, FailureKind, Response};
use crate::request::Request;

/// The list's line.
pub(super) const CLIENT: Client = Client {
    name: "reqwest",
    summary: "blocking or on tokio, one connection pool for all workers",
    connections: Connections::Pooled,
    counts_bytes: false,
    stock: None,
    blocking: Some(blocking),
};

/// Both builders have the same methods, and no trait in common.
macro_rules! equalised {
    ($builder:expr, $target:expr, $workers:expr) => {{
        let target: &Target = $target;
        let host = Url::parse(&url(target, "/")).map_err(io::Error::other)?;
        $builder
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(match target.reuse {
                Reuse::Session => $workers,
                Reuse::PerRequest => 0,
            })
            // Resolved before anything was timed.
            .resolve_to_addrs(
                host.host_str().unwrap_or_default(),
                target.endpoint.addresses(),
            )
            .connector_layer(Counting::layer(target))
            .timeout(target.timeout)
            .build()
            .map_err(io::Error::other)?
    }};
}

/// Counts the connections that a connector opens.
///
/// reqwest copies its connector several times for each request, whether or not
/// a connection is opened, so the copies share what they are made of. It puts
/// each into two boxes none the less, which is what counting costs.
struct Counting<S>(Arc<(S, Target)>);

impl<S> Counting<S> {
    fn layer(target: &Target) -> impl Layer<S, Service = Self> + Clone + use<S> {
        let target = target.clone();
        layer_fn(move |connector| Self(Arc::new((connector, target.clone()))))
    }
}

impl<S> Clone for Counting<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, R> Service<R> for Counting<S>
where
    S: Service<R> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Send,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The copy that is made for the call waits until it is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: R) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let (connector, target) = &*shared;
            let begun = Instant::now();
            let connection = connector.clone().oneshot(to).await?;
            target.count_connection(begun);
            Ok(connection)
        })
    }
}

/// Whether there may be kept connections, and a client `C` for the request that
/// met one which the server had closed. Workers share connections, and reqwest
/// tells neither a kept one from a new one nor takes a new one when asked.
struct Kept<C> {
    target: Target,
    answered: AtomicBool,
    /// A client that keeps no connection, made when it is needed first.
    fresh: OnceLock<Option<C>>,
}

impl<C: Clone> Kept<C> {
    fn new(target: &Target) -> Arc<Self> {
        Arc::new(Self {
            target: target.clone(),
            answered: AtomicBool::new(false),
            fresh: OnceLock::new(),
        })
    }

    /// The client to send a request once more with, if an error says that a kept
    /// connection was closed (RFC 9110, section 9.2.2).
    fn once_more(
        &self,
        error: &reqwest::Error,
        build: impl FnOnce(&Target) -> io::Result<C>,
    ) -> Option<C> {
        let may_be_kept =
            self.target.reuse == Reuse::Session && self.answered.load(Ordering::Relaxed);
        if !may_be_kept || !was_closed(error) {
            return None;
        }
        let without = || build(&self.target.clone().with_reuse(Reuse::PerRequest)).ok();
        let fresh = self.fresh.get_or_init(without).clone();
        if fresh.is_some() {
            self.target.count_resent();
        }
        fresh
    }

    /// A response has come.
    fn answered(&self) {
        // Written once: workers that write the same line wait for one another.
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
    }
}

/// A worker's hold on the asynchronous client. It needs tokio.
pub struct ReqwestClient {
    client: reqwest::Client,
    target: Target,
    kept: Arc<Kept<reqwest::Client>>,
}

impl AsyncClient for ReqwestClient {
    const CLIENT: Client = CLIENT;

    async fn connect(target: &Target, workers: usize, _: &Spawner) -> io::Result<Vec<Self>> {
        let client = equalised!(reqwest::Client::builder(), target, workers);
        let kept = Kept::new(target);
        let hold = || Self {
            client: client.clone(),
            target: target.clone(),
            kept: Arc::clone(&kept),
        };
        Ok((0..workers).map(|_| hold()).collect())
    }

    async fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let target = &self.target;
        check_target(&request.target)?;
        let limit = request.limit(target.timeout);
        let send = |client: &reqwest::Client, left: Duration| {
            let message = client.get(url(target, &request.target));
            let message = closing(target, message, reqwest::RequestBuilder::header);
            // The client keeps the usual limit itself, for less.
            match left < target.timeout {
                true => message.timeout(left),
                false => message,
            }
            .send()
        };
        let begun = Instant::now();
        let mut answer = send(&self.client, limit).await;
        if let Err(error) = &answer
            && let Some(fresh) = self.kept.once_more(error, |target| {
                Ok(equalised!(reqwest::Client::builder(), target, 0))
            })
        {
            answer = send(&fresh, limit.saturating_sub(begun.elapsed())).await;
        }
        let answer = answer.map_err(|error| failure(target, limit, &error))?;
        self.kept.answered();
        check_head(answer.headers())?;
        let status = answer.status().as_u16();
        let retry_after = asked(answer.headers());
        let body = target.bodies().body(answer.content_length())?;
        let pieces = reqwest::Body::from(answer);
        let body = body.collect(pieces, |error| failure(target, limit, &error));
        let body = body.await?;
        Ok(Response {
            status,
            body,
            retry_after,
        })
    }

    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(wait)
    }

    async fn unblock<T, W>(&self, work: W) -> T
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

/// Asks the server to close the connection where none is kept.
fn closing<B>(
    target: &Target,
    message: B,
    header: impl FnOnce(B, header::HeaderName, HeaderValue) -> B,
) -> B {
    match target.reuse {
        Reuse::Session => message,
        Reuse::PerRequest => header(
            message,
            header::CONNECTION,
            HeaderValue::from_static("close"),
        ),
    }
}

fn asked(headers: &header::HeaderMap) -> Option<Duration> {
    retry_after(headers.get(header::RETRY_AFTER).map(HeaderValue::as_bytes))
}

/// A worker's hold on the blocking client.
struct BlockingReqwest {
    client: reqwest::blocking::Client,
    target: Target,
    kept: Arc<Kept<reqwest::blocking::Client>>,
}

fn blocking(target: &Target, workers: usize) -> io::Result<Maker> {
    let client = equalised!(reqwest::blocking::Client::builder(), target, workers);
    let target = target.clone();
    let kept = Kept::new(&target);
    Ok(Arc::new(move || {
        Box::new(BlockingReqwest {
            client: client.clone(),
            target: target.clone(),
            kept: Arc::clone(&kept),
        })
    }))
}

impl BlockingClient for BlockingReqwest {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let target = &self.target;
        check_target(&request.target)?;
        let limit = request.limit(target.timeout);
        let send = |client: &reqwest::blocking::Client, left: Duration| {
            let message = client.get(url(target, &request.target));
            let message = closing(target, message, reqwest::blocking::RequestBuilder::header);
            // The client's own limit counts anew for each read; this one does not.
            message.timeout(left).send()
        };
        let begun = Instant::now();
        let mut answer = send(&self.client, limit);
        if let Err(error) = &answer
            && let Some(fresh) = self.kept.once_more(error, |target| {
                Ok(equalised!(reqwest::blocking::Client::builder(), target, 0))
            })
        {
            answer = send(&fresh, limit.saturating_sub(begun.elapsed()));
        }
        let answer = answer.map_err(|error| failure(target, limit, &error))?;
        self.kept.answered();
        check_head(answer.headers())?;
        let status = answer.status().as_u16();
        let retry_after = asked(answer.headers());
        let body = target.bodies().body(answer.content_length())?;
        let body = match answer.content_length() {
            // Each read goes to the runtime's thread and back: one for all of it.
            Some(_) => answer
                .bytes()
                .map(|bytes| body.of(bytes))
                .map_err(|error| failure(target, limit, &error))?,
            None => body
                .read(answer)
                .map_err(|error| broken_read(target, limit, &error))??,
        };
        Ok(Response {
            status,
            body,
            retry_after,
        })
    }
}

/// Whether a connection was closed before a response came: a request may then be
/// sent once more on a new one (RFC 9110, section 9.2.2).
fn was_closed(error: &reqwest::Error) -> bool {
    let sent = error.is_request() && !error.is_timeout() && !error.is_connect();
    let mut causes =
        std::iter::successors(StdError::source(error), |error| StdError::source(*error));
    sent && causes.any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        let hyper = cause.downcast_ref::<hyper::Error>();
        hyper.is_some_and(hyper::Error::is_incomplete_message)
            || io.is_some_and(|error| {
                use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
                matches!(
                    error.kind(),
                    BrokenPipe | ConnectionAborted | ConnectionReset
                )
            })
    })
}

fn url(target: &Target, path: &str) -> String {
    format!("http://{}{path}", target.endpoint.authority())
}

fn broken_read(target: &Target, limit: Duration, error: &io::Error) -> Failure {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    match inner {
        Some(error) => failure(target, limit, error),
        None if error.kind() == io::ErrorKind::TimedOut => Failure::timeout(limit),
        None => Failure::new(FailureKind::Body, error),
    }
}

fn failure(target: &Target, limit: Duration, error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::timeout(limit);
    }
    let causes = || {
        std::iter::successors(Some(error as &(dyn StdError + 'static)), |error| {
            StdError::source(*error)
        })
    };
    let mut parsed = causes().filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    if parsed.any(hyper::Error::is_parse_too_large) {
        return head_too_large();
    }
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
