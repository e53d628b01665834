//! A ureq connector that counts, and its transport.

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

use super::INPUT_BUFFER;
use crate::client::Target;
use crate::client::steps::Steps;

/// A connection that could not be opened, told apart from one that broke.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConnectError(pub(super) io::Error);

/// Hands out the connection that was opened ahead, then opens further ones.
#[derive(Debug)]
pub(super) struct AheadConnector {
    tcp: TcpConnector,
    target: Target,
    steps: Steps,
    waiting: Mutex<Option<Box<dyn Transport>>>,
}

impl AheadConnector {
    pub(super) fn new(target: &Target, steps: &Steps) -> Self {
        Self {
            tcp: TcpConnector::default(),
            target: target.clone(),
            steps: steps.clone(),
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
                after: Duration::from(self.target.timeout),
                reason: Timeout::Connect,
                per_read: None,
                per_write: None,
            },
            current_time: Arc::new(Instant::now),
            run_connector: Arc::new(|_| Err(Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        if let Ok(Some(mut transport)) = self.open(&details) {
            // Allocates its buffers, otherwise done in the first request.
            transport.buffers().output();
            *self.waiting() = Some(transport);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Box<dyn Transport>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        let begun = time::Instant::now();
        let transport = self
            .tcp
            .connect(details, None::<()>)
            .map_err(|error| match error {
                Error::Io(error) => Error::Other(Box::new(ConnectError(error))),
                Error::ConnectionFailed => Error::Other(Box::new(ConnectError(
                    io::ErrorKind::ConnectionRefused.into(),
                ))),
                other => other,
            })?;
        self.target.count_connection(begun);
        Ok(transport.map(|transport| {
            Box::new(CountedTransport {
                transport,
                target: self.target.clone(),
                steps: self.steps.clone(),
            }) as Box<dyn Transport>
        }))
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
        self.open(details)
    }
}

/// A connection that counts its bytes.
#[derive(Debug)]
struct CountedTransport<T> {
    transport: T,
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
        if before >= INPUT_BUFFER {
            // ureq takes a read into no room for the end of the connection.
            return Err(Error::LargeResponseHeader(before, INPUT_BUFFER));
        }
        let progress = self.transport.await_input(self.steps.round(timeout));
        let after = self.transport.buffers().input().len();
        self.target.count_received(after.saturating_sub(before));
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
