//! Plots, as SVG for the web and PNG for everywhere else.
//!
//! A plot is laid out as a scene of shapes and texts in
//! logical pixels, and painted from there by either backend: both show the
//! same, and a test can ask a scene whether any two of its labels overlap.

mod gap;
mod labels;
mod latency;
mod layout;
mod lines;
mod page;
mod paint;
mod panel;
mod resources;
mod runtime;
mod scale;
mod scene;
pub(in crate::report) mod series;
pub(in crate::report) mod split;
pub(in crate::report) mod style;
#[cfg(test)]
mod tests;
mod timeline;
mod wins;

use crate::analysis::Summary;
use crate::report::{Export, RenderError};
use scene::Scene;

/// `runtime.svg`, see [`runtime_svg`].
pub const SVG: Export = Export {
    file: "runtime.svg",
    render: |summary| Ok(runtime_svg(summary)?.map(String::into_bytes)),
};

/// `runtime.png`, see [`runtime_png`].
pub const PNG: Export = Export {
    file: "runtime.png",
    render: runtime_png,
};

/// The gap against workers, as SVG.
pub const GAP_SVG: Export = Export {
    file: "gap.svg",
    render: |summary| svg(gap::scene(summary), GAP_SVG.file),
};

/// The same plot as PNG.
pub const GAP_PNG: Export = Export {
    file: "gap.png",
    render: |summary| png(gap::scene(summary), GAP_PNG.file),
};

/// CPU time and peak memory against workers, as SVG.
pub const RESOURCES_SVG: Export = Export {
    file: "resources.svg",
    render: |summary| svg(resources::scene(summary), RESOURCES_SVG.file),
};

/// The same plot as PNG.
pub const RESOURCES_PNG: Export = Export {
    file: "resources.png",
    render: |summary| png(resources::scene(summary), RESOURCES_PNG.file),
};

/// How latencies are distributed at the best row's worker count, as SVG.
pub const LATENCY_SVG: Export = Export {
    file: "latency.svg",
    render: |summary| svg(latency::scene(summary), LATENCY_SVG.file),
};

/// The same plot as PNG.
pub const LATENCY_PNG: Export = Export {
    file: "latency.png",
    render: |summary| png(latency::scene(summary), LATENCY_PNG.file),
};

/// Requests by worker over time, for the summary's timelines, as SVG.
pub const TIMELINE_SVG: Export = Export {
    file: "timeline.svg",
    render: |summary| svg(timeline::scene(summary), TIMELINE_SVG.file),
};

/// The same plot as PNG.
pub const TIMELINE_PNG: Export = Export {
    file: "timeline.png",
    render: |summary| png(timeline::scene(summary), TIMELINE_PNG.file),
};

/// The parts of the gap, for up to three worker counts, as SVG.
pub const SPLIT_SVG: Export = Export {
    file: "split.svg",
    render: |summary| svg(split::scene(summary), SPLIT_SVG.file),
};

/// The same plot as PNG.
pub const SPLIT_PNG: Export = Export {
    file: "split.png",
    render: |summary| png(split::scene(summary), SPLIT_PNG.file),
};

/// Which strategy wins where, of several profiles, as SVG.
pub const WINS_SVG: Export = Export {
    file: "wins.svg",
    render: |summary| svg(wins::scene(summary), WINS_SVG.file),
};

/// The same plot as PNG.
pub const WINS_PNG: Export = Export {
    file: "wins.png",
    render: |summary| png(wins::scene(summary), WINS_PNG.file),
};

/// Runtime against workers beside the lower bound, and beneath it the gap to
/// the bound, as SVG. `None` where no sample was measured.
///
/// # Errors
/// None that an input is known to lead to.
pub fn runtime_svg(summary: &Summary) -> Result<Option<String>, RenderError> {
    let scene = runtime::scene(summary);
    scene
        .map(|scene| paint::svg(&scene).map_err(RenderError::of(SVG.file)))
        .transpose()
}

/// The same plot as PNG, at twice its size in pixels for sharp screens.
///
/// # Errors
/// None that an input is known to lead to.
pub fn runtime_png(summary: &Summary) -> Result<Option<Vec<u8>>, RenderError> {
    png(runtime::scene(summary), PNG.file)
}

fn svg(scene: Option<Scene>, file: &'static str) -> Result<Option<Vec<u8>>, RenderError> {
    let painted = scene.map(|scene| paint::svg(&scene).map_err(RenderError::of(file)));
    Ok(painted.transpose()?.map(String::into_bytes))
}

fn png(scene: Option<Scene>, file: &'static str) -> Result<Option<Vec<u8>>, RenderError> {
    let painted = scene.map(|scene| paint::png(&scene).map_err(RenderError::of(file)));
    painted.transpose()
}
