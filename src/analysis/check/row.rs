//! A row of a check: one measure of one cell, decided by counting pairs.

use serde::Serialize;

use super::evidence::Evidence;
use crate::analysis::statistics::{Interval, Sorted};

/// How much slower head may be, and how much must be found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Margins {
    /// The slow-down that is tolerated, as a fraction.
    pub tolerate: f64,
    /// The slow-down that is to be found, as a fraction; more than `tolerate`.
    pub detect: f64,
}

impl Margins {
    /// Margins, where the first is less than the second.
    pub fn new(tolerate: f64, detect: f64) -> Option<Self> {
        let are_margins = 0.0 <= tolerate && tolerate < detect && detect.is_finite();
        are_margins.then_some(Self { tolerate, detect })
    }
}

/// How sure decisions are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Levels {
    /// The probability that any row of a suite is called slower and is not, at most.
    pub alpha: f64,
    /// The probability that a row which must be found is called ok, at most.
    pub beta: f64,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            beta: 0.02,
        }
    }
}

/// The capital that each decision takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Thresholds {
    pub(super) slower: f64,
    pub(super) ok: f64,
}

impl Thresholds {
    pub(super) fn new(levels: Levels, rows: usize) -> Self {
        Self {
            slower: rows as f64 / levels.alpha,
            ok: 1.0 / levels.beta,
        }
    }
}

/// Result of a pair for one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compared {
    /// Both sides ran: the logarithm of head's figure over base's.
    Ratio(f64),
    /// Head alone failed.
    HeadFailed,
    /// Base alone failed.
    BaseFailed,
}

/// Decision on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Not yet decided, or not by the end.
    Undecided,
    /// Less than the margin to detect.
    Ok,
    /// Faster by more than the tolerated margin.
    Faster,
    /// Slower by more than the tolerated margin.
    Slower,
    /// As slower, and most of the pairs that head lost are those in which it alone failed.
    Broken,
}

impl Verdict {
    /// Whether the row fails the check.
    pub fn is_red(self) -> bool {
        matches!(self, Self::Slower | Self::Broken)
    }
}

/// Median slow-down of a row, as fractions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
    /// The probability that such an interval holds it; less than 0.95 of few pairs.
    pub confidence: f64,
}

/// The confidence of an estimate's interval.
const CONFIDENCE: f64 = 0.95;

/// What is known of a row so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tally {
    margins: Margins,
    thresholds: Thresholds,
    /// Pairs of which head was more than tolerated slower.
    slower: Evidence,
    /// Pairs of which head was more than tolerated faster.
    faster: Evidence,
    /// Pairs of which head was not so slow as must be found.
    ok: Evidence,
    pub(super) differences: Vec<f64>,
    pub(super) head_failed: u64,
    pub(super) base_failed: u64,
    pub(super) verdict: Verdict,
}

impl Tally {
    pub(super) fn new(margins: Margins, thresholds: Thresholds) -> Self {
        Self {
            margins,
            thresholds,
            slower: Evidence::default(),
            faster: Evidence::default(),
            ok: Evidence::default(),
            differences: Vec::new(),
            head_failed: 0,
            base_failed: 0,
            verdict: Verdict::Undecided,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.verdict == Verdict::Undecided
    }

    /// Takes a pair. One that is slower or faster takes no more; one that is ok does,
    /// where its cell runs on for another row's sake.
    pub(super) fn take(&mut self, compared: Compared) {
        if !matches!(self.verdict, Verdict::Undecided | Verdict::Ok) {
            return;
        }
        let difference = match compared {
            Compared::Ratio(difference) => {
                self.differences.push(difference);
                difference
            }
            Compared::HeadFailed => {
                self.head_failed += 1;
                f64::INFINITY
            }
            Compared::BaseFailed => {
                self.base_failed += 1;
                f64::NEG_INFINITY
            }
        };
        let tolerate = self.margins.tolerate.ln_1p();
        self.slower.take(difference - tolerate);
        self.faster.take(-tolerate - difference);
        self.ok.take(self.margins.detect.ln_1p() - difference);
        self.decide();
    }

    fn decide(&mut self) {
        let (enough, enough_for_ok) = (self.thresholds.slower, self.thresholds.ok);
        if self.slower.reaches(enough) {
            // Named by what most of the lost pairs were lost by.
            self.verdict = match 2 * self.head_failed > self.slower.positive {
                true => Verdict::Broken,
                false => Verdict::Slower,
            };
        } else if self.faster.reaches(enough) {
            self.verdict = Verdict::Faster;
        } else if self.ok.reaches(enough_for_ok) {
            self.verdict = Verdict::Ok;
        }
    }

    /// Pairs that counted.
    pub(super) fn pairs(&self) -> u64 {
        self.differences.len() as u64 + self.head_failed + self.base_failed
    }

    /// Pairs that head lost by more than is tolerated, its failures among them.
    pub(super) fn lost(&self) -> u64 {
        self.slower.positive
    }

    /// Pairs that base lost by as much.
    pub(super) fn won(&self) -> u64 {
        self.faster.positive
    }

    pub(super) fn estimate(&self) -> Option<Estimate> {
        let sorted = Sorted::new(self.differences.iter().copied())?;
        let interval = Interval::of_median(&sorted, CONFIDENCE);
        Some(Estimate {
            median: sorted.median().exp_m1(),
            low: interval.low.exp_m1(),
            high: interval.high.exp_m1(),
            confidence: interval.confidence,
        })
    }

    /// The smallest slow-down that the pairs exclude, with the confidence that an ok
    /// row has; `None` where they are too few.
    pub(super) fn excluded(&self) -> Option<f64> {
        let mut sorted = self.differences.clone();
        sorted.sort_by(f64::total_cmp);
        let pairs = self.pairs();
        let below = (1..=sorted.len()).find(|rank| {
            let positive = *rank as u64 + self.base_failed;
            let negative = pairs.saturating_sub(positive);
            let evidence = Evidence { positive, negative };
            evidence.reaches(self.thresholds.ok)
        })?;
        Some(sorted[below - 1].exp_m1())
    }
}
