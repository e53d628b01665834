//! A batch of GETs made from a URL template.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::exact::Exact;
use super::expect::{check_echo, check_json, check_record, exactly, excerpt};
use super::kind::Kind;
use super::{Expect, Table, Template, Workload};
use crate::outcome::{Failure, FailureKind, Response};
use crate::request::Request;

/// A batch of GETs made from a URL template. Where it has types, half of the
/// requests are for materials, then half for products, with ids from 0 in each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gets {
    template: Template,
    requests: usize,
    expect: Expect,
    /// A row a request, where the template has places for its columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<Arc<Table>>,
    #[serde(skip)]
    exact: Exact,
}

impl Gets {
    /// A batch of so many requests.
    pub fn new(template: Template, requests: usize, expect: Expect) -> Self {
        Self {
            template,
            requests,
            expect,
            table: None,
            exact: Exact::new(),
        }
    }

    /// Adds a table, with a row per request.
    #[must_use]
    pub fn with_table(mut self, table: Option<Arc<Table>>) -> Self {
        self.table = table;
        self
    }

    /// Tests whether its requests go over the network.
    pub fn needs_server(&self) -> bool {
        self.expect != Expect::Square
    }

    /// Copy that only checks responses: without a table that is needed for requests
    /// alone.
    #[must_use]
    pub fn for_checks(&self) -> Self {
        let table = match self.expect {
            Expect::Echo => self.table.clone(),
            _ => None,
        };
        Self {
            table,
            ..self.clone()
        }
    }

    /// Expectation of its responses.
    pub fn expect(&self) -> Expect {
        self.expect
    }

    /// The item that an index asks for: its type, and its id.
    pub(super) fn item(&self, index: usize) -> (Kind, usize) {
        let materials = self.requests.div_ceil(2);
        match index.checked_sub(materials) {
            None => (Kind::Materials, index),
            Some(product) => (Kind::Products, product),
        }
    }
}

impl Workload for Gets {
    fn requests(&self) -> usize {
        self.requests
    }

    fn request(&self, index: usize) -> Request {
        let (kind, id) = self.item(index);
        let row = self.table.as_ref().map(|table| (table.as_ref(), index));
        Request::new(index, self.template.fill(kind.name(), id, index, row))
    }

    fn check(&self, index: usize, response: &Response) -> Result<(), Failure> {
        if !(200..300).contains(&response.status) {
            return Err(Failure::status(response.status));
        }
        let (kind, id) = self.item(index);
        let verdict = match self.expect {
            Expect::Status => Ok(()),
            Expect::Json => check_json(&response.body),
            Expect::Inventory => check_record(&response.body, id),
            Expect::Echo => check_echo(&response.body, index, self.table.as_deref()),
            Expect::Square => exactly(
                &response.body,
                (index as u128).pow(2).to_string().as_bytes(),
                format_args!("the square of {index}"),
            ),
            Expect::Record { seed } => self.exact.record(seed, kind, id, &response.body),
            Expect::Users { seed } => self.exact.users(seed, &response.body),
            Expect::File { seed, size } => self.exact.file(seed, index, size, &response.body),
        };
        verdict.map_err(|problem| {
            Failure::new(
                FailureKind::Decode,
                format_args!("{problem}; got {}", excerpt(&response.body)),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mock_server::inventory;
    use mock_server::journal::Route;
    use proptest::prelude::*;

    use super::*;

    fn batch(url: &str, requests: usize, expect: Expect) -> Gets {
        Gets::new(Template::of_url(url).unwrap(), requests, expect)
    }

    fn answer(status: u16, body: impl AsRef<[u8]>) -> Response {
        Response::new(status, body.as_ref().to_vec())
    }

    #[test]
    fn a_hundred_requests_are_fifty_materials_then_fifty_products() {
        let batch = batch("http://h", 100, Expect::Status);
        let target = |index| batch.request(index).target;
        assert_eq!(target(0), "/inventory/materials?id=0");
        assert_eq!(target(49), "/inventory/materials?id=49");
        assert_eq!(target(50), "/inventory/products?id=0");
        assert_eq!(target(99), "/inventory/products?id=49");
    }

    #[test]
    fn a_path_of_ones_own_is_taken_as_it_stands() {
        let target = |url| batch(url, 3, Expect::Status).request(2).target;
        assert_eq!(
            target("http://h/items/{index}?t={type}"),
            "/items/2?t=products"
        );
        assert_eq!(target("http://h/fixed#part"), "/fixed");
        assert_eq!(target("http://h?q={id}"), "/?q=0");
        assert_eq!(target("http://h"), "/inventory/products?id=0");
        assert_eq!(target("http://h/"), "/");
    }

    #[test]
    fn service_times_are_those_of_each_route_and_id() {
        let batch = batch("http://h", 4, Expect::Status);
        let millis = Duration::from_millis;
        let times = batch.service_times(|route, id| match route {
            Route::Materials => millis(100),
            _ => millis(200 + 200 * id as u64),
        });
        assert_eq!(times.collect::<Vec<_>>(), [100, 100, 200, 400].map(millis));
    }

    #[test]
    fn a_status_other_than_success_fails_whatever_is_expected() {
        let failure = batch("http://h", 1, Expect::Status)
            .check(0, &answer(503, "{}"))
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Status);
        assert_eq!(failure.message, "status 503");
    }

    #[test]
    fn each_expectation_refuses_what_the_one_before_it_lets_pass() {
        let html = answer(200, "<p>");
        let json = answer(200, "[]");
        let record = answer(
            200,
            r#"{"id":"0","name":"a","price":"1.00 EUR","quantity":"1"}"#,
        );
        let exact = inventory::body(7, inventory::Kind::Materials, "0");
        let exact = answer(200, &exact);
        let answers = [&html, &json, &record, &exact];
        let expectations = [
            Expect::Status,
            Expect::Json,
            Expect::Inventory,
            Expect::Record { seed: 7 },
        ];
        for (strictness, expect) in expectations.into_iter().enumerate() {
            let batch = batch("http://h", 1, expect);
            for (quality, answer) in answers.iter().enumerate() {
                let passes = batch.check(0, answer).is_ok();
                assert_eq!(passes, quality >= strictness, "{expect}: {answer:?}");
            }
        }
    }

    #[test]
    fn a_record_of_another_id_or_seed_is_refused() {
        let other = inventory::body(7, inventory::Kind::Materials, "1");
        for expect in [Expect::Inventory, Expect::Record { seed: 7 }] {
            let failure = batch("http://h", 2, expect)
                .check(0, &answer(200, &other))
                .unwrap_err();
            assert_eq!(failure.kind, FailureKind::Decode);
        }
    }

    proptest! {
        #[test]
        fn no_two_requests_of_a_batch_are_the_same(requests in 1_usize..300) {
            let batch = batch("http://h", requests, Expect::Status);
            let targets: std::collections::HashSet<_> =
                (0..requests).map(|index| batch.request(index).target).collect();
            prop_assert_eq!(targets.len(), requests);
        }

        #[test]
        fn any_body_is_judged(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let response = Response::new(200, body);
            for expect in [Expect::Json, Expect::Inventory, Expect::Record { seed: 1 }] {
                let _ = batch("http://h", 1, expect).check(0, &response);
            }
        }
    }
}
