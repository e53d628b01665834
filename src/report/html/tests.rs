use super::render;
use crate::analysis::Summary;
use crate::analysis::fixture::{RecordBuilder, measured, sweep};
use crate::record::{Ending, Record};

fn page(record: &Record) -> String {
    render(&Summary::of(record)).expect("rendered")
}

/// The page without the scripts and styles that come with it.
fn content(page: &str) -> String {
    let start = page.find("<body>").expect("a body");
    let end = page.find("<script>\n").expect("scripts");
    page[start..end].to_owned()
}

fn data(page: &str) -> serde_json::Value {
    let start = page.find("id=\"data\">").expect("data") + "id=\"data\">".len();
    let end = start + page[start..].find("</script>").expect("its end");
    serde_json::from_str(&page[start..end]).expect("JSON")
}

#[test]
fn the_parts_stand_in_the_order_of_their_weight() {
    let page = page(&sweep());
    let ids = ["recommendation", "plots", "cells", "receipts", "method"];
    let places = ids.map(|id| page.find(&format!("<section id=\"{id}\"")).expect(id));
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_page_says_what_to_use_what_failed_and_what_it_rests_on() {
    let record = RecordBuilder::new()
        .session(|session| session.notes.push("sequential uses 1 worker".to_owned()))
        .sample("tokio", 3, measured(100, 6.843))
        .sample("tokio", 20, measured(100, 1.012))
        .sample("rayon", 3, measured(100, 3.2).failed(40, "status"))
        .sample("sequential", 3, measured(100, 20.1))
        .error("multiprocess", 3, "no such file")
        .build();
    let content = content(&page(&record));
    for said in [
        "<strong>Use tokio + hyper with 20 workers: 1.016 s cold, 1.012 s warm.</strong>",
        "★ <bdi>tokio + hyper</bdi>",
        "✗ <bdi>rayon + ureq</bdi><small>40 status: the first status</small>",
        "<td data-value=\"3\">1 of 3</td>",
        "1 sample without a measurement: no such file",
        "<li>sequential uses 1 worker</li>",
        "<code>fanout compare --samples 3</code>",
        "Example CPU 3000, 2 cores, 8.0 GiB",
    ] {
        assert!(content.contains(said), "{said}");
    }
}

#[test]
fn series_that_begin_alike_have_a_name_each() {
    let [north, south] = ["north", "south"].map(|end| format!("{}/{end}", "/profiles".repeat(9)));
    let record = RecordBuilder::new()
        .sample(&north, 20, measured(100, 1.1))
        .sample(&south, 20, measured(100, 1.2))
        .build();
    let data = data(&page(&record));
    let name = |place: usize| data["series"][place]["name"].clone();
    assert_eq!([name(0), name(1)], ["…north", "…south"]);
}

#[test]
fn bound_of_page_falls_in_steps() {
    let record = RecordBuilder::new()
        .sample("tokio", 50, measured(100, 0.41))
        .sample("tokio", 100, measured(100, 0.21))
        .build();
    let bounds = data(&page(&record))["bounds"].clone();
    assert_eq!(
        bounds[0]["steps"],
        serde_json::json!([[50, 0.4, null], [100, 0.2, null]])
    );
    assert_eq!(
        bounds[0]["texts"],
        serde_json::json!([[50, "400 ms"], [100, "200 ms"]])
    );
}

#[test]
fn page_has_each_of_few_samples_and_an_interval_of_many() {
    let gap = |samples: u32| {
        let mut builder = RecordBuilder::new();
        for round in 0..samples {
            let runtime = 1.0 + 0.01 * f64::from(round + 1);
            builder = builder.sample("tokio", 20, measured(100, runtime));
        }
        data(&page(&builder.build()))["series"][0]["points"][0]["gap"].clone()
    };
    let (one, few, many) = (gap(1), gap(3), gap(13));
    assert!(one["samples"].is_null() && one["interval"].is_null());
    assert_eq!(few["samples"], serde_json::json!([0.01, 0.02, 0.03]));
    assert!(few["interval"].is_null() && many["samples"].is_null());
    assert_eq!(many["interval"], serde_json::json!([0.03, 0.11]));
}

#[test]
fn foreign_text_is_never_markup() {
    let attack = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'<!--";
    let record = RecordBuilder::new()
        .session(|session| {
            session.command = attack.to_owned();
            session.server.url = attack.to_owned();
            session.receipt.cpu = attack.to_owned();
            session.started_at = attack.to_owned();
            session.notes.push(attack.to_owned());
            session.verified = attack.to_owned();
        })
        .sample(attack, 3, measured(100, 6.9).failed(1, attack))
        .error(attack, 5, attack)
        .build();
    let content = content(&page(&record));
    assert!(
        !content.contains("<script>") && !content.contains("<img") && !content.contains("<!--")
    );
    assert_eq!(
        content.matches("</script").count(),
        1,
        "the end of the data alone"
    );
    let name = data(&page(&record))["series"][0]["name"].to_string();
    assert!(name.contains("</script><script>alert(1)"), "{name}");
}

#[test]
fn the_page_names_no_address_to_load_from() {
    let page = page(&sweep());
    for loading in [
        "src=",
        "@import",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "<link",
    ] {
        assert!(!page.contains(loading), "{loading}");
    }
    let addresses = page.matches("http://").count() + page.matches("https://").count();
    // The server's, in the receipts, and the name of SVG.
    assert_eq!(addresses, 2);
}

#[test]
fn figures_that_do_not_exist_are_told_as_such() {
    let records = [
        RecordBuilder::new().build(),
        RecordBuilder::new().error("tokio", 3, "no server").build(),
        RecordBuilder::new()
            .service(None)
            .sample("tokio", 3, measured(10, 2.0).failed(10, "timeout"))
            .ending(Ending::CutOff)
            .build(),
        RecordBuilder::new()
            .service(Some(0.0))
            .sample("tokio", 1, measured(1, 0.0))
            .build(),
    ];
    for record in records {
        let content = content(&page(&record));
        for wrong in ["NaN", "undefined", "inf", "Infinity"] {
            let words = content.split(|c: char| !c.is_alphanumeric());
            assert_eq!(words.filter(|word| *word == wrong).count(), 0, "{wrong}");
        }
    }
    let unmeasured = RecordBuilder::new().error("tokio", 3, "no server").build();
    let content = content(&page(&unmeasured));
    assert!(content.contains("1 sample without a measurement: no server"));
    assert!(content.contains("nothing to plot"));
}

#[test]
fn every_row_of_the_table_has_as_many_cells_as_its_head() {
    let content = content(&page(&sweep()));
    let table = &content[content.find("<table id=\"table\">").expect("a table")..];
    let table = &table[..table.find("</table>").expect("its end")];
    let cells = |row: &str| row.matches("<th ").count() + row.matches("<td").count();
    let rows: Vec<_> = table.split("<tr").skip(1).collect();
    assert_eq!(rows.len(), 42);
    for row in &rows {
        assert_eq!(cells(row), cells(rows[0]), "{row}");
    }
}

#[test]
fn page_of_several_profiles_leads_to_each_with_its_recommendation() {
    let summary = Summary::of(&crate::analysis::fixture::two_profiles());
    let page = render(&summary).expect("rendered");
    for text in [
        "steady: use tokio + hyper with 20 workers",
        "slow: use rayon + ureq with 20 workers",
        "href=\"steady/report.html\"",
        "href=\"slow/report.html\"",
        "Who wins where",
        "<td>≈ 1.036 s, w=20</td>",
        "<strong>→ ★ 2.024 s, w=20</strong>",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(!page.contains("<script"));
}
