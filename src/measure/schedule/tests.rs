use proptest::prelude::*;

use super::*;

/// The reference sweep at a service time of 200 ms: 100 requests, 8 worker
/// counts, six strategies and sequential.
fn reference() -> Vec<Task> {
    let counts = [1, 2, 3, 5, 10, 20, 50, 100];
    let strategies = [8, 8, 8, 8, 8, 8, 1];
    strategies
        .into_iter()
        .flat_map(|measured| counts.into_iter().take(measured))
        .map(task)
        .collect()
}

fn task(workers: usize) -> Task {
    let expected = 100_usize.div_ceil(workers) as f64 * 0.2;
    Task::new(100, workers, Some(expected))
}

/// What was begun and ended, and when.
#[derive(Debug, PartialEq)]
struct Taken {
    turn: Turn,
    from: Duration,
    to: Duration,
}

/// Plays a schedule whose samples each take what `lasts` says, and come to what
/// `came` says.
fn played(
    mut schedule: Schedule,
    lasts: impl Fn(&Turn) -> Duration,
    came: impl Fn(&Turn) -> Came,
) -> Vec<Taken> {
    let mut now = Duration::ZERO;
    let mut running: Vec<(Duration, Turn, Duration)> = Vec::new();
    let mut taken = Vec::new();
    loop {
        match schedule.next(now) {
            Step::Begin(turn) => running.push((now + lasts(&turn), turn, now)),
            Step::Done => {
                assert!(running.is_empty());
                return taken;
            }
            Step::Wait(until) => {
                running.sort_by_key(|(end, turn, _)| (*end, turn.task));
                let first = running.first().map(|(end, ..)| *end);
                match (until, first) {
                    (Some(until), first) if first.is_none_or(|end| until < end) => {
                        assert!(until > now, "waits for what is past");
                        now = until;
                    }
                    (_, None) => panic!("waits for nothing"),
                    _ => {
                        let (to, turn, from) = running.remove(0);
                        now = to;
                        schedule.ended(turn.task, came(&turn));
                        taken.push(Taken { turn, from, to });
                    }
                }
            }
        }
    }
}

fn as_expected(schedule: &Schedule) -> Vec<Taken> {
    let lengths: Vec<_> = schedule.tasks.iter().map(Task::expected).collect();
    played(
        schedule.clone(),
        move |turn| lengths[turn.task],
        |_| Came::default(),
    )
}

