//! What the figures say in sentences, once, so that the terminal, Markdown and
//! the plots say the same.

use std::collections::BTreeSet;

pub(crate) use super::words::naming::{Naming, distinct, processes, runtime_threads};
use crate::analysis::scatter::FEW;
use crate::analysis::summary::{Figures, Row};
use crate::analysis::wins::{self, Rivals};
use crate::analysis::{Source, Summary};
use crate::record::{Cell, Server, ServerKind, Session};
use crate::report::units;

/// The longest reason that a line quotes, in characters.
const LONGEST_REASON: usize = 160;
/// The longest name that a sentence holds, in characters.
const LONGEST_NAME: usize = 60;

/// The marks of a row: ★ the best, ✗ more failures than elsewhere, ! samples that the
/// machine spoiled, ∥ samples that ran beside others, ¹ requests that are each their
/// worker's first.
pub(crate) fn marks(summary: &Summary, index: usize, row: &Row) -> String {
    let place = match row.compares() {
        _ if summary.is_best(index) => "★",
        true => "",
        false => "✗",
    };
    let recommended = if summary.is_recommended(index) {
        "→"
    } else {
        ""
    };
    let spoilt = if row.sampled.spoilt > 0 { "!" } else { "" };
    let kind = kind_marks(row);
    format!("{recommended}{place}{spoilt}{kind}")
}

/// What stands behind the name of a strategy that rests on what its maintainers
/// have given up; the notes say more.
pub(crate) fn given_up(row: &Row) -> &'static str {
    if row.discontinued {
        " (discontinued)"
    } else {
        ""
    }
}

/// Marks a row by what kind of figures it has: those of two kinds do not compare
/// to the last tenths of a per cent.
pub(crate) fn kind_marks(row: &Row) -> &'static str {
    match (row.sampled.was_beside(), row.is_first_round()) {
        (false, false) => "",
        (true, false) => "∥",
        (false, true) => "¹",
        (true, true) => "∥¹",
    }
}

/// What those of the [`kind_marks`] mean that a row has.
pub(crate) fn kinds(summary: &Summary) -> Vec<&'static str> {
    let any = |of: fn(&Row) -> bool| summary.rows.iter().any(of);
    let beside = any(|row| row.sampled.was_beside()).then_some(
        "∥ marks cells whose samples ran beside others. The rest ran alone; gaps of the two kinds \
         do not compare to the last tenths of a per cent",
    );
    let first = any(Row::is_first_round).then_some(
        "¹ marks cells in which each request is its worker's first. A first request costs more \
         than later ones; for those, take a batch of several times as many requests as workers",
    );
    beside.into_iter().chain(first).collect()
}

/// The answers in a sentence each: one, or one for each profile that has one.
pub(crate) fn headlines(summary: &Summary) -> Vec<String> {
    if summary.profiles.is_empty() {
        let fastest = |answer| format!("fastest warm: {answer}");
        return headline(summary).map(fastest).into_iter().collect();
    }
    let answer = |(one, profile): (&Summary, String)| {
        Some(format!("fastest warm with {profile}: {}", headline(one)?))
    };
    let profiles = summary.profiles.iter().zip(profile_names(summary));
    profiles.filter_map(answer).collect()
}

/// The names of a summary's profiles, in their order, each as one short line.
pub(crate) fn profile_names(summary: &Summary) -> Vec<String> {
    fitted_profile_names(summary, |name| shorten(name, LONGEST_NAME))
}

/// The names of a summary's profiles, in their order, each as `fit` shortens it.
pub(crate) fn fitted_profile_names(summary: &Summary, fit: impl Fn(&str) -> String) -> Vec<String> {
    let name = |one: &'_ Summary| one.name.clone().unwrap_or_default();
    let names: Vec<String> = summary.profiles.iter().map(name).collect();
    let labels = distinct(names.iter().map(String::as_str), |name| {
        fit(&printable(name))
    });
    names.iter().map(|name| labels[name].clone()).collect()
}

