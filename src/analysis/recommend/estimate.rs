//! How long the recommended cell takes, and how sure that is. Whoever is the best of
//! many cells was lucky as well, so samples that had no part in the choice tell it
//! better than those that made it.

use serde::Serialize;

use super::{Choice, TOLERANCE, over};
use crate::analysis::statistics::Interval;
use crate::analysis::units;
use crate::record::Purpose;

/// How long a cell takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Samples that it rests on.
    pub samples: usize,
    /// Whether they were taken after the choice and had no part in it. Where they had,
    /// the interval holds the median less often than its confidence says.
    pub fresh: bool,
    /// Requests that failed in fresh samples.
    pub failed: u64,
    /// The median of the runtime that decides, in seconds.
    pub median_s: f64,
    /// Where the true median lies.
    pub interval: Interval,
}

impl Estimate {
    /// That of an eligible cell: of its fresh samples where there are any.
    pub(super) fn of(choice: &Choice<'_>, place: usize) -> Self {
        let fresh = choice.rows[place].confirmation.as_ref();
        let runtimes = fresh.map_or(&choice.figures(place).runtimes, |fresh| &fresh.runtimes);
        Self {
            samples: fresh.map_or(choice.figures(place).timed, |fresh| fresh.samples),
            fresh: fresh.is_some(),
            failed: fresh.map_or(0, |fresh| fresh.failed),
            median_s: runtimes.judged(choice.terms.purpose).median(),
            interval: runtimes.interval(choice.terms.purpose),
        }
    }

    /// The least and the most that this is over another, as fractions of that.
    pub(super) fn over(&self, other: &Self) -> (f64, f64) {
        let (mine, theirs) = (self.interval, other.interval);
        (over(mine.low, theirs.high), over(mine.high, theirs.low))
    }
}

/// How sure the runtimes are, in a sentence or two.
pub(super) fn sentence(choice: &Choice<'_>) -> String {
    let chosen = Estimate::of(choice, choice.chosen);
    let fastest = Estimate::of(choice, choice.fastest);
    if chosen.samples.min(fastest.samples) < 2 {
        return single(choice);
    }
    let kind = match choice.terms.purpose {
        Purpose::Once => "cold",
        Purpose::Repeated => "warm",
    };
    let mut said = format!(
        "{} … {} holds its {kind} median with {:.0} % confidence (order statistics of {}",
        units::seconds(chosen.interval.low),
        units::seconds(chosen.interval.high),
        // Never more than it is.
        (100.0 * chosen.interval.confidence).floor(),
        units::counted(chosen.samples as u64, "sample"),
    );
    said.push_str(if chosen.fresh {
        " taken after the choice)"
    } else {
        ")"
    });
    if choice.chosen != choice.fastest {
        let (least, most) = chosen.over(&fastest);
        said.push_str(&format!(
            "; over the fastest that is {:.1} to {:.1} %",
            100.0 * least.max(0.0),
            100.0 * most.max(0.0)
        ));
    }
    said.push_str(&format!(". {}", covers(choice, &chosen)));
    said
}

/// What the confidence is about.
fn covers(choice: &Choice<'_>, chosen: &Estimate) -> String {
    let cells = choice.eligible.len();
    if !chosen.fresh {
        return if cells > 1 {
            format!(
                "That covers the seconds of this sweep and no other hour. It is less than it says: \
                 the same samples chose this cell among {cells}, and the best of many was lucky as \
                 well."
            )
        } else {
            "That covers the seconds of this sweep and no other hour.".to_owned()
        };
    }
    let later = over(chosen.median_s, choice.time(choice.chosen));
    if later.abs() > TOLERANCE {
        let more = if later > 0.0 { "longer" } else { "less" };
        return format!(
            "They took {:.0} % {more} than the samples that chose it, by luck or because the \
             machine changed: measure again.",
            100.0 * later.abs()
        );
    }
    "That covers the seconds in which they were taken and no other hour.".to_owned()
}

fn single(choice: &Choice<'_>) -> String {
    let places = [choice.chosen, choice.fastest];
    let samples = places.map(|place| choice.figures(place).samples);
    let whole = if samples.into_iter().any(|samples| samples < 2) {
        "Each runtime is that of a single sample"
    } else {
        "A runtime is that of the one sample with hardly a failure"
    };
    format!("{whole}: a difference of a few per cent may be chance, and more samples would tell.")
}
