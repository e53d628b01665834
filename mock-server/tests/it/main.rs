//! Tests over real sockets, in one program so that they link once.

mod program;
mod support;
mod wire;
