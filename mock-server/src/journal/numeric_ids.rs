//! Counters by whole-number id: a table in pages that are made when first
//! touched, so that memory follows the ids that were really seen.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use super::Counts;

/// Ids from 0 up to this are counted in tables; at 2 bytes an id a route's table
/// is 8 MiB, and 72 MiB should every part of it hold an id that comes often.
pub(super) const DENSE_IDS: u32 = 1 << 22;

/// The number of the empty id, which is what requests without one are counted
/// by; it has a page to itself.
pub(super) const NO_ID: u32 = DENSE_IDS;

const PAGE: usize = 1024;

/// What a nibble can hold. One that is full stays full, and the count goes on in
/// the [`Rest`]: no other order keeps every arrival's number its own without a
/// lock.
const FULL: u16 = 15;

/// A counter of an id: its place among the nibbles.
#[derive(Clone, Copy)]
enum Counter {
    Arrived,
    Completed,
    Aborted,
    Rejected,
}

/// What is beyond the nibbles of one id. Each wraps at 2³², hours of one id at
/// full speed.
type Rest = [AtomicU32; 4];

/// The counters of [`PAGE`] ids: four bits each, which is all that most ids ever
/// need.
struct Page {
    nibbles: [AtomicU16; PAGE],
    rest: OnceLock<Box<[Rest; PAGE]>>,
}

impl Page {
    fn new() -> Box<Self> {
        Box::new(Self {
            nibbles: std::array::from_fn(|_| AtomicU16::new(0)),
            rest: OnceLock::new(),
        })
    }

    fn rest(&self, at: usize, counter: Counter) -> &AtomicU32 {
        let rest = self
            .rest
            .get_or_init(|| Box::new(std::array::from_fn(|_| Rest::default())));
        &rest[at][counter as usize]
    }
}

/// The counters of one id.
pub(super) struct Cell<'b> {
    page: &'b Page,
    at: usize,
}

impl Cell<'_> {
    /// Counts an arrival and says how many there were before.
    pub(super) fn arrive(&self) -> u32 {
        self.change(Counter::Arrived, true)
    }

    /// Adds to the completed; −1 takes one back.
    pub(super) fn complete(&self, by: i64) {
        self.change(Counter::Completed, by > 0);
    }

    pub(super) fn abort(&self) {
        self.change(Counter::Aborted, true);
    }

    /// Adds to the rejected; −1 takes one back.
    pub(super) fn reject(&self, by: i64) {
        self.change(Counter::Rejected, by > 0);
    }

    /// Adds one, or takes one that was added, and says what was there before.
    fn change(&self, counter: Counter, up: bool) -> u32 {
        let shift = 4 * counter as u16;
        let one = 1 << shift;
        let nibbles = &self.page.nibbles[self.at];
        let changed = nibbles.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |all| {
            let full = all >> shift & FULL == FULL;
            (!full).then(|| if up { all + one } else { all - one })
        });
        match changed {
            Ok(before) => (before >> shift & FULL).into(),
            Err(_) => {
                let rest = self.page.rest(self.at, counter);
                // Adding the two's complement of a number subtracts it.
                let by = if up { 1 } else { u32::MAX };
                let before = rest.fetch_add(by, Ordering::Relaxed);
                before.wrapping_add(FULL.into())
            }
        }
    }

    fn count(&self, counter: Counter) -> u64 {
        let nibbles = self.page.nibbles[self.at].load(Ordering::Relaxed);
        let nibble = nibbles >> (4 * counter as u16) & FULL;
        if nibble < FULL {
            return nibble.into();
        }
        let rest = self.page.rest.get().map_or(0, |rest| {
            rest[self.at][counter as usize].load(Ordering::Relaxed)
        });
        rest.wrapping_add(FULL.into()).into()
    }

    fn counts(&self) -> Counts {
        Counts {
            arrived: self.count(Counter::Arrived),
            completed: self.count(Counter::Completed),
            aborted: self.count(Counter::Aborted),
            rejected: self.count(Counter::Rejected),
        }
    }
}

