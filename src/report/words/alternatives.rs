//! The alternatives to a recommendation, and what they cost.

use crate::analysis::recommend::{Alternative, Change, Difference, Merit};
use crate::record::Purpose;
use crate::report::units;

/// What speaks for an alternative.
pub(crate) fn merit(merit: Merit) -> &'static str {
    match merit {
        Merit::Fastest => "the fastest",
        Merit::LeastMemory => "the least memory",
        Merit::FewerWorkers => "the next fewer workers measured",
        Merit::MoreFailures => "faster, with more failures",
        Merit::Repeated => "for a batch that is run again and again",
        Merit::Once => "for a batch that is run once",
        Merit::WithinBurst => "for this batch alone, which the limit's burst lets through",
    }
}

/// What it costs and saves beside the recommended cell, which is judged for a purpose.
pub(crate) fn cost(other: &Alternative, purpose: Purpose) -> String {
    let Difference {
        runtime: judged,
        workers,
        other_runtime,
        cpu_s,
        memory_bytes,
        failing,
    } = other.difference;
    let workers = (workers != 0).then(|| {
        let by = units::counted(workers.unsigned_abs(), "worker");
        format!("{by} {}", direction(workers > 0, "more", "fewer"))
    });
    let other_runtime = other_runtime.map(|change| {
        let kind = match purpose.other() {
            Purpose::Once => "cold",
            Purpose::Repeated => "warm",
        };
        format!("{kind} {}", runtime(change))
    });
    let cpu = cpu_s.map(|cpu_s| {
        let by = units::seconds(cpu_s.abs());
        format!("{by} {} CPU time", direction(cpu_s > 0.0, "more", "less"))
    });
    let memory = memory_bytes.map(|bytes| {
        let by = units::bytes(bytes.unsigned_abs());
        format!("{by} {} memory", direction(bytes > 0, "more", "less"))
    });
    let failing = failing.map(|failing| {
        format!(
            "{} of its requests fail instead of {}",
            units::share(failing.share),
            units::share(failing.instead_of)
        )
    });
    let parts = [workers, other_runtime, cpu, memory, failing];
    let parts = std::iter::once(runtime(judged)).chain(parts.into_iter().flatten());
    parts.collect::<Vec<_>>().join(", ")
}

fn runtime(change: Change) -> String {
    if change.slower.abs() < 0.0005 {
        return "as fast".to_owned();
    }
    let percent = units::percent(change.slower);
    let percent = percent.trim_start_matches(['+', '-']);
    format!(
        "{percent} {} ({})",
        direction(change.slower > 0.0, "slower", "faster"),
        units::seconds(change.seconds)
    )
}

fn direction(up: bool, more: &'static str, less: &'static str) -> &'static str {
    if up { more } else { less }
}

#[cfg(test)]
mod tests {
    use super::cost;
    use crate::analysis::recommend::{Alternative, Change, Difference, Failing, Merit};
    use crate::record::Purpose;

    fn other(slower: f64, difference: Difference) -> Alternative {
        let runtime = Change {
            seconds: 2.0,
            slower,
        };
        Alternative {
            row: 0,
            merit: Merit::Fastest,
            difference: Difference {
                runtime,
                ..difference
            },
        }
    }

    #[test]
    fn cost_names_every_difference_with_its_direction() {
        let none = Difference {
            runtime: Change {
                seconds: 0.0,
                slower: 0.0,
            },
            workers: 0,
            other_runtime: None,
            cpu_s: None,
            memory_bytes: None,
            failing: None,
        };
        assert_eq!(cost(&other(0.0004, none), Purpose::Once), "as fast");
        let all = Difference {
            workers: -1,
            other_runtime: Some(Change {
                seconds: 1.5,
                slower: -0.25,
            }),
            cpu_s: Some(0.01),
            memory_bytes: Some(-(3 << 20)),
            failing: Some(Failing {
                share: 0.05,
                instead_of: 0.01,
            }),
            ..none
        };
        assert_eq!(
            cost(&other(0.5, all), Purpose::Once),
            "50.0 % slower (2.000 s), 1 worker fewer, warm 25.0 % faster (1.500 s), 10.00 ms more \
             CPU time, 3.0 MiB less memory, 5.00 % of its requests fail instead of 1.00 %"
        );
    }
}
