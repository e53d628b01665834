//! Which strategy wins where: the best that each reaches against each profile.

use crate::analysis::Summary;
use crate::analysis::summary::Row;
use crate::record::Cell;

/// A strategy with all that it was combined with but for workers and profile,
/// and its best against each profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// The setting, of which workers and profile are not meant.
    pub cell: Cell,
    /// In the order of [`Summary::profiles`]: the place, in that profile's rows,
    /// of the fastest that fails no more than the best. `None` without such.
    pub best: Vec<Option<usize>>,
}

impl Contender {
    /// Whether it was whole against any profile.
    pub fn is_anywhere(&self) -> bool {
        self.best.iter().any(Option::is_some)
    }
}

/// How a contender fares against a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has the lowest median of all.
    Wins,
    /// Its samples and the winner's overlap: the order may be chance.
    Level,
    /// It is slower.
    Slower,
}

/// The contenders of a summary with several profiles, by name; none otherwise.
pub fn contenders(summary: &Summary) -> Vec<Contender> {
    let mut contenders: Vec<Contender> = Vec::new();
    for row in &summary.rows {
        let cell = setting(&row.cell);
        if contenders.iter().all(|contender| contender.cell != cell) {
            let best = summary.profiles.iter().map(|profile| {
                // Rows are sorted: whole ones first, the fastest first of them.
                let mut rows = profile.rows.iter();
                rows.position(|row| row.compares() && setting(&row.cell) == cell)
            });
            contenders.push(Contender {
                best: best.collect(),
                cell,
            });
        }
    }
    contenders.sort_by(|a, b| a.cell.cmp(&b.cell));
    contenders.retain(|_| !summary.profiles.is_empty());
    contenders
}

/// How a row of a profile stands to that profile's best.
pub fn standing(profile: &Summary, place: usize) -> Standing {
    let range = |row: &Row| row.figures.as_ref().map(|figures| figures.warm_s);
    let own = profile.rows.get(place).and_then(range);
    let best = profile.best_row().and_then(range);
    match (own, best) {
        _ if profile.best == Some(place) => Standing::Wins,
        (Some(own), Some(best)) if own.min <= best.max => Standing::Level,
        _ => Standing::Slower,
    }
}

fn setting(cell: &Cell) -> Cell {
    Cell {
        workers: 0,
        workers_usable: 0,
        profile: None,
        ..cell.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing, contenders, standing};
    use crate::analysis::Summary;
    use crate::analysis::fixture::two_profiles;

    #[test]
    fn each_profile_has_its_own_bound_and_its_own_winner() {
        let summary = Summary::of(&two_profiles());
        let [steady, slow] = summary.profiles.as_slice() else {
            panic!("two profiles: {summary:?}");
        };
        assert_eq!(steady.service.map(|service| service.seconds), Some(0.2));
        assert_eq!(slow.service.map(|service| service.seconds), Some(0.4));
        assert_eq!(summary.rows.len(), steady.rows.len() + slow.rows.len());
        let bounds: Vec<_> = summary.rows.iter().filter_map(|row| row.bound_s).collect();
        assert_eq!(bounds, [1.0, 1.0, 34.0 * 0.2, 2.0, 2.0]);
        let best: Vec<_> = (0..summary.rows.len())
            .filter(|place| summary.is_best(*place))
            .map(|place| summary.rows[place].cell.to_string())
            .collect();
        assert_eq!(
            best,
            ["tokio + hyper, w=20, steady", "rayon + ureq, w=20, slow"]
        );
    }

    #[test]
    fn a_contender_is_shown_with_its_best_and_a_tie_as_one() {
        let summary = Summary::of(&two_profiles());
        let contenders = contenders(&summary);
        let names: Vec<_> = contenders
            .iter()
            .map(|c| c.cell.strategy.as_str())
            .collect();
        assert_eq!(names, ["rayon", "tokio"]);
        let standings: Vec<Vec<_>> = contenders
            .iter()
            .map(|contender| {
                let places = summary.profiles.iter().zip(&contender.best);
                places
                    .map(|(profile, place)| place.map(|place| standing(profile, place)))
                    .collect()
            })
            .collect();
        assert_eq!(
            standings,
            [
                [Some(Standing::Level), Some(Standing::Wins)],
                [Some(Standing::Wins), Some(Standing::Slower)]
            ]
        );
    }

    #[test]
    fn with_one_profile_there_is_nothing_to_compare() {
        let summary = Summary::of(&crate::analysis::fixture::sweep());
        assert!(summary.profiles.is_empty() && contenders(&summary).is_empty());
    }
}
