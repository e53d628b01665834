//! Suites over scripted samplers: what noise, drift and slow-downs lead to.

use fastrand::Rng;
use proptest::prelude::*;

use super::{
    Figures, Group, Judgement, Levels, Margins, Measure, Outcome, Pair, Spec, Subject, Suite,
    Verdict,
};

fn margins(tolerate: f64, detect: f64) -> Margins {
    Margins::new(tolerate, detect).expect("margins")
}

fn spec(group: Group) -> Spec {
    let runtime = match group {
        Group::Delayed => margins(0.02, 0.05),
        Group::Busy => margins(0.05, 0.10),
    };
    Spec {
        group,
        runtime,
        cpu: margins(0.25, 1.0),
    }
}

fn cells(delayed: usize, busy: usize) -> Vec<Spec> {
    let of = |group, n| std::iter::repeat_n(spec(group), n);
    of(Group::Delayed, delayed)
        .chain(of(Group::Busy, busy))
        .collect()
}

fn figures(runtime_s: f64) -> Figures {
    Figures {
        runtime_s,
        cpu_s: 0.01,
    }
}

fn pair(base: Option<f64>, head: Option<f64>) -> Pair {
    Pair {
        base: base.map(figures),
        head: head.map(figures),
    }
}

/// A machine with normal noise, some outliers, and a drift that the coin must bear.
struct Machine {
    random: Rng,
    noise: f64,
    outliers: f64,
    drift: f64,
}

impl Machine {
    fn noisy(seed: u64, noise: f64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            noise,
            outliers: 0.1,
            drift: 0.0,
        }
    }

    fn runtime(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.random.f64()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.random.f64()).cos();
        let mut runtime = (self.noise * normal).exp();
        if self.random.f64() < self.outliers {
            // Pareto with a shape of 1: it has no mean.
            runtime += 0.05 / (1.0 - self.random.f64());
        }
        runtime
    }

    /// Base and head, the first of them by a coin, the second on a machine that has
    /// become slower.
    fn pair(&mut self, slower: f64) -> Pair {
        let (first, second) = (self.runtime(), self.runtime() * (1.0 + self.drift));
        let (base, head) = match self.random.bool() {
            true => (first, second),
            false => (second, first),
        };
        pair(Some(base), Some(head * (1.0 + slower)))
    }
}

/// Runs rounds of the open cells, as long as there are any.
fn race(
    mut suite: Suite,
    rounds: usize,
    mut sample: impl FnMut(usize) -> Pair,
) -> (Judgement, usize) {
    let mut pairs = 0;
    for _ in 0..rounds {
        let open = suite.open_cells();
        if open.is_empty() {
            break;
        }
        for cell in open {
            suite.take(cell, &sample(cell));
            pairs += 1;
        }
        suite.end_round();
    }
    (suite.judgement(), pairs)
}

fn verdict(judgement: &Judgement, subject: Subject, measure: Measure) -> Verdict {
    let mut rows = judgement.rows.iter();
    let row = rows.find(|row| (row.subject, row.measure) == (subject, measure));
    row.expect("a row").verdict
}

fn share(suites: u64, mut is: impl FnMut(u64) -> bool) -> f64 {
    let found = (0..suites).filter(|seed| is(*seed)).count();
    found as f64 / suites as f64
}

#[test]
fn unchanged_program_raises_no_alarm_under_noise_and_drift() {
    let cells = cells(18, 18);
    for (noise, drift) in [(0.01, 0.0), (0.03, 0.0), (0.01, 0.2), (0.03, -0.1)] {
        let mut pairs = 0;
        for seed in 0..60 {
            let mut machine = Machine {
                drift,
                ..Machine::noisy(seed, noise)
            };
            let suite = Suite::new(&cells, None, Levels::default());
            let (judgement, taken) = race(suite, 60, |_| machine.pair(0.0));
            assert_ne!(judgement.outcome, Outcome::Slower, "{noise} {drift} {seed}");
            pairs += taken;
        }
        // Nearly every cell is done with eight to twenty pairs where nothing drifts.
        let mean = pairs as f64 / 60.0 / 36.0;
        assert!(
            drift != 0.0 || mean < 20.0,
            "{noise}: {mean} pairs per cell"
        );
    }
}

