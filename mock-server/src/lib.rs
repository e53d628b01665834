//! A calibrated mock HTTP server: it answers as an API would, after a service
//! time that is known in advance, and keeps a journal that proves what it served.
//!
//! Two things make it an instrument and not just a stub. Every answer is a pure
//! function of the seed and of the request, so that two clients that send the
//! same batch get the same records whatever the order of arrival. And every
//! request is counted by route and id, so that a batch can be shown to have been
//! served exactly once.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::time::Duration;
//!
//! let config = mock_server::Config::default().with_delay(Duration::ZERO);
//! let server = mock_server::Server::start(config)?;
//!
//! let mut client = std::net::TcpStream::connect(server.addr())?;
//! client.write_all(
//!     b"GET /inventory/products?id=7 HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n",
//! )?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK"));
//! assert_eq!(server.journal().summary.completed, 1);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The server stops when the [`Server`] is dropped. A program that has a bound
//! listener and its own idea of when to stop calls [`serve`] instead.

mod calibrate;
pub mod cli;
mod config;
pub mod duration;
pub mod files;
mod http;
pub mod inventory;
pub mod journal;
mod json;
pub mod model;
pub mod profile;
mod query;
mod random;
mod route;
mod server;
mod service;
mod timer;
pub mod users;

pub use config::{Config, Parity, Patience, Tls};
pub use server::{Server, limits, listen, serve};
