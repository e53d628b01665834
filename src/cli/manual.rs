//! `fanout completions` and `fanout man`: what a package installs beside the program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::{Cli, CliError, output};

#[derive(clap::Args)]
pub(super) struct Completions {
    /// Shell that completes
    shell: Shell,
}

#[derive(clap::Args)]
pub(super) struct Pages {
    /// Directory that gets a page per command
    dir: PathBuf,
}

/// Prints the completions of a shell.
pub(super) fn completions(args: &Completions) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut visible(), "fanout", &mut script);
    output::print_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// The command without what it hides: completions would offer that as well.
fn visible() -> Command {
    let all = Cli::command();
    let shown = all.get_subcommands().filter(|verb| !verb.is_hide_set());
    let version = all.get_version().unwrap_or_default().to_owned();
    Command::new("fanout")
        .version(version)
        .subcommands(shown.cloned())
}

/// Writes the man pages.
pub(super) fn pages(args: &Pages) -> Result<ExitCode, CliError> {
    let dir = &args.dir;
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|error| {
            let dir = dir.display();
            CliError::new(format_args!(
                "cannot write man pages to {dir}: {error}; name another directory"
            ))
        })?;
    Ok(ExitCode::SUCCESS)
}
