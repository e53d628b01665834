//! What a bound takes for granted, and so no split accounts for.

use super::PartKind;
use crate::analysis::bound::{Constraint, Model};

/// What a bound takes for granted.
#[derive(Clone, Copy, Debug)]
pub struct Ideal {
    /// The requests of a batch added up, each with its body's pace and the
    /// work on its answer, in seconds.
    pub work_s: f64,
    /// Of that, what is the client's CPU time.
    pub cpu_s: f64,
    /// Of that, what the server counts as holding requests up: the pace.
    pub paced_s: f64,
    /// The least time in which the workers can do that, in seconds.
    pub workers_s: f64,
    /// The lower bound, in seconds: that, or more where there is a limit beside
    /// the workers, such as a rate or the cores.
    pub bound_s: f64,
    /// The part that holds what such a limit imposes.
    pub limit: PartKind,
}

impl Ideal {
    /// What the bound of so many requests over so many workers takes for
    /// granted.
    pub fn new(model: &Model, requests: usize, workers: usize) -> Self {
        let (each, bound) = (model.each(), model.bound(requests, workers));
        let all = |seconds: f64| seconds * requests as f64;
        Self {
            work_s: all(each.seconds),
            cpu_s: all(model.cpu_s()),
            paced_s: all(model.paced_s()),
            workers_s: model.over(requests, workers),
            bound_s: bound.seconds,
            limit: match bound.constraint {
                // The wait for a processor.
                Constraint::Cpu => PartKind::Transport,
                _ => PartKind::Server,
            },
        }
    }
}
