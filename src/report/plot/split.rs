//! Where the gap went: a bar a strategy, stacked of the parts of its gap.

use std::collections::BTreeMap;

use crate::analysis::scatter::Scatter;
use crate::analysis::summary::{Figures, Row, Summary};
use crate::analysis::{Part, PartKind, Split};
use crate::report::plot::page::{self, WIDTH};
use crate::report::plot::panel::{LABEL, SAMPLE};
use crate::report::plot::scale::{Scale, Spacing};
use crate::report::plot::scene::{Anchor, Frame, Scene, Stroke, Text};
use crate::report::plot::series::Series;
use crate::report::plot::style::{self, Colour, GREY, GRID, INK, PAPER};
use crate::report::{prose, units, words};

/// Left of the key and of names.
const MARGIN: f64 = 18.0;
/// The widest name of a bar.
const WIDEST: f64 = 170.0;
/// Right of the bars: what they come to.
const TOTAL_ROOM: f64 = 168.0;
/// From a bar to the next, and how high it is, in pixels.
const PITCH: f64 = 30.0;
const BAR: f64 = 17.0;
/// The em of what stands in bars and in the key.
const SMALL: f64 = 13.5;
/// The most worker counts that are shown.
const MOST: usize = 3;
/// A part of less than this share of the longest bar is not named in the key.
const UNSEEN: f64 = 0.002;

/// A part's colour, the colour of a text in it, and a short name for there.
pub(in crate::report) fn look(kind: PartKind) -> (Colour, Colour, &'static str) {
    match kind {
        PartKind::Connecting => ((86, 180, 233), INK, "connecting"),
        PartKind::Dispatch => ((230, 159, 0), INK, "between"),
        PartKind::ChunkBarriers => ((204, 121, 167), INK, "barriers"),
        PartKind::Server => ((0, 114, 178), PAPER, "server"),
        PartKind::Retries => ((240, 228, 66), INK, "failed"),
        PartKind::ClientCpu => ((213, 94, 0), INK, "CPU"),
        PartKind::Transport => ((0, 158, 115), INK, "transport"),
        PartKind::TailIdle => ((160, 160, 160), INK, "idle"),
        PartKind::Building => ((222, 222, 222), INK, "building"),
        PartKind::Unexplained => (INK, PAPER, "unexplained"),
    }
}

/// A strategy at a worker count.
struct Bar<'a> {
    name: &'a str,
    row: &'a Row,
    figures: &'a Figures,
    split: &'a Split,
}

impl Bar<'_> {
    /// The parts of the warm runtime: processes that take long to start would
    /// leave no room for any other.
    fn parts(&self) -> impl Iterator<Item = &Part> {
        let parts = self.split.parts.iter();
        parts.filter(|part| part.kind != PartKind::Building)
    }

    /// Where it ends, samples included, in seconds over the bound.
    fn extent(&self) -> (f64, f64) {
        let (below, above): (f64, f64) = self.parts().fold((0.0, 0.0), |(b, a), part| {
            (b + part.seconds.min(0.0), a + part.seconds.max(0.0))
        });
        let (least, most) = self.scatter().extent().unwrap_or_default();
        (below.min(least), above.max(most))
    }

    /// What samples show of the warm runtime over the bound.
    fn scatter(&self) -> Scatter {
        let bound_s = self.row.bound_s.unwrap_or(0.0);
        let over = self.figures.each.warm_s.iter().map(|warm| warm - bound_s);
        Scatter::of(&over.collect::<Vec<_>>())
    }

    /// What it comes to, in words, with the share of the bound if that has room.
    fn total(&self) -> String {
        let over = units::seconds(self.split.warm_s());
        let whole = match self.figures.gap {
            Some(gap) => format!("{over} ({})", units::percent(gap)),
            None => over.clone(),
        };
        if style::text_width(&whole, SMALL, false) > TOTAL_ROOM - 14.0 {
            return over;
        }
        whole
    }
}

