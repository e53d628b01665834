//! `summary.csv`: a row a cell for spreadsheets and scripts, in machine units.
//!
//! Columns are only ever added at the end, so that readers by place and by
//! name both go on working. A figure that does not exist is an empty field.

use crate::analysis::Summary;
use crate::report::columns::{COLUMNS, RowIn};
use crate::report::{Export, RenderError};

/// The file's place in a result directory.
pub const EXPORT: Export = Export {
    file: "summary.csv",
    render: |summary| Ok(Some(render(summary)?.into_bytes())),
};

/// Renders a summary as CSV with a header.
///
/// # Errors
/// None that an input is known to lead to.
pub fn render(summary: &Summary) -> Result<String, RenderError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = RenderError::of(EXPORT.file);
    writer
        .write_record(COLUMNS.iter().map(|column| column.key))
        .map_err(RenderError::of(EXPORT.file))?;
    for row in RowIn::all(summary) {
        let fields = COLUMNS.iter().map(|column| column.value(&row).field());
        writer
            .write_record(fields.map(no_formula))
            .map_err(&failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| RenderError::of(EXPORT.file)(error.into_error()))?;
    String::from_utf8(bytes).map_err(RenderError::of(EXPORT.file))
}

/// A field that no spreadsheet takes for a formula: text that begins like one
/// gets an apostrophe before it. Numbers stay as they are.
fn no_formula(field: String) -> String {
    let begins_like_one = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if begins_like_one && field.parse::<f64>().is_err() {
        format!("'{field}")
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::analysis::fixture::{RecordBuilder, cell, measured};
    use crate::analysis::{PartKind, Summary};
    use crate::record::Record;

    fn csv(record: &Record) -> String {
        render(&Summary::of(record)).expect("rendered")
    }

    #[test]
    fn a_row_a_cell_in_machine_units() {
        let record = RecordBuilder::new()
            .sample("tokio", 3, measured(100, 6.843))
            .sample("tokio", 3, measured(100, 6.841))
            .sample("rayon", 3, measured(100, 3.2).refused(40, 429))
            .sample("sequential", 20, measured(100, 20.1))
            .error("multiprocess", 3, "no such file")
            .build();
        insta::assert_snapshot!(csv(&record));
    }

    #[test]
    fn text_like_a_formula_is_text() {
        let of = |field: &str| super::no_formula(field.to_owned());
        let link = "=HYPERLINK(\"http://h\")";
        assert_eq!(of(link), format!("'{link}"));
        for text in ["@SUM(A1)", "+1+1", "-1+1", "\t=1"] {
            assert_eq!(of(text), format!("'{text}"));
        }
        for plain in ["-0.5", "1e-9", "tokio", ""] {
            assert_eq!(of(plain), plain);
        }
    }

    #[test]
    fn the_first_columns_keep_their_names_and_order() {
        let header = csv(&RecordBuilder::new().build());
        assert!(header.starts_with(
            "strategy,client,dispatch,reuse,workers,requests,samples,warm_s,cold_s,bound_s,gap,\
             ok,failed,cpu_s,peak_rss_bytes,threads,connections,"
        ));
        assert_eq!(header.lines().count(), 1);
    }

    #[test]
    fn every_part_of_the_gap_has_a_column() {
        let header = csv(&RecordBuilder::new().build());
        for kind in PartKind::ALL {
            let column = format!("gap_{}_s", kind.name().replace('-', "_"));
            assert!(header.contains(&column), "{column}");
        }
    }

    #[test]
    fn throughput_and_percentiles_cover_successful_requests() {
        let record = RecordBuilder::new()
            .sample("tokio", 4, measured(100, 2.0).latency(0.08))
            .sample("tokio", 4, measured(100, 2.5).latency(0.1))
            .sample("tokio", 4, measured(100, 4.0).latency(0.16))
            .sample(
                "rayon",
                4,
                measured(100, 2.0).latency(0.08).failed(40, "status"),
            )
            .build();
        let text = csv(&record);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let head = reader.headers().expect("a header").clone();
        let mut rows = reader.records().map(|row| row.expect("valid"));
        let mut figures = || {
            let row = rows.next().expect("a row");
            ["requests_per_s", "p50_s", "p95_s", "p99_s"].map(|key| {
                let place = head.iter().position(|name| name == key);
                row[place.expect("a column")].to_owned()
            })
        };
        assert_eq!(figures(), ["40", "0.1", "0.16", "0.16"]);
        assert_eq!(figures(), ["30", "0.08", "0.08", "0.08"]);
    }

    #[test]
    fn a_gap_that_does_not_exist_is_an_empty_field() {
        let record = RecordBuilder::new()
            .service(Some(0.0))
            .sample("tokio", 3, measured(10, 0.002))
            .build();
        let text = csv(&record);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let gap = reader
            .headers()
            .expect("a header")
            .iter()
            .position(|name| name == "gap");
        let row = reader.records().next().expect("a row").expect("valid");
        assert_eq!(&row[gap.expect("a gap column")], "");
    }

    #[test]
    fn names_with_commas_and_quotes_stay_in_their_field() {
        let odd = cell("a,\"b\"", 1, 10);
        let text = csv(&RecordBuilder::new().cell(odd, measured(10, 2.0)).build());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().expect("a row").expect("valid");
        assert_eq!(&row[0], "a,\"b\"");
    }
}
