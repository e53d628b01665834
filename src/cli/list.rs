//! `fanout list`: what there is to choose from.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::{CliError, output};
use crate::client::Client;
use crate::strategy::{Catalogue, Entry};

#[derive(clap::Args)]
pub(super) struct Args {
    /// In which form
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(super) fn run(args: &Args, catalogue: &Catalogue) -> Result<ExitCode, CliError> {
    let text = match args.format {
        Format::Text => text(catalogue),
        Format::Json => serde_json::to_string_pretty(&json(catalogue))?,
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(catalogue: &Catalogue) -> String {
    let mut text = String::from("Strategies\n");
    for entry in catalogue.entries() {
        let workers = match entry.max_workers {
            Some(1) => " · 1 worker".to_owned(),
            Some(most) => format!(" · at most {most} workers"),
            None => String::new(),
        };
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "  {:<13} {}\n                clients: {}{workers}\n                good for: {}\n",
            entry.name,
            entry.summary,
            named_clients(entry),
            entry.good_for,
        );
    }
    text.push_str("\nClients\n");
    for client in Client::ALL {
        let _ = writeln!(
            text,
            "  {client:<13} {}\n                goes with: {}",
            client.summary(),
            strategy_names(catalogue, *client).join(", "),
        );
    }
    text
}

fn json(catalogue: &Catalogue) -> serde_json::Value {
    let strategies: Vec<_> = catalogue
        .entries()
        .iter()
        .map(|entry| {
            json!({
                "name": entry.name,
                "summary": entry.summary,
                "good_for": entry.good_for,
                "clients": client_names(entry),
                "max_workers": entry.max_workers,
            })
        })
        .collect();
    let clients: Vec<_> = Client::ALL
        .iter()
        .map(|client| {
            json!({
                "name": client.name(),
                "summary": client.summary(),
                "strategies": strategy_names(catalogue, *client),
            })
        })
        .collect();
    json!({ "strategies": strategies, "clients": clients })
}

/// The clients in words: where there is a choice, which is the default.
fn named_clients(entry: &Entry) -> String {
    match client_names(entry).as_slice() {
        [default, others @ ..] if !others.is_empty() => {
            format!("{default} (default), {}", others.join(", "))
        }
        names => names.join(", "),
    }
}

fn client_names(entry: &Entry) -> Vec<&'static str> {
    entry.clients.iter().map(|client| client.name()).collect()
}

fn strategy_names(catalogue: &Catalogue, client: Client) -> Vec<&'static str> {
    let with = |entry: &&Entry| entry.clients.contains(&client);
    let entries = catalogue.entries().iter();
    entries.filter(with).map(|entry| entry.name).collect()
}
