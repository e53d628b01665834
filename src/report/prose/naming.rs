//! Names of cells: what tells them apart, and no more.

use std::collections::BTreeSet;

use super::{printable, requests};
use crate::analysis::Summary;
use crate::record::Cell;

/// Names cells by what tells them apart: a record that measured one client a
/// strategy need not repeat it on every line.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    /// Strategies that were measured with more than one client.
    several_clients: BTreeSet<String>,
    /// Whether cells differ in their dispatch.
    pub(crate) dispatch: bool,
    /// Whether cells differ in their reuse of connections.
    pub(crate) reuse: bool,
    /// Whether cells differ in the threads of their runtime.
    pub(crate) runtime_threads: bool,
    /// Whether cells differ in the processes that their workers are spread over.
    pub(crate) processes: bool,
    requests: bool,
    /// Whether cells differ in the server's profile.
    pub(crate) profile: bool,
}

impl Naming {
    /// The naming that a summary's cells need.
    pub(crate) fn of(summary: &Summary) -> Self {
        let cells = || summary.rows.iter().map(|row| &row.cell);
        let pairs: BTreeSet<_> = cells().map(|cell| (&cell.strategy, &cell.client)).collect();
        let mut seen = BTreeSet::new();
        let again = pairs
            .into_iter()
            .filter(|(strategy, _)| !seen.insert(*strategy));
        let several_clients = again.map(|(strategy, _)| strategy.clone()).collect();
        let distinct = |of: fn(&Cell) -> &str| cells().map(of).collect::<BTreeSet<_>>().len() > 1;
        Self {
            several_clients,
            dispatch: distinct(|cell| &cell.dispatch),
            reuse: distinct(|cell| &cell.reuse),
            runtime_threads: cells().any(|cell| cell.runtime_threads.is_some()),
            processes: cells().any(|cell| cell.processes.is_some()),
            requests: requests(summary).len() > 1,
            profile: distinct(|cell| cell.profile.as_deref().unwrap_or_default()),
        }
    }

    /// The same where profiles are told in another way, as by a column.
    pub(crate) fn without_profile(self) -> Self {
        Self {
            profile: false,
            ..self
        }
    }

    /// The shortest name that is unlike every other line's.
    pub(crate) fn short(&self, cell: &Cell) -> String {
        let mut name = printable(&cell.strategy);
        if self.several_clients.contains(&cell.strategy) {
            name = format!("{name}+{}", printable(&cell.client));
        }
        self.with_rest(name, cell)
    }

    /// Strategy and client, and the rest where it differs.
    pub(crate) fn long(&self, cell: &Cell) -> String {
        let name = format!(
            "{} + {}",
            printable(&cell.strategy),
            printable(&cell.client)
        );
        self.with_rest(name, cell)
    }

    fn with_rest(&self, mut name: String, cell: &Cell) -> String {
        let requests = format!("N={}", cell.requests);
        let threads = runtime_threads(cell);
        let processes = processes(cell);
        let rest = [
            (
                self.runtime_threads && !threads.is_empty(),
                threads.as_str(),
            ),
            (self.processes && !processes.is_empty(), processes.as_str()),
            (self.dispatch, cell.dispatch.as_str()),
            (self.reuse, cell.reuse.as_str()),
            (self.requests, requests.as_str()),
            (self.profile, cell.profile.as_deref().unwrap_or_default()),
        ];
        for (differs, value) in rest {
            if differs {
                name = format!("{name}, {}", printable(value));
            }
        }
        name
    }
}

/// The threads of a cell's runtime, in words; empty where it was left to the
/// strategy.
pub(crate) fn runtime_threads(cell: &Cell) -> String {
    match cell.runtime_threads {
        None => String::new(),
        Some(0) => "current thread".to_owned(),
        Some(1) => "1 thread".to_owned(),
        Some(threads) => format!("{threads} threads"),
    }
}

/// The processes that a cell's workers were spread over, in words; empty where
/// that was left to the strategy.
pub(crate) fn processes(cell: &Cell) -> String {
    match cell.processes {
        None => String::new(),
        Some(1) => "1 process".to_owned(),
        Some(processes) => format!("{processes} processes"),
    }
}
