//! One batch in a few lines: [`Run`] and the [`Outcomes`] that it returns.
//!
//! A [`Run`] is for the responses; [`measure::one`](crate::measure::one) measures it
//! beside. Comparisons, with samples in processes of their own and a record, are those
//! of [`measure`](crate::measure).

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, Handling, Retry, Reuse, Target};
use crate::request::Endpoint;
use crate::strategy::{Batch, Catalogue, Dispatch, Entry, Setup, Sink};
use crate::workload::{Expect, Gets, Template, Workload};

mod error;
mod outcomes;

pub use self::error::RunError;
pub use self::outcomes::Outcomes;
use self::outcomes::Slots;

/// Builder that runs one batch through a strategy, in the present process.
///
/// Unless specified, a run has 10 workers, 100 requests, the strategy's default
/// client, 30 s per attempt, no retries and no deadline.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// # use mock_server::{Config, Server};
/// # let server = Server::start(Config::default().with_delay(Duration::ZERO))?;
/// # let url = server.url() + "/users?page={index}";
/// let outcomes = fanout::Run::new("thread-pool")
///     .workers(4)
///     .against(url) // http://127.0.0.1:…/users?page={index}
///     .requests(20)
///     .timeout(Duration::from_secs(5))
///     .go()?;
/// for outcome in &outcomes {
///     match &outcome.result {
///         Ok(response) => println!("{}: {} bytes", outcome.index, response.body.len()),
///         Err(failure) => println!("{}: {failure}", outcome.index),
///     }
/// }
/// assert_eq!(outcomes.ok(), 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a run sends nothing until `go`"]
pub struct Run {
    strategy: Chosen,
    client: Option<Client>,
    workers: usize,
    url: Option<String>,
    requests: usize,
    expect: Expect,
    workload: Option<Arc<dyn Workload>>,
    timeout: Duration,
    deadline: Option<Duration>,
    dispatch: Dispatch,
    reuse: Reuse,
    handling: Handling,
    runtime_threads: Option<usize>,
    processes: Option<usize>,
    worker_program: Option<PathBuf>,
}

#[derive(Clone)]
enum Chosen {
    Bundled(String),
    Own(Entry),
}

/// A batch with all that it takes to run it.
pub(crate) struct Resolved {
    pub(crate) entry: Entry,
    pub(crate) setup: Setup,
    pub(crate) dispatch: Dispatch,
    pub(crate) workload: Arc<dyn Workload>,
    pub(crate) deadline: Option<Duration>,
}

impl Run {
    /// Run by a bundled strategy: one of those that `fanout list` shows.
    pub fn new(strategy: impl Into<String>) -> Self {
        Self::by(Chosen::Bundled(strategy.into()))
    }

    /// Run by a strategy of your own.
    pub fn with(entry: Entry) -> Self {
        Self::by(Chosen::Own(entry))
    }

    fn by(strategy: Chosen) -> Self {
        Self {
            strategy,
            client: None,
            workers: 10,
            url: None,
            requests: 100,
            expect: Expect::Status,
            workload: None,
            timeout: Duration::from_secs(30),
            deadline: None,
            dispatch: Dispatch::Queue,
            reuse: Reuse::Session,
            handling: Handling::default(),
            runtime_threads: None,
            processes: None,
            worker_program: None,
        }
    }

    /// Sets the most requests in flight at once, from 1. A strategy with a limit
    /// of its own uses fewer.
    pub fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// Sets the client.
    pub fn client(self, client: Client) -> Self {
        let client = Some(client);
        Self { client, ..self }
    }

    /// Sets where requests go: an `http://` URL with the placeholders `{index}`
    /// (from 0), `{type}` (materials, then products) and `{id}` (from 0 within
    /// each type). An origin alone gets the paths of the inventory API.
    pub fn against(self, url: impl Into<String>) -> Self {
        let url = Some(url.into());
        Self { url, ..self }
    }

    /// Sets the number of requests in the batch, from 0.
    pub fn requests(self, requests: usize) -> Self {
        Self { requests, ..self }
    }

    /// Sets what a response must be to count: any with a status from 200 to 299
    /// unless specified.
    pub fn expecting(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    /// Sets a workload of your own. It replaces the URL's path, the number of
    /// requests and the expectation; [`against`](Self::against) then names the
    /// origin alone.
    pub fn workload(self, workload: impl Workload + 'static) -> Self {
        let workload: Option<Arc<dyn Workload>> = Some(Arc::new(workload));
        Self { workload, ..self }
    }

    /// Limits each attempt of a request, connecting included. A request without a
    /// complete response by then fails with
    /// [`FailureKind::Timeout`](crate::outcome::FailureKind::Timeout).
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Limits the whole batch, from its start. Unfinished requests fail with
    /// [`FailureKind::Deadline`](crate::outcome::FailureKind::Deadline).
    pub fn deadline(self, deadline: Duration) -> Self {
        let deadline = Some(deadline);
        Self { deadline, ..self }
    }

    /// Sets when a failed attempt is followed by another.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.handling.retry = retry;
        self
    }

    /// Sets all that is done around each request: retries, work, saved bodies. A
    /// directory for bodies must exist.
    pub fn handling(self, handling: Handling) -> Self {
        Self { handling, ..self }
    }

