//! Splits of schedules whose parts are known, because they were made.

mod besides;

use proptest::prelude::*;

use super::{Ideal, PartKind, Split};
use crate::analysis::bound::lower_bound;
use crate::analysis::fixture;
use crate::record::{Cell, Measurement, Outcomes, Retried, ServerAccount};

/// What a made run adds to the service time of each request, in seconds.
#[derive(Clone, Debug)]
struct Delays {
    /// Before each worker's first request.
    start_s: f64,
    /// Between the end of a request and the next one of its worker.
    between_s: f64,
    /// The server's lateness, request by request in turn.
    late_s: Vec<f64>,
    /// The client's and the network's time in each latency.
    transport_s: f64,
}

impl Delays {
    const NONE: Self = Self {
        start_s: 0.0,
        between_s: 0.0,
        late_s: Vec::new(),
        transport_s: 0.0,
    };

    fn late(&self, index: usize) -> f64 {
        let turn = index % self.late_s.len().max(1);
        self.late_s.get(turn).copied().unwrap_or(0.0)
    }
}

/// A run of `cell` in which the worker that is free first takes the next
/// request; chunked, it waits for the group before it.
fn run(cell: &Cell, service_s: &[f64], delays: &Delays) -> Measurement {
    let workers = cell.workers_usable;
    let mut free = vec![delays.start_s; workers];
    let mut spans = Vec::new();
    for (index, service) in service_s.iter().enumerate() {
        if cell.dispatch == "chunked" && index % workers == 0 {
            let group = free.iter().copied().fold(0.0, f64::max);
            free.fill(group);
        }
        let worker = (0..workers)
            .min_by(|a, b| free[*a].total_cmp(&free[*b]))
            .expect("a worker");
        let latency = service + delays.late(index) + delays.transport_s;
        spans.push((index as u32, worker as u32, free[worker], latency));
        free[worker] += latency + delays.between_s;
    }
    spans.sort_by(|a, b| (a.2 + a.3).total_cmp(&(b.2 + b.3)));
    let warm_s = spans.last().map_or(0.0, |last| last.2 + last.3);
    let late: f64 = (0..service_s.len()).map(|index| delays.late(index)).sum();
    Measurement {
        warm_s,
        cold_s: warm_s + 0.01,
        ok: spans.len() as u64,
        server: Some(ServerAccount {
            lateness_mean_s: late / service_s.len() as f64,
            ..ServerAccount::default()
        }),
        outcomes: Outcomes {
            index: spans.iter().map(|span| span.0).collect(),
            worker: spans.iter().map(|span| span.1).collect(),
            started_s: spans.iter().map(|span| span.2).collect(),
            latency_s: spans.iter().map(|span| span.3).collect(),
            ok: vec![true; spans.len()],
            ..Outcomes::default()
        },
        ..Measurement::default()
    }
}

fn cell(workers: usize, requests: usize, dispatch: &str) -> Cell {
    Cell {
        dispatch: dispatch.to_owned(),
        ..fixture::cell("tokio", workers, requests)
    }
}

/// Service times alone, and what the workers make of them.
fn ideal(work_s: f64, bound_s: f64) -> Ideal {
    Ideal {
        work_s,
        cpu_s: 0.0,
        paced_s: 0.0,
        workers_s: bound_s,
        bound_s,
        limit: PartKind::Server,
    }
}

/// The bound and the work of requests of 200 ms.
fn fixed(workers: usize, requests: usize) -> Ideal {
    ideal(0.2 * requests as f64, lower_bound(requests, workers, 0.2))
}

/// The parts of a run of requests of 200 ms that are not nothing.
fn parts(cell: &Cell, run: &Measurement) -> Vec<(PartKind, f64)> {
    beyond(fixed(cell.workers_usable, cell.requests), cell, run)
}

/// The same beside another bound.
fn beyond(ideal: Ideal, cell: &Cell, run: &Measurement) -> Vec<(PartKind, f64)> {
    let split = Split::of(cell, &[run], ideal);
    let parts = split.expect("a split").parts.into_iter();
    parts
        .filter(|part| part.seconds.abs() > 1e-9)
        .map(|part| (part.kind, (part.seconds * 1e6).round() / 1e6))
        .collect()
}

const BUILDING: (PartKind, f64) = (PartKind::Building, 0.01);

#[test]
fn a_round_that_the_requests_do_not_fill_is_the_bounds() {
    let cell = cell(3, 100, "queue");
    let run = run(&cell, &[0.2; 100], &Delays::NONE);
    assert_eq!(parts(&cell, &run), [BUILDING]);
}

#[test]
fn more_workers_than_requests_are_the_bounds_too() {
    let cell = cell(130, 100, "queue");
    let run = run(&cell, &[0.2; 100], &Delays::NONE);
    assert_eq!(parts(&cell, &run), [BUILDING]);
}

