//! A look at a URL before anything is measured against it: does it answer, and
//! what can be expected of its answers?

use std::sync::Arc;

use bytes::Bytes;

use super::CliError;
use super::no_answer::NoAnswer;
use super::options::Failing;
use crate::client::{BlockingCaller, Client, Handling, Target};
use crate::measure::Terms;
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
    judge: &dyn Fn(Expect) -> Result<Gets, CliError>,
    failing: &Failing,
    insisted: Option<Expect>,
) -> Result<Probe, CliError> {
    let batch = judge(Expect::Status)?;
    let target = Target::new(endpoint.clone(), failing.timeout);
    let client = Client::UREQ
        .blocking(&target, 1)
        .ok_or_else(|| CliError::new("the probe needs a blocking client"))??();
    let handling = Handling {
        retry: failing.retry(),
        ..Handling::default()
    };
    let mut caller = BlockingCaller::new(client, Arc::new(handling), failing.timeout);
    let mut answers: Vec<(usize, Response)> = Vec::new();
    for index in [0, batch.requests() - 1] {
        let request = batch.request(index);
        let answer = caller.call(&request).result;
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let answer = answer
            .and_then(|answer| batch.check(index, &answer).map(|()| answer))
            .map_err(|failure| {
                let no_answer = NoAnswer {
                    endpoint,
                    request: &request,
                    failure: &failure,
                    status,
                };
                no_answer.error(failing.timeout)
            })?;
        answers.push((index, answer));
    }
    let meets = |expect| -> Result<Result<(), Failure>, CliError> {
        let judge = judge(expect)?;
        let mut verdicts = answers
            .iter()
            .map(|(index, answer)| judge.check(*index, answer));
        Ok(verdicts.find_map(Result::err).map_or(Ok(()), Err))
    };
    if let Some(expect) = insisted {
        return match meets(expect)? {
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
        match meets(Expect::Inventory)? {
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
    for expect in candidates {
        if meets(expect)?.is_ok() {
            return Ok(Probe { expect, note });
        }
    }
    Ok(Probe {
        expect: Expect::Status,
        note,
    })
}

/// The body of a batch's first good answer among its first few requests.
///
/// # Errors
/// Where none of them is answered as the batch expects.
pub(super) fn an_answer(terms: &Terms) -> Result<Bytes, CliError> {
    const TRIED: usize = 20;
    let batch = &terms.workload;
    let target = Target::new(Endpoint::resolve(&terms.url)?, terms.timeout);
    let client = if batch.needs_server() {
        Client::UREQ
    } else {
        Client::LOCAL
    };
    let mut client = client
        .blocking(&target, 1)
        .ok_or_else(|| CliError::new("the probe needs a blocking client"))??();
    let mut last = None;
    for index in 0..batch.requests().min(TRIED) {
        let answer = client.send(&batch.request(index));
        match answer.and_then(|answer| batch.check(index, &answer).map(|()| answer)) {
            Ok(answer) => return Ok(answer.body),
            Err(failure) => last = Some(failure),
        }
    }
    let last = last.map_or_else(String::new, |failure| format!(": {failure}"));
    Err(CliError::new(format_args!(
        "--cpu is calibrated on an answer, and none of the first {TRIED} requests has a good one{last}"
    )))
}
