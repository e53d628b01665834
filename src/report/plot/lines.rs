//! Lines that lie on one another, and how to let each be seen.

use crate::report::plot::scene::Place;

/// The parts of a line that a dash pattern draws. `pattern` holds lengths drawn
/// and left out in turn; `phase` is how far into it the line begins.
pub(crate) fn dashes(line: &[Place], pattern: &[f64], phase: f64) -> Vec<Vec<Place>> {
    let period: f64 = pattern.iter().sum();
    if period <= 0.0 {
        return vec![line.to_vec()];
    }
    let mut walk = Walk::new(pattern, phase.rem_euclid(period));
    let mut parts: Vec<Vec<Place>> = Vec::new();
    let mut open = false;
    for ends in line.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let along = |at: f64| {
            let share = at / length;
            (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            )
        };
        let mut at = 0.0;
        while at < length {
            let step = walk.left.min(length - at);
            if walk.draws() {
                if !open {
                    parts.push(vec![along(at)]);
                }
                if let Some(part) = parts.last_mut() {
                    part.push(along(at + step));
                }
            }
            open = walk.draws();
            at += step;
            if walk.advance(step) {
                open = false;
            }
        }
    }
    parts
}

/// A place within a dash pattern.
struct Walk<'a> {
    pattern: &'a [f64],
    index: usize,
    left: f64,
}

impl<'a> Walk<'a> {
    fn new(pattern: &'a [f64], phase: f64) -> Self {
        let mut walk = Self {
            pattern,
            index: 0,
            left: pattern[0],
        };
        let mut rest = phase;
        while rest >= walk.left {
            rest -= walk.left;
            walk.next();
        }
        walk.left -= rest;
        walk
    }

    fn next(&mut self) {
        self.index += 1;
        self.left = self.pattern[self.index % self.pattern.len()];
    }

    fn draws(&self) -> bool {
        (self.index % self.pattern.len()).is_multiple_of(2)
    }

    /// Goes on, and tells whether that ended a dash or a space.
    fn advance(&mut self, step: f64) -> bool {
        self.left -= step;
        let ended = self.left <= 1e-9;
        if ended {
            self.next();
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::dashes;
    use crate::report::plot::scene::Place;

    fn length(line: &[Place]) -> f64 {
        let parts = line
            .windows(2)
            .map(|ends| (ends[1].0 - ends[0].0).hypot(ends[1].1 - ends[0].1));
        parts.sum()
    }

    #[test]
    fn dashes_go_round_corners() {
        let line = [(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)];
        let parts = dashes(&line, &[6.0, 2.0], 0.0);
        assert_eq!(parts[0], [(0.0, 0.0), (5.0, 0.0), (5.0, 1.0)]);
        assert_eq!(parts[1], [(5.0, 3.0), (5.0, 5.0)]);
    }

    #[test]
    fn no_pattern_is_a_solid_line() {
        assert_eq!(dashes(&[(0.0, 0.0), (9.0, 0.0)], &[], 0.0).len(), 1);
    }

    proptest! {
        #[test]
        fn interleaved_dashes_cover_a_line_once(
            line in prop::collection::vec((0.0..500.0_f64, 0.0..500.0_f64), 2..8),
            count in 2..9_usize,
        ) {
            let unit = 7.0;
            let pattern = [unit, unit * (count - 1) as f64];
            let drawn: f64 = (0..count)
                .flat_map(|index| dashes(&line, &pattern, unit * index as f64))
                .map(|part| length(&part))
                .sum();
            prop_assert!((drawn - length(&line)).abs() < 1e-3);
        }
    }
}
