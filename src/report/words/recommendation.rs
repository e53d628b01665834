//! The recommendation in lines, for every output that a person reads.

use super::alternatives;
use crate::analysis::recommend::{Edge, NoPeak, Peak, Recommendation, Scaling, Sustained};
use crate::analysis::summary::Summary;
use crate::record::Purpose;
use crate::report::prose::{self, Naming};
use crate::report::units;

/// Which setting to use, in one sentence without its end. `None` without a
/// recommendation.
pub(crate) fn answer(summary: &Summary) -> Option<String> {
    let advice = summary.recommendation.as_ref()?;
    let row = summary.rows.get(advice.row)?;
    let figures = row.figures.as_ref()?;
    let naming = Naming::of(summary);
    let provisional = match advice.unmeasured.as_slice() {
        [] => String::new(),
        unmeasured => {
            let names: Vec<_> = unmeasured.iter().map(|cell| naming.long(cell)).collect();
            format!(" (provisional: {} not measured)", names.join(" and "))
        }
    };
    Some(format!(
        "{}{} with {}: {}{provisional}",
        naming.long(&row.cell),
        prose::given_up(row),
        units::counted(row.cell.workers_usable as u64, "worker"),
        both_runtimes(advice.purpose, figures.warm_s.median, figures.cold_s.median),
    ))
}

/// Both runtimes, the one that decides first.
fn both_runtimes(purpose: Purpose, warm_s: f64, cold_s: f64) -> String {
    let warm = format!("{} warm", units::seconds(warm_s));
    let cold = format!("{} cold", units::seconds(cold_s));
    match purpose {
        Purpose::Once => format!("{cold}, {warm}"),
        Purpose::Repeated => format!("{warm}, {cold}"),
    }
}

/// What lies beyond the most workers that were measured.
fn edge(edge: &Edge) -> String {
    format!(
        "{} is the most that was measured: with {} the lower bound falls from {} to {}, so try \
         more with --workers.",
        units::counted(edge.workers as u64, "worker"),
        units::count(edge.beyond as u64),
        units::plain_seconds(edge.bound_s),
        units::plain_seconds(edge.beyond_s),
    )
}

/// What the rate limit would do to a longer batch, where the cell does not keep to it.
fn sustained(limit: &Sustained) -> Option<String> {
    if limit.kept {
        return None;
    }
    let (rate, burst) = (units::rate(limit.per_s), units::count(limit.burst));
    let workers = limit.workers.map_or_else(
        || "fewer workers".to_owned(),
        |workers| units::counted(workers as u64, "worker"),
    );
    Some(if limit.fits {
        format!(
            "This holds for batches of up to {burst} requests, which the rate limit lets through \
             at once. Longer ones are held to {rate}: use {workers} for those."
        )
    } else {
        format!(
            "A longer batch would be refused: every measured cell is faster than the rate limit of \
             {rate}, and passed only because a burst of {burst} is let through before. Try \
             {workers}."
        )
    })
}

/// Which runtime decides, and how to ask for the other.
fn judged(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Once => {
            "The cold runtime decides, as for a batch that is run once: building the strategy \
             counts. --for repeated judges the warm one."
        }
        Purpose::Repeated => {
            "The warm runtime decides, as for a batch that is run again and again on a strategy \
             that stays built. --for once judges the cold one."
        }
    }
}

/// The same for each of several profiles, by name; empty for one.
pub(crate) fn answers(summary: &Summary) -> Vec<String> {
    let profiles = summary.profiles.iter().zip(prose::profile_names(summary));
    let of_each = profiles
        .filter_map(|(profile, name)| Some(format!("with {name} use {}", answer(profile)?)));
    of_each.collect()
}

/// The reasons.
pub(crate) fn reasons(summary: &Summary, advice: &Recommendation) -> Vec<String> {
    let why = advice.why.iter();
    let mut reasons: Vec<_> = why.map(|reason| prose::printable(reason)).collect();
    reasons.push(match &advice.scaling {
        Scaling::NoPeak(seen) => prose::printable(&no_peak(*seen, &line(summary, advice))),
        Scaling::Peak(peak) => curve(peak),
    });
    reasons.extend(advice.edge.as_ref().map(edge));
    reasons.extend(advice.sustained.as_ref().and_then(sustained));
    reasons.push(judged(advice.purpose).to_owned());
    reasons
}

