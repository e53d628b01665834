//! A look at a URL before anything is measured against it: does it answer, and
//! what can be expected of its answers?

use std::time::Duration;

use super::CliError;
use crate::client::{Client, Target};
use crate::outcome::{Failure, Response};
use crate::request::Endpoint;
use crate::workload::{Expect, Gets, Template, Workload};

/// What was found out about a URL.
pub(super) struct Probe {
    /// What to expect of its answers.
    pub(super) expect: Expect,
    /// What a reader should know about that.
    pub(super) note: Option<String>,
}

/// Sends the first and the last request of a batch, and finds the strictest
/// expectation that both answers meet, unless one is insisted on.
///
/// # Errors
/// Where the URL does not answer with success, or not as insisted on.
pub(super) fn probe(
    endpoint: &Endpoint,
    template: &Template,
    requests: usize,
    timeout: Duration,
    insisted: Option<Expect>,
) -> Result<Probe, CliError> {
    let judge = |expect| Gets::new(template.clone(), requests, expect);
    let batch = judge(Expect::Status);
    let target = Target::new(endpoint.clone(), timeout);
    let mut client = Client::UREQ
        .blocking(&target, 1)
        .ok_or_else(|| CliError::new("the probe needs a blocking client"))??();
    let mut answers: Vec<(usize, Response)> = Vec::new();
    for index in [0, requests - 1] {
        let request = batch.request(index);
        let answer = client
            .send(&request)
            .and_then(|answer| batch.check(index, &answer).map(|()| answer))
            .map_err(|failure| no_answer(endpoint, &request.target, &failure))?;
        answers.push((index, answer));
    }
    let meets = |expect| {
        let judge = judge(expect);
        let mut verdicts = answers
            .iter()
            .map(|(index, answer)| judge.check(*index, answer));
        verdicts.find_map(Result::err).map_or(Ok(()), Err)
    };
    if let Some(expect) = insisted {
        return match meets(expect) {
            Ok(()) => Ok(Probe { expect, note: None }),
            Err(failure) => Err(CliError::new(format_args!(
                "{endpoint} does not answer as --expect asks: {}",
                failure.message
            ))),
        };
    }
    let mut candidates = vec![Expect::Json, Expect::Status];
    let mut note = None;
    if template.is_inventory() {
        match meets(Expect::Inventory) {
            Ok(()) => candidates.insert(0, Expect::Inventory),
            Err(failure) => {
                note = Some(format!(
                    "the answers are not the inventory records asked for ({}), so less of them \
                     is verified; --expect inventory insists",
                    failure.message
                ));
            }
        }
    }
    let expect = candidates.into_iter().find(|expect| meets(*expect).is_ok());
    Ok(Probe {
        expect: expect.unwrap_or(Expect::Status),
        note,
    })
}

fn no_answer(endpoint: &Endpoint, target: &str, failure: &Failure) -> CliError {
    CliError::new(format_args!(
        "GET {endpoint}{target} does not answer with success: {failure}\n  \
         start that server, or give the path with --url, as \
         --url '{endpoint}/path/{{index}}'; without --url the bundled server is used"
    ))
}