fn schedule(tasks: Vec<Task>, enough: Enough, lanes: usize, seed: u64) -> Schedule {
    Schedule::new(tasks, enough, Budget::of(lanes, 2), seed)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn total(taken: &[Taken]) -> f64 {
    let end = taken.iter().map(|taken| taken.to).max();
    end.unwrap_or_default().as_secs_f64()
}

#[test]
fn the_reference_sweep_takes_a_ninth_of_its_serial_time() {
    let overlapped = as_expected(&schedule(reference(), Enough::Samples(3), 16, 1));
    let serial = as_expected(&schedule(reference(), Enough::Samples(3), 1, 1));
    assert_eq!((overlapped.len(), serial.len()), (147, 147));
    assert!((total(&serial) - 859.2).abs() < 0.1, "{}", total(&serial));
    assert!(total(&overlapped) < 96.0, "{}", total(&overlapped));
    assert!(serial.iter().all(|taken| taken.turn.alone));
}

#[test]
fn what_is_expected_to_remain_is_what_it_takes() {
    for lanes in [1, 16] {
        let schedule = schedule(reference(), Enough::Samples(3), lanes, 1);
        let expected = schedule.remaining(Duration::ZERO).unwrap().as_secs_f64();
        let took = total(&as_expected(&schedule));
        // Rounds are alike but for their order.
        assert!((expected / took - 1.0).abs() < 0.05, "{expected} {took}");
    }
}

/// Cells of a server whose service time is not known, with these requests each.
fn unknown(requests: usize, workers: &[usize]) -> Vec<Task> {
    let task = |workers: &usize| Task::new(requests, *workers, None);
    workers.iter().map(task).collect()
}

/// The seconds that remain of a schedule in which a worker has a response every
/// 12 ms, after so many seconds of its first sample.
fn remaining_of_12ms(mut schedule: Schedule, after_s: u64) -> Option<f64> {
    let Step::Begin(turn) = schedule.next(Duration::ZERO) else {
        panic!("nothing begins");
    };
    let now = Duration::from_secs(after_s);
    let workers = schedule.tasks[turn.task].in_flight as u64;
    schedule.progressed(turn.task, workers * after_s * 1000 / 12, now);
    schedule.remaining(now).map(|left| left.as_secs_f64())
}

#[test]
fn time_left_follows_from_responses_so_far() {
    // 20,000 requests take 240 s with one worker and 60 s with four.
    let both = |seed| schedule(unknown(20_000, &[1, 4]), Enough::Samples(2), 1, seed);
    for seed in 0..4 {
        for after in [12, 48] {
            let left = remaining_of_12ms(both(seed), after).expect("an estimate");
            let expected = 2.0 * (240.0 + 60.0) - after as f64;
            assert!((left / expected - 1.0).abs() < 0.01, "{left} {expected}");
        }
        assert_eq!(remaining_of_12ms(both(seed), 0), None);
    }
    let timed = schedule(unknown(20_000, &[1]), Enough::Precise(seconds(600)), 1, 1);
    assert_eq!(remaining_of_12ms(timed, 0), Some(600.0));
}

#[test]
fn a_sample_longer_than_expected_is_extrapolated() {
    let mut schedule = schedule(vec![task(1)], Enough::Samples(1), 1, 1);
    assert!(matches!(schedule.next(Duration::ZERO), Step::Begin(_)));
    let left = |schedule: &Schedule, now| schedule.remaining(seconds(now)).unwrap();
    // 100 requests of 200 ms: what agrees with that changes nothing.
    assert!(!schedule.progressed(0, 45, seconds(10)));
    assert_eq!(left(&schedule, 10), seconds(10));
    assert!(schedule.progressed(0, 50, seconds(30)));
    assert_eq!(left(&schedule, 30), seconds(30));
    // The next sample begins with no response.
    schedule.ended(0, Came::default());
    assert_eq!(left(&schedule, 60), Duration::ZERO);
}

#[test]
fn busy_short_and_unknown_samples_run_alone() {
    let budget = Budget::of(16, 2);
    assert!(task(5).shares(&budget) && task(10).shares(&budget));
    assert!(!task(20).shares(&budget), "100 requests a second");
    assert!(!Task::new(10, 2, Some(1.0)).shares(&budget), "short");
    assert!(!Task::new(100, 1, Some(0.0)).shares(&budget), "no delay");
    assert!(!Task::new(100, 1, None).shares(&budget), "nothing is known");
    assert!(!task(1).shares(&Budget::of(1, 2)), "serial");
    assert!(
        !Task::new(1000, 100, Some(20.0)).shares(&budget),
        "too many in flight"
    );
    // One that turned out to need more CPU than was assumed.
    let mut schedule = schedule(vec![task(10)], Enough::Samples(9), 16, 1);
    let heavy = Came {
        cold_s: Some(2.1),
        cpu_s: 1.0,
        ..Came::default()
    };
    assert!(matches!(schedule.next(Duration::ZERO), Step::Begin(_)));
    schedule.ended(0, heavy);
    assert!(!schedule.tasks[0].shares(&budget));
}

#[test]
fn a_cell_is_done_when_its_interval_is_narrow_or_time_is_over() {
    let tasks = vec![task(100), task(100), task(100)];
    let enough = Enough::Precise(Duration::from_secs(60));
    let taken = played(
        schedule(tasks, enough, 16, 1),
        |_| Duration::from_secs(1),
        |turn| Came {
            runtime_s: match turn.task {
                0 => Some(0.2),
                // Never twice about the same.
                1 => Some(0.2 + 0.01 * f64::from(turn.round % 5)),
                _ => None,
            },
            cold_s: Some(1.0),
            cpu_s: 0.0,
        },
    );
    let samples = |task| taken.iter().filter(|taken| taken.turn.task == task).count();
    // Six are the fewest that give an interval.
    assert_eq!(samples(0), 6);
    assert_eq!(samples(1), 60 - 6 - 3);
    assert_eq!(samples(2), 3, "without any success");
    assert!(total(&taken) <= 60.0);
}

#[test]
fn every_cell_has_one_sample_whatever_the_budget() {
    let enough = Enough::Precise(Duration::ZERO);
    let taken = as_expected(&schedule(reference(), enough, 16, 1));
    assert_eq!(taken.len(), 49);
}

fn tasks() -> impl Strategy<Value = Vec<Task>> {
    let task = (
        1_usize..300,
        1_usize..120,
        proptest::option::of(0.0_f64..30.0),
    );
    proptest::collection::vec(
        task.prop_map(|(requests, workers, expected)| Task::new(requests, workers, expected)),
        1..40,
    )
}

proptest! {
    #[test]
    fn every_cell_has_one_sample_a_round_before_any_has_two(
        tasks in tasks(), lanes in 1_usize..20, samples in 1_u32..4, seed: u64,
    ) {
        let cells = tasks.len();
        let taken = as_expected(&schedule(tasks, Enough::Samples(samples), lanes, seed));
        prop_assert_eq!(taken.len(), cells * samples as usize);
        for round in 0..samples {
            let mut of_round: Vec<_> = taken
                .iter()
                .filter(|taken| taken.turn.round == round)
                .map(|taken| taken.turn.task)
                .collect();
            of_round.sort_unstable();
            prop_assert_eq!(of_round, (0..cells).collect::<Vec<_>>());
        }
        for pair in taken.windows(2) {
            prop_assert!(pair[0].turn.round <= pair[1].turn.round);
        }
    }

    #[test]
    fn the_budget_is_never_exceeded_and_alone_is_alone(
        tasks in tasks(), lanes in 1_usize..20, seed: u64,
    ) {
        let budget = Budget::of(lanes, 2);
        let taken = as_expected(&schedule(tasks.clone(), Enough::Samples(2), lanes, seed));
        for one in taken.iter().filter(|one| one.to > one.from) {
            let beside: Vec<_> = taken
                .iter()
                .filter(|other| other.from <= one.from && one.from < other.to)
                .collect();
            if beside.iter().any(|other| other.turn.alone) {
                prop_assert_eq!(beside.len(), 1);
                continue;
            }
            let tasks = || beside.iter().map(|other| &tasks[other.turn.task]);
            prop_assert!(beside.len() <= lanes);
            prop_assert!(tasks().map(|task| task.in_flight).sum::<usize>() <= budget.in_flight);
            prop_assert!(tasks().map(Task::cpu).sum::<f64>() <= budget.cpu + 1e-9);
        }
    }

    #[test]
    fn the_order_depends_on_the_seed_alone(
        tasks in tasks(), seed: u64, lasts in proptest::collection::vec(0_u64..9_000, 40),
    ) {
        let order = |taken: Vec<Taken>| -> Vec<Turn> {
            taken.into_iter().map(|taken| taken.turn).collect()
        };
        let schedule = schedule(tasks, Enough::Samples(2), 1, seed);
        let slow = played(
            schedule.clone(),
            |turn| Duration::from_millis(lasts[turn.task]),
            |_| Came::default(),
        );
        prop_assert_eq!(order(as_expected(&schedule)), order(slow));
    }
}

#[test]
fn another_seed_and_another_round_give_another_order() {
    let order = |seed, round| -> Vec<usize> {
        as_expected(&schedule(reference(), Enough::Samples(2), 1, seed))
            .iter()
            .filter(|taken| taken.turn.round == round)
            .map(|taken| taken.turn.task)
            .collect()
    };
    assert_ne!(order(1, 0), order(2, 0));
    assert_ne!(order(1, 0), order(1, 1));
}
