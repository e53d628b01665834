//! `fanout` measures which concurrency strategy, HTTP client and worker count a
//! batch of API calls should use, beside the theoretical lower bound.
//!
//! The program compares; this library runs and measures. A tour:
//!
//! # Run one batch
//!
//! [`Run`] sends a batch and returns one outcome per request, in index order.
//! A request that fails is a value, not an error of the run.
//!
//! ```
//! # use std::time::Duration;
//! # use mock_server::{Config, Server};
//! # let server = Server::start(Config::default().with_delay(Duration::ZERO))?;
//! # let url = server.url();
//! use fanout::Run;
//!
//! // url is http://127.0.0.1:…
//! let outcomes = Run::new("tokio").workers(20).against(url).requests(100).go()?;
//!
//! assert_eq!(outcomes.ok(), 100);
//! println!("{:?} for {} requests", outcomes.runtime(), outcomes.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Measure it
//!
//! [`measure::one`] measures a run in the present process: its times, CPU time,
//! memory, threads and connections.
//!
//! ```
//! # use std::time::Duration;
//! # use mock_server::{Config, Server};
//! # let server = Server::start(Config::default().with_delay(Duration::ZERO))?;
//! # let url = server.url();
//! use fanout::{Run, measure};
//!
//! let run = Run::new("smol").workers(8).against(url).requests(200);
//! let measured = measure::one(&run)?;
//!
//! println!("{} s warm, {} s cold", measured.warm_s, measured.cold_s);
//! println!("{} s of CPU time, {} connections", measured.cpu_s, measured.connections);
//! assert_eq!((measured.ok, measured.failed()), (200, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Handle failures
//!
//! Each [`Failure`](outcome::Failure) has a kind and, where a response came, its
//! status. Retries are off unless specified.
//!
//! ```
//! # use std::time::Duration;
//! # use mock_server::{Config, Server};
//! # let server = Server::start(Config::default().with_delay(Duration::ZERO))?;
//! # let url = server.url();
//! use fanout::Run;
//! use fanout::client::Retry;
//! use fanout::outcome::FailureKind;
//!
//! let outcomes = Run::new("thread-pool")
//!     .workers(3)
//!     .against(url + "/missing/{index}")
//!     .requests(5)
//!     .retry(Retry::times(2))
//!     .go()?;
//!
//! for (index, failure) in outcomes.failures() {
//!     println!("request {index}: {failure}");
//!     assert_eq!((failure.kind, failure.status), (FailureKind::Status, Some(404)));
//! }
//! assert_eq!(outcomes.failures().count(), 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Add a strategy
//!
//! A [`Strategy`](strategy::Strategy) claims requests from the batch and makes
//! them. An [`Entry`](strategy::Entry) names it.
//!
//! ```
//! # use std::time::Duration;
//! # use mock_server::{Config, Server};
//! # let server = Server::start(Config::default().with_delay(Duration::ZERO))?;
//! # let url = server.url();
//! use std::sync::Arc;
//! use fanout::Run;
//! use fanout::client::BlockingCaller;
//! use fanout::strategy::{Batch, Entry, Strategy, StrategyError};
//!
//! /// One worker, from the last request to the first.
//! struct Backwards(BlockingCaller);
//!
//! impl Strategy for Backwards {
//!     fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
//!         for index in batch.window().rev() {
//!             batch.make(index, 0, &mut self.0);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! const BACKWARDS: Entry = Entry::new("backwards", |setup| {
//!     Ok(Box::new(Backwards(setup.blocking_callers()?())))
//! })
//! .max_workers(1);
//!
//! let outcomes = Run::with(BACKWARDS).against(url).requests(10).go()?;
//! assert!(outcomes[9].finished < outcomes[0].finished);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `fanout::cli::main(&Catalogue::bundled().with(BACKWARDS))` as the body of `main`
//! makes a program with every command of `fanout` for it. The examples show that,
//! and a client of your own.
//!
//! # Send something else
//!
//! A [`Workload`](workload::Workload) makes each request and checks its response.
//!
//! ```
//! # use std::time::Duration;
//! # use mock_server::{Config, Server};
//! # let server = Server::start(Config::default().with_delay(Duration::ZERO))?;
//! # let url = server.url();
//! use fanout::Run;
//! use fanout::outcome::{Failure, FailureKind, Response};
//! use fanout::request::Request;
//! use fanout::workload::Workload;
//!
//! /// Files by name, none of which may be empty.
//! struct Files(Vec<&'static str>);
//!
//! impl Workload for Files {
//!     fn requests(&self) -> usize {
//!         self.0.len()
//!     }
//!
//!     fn request(&self, index: usize) -> Request {
//!         Request::new(index, format!("/files/{}", self.0[index]))
//!     }
//!
//!     fn check(&self, _index: usize, response: &Response) -> Result<(), Failure> {
//!         match (response.is_success(), response.body.is_empty()) {
//!             (false, _) => Err(Failure::status(response.status)),
//!             (true, true) => Err(Failure::new(FailureKind::Decode, "an empty file")),
//!             (true, false) => Ok(()),
//!         }
//!     }
//! }
//!
//! let outcomes = Run::new("rayon").workload(Files(vec!["a", "b"])).against(url).go()?;
//! assert_eq!(outcomes.ok(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Build less
//!
//! Every feature is on by default. `default-features = false` leaves requests,
//! workloads, outcomes, the client ureq and the strategies sequential and
//! thread-pool, with a sixth of the dependencies.
//!
//! | feature | adds |
//! |---|---|
//! | `tokio`, `smol`, `async-std`, `rayon`, `multiprocess` | the strategy of that name; those with a runtime also the client hyper |
//! | `reqwest` | the client reqwest |
//! | `async` | the client hyper, for a runtime of your own |
//! | `mock-server` | workloads of the bundled server, checked byte for byte |
//! | `measure` | samples, records and their analysis |
//! | `report` | tables, CSV, JSON, Markdown, plots and the page |
//! | `cli` | the program |
//!
//! # Where things are
//!
//! | to … | module |
//! |---|---|
//! | run one batch | [`run`] |
//! | describe requests and check responses | [`workload`], [`request`], [`outcome`] |
//! | send requests | [`client`] |
//! | spread them over workers | [`strategy`] |
//! | measure a run; compare cells by samples in processes of their own and a record on disk | [`measure`], [`record`] |
//! | judge a record: lower bound, gap, recommendation | [`analysis`] |
//! | draw it: tables, CSV, JSON, Markdown, plots, page | [`report`] |
//! | use all of it from a program of your own | [`cli`] |

#[cfg(feature = "measure")]
pub mod analysis;
#[cfg(feature = "cli")]
pub mod cli;
pub mod client;
#[cfg(feature = "measure")]
pub mod foreign;
#[cfg(feature = "measure")]
pub mod measure;
pub mod outcome;
#[cfg(feature = "measure")]
pub mod precision;
#[cfg(feature = "measure")]
pub mod record;
#[cfg(feature = "report")]
pub mod report;
pub mod request;
pub mod run;
#[cfg(feature = "measure")]
pub mod secrets;
pub mod strategy;
pub mod workload;

pub use self::run::{Outcomes, Run, RunError};

/// The snippets of README.md, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