    /// Sets the order in which work reaches workers. [`Dispatch::Unbounded`]
    /// gives each request a worker of its own, whatever
    /// [`workers`](Self::workers) says.
    pub fn dispatch(self, dispatch: Dispatch) -> Self {
        Self { dispatch, ..self }
    }

    /// Sets whether connections are kept.
    pub fn reuse(self, reuse: Reuse) -> Self {
        Self { reuse, ..self }
    }

    /// Sets the threads of the strategy's runtime, 0 for the calling thread
    /// alone. Strategies without such a choice ignore it.
    pub fn runtime_threads(self, threads: usize) -> Self {
        let runtime_threads = Some(threads);
        Self {
            runtime_threads,
            ..self
        }
    }

    /// Sets the processes that workers are spread over, from 1. Strategies
    /// without such a choice ignore it.
    pub fn processes(self, processes: usize) -> Self {
        let processes = Some(processes);
        Self { processes, ..self }
    }

    /// Sets the program that is started as a worker process: `fanout`, or one
    /// whose `main` calls [`cli::main`](crate::cli::main), or which answers the
    /// argument [`VERB`](crate::strategy::multiprocess::worker::VERB) by
    /// [`serve`](crate::strategy::multiprocess::worker::serve).
    pub fn worker_program(self, program: impl Into<PathBuf>) -> Self {
        let worker_program = Some(program.into());
        Self {
            worker_program,
            ..self
        }
    }

    /// Runs the batch to its end and returns one outcome per request. The
    /// calling thread blocks; call it outside an asynchronous runtime.
    ///
    /// All bodies are in memory at once.
    ///
    /// # Errors
    /// Where the batch as a whole cannot be run: see [`RunError`].
    ///
    /// # Panics
    /// Where the strategy or the workload panics.
    pub fn go(&self) -> Result<Outcomes, RunError> {
        let Resolved {
            entry,
            setup,
            dispatch,
            workload,
            deadline,
        } = self.resolve()?;
        let slots = Arc::new(Slots::new(Arc::clone(&workload)));
        let mut strategy = (entry.build)(&setup)?;
        let sink = Arc::clone(&slots) as Arc<dyn Sink>;
        let batch = Arc::new(Batch::new(workload, sink).with_deadline(deadline));
        dispatch.run(strategy.as_mut(), &batch, setup.workers)?;
        drop(strategy);
        slots.outcomes(setup.target.traffic())
    }

    /// Looks up what the run names, and checks that it goes together.
    pub(crate) fn resolve(&self) -> Result<Resolved, RunError> {
        let entry = match &self.strategy {
            Chosen::Bundled(name) => *Catalogue::bundled().named(name)?,
            Chosen::Own(entry) => *entry,
        };
        let workload = self.work()?;
        Ok(Resolved {
            setup: self.setup(&entry, workload.requests())?,
            entry,
            dispatch: self.dispatch,
            workload,
            deadline: self.deadline,
        })
    }

    /// The batch's requests.
    fn work(&self) -> Result<Arc<dyn Workload>, RunError> {
        if let Some(own) = &self.workload {
            return Ok(Arc::clone(own));
        }
        let template = Template::of_url(self.url.as_deref().unwrap_or_default())?;
        template.fits(None)?;
        Ok(Arc::new(Gets::new(template, self.requests, self.expect)))
    }

    /// What the strategy is built with.
    fn setup(&self, entry: &Entry, requests: usize) -> Result<Setup, RunError> {
        let client = self.client_of(entry)?;
        let target = Target::new(self.endpoint(client)?, self.timeout).with_reuse(self.reuse);
        let workers = match self.dispatch {
            Dispatch::Unbounded => requests.max(1),
            Dispatch::Queue | Dispatch::Chunked => self.workers,
        };
        if workers == 0 {
            return Err(RunError::NoWorkers);
        }
        let worker_program = match &self.worker_program {
            // The present program may be any: started as a worker, it would run
            // the batch again.
            None if entry.chooses_processes => return Err(RunError::NoWorkerProgram(entry.name)),
            program => program.clone().unwrap_or_default(),
        };
        Ok(Setup {
            handling: Arc::new(self.handling.clone()),
            runtime_threads: self.runtime_threads,
            processes: self.processes,
            ..Setup::new(
                entry.usable_workers(workers),
                client,
                target,
                worker_program,
            )
        })
    }

    fn client_of(&self, entry: &Entry) -> Result<Client, RunError> {
        let client = self.client.or_else(|| entry.clients.first().copied());
        match client {
            Some(client) if entry.clients.contains(&client) => Ok(client),
            other => Err(RunError::Client {
                strategy: entry.name,
                client: other.unwrap_or(Client::LOCAL),
                goes_with: entry.clients.iter().map(|client| client.name()).collect(),
            }),
        }
    }

    fn endpoint(&self, client: Client) -> Result<Endpoint, RunError> {
        match &self.url {
            Some(url) => Ok(Endpoint::resolve(url)?),
            None if client.is_http() => Err(RunError::NoUrl),
            // Nothing is sent there.
            None => Ok(Endpoint::at((Ipv4Addr::LOCALHOST, 0).into())),
        }
    }
}
