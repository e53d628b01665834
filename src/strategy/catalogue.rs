//! The catalogue: every strategy, bundled and your own.
//!
//! Commands, benches, plots and the agreement test iterate it; none of them
//! knows a strategy by name.

use std::fmt;

use super::{Setup, Strategy, StrategyError};
use crate::client::Client;

/// Result of building a strategy.
pub type Built = Result<Box<dyn Strategy>, StrategyError>;

/// One strategy: its name, its purpose, and how it is built.
///
/// An entry is made by [`Entry::new`] and the methods named like its fields,
/// all of which work in a `const`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its name on the command line and in records.
    pub name: &'static str,
    /// Description of how it works, in a line.
    pub summary: &'static str,
    /// Description of what it is good for, in a line.
    pub good_for: &'static str,
    /// The clients that go with it, the default one first.
    pub clients: &'static [Client],
    /// Those of them that a sweep of all strategies takes where no client is
    /// named; empty for the default one alone.
    pub swept: &'static [Client],
    /// The most workers that it can use; `None` where there is no limit.
    pub max_workers: Option<usize>,
    /// File descriptors that a worker takes in the strategy's own process: a
    /// connection, or the pipes of a process.
    pub descriptors: usize,
    /// Set where it honours [`Setup::runtime_threads`].
    pub chooses_runtime_threads: bool,
    /// Set where it honours [`Setup::processes`].
    pub chooses_processes: bool,
    /// Set where the maintainers of what it rests on have given that up.
    pub discontinued: Option<Discontinued>,
    /// Builds it.
    pub build: fn(&Setup) -> Built,
}

/// Dependency that its maintainers have discontinued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discontinued {
    /// Successor that they name.
    pub instead: &'static str,
    /// The advisory that says so.
    pub advisory: &'static str,
}

impl fmt::Display for Discontinued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instead, advisory } = self;
        write!(f, "discontinued in favour of {instead} ({advisory})")
    }
}

impl Entry {
    /// Strategy for the blocking clients, without a limit of workers.
    ///
    /// # Examples
    /// ```
    /// use fanout::client::Client;
    /// use fanout::strategy::{Built, Catalogue, Entry, Setup};
    ///
    /// // The bundled thread pool does the work here; see `examples/custom_strategy.rs`
    /// // for one of your own.
    /// fn build(setup: &Setup) -> Built {
    ///     let catalogue = Catalogue::bundled();
    ///     let threads = catalogue.named("thread-pool").expect("a bundled strategy");
    ///     (threads.build)(setup)
    /// }
    ///
    /// const ENTRY: Entry = Entry::new("in-pairs", build)
    ///     .summary("two threads, whatever the number of workers")
    ///     .clients(&[Client::UREQ])
    ///     .max_workers(2);
    /// assert_eq!(ENTRY.usable_workers(20), 2);
    /// ```
    pub const fn new(name: &'static str, build: fn(&Setup) -> Built) -> Self {
        Self {
            name,
            summary: "",
            good_for: "",
            clients: Client::BLOCKING,
            swept: &[],
            max_workers: None,
            descriptors: 1,
            chooses_runtime_threads: false,
            chooses_processes: false,
            discontinued: None,
            build,
        }
    }

    /// Describes how it works, in a line.
    #[must_use]
    pub const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Describes what it is good for, in a line.
    #[must_use]
    pub const fn good_for(self, good_for: &'static str) -> Self {
        Self { good_for, ..self }
    }

    /// Sets the clients that go with it, the default one first.
    #[must_use]
    pub const fn clients(self, clients: &'static [Client]) -> Self {
        Self { clients, ..self }
    }

    /// Sets the clients that a sweep of all strategies takes by itself.
    #[must_use]
    pub const fn swept(self, swept: &'static [Client]) -> Self {
        Self { swept, ..self }
    }

    /// Limits the workers that it can use.
    #[must_use]
    pub const fn max_workers(self, most: usize) -> Self {
        Self {
            max_workers: Some(most),
            ..self
        }
    }

    /// Sets the file descriptors that a worker takes in the strategy's own process.
    #[must_use]
    pub const fn descriptors(self, descriptors: usize) -> Self {
        Self {
            descriptors,
            ..self
        }
    }

    /// Declares that it honours [`Setup::runtime_threads`].
    #[must_use]
    pub const fn chooses_runtime_threads(self) -> Self {
        Self {
            chooses_runtime_threads: true,
            ..self
        }
    }

    /// Declares that it honours [`Setup::processes`].
    #[must_use]
    pub const fn chooses_processes(self) -> Self {
        Self {
            chooses_processes: true,
            ..self
        }
    }

    /// Marks it as resting on something discontinued.
    #[must_use]
    pub const fn discontinued(self, discontinued: Discontinued) -> Self {
        Self {
            discontinued: Some(discontinued),
            ..self
        }
    }

