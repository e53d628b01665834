//! Service times as a profile writes them.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::range::{Time, number, positive};
use crate::duration;
use crate::model::ServiceTime;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum RawTime {
    Fixed {
        time: Time,
    },
    Uniform {
        min: Time,
        max: Time,
    },
    Normal {
        mean: Time,
        sd: Time,
    },
    Exponential {
        mean: Time,
    },
    Lognormal {
        p50: Time,
        p99: Time,
    },
    Pareto {
        min: Time,
        shape: f64,
    },
    Percentiles {
        points: Vec<(f64, Time)>,
    },
    Trace {
        file: Option<String>,
        times: Option<Vec<Time>>,
    },
}

/// Reads and checks a service time. `folder` is where a trace's relative path
/// starts.
pub(super) fn read(raw: RawTime, folder: &Path) -> Result<ServiceTime, String> {
    Ok(match raw {
        RawTime::Fixed { time } => ServiceTime::Fixed(time.0),
        RawTime::Uniform { min, max } => {
            let (min, max) = in_order(("min", min), ("max", max))?;
            ServiceTime::Uniform { min, max }
        }
        RawTime::Normal { mean, sd } => ServiceTime::Normal {
            mean: mean.0,
            sd: sd.0,
        },
        RawTime::Exponential { mean } => ServiceTime::Exponential { mean: mean.0 },
        RawTime::Lognormal { p50, p99 } => {
            positive("service_time.p50", p50)?;
            let (p50, p99) = in_order(("p50", p50), ("p99", p99))?;
            ServiceTime::Lognormal { p50, p99 }
        }
        RawTime::Pareto { min, shape } => ServiceTime::Pareto {
            min: min.0,
            shape: number("service_time.shape", shape, 0.1, 100.0)?,
        },
        RawTime::Percentiles { points } => percentiles(&points)?,
        RawTime::Trace { file, times } => trace(file, times, folder)?,
    })
}

fn percentiles(points: &[(f64, Time)]) -> Result<ServiceTime, String> {
    const KEY: &str = "service_time.points";
    let percentiles: Vec<f64> = points.iter().map(|point| point.0).collect();
    if points.len() < 2 || percentiles[0] != 0.0 || percentiles[points.len() - 1] != 100.0 {
        return Err(format!(
            "`{KEY}` has the percentiles {percentiles:?}: expected at least two, the first 0 and the last 100"
        ));
    }
    for pair in points.windows(2) {
        let ((low, Time(fast)), (high, Time(slow))) = (pair[0], pair[1]);
        // Written so that a percentile that is no number fails as well.
        if !(low < high && fast <= slow) {
            return Err(format!(
                "`{KEY}` goes from [{low}, {}] to [{high}, {}]: expected rising percentiles and times that do not fall",
                duration::format(fast),
                duration::format(slow)
            ));
        }
    }
    let points = points
        .iter()
        .map(|&(percentile, Time(time))| (percentile, time))
        .collect();
    Ok(ServiceTime::Percentiles(points))
}

/// A trace is a list in the profile, or a file with one duration a line.
fn trace(
    file: Option<String>,
    times: Option<Vec<Time>>,
    folder: &Path,
) -> Result<ServiceTime, String> {
    let times: Vec<Duration> = match (file, times) {
        (None, Some(times)) => times.into_iter().map(|Time(time)| time).collect(),
        (Some(file), None) => {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("`service_time.file` is {}: {error}", path.display()))?;
            let lines = text.lines().map(str::trim).enumerate();
            lines
                .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
                .map(|(at, line)| {
                    duration::parse(line)
                        .map_err(|error| format!("{}:{}: {error}", path.display(), at + 1))
                })
                .collect::<Result<_, _>>()?
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

fn in_order(low: (&str, Time), high: (&str, Time)) -> Result<(Duration, Duration), String> {
    let ((low_key, Time(low)), (high_key, Time(high))) = (low, high);
    if low <= high {
        return Ok((low, high));
    }
    Err(format!(
        "`service_time.{high_key}` is {}: expected at least `{low_key}`, {}",
        duration::format(high),
        duration::format(low)
    ))
}
