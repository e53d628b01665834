//! A sweep with its refinement against an exhaustive search, on simulated
//! services.

use std::collections::BTreeSet;

use super::next;
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, cell, measured};
use crate::analysis::recommend::TOLERANCE;
use crate::analysis::simulated::{Run, Service};
use crate::record::{Cell, Limits, RateLimit, Record, Sampling};

const GRID: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 100];
const MOST: usize = 128;
/// Strategies, what each request costs in seconds, and what each worker more
/// adds to that.
const STRATEGIES: [(&str, f64, f64); 3] = [
    ("tokio", 0.0003, 0.000_001),
    ("thread-pool", 0.0004, 0.000_02),
    ("rayon", 0.0005, 0.000_03),
];

fn strategy_of(cell: &Cell) -> usize {
    let named = |(name, ..): &(&str, f64, f64)| *name == cell.strategy;
    STRATEGIES.iter().position(named).expect("a strategy")
}

/// Numbers from 0 to 1 that look like chance and are the same in every run.
fn chance(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A service, and sweeps of it.
struct Study {
    service: Service,
    slows: bool,
    noise: f64,
    /// Whether rayon takes requests in an order of chance, another one each time.
    by_chance: bool,
}

impl Study {
    fn of(service: Service) -> Self {
        Self {
            service,
            slows: false,
            noise: 0.004,
            by_chance: false,
        }
    }

    fn drawn(seed: u64, draw: impl Fn(f64) -> f64) -> Self {
        let mut chance = chance(seed);
        Self::of(Service::drawn((0..100).map(|_| draw(chance())).collect()))
    }

    fn sample(&self, strategy: usize, workers: usize, number: usize) -> Run {
        let (name, request, worker) = STRATEGIES[strategy];
        let mut service = self.service.clone();
        service.client_s = request + worker * workers as f64;
        if name == "rayon" && self.by_chance {
            let mut chance = chance((1_000_000 * workers + number) as u64 + 11);
            service
                .times
                .sort_by_cached_key(|_| (chance() * 1e9) as u64);
        } else if name == "rayon" {
            // One that divides the batch makes its requests in another order.
            let half = service.times.len() / 2;
            let (first, second) = self.service.times.split_at(half);
            let turns = second.iter().zip(first).flat_map(|(a, b)| [*a, *b]);
            service.times = turns.chain(second[half..].iter().copied()).collect();
        }
        service.run(workers)
    }

    /// What a cell comes to: its median, where a sample is a matter of chance.
    fn run(&self, strategy: usize, workers: usize) -> Run {
        if STRATEGIES[strategy].0 != "rayon" || !self.by_chance {
            return self.sample(strategy, workers, 0);
        }
        let runs = 1_000..1_041;
        let mut runs: Vec<_> = runs.map(|n| self.sample(strategy, workers, n)).collect();
        runs.sort_by(|a, b| a.warm_s.total_cmp(&b.warm_s));
        runs[20]
    }

    /// Three samples of a cell beside those it has, each a little slower than it
    /// could be.
    fn add(
        &self,
        mut record: RecordBuilder,
        (strategy, workers): (usize, usize),
        before: usize,
    ) -> RecordBuilder {
        let requests = self.service.times.len() as u64;
        let mut chance = chance((strategy * 1_000 + workers + 10_000 * before) as u64 + 7);
        for number in before..before + 3 {
            let run = self.sample(strategy, workers, number);
            let warm_s = run.warm_s * (1.0 + self.noise * chance());
            let mut sample = measured(requests, warm_s);
            if run.failed > 0 {
                sample = sample.failed(run.failed, "status");
            }
            let cell = cell(STRATEGIES[strategy].0, workers, requests as usize);
            record = record.cell(cell, sample);
        }
        record
    }

    fn start(&self) -> RecordBuilder {
        let times = &self.service.times;
        let (mean, longest) = (
            times.iter().sum::<f64>() / times.len() as f64,
            times.iter().copied().fold(0.0, f64::max),
        );
        let shortest = times.iter().copied().fold(f64::INFINITY, f64::min);
        RecordBuilder::new().service(Some(mean)).session(|session| {
            session.server.longest_s = (shortest < longest).then_some(longest);
            session.server.limits = Limits {
                rate: self.service.rate,
                capacity: self.service.capacity,
                slows: self.slows,
                ..Limits::default()
            };
        })
    }

    /// The grid and what refinement adds to it; the record and its cells.
    fn sweep(&self) -> Record {
        let mut record = self.start();
        for strategy in 0..STRATEGIES.len() {
            for workers in GRID {
                record = self.add(record, (strategy, workers), 0);
            }
        }
        for _ in 0..40 {
            let so_far = record.build();
            let cells = next(&Summary::of(&so_far), MOST);
            record = RecordBuilder::from(so_far.clone());
            if cells.is_empty() {
                break;
            }
            for cell in cells {
                let strategy = strategy_of(&cell);
                let before = so_far.samples.iter().filter(|sample| sample.cell == cell);
                record = self.add(record, (strategy, cell.workers), before.count());
            }
        }
        let record = record.build();
        let left = next(&Summary::of(&record), MOST);
        assert!(self.by_chance || left.is_empty(), "{left:?}");
        record
    }

    /// Every strategy at every count: the fewest failures, the lowest runtime
    /// with them, and between which counts the fewest workers within the
    /// tolerance of that may be taken to lie with such noise.
    fn exhaustive(&self) -> (u64, f64, (usize, usize)) {
        let all = || {
            (1..=MOST).flat_map(|workers| {
                (0..STRATEGIES.len()).map(move |strategy| (workers, self.run(strategy, workers)))
            })
        };
        let fewest = all().map(|(_, run)| run.failed).min().expect("runs");
        // What a limit's burst lets through faster than its rate is not to be found.
        let least_s = self.service.rate.map_or(0.0, |rate| {
            self.service.times.len() as f64 / rate.per_s / 1.01
        });
        let whole = || all().filter(move |(_, run)| run.failed == fewest && run.warm_s >= least_s);
        let best = whole().map(|(_, run)| run.warm_s);
        let best = best.fold(f64::INFINITY, f64::min);
        let within = |tolerance: f64| {
            let limit = best * (1.0 + tolerance);
            let first = whole().find(|(_, run)| run.warm_s <= limit);
            first.expect("the best one").0
        };
        let range = (
            within(TOLERANCE + self.noise),
            within(TOLERANCE - self.noise),
        );
        (fewest, best, range)
    }

    /// Asserts that the recommendation is as good as an exhaustive search's:
    /// the regret at most the tolerance (and half the noise), as few failures,
    /// and the worker count at most `steps` counts that matter from the best.
    fn hold(&self, name: &str, most_cells: usize) {
        let record = self.sweep();
        let summary = Summary::of(&record);
        let cells = summary.rows.len();
        let advice = summary.recommendation.as_ref().expect("a recommendation");
        let cell = &summary.rows[advice.row].cell;
        let strategy = strategy_of(cell);
        let run = self.run(strategy, cell.workers);
        let (fewest, best, (fewer, more)) = self.exhaustive();
        let told = format!(
            "{name}: {cell} {run:?}, best {best} with {fewest} failed, {fewer} to {more} workers do, \
             {cells} cells"
        );
        assert_eq!(run.failed, fewest, "{told}");
        let regret = run.warm_s / best - 1.0;
        assert!(regret <= TOLERANCE + self.noise, "{told}, regret {regret}");
        let requests = self.service.times.len();
        let rounds = |workers: usize| requests.div_ceil(workers);
        let equal = summary.session.server.longest_s.is_none();
        let nearest = cell.workers.clamp(fewer, more);
        let (few, many) = (nearest.min(cell.workers), nearest.max(cell.workers));
        let steps = (few + 1..=many)
            .filter(|w| !equal || rounds(*w) < rounds(*w - 1))
            .count();
        assert!(steps <= 1, "{told}: {steps} steps off");
        assert!(cells <= most_cells, "{told}");
    }
}

fn fixed(time: f64, requests: usize) -> Service {
    Service::drawn(vec![time; requests])
}

/// A sweep of the grid by a strategy whose cells are changed, runtimes so far
/// over the bound that further counts look worth it.
fn swept(mut record: RecordBuilder, service_s: f64, change: impl Fn(&mut Cell)) -> RecordBuilder {
    for workers in GRID {
        let mut cell = cell("thread-pool", workers, 300);
        change(&mut cell);
        let rounds = 300_usize.div_ceil(cell.workers_usable);
        let warm_s = rounds as f64 * (service_s + 0.0002) + 0.001 * cell.workers_usable as f64;
        record = record.cell(cell, measured(300, warm_s));
    }
    record
}

/// The cells proposed that were not measured yet.
fn proposed(record: RecordBuilder) -> Vec<Cell> {
    let record = record.build();
    let mut cells = next(&Summary::of(&record), MOST);
    cells.retain(|cell| record.samples.iter().all(|sample| sample.cell != *cell));
    cells
}

#[test]
fn one_worker_stays_one_worker() {
    for service_s in [0.0, 0.005] {
        let record = RecordBuilder::new().service(Some(service_s));
        let record = record.sample("sequential", 1, measured(300, 300.0 * service_s + 0.02));
        assert_eq!(proposed(record.clone()), []);
        let cells = proposed(swept(record, service_s, |_| {}));
        assert!(!cells.is_empty());
        assert!(cells.iter().all(|cell| cell.strategy != "sequential"));
    }
}

#[test]
fn a_strategy_gets_no_more_workers_than_it_can_use() {
    let most = |most: usize| move |cell: &mut Cell| cell.workers_usable = cell.workers.min(most);
    for cap in [1, 4, 30] {
        let record = RecordBuilder::new().service(Some(0.005));
        let cells = proposed(swept(record, 0.005, most(cap)));
        assert!(cells.iter().all(|cell| cell.workers < cap), "{cells:?}");
        // Beside a faster one without such a limit.
        let record = swept(RecordBuilder::new().service(Some(0.005)), 0.005, most(cap));
        let record = swept(record, 0.004, |cell| cell.strategy = "tokio".to_owned());
        let cells = proposed(record);
        let capped = |cell: &&Cell| cell.strategy == "thread-pool";
        assert!(
            cells.iter().filter(capped).all(|cell| cell.workers < cap),
            "{cells:?}"
        );
    }
}

#[test]
fn a_worker_a_request_leaves_no_count_to_choose() {
    let all = cell("tokio", 300, 300);
    let unbounded = Cell {
        dispatch: "unbounded".to_owned(),
        ..all
    };
    let record = RecordBuilder::new()
        .service(Some(0.2))
        .session(|session| session.server.longest_s = Some(1.0))
        .cell(unbounded, measured(300, 1.3));
    assert_eq!(proposed(record), []);
}

#[test]
fn a_worker_for_each_request_stands_for_more() {
    let time = |workers: usize| 60_usize.div_ceil(workers) as f64 * 0.202;
    let sweep = |counts: &[usize]| {
        let times = counts.iter().copied();
        times.fold(RecordBuilder::new(), |record, workers| {
            record.sample("tokio", workers, measured(60, time(workers)))
        })
    };
    let cells = proposed(sweep(&GRID));
    let counts: Vec<_> = cells.iter().map(|cell| cell.workers).collect();
    assert_eq!(counts, [60]);
    assert_eq!(proposed(sweep(&[1, 2, 3, 5, 10, 20, 50, 60, 100])), []);
}

#[test]
fn a_fixed_service_time_needs_nothing_beside_the_grid() {
    Study::of(fixed(0.2, 100)).hold("steady", 3 * GRID.len());
    // The best count, 125, lies beyond the grid.
    Study::of(fixed(0.05, 500)).hold("500 requests", 40);
    Study::of(fixed(0.05, 60)).hold("60 requests", 40);
}

#[test]
fn a_capacity_is_met_and_not_exceeded() {
    for servers in [1, 4, 7, 10, 13, 31, 64] {
        let service = Service {
            capacity: Some(servers),
            ..fixed(0.1, 100)
        };
        Study::of(service).hold(&format!("capacity {servers}"), 60);
    }
    let bounded = Service {
        capacity: Some(8),
        queue: Some(8),
        ..fixed(0.1, 100)
    };
    Study::of(bounded).hold("overloaded", 60);
}

#[test]
fn a_rate_limit_is_met_without_refusals() {
    for (per_s, burst) in [
        (100.0, 20),
        (50.0, 1),
        (333.0, 40),
        (20.0, 5),
        (1_000.0, 10),
    ] {
        let service = Service {
            rate: Some(RateLimit { per_s, burst }),
            ..fixed(0.05, 100)
        };
        Study::of(service).hold(&format!("{per_s}/s after {burst}"), 60);
    }
}

#[test]
fn a_peak_is_found_between_the_counts_of_the_grid() {
    for load in [
        (0.02, 0.001),
        (0.0, 0.01),
        (0.05, 0.0),
        (0.1, 0.000_1),
        (0.0, 0.1),
    ] {
        let service = Service {
            load,
            ..fixed(0.05, 100)
        };
        let study = Study {
            slows: true,
            ..Study::of(service)
        };
        study.hold(&format!("load {load:?}"), 70);
    }
}

#[test]
fn faults_that_come_whatever_is_done_keep_no_cell_out() {
    let service = Service {
        faults: 25,
        ..fixed(0.05, 100)
    };
    Study::of(service).hold("flaky", 60);
}

#[test]
fn an_outage_is_outrun() {
    let service = Service {
        warm_up: (3.0, 4.0),
        outage: (5.0, 6.0),
        ..fixed(0.05, 100)
    };
    let study = Study {
        slows: true,
        ..Study::of(service)
    };
    study.hold("cold-start", 60);
}

#[test]
fn drawn_service_times() {
    for seed in 0..2 {
        Study::drawn(seed, |u| -0.2 * (1.0 - u).ln()).hold(&format!("exponential {seed}"), 90);
        Study::drawn(seed, |u| 0.04 * (1.0 - u).powf(-1.0 / 1.5))
            .hold(&format!("pareto {seed}"), 90);
        Study::drawn(seed, |u| 0.16 + 0.08 * u).hold(&format!("uniform {seed}"), 90);
    }
}

#[test]
fn what_a_recommendation_rests_on_is_measured_until_it_has_samples_enough() {
    let mut record = RecordBuilder::new();
    for (strategy, slower) in [("tokio", 0.0), ("smol", 0.001), ("rayon", 0.1)] {
        for workers in GRID {
            let warm_s = 100_usize.div_ceil(workers) as f64 * (0.202 + slower);
            record = record.sample(strategy, workers, measured(100, warm_s));
        }
    }
    for _ in 1..6 {
        let so_far = record.build();
        let cells = next(&Summary::of(&so_far), MOST);
        let names = cells.iter().map(|cell| (&*cell.strategy, cell.workers));
        let names: BTreeSet<_> = names.collect();
        assert_eq!(names, BTreeSet::from([("smol", 100), ("tokio", 100)]));
        record = RecordBuilder::from(so_far);
        for (strategy, workers) in names {
            record = record.sample(strategy, workers, measured(100, 0.202));
        }
    }
    assert_eq!(next(&Summary::of(&record.build()), MOST), []);
}

#[test]
fn cells_that_fail_are_measured_again_as_well() {
    let sweep = |failed: u64| {
        let record = RecordBuilder::new().sample("tokio", 20, measured(100, 1.01));
        let other = measured(100, 2.02).failed(failed, "status");
        let record = record.sample("tokio", 10, other);
        next(&Summary::of(&record.build()), 0).len()
    };
    assert_eq!((sweep(0), sweep(1), sweep(90)), (1, 1, 1));
}

#[test]
fn with_a_time_to_keep_nothing_is_measured_again() {
    let record = GRID.iter().fold(RecordBuilder::new(), |record, workers| {
        let warm_s = 100_usize.div_ceil(*workers) as f64 * 0.202;
        record.sample("tokio", *workers, measured(100, warm_s))
    });
    let again = |samples| {
        let record = record.clone().session(|session| {
            session.sampling = Some(Sampling {
                samples,
                budget_s: samples.is_none().then_some(60.0),
                seed: 1,
                lanes: 1,
                wake_s: None,
            });
        });
        next(&Summary::of(&record.build()), MOST).len()
    };
    assert_eq!((again(Some(1)), again(None)), (1, 0));
}

#[test]
fn an_order_that_was_lucky_is_not_recommended() {
    let studies = [
        Study::drawn(2, |u| -0.05 * (1.0 - u).ln()),
        Study::drawn(5, |u| -0.05 * (1.0 - u).ln()),
        Study::drawn(8, |u| 0.05 * (u / (1.0 - u)).powf(0.6)),
    ];
    for study in studies {
        let study = Study {
            by_chance: true,
            ..study
        };
        let summary = Summary::of(&study.sweep());
        let advice = summary.recommendation.as_ref().expect("a recommendation");
        for row in [advice.row, advice.fastest] {
            assert!(summary.rows[row].samples() >= 6);
        }
        let cell = &summary.rows[advice.row].cell;
        let (_, best, _) = study.exhaustive();
        let regret = study.run(strategy_of(cell), cell.workers).warm_s / best - 1.0;
        assert!(regret <= TOLERANCE + study.noise, "{cell}: {regret}");
    }
}