#[test]
fn one_cell_5_percent_slower_is_found() {
    let cells = cells(18, 18);
    for (noise, least) in [(0.01, 0.95), (0.03, 0.9)] {
        let found = share(60, |seed| {
            let mut machine = Machine::noisy(seed, noise);
            let suite = Suite::new(&cells, None, Levels::default());
            let slower = |cell| if cell == 4 { 0.05 } else { 0.0 };
            let (judgement, _) = race(suite, 300, |cell| machine.pair(slower(cell)));
            let red = judgement.rows.iter().filter(|row| row.verdict.is_red());
            assert!(red.clone().all(|row| row.subject == Subject::Cell(4)));
            red.count() > 0
        });
        assert!(found >= least, "{noise}: {found}");
    }
}

#[test]
fn small_slow_down_of_all_cells_is_found_by_pooled_row() {
    let cells = cells(18, 18);
    let found = share(60, |seed| {
        let mut machine = Machine::noisy(seed, 0.01);
        let suite = Suite::new(&cells, None, Levels::default());
        let slower = |cell| if cell < 18 { 0.03 } else { 0.0 };
        let (judgement, _) = race(suite, 60, |cell| machine.pair(slower(cell)));
        let pooled = Subject::Pooled(Group::Delayed);
        verdict(&judgement, pooled, Measure::Runtime) == Verdict::Slower
    });
    assert!(found >= 0.9, "{found}");
}

#[test]
fn alarms_at_tolerated_margin_stay_below_alpha() {
    // A large alpha, so that it shows in few suites.
    let levels = Levels {
        alpha: 0.2,
        beta: 0.02,
    };
    let cells = cells(4, 0);
    let alarms = share(1500, |seed| {
        let mut machine = Machine::noisy(seed, 0.02);
        let suite = Suite::new(&cells, None, levels);
        let (judgement, _) = race(suite, 150, |_| machine.pair(0.02));
        judgement.outcome == Outcome::Slower
    });
    assert!(alarms > 0.01 && alarms < 0.2, "{alarms}");
}

#[test]
fn counts_decide_after_7_and_15_pairs() {
    let cells = cells(36, 0);
    let after = |head: f64, pairs: usize| {
        let mut suite = Suite::new(&cells, None, Levels::default());
        for _ in 0..pairs {
            suite.take(0, &pair(Some(1.0), Some(head)));
        }
        verdict(&suite.judgement(), Subject::Cell(0), Measure::Runtime)
    };
    assert_eq!(after(1.0, 6), Verdict::Undecided);
    assert_eq!(after(1.0, 7), Verdict::Ok);
    assert_eq!(after(1.06, 14), Verdict::Undecided);
    assert_eq!(after(1.06, 15), Verdict::Slower);
    assert_eq!(after(0.9, 7), Verdict::Ok);
    assert_eq!(after(0.9, 15), Verdict::Faster);
}

#[test]
fn side_that_fails_alone_loses_the_pair() {
    let cells = cells(1, 0);
    let run = |one: Pair, pairs: usize| {
        let mut suite = Suite::new(&cells, None, Levels::default());
        (0..pairs).for_each(|_| suite.take(0, &one));
        suite.judgement()
    };
    let broken = run(pair(Some(1.0), None), 20);
    assert_eq!(broken.outcome, Outcome::Slower);
    assert_eq!(broken.rows[0].verdict, Verdict::Broken);
    assert_eq!(broken.rows[0].estimate, None);
    let mended = run(pair(None, Some(1.0)), 20);
    assert_eq!(mended.outcome, Outcome::Ok);
    assert_eq!(mended.rows[0].verdict, Verdict::Faster);
}

