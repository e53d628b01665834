//! Service times: how long a request is served, drawn by inversion so that one
//! uniform number decides and a slow request is slow in every profile.

use std::time::Duration;

use super::normal;
use crate::duration::LONGEST;
use crate::random::Stream;

/// How long a request is served. Every parameter is checked when a profile is
/// read; samples are whole nanoseconds, from 0 to a day: what a heavy tail would make
/// longer is cut there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ServiceTime {
    /// Always the same.
    Fixed(Duration),
    /// Every time from `min` to `max` alike.
    Uniform {
        /// The shortest time.
        min: Duration,
        /// The longest time.
        max: Duration,
    },
    /// Normal, with negative samples counted as 0.
    Normal {
        /// The mean before negative samples are cut.
        mean: Duration,
        /// The standard deviation before negative samples are cut.
        sd: Duration,
    },
    /// Exponential: −mean · ln(1 − u).
    Exponential {
        /// The mean.
        mean: Duration,
    },
    /// Lognormal: exp(μ + σz) with μ = ln p50 and σ = ln(p99/p50)/2.326.
    Lognormal {
        /// The median.
        p50: Duration,
        /// The 99th percentile, at least the median.
        p99: Duration,
    },
    /// Pareto: min · (1 − u)^(−1/shape).
    Pareto {
        /// The shortest time.
        min: Duration,
        /// The tail index: at or below 1 the mean is infinite.
        shape: f64,
    },
    /// A table of (percentile, time), with straight lines between its points.
    /// It starts at percentile 0 and ends at 100; neither column falls.
    Percentiles(Vec<(f64, Duration)>),
    /// A recorded trace: every recorded time alike.
    Trace(Vec<Duration>),
}

impl ServiceTime {
    /// Draws the service time of the request whose stream this is.
    pub(crate) fn sample(&self, stream: &mut Stream) -> Duration {
        self.at(stream.unit())
    }

    /// The quantile at `u` in (0, 1).
    pub(crate) fn at(&self, u: f64) -> Duration {
        let seconds = match self {
            Self::Fixed(time) => return *time,
            Self::Trace(times) => {
                let at = (u * times.len() as f64) as usize;
                // A profile refuses an empty trace.
                return times
                    .get(at.min(times.len().saturating_sub(1)))
                    .copied()
                    .unwrap_or_default();
            }
            Self::Uniform { min, max } => {
                min.as_secs_f64() + u * (max.as_secs_f64() - min.as_secs_f64())
            }
            Self::Normal { mean, sd } => {
                mean.as_secs_f64() + sd.as_secs_f64() * normal::quantile(u)
            }
            Self::Exponential { mean } => -mean.as_secs_f64() * libm::log1p(-u),
            Self::Lognormal { p50, p99 } => {
                let sigma = libm::log(p99.as_secs_f64() / p50.as_secs_f64()) / Z99;
                p50.as_secs_f64() * libm::exp(sigma * normal::quantile(u))
            }
            Self::Pareto { min, shape } => min.as_secs_f64() * libm::pow(1.0 - u, -1.0 / shape),
            Self::Percentiles(points) => interpolate(points, u * 100.0),
        };
        // The comparison also takes what is not a number to the limit.
        if seconds < LONGEST.as_secs_f64() {
            Duration::from_secs_f64(seconds.max(0.0))
        } else {
            LONGEST
        }
    }

    /// The mean service time, for bounds and capacities: E\[S\] of the stated
    /// distribution; `None` where it is infinite, or longer than a [`Duration`]
    /// can be. For `Normal` it counts the negative samples that were cut.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Fixed(time) => return Some(*time),
            Self::Uniform { min, max } => return Some((*min + *max) / 2),
            Self::Exponential { mean } => return Some(*mean),
            Self::Normal { mean, sd } => {
                let (m, s) = (mean.as_secs_f64(), sd.as_secs_f64());
                if s == 0.0 {
                    return Some(*mean);
                }
                let z = m / s;
                let density = libm::exp(-z * z / 2.0) / libm::sqrt(2.0 * std::f64::consts::PI);
                m * 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2) + s * density
            }
            Self::Lognormal { p50, p99 } => {
                let sigma = libm::log(p99.as_secs_f64() / p50.as_secs_f64()) / Z99;
                p50.as_secs_f64() * libm::exp(sigma * sigma / 2.0)
            }
            Self::Pareto { shape, .. } if *shape <= 1.0 => return None,
            Self::Pareto { min, shape } => min.as_secs_f64() * shape / (shape - 1.0),
            Self::Percentiles(points) => points
                .windows(2)
                .map(|pair| {
                    let width = (pair[1].0 - pair[0].0) / 100.0;
                    width * (pair[0].1 + pair[1].1).as_secs_f64() / 2.0
                })
                .sum(),
            Self::Trace(times) => {
                times.iter().map(Duration::as_secs_f64).sum::<f64>() / times.len() as f64
            }
        };
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// The standard normal quantile of 0.99.
const Z99: f64 = 2.326_347_874_040_841;

