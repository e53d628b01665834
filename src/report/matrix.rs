//! Which strategy wins where, in words: one field for a contender and a profile.

use crate::analysis::Summary;
use crate::analysis::wins::{Contender, Reached, Standing, is_recommended, median, standing};
use crate::record::Purpose;
use crate::report::units;

/// What the marks of the fields mean.
pub(crate) const MARKS: &str = "★ faster than every other by more than chance explains; ≈ the \
                                fastest, or cannot be told from it; → recommended, perhaps with \
                                fewer workers; ✗ failed; – not measured";

/// One contender against one profile.
pub(crate) struct Field {
    /// The marks, each followed by a space.
    pub(crate) marks: String,
    /// Its best median and the workers that it took. `None` where there is none.
    pub(crate) best: Option<Best>,
}

/// What a contender reached.
pub(crate) struct Best {
    /// The median of the runtime that decides, in seconds.
    pub(crate) median_s: f64,
    /// It and its workers in words.
    pub(crate) text: String,
    /// How it stands.
    pub(crate) standing: Standing,
}

impl Field {
    /// What a contender reached against the profile at a place.
    pub(crate) fn of(profile: &Summary, contender: &Contender, place: usize) -> Self {
        let row = match contender.reached.get(place) {
            Some(Reached::Best(row)) => *row,
            Some(Reached::Failed) => return Self::without("✗"),
            Some(Reached::NotMeasured) | None => return Self::without(units::NONE),
        };
        let standing = standing(profile, row);
        let recommended = if is_recommended(profile, contender) {
            "→ "
        } else {
            ""
        };
        let mark = match standing {
            Standing::Wins => "★ ",
            Standing::Level => "≈ ",
            Standing::Slower => "",
        };
        let median_s = median(profile, row);
        let workers = profile.rows[row].cell.workers_usable;
        Self {
            marks: format!("{recommended}{mark}"),
            best: Some(Best {
                median_s,
                text: format!("{}, w={workers}", units::seconds(median_s)),
                standing,
            }),
        }
    }

    fn without(mark: &str) -> Self {
        Self {
            marks: mark.to_owned(),
            best: None,
        }
    }
}

/// Which runtime the medians are of.
pub(crate) fn kind(summary: &Summary) -> &'static str {
    match summary.session.purpose {
        Purpose::Once => "cold",
        Purpose::Repeated => "warm",
    }
}