#[test]
fn slower_row_with_a_failure_is_not_called_broken() {
    let mut suite = Suite::new(&cells(1, 0), None, Levels::default());
    suite.take(0, &pair(Some(1.0), None));
    (0..20).for_each(|_| suite.take(0, &pair(Some(1.0), Some(1.2))));
    let judgement = suite.judgement();
    assert_eq!(judgement.rows[0].verdict, Verdict::Slower);
    assert_eq!(judgement.rows[0].head_failed, 1);
}

#[test]
fn cell_is_given_up_after_3_pairs_that_both_failed() {
    let mut suite = Suite::new(&cells(2, 0), None, Levels::default());
    let both_failed = pair(None, None);
    suite.take(0, &both_failed);
    suite.take(0, &both_failed);
    suite.take(0, &pair(Some(1.0), Some(1.0)));
    suite.take(0, &both_failed);
    suite.take(0, &both_failed);
    assert_eq!(suite.open_cells(), [0, 1]);
    suite.take(0, &both_failed);
    assert_eq!(suite.open_cells(), [1]);
    let judgement = suite.judgement();
    assert_eq!(judgement.rows[0].pairs, 1);
    assert_eq!(judgement.outcome, Outcome::Undecided);
}

#[test]
fn control_that_alarms_leaves_the_suite_undecided() {
    let control = Some(margins(0.02, 0.05));
    let mut suite = Suite::new(&cells(1, 0), control, Levels::default());
    for _ in 0..20 {
        suite.take(0, &pair(Some(1.0), Some(1.5)));
        suite.take_control(&pair(Some(1.0), Some(1.2)));
    }
    let judgement = suite.judgement();
    assert_eq!(judgement.rows[0].verdict, Verdict::Slower);
    assert!(judgement.control_alarmed);
    assert_eq!(judgement.outcome, Outcome::Undecided);
}

#[test]
fn nothing_to_compare_is_undecided() {
    let suite = Suite::new(&[], None, Levels::default());
    assert_eq!(suite.judgement().outcome, Outcome::Undecided);
}

#[test]
fn margins_must_rise() {
    assert_eq!(Margins::new(0.05, 0.05), None);
    assert_eq!(Margins::new(-0.01, 0.05), None);
    assert_eq!(Margins::new(0.01, f64::INFINITY), None);
}

#[test]
fn undecided_row_says_what_is_excluded() {
    let mut suite = Suite::new(&cells(1, 0), None, Levels::default());
    for place in 0..7 {
        let head = 1.1 + 0.01 * f64::from(place);
        suite.take(0, &pair(Some(1.0), Some(head)));
    }
    // All of seven pairs lie below what is more than the greatest of them.
    let judgement = suite.judgement();
    let excluded = judgement.rows[0].excluded.expect("seven are enough");
    assert!((excluded - 0.16).abs() < 1e-9, "{excluded}");
    let estimate = judgement.rows[0].estimate.expect("an estimate");
    assert!((estimate.median - 0.13).abs() < 1e-9);
    assert!((estimate.low - 0.10).abs() < 1e-9 && (estimate.high - 0.16).abs() < 1e-9);
}

proptest! {
    #[test]
    fn faster_head_never_turns_a_verdict_red(
        ratios in prop::collection::vec(0.5..1.5_f64, 1..60),
        better in 0.5..1.0_f64,
    ) {
        let run = |times: f64| {
            let mut suite = Suite::new(&cells(1, 0), None, Levels::default());
            for ratio in &ratios {
                suite.take(0, &pair(Some(1.0), Some(ratio * times)));
            }
            suite.judgement().outcome
        };
        if run(1.0) != Outcome::Slower {
            prop_assert_ne!(run(better), Outcome::Slower);
        }
    }

    #[test]
    fn units_change_no_verdict(
        ratios in prop::collection::vec(0.8..1.3_f64, 1..60),
        unit in 1e-3..1e3_f64,
    ) {
        let run = |unit: f64| {
            let mut suite = Suite::new(&cells(1, 0), None, Levels::default());
            for ratio in &ratios {
                suite.take(0, &pair(Some(unit), Some(ratio * unit)));
            }
            suite.judgement().outcome
        };
        prop_assert_eq!(run(1.0), run(unit));
    }
}
