//! Turns a summary into what people and programs read: a table on the
//! terminal, CSV, Markdown, JSON, plots, a page.
//!
//! An exporter is one file here that renders a [`Summary`] to bytes, and one
//! line in [`EXPORTS`] where its output belongs in a result directory.

pub mod csv;
pub mod files;
pub mod html;
pub mod json;
pub mod markdown;
pub mod plot;
pub mod table;

mod columns;
mod gap_matrix;
mod matrix;
mod profiles;
mod prose;
mod words;

pub(crate) use crate::analysis::units;

pub use self::columns::dictionary;
pub use self::profiles::write_session;

use std::path::{Path, PathBuf};

use crate::analysis::Summary;
use crate::record::Record;

/// A file of a result directory, and what draws it.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// The file's name within the directory.
    pub file: &'static str,
    /// Its content; `None` where the summary holds nothing that it could show.
    pub render: fn(&Summary) -> Result<Option<Vec<u8>>, RenderError>,
}

/// The files of a result directory, in the order in which they are written.
pub const EXPORTS: &[Export] = &[
    csv::EXPORT,
    markdown::EXPORT,
    html::EXPORT,
    plot::SVG,
    plot::PNG,
    plot::GAP_SVG,
    plot::GAP_PNG,
    plot::SPLIT_SVG,
    plot::SPLIT_PNG,
    plot::LATENCY_SVG,
    plot::LATENCY_PNG,
    plot::TIMELINE_SVG,
    plot::TIMELINE_PNG,
    plot::RESOURCES_SVG,
    plot::RESOURCES_PNG,
    plot::WINS_SVG,
    plot::WINS_PNG,
];

/// The picture that stands for a whole result.
pub const PLOTS: &[Export] = &[plot::SVG, plot::PNG];

/// Why an output could not be rendered. No input should lead here: it is the
/// renderers' own failure, worth reporting with the record that it came from.
#[derive(Debug, thiserror::Error)]
#[error("cannot render {what}: {source}")]
pub struct RenderError {
    /// The output.
    pub what: &'static str,
    /// What the renderer said.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl RenderError {
    /// Names the output that a renderer's error belongs to.
    pub(crate) fn of<E>(what: &'static str) -> impl Fn(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self {
            what,
            source: source.into(),
        }
    }
}

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file's content could not be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] files::WriteError),
}

/// Writes every file of [`EXPORTS`] for a record, and returns their paths.
///
/// # Errors
/// Where a file cannot be rendered or written. See [`write()`].
pub fn write_all(record: &Record, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    write_session(&Summary::of(record), dir)
}

