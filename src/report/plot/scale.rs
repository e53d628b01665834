//! Scales: from a value to a place along an axis, and the ticks that a person
//! can read there.

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// Equal ratios, equal distances.
    Log,
    /// Equal differences, equal distances.
    Linear,
    /// As the square root: from zero, with room for the small among the large.
    Root,
}

/// An axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    spacing: Spacing,
    /// The values at both ends, ascending.
    pub(crate) values: (f64, f64),
    /// Their places.
    places: (f64, f64),
}

impl Scale {
    /// An axis from `values.0` at `places.0` to `values.1` at `places.1`.
    /// Values that leave no extent are taken apart around themselves; on a
    /// logarithmic axis both must be positive.
    pub(crate) fn new(spacing: Spacing, values: (f64, f64), places: (f64, f64)) -> Self {
        let (low, high) = values;
        let values = match spacing {
            Spacing::Log if high <= low * 1.001 => (low / 1.5, high * 1.5),
            Spacing::Linear | Spacing::Root if high <= low => (low, low + 1.0),
            _ => values,
        };
        Self {
            spacing,
            values,
            places,
        }
    }

    /// Where a value lies.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let bend = |value: f64| match self.spacing {
            Spacing::Log => value.ln(),
            Spacing::Linear => value,
            Spacing::Root => value.abs().sqrt().copysign(value),
        };
        let (low, high) = (bend(self.values.0), bend(self.values.1));
        let share = (bend(value) - low) / (high - low);
        self.places.0 + (self.places.1 - self.places.0) * share
    }

    /// Round values for ticks, at least `apart` pixels from each other, the
    /// fewest that still tell the scale.
    pub(crate) fn ticks(&self, apart: f64) -> Vec<f64> {
        match self.spacing {
            Spacing::Log => self.log_ticks(apart),
            Spacing::Linear => self.linear_ticks(apart),
            Spacing::Root => self.root_ticks(apart),
        }
    }

    fn fits(&self, ticks: &[f64], apart: f64) -> bool {
        let mut pairs = ticks.windows(2);
        pairs.all(|pair| (self.place(pair[1]) - self.place(pair[0])).abs() >= apart)
    }

    /// The densest of 1–2–5, 1–3 and whole decades that fits; within less
    /// than a decade, equal steps.
    fn log_ticks(&self, apart: f64) -> Vec<f64> {
        let (low, high) = self.values;
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        for factors in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let ticks: Vec<f64> = decades
                .clone()
                .flat_map(|decade| factors.iter().map(move |factor| factor * power(decade)))
                .filter(|tick| (low..=high).contains(tick))
                .collect();
            if ticks.len() >= 3 && self.fits(&ticks, apart) {
                return ticks;
            }
        }
        self.linear_ticks(apart)
    }

    fn linear_ticks(&self, apart: f64) -> Vec<f64> {
        let (low, high) = self.values;
        let extent = high - low;
        let decade = extent.log10().floor() as i32;
        let steps = (decade - 2..=decade + 1)
            .flat_map(|decade| [1.0, 2.0, 5.0].map(|factor| factor * power(decade)));
        for step in steps {
            let first = (low / step).ceil() as i64;
            let last = (high / step).floor() as i64;
            let ticks: Vec<f64> = (first..=last).map(|n| n as f64 * step).collect();
            if self.fits(&ticks, apart) {
                return ticks;
            }
        }
        vec![low]
    }

    /// Zero, and from the largest down what of 1–2–5 keeps its distance.
    fn root_ticks(&self, apart: f64) -> Vec<f64> {
        let (low, high) = self.values;
        let top = high.log10().ceil() as i32;
        let mut ticks: Vec<f64> = Vec::new();
        for decade in (top - 5..=top).rev() {
            for factor in [5.0, 2.0, 1.0] {
                let tick = factor * power(decade);
                let far = |other: f64| (self.place(tick) - self.place(other)).abs() >= apart;
                if tick <= high && far(0.0) && ticks.last().is_none_or(|last| far(*last)) {
                    ticks.push(tick);
                }
            }
        }
        ticks.push(0.0);
        if low < 0.0 && (self.place(low) - self.place(0.0)).abs() >= apart {
            ticks.push(low);
        }
        ticks.reverse();
        ticks
    }
}

/// A power of ten, by division below 1: 0.1 and not 0.1 and a tail.
fn power(decade: i32) -> f64 {
    if decade < 0 {
        1.0 / 10_f64.powi(-decade)
    } else {
        10_f64.powi(decade)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Scale, Spacing};

    #[test]
    fn a_sweep_has_readable_seconds() {
        let scale = Scale::new(Spacing::Log, (0.17, 25.0), (300.0, 0.0));
        assert_eq!(scale.ticks(20.0), [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
    }

    #[test]
    fn per_cent_start_from_zero() {
        let scale = Scale::new(Spacing::Linear, (0.0, 0.088), (200.0, 0.0));
        assert_eq!(scale.ticks(30.0), [0.0, 0.02, 0.04, 0.06, 0.08]);
        let scale = Scale::new(Spacing::Root, (0.0, 4.2), (200.0, 0.0));
        let ticks = scale.ticks(24.0);
        assert_eq!(ticks[0], 0.0);
        assert_eq!(ticks.last(), Some(&2.0));
    }

    proptest! {
        #[test]
        fn ticks_are_few_ascending_apart_and_on_the_axis(
            kind in 0..3_usize,
            low in 1e-6..1e3_f64,
            ratio in 1.0..1e7_f64,
        ) {
            let spacing = [Spacing::Log, Spacing::Linear, Spacing::Root][kind];
            let low = if spacing == Spacing::Root { 0.0 } else { low };
            let scale = Scale::new(spacing, (low, low.max(1e-4) * ratio), (280.0, 0.0));
            let ticks = scale.ticks(20.0);
            prop_assert!(!ticks.is_empty() && ticks.len() < 20);
            for pair in ticks.windows(2) {
                prop_assert!(pair[0] < pair[1]);
                prop_assert!((scale.place(pair[0]) - scale.place(pair[1])).abs() >= 19.99);
            }
            for tick in ticks {
                prop_assert!((-0.01..=280.01).contains(&scale.place(tick)));
            }
        }
    }
}
