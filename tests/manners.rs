//! Manners of the command line: help that fits a screen, examples, completions and
//! man pages.

use std::process::Command;

/// Standard output of fanout on a terminal of 80 columns.
fn said(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fanout"))
        .args(arguments)
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const VERBS: [&[&str]; 4] = [&[], &["compare"], &["report"], &["list"]];

#[test]
fn short_help_fits_one_screen() {
    for verb in VERBS {
        let help = said(&[verb, &["-h"]].concat());
        assert!(help.lines().count() <= 24, "{verb:?}:\n{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{verb:?}: {line}");
        }
    }
}

#[test]
fn long_help_has_examples_that_are_not_wrapped() {
    for verb in &VERBS[..3] {
        let help = said(&[verb, &["--help"][..]].concat());
        let examples = help.split_once("Examples:\n").expect("examples").1;
        let examples = examples.split("\n\n").next().unwrap();
        for line in examples.lines() {
            assert!(line.starts_with("  fanout "), "{verb:?}: {line}");
        }
    }
}

#[test]
fn long_help_of_compare_has_what_short_help_leaves_out() {
    let (short, long) = (said(&["compare", "-h"]), said(&["compare", "--help"]));
    for option in ["--retries", "--table", "--secret", "--rate-limit-rate"] {
        assert!(!short.contains(option), "{option}");
        assert!(long.contains(option), "{option}");
    }
}