/// The plot, or `None` where no cell has a split.
pub(super) fn scene(summary: &Summary) -> Option<Scene> {
    let series = Series::all(summary);
    let panels: Vec<(usize, Vec<Bar<'_>>)> = counts(summary, &series)
        .into_iter()
        .map(|workers| (workers, bars(&series, workers)))
        .collect();
    let all = || panels.iter().flat_map(|(_, bars)| bars);
    all().next()?;

    let title = format!("{}: where the gap went", prose::requests_of(summary));
    let subject = format!(
        "Parts of the gap to the lower bound: {}.",
        prose::batch(summary)
    );
    let mut scene = Scene::new(page::description(&subject, summary), WIDTH);
    let figures = if prose::has_medians(summary) {
        let samples = prose::samples(summary);
        let shown = prose::scatter(summary);
        format!("the median of {samples} samples, below bars: {shown}")
    } else {
        "one sample a bar".to_owned()
    };
    let y = page::head(&mut scene, &title, summary, &figures) + 10.0;
    let mut y = key(&mut scene, &shown_names(summary, all()), y) + 14.0;
    let labels = prose::distinct(all().map(|bar| bar.name), |name| {
        style::fitted(name, LABEL, false, WIDEST)
    });
    let names = labels
        .values()
        .map(|label| style::text_width(label, LABEL, false));
    let left = MARGIN + names.fold(0.0, f64::max).min(WIDEST) + 10.0;
    for (workers, bars) in &panels {
        y = panel(&mut scene, *workers, bars, &labels, left, y);
    }
    let remarks = [
        prose::bound_origin(summary),
        "beside each bar: warm runtime over the bound; building is not in it, and stands in summary.csv".to_owned(),
    ];
    scene.height = page::foot(&mut scene, summary, &remarks, y);
    Some(scene)
}

/// The worker counts to show: the fewest, the most and one between, and the
/// best row's among them.
fn counts(summary: &Summary, series: &[Series<'_>]) -> Vec<usize> {
    let mut counts: Vec<usize> = series
        .iter()
        .flat_map(|series| series.rows.iter().map(|row| series.workers(row)))
        .filter(|workers| !bars(series, *workers).is_empty())
        .collect();
    counts.sort_unstable();
    counts.dedup();
    let Some(last) = counts.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut shown = vec![counts[0], counts[last.div_ceil(2)], counts[last]];
    let best = summary.best_row().map(|row| row.cell.workers_usable);
    if let Some(best) = best.filter(|best| counts.contains(best) && !shown.contains(best)) {
        shown[1] = best;
    }
    shown.sort_unstable();
    shown.dedup();
    shown.truncate(MOST);
    shown
}

/// The bars of a worker count, the shortest first.
fn bars<'a>(series: &'a [Series<'_>], workers: usize) -> Vec<Bar<'a>> {
    let bar = |series: &'a Series<'_>| {
        let mut rows = series.rows.iter();
        let row = rows.find(|row| series.workers(row) == workers)?;
        let figures = row.figures.as_ref()?;
        Some(Bar {
            name: &series.name,
            row,
            figures,
            split: figures.split.as_ref()?,
        })
    };
    let mut bars: Vec<Bar<'_>> = series.iter().filter_map(bar).collect();
    bars.sort_by(|a, b| a.split.warm_s().total_cmp(&b.split.warm_s()));
    bars
}

/// The parts that can be seen in a bar, and what they are called.
fn shown_names<'a>(
    summary: &Summary,
    bars: impl Iterator<Item = &'a Bar<'a>>,
) -> Vec<(PartKind, &'static str)> {
    let bars: Vec<_> = bars.collect();
    let seen = |kind: &PartKind| {
        bars.iter().any(|bar| {
            let (low, high) = bar.extent();
            let of_kind = |part: &&Part| part.kind == *kind;
            let seconds = bar.parts().find(of_kind).map_or(0.0, |part| part.seconds);
            seconds.abs() > UNSEEN * (high - low)
        })
    };
    let kinds = PartKind::ALL.into_iter().filter(seen);
    kinds
        .map(|kind| (kind, words::gap::name(kind, summary)))
        .collect()
}

/// What colours mean. Returns the height below it.
fn key(scene: &mut Scene, names: &[(PartKind, &str)], mut y: f64) -> f64 {
    let mut left = MARGIN;
    for (kind, name) in names {
        let text = Text::new((left + 20.0, y), *name, SMALL);
        if text.frame().right > WIDTH - MARGIN {
            left = MARGIN;
            y += 21.0;
        }
        let text = Text::new((left + 20.0, y), *name, SMALL);
        scene.rectangle((left, y - 6.0), (left + 14.0, y + 6.0), look(*kind).0);
        left = text.frame().right + 18.0;
        scene.text(text);
    }
    y + 22.0
}

/// The bars of one worker count. Returns the height of what comes next.
fn panel(
    scene: &mut Scene,
    workers: usize,
    bars: &[Bar<'_>],
    labels: &BTreeMap<String, String>,
    left: f64,
    y: f64,
) -> f64 {
    let bounds = bars.iter().filter_map(|bar| bar.row.bound_s);
    let reading = match bounds.reduce(f64::max) {
        Some(bound) => format!("time over the bound of {}", units::plain_seconds(bound)),
        None => String::new(),
    };
    page::panel_title(
        scene,
        y,
        &units::counted(workers as u64, "worker"),
        &reading,
    );
    let frame = Frame {
        left,
        top: y + 18.0,
        right: WIDTH - MARGIN,
        bottom: y + 22.0 + bars.len() as f64 * PITCH,
    };
    let extents = bars.iter().map(Bar::extent);
    let (low, high) = extents.fold((0.0_f64, 1e-9_f64), |(low, high), bar| {
        (low.min(bar.0), high.max(bar.1))
    });
    let x = Scale::new(Spacing::Linear, (low, high), (left, WIDTH - TOTAL_ROOM));
    let ticks = x.ticks(80.0);
    for tick in &ticks {
        let place = x.place(*tick);
        scene.line(
            vec![(place, frame.top), (place, frame.bottom)],
            Stroke::new(GRID, 1.0),
        );
        let name = units::plain_seconds(units::billionths(*tick));
        scene.text(
            Text::new((place, frame.bottom + 13.0), name, LABEL)
                .colour(GREY)
                .anchor(Anchor::Middle),
        );
    }
    for (place, bar) in bars.iter().enumerate() {
        let middle = frame.top + 4.0 + (place as f64 + 0.4) * PITCH;
        let name = labels[bar.name].clone();
        scene.text(Text::new((left - 8.0, middle), name, LABEL).anchor(Anchor::End));
        stack(scene, bar, &x, middle);
        let end = x.place(bar.extent().1) + 8.0;
        scene.text(Text::new((end, middle), bar.total(), SMALL).colour(GREY));
    }
    frame.bottom + 46.0
}

/// One bar: parts from zero to the right, and what is negative to the left.
fn stack(scene: &mut Scene, bar: &Bar<'_>, x: &Scale, y: f64) {
    let (mut above, mut below) = (0.0, 0.0);
    for Part { kind, seconds } in bar.parts() {
        let end = if *seconds < 0.0 {
            &mut below
        } else {
            &mut above
        };
        let (from, to) = (x.place(*end), x.place(*end + seconds));
        *end += seconds;
        let (from, to) = (from.min(to), from.max(to));
        if to - from < 0.25 {
            continue;
        }
        let (colour, ink, name) = look(*kind);
        // A sliver of paper tells neighbours apart without their colours.
        let right = (to - 0.75).max(from + 0.25);
        scene.rectangle((from, y - BAR / 2.0), (right, y + BAR / 2.0), colour);
        let text = Text::new(((from + to) / 2.0, y), name, SMALL).colour(ink);
        if style::text_width(name, SMALL, false) + 8.0 < to - from {
            scene.text(text.anchor(Anchor::Middle));
        }
    }
    let zero = x.place(0.0);
    scene.line(
        vec![(zero, y - BAR / 2.0 - 2.0), (zero, y + BAR / 2.0 + 2.0)],
        Stroke::new(INK, 1.2),
    );
    if bar.figures.samples > 1 {
        samples(scene, &bar.scatter(), x, y + BAR / 2.0 + 4.5);
    }
}

/// A dot per sample below a bar, or the interval of their median.
fn samples(scene: &mut Scene, scatter: &Scatter, x: &Scale, y: f64) {
    match scatter {
        Scatter::Each(each) => {
            for over in each {
                scene.sample((x.place(*over), y), SAMPLE, INK);
            }
        }
        Scatter::Median { low, high } => {
            let (from, to) = (x.place(*low), x.place(*high));
            let line = Stroke::new(INK, 1.3);
            scene.line(vec![(from, y), (to, y)], line);
            for end in [from, to] {
                scene.line(vec![(end, y - 2.5), (end, y + 2.5)], line);
            }
        }
    }
}
