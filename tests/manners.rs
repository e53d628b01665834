//! Manners of the command line: help that fits a screen, examples, completions and
//! man pages.

use std::io::Write;
use std::process::{Command, Stdio};

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

const VERBS: [&[&str]; 5] = [&[], &["compare"], &["report"], &["list"], &["serve"]];

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
fn paragraphs_of_help_are_wrapped_once() {
    let help = said(&["compare", "--help"]);
    let last = help
        .split("\n\n")
        .filter(|part| part.starts_with("Cells are"));
    let lines: Vec<_> = last.flat_map(str::lines).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn long_help_of_compare_has_what_short_help_leaves_out() {
    let (short, long) = (said(&["compare", "-h"]), said(&["compare", "--help"]));
    for option in ["--retries", "--table", "--secret", "--rate-limit-rate"] {
        assert!(!short.contains(option), "{option}");
        assert!(long.contains(option), "{option}");
    }
}

#[test]
fn completions_offer_commands_and_options_in_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = said(&["completions", shell]);
        for word in ["compare", "workers", "rate-limit-rate"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("Print completions"), "{shell}");
    }
}

#[test]
fn bash_reads_its_completions() {
    let script = said(&["completions", "bash"]);
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = bash.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    assert!(bash.wait().unwrap().success());
}

#[test]
fn man_pages_are_one_per_command() {
    let dir = tempfile::tempdir().unwrap();
    let man = dir.path().join("man1");
    said(&["man", man.to_str().unwrap()]);
    let mut names: Vec<_> = std::fs::read_dir(&man)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = ["", "-compare", "-list", "-report", "-serve"];
    let mut expected = expected.map(|verb| format!("fanout{verb}.1"));
    expected.sort();
    assert_eq!(names, expected);
    let page = std::fs::read_to_string(man.join("fanout-compare.1")).unwrap();
    assert!(page.contains("\\-\\-workers"), "{page}");
}

#[test]
fn unwritable_man_directory_names_the_way_out() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fanout"))
        .arg("man")
        .arg(file.path())
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("name another directory"), "{message}");
}
