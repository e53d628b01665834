//! A serving thread: a single-threaded runtime with the connections it was
//! dealt.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::LocalRuntime;
use tokio::sync::{Notify, mpsc};

use crate::config::Config;
use crate::http1;
use crate::journal::{Clerk, Journal};
use crate::service::{self, Reply, Request};
use crate::timer::Timer;

/// The serving threads. Dropping the senders tells them to stop.
pub(super) struct Workers {
    threads: Vec<(mpsc::UnboundedSender<TcpStream>, JoinHandle<()>)>,
}

/// Starts a thread for each of the configuration's.
pub(super) fn spawn_all(config: &Arc<Config>, journal: &Arc<Journal>) -> io::Result<Workers> {
    let mut threads = Vec::new();
    for number in 0..config.thread_count() {
        let (deal, dealt) = mpsc::unbounded_channel();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let (config, journal) = (Arc::clone(config), Arc::clone(journal));
        let thread = std::thread::Builder::new()
            .name(format!("mock-serve-{number}"))
            .spawn(move || {
                let ready = LocalRuntime::new();
                let runtime = match ready {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return;
                    }
                };
                runtime.block_on(async {
                    match Worker::new(config, Clerk::new(journal, number)) {
                        Ok(worker) => {
                            let _ = tell.send(Ok(()));
                            drop(tell);
                            work(Rc::new(worker), dealt).await;
                        }
                        Err(error) => {
                            let _ = tell.send(Err(error));
                        }
                    }
                });
            })?;
        told.recv()
            .unwrap_or_else(|_| Err(io::Error::other("a serving thread died at its start")))?;
        threads.push((deal, thread));
    }
    Ok(Workers { threads })
}

impl Workers {
    /// Hands a connection to the worker whose turn it is.
    pub(super) fn deal(&self, turn: usize, stream: TcpStream) {
        let (sender, _) = &self.threads[turn % self.threads.len()];
        // A worker only ends after its sender is gone.
        let _ = sender.send(stream);
    }

    /// Tells all workers to stop and waits until they have.
    pub(super) fn finish(self) {
        let (senders, threads): (Vec<_>, Vec<_>) = self.threads.into_iter().unzip();
        drop(senders);
        for thread in threads {
            if thread.join().is_err() {
                eprintln!("a serving thread panicked; its connections were cut");
            }
        }
    }
}

/// Serves the connections that are dealt, then finishes those that are open.
async fn work(worker: Rc<Worker>, mut dealt: mpsc::UnboundedReceiver<TcpStream>) {
    while let Some(stream) = dealt.recv().await {
        worker.clerk.borrow_mut().count_connection();
        // A socket that this runtime cannot watch is closed by dropping it.
        if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
            let worker = Rc::clone(&worker);
            tokio::task::spawn_local(async move {
                let _open = worker.open().await;
                http1::serve(stream, &worker).await;
            });
        }
    }
    worker.stop();
    let grace = worker.config.grace;
    // Connections that outlast the grace end with the runtime, and their
    // requests count as aborted.
    let _ = tokio::time::timeout(grace, worker.all_closed()).await;
}

/// What the connections of one thread share.
pub(crate) struct Worker {
    config: Arc<Config>,
    clerk: RefCell<Clerk>,
    timer: Timer,
    date: RefCell<Date>,
    stopping: Cell<bool>,
    /// The tasks of open connections, to be woken when the server stops.
    open: RefCell<Vec<Option<Waker>>>,
    free: RefCell<Vec<usize>>,
    closed: Notify,
}

impl Worker {
    fn new(config: Arc<Config>, clerk: Clerk) -> io::Result<Self> {
        Ok(Self {
            config,
            clerk: RefCell::new(clerk),
            timer: Timer::best()?,
            date: RefCell::new(Date::now()),
            stopping: Cell::new(false),
            open: RefCell::default(),
            free: RefCell::default(),
            closed: Notify::new(),
        })
    }

    /// Answers a request; see [`service::answer`].
    pub(crate) fn answer(
        &self,
        request: &Request<'_>,
        arrived: Instant,
        body: &mut Vec<u8>,
    ) -> Reply {
        let mut clerk = self.clerk.borrow_mut();
        service::answer(&self.config, &mut clerk, request, arrived, body)
    }

    /// Counts a request that no route saw.
    pub(crate) fn count_unmatched(&self) {
        self.clerk.borrow_mut().count_unmatched();
    }

    /// Counts bytes that were sent.
    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.clerk.borrow_mut().count_bytes(bytes);
    }

    /// The timer of this thread.
    pub(crate) fn timer(&self) -> &Timer {
        &self.timer
    }

    /// Whether connections should end as soon as nothing is in flight.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Hands out the value of the `Date` field for now.
    pub(crate) fn with_date<T>(&self, use_it: impl FnOnce(&[u8]) -> T) -> T {
        let mut date = self.date.borrow_mut();
        date.refresh();
        use_it(date.text.as_bytes())
    }

    /// Registers the calling task as an open connection.
    async fn open(&self) -> Open<'_> {
        let waker = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let mut open = self.open.borrow_mut();
        let slot = self.free.borrow_mut().pop().unwrap_or_else(|| {
            open.push(None);
            open.len() - 1
        });
        open[slot] = Some(waker);
        Open { worker: self, slot }
    }

    fn stop(&self) {
        self.stopping.set(true);
        for waker in self.open.borrow().iter().flatten() {
            waker.wake_by_ref();
        }
    }

    async fn all_closed(&self) {
        while self.open.borrow().len() > self.free.borrow().len() {
            self.closed.notified().await;
        }
    }
}

/// An open connection's place in the register.
struct Open<'w> {
    worker: &'w Worker,
    slot: usize,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.worker.open.borrow_mut()[self.slot] = None;
        self.worker.free.borrow_mut().push(self.slot);
        self.worker.closed.notify_one();
    }
}

/// The `Date` field, which changes once a second and is formatted as often.
struct Date {
    text: String,
    good_until: Instant,
}

impl Date {
    fn now() -> Self {
        let now = SystemTime::now();
        let into_second = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos());
        let left = Duration::from_secs(1).saturating_sub(Duration::from_nanos(into_second.into()));
        Self {
            text: httpdate::fmt_http_date(now),
            good_until: Instant::now() + left,
        }
    }

    fn refresh(&mut self) {
        if Instant::now() >= self.good_until {
            *self = Self::now();
        }
    }
}