fn interpolate(points: &[(f64, Duration)], percentile: f64) -> f64 {
    let after = points
        .partition_point(|point| point.0 <= percentile)
        .clamp(1, points.len() - 1);
    let ((from, low), (to, high)) = (points[after - 1], points[after]);
    let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
    if to > from {
        low + (high - low) * (percentile - from) / (to - from)
    } else {
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn drawn(time: &ServiceTime) -> Vec<f64> {
        let draw = |id: u32| {
            let mut stream = Stream::new(1, Purpose::Latency, 0, &id.to_string(), 0);
            time.sample(&mut stream).as_secs_f64()
        };
        let mut all: Vec<_> = (0..10_000).map(draw).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// Kolmogorov–Smirnov on 10,000 draws, at 1 %: √n·D below 1.628.
    fn follows(time: &ServiceTime, cdf: impl Fn(f64) -> f64) {
        let drawn = drawn(time);
        let n = drawn.len() as f64;
        let distance = drawn
            .iter()
            .enumerate()
            .map(|(i, &x)| {
                let f = cdf(x);
                (f - i as f64 / n).abs().max(((i + 1) as f64 / n - f).abs())
            })
            .fold(0.0, f64::max);
        assert!(
            distance * n.sqrt() < 1.628,
            "{time:?}: √n·D = {}",
            distance * n.sqrt()
        );
        if let Some(mean) = time.mean() {
            let sample = drawn.iter().sum::<f64>() / n;
            assert!(
                (sample / mean.as_secs_f64() - 1.0).abs() < 0.05,
                "{time:?}: {sample} {mean:?}"
            );
        }
    }

    fn phi(z: f64) -> f64 {
        0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
    }

    #[test]
    fn samples_follow_their_distribution() {
        follows(
            &ServiceTime::Uniform {
                min: MS(10),
                max: MS(30),
            },
            |x| (x - 0.01) / 0.02,
        );
        follows(
            &ServiceTime::Normal {
                mean: MS(200),
                sd: MS(20),
            },
            |x| phi((x - 0.2) / 0.02),
        );
        follows(&ServiceTime::Exponential { mean: MS(20) }, |x| {
            1.0 - (-x / 0.02).exp()
        });
        follows(
            &ServiceTime::Lognormal {
                p50: MS(50),
                p99: MS(400),
            },
            |x| phi((x / 0.05).ln() / (8f64.ln() / 2.326_347_874)),
        );
        follows(
            &ServiceTime::Pareto {
                min: MS(5),
                shape: 2.5,
            },
            |x| 1.0 - (0.005 / x).powf(2.5),
        );
        let table = vec![(0.0, MS(0)), (50.0, MS(10)), (100.0, MS(110))];
        follows(&ServiceTime::Percentiles(table), |x| {
            if x < 0.01 {
                x * 50.0
            } else {
                0.5 + (x - 0.01) * 5.0
            }
        });
    }

    #[test]
    fn a_trace_gives_each_of_its_times_as_often() {
        let times: Vec<_> = (1..=10).map(MS).collect();
        let drawn = drawn(&ServiceTime::Trace(times.clone()));
        let chi2: f64 = times
            .iter()
            .map(|time| drawn.iter().filter(|&&x| x == time.as_secs_f64()).count() as f64)
            .map(|count| (count - 1000.0).powi(2) / 1000.0)
            .sum();
        // Nine degrees of freedom: 99 % lie below 21.7.
        assert!(chi2 < 21.7, "chi² = {chi2}");
    }

    #[test]
    fn a_mean_beyond_every_duration_is_none() {
        let (min, max) = (Duration::from_nanos(1), Duration::from_secs(86_400));
        let lognormal = ServiceTime::Lognormal { p50: min, p99: max };
        let shape = 1.0 + f64::EPSILON;
        let pareto = ServiceTime::Pareto { min: max, shape };
        assert_eq!((lognormal.mean(), pareto.mean()), (None, None));
    }

    #[test]
    fn hours_are_drawn_as_they_are_and_cut_at_a_day() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let exponential = ServiceTime::Exponential { mean: hours(20) };
        let median = exponential.at(0.5).as_secs_f64() / 3600.0;
        assert!((median - 20.0 * std::f64::consts::LN_2).abs() < 1e-6);
        assert_eq!(exponential.at(0.99), LONGEST);
        assert_eq!(LONGEST, hours(24));
        let uniform = ServiceTime::Uniform {
            min: hours(2),
            max: hours(22),
        };
        assert_eq!(uniform.at(0.5), hours(12));
    }

    #[test]
    fn the_ends_of_the_range_are_finite() {
        for time in [
            ServiceTime::Pareto {
                min: MS(1),
                shape: 0.01,
            },
            ServiceTime::Exponential { mean: LONGEST },
            ServiceTime::Lognormal {
                p50: MS(1),
                p99: LONGEST,
            },
            ServiceTime::Normal {
                mean: MS(1),
                sd: LONGEST,
            },
        ] {
            assert!(time.at(1.0 - f64::EPSILON / 2.0) <= LONGEST);
            assert!(time.at(f64::MIN_POSITIVE) <= LONGEST);
        }
    }
}
