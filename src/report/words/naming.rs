//! Names of cells: what tells them apart, and no more.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Summary;
use crate::record::Cell;
use crate::report::prose::{printable, requests};

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

/// A label for each name, as `fit` shortens it. Names that only begin alike keep
/// apart: what they have in common is dropped from their beginning, and where
/// that is not enough they are numbered.
pub(crate) fn distinct<'a>(
    names: impl IntoIterator<Item = &'a str>,
    fit: impl Fn(&str) -> String,
) -> BTreeMap<String, String> {
    let names: BTreeSet<&str> = names.into_iter().collect();
    // How many bytes of each are dropped.
    let mut dropped: BTreeMap<&str, usize> = names.iter().map(|name| (*name, 0)).collect();
    let label = |name: &str, dropped: usize| match dropped {
        0 => fit(name),
        _ => fit(&format!("…{}", &name[dropped..])),
    };
    loop {
        let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, dropped) in &dropped {
            alike.entry(label(name, *dropped)).or_default().push(name);
        }
        if alike.len() == names.len() {
            break;
        }
        let mut moved = false;
        for names in alike.values().filter(|names| names.len() > 1) {
            for name in names {
                let before = dropped.get_mut(name);
                let Some(before) = before else { continue };
                if let Some(more) = starts(names).into_iter().find(|start| start > before) {
                    *before = more;
                    moved = true;
                }
            }
        }
        if !moved {
            let numbered = dropped.iter().zip(1..).map(|((name, dropped), number)| {
                let label = fit(&format!("{number}: {}", label(name, *dropped)));
                ((*name).to_owned(), label)
            });
            return numbered.collect();
        }
    }
    let labels = dropped.iter();
    let labels = labels.map(|(name, dropped)| ((*name).to_owned(), label(name, *dropped)));
    labels.collect()
}

/// Where names that begin alike may be cut: at the last word that has a
/// difference in it, and at the difference itself, but never at an end.
fn starts(names: &[&str]) -> [usize; 2] {
    let last = |name: &&str| name.char_indices().last().map_or(0, |(at, _)| at);
    let longest = names.iter().map(last).min().unwrap_or(0);
    let first = names.first().copied().unwrap_or_default();
    let same = |end: usize| names.iter().all(|name| name.get(..end) == first.get(..end));
    let ends = (0..=longest)
        .rev()
        .filter(|end| first.is_char_boundary(*end));
    let common = ends.into_iter().find(|end| same(*end)).unwrap_or(0);
    let word = first[..common].rfind(['/', '\\', ' ', '-', '_', '+']);
    [word.map_or(0, |separator| separator + 1), common]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::distinct;
    use crate::report::prose::shorten;

    fn labels(names: &[&str], longest: usize) -> Vec<String> {
        let labels = distinct(names.iter().copied(), |name| shorten(name, longest));
        names.iter().map(|name| labels[*name].clone()).collect()
    }

    #[test]
    fn names_that_differ_in_sight_are_kept() {
        let names = ["tokio", "rayon", "/srv/profiles/of/the/north.toml"];
        assert_eq!(labels(&names, 12), ["tokio", "rayon", "/srv/profil…"]);
    }

    #[test]
    fn paths_that_begin_alike_lose_what_they_share() {
        let names = [
            "/srv/profiles/north/a.toml",
            "/srv/profiles/north/b.toml",
            "tokio",
        ];
        assert_eq!(labels(&names, 20), ["…a.toml", "…b.toml", "tokio"]);
        let long = ["aaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaac"];
        assert_eq!(labels(&long, 20), ["…b", "…c"]);
        let within = ["/srv/profiles/of/north", "/srv/profiles/of/north-2"];
        assert_eq!(labels(&within, 12), ["…north", "…north-2"]);
    }

    #[test]
    fn names_that_stay_alike_are_numbered() {
        let distinct = distinct(["a b", "a\tb"], |name| shorten(&name.replace('\t', " "), 8));
        let labels: Vec<_> = distinct.into_values().collect();
        assert_eq!(labels, ["1: … b", "2: … b"]);
    }

    proptest! {
        #[test]
        fn labels_of_distinct_names_are_distinct(
            names in prop::collection::btree_set(
                "(aaaaaa|aé/aaaa|bbbb/)?(aaaaaa|ab/)?[aé…1/: -]{0,4}",
                1..40,
            ),
            longest in 6..20_usize,
        ) {
            let labels = distinct(names.iter().map(String::as_str), |name| shorten(name, longest));
            let different: std::collections::BTreeSet<_> = labels.values().collect();
            prop_assert_eq!(labels.len(), names.len());
            prop_assert_eq!(different.len(), names.len());
            prop_assert!(labels.values().all(|label| label.chars().count() <= longest));
        }
    }
}
