//! What samples show of a figure beside its median. The range of samples is no
//! measure of spread: the more samples, the wider it is, so two cells with
//! different numbers of them would not compare.

use super::statistics::{Interval, Sorted};

/// The most samples that are shown one by one.
pub const FEW: usize = 12;

/// The probability with which an interval holds the true median, at least.
const CONFIDENCE: f64 = 0.95;

/// What samples show of a figure beside its median.
#[derive(Clone, Debug, PartialEq)]
pub enum Scatter {
    /// Each of them, ascending, where they are [`FEW`] or fewer.
    Each(Vec<f64>),
    /// Where the true median lies, with a confidence of 95 % or more, where they
    /// are more.
    Median {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
}

impl Scatter {
    /// The scatter of some samples; nothing of none, and of what is no number.
    pub fn of(samples: &[f64]) -> Self {
        let Some(sorted) = Sorted::new(samples.iter().copied()) else {
            return Self::Each(Vec::new());
        };
        if samples.len() <= FEW {
            let mut each = samples.to_vec();
            each.sort_by(f64::total_cmp);
            return Self::Each(each);
        }
        let Interval { low, high, .. } = Interval::of_median(&sorted, CONFIDENCE);
        Self::Median { low, high }
    }

    /// The least and the most that it shows; `None` where it shows nothing.
    pub fn extent(&self) -> Option<(f64, f64)> {
        match self {
            Self::Each(each) => Some((*each.first()?, *each.last()?)),
            Self::Median { low, high } => Some((*low, *high)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scatter;

    fn counted(samples: u32) -> Scatter {
        let samples: Vec<f64> = (1..=samples).rev().map(f64::from).collect();
        Scatter::of(&samples)
    }

    #[test]
    fn few_samples_are_shown_each_and_more_as_an_interval() {
        assert_eq!(counted(3), Scatter::Each(vec![1.0, 2.0, 3.0]));
        assert!(matches!(counted(12), Scatter::Each(each) if each.len() == 12));
        // Conover's table: the third and the third last of 13 have 97.8 %.
        let interval = Scatter::Median {
            low: 3.0,
            high: 11.0,
        };
        assert_eq!(counted(13), interval);
    }

    #[test]
    fn an_outlier_among_many_does_not_widen_the_interval() {
        let mut samples: Vec<f64> = (1..=30).map(f64::from).collect();
        let calm = Scatter::of(&samples).extent();
        samples[29] = 1e6;
        assert_eq!(Scatter::of(&samples).extent(), calm);
    }

    #[test]
    fn nothing_and_what_is_no_number_show_nothing() {
        assert_eq!(Scatter::of(&[]).extent(), None);
        assert_eq!(Scatter::of(&[1.0, f64::NAN]).extent(), None);
    }
}
