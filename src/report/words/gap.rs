//! The parts of a gap in words.

use crate::analysis::{Part, PartKind, Source, Split, Summary};
use crate::report::prose;
use crate::report::units;

/// A part below this share of the whole is summed up with the other small ones.
const SMALL: f64 = 0.03;

/// What a part is called.
pub(crate) fn name(kind: PartKind, summary: &Summary) -> &'static str {
    let source = summary.service.map(|service| service.source);
    match kind {
        // The bound takes every answer to be as fast as the fastest.
        PartKind::Transport if matches!(source, Some(Source::Fastest { .. })) => {
            "slower answers and transport"
        }
        PartKind::Connecting => "connecting",
        PartKind::Dispatch => "before and between requests",
        PartKind::ChunkBarriers => "chunk barriers",
        PartKind::Server => "server late or queueing",
        PartKind::Retries => "failed attempts and the waits after them",
        PartKind::ClientCpu => "client CPU, at most",
        PartKind::Transport => "transport and wake-ups",
        PartKind::TailIdle => "idle at the end",
        PartKind::Building => "building (cold only)",
        PartKind::Unexplained => "unexplained",
    }
}

/// Where the gap of the best row went, in one sentence without its end. `None`
/// without a best row, where it has no gap, and where there are several profiles,
/// each with a best row of its own.
pub(crate) fn sentence(summary: &Summary) -> Option<String> {
    if !summary.profiles.is_empty() {
        return None;
    }
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
        .map(|part| {
            format!(
                "{} {:.0} %",
                name(part.kind, summary),
                100.0 * part.seconds / over_s
            )
        })
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
    fn of_a_server_that_is_not_known_answers_are_slower_than_the_fastest() {
        let record = RecordBuilder::new()
            .service(None)
            .sample("tokio", 1, measured(10, 2.0).latency(0.19))
            .sample("rayon", 1, measured(10, 2.1).latency(0.2))
            .build();
        let said = sentence(&Summary::of(&record)).expect("a gap");
        assert!(said.contains("over the estimated bound"), "{said}");
        let row = super::name(crate::analysis::PartKind::Transport, &Summary::of(&record));
        assert_eq!(row, "slower answers and transport");
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
