//! Bodies of responses, and the memory that they may take together.
//!
//! All workers of a process read bodies out of one budget. A body of up to
//! [`FREE`] bytes takes nothing from it, so that most responses touch nothing
//! that workers share. A larger one takes what it has allocated, and gives it back
//! when its response is dropped. A length that the server announces is taken
//! before the first byte is read.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::limits::limited;
use crate::outcome::Failure;

/// Bytes up to which a body takes nothing from the budget.
const FREE: u64 = 64 << 10;

/// Bytes that are allocated first for a body of unknown length.
const FIRST: u64 = 8 << 10;

/// Memory that the bodies of a process may take together. Clones share it; a clone
/// counts in one place for all workers, so a small body makes none.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    limit: u64,
    taken: Arc<AtomicU64>,
}

impl Budget {
    /// Budget of so many bytes, of which nothing is taken.
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            taken: Arc::default(),
        }
    }

    /// Bytes of the whole budget.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// A body of a length, as its server announces it, before anything was read.
    ///
    /// # Errors
    /// Where so many bytes are not left.
    pub(super) fn body(&self, length: Option<u64>) -> Result<Body<'_>, Failure> {
        let mut body = Body {
            budget: self,
            share: None,
            bytes: Vec::new(),
            length,
        };
        if let Some(length) = length {
            body.take(length, length)?;
        }
        Ok(body)
    }
}

/// What a body has taken from the budget.
#[derive(Debug)]
struct Share {
    taken: Arc<AtomicU64>,
    bytes: u64,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn too_large(bytes: u64, others: u64, limit: u64) -> Failure {
    let beside = match others {
        0 => String::new(),
        _ => format!(" while other bodies take {others} bytes"),
    };
    limited(format_args!(
        "raise --body-limit: the body needs {bytes} bytes or more{beside}, and all bodies of a \
         process may take {limit}"
    ))
}

/// A body that is being read.
#[derive(Debug)]
pub(super) struct Body<'budget> {
    budget: &'budget Budget,
    /// `None` while it takes nothing.
    share: Option<Share>,
    bytes: Vec<u8>,
    length: Option<u64>,
}

impl Body<'_> {
    /// Reads to the end. The inner result is the whole body, or the limit that it met.
    ///
    /// # Errors
    /// Where reading fails.
    pub(super) fn read(mut self, mut from: impl Read) -> io::Result<Result<Bytes, Failure>> {
        loop {
            if let Err(failure) = self.make_room(1) {
                let is_at_end = from.read(&mut [0])? == 0;
                return Ok(is_at_end.then(|| self.whole()).ok_or(failure));
            }
            let room = self.bytes.capacity() - self.bytes.len();
            // It allocates nothing as long as there is room.
            let read = from
                .by_ref()
                .take(room as u64)
                .read_to_end(&mut self.bytes)?;
            if read < room {
                return Ok(Ok(self.whole()));
            }
        }
    }

    /// Reads to the end from a stream of pieces. Most bodies come in one, which is
    /// handed on as it is.
    ///
    /// # Errors
    /// Where a piece fails, as `failure` puts it, or the budget is spent.
    #[cfg(feature = "async")]
    pub(super) async fn collect<B>(
        mut self,
        from: B,
        failure: impl Fn(B::Error) -> Failure,
    ) -> Result<Bytes, Failure>
    where
        B: hyper::body::Body<Data = Bytes>,
    {
        let mut from = std::pin::pin!(from);
        let mut first = Bytes::new();
        while let Some(frame) = http_body_util::BodyExt::frame(&mut from).await {
            let Ok(piece) = frame.map_err(&failure)?.into_data() else {
                continue;
            };
            if first.is_empty() && self.bytes.is_empty() {
                first = piece;
                continue;
            }
            let first = std::mem::take(&mut first);
            self.make_room(first.len() + piece.len())?;
            self.bytes.extend_from_slice(&first);
            self.bytes.extend_from_slice(&piece);
        }
        if self.bytes.is_empty() {
            let length = first.len() as u64;
            self.take(length, length)?;
            return Ok(held(first, self.share));
        }
        Ok(self.whole())
    }

    /// The body, read by other means.
    #[cfg(feature = "reqwest")]
    pub(super) fn of(self, bytes: Bytes) -> Bytes {
        held(bytes, self.share)
    }

    /// Takes what is missing for so many bytes, or for as many as are left, where
    /// those are enough. Returns how many the body may have.
    fn take(&mut self, wanted: u64, needed: u64) -> Result<u64, Failure> {
        let own = self.share.as_ref().map_or(0, |share| share.bytes);
        if wanted <= FREE.max(own) {
            return Ok(wanted);
        }
        let Budget { limit, taken } = self.budget;
        let size = |taken: u64| wanted.min(limit.saturating_sub(taken - own));
        let grown = |taken| (size(taken) >= needed).then(|| taken - own + size(taken));
        match taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown) {
            Ok(before) => {
                let share = self.share.get_or_insert_with(|| Share {
                    taken: Arc::clone(taken),
                    bytes: 0,
                });
                share.bytes = size(before);
                Ok(share.bytes)
            }
            Err(taken) => Err(too_large(needed, taken - own, *limit)),
        }
    }

    /// Makes room for so many bytes more: for all of a known length and one byte, by
    /// which its end is seen, otherwise for twice as many as there are.
    fn make_room(&mut self, more: usize) -> Result<(), Failure> {
        let needed = self.bytes.len() + more;
        let capacity = self.bytes.capacity();
        if needed <= capacity {
            return Ok(());
        }
        let aim = match self.length {
            Some(length) if length >= self.bytes.len() as u64 => length.saturating_add(1),
            _ => (2 * capacity as u64).max(FIRST),
        };
        let needed = needed as u64;
        let size = self.take(aim.max(needed), needed)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let reserved = self.bytes.try_reserve_exact(size - self.bytes.len());
        reserved.map_err(|_| {
            limited(format_args!(
                "there is no memory for a body of {size} bytes; lower --body-limit"
            ))
        })
    }

    fn whole(self) -> Bytes {
        held(Bytes::from(self.bytes), self.share)
    }
}