#[test]
fn every_delay_is_found_in_its_part() {
    let cell = cell(4, 100, "queue");
    let delays = Delays {
        start_s: 0.003,
        between_s: 0.001,
        late_s: vec![0.0005],
        transport_s: 0.002,
    };
    let mut run = run(&cell, &[0.2; 100], &delays);
    run.connecting_s = 4.0 * 0.004;
    run.cpu_s = 4.0 * 0.006;
    assert_eq!(
        parts(&cell, &run),
        [
            (PartKind::Connecting, 0.004),
            // The first, and 24 more for each worker.
            (PartKind::Dispatch, 0.027),
            (PartKind::Server, 0.0125),
            (PartKind::ClientCpu, 0.006),
            (PartKind::Transport, 0.04),
            BUILDING,
        ]
    );
}

#[test]
fn a_slow_answer_makes_a_group_wait_and_a_queue_only_at_its_end() {
    // The server takes 100 ms longer for every eighth answer.
    let mut late_s = vec![0.0; 8];
    late_s[0] = 0.1;
    let delays = Delays {
        late_s,
        ..Delays::NONE
    };
    let chunked = cell(4, 16, "chunked");
    let run_chunked = run(&chunked, &[0.2; 16], &delays);
    assert_eq!(
        parts(&chunked, &run_chunked),
        [
            (PartKind::ChunkBarriers, 0.15),
            (PartKind::Server, 0.05),
            BUILDING
        ]
    );
    // A straggler that is the last to be asked leaves the others idle.
    let queue = cell(4, 16, "queue");
    let mut late_s = vec![0.0; 16];
    late_s[15] = 0.1;
    let delays = Delays {
        late_s,
        ..Delays::NONE
    };
    let run_queue = run(&queue, &[0.2; 16], &delays);
    assert_eq!(
        parts(&queue, &run_queue),
        [
            (PartKind::Server, 0.025),
            (PartKind::TailIdle, 0.075),
            BUILDING
        ]
    );
}

#[test]
fn who_sits_out_the_last_group_waits_for_the_one_before() {
    let mut late_s = vec![0.0; 6];
    late_s[0] = 0.1;
    let delays = Delays {
        late_s,
        ..Delays::NONE
    };
    let cell = cell(4, 6, "chunked");
    let run = run(&cell, &[0.2; 6], &delays);
    assert_eq!(
        parts(&cell, &run),
        [
            (PartKind::ChunkBarriers, 0.075),
            (PartKind::Server, 0.025),
            BUILDING
        ]
    );
}

#[test]
fn a_delay_within_idle_time_of_the_bound_costs_nothing() {
    // Three requests on two workers: one of them has 200 ms to spare.
    let delays = Delays {
        late_s: vec![0.0, 0.15, 0.0],
        ..Delays::NONE
    };
    let cell = cell(2, 3, "queue");
    let run = run(&cell, &[0.2; 3], &delays);
    assert_eq!(run.warm_s, 0.4);
    assert_eq!(parts(&cell, &run), [BUILDING]);
}

#[test]
fn waiting_for_a_limit_of_the_server_is_the_bounds() {
    // Two requests a second are let through; 20 ms are the network's.
    let late_s: Vec<f64> = (0..4).map(|index| 0.5 * f64::from(index)).collect();
    let delays = Delays {
        late_s,
        transport_s: 0.02,
        ..Delays::NONE
    };
    let cell = cell(4, 4, "queue");
    let run = run(&cell, &[0.2; 4], &delays);
    let ideal = Ideal {
        bound_s: 1.7,
        ..fixed(4, 4)
    };
    let split = Split::of(&cell, &[&run], ideal).expect("a split");
    assert!((split.warm_s() - 0.02).abs() < 1e-9);
    assert!(split.parts.iter().all(|part| part.seconds > -1e-9));
}

#[test]
fn a_delay_hidden_in_part_hides_the_same_share_of_each() {
    // The worker of one request has 200 ms to spare, and 100 of them go to the
    // server; each request takes 20 ms longer.
    let delays = Delays {
        late_s: vec![0.0, 0.1, 0.0],
        transport_s: 0.02,
        ..Delays::NONE
    };
    let cell = cell(2, 3, "queue");
    let run = run(&cell, &[0.2; 3], &delays);
    assert_eq!(
        parts(&cell, &run),
        [
            (PartKind::Server, 0.025),
            (PartKind::Transport, 0.015),
            BUILDING
        ]
    );
}

#[test]
fn retries_have_their_part() {
    let delays = Delays {
        transport_s: 0.05,
        ..Delays::NONE
    };
    let cell = cell(2, 2, "queue");
    let mut run = run(&cell, &[0.2; 2], &delays);
    run.retried = Retried {
        index: vec![0, 1],
        started_s: vec![0.0; 2],
        latency_s: vec![0.03; 2],
        waited_s: vec![0.01; 2],
        kind: vec!["status".to_owned(); 2],
        status: vec![Some(503); 2],
    };
    assert_eq!(
        parts(&cell, &run),
        [
            (PartKind::Retries, 0.04),
            (PartKind::Transport, 0.01),
            BUILDING
        ]
    );
}

