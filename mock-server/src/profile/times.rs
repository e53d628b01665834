//! Service times as a profile writes them.

use std::path::Path;
use std::time::Duration;

use super::section::{Given, Section, read_text};
use crate::duration;
use crate::model::ServiceTime;

/// The longest file of recorded times, in bytes: a few million of them.
const LONGEST_TRACE: u64 = 64 << 20;

const KINDS: &str = "fixed, uniform, normal, exponential, lognormal, pareto, percentiles or trace";

/// Reads and checks a service time. `folder` is where a trace's relative path
/// starts.
pub(super) fn read(given: Given, folder: &Path) -> Result<ServiceTime, String> {
    let mut table = given.table()?;
    let kind = table
        .need("kind")
        .map_err(|missing| format!("{missing}: expected {KINDS}"))?
        .text()?;
    let known: &[&str] = match kind.as_str() {
        "fixed" => &["time"],
        "uniform" => &["min", "max"],
        "normal" => &["mean", "sd"],
        "exponential" => &["mean"],
        "lognormal" => &["p50", "p99"],
        "pareto" => &["min", "shape"],
        "percentiles" => &["points"],
        "trace" => &["file", "times"],
        _ => {
            return Err(format!(
                "`service_time.kind` is \"{kind}\": expected {KINDS}"
            ));
        }
    };
    table.only(known)?;
    let mut time = |key| table.need(key)?.time();
    Ok(match kind.as_str() {
        "fixed" => ServiceTime::Fixed(time("time")?),
        "uniform" => {
            let (min, max) = in_order(("min", time("min")?), ("max", time("max")?))?;
            ServiceTime::Uniform { min, max }
        }
        "normal" => ServiceTime::Normal {
            mean: time("mean")?,
            sd: time("sd")?,
        },
        "exponential" => ServiceTime::Exponential {
            mean: time("mean")?,
        },
        "lognormal" => {
            let p50 = table.need("p50")?.positive()?;
            let (p50, p99) = in_order(("p50", p50), ("p99", table.need("p99")?.time()?))?;
            ServiceTime::Lognormal { p50, p99 }
        }
        "pareto" => ServiceTime::Pareto {
            min: time("min")?,
            shape: table.need("shape")?.number(0.1, 100.0)?,
        },
        "percentiles" => percentiles(table.need("points")?)?,
        _ => trace(table, folder)?,
    })
}

fn percentiles(given: Given) -> Result<ServiceTime, String> {
    const KEY: &str = "service_time.points";
    let points = given.list()?.into_iter().map(point);
    let points = points.collect::<Result<Vec<_>, _>>()?;
    let percentiles: Vec<f64> = points.iter().map(|point| point.0).collect();
    if points.len() < 2 || percentiles[0] != 0.0 || percentiles[points.len() - 1] != 100.0 {
        return Err(format!(
            "`{KEY}` has the percentiles {percentiles:?}: expected at least two, the first 0 and the last 100"
        ));
    }
    for pair in points.windows(2) {
        let ((low, fast), (high, slow)) = (pair[0], pair[1]);
        if !(low < high && fast <= slow) {
            return Err(format!(
                "`{KEY}` goes from [{low}, {}] to [{high}, {}]: expected rising percentiles and times that do not fall",
                duration::format(fast),
                duration::format(slow)
            ));
        }
    }
    Ok(ServiceTime::Percentiles(points))
}

/// A percentile and its time.
fn point(given: Given) -> Result<(f64, Duration), String> {
    let wrong = given.wrong("pairs of a percentile and a time, as in [50, \"20ms\"]");
    let pair: [Given; 2] = given
        .list()
        .ok()
        .and_then(|pair| pair.try_into().ok())
        .ok_or(wrong)?;
    let [percentile, time] = pair;
    Ok((percentile.number(0.0, 100.0)?, time.time()?))
}

/// A trace is a list in the profile, or a file with one duration a line.
fn trace(mut table: Section, folder: &Path) -> Result<ServiceTime, String> {
    let times: Vec<Duration> = match (table.get("file"), table.get("times")) {
        (None, Some(times)) => {
            let times = times.list()?.into_iter().map(Given::time);
            times.collect::<Result<_, _>>()?
        }
        (Some(file), None) => {
            let times = recorded(&folder.join(file.text()?))?;
            times.into_iter().map(|(_, time)| time).collect()
        }
        _ => {
            return Err(
                "a trace needs either `service_time.file` or `service_time.times`".to_owned(),
            );
        }
    };
    if times.is_empty() {
        return Err(
            "the trace of `service_time` is empty: expected at least one duration".to_owned(),
        );
    }
    Ok(ServiceTime::Trace(times))
}

/// The times in a file with one duration a line: each as it is written, and read.
fn recorded(path: &Path) -> Result<Vec<(String, Duration)>, String> {
    let text = read_text(path, LONGEST_TRACE)
        .map_err(|error| format!("`service_time.file` is {}: {error}", path.display()))?;
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(at, line)| match duration::parse(line) {
            Ok(time) => Ok((line.to_owned(), time)),
            Err(error) => Err(format!("{}:{}: {error}", path.display(), at + 1)),
        })
        .collect()
}

/// Puts the times of a trace's file in the place of its name, so that nothing has
/// to be read again.
pub(super) fn inline(profile: &mut toml::Table, folder: &Path) -> Result<(), String> {
    let service_time = profile.get_mut("service_time");
    let Some(table) = service_time.and_then(toml::Value::as_table_mut) else {
        return Ok(());
    };
    let is_trace = table.get("kind").and_then(toml::Value::as_str) == Some("trace");
    if is_trace && let Some(file) = table.get("file").and_then(toml::Value::as_str) {
        let times = recorded(&folder.join(file))?;
        let times = times.into_iter().map(|(text, _)| toml::Value::String(text));
        let times = toml::Value::Array(times.collect());
        table.remove("file");
        if table.insert("times".to_owned(), times).is_some() {
            return Err(
                "a trace needs either `service_time.file` or `service_time.times`".to_owned(),
            );
        }
    }
    Ok(())
}

fn in_order(low: (&str, Duration), high: (&str, Duration)) -> Result<(Duration, Duration), String> {
    let ((low_key, low), (high_key, high)) = (low, high);
    if low <= high {
        return Ok((low, high));
    }
    Err(format!(
        "`service_time.{high_key}` is {}: expected at least `{low_key}`, {}",
        duration::format(high),
        duration::format(low)
    ))
}
