//! The recommendation in lines, for every output that a person reads.

use crate::analysis::recommend::{Peak, Recommendation, Scaling};
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
    Some(format!(
        "{} with {}: {}",
        Naming::of(summary).long(&row.cell),
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
    let of_each = summary.profiles.iter().filter_map(|profile| {
        let name = prose::name_of(profile);
        Some(format!("with {name} use {}", answer(profile)?))
    });
    of_each.collect()
}

/// The reasons.
pub(crate) fn reasons(advice: &Recommendation) -> Vec<String> {
    let reasons = advice.why.iter().chain(match &advice.scaling {
        Scaling::NoPeak { seen } => Some(seen),
        Scaling::Peak(_) => None,
    });
    let mut reasons: Vec<_> = reasons.map(|reason| prose::printable(reason)).collect();
    if let Scaling::Peak(peak) = &advice.scaling {
        reasons.push(curve(peak));
    }
    reasons.push(judged(advice.purpose).to_owned());
    reasons
}

/// The alternatives, a line each.
pub(crate) fn alternatives(summary: &Summary, advice: &Recommendation) -> Vec<String> {
    let named = advice.alternatives.iter().filter_map(|other| {
        let cell = &summary.rows.get(other.row)?.cell;
        Some(format!(
            "{} ({}): {}",
            prose::printable(&cell.to_string()),
            other.what,
            other.cost
        ))
    });
    named.collect()
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
