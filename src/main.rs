//! The `fanout` program: every command, over the strategies that come with it.

use std::process::ExitCode;

fn main() -> ExitCode {
    fanout::cli::main(&fanout::strategy::Catalogue::bundled())
}
