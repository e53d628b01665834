//! Which strategy wins where: a row a strategy, a column a profile, the darker
//! the nearer to the fastest of that profile.

use crate::analysis::Summary;
use crate::analysis::wins::{Contender, bests, contenders, median};
use crate::report::matrix::{self, Field};
use crate::report::plot::page::{self, WIDTH};
use crate::report::plot::panel::LABEL;
use crate::report::plot::scene::{Anchor, Frame, Scene, Text};
use crate::report::plot::style::{self, Colour, GREY, INK, PAPER};
use crate::report::prose::{self, Naming};

/// Left of the names, and right of the last column.
const MARGIN: f64 = 18.0;
/// The widest name of a row.
const WIDEST: f64 = 190.0;
/// The narrowest column, and the widest.
const COLUMN: (f64, f64) = (112.0, 170.0);
/// From a row to the next, and between fields, in pixels.
const PITCH: f64 = 44.0;
const GAP: f64 = 2.0;
/// The em of what stands in fields and in the key.
const SMALL: f64 = 13.0;

/// How a field is painted.
struct Shade {
    /// The most times the fastest that a median may be.
    most: f64,
    fill: Colour,
    ink: Colour,
    name: &'static str,
}

const fn shade(most: f64, fill: Colour, ink: Colour, name: &'static str) -> Shade {
    Shade {
        most,
        fill,
        ink,
        name,
    }
}

/// One hue from dark to light: the order can be seen with any kind of colour
/// vision.
const SHADES: [Shade; 5] = [
    shade(1.0, (0, 90, 145), PAPER, "fastest"),
    shade(1.05, (86, 158, 205), INK, "within 5 %"),
    shade(1.25, (135, 190, 222), INK, "within 25 %"),
    shade(2.0, (196, 222, 238), INK, "up to twice"),
    shade(f64::INFINITY, (233, 240, 246), INK, "more"),
];

/// Where nothing compares, or nothing was measured.
const NOTHING: Colour = (242, 242, 242);

/// The plot, or `None` where there is one profile or nothing was whole.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    let contenders = contenders(summary);
    if !contenders.iter().any(Contender::is_anywhere) {
        return None;
    }
    let naming = Naming::of(summary).without_profile();
    let names: Vec<String> = contenders
        .iter()
        .map(|contender| naming.short(&contender.cell))
        .collect();
    let labels = prose::distinct(names.iter().map(String::as_str), |name| {
        style::fitted(name, LABEL, false, WIDEST)
    });
    let subject = format!("Which strategy wins where: {}.", prose::batch(summary));
    let title = format!("{}: which strategy wins where", prose::batch_size(summary));
    let mut scene = Scene::new(page::description(&subject, summary), WIDTH);
    let figures = if prose::has_medians(summary) {
        let samples = prose::samples(summary);
        format!("the best median of each, of {samples} samples a cell")
    } else {
        "the best of each, one sample a cell".to_owned()
    };
    let y = page::head(&mut scene, &title, summary, &figures) + 10.0;
    let mut y = key(&mut scene, y) + 22.0;
    let names: Vec<String> = names.iter().map(|name| labels[name].clone()).collect();
    let widths = names
        .iter()
        .map(|name| style::text_width(name, LABEL, false));
    let left = MARGIN + widths.fold(0.0, f64::max).min(WIDEST) + 12.0;
    let room = WIDTH - MARGIN - left;
    let fit = ((room / COLUMN.0).floor() as usize).max(1);
    // As many columns in each block, as near as it goes.
    let profiles = summary.profiles.len();
    let fit = profiles.div_ceil(profiles.div_ceil(fit));
    let width = (room / fit as f64).min(COLUMN.1);
    let heads = prose::fitted_profile_names(summary, |name| {
        style::fitted(name, LABEL, true, width - 8.0)
    });
    let columns: Vec<usize> = (0..profiles).collect();
    for block in columns.chunks(fit) {
        for (place, profile) in block.iter().enumerate() {
            let name = heads[*profile].clone();
            let at = (left + (place as f64 + 0.5) * width, y);
            scene.text(Text::new(at, name, LABEL).bold().anchor(Anchor::Middle));
        }
        y += 14.0;
        for (contender, name) in contenders.iter().zip(&names) {
            let at = (left - 12.0, y + PITCH / 2.0);
            scene.text(Text::new(at, name.clone(), LABEL).anchor(Anchor::End));
            for (place, profile) in block.iter().enumerate() {
                let frame = Frame {
                    left: left + place as f64 * width + GAP,
                    top: y + GAP,
                    right: left + (place + 1) as f64 * width - GAP,
                    bottom: y + PITCH - GAP,
                };
                let one = &summary.profiles[*profile];
                let drawn = Field::of(one, contender, *profile);
                field(&mut scene, &drawn, fastest(one), &frame);
            }
            y += PITCH;
        }
        y += 26.0;
    }
    let remarks = [
        matrix::MARKS.to_owned(),
        format!(
            "{} medians; w: the workers that it took; times the fastest of the same profile",
            matrix::kind(summary)
        ),
    ];
    scene.height = page::foot(&mut scene, summary, &remarks, y);
    Some(scene)
}

/// The fastest median of a profile, in seconds.
fn fastest(profile: &Summary) -> f64 {
    let bests = bests(profile);
    bests
        .first()
        .map_or(f64::NAN, |place| median(profile, *place))
}

/// One strategy against one profile, of which the fastest median is known.
fn field(scene: &mut Scene, drawn: &Field, fastest_s: f64, frame: &Frame) {
    let corners = ((frame.left, frame.top), (frame.right, frame.bottom));
    let middle = (
        (frame.left + frame.right) / 2.0,
        (frame.top + frame.bottom) / 2.0,
    );
    let Some(best) = &drawn.best else {
        scene.rectangle(corners.0, corners.1, NOTHING);
        let text = Text::new(middle, drawn.marks.clone(), SMALL).colour(GREY);
        scene.text(text.anchor(Anchor::Middle));
        return;
    };
    let times = best.median_s / fastest_s;
    let fits = |shade: &&Shade| times <= shade.most;
    let shade = SHADES.iter().find(fits).unwrap_or(&SHADES[4]);
    let width = frame.right - frame.left - 6.0;
    let lines = [format!("{}{times:.2} ×", drawn.marks), best.text.clone()];
    scene.rectangle(corners.0, corners.1, shade.fill);
    for (line, dy) in lines.iter().zip([-9.0, 9.0]) {
        let line = style::fitted(line, SMALL, false, width);
        let text = Text::new((middle.0, middle.1 + dy), line, SMALL).colour(shade.ink);
        scene.text(text.anchor(Anchor::Middle));
    }
}

/// What the shades mean. Returns the height below it.
fn key(scene: &mut Scene, y: f64) -> f64 {
    let mut x = MARGIN;
    for shade in &SHADES {
        scene.rectangle((x, y - 7.0), (x + 22.0, y + 7.0), shade.fill);
        let text = Text::new((x + 28.0, y), shade.name, SMALL);
        x = text.frame().right + 20.0;
        scene.text(text);
    }
    y + 14.0
}
