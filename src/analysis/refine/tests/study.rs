//! Simulated services, their sweeps, and an exhaustive search of each.

use super::next;
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, cell, measured};
use crate::analysis::recommend::TOLERANCE;
use crate::analysis::simulated::{Run, Service};
use crate::record::{Cell, Limits, Record};

pub(super) const GRID: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 100];
pub(super) const MOST: usize = 128;
/// Strategies, what each request costs in seconds, and what each worker more
/// adds to that.
pub(super) const STRATEGIES: [(&str, f64, f64); 3] = [
    ("tokio", 0.0003, 0.000_001),
    ("thread-pool", 0.0004, 0.000_02),
    ("rayon", 0.0005, 0.000_03),
];

pub(super) fn strategy_of(cell: &Cell) -> usize {
    let named = |(name, ..): &(&str, f64, f64)| *name == cell.strategy;
    STRATEGIES.iter().position(named).expect("a strategy")
}

/// Numbers from 0 to 1 that look like chance and are the same in every run.
pub(super) fn chance(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A service, and sweeps of it.
pub(super) struct Study {
    pub(super) service: Service,
    pub(super) slows: bool,
    pub(super) noise: f64,
    /// Whether rayon takes requests in an order of chance, another one each time.
    pub(super) by_chance: bool,
}

impl Study {
    pub(super) fn of(service: Service) -> Self {
        Self {
            service,
            slows: false,
            noise: 0.004,
            by_chance: false,
        }
    }

    pub(super) fn drawn(seed: u64, draw: impl Fn(f64) -> f64) -> Self {
        let mut chance = chance(seed);
        Self::of(Service::drawn((0..100).map(|_| draw(chance())).collect()))
    }

    pub(super) fn sample(&self, strategy: usize, workers: usize, number: usize) -> Run {
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
    pub(super) fn run(&self, strategy: usize, workers: usize) -> Run {
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
    pub(super) fn add(
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

    pub(super) fn start(&self) -> RecordBuilder {
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
    pub(super) fn sweep(&self) -> Record {
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
    pub(super) fn exhaustive(&self) -> (u64, f64, (usize, usize)) {
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
    pub(super) fn hold(&self, name: &str, most_cells: usize) {
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
