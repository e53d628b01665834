//! What stands around the panels of every plot: title, worker axis, footer.

use crate::analysis::Summary;
use crate::report::plot::labels;
use crate::report::plot::panel::LABEL;
use crate::report::plot::scale::Scale;
use crate::report::plot::scene::{Anchor, Scene, Stroke, Text};
use crate::report::plot::style::{self, GREY};
use crate::report::{prose, units};

/// The width of a plot in pixels: what a README shows without shrinking it.
pub(super) const WIDTH: f64 = 880.0;
/// Left of the panels: the ticks.
pub(super) const LEFT: f64 = 74.0;
/// Left of the titles.
const MARGIN: f64 = 18.0;
/// The em of the small print, in pixels.
const SMALL: f64 = 13.0;

/// Title and subtitle. Returns the height below them.
pub(super) fn head(scene: &mut Scene, title: &str, summary: &Summary) -> f64 {
    let room = WIDTH - 2.0 * MARGIN;
    let mut y = 30.0;
    for line in style::wrapped(title, 21.0, true, room) {
        scene.text(Text::new((MARGIN, y), line, 21.0).bold());
        y += 27.0;
    }
    y -= 2.0;
    let receipt = &summary.session.receipt;
    let date = summary
        .session
        .started_at
        .split('T')
        .next()
        .unwrap_or_default();
    let machine = format!(
        "{}, {} · {date}",
        prose::one_line(&receipt.cpu),
        units::counted(receipt.cores as u64, "core"),
    );
    let samples = match prose::samples(summary) {
        0 | 1 => "one sample".to_owned(),
        many => format!("median of {many} samples, bars from the fastest to the slowest"),
    };
    small_print(scene, &format!("{samples} · {machine}"), y)
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

/// Ticks at exactly the worker counts that were measured, with as many of
/// their names as have room, and the axis' name.
pub(super) fn worker_axis(scene: &mut Scene, x: &Scale, workers: &[f64], right: f64, y: f64) {
    let names: Vec<Text> = workers
        .iter()
        .map(|workers| {
            Text::new((x.place(*workers), y + 18.0), workers.to_string(), LABEL)
                .colour(GREY)
                .anchor(Anchor::Middle)
        })
        .collect();
    let extents: Vec<_> = names
        .iter()
        .map(|name| (name.frame().left - 4.0, name.frame().right + 4.0))
        .collect();
    for workers in workers {
        let x = x.place(*workers);
        scene.line(vec![(x, y), (x, y + 5.0)], Stroke::new(GREY, 1.0));
    }
    for index in labels::thinned(&extents, &importance(workers)) {
        scene.text(names[index].clone());
    }
    let middle = (LEFT + right) / 2.0;
    let axis = Text::new(
        (middle, y + 39.0),
        "workers: most requests in flight at once",
        LABEL,
    );
    scene.text(axis.anchor(Anchor::Middle));
}

/// The order in which worker counts may claim room: both ends, then decades,
/// then 2 and 5 times those, then the others.
fn importance(workers: &[f64]) -> Vec<usize> {
    let rank = |index: usize| {
        let count = workers[index];
        let leading = count / 10_f64.powf(count.log10().floor());
        if index == 0 || index + 1 == workers.len() {
            0
        } else if leading == 1.0 {
            1
        } else if leading == 2.0 || leading == 5.0 {
            2
        } else {
            3
        }
    };
    let mut order: Vec<usize> = (0..workers.len()).collect();
    order.sort_by_key(|index| rank(*index));
    order
}
