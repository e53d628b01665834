//! The `mock-server` program: the library's command line and nothing else.

use std::process::ExitCode;

use clap::Parser;

/// A calibrated mock HTTP server with a journal of what it served.
#[derive(Parser)]
#[command(name = "mock-server", version, about)]
struct Program {
    #[command(flatten)]
    args: mock_server::cli::Args,
}

fn main() -> ExitCode {
    match mock_server::cli::run(&Program::parse().args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock-server: {error}");
            ExitCode::FAILURE
        }
    }
}