/// Writes some files of a summary into a directory, which is made if need be,
/// and returns the paths of those written.
///
/// Everything is drawn, and written beside its place, before the first file is
/// touched: a disk that fills up leaves the older report as it was. A file that has nothing to show is left out, and an older
/// one of its name removed: it would be taken for this summary's.
///
/// # Errors
/// Where a file cannot be rendered, or the directory cannot be written.
pub fn write(summary: &Summary, dir: &Path, exports: &[Export]) -> Result<Vec<PathBuf>, Error> {
    let mut drawn = Vec::with_capacity(exports.len());
    for export in exports {
        drawn.push((dir.join(export.file), (export.render)(summary)?));
    }
    files::make_directory(dir)?;
    let mut staged = Vec::with_capacity(drawn.len());
    let mut outdated = Vec::new();
    for (path, content) in drawn {
        match content {
            Some(content) => staged.push(files::Staged::write(&path, &content)?),
            None => outdated.push(path),
        }
    }
    for path in outdated {
        files::remove(&path)?;
    }
    let placed = staged.into_iter().map(files::Staged::place);
    Ok(placed.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{EXPORTS, csv, html, markdown, table, write_all};
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, cell, measured, sweep};
    use crate::analysis::summary::Row;
    use crate::record::{Cell, FILE_NAME, Record, Writer};

    fn names(paths: &[std::path::PathBuf]) -> Vec<String> {
        let name = |path: &std::path::PathBuf| path.file_name()?.to_str().map(str::to_owned);
        paths.iter().filter_map(name).collect()
    }

    #[test]
    fn a_result_directory_holds_every_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let out = dir.path().join("results/latest");
        let written = write_all(&sweep(), &out).expect("written");
        let of_one_server = |file: &&str| !file.starts_with("wins.");
        let files = EXPORTS.iter().map(|export| export.file);
        let all: Vec<_> = files.filter(of_one_server).collect();
        assert_eq!(names(&written), all);
        for path in written {
            assert!(fs::metadata(&path).expect("a file").len() > 100, "{path:?}");
        }
        assert_eq!(fs::read_dir(&out).expect("a directory").count(), all.len());
    }

    #[test]
    fn every_table_marks_cells_sampled_beside_others() {
        let mut record = RecordBuilder::new()
            .sample("tokio", 10, measured(100, 2.01))
            .sample("tokio", 20, measured(100, 1.01))
            .build();
        record.samples[0].taken.beside = 9;
        let summary = Summary::of(&record);
        let table = table::render(&summary, table::Look::default());
        let marked: Vec<_> = table.lines().filter(|line| line.starts_with('∥')).collect();
        assert!(
            matches!(marked[..], [line] if line.contains("2.010 s")),
            "{table}"
        );
        let markdown = markdown::render(&summary);
        assert!(markdown.contains("| 10 ∥ | 2 s |"), "{markdown}");
        assert!(
            markdown.contains("| ∥ | tokio + hyper | 10 |"),
            "{markdown}"
        );
        assert!(markdown.contains("| 20 | 1 s |"), "{markdown}");
        let page = html::render(&summary).expect("rendered");
        assert_eq!(page.matches("</bdi> ∥<").count(), 1);
        let csv = csv::render(&summary).expect("rendered");
        let mut rows = ::csv::Reader::from_reader(csv.as_bytes());
        let head = rows.headers().expect("a head").clone();
        let place = head
            .iter()
            .position(|name| name == "beside")
            .expect("a column");
        let beside: Vec<_> = rows
            .records()
            .map(|row| row.expect("a row")[place].to_owned())
            .collect();
        // The fastest first; without a word on sampling it is not told.
        assert_eq!(beside, ["", "9"]);
    }

    #[test]
    fn every_table_marks_cells_whose_requests_are_all_first() {
        let record = RecordBuilder::new()
            .sample("tokio", 100, measured(100, 0.21))
            .sample("tokio", 50, measured(100, 0.41))
            .build();
        let summary = Summary::of(&record);
        let table = table::render(&summary, table::Look::default());
        let marked: Vec<_> = table.lines().filter(|line| line.contains('¹')).collect();
        assert!(
            matches!(marked[..], [line, ..] if line.contains("210.0 ms")),
            "{table}"
        );
        assert!(
            summary.notes.iter().any(
                |note| note.contains("¹ marks 1 of 2 cells") && note.contains("--requests 500")
            ),
            "{:?}",
            summary.notes
        );
        let markdown = markdown::render(&summary);
        assert!(markdown.contains("| 100 ¹ | 200 ms |"), "{markdown}");
        assert!(markdown.contains("| 50 | 400 ms |"), "{markdown}");
        let page = html::render(&summary).expect("rendered");
        assert_eq!(page.matches("</bdi> ¹<").count(), 1);
        let rounds: Vec<_> = summary.rows.iter().map(Row::rounds).collect();
        assert_eq!(rounds, [1, 2]);
    }

    #[test]
    fn every_output_says_alike_that_no_request_succeeded() {
        let record = RecordBuilder::new()
            .sample("tokio", 1, measured(10, 2.0).failed(10, "connect"))
            .build();
        let summary = Summary::of(&record);
        let outputs = [
            table::render(&summary, table::Look::default()),
            markdown::render(&summary),
            html::render(&summary).expect("rendered"),
        ];
        for output in outputs {
            let said = output.to_lowercase();
            assert!(
                said.contains("no cell got valid responses in most of its samples"),
                "{output}"
            );
            assert!(!said.contains("no request succeeded"), "{output}");
        }
    }

    #[test]
    fn a_plot_of_older_figures_does_not_stay_beside_new_ones() {
        let dir = tempfile::tempdir().expect("a directory");
        let whole = RecordBuilder::new()
            .sample("tokio", 1, measured(10, 2.0))
            .build();
        write_all(&whole, dir.path()).expect("written");
        let failed = RecordBuilder::new().error("tokio", 1, "no server").build();
        let written = write_all(&failed, dir.path()).expect("written");
        assert_eq!(
            names(&written),
            ["summary.csv", "summary.md", "report.html"]
        );
        assert!(!dir.path().join("runtime.svg").exists());
        let markdown = fs::read_to_string(dir.path().join("summary.md")).expect("a summary");
        assert!(markdown.contains("nothing to plot"));
        assert!(!markdown.contains("runtime.svg"));
    }

    #[test]
    fn what_cannot_be_written_is_named_with_the_way_out() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("taken");
        fs::write(&file, "a file").expect("written");
        let record = RecordBuilder::new().error("tokio", 1, "no server").build();
        let error = write_all(&record, &file).expect_err("not a directory");
        let message = error.to_string();
        assert!(
            message.contains("taken") && message.contains("--out"),
            "{message}"
        );
        assert_eq!(fs::read_to_string(&file).expect("a file"), "a file");
    }

    #[test]
    fn a_hostile_record_leaves_nothing_that_acts() {
        const HOSTILE: &str = "=HYPERLINK(\"x\")\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}<script>\n\r";
        let dir = tempfile::tempdir().expect("a directory");
        let hostile = |cell: Cell| Cell {
            strategy: HOSTILE.to_owned(),
            client: HOSTILE.to_owned(),
            ..cell
        };
        let record = RecordBuilder::new()
            .session(|session| {
                session.command = HOSTILE.to_owned();
                session.server.url = HOSTILE.to_owned();
                session.receipt.cpu = HOSTILE.to_owned();
                session.verified = HOSTILE.to_owned();
                session.notes = vec![HOSTILE.to_owned()];
            })
            .cell(hostile(cell("tokio", 3, 10)), measured(10, 1.0))
            .cell(
                hostile(cell("tokio", 5, 10)),
                measured(10, 0.9).failed(4, HOSTILE),
            )
            .sample("rayon", 3, measured(10, 1.1))
            .error("smol", 3, HOSTILE)
            .build();
        let mut writer = Writer::create(dir.path(), &record.session).expect("begun");
        for sample in record.samples {
            writer.sample(sample).expect("written");
        }
        writer.finish(record.ending).expect("finished");
        let record = Record::read(&dir.path().join(FILE_NAME)).expect("a record");
        let summary = Summary::of(&record);
        let mut texts = vec![super::table::render(
            &summary,
            super::table::Look::default(),
        )];
        for export in EXPORTS
            .iter()
            .filter(|export| !export.file.ends_with(".png"))
        {
            let content = (export.render)(&summary).expect("rendered");
            texts.extend(content.map(|text| String::from_utf8(text).expect("text")));
        }
        assert!(texts.len() > 5);
        for text in &texts {
            let acting = text
                .chars()
                .find(|c| c.is_control() && *c != '\n' && *c != '\t');
            assert_eq!(acting, None, "{text}");
            assert!(
                !text.contains('\u{202e}')
                    && !text.contains("<script>=")
                    && !text.contains("owned<script>"),
                "{text}"
            );
        }
        let csv = super::csv::render(&summary).expect("rendered");
        let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
        let mut fields = reader.records().flat_map(|row| {
            row.expect("a row")
                .iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        assert!(fields.all(|field| !field.starts_with('=')), "{csv}");
    }
}
