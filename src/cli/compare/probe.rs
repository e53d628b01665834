//! Probe of a URL before anything is measured: does it respond, and which expectation
//! do its responses meet?

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::no_answer::NoAnswer;
use crate::cli::options::Failing;
use crate::cli::{CliError, program};
use crate::client::{BlockingCaller, Client, Handling, Reuse, Target};
use crate::measure::{Plan, Terms};
use crate::outcome::{Failure, Outcome, Response};
use crate::request::{Endpoint, Request};
use crate::strategy::{Batch, Catalogue, Entry, Setup, Sink};
use crate::workload::{Expect, Gets, Template, Workload};

/// Result of a probe.
pub(super) struct Probe {
    /// Expectation for its responses.
    pub(super) expect: Expect,
    /// Note for the report.
    pub(super) note: Option<String>,
}

/// Index of a request in its batch, and its result.
type Tried = (usize, Result<Response, Failure>);

/// Settings of a probe: those of the first cell.
#[derive(Clone, Copy)]
pub(super) struct Way {
    entry: Entry,
    client: Client,
    reuse: Reuse,
}

impl Way {
    /// Settings of a plan's first cell.
    ///
    /// # Errors
    /// The plan has no cell, or one of another catalogue.
    pub(super) fn of(catalogue: &Catalogue, plan: &Plan) -> Result<Self, CliError> {
        let first = plan.cells.first();
        let first = first.ok_or_else(|| CliError::new("nothing to measure"))?;
        Ok(Self {
            entry: *catalogue.named(&first.strategy)?,
            client: catalogue.client(&first.client)?,
            reuse: Reuse::named(&first.reuse).unwrap_or(Reuse::Session),
        })
    }

    /// The results of a batch's first and last request.
    fn try_both(
        self,
        batch: &Gets,
        target: Target,
        handling: Handling,
    ) -> Result<Vec<Tried>, CliError> {
        let indices = [0, batch.requests() - 1];
        if let Some(make) = self.client.blocking(&target, 1) {
            let timeout = target.timeout;
            let mut caller = BlockingCaller::new(make?(), Arc::new(handling), timeout);
            let tried = indices.map(|index| (index, caller.call(&batch.request(index)).result));
            return Ok(tried.into());
        }
        let setup = Setup {
            handling: Arc::new(handling),
            runtime_threads: Some(0),
            ..Setup::new(1, self.client, target, program()?)
        };
        let both = Arc::new(Both {
            batch: batch.clone(),
            indices,
            results: Mutex::default(),
        });
        let sink = Arc::clone(&both) as Arc<dyn Sink>;
        let run = Batch::new(Arc::clone(&both) as Arc<dyn Workload>, sink);
        (self.entry.build)(&setup)?.run(&Arc::new(run))?;
        let mut results = both.results.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *results))
    }
}

/// A batch's first and last request as a batch of their own, whose results are
/// kept.
struct Both {
    batch: Gets,
    indices: [usize; 2],
    results: Mutex<Vec<Tried>>,
}

impl Workload for Both {
    fn requests(&self) -> usize {
        self.indices.len()
    }

    fn request(&self, index: usize) -> Request {
        Request {
            index,
            ..self.batch.request(self.indices[index])
        }
    }

    fn check(&self, _: usize, _: &Response) -> Result<(), Failure> {
        Ok(())
    }
}

impl Sink for Both {
    fn accept(&self, outcome: Outcome) {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.push((self.indices[outcome.index], outcome.result));
    }
}

/// Sends the first and the last request of a batch, and finds the strictest expectation
/// that both responses meet, unless one is given.
///
/// # Errors
/// The URL does not respond with success, or does not meet the given expectation.
pub(super) fn probe(
    endpoint: &Endpoint,
    template: &Template,
    judge: &dyn Fn(Expect) -> Result<Gets, CliError>,
    failing: &Failing,
    insisted: Option<Expect>,
    way: Way,
) -> Result<Probe, CliError> {
    let batch = judge(Expect::Status)?;
    let target = Target::new(endpoint.clone(), failing.timeout)
        .with_reuse(way.reuse)
        .with_body_limit(failing.body_limit);
    let handling = Handling {
        retry: failing.retry(),
        ..Handling::default()
    };
    let tried = way.try_both(&batch, target, handling)?;
    let mut answers: Vec<(usize, Response)> = Vec::new();
    for (index, result) in tried {
        let request = batch.request(index);
        let status = result.as_ref().ok().map(|answer| answer.status);
        let answer = result
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
                "{endpoint} does not meet --expect: {}",
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
                    "the responses are not the requested inventory records ({}), so less of them is \
                     verified; --expect inventory makes that an error",
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

/// Body of the first valid response among a batch's first requests.
///
/// # Errors
/// None of them gets a valid response.
pub(super) fn an_answer(terms: &Terms) -> Result<Bytes, CliError> {
    const TRIED: usize = 20;
    let batch = &terms.workload;
    let target = Target::new(Endpoint::resolve(&terms.url)?, terms.timeout)
        .with_body_limit(terms.body_limit);
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
        "--cpu needs a valid response to calibrate on, and none of the first {TRIED} requests got one{last}"
    )))
}
