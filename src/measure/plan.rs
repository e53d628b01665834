//! The plan: which cells to measure, and how often.

mod variant;

use self::variant::Variant;
use crate::client::{Client, Reuse};
use crate::record::Cell;
use crate::strategy::{Catalogue, Dispatch, Entry, UnknownName};

/// Cells to measure, and samples of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to measure, in order; a round goes through all of them once.
    pub cells: Vec<Cell>,
    /// Samples of each cell.
    pub samples: u32,
    /// Whether they have no part in the choice of a cell, but say how long the chosen
    /// one takes.
    pub confirms: bool,
    /// What of the request could not be taken as it stood, in words.
    pub notes: Vec<String>,
}

/// What to make a plan of. Empty lists mean all there are.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Names of strategies.
    pub strategies: Vec<String>,
    /// Clients to use; a strategy uses those that go with it.
    pub clients: Vec<Client>,
    /// Orders in which work reaches workers; none means `queue`.
    pub dispatches: Vec<Dispatch>,
    /// Whether connections are kept; none means that they are.
    pub reuses: Vec<Reuse>,
    /// Threads of those runtimes whose threads can be chosen; none leaves it
    /// to them.
    pub runtime_threads: Vec<usize>,
    /// Processes over which strategies of processes spread their workers; none
    /// means one per worker.
    pub processes: Vec<usize>,
    /// Worker counts.
    pub workers: Vec<usize>,
    /// Requests in a batch.
    pub requests: usize,
    /// Samples of each cell.
    pub samples: u32,
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A strategy is not known.
    #[error(transparent)]
    Strategy(#[from] UnknownName),
    /// A client goes with none of the strategies, while others do.
    #[error(
        "no chosen strategy ({strategies}) can use client {client}; remove it from --clients, or \
         choose strategies that `fanout list` shows for it"
    )]
    ClientUnused {
        /// The client.
        client: &'static str,
        /// The strategies asked for.
        strategies: String,
    },
    /// No strategy's runtime has threads to choose.
    #[error(
        "--runtime-threads has no effect on {strategies}; leave it out, or choose among {choosers}"
    )]
    NoRuntime {
        /// The strategies asked for.
        strategies: String,
        /// Those that have one.
        choosers: String,
    },
    /// No strategy has processes to choose.
    #[error("--processes has no effect on {strategies}; leave it out, or choose among {choosers}")]
    NoProcesses {
        /// The strategies asked for.
        strategies: String,
        /// Those that do.
        choosers: String,
    },
    /// No strategy goes with any of the clients.
    #[error(
        "no chosen strategy ({strategies}) can use {clients}; `fanout list` shows which go together"
    )]
    NothingGoesTogether {
        /// The strategies asked for.
        strategies: String,
        /// The clients asked for.
        clients: String,
    },
}

impl Plan {
    /// Plans a sweep: every strategy with every client that goes with it, at
    /// every worker count.
    ///
    /// # Errors
    /// Where a strategy is not known, or none goes with the clients.
    pub fn sweep(catalogue: &Catalogue, request: &Sweep) -> Result<Self, PlanError> {
        let entries: Vec<&Entry> = if request.strategies.is_empty() {
            catalogue.entries().iter().collect()
        } else {
            let names = distinct(&request.strategies);
            let named = names.iter().map(|name| catalogue.named(name));
            named.collect::<Result<_, _>>()?
        };
        let mut workers = distinct(&request.workers);
        workers.sort_unstable();
        let mut plan = Self {
            cells: Vec::new(),
            samples: request.samples,
            confirms: false,
            notes: Vec::new(),
        };
        for entry in &entries {
            plan.add(entry, &workers, request);
        }
        if plan.cells.is_empty() {
            return Err(PlanError::NothingGoesTogether {
                strategies: join(entries.iter().map(|entry| entry.name)),
                clients: join(request.clients.iter().map(|client| client.name())),
            });
        }
        Self::refuse_idle_choices(catalogue, &entries, request)?;
        let unused = |client: &&Client| !entries.iter().any(|e| e.clients.contains(client));
        if let Some(client) = request.clients.iter().find(unused) {
            return Err(PlanError::ClientUnused {
                client: client.name(),
                strategies: join(entries.iter().map(|entry| entry.name)),
            });
        }
        if request.dispatches.contains(&Dispatch::Unbounded) {
            plan.notes.push(format!(
                "dispatch unbounded ignores --workers: each of the {} requests has a worker of its own",
                request.requests
            ));
        }
        let most = request.processes.iter().max().copied().unwrap_or_default();
        let capped = |cell: &Cell| cell.processes.is_some() && most > cell.workers_usable;
        if plan.cells.iter().any(capped) {
            plan.notes
                .push("--processes is limited to the number of workers".to_owned());
        }
        if let Some(most) = workers.iter().find(|workers| **workers > request.requests) {
            plan.notes.push(format!(
                "a batch of {} requests cannot keep {most} workers busy; the rest stay idle",
                request.requests
            ));
        }
        Ok(plan)
    }

