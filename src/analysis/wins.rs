//! Which strategy wins where: the best that each reaches against each profile.

use std::collections::BTreeSet;

use crate::analysis::Summary;
use crate::analysis::noise::{Comparison, Noise};
use crate::analysis::statistics::Sorted;
use crate::analysis::summary::Row;
use crate::record::{Cell, Purpose};

/// A strategy with all that it was combined with but for workers and profile,
/// and its best against each profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// The setting, of which workers and profile are not meant.
    pub cell: Cell,
    /// What it reached against each profile, in the order of [`Summary::profiles`].
    pub reached: Vec<Reached>,
}

/// What a contender reached against a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The place, in the profile's rows, of its fastest cell that fails no more than
    /// the best, by the runtime that decides.
    Best(usize),
    /// It was measured, and no cell of it compares.
    Failed,
    /// It has no sample.
    NotMeasured,
}

impl Contender {
    /// Whether it compares against any profile.
    pub fn is_anywhere(&self) -> bool {
        let best = |reached: &Reached| matches!(reached, Reached::Best(_));
        self.reached.iter().any(best)
    }
}

/// How a contender fares against a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is faster than every other, by more than chance explains.
    Wins,
    /// It is the fastest or cannot be told from it: the order may be chance.
    Level,
    /// It is slower.
    Slower,
}

/// The contenders of a summary with several profiles, by name, those without a sample
/// among them; none otherwise.
pub fn contenders(summary: &Summary) -> Vec<Contender> {
    let planned = summary.profiles.iter().flat_map(|one| &one.session.planned);
    let cells = summary.rows.iter().map(|row| &row.cell).chain(planned);
    let settings: BTreeSet<Cell> = cells.map(setting).collect();
    let contender = |cell: Cell| Contender {
        reached: summary
            .profiles
            .iter()
            .map(|profile| reached(profile, &cell))
            .collect(),
        cell,
    };
    let settings = settings
        .into_iter()
        .filter(|_| !summary.profiles.is_empty());
    settings.map(contender).collect()
}

fn reached(profile: &Summary, cell: &Cell) -> Reached {
    let mut rows = (0..profile.rows.len())
        .filter(|place| setting(&profile.rows[*place].cell) == *cell)
        .peekable();
    if rows.peek().is_none() {
        return Reached::NotMeasured;
    }
    let compares = rows.filter(|place| profile.rows[*place].compares());
    let best = compares.min_by(|a, b| median(profile, *a).total_cmp(&median(profile, *b)));
    best.map_or(Reached::Failed, Reached::Best)
}

/// The runtimes of a row that decide. `None` where it was not measured.
fn judged(profile: &Summary, place: usize) -> Option<&Sorted> {
    profile.rows.get(place)?.judged(profile.session.purpose)
}

/// The median of the runtimes of a row that decide; without end where it was not
/// measured.
pub fn median(profile: &Summary, place: usize) -> f64 {
    judged(profile, place).map_or(f64::INFINITY, Sorted::median)
}

/// The places of each contender's best row of a profile, the fastest first.
pub fn bests(profile: &Summary) -> Vec<usize> {
    let settings: BTreeSet<Cell> = profile.rows.iter().map(|row| setting(&row.cell)).collect();
    let best = |cell: &Cell| match reached(profile, cell) {
        Reached::Best(place) => Some(place),
        Reached::Failed | Reached::NotMeasured => None,
    };
    let mut places: Vec<_> = settings.iter().filter_map(best).collect();
    places.sort_by(|a, b| median(profile, *a).total_cmp(&median(profile, *b)));
    places
}

/// How a row of a profile stands to the fastest one of another setting.
pub fn standing(profile: &Summary, place: usize) -> Standing {
    let bests = bests(profile);
    let Some((&fastest, others)) = bests.split_first() else {
        return Standing::Slower;
    };
    let level = |other: usize| is_level(profile, fastest, other, others.len());
    match place == fastest {
        true if others.iter().any(|other| level(*other)) => Standing::Level,
        true => Standing::Wins,
        false if level(place) => Standing::Level,
        false => Standing::Slower,
    }
}

