//! Hands the build's receipt to the program: source revision, compiler, profile.

use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let profile = std::env::var("PROFILE").unwrap_or_else(|_| "unknown".to_owned());
    set("RUSTC", &output(&rustc, &["--version"]));
    set("REVISION", &revision());
    set("PROFILE", &profile);
    let mut watched = ["build.rs", "src", "mock-server/src"]
        .map(str::to_owned)
        .to_vec();
    for file in ["HEAD", "logs/HEAD"] {
        watched.push(output("git", &["rev-parse", "--git-path", file]));
    }
    // In a package some are not there, and watching for them would make every
    // build a new one.
    watched.retain(|path| std::path::Path::new(path).exists());
    for path in watched {
        println!("cargo::rerun-if-changed={path}");
    }
}

fn revision() -> String {
    let revision = output("git", &["rev-parse", "--short=12", "HEAD"]);
    let sources = [
        "status",
        "--porcelain",
        "--",
        "src",
        "mock-server/src",
        "build.rs",
        "mock-server/Cargo.toml",
        "Cargo.toml",
        "Cargo.lock",
    ];
    match output("git", &sources).as_str() {
        "" | "unknown" => revision,
        _ => format!("{revision}+changes"),
    }
}

fn set(name: &str, value: &str) {
    println!("cargo::rustc-env=FANOUT_{name}={value}");
}

/// What a command prints; `unknown` where it cannot be run or fails.
fn output(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
