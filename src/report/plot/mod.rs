//! Plots, as SVG for the web and PNG for everywhere else.
//!
//! A plot is laid out as a scene of shapes and texts in
//! logical pixels, and painted from there by either backend: both show the
//! same, and a test can ask a scene whether any two of its labels overlap.

mod labels;
mod lines;
mod page;
mod paint;
mod panel;
mod runtime;
mod scale;
mod scene;
pub(in crate::report) mod series;
pub(in crate::report) mod style;
#[cfg(test)]
mod tests;

use crate::analysis::Summary;
use crate::report::{Export, RenderError};

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
    let scene = runtime::scene(summary);
    scene
        .map(|scene| paint::png(&scene).map_err(RenderError::of(PNG.file)))
        .transpose()
}