/// Whether the fastest row and another, of so many, cannot be told apart, or the
/// recommendation has taken them to be equal.
fn is_level(profile: &Summary, fastest: usize, other: usize, of: usize) -> bool {
    let advice = profile.recommendation.as_ref();
    let equal = advice.is_some_and(|advice| {
        let among = |place| advice.equals.contains(&place);
        among(fastest) && among(other)
    });
    let rows = profile.rows.iter();
    let noise = Noise::of(rows.filter_map(|row| row.judged(profile.session.purpose)));
    let runtimes = judged(profile, fastest).zip(judged(profile, other));
    let apart = |(one, other)| noise.compare(one, other, of) == Comparison::Apart;
    equal || runtimes.is_some_and(|both| !apart(both))
}

/// Whether a contender is the recommended one of a profile, with whatever workers.
pub fn is_recommended(profile: &Summary, contender: &Contender) -> bool {
    let advice = profile.recommendation.as_ref();
    let row = advice.and_then(|advice| profile.rows.get(advice.row));
    row.is_some_and(|row| setting(&row.cell) == contender.cell)
}

/// Other strategies, clients and so on that have a row that cannot be told from the
/// best one by its warm runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rivals {
    /// Those that differ by no more than chance explains.
    pub level: usize,
    /// Those of which there are too few samples to tell.
    pub untold: usize,
}

/// The rivals of a summary's best row.
pub fn rivals(summary: &Summary) -> Rivals {
    let Some(best) = summary.best_row() else {
        return Rivals::default();
    };
    let noise = Noise::of(summary.rows.iter().filter_map(warm));
    let rivals = || {
        let rows = summary.rows.iter();
        rows.filter(|row| {
            row.compares() && !row.is_like(best) && row.cell.requests == best.cell.requests
        })
    };
    let settings = |rows: &mut dyn Iterator<Item = &Row>| -> BTreeSet<Cell> {
        rows.map(|row| setting(&row.cell)).collect()
    };
    let of = settings(&mut rivals()).len();
    let those = |comparison: Comparison| {
        let is = |row: &&Row| {
            let runtimes = warm(row).zip(warm(best));
            runtimes.is_some_and(|(one, other)| noise.compare(one, other, of) == comparison)
        };
        settings(&mut rivals().filter(is))
    };
    let level = those(Comparison::Level);
    Rivals {
        untold: those(Comparison::Untold).difference(&level).count(),
        level: level.len(),
    }
}

fn warm(row: &Row) -> Option<&Sorted> {
    row.judged(Purpose::Repeated)
}

fn setting(cell: &Cell) -> Cell {
    Cell {
        profile: None,
        ..cell.without_workers()
    }
}