    /// Refuses an axis that none of the strategies has.
    fn refuse_idle_choices(
        catalogue: &Catalogue,
        entries: &[&Entry],
        request: &Sweep,
    ) -> Result<(), PlanError> {
        let choosers = |chooses: fn(&Entry) -> bool| {
            let choosers = catalogue.entries().iter().filter(|entry| chooses(entry));
            join(choosers.map(|entry| entry.name))
        };
        let strategies = || join(entries.iter().map(|entry| entry.name));
        let idle = |values: &[usize], chooses: fn(&Entry) -> bool| {
            !values.is_empty() && !entries.iter().any(|entry| chooses(entry))
        };
        let threads: fn(&Entry) -> bool = |entry| entry.chooses_runtime_threads;
        if idle(&request.runtime_threads, threads) {
            return Err(PlanError::NoRuntime {
                strategies: strategies(),
                choosers: choosers(threads),
            });
        }
        let processes: fn(&Entry) -> bool = |entry| entry.chooses_processes;
        if idle(&request.processes, processes) {
            return Err(PlanError::NoProcesses {
                strategies: strategies(),
                choosers: choosers(processes),
            });
        }
        Ok(())
    }

    /// The same for each of several profiles, by name; for one, as it is.
    #[must_use]
    pub fn for_profiles(mut self, profiles: &[String]) -> Self {
        if profiles.len() > 1 {
            let cells = std::mem::take(&mut self.cells);
            let with = |profile: &String| {
                let profile = Some(profile.clone());
                let named = move |cell: &Cell| Cell {
                    profile: profile.clone(),
                    ..cell.clone()
                };
                cells.iter().map(named).collect::<Vec<_>>()
            };
            self.cells = profiles.iter().flat_map(with).collect();
        }
        self
    }

    fn add(&mut self, entry: &Entry, workers: &[usize], request: &Sweep) {
        let clients: Vec<Client> = if request.clients.is_empty() {
            let http = entry.clients.iter().find(|client| client.is_http());
            // Who names no strategy either wants to know of all that people use.
            match request.strategies.is_empty() && !entry.swept.is_empty() {
                true => entry.swept.to_vec(),
                false => http.into_iter().copied().collect(),
            }
        } else {
            let mut wanted = distinct(&request.clients);
            wanted.retain(|client| entry.clients.contains(client));
            wanted
        };
        if clients.is_empty() {
            let goes_with = join(entry.clients.iter().map(|client| client.name()));
            self.notes.push(format!(
                "{} is left out: it can use {goes_with} only",
                entry.name
            ));
        }
        for variant in Variant::all(entry, &clients, request) {
            let mut measured = None;
            for asked in variant.workers(workers, request.requests) {
                let usable = entry.usable_workers(asked);
                // What it cannot use changes nothing: measured once.
                if measured == Some(usable) {
                    continue;
                }
                measured = Some(usable);
                if variant.is_doubled(usable, request) {
                    continue;
                }
                self.cells.push(Cell {
                    strategy: entry.name.to_owned(),
                    client: variant.client.name().to_owned(),
                    dispatch: variant.dispatch.name().to_owned(),
                    reuse: variant.reuse.name().to_owned(),
                    runtime_threads: variant.runtime_threads,
                    processes: variant.processes.map(|processes| processes.min(usable)),
                    workers: asked,
                    workers_usable: usable,
                    requests: request.requests,
                    profile: None,
                });
            }
        }
        if let Some(most) = entry.max_workers
            && workers.iter().any(|asked| *asked > most)
        {
            self.notes.push(format!(
                "{} uses {most} worker{} at most, and is measured once",
                entry.name,
                if most == 1 { "" } else { "s" }
            ));
        }
    }