/// The counters of one route's whole-number ids.
#[derive(Default)]
pub(super) struct NumericIds {
    pages: OnceLock<Box<[OnceLock<Box<Page>>]>>,
}

impl NumericIds {
    /// The counters of an id below [`DENSE_IDS`], or of [`NO_ID`].
    pub(super) fn cell(&self, id: u32) -> Cell<'_> {
        let pages = self.pages.get_or_init(|| {
            std::iter::repeat_with(OnceLock::new)
                .take(DENSE_IDS as usize / PAGE + 1)
                .collect()
        });
        Cell {
            page: pages[id as usize / PAGE].get_or_init(Page::new),
            at: id as usize % PAGE,
        }
    }

    /// Calls `visit` for each id that arrived, in order.
    pub(super) fn each(&self, mut visit: impl FnMut(u32, Counts)) {
        let Some(pages) = self.pages.get() else {
            return;
        };
        for (at, page) in pages.iter().enumerate() {
            let Some(page) = page.get() else { continue };
            for offset in 0..PAGE {
                let counts = Cell { page, at: offset }.counts();
                if counts.arrived > 0 {
                    visit((at * PAGE + offset) as u32, counts);
                }
            }
        }
    }
}

/// The number of an id that is written as a number is (no sign, no leading zero)
/// and lies below [`DENSE_IDS`], or is empty. Any other id is a text of its own:
/// `07` is not `7`.
pub(super) fn dense(id: &str) -> Option<u32> {
    if id.is_empty() {
        return Some(NO_ID);
    }
    if id.len() > 7 || (id.len() > 1 && id.starts_with('0')) {
        return None;
    }
    let mut number = 0;
    for byte in id.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u32::from(byte - b'0');
    }
    (number < DENSE_IDS).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_numbers_and_the_empty_id_are_dense() {
        assert_eq!(dense("0"), Some(0));
        assert_eq!(dense("4194303"), Some(DENSE_IDS - 1));
        assert_eq!(dense(""), Some(NO_ID));
        for odd in [
            "00", "07", "-1", "+1", "4194304", "99999999", "1a", " 1", "١",
        ] {
            assert_eq!(dense(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_million_ids_are_each_counted() {
        let book = NumericIds::default();
        for id in 0..1_000_000 {
            assert_eq!(book.cell(id).arrive(), 0);
            book.cell(id).complete(1);
        }
        assert_eq!(book.cell(500).arrive(), 1);
        let (mut ids, mut arrived) = (0, 0);
        book.each(|_, counts| {
            ids += 1;
            arrived += counts.arrived;
        });
        assert_eq!((ids, arrived), (1_000_000, 1_000_001));
    }

    #[test]
    fn counts_are_exact_where_a_nibble_ends_and_in_both_directions() {
        let book = NumericIds::default();
        for before in 0..40 {
            assert_eq!(book.cell(7).arrive(), before);
            book.cell(7).complete(1);
        }
        for _ in 0..5 {
            book.cell(7).complete(-1);
            book.cell(7).abort();
        }
        for _ in 0..15 {
            book.cell(7).reject(1);
        }
        for _ in 0..3 {
            book.cell(7).reject(-1);
        }
        let counts = book.cell(7).counts();
        let all = [
            counts.arrived,
            counts.completed,
            counts.aborted,
            counts.rejected,
        ];
        assert_eq!(all, [40, 35, 5, 12]);
        assert_eq!(book.cell(8).counts().arrived, 0);
    }

    #[test]
    fn every_arrival_of_an_id_has_a_number_of_its_own() {
        let book = NumericIds::default();
        let arrive = || (0..1000).map(|_| book.cell(3).arrive()).collect::<Vec<_>>();
        let mut numbers = std::thread::scope(|scope| {
            let threads = [scope.spawn(arrive), scope.spawn(arrive)];
            threads.map(|thread| thread.join().unwrap()).concat()
        });
        numbers.sort_unstable();
        assert_eq!(numbers, (0..2000).collect::<Vec<_>>());
    }
}