/// The answer in one sentence. `None` where no cell succeeded, and where the
/// fastest of several profiles would only tell which of them is easiest.
pub(crate) fn headline(summary: &Summary) -> Option<String> {
    if !summary.profiles.is_empty() {
        return None;
    }
    let row = summary.best_row()?;
    let figures = row.figures.as_ref()?;
    let cell = &row.cell;
    let beside = match (figures.gap, row.bound_s) {
        (Some(gap), Some(bound)) => format!(
            ", {} {} the {} of {}",
            units::percent(gap).trim_start_matches(['+', '-']),
            if gap < 0.0 { "under" } else { "over" },
            bound_name(summary),
            units::plain_seconds(bound)
        ),
        _ => String::new(),
    };
    let failed = match figures.pooled.failed {
        0 => String::new(),
        _ => format!(
            ", {} of its requests failed",
            units::share(figures.pooled.share())
        ),
    };
    let level = rivals(wins::rivals(summary));
    Some(format!(
        "{} with {}{level}: {}{beside}{failed}",
        shorten(&Naming::of(summary).long(cell), LONGEST_NAME),
        units::counted(cell.workers_usable as u64, "worker"),
        units::seconds(figures.warm_s.median),
    ))
}

/// How many others the fastest cannot be told from, and why.
fn rivals(rivals: Rivals) -> String {
    let level = match rivals.level {
        0 => String::new(),
        1 => ", and one other within noise".to_owned(),
        others => format!(", and {others} others within noise"),
    };
    let untold = match rivals.untold {
        0 => String::new(),
        1 => ", and one other that so few samples cannot tell from it".to_owned(),
        others => format!(", and {others} others that so few samples cannot tell from it"),
    };
    format!("{level}{untold}")
}

/// What the bound is called: one that rests on the fastest answer is an
/// estimate, and nowhere shown as more.
pub(crate) fn bound_name(summary: &Summary) -> &'static str {
    match summary.service.map(|service| service.source) {
        Some(Source::Fastest { .. }) => "estimated bound",
        _ => "lower bound",
    }
}

/// What the bound can be taken for, in a sentence without its end.
pub(crate) fn bound_standing(summary: &Summary) -> &'static str {
    match summary.service.map(|service| service.source) {
        Some(Source::Fastest { .. }) => {
            "Where answers do not all take equally long, it is too low and gaps say little"
        }
        _ => "No schedule can beat it",
    }
}

/// Where the lower bound comes from.
pub(crate) fn bound_origin(summary: &Summary) -> String {
    if !summary.profiles.is_empty() {
        let profiles = summary.profiles.iter().zip(profile_names(summary));
        let of_each = profiles.map(|(one, name)| format!("{name}: {}", bound_origin(one)));
        return of_each.collect::<Vec<_>>().join("; ");
    }
    format!("{}{}", service_origin(summary), limits(summary))
}

/// The limits that the bound counts beside the service time.
fn limits(summary: &Summary) -> String {
    let limits = summary.model().map(|model| *model.limits());
    let limits = limits.unwrap_or_default();
    let cpu_s = summary.session.conditions.cpu_per_answer_s;
    let rate = limits.rate.map(|rate| {
        let (burst, per_s) = (units::count(rate.burst), units::rate(rate.per_s));
        format!("a rate limit of {per_s} after a burst of {burst}")
    });
    let capacity = limits.capacity.map(|servers| {
        let served = units::counted(servers as u64, "request");
        format!("{served} served at once")
    });
    let link = limits
        .link
        .map(|_| "a link of limited bandwidth".to_owned());
    let cpu =
        (cpu_s > 0.0).then(|| format!("{} of CPU time an answer", units::plain_seconds(cpu_s)));
    let counted: Vec<_> = [rate, capacity, link, cpu].into_iter().flatten().collect();
    if counted.is_empty() {
        return String::new();
    }
    format!("; with {}", counted.join(" and "))
}

fn service_origin(summary: &Summary) -> String {
    match summary.service {
        None => "no lower bound: no service time is stated, and no answer was good".to_owned(),
        Some(service) if service.seconds == 0.0 => {
            "no gap: with a service time of 0 the lower bound is 0".to_owned()
        }
        Some(service) => {
            let time = units::plain_seconds(service.seconds);
            match service.source {
                Source::Stated if service.longest_s.is_some() => {
                    let longest = service.longest_s.unwrap_or(service.seconds);
                    format!(
                        "lower bound: max(Σ s / w, max s) of the service times s that the \
                         server drew, {} on average and {} at most",
                        units::seconds(service.seconds),
                        units::seconds(longest)
                    )
                }
                Source::Stated => format!("lower bound: ceil(N / w) × {time}, as stated"),
                Source::Fastest { .. } => {
                    let name = bound_name(summary);
                    format!("{name}: ceil(N / w) × {time}, from {}", service.source)
                }
            }
        }
    }
}

