//! `report.html`: the whole report as one page that needs no network. The
//! recommendation first, then plots that answer to pointer and keyboard, the
//! table, the receipts and the method.
//!
//! Texts and the table are written here, as markup, so that they can be read
//! and printed without a script. The plots are drawn in the browser, by the
//! scripts beside this file, from a block of JSON (see `data`).

mod data;
mod drawn;
mod escape;
mod overview;
mod sections;
mod table;

use std::fmt::{self, Write as _};

use self::escape::{json_for_script, markup};
use crate::analysis::Summary;
use crate::report::{Export, RenderError, prose};

/// The file's place in a result directory.
pub const EXPORT: Export = Export {
    file: "report.html",
    render: |summary| Ok(Some(render(summary)?.into_bytes())),
};

const STYLE: &str = include_str!("page.css");

/// In the order in which they need each other.
const SCRIPTS: [&str; 8] = [
    include_str!("scale.js"),
    include_str!("dom.js"),
    include_str!("tooltip.js"),
    include_str!("lines.js"),
    include_str!("bars.js"),
    include_str!("plots.js"),
    include_str!("table.js"),
    include_str!("main.js"),
];

/// The page may load nothing, from anywhere: what it shows is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'";

/// Renders a summary as one HTML document.
///
/// # Errors
/// None that an input is known to lead to.
pub fn render(summary: &Summary) -> Result<String, RenderError> {
    if !summary.profiles.is_empty() {
        let mut page = String::new();
        // Writing to a string cannot fail.
        let _ = overview::document(&mut page, summary);
        return Ok(page);
    }
    let data = serde_json::to_string(&data::Data::of(summary))
        .map_err(RenderError::of("the page's data"))?;
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = document(&mut page, summary, &json_for_script(&data));
    Ok(page)
}

/// Everything before the page's own content.
fn head(out: &mut String, summary: &Summary) -> fmt::Result {
    let title = markup(&prose::batch(summary));
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>fanout: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>"
    )
}

fn document(out: &mut String, summary: &Summary, data: &str) -> fmt::Result {
    head(out, summary)?;
    sections::header(out, summary, &sections::PARTS)?;
    writeln!(out, "<main>")?;
    sections::recommendation(out, summary)?;
    sections::plots(out, summary)?;
    table::section(out, summary)?;
    sections::receipts(out, summary)?;
    sections::method(out, summary)?;
    writeln!(out, "</main>")?;
    writeln!(
        out,
        "<div id=\"tooltip\" role=\"tooltip\" hidden></div>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>"
    )?;
    for script in SCRIPTS {
        writeln!(out, "<script>\n{script}</script>")?;
    }
    writeln!(out, "</body>\n</html>")
}

#[cfg(test)]
mod tests;
