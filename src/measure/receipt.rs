//! The receipt: on which machine, by which build, and with which strategies that
//! nobody maintains something was measured.

use std::process::Command;

use super::plan::Plan;
use crate::record::{Discontinued, Receipt};
use crate::strategy::{Catalogue, Entry};

/// The receipt of this build on this machine. What cannot be found out is
/// `unknown`, or 0.
pub fn receipt() -> Receipt {
    let proc_field = |file: &str, field: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(field))?;
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    let memory = proc_field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .or_else(|| Some(sysctl("hw.memsize")?.parse::<u64>().ok()? / 1024));
    Receipt {
        fanout: env!("CARGO_PKG_VERSION").to_owned(),
        revision: env!("FANOUT_REVISION").to_owned(),
        rustc: env!("FANOUT_RUSTC").to_owned(),
        profile: env!("FANOUT_PROFILE").to_owned(),
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        kernel: kernel(),
        cpu: proc_field("/proc/cpuinfo", "model name")
            .or_else(|| sysctl("machdep.cpu.brand_string"))
            .unwrap_or_else(unknown),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        memory_bytes: memory.unwrap_or_default() * 1024,
    }
}

fn kernel() -> String {
    nix::sys::utsname::uname()
        .ok()
        .and_then(|name| Some(name.release().to_str()?.to_owned()))
        .unwrap_or_else(unknown)
}

/// A system value by name, where there is no `/proc`.
fn sysctl(name: &str) -> Option<String> {
    if cfg!(target_os = "linux") {
        return None;
    }
    let output = Command::new("sysctl").args(["-n", name]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The strategies of a plan that rest on what its maintainers have given up.
pub fn discontinued(catalogue: &Catalogue, plan: &Plan) -> Vec<Discontinued> {
    let planned = |entry: &&Entry| plan.cells.iter().any(|cell| cell.strategy == entry.name);
    let entries = catalogue.entries().iter().filter(planned);
    let found = entries.filter_map(|entry| {
        let given_up = entry.discontinued?;
        Some(Discontinued {
            strategy: entry.name.to_owned(),
            instead: given_up.instead.to_owned(),
            advisory: given_up.advisory.to_owned(),
        })
    });
    found.collect()
}