/// The batch and its server: `100 requests of 200 ms to the bundled server`, and
/// what else it was run under where that is not as usual.
pub(crate) fn batch(summary: &Summary) -> String {
    let batch = if summary.profiles.is_empty() {
        let server = server(&summary.session.server);
        format!("{} to {server}", requests_of(summary))
    } else {
        let names = profile_names(summary).join(", ");
        format!("{}: {names}", batch_size(summary))
    };
    match conditions(&summary.session) {
        conditions if conditions.is_empty() => batch,
        conditions => format!("{batch}; {conditions}"),
    }
}

/// The batch: `100 requests of 200 ms`.
pub(crate) fn requests_of(summary: &Summary) -> String {
    let requests = batch_size(summary);
    match summary.service {
        Some(service) if service.source == Source::Stated && service.seconds == 0.0 => {
            format!("{requests} without delay")
        }
        Some(service) if service.longest_s.is_some() => {
            format!(
                "{requests} of {} on average",
                units::seconds(service.seconds)
            )
        }
        Some(service) if service.source == Source::Stated => {
            format!("{requests} of {}", units::plain_seconds(service.seconds))
        }
        _ => requests,
    }
}

pub(crate) fn batch_size(summary: &Summary) -> String {
    let sizes = requests(summary);
    match (sizes.first(), sizes.last()) {
        (Some(least), Some(most)) if least == most => units::counted(*least as u64, "request"),
        (Some(least), Some(most)) => format!("{least} to {most} requests"),
        _ => "no requests".to_owned(),
    }
}

/// What every cell of a session was run under that is not as usual, in words;
/// empty where nothing is.
pub(crate) fn conditions(session: &Session) -> String {
    let conditions = &session.conditions;
    let mut said = Vec::new();
    if !["", "inventory"].contains(&conditions.workload.as_str()) {
        said.push(format!("workload {}", one_line(&conditions.workload)));
    }
    if conditions.cpu_per_answer_s > 0.0 {
        let work = units::seconds(conditions.cpu_per_answer_s);
        said.push(format!("{work} of CPU work an answer"));
    }
    if conditions.saved {
        let flushed = if conditions.fsync { " and flushed" } else { "" };
        said.push(format!("each body saved{flushed}"));
    }
    if conditions.retries > 0 {
        let attempts = u64::from(conditions.retries) + 1;
        said.push(format!("up to {attempts} attempts a request"));
    }
    if let Some(deadline) = conditions.deadline_s {
        said.push(format!("a deadline of {}", units::plain_seconds(deadline)));
    }
    if conditions.in_order {
        said.push("outcomes in the order of their requests".to_owned());
    }
    said.join(", ")
}

/// Whose server it was.
pub(crate) fn server(server: &Server) -> String {
    match server.kind {
        ServerKind::Bundled => match &server.profile {
            None => "the bundled server".to_owned(),
            Some(profile) => format!("the bundled server, profile {}", one_line(profile)),
        },
        ServerKind::Url => one_line(&server.url),
        ServerKind::Local => "nobody: answers are computed where they are asked for".to_owned(),
    }
}

/// The batch sizes of a summary, ascending.
pub(crate) fn requests(summary: &Summary) -> BTreeSet<usize> {
    summary.rows.iter().map(|row| row.cell.requests).collect()
}

/// How many samples the cells have that were measured: "3", or "3 to 6".
pub(crate) fn samples(summary: &Summary) -> String {
    let measured = summary.rows.iter().filter_map(|row| row.figures.as_ref());
    let samples: BTreeSet<_> = measured.map(|figures| figures.samples).collect();
    match (samples.first(), samples.last()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (_, most) => most.unwrap_or(&0).to_string(),
    }
}

/// What plots show of samples beside their median.
pub(crate) fn scatter(summary: &Summary) -> &'static str {
    let measured = summary.rows.iter().filter_map(|row| row.figures.as_ref());
    let timed: Vec<_> = measured.map(|figures| figures.timed).collect();
    let few = timed.iter().any(|samples| (2..=FEW).contains(samples));
    let many = timed.iter().any(|samples| *samples > FEW);
    match (few, many) {
        (true, true) => {
            "samples are dots, or of more than 12 a bar that holds the median with 95 % confidence"
        }
        (false, true) => "bars hold the median with 95 % confidence",
        _ => "samples are dots",
    }
}

