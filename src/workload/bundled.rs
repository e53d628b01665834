//! The workloads that the bundled server has a route for, by name.

use mock_server::profile::Profile;

use super::{Expect, Template};

/// A workload of the bundled server.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// The name, as `--workload` takes it.
    pub name: &'static str,
    /// What its requests are, in a sentence.
    pub about: &'static str,
    /// What its requests have in common.
    template: &'static str,
    expect: fn(u64, &Profile) -> Expect,
}

/// All of them, the usual one first.
pub const BUNDLED: &[Bundled] = &[
    Bundled {
        name: "inventory",
        about: "one small record a request: half materials, then half products",
        template: Template::INVENTORY,
        expect: |seed, _| Expect::Record { seed },
    },
    Bundled {
        name: "users",
        about: "a list of fifty users, the same for every request",
        template: "/users?id={index}",
        expect: |seed, _| Expect::Users { seed },
    },
    Bundled {
        name: "files",
        about: "a file a request, of 20.6 kB or what the profile's body.file_size says",
        template: "/files/{index}",
        expect: |seed, profile| Expect::File {
            seed,
            size: profile.file_size,
        },
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

    /// What its requests have in common.
    ///
    /// # Errors
    /// Where the template is none.
    pub fn template(&self) -> Result<Template, super::TemplateError> {
        Template::parse(self.template)
    }

    /// What its answers must be, from a server of this seed and profile.
    pub fn expect(&self, seed: u64, profile: &Profile) -> Expect {
        (self.expect)(seed, profile)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gets, Workload};
    use super::*;
    use crate::outcome::{FailureKind, Response};

    fn batch(name: &str, profile: &Profile) -> Gets {
        let bundled = Bundled::named(name).unwrap();
        Gets::new(bundled.template().unwrap(), 4, bundled.expect(7, profile))
    }

    #[test]
    fn requests_go_to_the_route_of_the_workload() {
        let targets = BUNDLED
            .iter()
            .map(|bundled| batch(bundled.name, &Profile::default()).request(3).target);
        assert_eq!(
            targets.collect::<Vec<_>>(),
            ["/inventory/products?id=1", "/users?id=3", "/files/3"]
        );
    }

    #[test]
    fn an_answer_of_another_seed_or_size_does_not_count() {
        let profile = Profile {
            file_size: 1000,
            ..Profile::default()
        };
        let answer = |body: Vec<u8>| Response {
            status: 200,
            body: body.into(),
        };
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
        assert!(error.contains("inventory, users, files"), "{error}");
    }
}