    /// Samples in all.
    pub fn len(&self) -> usize {
        self.cells.len() * self.samples as usize
    }

    /// Whether there is nothing to measure.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The values in the order in which they were first given.
fn distinct<T: Clone + PartialEq>(values: &[T]) -> Vec<T> {
    let mut distinct: Vec<T> = Vec::with_capacity(values.len());
    for value in values {
        if !distinct.contains(value) {
            distinct.push(value.clone());
        }
    }
    distinct
}

fn join<'names>(names: impl Iterator<Item = &'names str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(strategies: &[&str], workers: &[usize]) -> Sweep {
        Sweep {
            strategies: strategies.iter().map(|name| (*name).to_owned()).collect(),
            workers: workers.to_vec(),
            requests: 100,
            samples: 3,
            ..Sweep::default()
        }
    }

    fn sweep(request: &Sweep) -> Plan {
        Plan::sweep(&Catalogue::bundled(), request).unwrap()
    }

    #[test]
    fn a_sweep_is_every_strategy_at_every_worker_count() {
        let plan = sweep(&request(&["tokio", "rayon", "tokio"], &[20, 3, 3]));
        let cells: Vec<_> = plan
            .cells
            .iter()
            .map(|cell| (cell.strategy.as_str(), cell.workers))
            .collect();
        assert_eq!(
            cells,
            [("tokio", 3), ("tokio", 20), ("rayon", 3), ("rayon", 20)]
        );
        assert_eq!(plan.len(), 12);
        assert!(plan.notes.is_empty());
    }

    #[test]
    fn sequential_is_measured_once_and_that_is_said() {
        let plan = sweep(&request(&["sequential"], &[3, 20]));
        assert_eq!(plan.cells.len(), 1);
        assert_eq!(
            (plan.cells[0].workers, plan.cells[0].workers_usable),
            (3, 1)
        );
        assert!(
            plan.notes[0].contains("sequential uses 1 worker"),
            "{:?}",
            plan.notes
        );
    }

    #[test]
    fn all_strategies_are_swept_where_none_is_named() {
        let plan = sweep(&request(&[], &[1, 2]));
        let entries = Catalogue::bundled().entries().len();
        // Two lines of a second client, and one strategy of one worker.
        assert_eq!(plan.cells.len(), 2 * (entries + 2) - 1);
        let reqwest = plan.cells.iter().filter(|cell| cell.client == "reqwest");
        let reqwest: Vec<_> = reqwest.map(|cell| cell.strategy.as_str()).collect();
        assert_eq!(
            reqwest,
            ["thread-pool", "thread-pool", "tokio", "tokio"],
            "what people use"
        );
        let named = sweep(&request(&["tokio", "thread-pool"], &[1, 2]));
        assert!(named.cells.iter().all(|cell| cell.client != "reqwest"));
    }

    #[test]
    fn stock_clients_are_planned_only_when_named() {
        let stock = [Client::UREQ_STOCK, Client::HYPER_STOCK];
        let is_stock = |cell: &&Cell| stock.iter().any(|client| client.name() == cell.client);
        let names = Catalogue::bundled();
        let names: Vec<_> = names.entries().iter().map(|entry| entry.name).collect();
        for strategies in [&[][..], &names] {
            let mut request = request(strategies, &[2]);
            assert_eq!(sweep(&request).cells.iter().filter(is_stock).count(), 0);
            request.clients = stock.to_vec();
            let planned = sweep(&request).cells;
            let planned: Vec<_> = planned.iter().map(|cell| cell.strategy.as_str()).collect();
            assert_eq!(planned, names);
        }
    }

    #[test]
    fn a_client_leaves_out_what_does_not_go_with_it() {
        let mut request = request(&["tokio", "thread-pool"], &[2]);
        request.clients = vec![Client::UREQ];
        let plan = sweep(&request);
        assert_eq!(plan.cells.len(), 1);
        assert!(
            plan.notes[0].contains("tokio is left out"),
            "{:?}",
            plan.notes
        );
        request.strategies.pop();
        let error = Plan::sweep(&Catalogue::bundled(), &request).unwrap_err();
        assert!(error.to_string().contains("ureq"), "{error}");
    }

