//! Faults: what goes wrong with an answer, decided per request so that every
//! client meets the same failing ids.

use std::time::Duration;

use crate::random::Stream;

/// The chances of each fault, each 0 to 1 and together at most 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// An error status with a JSON body instead of the answer.
    pub error: f64,
    /// The status of `error`, 500 to 599.
    pub error_status: u16,
    /// The connection is reset (RST) instead of answered.
    pub reset: f64,
    /// The connection is closed without a byte of an answer.
    pub empty: f64,
    /// The body ends half-way, and the connection with it.
    pub truncated: f64,
    /// The body is whole by its length but is no JSON.
    pub malformed: f64,
    /// No answer for `hang_time`; then the connection is closed.
    pub hang: f64,
    /// How long `hang` lasts.
    pub hang_time: Duration,
}

impl Default for Faults {
    /// No faults.
    fn default() -> Self {
        Self {
            error: 0.0,
            error_status: 500,
            reset: 0.0,
            empty: 0.0,
            truncated: 0.0,
            malformed: 0.0,
            hang: 0.0,
            hang_time: Duration::from_secs(60),
        }
    }
}

/// A fault that strikes one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Error(u16),
    Reset,
    Empty,
    Truncated,
    Malformed,
    Hang(Duration),
}

impl Faults {
    /// Whether nothing ever goes wrong.
    pub(crate) fn is_none(&self) -> bool {
        self.total() == 0.0
    }

    /// The chance that anything goes wrong.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.error + self.reset + self.empty + self.truncated + self.malformed + self.hang
    }

    /// Whether one strikes the request whose stream this is. One number decides
    /// among them all, so that no request is struck twice.
    pub(crate) fn strike(&self, stream: &mut Stream) -> Option<Fault> {
        let mut u = stream.unit();
        let faults = [
            (self.error, Fault::Error(self.error_status)),
            (self.reset, Fault::Reset),
            (self.empty, Fault::Empty),
            (self.truncated, Fault::Truncated),
            (self.malformed, Fault::Malformed),
            (self.hang, Fault::Hang(self.hang_time)),
        ];
        for (chance, fault) in faults {
            if u < chance {
                return Some(fault);
            }
            u -= chance;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn each_fault_strikes_as_often_as_its_chance() {
        let faults = Faults {
            error: 0.1,
            reset: 0.05,
            hang: 0.02,
            ..Faults::default()
        };
        let strikes: Vec<_> = (0..100_000)
            .map(|id: u32| {
                faults.strike(&mut Stream::new(1, Purpose::Fault, 0, &id.to_string(), 0))
            })
            .collect();
        for (fault, chance) in [
            (Some(Fault::Error(500)), 0.1),
            (Some(Fault::Reset), 0.05),
            (Some(Fault::Hang(faults.hang_time)), 0.02),
            (Some(Fault::Empty), 0.0),
            (None, 0.83),
        ] {
            let count = strikes.iter().filter(|strike| **strike == fault).count() as f64;
            let sd = (100_000.0 * chance * (1.0f64 - chance)).sqrt();
            assert!(
                (count - 100_000.0 * chance).abs() <= 4.0 * sd,
                "{fault:?}: {count}"
            );
        }
    }
}
