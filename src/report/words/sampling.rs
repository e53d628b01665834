//! How cells were sampled, in sentences.

use crate::analysis::Summary;
use crate::analysis::summary::Row;
use crate::report::units;

/// How cells were sampled, for the receipt.
pub(crate) fn receipt(summary: &Summary) -> String {
    let Some(sampling) = &summary.session.sampling else {
        return "not told".to_owned();
    };
    let until = match (sampling.samples, sampling.budget_s) {
        (Some(samples), _) => {
            let more = summary
                .rows
                .iter()
                .any(|row| row.samples() > samples as usize);
            let more = if more { ", more of the best" } else { "" };
            let samples = units::counted(samples.into(), "sample");
            format!("{samples} of each cell{more}")
        }
        (None, Some(budget)) => format!(
            "until medians are known to 0.5 %, for {} at most",
            units::plain_seconds(budget)
        ),
        (None, None) => "not told".to_owned(),
    };
    let beside = match sampling.lanes {
        0 | 1 => "one after the other".to_owned(),
        lanes => format!("up to {lanes} side by side"),
    };
    format!("{until}; random order, seed {}; {beside}", sampling.seed)
}

/// What is known of the medians' precision, in a sentence.
pub(crate) fn precision(summary: &Summary) -> String {
    let known = |row: &&Row| row.sampled.interval.is_some();
    let known = summary.rows.iter().filter(known).count();
    let few = "with fewer than 6 samples no interval encloses a median with 95 % confidence";
    match known {
        0 => format!("The range of a few samples is no confidence interval: {few}."),
        known if known < summary.rows.len() => format!(
            "`warm_low_s` and `warm_high_s` in `summary.csv` enclose the median with 95 % \
             confidence, whatever the distribution, in {known} of {} cells: {few}.",
            summary.rows.len()
        ),
        _ => "`warm_low_s` and `warm_high_s` in `summary.csv` enclose the median with 95 % \
              confidence, whatever the distribution."
            .to_owned(),
    }
}
