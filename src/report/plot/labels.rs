//! Where labels go, so that none lies on another.

use crate::report::plot::scene::{Frame, Place};

/// Moves labels along a column, as little as it takes, until each has its
/// room: returns the places of their middles in the order of `wanted`.
///
/// Labels keep the order of the places that they want. They stay within
/// `from..to` where that has room for all, and go on past `to` where not.
pub(crate) fn stacked(wanted: &[f64], height: f64, from: f64, to: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    // Neighbours that touch become a group around the mean of what they want,
    // until no two groups touch: the least squares of the moves.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    let top_of = |(mean, size): (f64, usize)| {
        let extent = size as f64 * height;
        (mean - extent / 2.0).min(to - extent).max(from)
    };
    for index in &order {
        let mut group = (wanted[*index], 1);
        while let Some(above) = groups.last().copied() {
            if top_of(above) + above.1 as f64 * height <= top_of(group) {
                break;
            }
            groups.pop();
            let size = above.1 + group.1;
            let sum = above.0 * above.1 as f64 + group.0 * group.1 as f64;
            group = (sum / size as f64, size);
        }
        groups.push(group);
    }
    let mut places = vec![0.0; wanted.len()];
    let mut next = order.into_iter();
    for group in groups {
        for (place, index) in next.by_ref().take(group.1).enumerate() {
            places[index] = top_of(group) + (place as f64 + 0.5) * height;
        }
    }
    places
}

/// Which of some texts along an axis can be shown without touching: the places
/// of those that can, ascending. `extents` are their ends, and `first` the
/// order in which they may choose.
pub(crate) fn thinned(extents: &[(f64, f64)], first: &[usize]) -> Vec<usize> {
    let mut shown: Vec<usize> = Vec::new();
    for index in first {
        let (left, right) = extents[*index];
        let free = shown.iter().all(|other| {
            let (taken_left, taken_right) = extents[*other];
            right < taken_left || taken_right < left
        });
        if free {
            shown.push(*index);
        }
    }
    shown.sort_unstable();
    shown
}

/// The first of some rectangles that no line passes through and no other
/// rectangle overlaps.
pub(crate) fn free_room(
    candidates: &[Frame],
    lines: &[Vec<Place>],
    taken: &[Frame],
) -> Option<usize> {
    candidates.iter().position(|room| {
        !taken.iter().any(|other| other.overlaps(room))
            && !lines.iter().any(|line| passes_through(line, room))
    })
}

fn passes_through(line: &[Place], room: &Frame) -> bool {
    line.windows(2).any(|ends| {
        let (from, to) = (ends[0], ends[1]);
        let steps = (to.0 - from.0).hypot(to.1 - from.1).ceil().max(1.0);
        (0..=steps as usize).any(|step| {
            let share = step as f64 / steps;
            room.holds((
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            ))
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{free_room, stacked, thinned};
    use crate::report::plot::scene::Frame;

    #[test]
    fn labels_with_room_stay_where_they_want() {
        assert_eq!(stacked(&[80.0, 20.0], 10.0, 0.0, 100.0), [80.0, 20.0]);
    }

    #[test]
    fn labels_of_one_place_gather_around_it() {
        assert_eq!(
            stacked(&[50.0, 50.0, 50.0], 10.0, 0.0, 100.0),
            [40.0, 50.0, 60.0]
        );
    }

    #[test]
    fn a_label_gives_way_to_those_that_chose_before() {
        let extents = [(0.0, 10.0), (8.0, 18.0), (20.0, 30.0)];
        assert_eq!(thinned(&extents, &[0, 2, 1]), [0, 2]);
        assert_eq!(thinned(&extents, &[1, 0, 2]), [1, 2]);
    }

    #[test]
    fn room_is_free_where_no_line_passes() {
        let room = |left: f64| Frame {
            left,
            top: 0.0,
            right: left + 10.0,
            bottom: 10.0,
        };
        let line = vec![(5.0, -50.0), (5.0, 50.0)];
        let candidates = [room(0.0), room(20.0), room(40.0)];
        assert_eq!(free_room(&candidates, &[line], &[room(25.0)]), Some(2));
    }

    proptest! {
        #[test]
        fn stacked_labels_never_overlap_and_keep_their_order(
            wanted in prop::collection::vec(0.0..300.0_f64, 1..15),
        ) {
            let places = stacked(&wanted, 18.0, 0.0, 300.0);
            let mut both: Vec<_> = wanted.iter().zip(&places).collect();
            both.sort_by(|a, b| a.1.total_cmp(b.1));
            for pair in both.windows(2) {
                prop_assert!(pair[1].1 - pair[0].1 >= 18.0 - 1e-6);
                prop_assert!(pair[0].0 <= pair[1].0);
            }
            prop_assert!(places.iter().all(|place| (8.99..=291.01).contains(place)));
        }
    }
}