/// The alternatives, a line each.
pub(crate) fn alternatives(summary: &Summary, advice: &Recommendation) -> Vec<String> {
    let named = advice.alternatives.iter().filter_map(|other| {
        let row = summary.rows.get(other.row)?;
        Some(format!(
            "{}{} ({}): {}",
            prose::printable(&row.cell.to_string()),
            prose::given_up(row),
            alternatives::merit(other.merit),
            alternatives::cost(other, advice.purpose)
        ))
    });
    named.collect()
}

/// The recommended strategy and what it was combined with.
pub(crate) fn line(summary: &Summary, advice: &Recommendation) -> String {
    let row = summary.rows.get(advice.row);
    row.map(|row| row.cell.line()).unwrap_or_default()
}

/// What was seen of a strategy instead of a peak.
pub(crate) fn no_peak(seen: NoPeak, strategy: &str) -> String {
    match seen {
        NoPeak::Limited => {
            "No curve is fitted: a limit of the server decides the runtime.".to_owned()
        }
        NoPeak::NothingCompares => "No runtime can be compared.".to_owned(),
        NoPeak::OneCount => {
            format!("{strategy} has figures that compare at one worker count only.")
        }
        NoPeak::NotSlower { most } => format!(
            "No peak was seen: {strategy} is not clearly slower with {most} workers, the most \
             that were measured without more failures, than with fewer."
        ),
        NoPeak::TooFewCounts { best, most } => format!(
            "{strategy} is fastest at {best} workers and slower at {most}; too few worker counts \
             were measured to fit a curve."
        ),
    }
}

fn curve(peak: &Peak) -> String {
    let at = match peak.workers {
        Some(workers) => format!("peaks at {workers:.0} workers"),
        None => "has no peak among the counts measured".to_owned(),
    };
    format!(
        "Throughput is highest at {} as measured; the Universal Scalability Law fitted to it \
         {at} (σ = {:.4}, κ = {:.6}, off by {:.1} % on average).",
        units::counted(peak.measured as u64, "worker"),
        peak.sigma,
        peak.kappa,
        100.0 * peak.error
    )
}

#[cfg(test)]
mod tests {
    use super::{alternatives, answer, reasons};
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, cell, measured};
    use crate::record::{Discontinued, RateLimit};

    #[test]
    fn provisional_answer_names_who_was_not_measured() {
        let record = RecordBuilder::new()
            .session(|session| session.planned = vec![cell("tokio", 1, 100), cell("rayon", 1, 100)])
            .sample("rayon", 1, measured(100, 20.1));
        let said = answer(&Summary::of(&record.build())).expect("an answer");
        assert_eq!(
            said,
            "rayon + ureq with 1 worker: 20.10 s cold, 20.10 s warm (provisional: tokio + hyper \
             not measured)"
        );
    }

    #[test]
    fn edge_and_burst_are_said_with_their_numbers() {
        let said = |per_s: f64, counts: &[usize]| {
            let burst = 50;
            let mut record = RecordBuilder::new().session(|session| {
                session.server.limits.rate = Some(RateLimit { per_s, burst });
            });
            for workers in counts {
                let warm_s = 20.1 / *workers as f64;
                record = record.sample("tokio", *workers, measured(100, warm_s));
            }
            let summary = Summary::of(&record.build());
            reasons(&summary, summary.recommendation.as_ref().expect("advice")).join("\n")
        };
        let edge = said(1_000.0, &[1, 2]);
        assert!(
            edge.contains(
                "2 workers is the most that was measured: with 100 the lower bound falls"
            ),
            "{edge}"
        );
        let kept = said(8.0, &[1, 2]);
        assert!(kept.contains("The rate limit of 8/s binds"), "{kept}");
        let all = said(2.0, &[1, 2]);
        assert!(
            all.contains("faster than the rate limit of 2/s") && all.contains("Try fewer workers."),
            "{all}"
        );
    }

    #[test]
    fn discontinued_strategy_is_named_as_such_wherever_it_stands() {
        let record = RecordBuilder::new()
            .session(|session| {
                session.discontinued.push(Discontinued {
                    strategy: "async-std".to_owned(),
                    instead: "smol".to_owned(),
                    advisory: "RUSTSEC-2025-0052".to_owned(),
                });
            })
            .sample("async-std", 20, measured(100, 1.01))
            .sample("async-std", 10, measured(100, 2.01))
            .build();
        let summary = Summary::of(&record);
        let said = answer(&summary).expect("an answer");
        assert!(
            said.starts_with("async-std + hyper (discontinued) with 20"),
            "{said}"
        );
        let advice = summary.recommendation.as_ref().expect("advice");
        let others = alternatives(&summary, advice);
        assert!(others[0].contains("w=10 (discontinued)"), "{others:?}");
    }
}