#[cfg(test)]
mod tests {
    use super::{Reached, Rivals, Standing, contenders, is_recommended, rivals, standing};
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, cell, measured, normal, two_profiles};
    use crate::record::{Cell, Purpose, Record};

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
                let profiles = summary.profiles.iter().zip(&contender.reached);
                let standing = |(profile, reached): (&Summary, &Reached)| match reached {
                    Reached::Best(place) => Some(standing(profile, *place)),
                    Reached::Failed | Reached::NotMeasured => None,
                };
                profiles.map(standing).collect()
            })
            .collect();
        assert_eq!(
            standings,
            [
                [Some(Standing::Level), Some(Standing::Wins)],
                [Some(Standing::Level), Some(Standing::Slower)]
            ]
        );
    }

    /// A cell of the fixture's first profile.
    fn steady(strategy: &str) -> Cell {
        Cell {
            profile: Some("steady".to_owned()),
            ..cell(strategy, 20, 100)
        }
    }

    /// Two strategies of which one is so many times slower, with noise of 0.7 % and so
    /// many samples of each.
    fn noisy(seed: u64, slower: f64, samples: usize) -> Record {
        let mut normal = normal(seed);
        let mut record = RecordBuilder::new().session(|session| {
            *session = two_profiles().session;
        });
        for _ in 0..samples {
            for (strategy, times) in [("tokio", 1.0), ("rayon", slower)] {
                let warm_s = 1.01 * times * (0.007 * normal()).exp();
                record = record.cell(steady(strategy), measured(100, warm_s));
            }
        }
        record.build()
    }

    #[test]
    fn slower_by_two_per_cent_is_seen_with_few_and_many_samples() {
        let level = |slower: f64, samples: usize| {
            let is_level = |seed: &u64| {
                let mut record = noisy(*seed, slower, samples);
                // What the recommendation takes to be equal is another question.
                record.session.purpose = Purpose::Repeated;
                let mut summary = Summary::of(&record);
                summary.profiles[0].recommendation = None;
                let rayon = contenders(&summary)[0].reached[0];
                let Reached::Best(place) = rayon else {
                    panic!("{rayon:?}");
                };
                standing(&summary.profiles[0], place) == Standing::Level
            };
            (0..200).filter(is_level).count()
        };
        // By ranges of samples it was 11 % with 3 and 95 % with 30.
        for samples in [3, 6, 30] {
            let (same, slower) = (level(1.0, samples), level(1.02, samples));
            assert!(slower <= 40, "{samples} samples: {slower} of 200");
            assert!(same >= 160, "{samples} samples: {same} of 200 equal ones");
        }
    }

    #[test]
    fn no_equal_is_starred_against_the_advice() {
        let mut record = RecordBuilder::new().session(|session| {
            *session = two_profiles().session;
        });
        // Told apart, and equal to anyone who waits: tokio is cheaper.
        for (strategy, warm_s) in [("rayon", 1.008), ("tokio", 1.014)] {
            for round in 0..3 {
                let run = measured(100, warm_s + 0.0001 * f64::from(round));
                record = record.cell(steady(strategy), run);
            }
        }
        let mut record = record.build();
        for sample in &mut record.samples {
            if let crate::record::SampleResult::Measured(measured) = &mut sample.result
                && sample.cell.strategy == "rayon"
            {
                measured.cpu_s *= 5.0;
            }
        }
        let summary = Summary::of(&record);
        let steady = &summary.profiles[0];
        let contenders = contenders(&summary);
        let standings: Vec<_> = contenders
            .iter()
            .map(|contender| match contender.reached[0] {
                Reached::Best(place) => {
                    (standing(steady, place), is_recommended(steady, contender))
                }
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            standings,
            [(Standing::Level, false), (Standing::Level, true)]
        );
    }

    #[test]
    fn contender_without_a_sample_is_not_measured_and_no_failure() {
        let record = RecordBuilder::from(two_profiles())
            .session(|session| session.planned = vec![steady("smol")])
            .cell(steady("thread-pool"), measured(100, 0.1).refused(100, 503));
        let summary = Summary::of(&record.build());
        let reached: Vec<_> = contenders(&summary)
            .into_iter()
            .map(|contender| {
                (
                    contender.cell.strategy,
                    contender.reached[0],
                    contender.reached[1],
                )
            })
            .collect();
        let of = |name: &str| {
            let found = reached.iter().find(|(strategy, ..)| strategy == name);
            let (_, steady, slow) = found.expect("a contender");
            (*steady, *slow)
        };
        assert_eq!(of("smol"), (Reached::NotMeasured, Reached::NotMeasured));
        assert_eq!(of("thread-pool"), (Reached::Failed, Reached::NotMeasured));
    }

    #[test]
    fn strategies_within_noise_of_the_fastest_are_counted() {
        let mut record = RecordBuilder::new();
        for round in 0..3 {
            let noise = 0.001 * f64::from(round);
            for (strategy, warm_s) in [("tokio", 0.204), ("smol", 0.205), ("rayon", 0.25)] {
                let run = measured(100, warm_s + noise);
                record = record.sample(strategy, 100, run);
            }
        }
        let expected = Rivals {
            level: 1,
            untold: 0,
        };
        assert_eq!(rivals(&Summary::of(&record.build())), expected);
    }

    #[test]
    fn single_samples_make_no_winner_and_no_noise() {
        let mut record = RecordBuilder::new().session(|session| {
            *session = two_profiles().session;
        });
        for (strategy, warm_s) in [("tokio", 1.01), ("rayon", 1.3), ("smol", 1.6)] {
            record = record.cell(steady(strategy), measured(100, warm_s));
        }
        let summary = Summary::of(&record.build());
        let steady = &summary.profiles[0];
        for contender in contenders(&summary) {
            let Reached::Best(place) = contender.reached[0] else {
                panic!("{contender:?}");
            };
            assert_eq!(standing(steady, place), Standing::Level);
        }
        let expected = Rivals {
            level: 0,
            untold: 2,
        };
        assert_eq!(rivals(steady), expected);
    }

    #[test]
    fn with_one_profile_there_is_nothing_to_compare() {
        let summary = Summary::of(&crate::analysis::fixture::sweep());
        assert!(summary.profiles.is_empty() && contenders(&summary).is_empty());
    }
}