    #[test]
    fn every_pair_of_the_chosen_is_planned_and_a_client_left_over_refused() {
        let mut request = request(&["tokio", "rayon", "smol"], &[2]);
        request.clients = vec![Client::UREQ, Client::REQWEST, Client::HYPER];
        let plan = sweep(&request);
        let pairs: Vec<_> = plan
            .cells
            .iter()
            .map(|cell| (cell.strategy.as_str(), cell.client.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("tokio", "reqwest"),
                ("tokio", "hyper"),
                ("rayon", "ureq"),
                ("rayon", "reqwest"),
                ("smol", "hyper"),
            ]
        );
        request.strategies = vec!["tokio".to_owned()];
        let error = Plan::sweep(&Catalogue::bundled(), &request).unwrap_err();
        assert!(error.to_string().contains("client ureq"), "{error}");
    }

    #[test]
    fn several_profiles_are_as_many_sweeps_and_one_is_not_named() {
        let plan = || sweep(&request(&["tokio"], &[2, 3]));
        let names = ["steady".to_owned(), "long-tail".to_owned()];
        let several = plan().for_profiles(&names);
        let profiles: Vec<_> = several
            .cells
            .iter()
            .map(|cell| (cell.profile.as_deref(), cell.workers))
            .collect();
        assert_eq!(
            profiles,
            [
                (Some("steady"), 2),
                (Some("steady"), 3),
                (Some("long-tail"), 2),
                (Some("long-tail"), 3)
            ]
        );
        assert_eq!(plan().for_profiles(&names[..1]), plan());
    }

    #[test]
    fn dispatch_reuse_and_runtime_threads_multiply_where_they_mean_something() {
        let mut request = request(&["sequential", "tokio", "thread-pool"], &[2, 3]);
        request.dispatches = Dispatch::ALL.to_vec();
        request.reuses = Reuse::ALL.to_vec();
        request.runtime_threads = vec![0, 2];
        let plan = sweep(&request);
        let of = |strategy: &str| plan.cells.iter().filter(|c| c.strategy == strategy).count();
        assert_eq!(of("sequential"), 2);
        // Two worker counts for queue and chunked, one for unbounded.
        assert_eq!(of("thread-pool"), 2 * (2 + 2 + 1));
        assert_eq!(of("tokio"), 2 * 2 * (2 + 2 + 1));
        let unbounded = plan.cells.iter().find(|cell| cell.dispatch == "unbounded");
        assert_eq!(unbounded.unwrap().workers, 100);
        assert!(plan.notes.iter().any(|note| note.contains("unbounded")));
        request.strategies = vec!["rayon".to_owned()];
        let error = Plan::sweep(&Catalogue::bundled(), &request).unwrap_err();
        assert!(error.to_string().contains("tokio, smol"), "{error}");
    }

    #[test]
    fn processes_multiply_where_a_strategy_has_them() {
        let mut request = request(&["thread-pool", "multiprocess"], &[2, 20]);
        request.processes = vec![2, 4, 8];
        let plan = sweep(&request);
        let spread = plan.cells.iter().map(|cell| (cell.workers, cell.processes));
        assert_eq!(
            spread.collect::<Vec<_>>(),
            [
                (2, None),
                (20, None),
                // Four or eight processes of two workers are two.
                (2, Some(2)),
                (20, Some(2)),
                (20, Some(4)),
                (20, Some(8)),
            ]
        );
        assert_eq!(
            plan.cells[2].to_string(),
            "multiprocess + ureq in 2 processes, w=2"
        );
        request.processes = vec![4];
        let plan = sweep(&request);
        assert_eq!(plan.cells.len(), 4);
        assert!(plan.notes.iter().any(|note| note.contains("--processes")));
        request.strategies = vec!["rayon".to_owned()];
        let error = Plan::sweep(&Catalogue::bundled(), &request).unwrap_err();
        assert!(error.to_string().contains("among multiprocess"), "{error}");
    }

    #[test]
    fn more_workers_than_requests_are_said() {
        let mut request = request(&["tokio"], &[200]);
        request.requests = 10;
        assert!(sweep(&request).notes[0].contains("10 requests"));
    }
}