/// Whether any cell has more than one sample, so that there is a median.
pub(crate) fn has_medians(summary: &Summary) -> bool {
    let mut measured = summary.rows.iter().filter_map(|row| row.figures.as_ref());
    measured.any(|figures| figures.samples > 1)
}

/// Whether requests were tried again, or could have been.
pub(crate) fn has_retries(summary: &Summary) -> bool {
    let retried = |row: &Row| row.figures.as_ref().is_some_and(|f| f.usage.retried > 0);
    summary.session.conditions.retries > 0 || summary.rows.iter().any(retried)
}

/// Whether requests were sent again on a new connection.
pub(crate) fn has_resent(summary: &Summary) -> bool {
    let resent = |row: &Row| row.figures.as_ref().is_some_and(|f| f.usage.resent > 0);
    summary.rows.iter().any(resent)
}

/// A line for every cell with failed requests or without a measurement.
pub(crate) fn failures(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &summary.rows {
        if let Some(figures) = &row.figures
            && figures.failed > 0
        {
            lines.push(failed_requests(&row.cell, figures));
        }
        if row.errors > 0 {
            let samples = row.errors + row.figures.as_ref().map_or(0, |figures| figures.samples);
            lines.push(format!(
                "{}: {} of {} came to no measurement: {}",
                row.cell,
                row.errors,
                units::counted(samples as u64, "sample"),
                one_line(
                    row.first_error
                        .as_deref()
                        .unwrap_or("no reason is recorded")
                ),
            ));
        }
    }
    lines
}

fn failed_requests(cell: &Cell, figures: &Figures) -> String {
    let kinds: Vec<_> = figures
        .failures
        .iter()
        .map(|failure| {
            let example = one_line(&failure.example);
            format!(
                "{} {} ({example})",
                units::count(failure.count),
                failure.what()
            )
        })
        .collect();
    format!(
        "{cell}: {} of {} failed in the worst sample: {}",
        units::count(figures.failed),
        units::counted(cell.requests as u64, "request"),
        kinds.join(", "),
    )
}

/// Foreign text as one short line: what a server or a system said may be long,
/// and hold line breaks and terminal codes.
pub(crate) fn one_line(text: &str) -> String {
    shorten(&printable(text), LONGEST_REASON)
}

/// Foreign text in one line, whole.
pub(crate) fn printable(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control(), " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of at most so many characters, the rest of it an ellipsis.
pub(crate) fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A sentence's beginning.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Naming, failures, headline, one_line};
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, cell, measured, sweep};

    #[test]
    fn the_headline_says_what_is_fastest_and_how_near_it_comes() {
        assert_eq!(
            headline(&Summary::of(&sweep())).expect("a best row"),
            "tokio + hyper with 100 workers, and one other within noise: 206.7 ms, 3.37 % over \
             the lower bound of 200 ms"
        );
    }

    #[test]
    fn names_hold_what_tells_cells_apart() {
        let one = RecordBuilder::new().sample("tokio", 1, measured(10, 2.0));
        let other = cell("tokio", 1, 10);
        let naming = Naming::of(&Summary::of(&one.build()));
        assert_eq!(naming.short(&other), "tokio");
        let mut changed = other.clone();
        changed.client = "reqwest".to_owned();
        changed.dispatch = "chunked".to_owned();
        let two = RecordBuilder::new()
            .cell(other, measured(10, 2.0))
            .cell(changed.clone(), measured(10, 2.0));
        let naming = Naming::of(&Summary::of(&two.build()));
        assert_eq!(naming.short(&changed), "tokio+reqwest, chunked");
    }

    #[test]
    fn failures_are_told_with_kind_count_and_reason() {
        let record = RecordBuilder::new()
            .sample(
                "tokio",
                5,
                measured(100, 1.0).failed(60, "status").failed(2, "body"),
            )
            .error("rayon", 5, "too many\nopen files")
            .build();
        assert_eq!(
            failures(&Summary::of(&record)),
            [
                "tokio + hyper, w=5: 62 of 100 requests failed in the worst sample: \
                 60 status (the first status), 2 body (the first body)",
                "rayon + ureq, w=5: 1 of 1 sample came to no measurement: too many open files",
            ]
        );
    }

    #[test]
    fn foreign_text_cannot_move_the_cursor_or_fill_the_screen() {
        assert_eq!(one_line("a\u{1b}[2Jb\r\n  c"), "a [2Jb c");
        assert_eq!(one_line(&"x".repeat(500)).chars().count(), 160);
    }
}