#[test]
fn figures_that_contradict_each_other_are_not_hidden() {
    let cell = cell(2, 2, "queue");
    let mut run = run(&cell, &[0.2; 2], &Delays::NONE);
    run.connecting_s = 0.01;
    assert_eq!(
        parts(&cell, &run),
        [
            (PartKind::Connecting, 0.005),
            BUILDING,
            (PartKind::Unexplained, -0.005)
        ]
    );
}

#[test]
fn a_record_without_a_mean_lateness_gives_its_median() {
    let delays = Delays {
        transport_s: 0.001,
        ..Delays::NONE
    };
    let cell = cell(2, 2, "queue");
    let mut run = run(&cell, &[0.2; 2], &delays);
    run.server = Some(ServerAccount {
        lateness_p50_s: 0.0004,
        ..ServerAccount::default()
    });
    assert_eq!(parts(&cell, &run)[0], (PartKind::Server, 0.0004));
}

#[test]
fn times_that_are_not_those_of_the_batch_have_no_split() {
    let cell = cell(2, 4, "queue");
    let whole = run(&cell, &[0.2; 4], &Delays::NONE);
    let ideal = fixed(2, 4);
    assert_eq!(Split::of(&cell, &[], ideal), None);
    type Spoil = fn(&mut Outcomes);
    let spoils: [Spoil; 4] = [
        |outcomes| outcomes.index.truncate(3),
        |outcomes| outcomes.latency_s[2] = f64::NAN,
        |outcomes| outcomes.started_s.push(0.1),
        |outcomes| outcomes.worker[1] = u32::MAX,
    ];
    for spoil in spoils {
        let mut spoilt = whole.clone();
        spoil(&mut spoilt.outcomes);
        assert_eq!(Split::of(&cell, &[&spoilt], ideal), None);
    }
}

#[test]
fn two_samples_have_the_split_of_their_mean() {
    let cell = cell(2, 4, "queue");
    let slow = Delays {
        transport_s: 0.002,
        ..Delays::NONE
    };
    let runs = [&Delays::NONE, &slow].map(|delays| run(&cell, &[0.2; 4], delays));
    let split = Split::of(&cell, &[&runs[0], &runs[1]], fixed(2, 4)).expect("a split");
    let middle = runs[0].warm_s.midpoint(runs[1].warm_s);
    assert!((split.warm_s() - (middle - 0.4)).abs() < 1e-12);
}

proptest! {
    #[test]
    fn the_parts_of_any_schedule_add_up_to_the_gap(
        service_s in prop::collection::vec(0.01..1.0_f64, 1..80),
        workers in 1..90_usize,
        chunked: bool,
        start_s in 0.0..0.1_f64,
        between_s in 0.0..0.1_f64,
        late_s in prop::collection::vec(0.0..0.3_f64, 1..10),
        transport_s in 0.0..0.1_f64,
        cpu_s in 0.0..2.0_f64,
    ) {
        let dispatch = if chunked { "chunked" } else { "queue" };
        let cell = cell(workers, service_s.len(), dispatch);
        let delays = Delays { start_s, between_s, late_s, transport_s };
        let mut run = run(&cell, &service_s, &delays);
        run.cpu_s = cpu_s;
        let work_s: f64 = service_s.iter().sum();
        let longest = service_s.iter().copied().fold(0.0, f64::max);
        let bound_s = longest.max(work_s / workers as f64);
        let split = Split::of(&cell, &[&run], ideal(work_s, bound_s)).expect("a split");
        prop_assert!((split.warm_s() - (run.warm_s - bound_s)).abs() < 1e-9);
        let cold_s: f64 = split.parts.iter().map(|part| part.seconds).sum();
        prop_assert!((cold_s - (run.cold_s - bound_s)).abs() < 1e-9);
        for part in &split.parts {
            prop_assert!(part.seconds >= -1e-9, "{part:?}");
        }
        prop_assert!(split.seconds(PartKind::Unexplained).abs() < 1e-9);
        prop_assert!(chunked || split.seconds(PartKind::ChunkBarriers) == 0.0);
    }

    #[test]
    fn requests_of_one_length_lose_to_barriers_only_what_differs(
        requests in 1..200_usize,
        workers in 1..50_usize,
        transport_s in 0.0..0.1_f64,
        chunked: bool,
    ) {
        let dispatch = if chunked { "chunked" } else { "queue" };
        let cell = cell(workers, requests, dispatch);
        let delays = Delays { transport_s, ..Delays::NONE };
        let run = run(&cell, &vec![0.2; requests], &delays);
        let split = Split::of(&cell, &[&run], fixed(workers, requests)).expect("a split");
        let rounds = requests.div_ceil(workers) as f64;
        prop_assert!((split.warm_s() - rounds * transport_s).abs() < 1e-9);
        // The rounds that a worker sits out are longer by what it does not lose.
        let lost = split.seconds(PartKind::Transport) + split.seconds(PartKind::TailIdle);
        prop_assert!((lost - rounds * transport_s).abs() < 1e-9);
    }
}
