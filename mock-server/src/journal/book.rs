//! Counters by whole-number id: a table in pages that are made when first
//! touched, so that memory follows the ids that were really seen.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Counts;

/// Ids from 0 up to this are counted in tables; at 16 bytes an id a route's
/// table cannot exceed 64 MiB.
pub(super) const DENSE_IDS: u32 = 1 << 22;

const PAGE: usize = 256;

/// The counters of one id. Each wraps at 2³², hours of one id at full speed.
#[derive(Default)]
pub(super) struct Cell {
    arrived: AtomicU32,
    completed: AtomicU32,
    aborted: AtomicU32,
    rejected: AtomicU32,
}

impl Cell {
    /// Counts an arrival and says how many there were before.
    pub(super) fn arrive(&self) -> u32 {
        self.arrived.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds to the completed; −1 takes one back.
    pub(super) fn complete(&self, by: i64) {
        // Adding the two's complement of a number subtracts it.
        self.completed.fetch_add(by as u32, Ordering::Relaxed);
    }

    pub(super) fn abort(&self) {
        self.aborted.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds to the rejected; −1 takes one back.
    pub(super) fn reject(&self, by: i64) {
        self.rejected.fetch_add(by as u32, Ordering::Relaxed);
    }

    fn counts(&self) -> Counts {
        Counts {
            arrived: self.arrived.load(Ordering::Relaxed).into(),
            completed: self.completed.load(Ordering::Relaxed).into(),
            aborted: self.aborted.load(Ordering::Relaxed).into(),
            rejected: self.rejected.load(Ordering::Relaxed).into(),
        }
    }
}

type Page = [Cell; PAGE];

/// The counters of one route's whole-number ids.
#[derive(Default)]
pub(super) struct Book {
    pages: OnceLock<Box<[OnceLock<Box<Page>>]>>,
}

impl Book {
    /// The counters of an id below [`DENSE_IDS`].
    pub(super) fn cell(&self, id: u32) -> &Cell {
        let pages = self.pages.get_or_init(|| {
            std::iter::repeat_with(OnceLock::new)
                .take(DENSE_IDS as usize / PAGE)
                .collect()
        });
        let page = pages[id as usize / PAGE]
            .get_or_init(|| Box::new(std::array::from_fn(|_| Cell::default())));
        &page[id as usize % PAGE]
    }

    /// Calls `visit` for each id that arrived, in order.
    pub(super) fn each(&self, mut visit: impl FnMut(u32, Counts)) {
        let Some(pages) = self.pages.get() else {
            return;
        };
        for (at, page) in pages.iter().enumerate() {
            let Some(page) = page.get() else { continue };
            for (offset, cell) in page.iter().enumerate() {
                let counts = cell.counts();
                if counts.arrived > 0 {
                    visit((at * PAGE + offset) as u32, counts);
                }
            }
        }
    }
}

/// The number of an id that is written as a number is (no sign, no leading zero)
/// and lies below [`DENSE_IDS`]. Any other id is a text of its own: `07` is not
/// `7`.
pub(super) fn dense(id: &str) -> Option<u32> {
    if id.is_empty() || id.len() > 7 || (id.len() > 1 && id.starts_with('0')) {
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
    fn only_canonical_numbers_are_dense() {
        assert_eq!(dense("0"), Some(0));
        assert_eq!(dense("4194303"), Some(DENSE_IDS - 1));
        for odd in [
            "", "00", "07", "-1", "+1", "4194304", "99999999", "1a", " 1", "١",
        ] {
            assert_eq!(dense(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_million_ids_are_each_counted() {
        let book = Book::default();
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
}
