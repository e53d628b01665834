//! What stands around the panels of every plot: title, worker axis, footer.

use crate::analysis::Summary;
use crate::record::Ending;
use crate::report::plot::labels;
use crate::report::plot::panel::LABEL;
use crate::report::plot::scale::Scale;
use crate::report::plot::scene::{Anchor, Scene, Stroke, Text};
use crate::report::plot::series::Series;
use crate::report::plot::style::{self, GREY};
use crate::report::{prose, units, words};

/// The width of a plot in pixels: what a README shows without shrinking it.
pub(super) const WIDTH: f64 = 820.0;
/// Left of the panels: the ticks.
pub(super) const LEFT: f64 = 76.0;
/// Left of the titles.
const MARGIN: f64 = 18.0;
/// The em of the answer, in pixels.
const ANSWER: f64 = 15.5;
/// The em of the small print, in pixels.
const SMALL: f64 = 13.5;

/// Title, answer, and what the figures are. Returns the height below them.
pub(super) fn head(scene: &mut Scene, title: &str, summary: &Summary, figures: &str) -> f64 {
    let room = WIDTH - 2.0 * MARGIN;
    let mut y = 30.0;
    for line in style::wrapped(title, 21.0, true, room) {
        scene.text(Text::new((MARGIN, y), line, 21.0).bold());
        y += 27.0;
    }
    if let Some(answer) = prose::headline(summary) {
        let answer = format!("Fastest warm: {answer}");
        for line in style::wrapped(&answer, ANSWER, false, room) {
            scene.text(Text::new((MARGIN, y), line, ANSWER));
            y += 21.0;
        }
    }
    let receipt = &summary.session.receipt;
    let date = summary
        .session
        .started_at
        .split('T')
        .next()
        .unwrap_or_default();
    let server = match summary.profiles.len() {
        0 => prose::server(&summary.session.server),
        // They are named where they are drawn.
        several => format!("{several} profiles or records"),
    };
    let machine = format!(
        "{server} · {}, {} · {date}",
        prose::one_line(&receipt.cpu),
        units::counted(receipt.cores as u64, "core"),
    );
    small_print(scene, &format!("{figures} · {machine}"), y)
}

/// A plot in words: its subject, and the answer.
pub(super) fn description(subject: &str, summary: &Summary) -> String {
    match prose::headline(summary) {
        Some(answer) => format!("{subject} Fastest warm: {answer}."),
        None if summary.profiles.is_empty() => {
            format!("{subject} {}.", prose::capitalised(words::NO_GOOD_CELL))
        }
        None => subject.to_owned(),
    }
}

/// What the points of a plot over worker counts are.
pub(super) fn medians(summary: &Summary) -> String {
    if !prose::has_medians(summary) {
        return "one sample a point".to_owned();
    }
    let samples = prose::samples(summary);
    format!("medians of {samples} samples, {}", prose::scatter(summary))
}

/// What a plot over worker counts needs said beneath it.
pub(super) fn remarks(summary: &Summary, series: &[Series<'_>]) -> Vec<String> {
    let mut remarks = vec![prose::bound_origin(summary)];
    let mut rows = series.iter().flat_map(|series| &series.rows);
    if rows.any(|row| !row.compares()) {
        remarks.push(
            "×: more requests or samples failed than elsewhere, so the time does not compare"
                .to_owned(),
        );
    }
    if summary.ending != Ending::Complete {
        remarks.push("the session was not finished".to_owned());
    }
    remarks
}

/// What the figures rest on. Returns the height of the plot.
pub(super) fn foot(scene: &mut Scene, summary: &Summary, remarks: &[String], y: f64) -> f64 {
    let receipt = &summary.session.receipt;
    let build = format!(
        "fanout {}, revision {}, {} build",
        receipt.fanout, receipt.revision, receipt.profile
    );
    let mut parts = remarks.to_vec();
    parts.push(prose::one_line(&build));
    small_print(scene, &parts.join(" · "), y) + 2.0
}

/// Small grey lines from a height on. Returns the height below them.
fn small_print(scene: &mut Scene, text: &str, mut y: f64) -> f64 {
    for line in style::wrapped(text, SMALL, false, WIDTH - 2.0 * MARGIN) {
        scene.text(Text::new((MARGIN, y), line, SMALL).colour(GREY));
        y += 18.0;
    }
    y
}

/// The title of a panel: a name, and how its axis is to be read.
pub(super) fn panel_title(scene: &mut Scene, y: f64, name: &str, reading: &str) {
    let title = Text::new((MARGIN, y), name, 15.0).bold();
    let after = title.frame().right + 8.0;
    scene.text(title);
    scene.text(Text::new((after, y), reading, LABEL).colour(GREY));
}

/// The worker axis: ticks at exactly the counts that were measured, as long as
/// they are apart, the names of some of them, and the axis' own name.
pub(super) fn worker_axis(scene: &mut Scene, x: &Scale, workers: &[f64], right: f64, y: f64) {
    let named = named_workers(x, workers);
    let places: Vec<f64> = workers.iter().map(|workers| x.place(*workers)).collect();
    let ticks = if places.windows(2).all(|pair| pair[1] - pair[0] >= 3.0) {
        workers
    } else {
        &named
    };
    for workers in ticks {
        let x = x.place(*workers);
        scene.line(vec![(x, y), (x, y + 5.0)], Stroke::new(GREY, 1.0));
    }
    for workers in &named {
        scene.text(worker_name(x, *workers, y + 18.0));
    }
    let middle = (LEFT + right) / 2.0;
    let name = "workers: most requests in flight at once";
    scene.text(Text::new((middle, y + 39.0), name, LABEL).anchor(Anchor::Middle));
}

fn worker_name(x: &Scale, workers: f64, y: f64) -> Text {
    Text::new((x.place(workers), y), workers.to_string(), LABEL)
        .colour(GREY)
        .anchor(Anchor::Middle)
}

/// The worker counts whose names have room beside each other, ascending.
pub(super) fn named_workers(x: &Scale, workers: &[f64]) -> Vec<f64> {
    let extents: Vec<_> = workers
        .iter()
        .map(|workers| worker_name(x, *workers, 0.0).frame())
        .map(|frame| (frame.left - 4.0, frame.right + 4.0))
        .collect();
    let shown = labels::thinned(&extents, &importance(workers));
    shown.into_iter().map(|index| workers[index]).collect()
}

/// The order in which worker counts may claim room: both ends, then decades,
/// then 2 and 5 times those, then the others, unless these are many.
fn importance(workers: &[f64]) -> Vec<usize> {
    let rank = |index: &usize| {
        let mut leading = workers[*index] as u64;
        while leading > 0 && leading.is_multiple_of(10) {
            leading /= 10;
        }
        match leading {
            _ if *index == 0 || index + 1 == workers.len() => 0,
            1 => 1,
            2 | 5 => 2,
            _ => 3,
        }
    };
    let few = workers.len() <= 24;
    let mut order: Vec<usize> = (0..workers.len())
        .filter(|index| few || rank(index) < 3)
        .collect();
    order.sort_by_key(rank);
    order
}
