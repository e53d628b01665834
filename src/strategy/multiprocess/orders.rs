//! The orders that a worker process has and that none of its workers has begun.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::wire::{self, Order, Orders};

/// Orders as they come in. The workers of a process take turns at it: whoever
/// finds none reads the next ones, so that no thread is there for reading alone.
pub(super) struct Inbox<R> {
    input: R,
    waiting: VecDeque<Order>,
    together: usize,
}

impl<R: Read> Inbox<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            waiting: VecDeque::new(),
            together: 1,
        }
    }

    /// The next order that has come, and how many results are worth a report.
    pub(super) fn at_hand(&mut self) -> Option<(Order, usize)> {
        let order = self.waiting.pop_front()?;
        Some((order, self.together))
    }

    /// The next order, which is waited for; `None` at the end of the input.
    pub(super) fn next(&mut self) -> io::Result<Option<(Order, usize)>> {
        while self.waiting.is_empty() {
            let Some(orders) = wire::read::<Orders>(&mut self.input)? else {
                return Ok(None);
            };
            self.waiting.extend(orders.orders);
            self.together = orders.together;
        }
        Ok(self.at_hand())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_in_their_order_and_end_with_the_input() {
        let order = |index| Order {
            index,
            target: "/".to_owned(),
            left: None,
        };
        let mut frames = Vec::new();
        for (indices, together) in [(0..2, 5), (2..2, 6), (2..3, 7)] {
            let orders = indices.map(order).collect();
            wire::encode(&Orders { orders, together }, &mut frames).unwrap();
        }
        let mut inbox = Inbox::new(frames.as_slice());
        assert!(inbox.at_hand().is_none());
        assert_eq!(inbox.next().unwrap(), Some((order(0), 5)));
        assert_eq!(inbox.at_hand(), Some((order(1), 5)));
        assert!(inbox.at_hand().is_none());
        assert_eq!(inbox.next().unwrap(), Some((order(2), 7)));
        assert_eq!(inbox.next().unwrap(), None);
        assert_eq!(inbox.next().unwrap(), None);
    }
}
