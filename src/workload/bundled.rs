//! Workloads by name: those of the bundled server's routes, and one that needs no
//! server.

use std::time::Duration;

use mock_server::journal::Route;
use mock_server::profile::Profile;

use super::gets::Gets;
use super::kind::Kind;
use super::{Expect, Table, Template, Workload};

/// A workload by name.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// The name, as `--workload` takes it.
    pub name: &'static str,
    /// Description of its requests, in a sentence.
    pub about: &'static str,
    /// Template of its requests.
    template: &'static str,
    /// Source of its responses.
    pub source: Source,
    /// Set where each body is saved as a file.
    pub saves: bool,
    expect: fn(u64, &Profile) -> Expect,
}

/// Source of a workload's responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The server.
    Server,
    /// The server, for requests made from the rows of a table.
    Table,
    /// The worker itself.
    Local,
}

/// All of them, the usual one first.
pub const BUNDLED: &[Bundled] = &[
    Bundled {
        name: "inventory",
        about: "one small record per request: half materials, then half products",
        template: Template::INVENTORY,
        source: Source::Server,
        saves: false,
        expect: |seed, _| Expect::Record { seed },
    },
    Bundled {
        name: "users",
        about: "a list of fifty users, the same for every request",
        template: "/users?id={index}",
        source: Source::Server,
        saves: false,
        expect: |seed, _| Expect::Users { seed },
    },
    Bundled {
        name: "files",
        about: "one file per request, saved: 20.6 kB, or the profile's body.file_size",
        template: "/files/{index}",
        source: Source::Server,
        saves: true,
        expect: |seed, profile| Expect::File {
            seed,
            size: profile.file_size,
        },
    },
    Bundled {
        name: "records",
        about: "one row of --table per request, its columns as query parameters",
        template: "/echo?id={index}",
        source: Source::Table,
        saves: false,
        expect: |_, _| Expect::Echo,
    },
    Bundled {
        name: "squares",
        about: "CPU work alone, without a server: the square of each number from 0",
        template: "/squares/{index}",
        source: Source::Local,
        saves: false,
        expect: |_, _| Expect::Square,
    },
];

impl Bundled {
    /// The workload of a name.
    ///
    /// # Errors
    /// A sentence that names those there are.
    pub fn named(name: &str) -> Result<&'static Self, String> {
        BUNDLED
            .iter()
            .find(|bundled| bundled.name == name)
            .ok_or_else(|| {
                let names: Vec<_> = BUNDLED.iter().map(|bundled| bundled.name).collect();
                format!("expected one of {}", names.join(", "))
            })
    }

    /// Template of its requests, with the columns of a table as further parameters of
    /// the query.
    ///
    /// # Errors
    /// Where a column has a name that is taken.
    pub fn template(&self, table: Option<&Table>) -> Result<Template, super::TemplateError> {
        let columns = table.map_or(&[][..], Table::columns);
        for name in ["id", "index"] {
            if columns.iter().any(|column| column == name) {
                return Err(super::TemplateError::Taken(name));
            }
        }
        let places = columns
            .iter()
            .map(|name| format!("&{}={{{name}}}", Template::encoded(name)));
        Template::parse(&(self.template.to_owned() + &places.collect::<String>()))
    }

    /// Expectation of its responses, from a server of this seed and profile.
    pub fn expect(&self, seed: u64, profile: &Profile) -> Expect {
        (self.expect)(seed, profile)
    }
}

impl Gets {
    /// The service time of each request, given that of each id on the bundled
    /// server's routes.
    pub fn service_times(
        &self,
        of: impl Fn(Route, usize) -> Duration,
    ) -> impl Iterator<Item = Duration> {
        (0..self.requests()).map(move |index| {
            let (route, id) = self.counted_as(index);
            of(route, id)
        })
    }

    /// The route and the id by which the bundled server knows a request.
    fn counted_as(&self, index: usize) -> (Route, usize) {
        match self.expect() {
            Expect::Users { .. } => (Route::Users, index),
            Expect::File { .. } => (Route::Files, index),
            Expect::Echo => (Route::Echo, index),
            _ => match self.item(index) {
                (Kind::Materials, id) => (Route::Materials, id),
                (Kind::Products, id) => (Route::Products, id),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{FailureKind, Response};

    fn batch(name: &str, profile: &Profile) -> Gets {
        let bundled = Bundled::named(name).unwrap();
        Gets::new(
            bundled.template(None).unwrap(),
            4,
            bundled.expect(7, profile),
        )
    }

    #[test]
    fn requests_go_to_the_route_of_the_workload() {
        let targets = BUNDLED
            .iter()
            .map(|bundled| batch(bundled.name, &Profile::default()).request(3).target);
        assert_eq!(
            targets.collect::<Vec<_>>(),
            [
                "/inventory/products?id=1",
                "/users?id=3",
                "/files/3",
                "/echo?id=3",
                "/squares/3"
            ]
        );
    }

    #[test]
    fn an_answer_of_another_seed_or_size_does_not_count() {
        let profile = Profile {
            file_size: 1000,
            ..Profile::default()
        };
        let answer = |body: Vec<u8>| Response::new(200, body);
        let users = batch("users", &profile);
        let files = batch("files", &profile);
        let file = |seed, size| answer(mock_server::files::body(seed, "3", size));
        assert!(users.check(3, &answer(mock_server::users::body(7))).is_ok());
        assert!(files.check(3, &file(7, 1000)).is_ok());
        for wrong in [
            users.check(3, &answer(mock_server::users::body(8))),
            files.check(2, &file(7, 1000)),
            files.check(3, &file(7, 999)),
            files.check(3, &file(8, 1000)),
        ] {
            assert_eq!(wrong.unwrap_err().kind, FailureKind::Decode);
        }
    }

    #[test]
    fn a_name_that_is_not_there_gets_those_that_are() {
        let error = Bundled::named("user").unwrap_err();
        assert!(
            error.contains("inventory, users, files, records, squares"),
            "{error}"
        );
    }
}