/// Bytes that give their share back when they are dropped.
fn held(bytes: Bytes, share: Option<Share>) -> Bytes {
    /// Both in one.
    struct Held(
        Bytes,
        #[expect(dead_code, reason = "is dropped with the bytes")] Share,
    );

    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    match share {
        None => bytes,
        Some(share) => Bytes::from_owner(Held(bytes, share)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIB: u64 = 1 << 10;

    fn taken(budget: &Budget) -> u64 {
        budget.taken.load(Ordering::Relaxed)
    }

    #[test]
    fn small_bodies_take_nothing() {
        let budget = Budget::new(0);
        for length in [None, Some(FREE - 1)] {
            let bytes = vec![1; 60 << 10];
            let body = budget.body(length).unwrap().read(bytes.as_slice());
            assert_eq!(body.unwrap().unwrap(), bytes);
        }
    }

    #[test]
    fn announced_length_is_refused_before_reading() {
        let budget = Budget::new(100 * KIB);
        let _held = budget.body(Some(70 * KIB)).unwrap();
        let failure = budget.body(Some(80 * KIB)).unwrap_err();
        assert!(failure.limited);
        assert!(
            failure.message.contains("81920 bytes") && failure.message.contains("take 71680"),
            "{failure}"
        );
        assert_eq!(taken(&budget), 70 * KIB);
    }

    #[test]
    fn endless_bodies_of_many_workers_keep_within_the_budget() {
        let budget = Budget::new(4 << 20);
        std::thread::scope(|scope| {
            let read = || budget.body(None).unwrap().read(io::repeat(b'x')).unwrap();
            let workers: Vec<_> = (0..8).map(|_| scope.spawn(read)).collect();
            for worker in workers {
                assert!(worker.join().unwrap().unwrap_err().limited);
            }
        });
        assert_eq!(taken(&budget), 0);
    }

    #[test]
    fn length_beyond_the_machine_fails_without_panic() {
        let budget = Budget::new(u64::MAX);
        for length in [1 << 62, u64::MAX] {
            let body = budget.body(Some(length)).unwrap().read(io::repeat(b'x'));
            assert!(body.unwrap().unwrap_err().limited, "{length}");
        }
    }

    #[test]
    fn body_gives_its_share_back_with_the_last_reference() {
        let budget = Budget::new(1 << 20);
        let bytes = vec![7; 200 << 10];
        let body = budget.body(None).unwrap().read(bytes.as_slice());
        let body = body.unwrap().unwrap();
        let slice = body.slice(..10);
        assert!(taken(&budget) >= 200 * KIB);
        drop(body);
        assert!(taken(&budget) >= 200 * KIB);
        drop(slice);
        assert_eq!(taken(&budget), 0);
    }

    #[test]
    fn single_body_may_take_the_whole_budget() {
        let budget = Budget::new(100 * KIB);
        for (length, fits) in [(100 * KIB, true), (100 * KIB + 1, false)] {
            let bytes = vec![7; usize::try_from(length).unwrap()];
            let body = budget.body(None).unwrap().read(bytes.as_slice());
            assert_eq!(body.unwrap().is_ok(), fits, "{length}");
        }
    }

    proptest! {
        #[test]
        fn bodies_are_read_whole_whatever_is_announced(
            size in 0_usize..300_000,
            announced in proptest::option::of(0_u64..400_000),
            pieces in 1_usize..5,
        ) {
            let budget = Budget::new(1 << 20);
            let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let body = budget.body(announced).unwrap().read(bytes.as_slice());
            prop_assert_eq!(&body.unwrap().unwrap()[..], &bytes[..]);
            let frames = bytes.chunks(size / pieces + 1).map(Bytes::copy_from_slice);
            let frames = frames.map(|piece| Ok::<_, Failure>(hyper::body::Frame::data(piece)));
            let stream = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
            let body = budget.body(announced).unwrap().collect(stream, |failure| failure);
            prop_assert_eq!(&smol::block_on(body).unwrap()[..], &bytes[..]);
            prop_assert_eq!(taken(&budget), 0);
        }
    }
}