    /// The client of this name that goes with it.
    pub fn client(&self, name: &str) -> Option<Client> {
        let mut clients = self.clients.iter().copied();
        clients.find(|client| client.name() == name)
    }

    /// Workers that it can use of those asked for.
    pub fn usable_workers(&self, asked: usize) -> usize {
        self.max_workers.map_or(asked, |most| most.min(asked))
    }
}

/// A list of strategies, in the order in which they are shown.
#[derive(Clone, Debug)]
pub struct Catalogue(pub(super) Vec<Entry>);

impl Catalogue {
    /// Adds a strategy; it takes the place of one with the same name.
    #[must_use]
    pub fn with(mut self, entry: Entry) -> Self {
        self.0.retain(|known| known.name != entry.name);
        self.0.push(entry);
        self
    }

    /// Every strategy.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The strategy of this name.
    ///
    /// # Errors
    /// No strategy or client has the name; the error suggests the nearest.
    pub fn named(&self, name: &str) -> Result<&Entry, UnknownName> {
        let found = self.0.iter().find(|entry| entry.name == name);
        found.ok_or_else(|| {
            let known = self.0.iter().map(|entry| entry.name);
            UnknownName::new("strategy", name, known.collect())
        })
    }

    /// Every client: those that come with fanout, then those of your own that
    /// strategies go with.
    pub fn clients(&self) -> Vec<Client> {
        let mut clients = Client::ALL.to_vec();
        for client in self.0.iter().flat_map(|entry| entry.clients) {
            if !clients.contains(client) {
                clients.push(*client);
            }
        }
        clients
    }

    /// The client of this name.
    ///
    /// # Errors
    /// No strategy or client has the name; the error suggests the nearest.
    pub fn client(&self, name: &str) -> Result<Client, UnknownName> {
        let clients = self.clients();
        let found = clients.iter().find(|client| client.name() == name);
        found.copied().ok_or_else(|| {
            let known = clients.iter().map(|client| client.name());
            UnknownName::new("client", name, known.collect())
        })
    }
}

/// No strategy or client has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{name}`{}; known: {}",
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default(),
    known.join(", "))]
pub struct UnknownName {
    /// Kind of the name: `strategy` or `client`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// The known name that is nearest to it, where one is near.
    pub nearest: Option<&'static str>,
    /// All known names.
    pub known: Vec<&'static str>,
}

impl UnknownName {
    fn new(what: &'static str, name: &str, known: Vec<&'static str>) -> Self {
        Self {
            what,
            name: name.to_owned(),
            nearest: nearest(name, known.iter().copied()),
            known,
        }
    }
}

/// The name nearest to what was typed, if it is near enough to be meant.
pub(crate) fn nearest<'names>(
    typed: &str,
    names: impl IntoIterator<Item = &'names str>,
) -> Option<&'names str> {
    let typed = typed.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&typed, name), name))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Connections;

    #[test]
    fn names_are_distinct_and_every_strategy_has_a_client() {
        let catalogue = Catalogue::bundled();
        for entry in catalogue.entries() {
            assert_eq!(catalogue.named(entry.name).unwrap().name, entry.name);
            assert!(!entry.clients.is_empty(), "{}", entry.name);
        }
        let mut names: Vec<_> = catalogue.entries().iter().map(|e| e.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), catalogue.entries().len());
    }

    #[test]
    fn a_mistyped_name_gets_the_nearest() {
        let catalogue = Catalogue::bundled();
        for (typed, meant) in [
            ("tokyo", Some("tokio")),
            ("threadpool", Some("thread-pool")),
            ("Rayon", Some("rayon")),
            ("async_std", Some("async-std")),
            ("xyz", None),
        ] {
            assert_eq!(
                catalogue.named(typed).unwrap_err().nearest,
                meant,
                "{typed}"
            );
        }
    }

    #[test]
    fn own_client_is_known_once_a_strategy_has_it() {
        const OWN: Client = Client::new("own", "", Connections::Pooled);
        let bundled = Catalogue::bundled();
        let unknown = bundled.client("own").unwrap_err();
        assert_eq!(
            unknown.to_string().split(';').next(),
            Some("unknown client `own`")
        );
        let entry = bundled
            .named("tokio")
            .unwrap()
            .clients(&[OWN, Client::LOCAL]);
        let catalogue = bundled.with(entry);
        assert_eq!(catalogue.client("own"), Ok(OWN));
        assert_eq!(catalogue.clients().len(), Client::ALL.len() + 1);
        assert_eq!(catalogue.client("uerq").unwrap_err().nearest, Some("ureq"));
    }

    #[test]
    fn one_of_ones_own_takes_the_place_of_its_namesake() {
        let before = Catalogue::bundled();
        let own = before.named("tokio").unwrap().summary("own");
        let after = before.clone().with(own);
        assert_eq!(after.entries().len(), before.entries().len());
        assert_eq!(after.named("tokio").unwrap().summary, "own");
    }
}
