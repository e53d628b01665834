//! A ureq connector that counts, and its transport.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};
use ureq::{Error, Timeout};

use crate::client::Target;
use crate::client::steps::Steps;

/// What the present thread's connections have met since it last began an exchange.
/// ureq makes the whole of an exchange on the thread that asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// A connection was opened.
    pub(super) opened: bool,
    /// Something was received.
    pub(super) heard: bool,
    /// How a connection ended, if one did.
    pub(super) end: Option<End>,
}

/// How a connection ended while something was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server closed it, or its own half.
    Closed,
    /// It broke, which ureq takes for the end of a body all the same.
    Broken,
}

thread_local! {
    static SEEN: Cell<Seen> = Cell::default();
}

impl Seen {
    /// Begins an exchange of the present thread.
    pub(super) fn begin() {
        SEEN.take();
    }

    /// What its exchange has met so far.
    pub(super) fn so_far() -> Self {
        SEEN.get()
    }

    /// Whether nothing came, over whichever connection there was before it.
    pub(super) fn nothing(self) -> bool {
        !self.opened && !self.heard
    }

    fn note(change: impl FnOnce(&mut Self)) {
        let mut seen = SEEN.get();
        change(&mut seen);
        SEEN.set(seen);
    }
}

/// A connection that could not be opened, told apart from one that broke.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConnectError(pub(super) io::Error);

/// Counts the connections that another connector opens, and their bytes.
#[derive(Debug)]
pub(super) struct CountingConnector<C> {
    inner: C,
    target: Target,
    steps: Steps,
}

impl<C: Connector> CountingConnector<C> {
    pub(super) fn new(inner: C, target: &Target, steps: Steps) -> Self {
        Self {
            inner,
            target: target.clone(),
            steps,
        }
    }
}

impl<C: Connector> Connector for CountingConnector<C> {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let begun = time::Instant::now();
        let transport = self
            .inner
            .connect(details, chained)
            .map_err(|error| match error {
                Error::Io(error) => Error::Other(Box::new(ConnectError(error))),
                Error::ConnectionFailed => Error::Other(Box::new(ConnectError(
                    io::ErrorKind::ConnectionRefused.into(),
                ))),
                other => other,
            })?;
        self.target.count_connection(begun);
        Seen::note(|seen| seen.opened = true);
        Ok(transport.map(|transport| {
            Box::new(CountedTransport {
                transport,
                room: details.config.input_buffer_size(),
                target: self.target.clone(),
                steps: self.steps.clone(),
            }) as Box<dyn Transport>
        }))
    }
}

/// Hands out the connection that was opened ahead, then opens further ones.
#[derive(Debug)]
pub(super) struct AheadConnector {
    tcp: CountingConnector<TcpConnector>,
    waiting: Mutex<Option<Box<dyn Transport>>>,
}

impl AheadConnector {
    pub(super) fn new(target: &Target, steps: &Steps) -> Self {
        Self {
            tcp: CountingConnector::new(TcpConnector::default(), target, steps.clone()),
            waiting: Mutex::default(),
        }
    }

    /// Opens the first connection, if the server can be reached.
    pub(super) fn open_ahead(&self, config: &Config, resolver: &KnownAddresses) {
        let details = ConnectionDetails {
            uri: &Uri::from_static("http://ahead/"),
            addrs: resolver.addresses(),
            config,
            request_level: false,
            resolver,
            now: Instant::now(),
            timeout: NextTimeout {
                after: Duration::from(self.tcp.target.timeout),
                reason: Timeout::Connect,
                per_read: None,
                per_write: None,
            },
            current_time: Arc::new(Instant::now),
            run_connector: Arc::new(|_| Err(Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        if let Ok(Some(mut transport)) = self.tcp.connect(&details, None) {
            // Allocates its buffers, otherwise done in the first request.
            transport.buffers().output();
            *self.waiting() = Some(transport);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Box<dyn Transport>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connector for AheadConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let waiting = self.waiting().take();
        if let Some(mut transport) = waiting
            && transport.is_open()
        {
            return Ok(Some(transport));
        }
        self.tcp.connect(details, None)
    }
}

/// A connection that counts its bytes.
#[derive(Debug)]
struct CountedTransport<T> {
    transport: T,
    /// Bytes that fit into the buffer of what is read.
    room: usize,
    target: Target,
    steps: Steps,
}

impl<T: Transport> Transport for CountedTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.transport
            .transmit_output(amount, self.steps.round(timeout))?;
        self.target.count_sent(amount);
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let before = self.transport.buffers().input().len();
        if before >= self.room {
            // ureq takes a read into no room for the end of the connection.
            return Err(Error::LargeResponseHeader(before, self.room));
        }
        let progress = self.transport.await_input(self.steps.round(timeout));
        let received = self
            .transport
            .buffers()
            .input()
            .len()
            .saturating_sub(before);
        self.target.count_received(received);
        Seen::note(|seen| {
            seen.heard |= received > 0;
            seen.end = seen.end.or(match &progress {
                Ok(true) | Err(Error::Timeout(_)) => None,
                Ok(false) => Some(End::Closed),
                Err(_) => Some(End::Broken),
            });
        });
        progress
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }
}

/// The endpoint's addresses, resolved before anything was timed.
#[derive(Debug)]
pub(super) struct KnownAddresses(Target);

impl KnownAddresses {
    pub(super) fn of(target: &Target) -> Self {
        Self(target.clone())
    }

    fn addresses(&self) -> ResolvedSocketAddrs {
        let mut known = self.empty();
        // ureq keeps a fixed number of addresses.
        for address in self.0.endpoint.addresses().iter().take(16) {
            known.push(*address);
        }
        known
    }
}

impl Resolver for KnownAddresses {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.addresses())
    }
}
