//! `fanout list`: strategies, clients and workloads to choose from.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::{CliError, output};
use crate::client::{Client, Reuse};
use crate::strategy::{Catalogue, Dispatch, Entry};
use crate::workload::BUNDLED;

#[derive(clap::Args)]
pub(super) struct Args {
    /// text or json
    #[arg(long, value_enum, default_value = "text", hide_possible_values = true)]
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
        let threads = match entry.chooses_runtime_threads {
            true => " · --runtime-threads",
            false => "",
        };
        let processes = match entry.chooses_processes {
            true => " · --processes",
            false => "",
        };
        let given_up = entry.discontinued;
        let given_up = given_up.map_or(String::new(), |given_up| {
            format!("                {given_up}\n")
        });
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "  {:<13} {}\n{given_up}                clients: {}{workers}{threads}{processes}\n                good for: {}\n",
            entry.name,
            entry.summary,
            named_clients(entry),
            entry.good_for,
        );
    }
    text.push_str("\nClients\n");
    for client in catalogue.clients() {
        let stock = client.stock().map_or(String::new(), |stock| {
            format!("                {stock}\n                only with --clients {client}\n")
        });
        let _ = writeln!(
            text,
            "  {client:<13} {}\n{stock}                goes with: {}",
            client.summary(),
            strategy_names(catalogue, client).join(", "),
        );
    }
    let names = |names: Vec<&str>| names.join(", ");
    let _ = write!(
        text,
        "\nDispatch (--dispatch): {}\nConnections (--reuse): {}\nWorkloads (--workload): {}\n",
        names(
            Dispatch::ALL
                .iter()
                .map(|dispatch| dispatch.name())
                .collect()
        ),
        names(Reuse::ALL.iter().map(|reuse| reuse.name()).collect()),
        names(BUNDLED.iter().map(|bundled| bundled.name).collect()),
    );
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
                "swept": client_list(entry.swept),
                "chooses_runtime_threads": entry.chooses_runtime_threads,
                "chooses_processes": entry.chooses_processes,
                "discontinued": entry.discontinued.map(|given_up| {
                    json!({ "instead": given_up.instead, "advisory": given_up.advisory })
                }),
            })
        })
        .collect();
    let clients: Vec<_> = catalogue
        .clients()
        .into_iter()
        .map(|client| {
            json!({
                "name": client.name(),
                "summary": client.summary(),
                "stock": client.stock().map(|stock| {
                    json!({ "tuned": stock.tuned, "differs": stock.differs })
                }),
                "strategies": strategy_names(catalogue, client),
            })
        })
        .collect();
    let workloads = BUNDLED.iter();
    let workloads: Vec<_> = workloads
        .map(|bundled| json!({ "name": bundled.name, "about": bundled.about }))
        .collect();
    json!({
        "strategies": strategies,
        "clients": clients,
        "dispatch": Dispatch::ALL.map(Dispatch::name),
        "reuse": Reuse::ALL.map(Reuse::name),
        "workloads": workloads,
    })
}

/// Names of the clients; where there is a choice, with the default marked.
fn named_clients(entry: &Entry) -> String {
    match client_names(entry).as_slice() {
        [default, others @ ..] if !others.is_empty() => {
            format!("{default} (default), {}", others.join(", "))
        }
        names => names.join(", "),
    }
}

fn client_names(entry: &Entry) -> Vec<&'static str> {
    client_list(entry.clients)
}

fn client_list(clients: &[Client]) -> Vec<&'static str> {
    clients.iter().map(|client| client.name()).collect()
}

fn strategy_names(catalogue: &Catalogue, client: Client) -> Vec<&'static str> {
    let with = |entry: &&Entry| entry.clients.contains(&client);
    let entries = catalogue.entries().iter();
    entries.filter(with).map(|entry| entry.name).collect()
}
