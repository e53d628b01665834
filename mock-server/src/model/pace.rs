//! Slow bodies: pieces and when each may leave.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a body is sent. Without any of it a body leaves as fast as it can.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pacing {
    /// Bytes in a piece, at least 1.
    pub chunk: Option<usize>,
    /// The time between two pieces.
    pub gap: Duration,
    /// Bytes per second of one connection, at least 1.
    pub bytes_per_second: Option<u64>,
    /// Bytes per second of all connections together, at least 1.
    pub total_bytes_per_second: Option<u64>,
}

/// A piece is at most this much of a second's bytes, so that a slow body flows
/// rather than jumps.
const PIECES_PER_SECOND: u64 = 50;

impl Pacing {
    /// Whether bodies leave as fast as they can.
    pub(crate) fn is_none(&self) -> bool {
        self.chunk.is_none()
            && self.bytes_per_second.is_none()
            && self.total_bytes_per_second.is_none()
    }

    fn piece(&self) -> usize {
        let slower = match (self.bytes_per_second, self.total_bytes_per_second) {
            (Some(one), Some(all)) => Some(one.min(all)),
            (one, all) => one.or(all),
        };
        let by_rate = slower.map(|rate| (rate / PIECES_PER_SECOND).clamp(1, 65_536) as usize);
        match (self.chunk, by_rate) {
            (Some(chunk), Some(rate)) => chunk.min(rate),
            (chunk, rate) => chunk.or(rate).unwrap_or(65_536),
        }
    }
}

/// The link that all connections share: when it has sent what was promised.
#[derive(Debug)]
pub(crate) struct Link {
    free: Mutex<Instant>,
}

impl Link {
    /// A link that is idle.
    pub(crate) fn new() -> Self {
        Self {
            free: Mutex::new(Instant::now()),
        }
    }

    /// Promises `time` of the link from `now` on; when it will have passed.
    fn promise(&self, now: Instant, time: Duration) -> Instant {
        // One assignment under the lock: it is whole whatever panicked.
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = (*free).max(now) + time;
        *free
    }
}

/// The pieces of one body, as they fall due.
#[derive(Debug)]
pub(crate) struct Pace {
    pacing: Pacing,
    link: Arc<Link>,
    own_free: Instant,
    /// Bytes of the pieces so far.
    sent: u64,
    start: Instant,
    /// When the last piece so far falls due.
    due: Instant,
}

impl Pace {
    /// The pace of a body that starts at `start`.
    pub(crate) fn new(pacing: Pacing, link: Arc<Link>, start: Instant) -> Self {
        Self {
            pacing,
            link,
            own_free: start,
            sent: 0,
            start,
            due: start,
        }
    }

    /// The most bytes of the next piece.
    pub(crate) fn piece(&self) -> usize {
        self.pacing.piece()
    }

    /// When a piece of `bytes` has left, asked at `now`. A piece counts as sent
    /// when its last byte has passed, so a body of n bytes at r bytes per second
    /// is whole n/r after it started.
    pub(crate) fn next(&mut self, now: Instant, bytes: usize) -> Instant {
        let time = |rate: u64| Duration::from_secs_f64(bytes as f64 / rate as f64);
        // A chunk may leave in several pieces; the gap is between chunks.
        let chunks = self.sent / self.pacing.chunk.unwrap_or(1).max(1) as u64;
        let gaps = u32::try_from(chunks).unwrap_or(u32::MAX);
        let mut due = self.start + self.pacing.gap.saturating_mul(gaps);
        self.sent += bytes as u64;
        if let Some(rate) = self.pacing.bytes_per_second {
            self.own_free = self.own_free.max(self.start) + time(rate);
            due = due.max(self.own_free);
        }
        if let Some(rate) = self.pacing.total_bytes_per_second {
            due = due.max(self.link.promise(now, time(rate)));
        }
        self.due = due;
        due
    }

    /// How long the pieces so far were held back.
    pub(crate) fn held(&self) -> Duration {
        self.due.saturating_duration_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pace: &mut Pace, mut bytes: usize, mut now: Instant) -> Instant {
        while bytes > 0 {
            let piece = pace.piece().min(bytes);
            now = pace.next(now, piece).max(now);
            bytes -= piece;
        }
        now
    }

    #[test]
    fn a_gap_is_between_chunks_however_many_pieces_they_leave_in() {
        let pacing = Pacing {
            chunk: Some(1000),
            gap: Duration::from_secs(1),
            bytes_per_second: Some(5000),
            ..Pacing::default()
        };
        let start = Instant::now();
        let mut pace = Pace::new(pacing, Arc::new(Link::new()), start);
        let pieces = 2000 / pace.piece();
        assert_eq!(pieces, 20);
        let due = (0..pieces).map(|_| pace.next(start, 100) - start);
        // The first of the second chunk waits for the one gap there is.
        assert_eq!(due.max(), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_body_takes_its_bytes_over_the_rate() {
        let start = Instant::now();
        let pacing = Pacing {
            bytes_per_second: Some(100_000),
            ..Pacing::default()
        };
        let mut pace = Pace::new(pacing, Arc::new(Link::new()), start);
        let took = whole(&mut pace, 50_000, start) - start;
        assert!(
            took.abs_diff(Duration::from_millis(500)) < Duration::from_micros(1),
            "{took:?}"
        );
    }

    #[test]
    fn chunks_leave_a_gap_apart() {
        let start = Instant::now();
        let gap = Duration::from_millis(5);
        let pacing = Pacing {
            chunk: Some(100),
            gap,
            ..Pacing::default()
        };
        let mut pace = Pace::new(pacing, Arc::new(Link::new()), start);
        assert_eq!(whole(&mut pace, 450, start) - start, 4 * gap);
    }

    #[test]
    fn two_bodies_share_the_link() {
        let link = Arc::new(Link::new());
        let start = Instant::now();
        let pacing = Pacing {
            total_bytes_per_second: Some(1_000),
            ..Pacing::default()
        };
        let mut one = Pace::new(pacing, link.clone(), start);
        let mut two = Pace::new(pacing, link, start);
        let mut due = start;
        for _ in 0..50 {
            due = one.next(start, 10).max(two.next(start, 10));
        }
        let took = due - start;
        assert!(
            took.abs_diff(Duration::from_secs(1)) < Duration::from_millis(1),
            "{took:?}"
        );
    }
}
