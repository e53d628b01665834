//! The parts of a gap in words.

use crate::analysis::{Part, PartKind, Split, Summary};
use crate::report::prose;
use crate::report::units;

/// A part below this share of the whole is summed up with the other small ones.
const SMALL: f64 = 0.03;

/// What a part is called.
pub(crate) fn name(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Connecting => "connecting",
        PartKind::Dispatch => "before and between requests",
        PartKind::ChunkBarriers => "chunk barriers",
        PartKind::Server => "server late or queueing",
        PartKind::Retries => "failed attempts",
        PartKind::ClientCpu => "client CPU, at most",
        PartKind::Transport => "transport and wake-ups",
        PartKind::TailIdle => "idle at the end",
        PartKind::Building => "building (cold only)",
        PartKind::Unexplained => "unexplained",
    }
}

/// Where the gap of the best row went, in one sentence without its end. `None`
/// without a best row, and where it has no gap.
pub(crate) fn sentence(summary: &Summary) -> Option<String> {
    let split = summary.best_row()?.figures.as_ref()?.split.as_ref()?;
    let over_s = split.warm_s();
    if over_s <= 0.0 {
        return None;
    }
    let mut said: Vec<Part> = warm(split);
    said.retain(|part| part.seconds.abs() >= SMALL * over_s);
    said.sort_by(|a, b| b.seconds.abs().total_cmp(&a.seconds.abs()));
    let mut words: Vec<String> = said
        .iter()
        .map(|part| format!("{} {:.0} %", name(part.kind), 100.0 * part.seconds / over_s))
        .collect();
    let rest = 1.0 - said.iter().map(|part| part.seconds).sum::<f64>() / over_s;
    if rest >= 0.005 {
        words.push(format!("the rest {:.0} %", 100.0 * rest));
    }
    let building = match split.seconds(PartKind::Building) {
        seconds if seconds > 0.0 => format!("; building adds {}", units::seconds(seconds)),
        _ => String::new(),
    };
    Some(format!(
        "its {} over the {}: {}{building}",
        units::seconds(over_s),
        prose::bound_name(summary),
        words.join(", "),
    ))
}

/// The parts of the warm runtime.
fn warm(split: &Split) -> Vec<Part> {
    let parts = split.parts.iter().copied();
    parts
        .filter(|part| part.kind != PartKind::Building)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, measured, sweep};

    #[test]
    fn the_largest_part_comes_first() {
        assert_eq!(
            sentence(&Summary::of(&sweep())).expect("a gap"),
            "its 6.732 ms over the lower bound: transport and wake-ups 94 %, client CPU, at most 3 %, \
             the rest 3 %; building adds 4.000 ms"
        );
    }

    #[test]
    fn no_gap_is_not_explained() {
        let under = RecordBuilder::new().sample("tokio", 20, measured(100, 0.99));
        let failed = measured(100, 2.0).failed(3, "status");
        for record in [under, RecordBuilder::new().sample("tokio", 20, failed)] {
            assert_eq!(sentence(&Summary::of(&record.build())), None);
        }
    }
}
