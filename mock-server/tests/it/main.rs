//! Tests over real sockets, in one program so that they link once.

mod checks;
mod corpus;
mod leaving;
mod limits;
mod parity;
mod program;
mod reliability;
mod routes;
mod service;
mod support;
mod versions;
mod wire;
