//! The dictionary of columns, for the documents.

use std::fmt::Write as _;

use super::{COLUMNS, Group, Of, Unit};

/// Describes every column of `summary.csv` and every figure of the JSON report, as
/// Markdown.
pub fn dictionary() -> String {
    let mut text = String::from(
        "# Columns\n\nColumns of `summary.csv`, and figures of the rows of `fanout report --format \
         json`. Medians are over a cell's samples. Fields without a value are empty in CSV and \
         `null` in JSON. The order of the columns in the file differs: new ones are added at its \
         end.\n",
    );
    for group in Group::ALL {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n## {}\n\n| column | unit | JSON | meaning |\n| --- | --- | --- | --- |\n",
            group.title()
        );
        for column in COLUMNS.iter().filter(|column| column.group == group) {
            let place = match column.of {
                _ if column.flat => "in a structure",
                Of::Row(_) => "`rows[]`",
                Of::Figures(_) => "`rows[].figures`",
            };
            let _ = writeln!(
                text,
                "| `{}` | {} | {place} | {} |",
                column.key,
                column.unit.name(),
                column.about
            );
        }
    }
    text
}

impl Group {
    const ALL: [Self; 7] = [
        Self::Setting,
        Self::Runtime,
        Self::Requests,
        Self::Resources,
        Self::Server,
        Self::Gap,
        Self::Sampling,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Setting => "Setting",
            Self::Runtime => "Runtime",
            Self::Requests => "Requests",
            Self::Resources => "Resources",
            Self::Server => "Server",
            Self::Gap => "Parts of the gap",
            Self::Sampling => "Sampling",
        }
    }
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Flag => "true or false",
            Self::Count => "count",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::Fraction => "fraction",
            Self::Rate => "1/s",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::dictionary;

    #[test]
    fn committed_dictionary_is_that_of_the_list() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/columns.md");
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            std::fs::write(&file, dictionary()).expect("written");
        }
        let committed = std::fs::read_to_string(&file).expect("docs/columns.md");
        assert_eq!(
            committed,
            dictionary(),
            "INSTA_UPDATE=always cargo test --lib dictionary writes docs/columns.md"
        );
    }
}
