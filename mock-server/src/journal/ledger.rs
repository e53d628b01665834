//! One run's counters: totals striped by thread, counts by id shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::{Histogram, Lateness};
use super::numeric_ids::{NO_ID, NumericIds};
use super::text_ids::TextIds;
use super::{Counts, Route, Summary};
use crate::model::Model;
use crate::model::Profile;

/// The totals of one serving thread, on cache lines of its own: threads that
/// count on the same line would slow each other down.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Stripe {
    pub(super) arrived: AtomicU64,
    pub(super) completed: AtomicU64,
    pub(super) aborted: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) untracked: AtomicU64,
    pub(super) faulted: AtomicU64,
    pub(super) lateness: Histogram,
    pub(super) unmatched: AtomicU64,
    pub(super) connections_opened: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) bytes_received: AtomicU64,
    /// Nanoseconds of the completed requests.
    pub(super) queued: AtomicU64,
    pub(super) slowed: AtomicU64,
    pub(super) paced: AtomicU64,
}

/// Adds to a total of the calling thread's own stripe, which no other thread
/// writes: so the sum need not be one step, a quarter of the price.
pub(super) fn add(total: &AtomicU64, amount: u64) {
    let before = total.load(Ordering::Relaxed);
    total.store(before.wrapping_add(amount), Ordering::Relaxed);
}

/// Adds to a total of the calling thread's own stripe, or takes back what was
/// added.
pub(super) fn change(total: &AtomicU64, by: i64) {
    // Adding the two's complement of a number subtracts it.
    add(total, by as u64);
}

#[derive(Default)]
#[repr(align(128))]
struct InFlight {
    now: AtomicU64,
    most: AtomicU64,
}

/// The counters between two resets.
pub(crate) struct Ledger {
    stripes: Box<[Stripe]>,
    in_flight: InFlight,
    numeric_ids: [NumericIds; Route::ALL.len()],
    pub(super) text_ids: TextIds,
    /// The service model of the same run.
    pub(crate) model: Model,
}

impl Ledger {
    pub(super) fn new(threads: usize, profile: Arc<Profile>) -> Self {
        Self {
            stripes: (0..threads.max(1)).map(|_| Stripe::default()).collect(),
            in_flight: InFlight::default(),
            numeric_ids: Default::default(),
            text_ids: TextIds::default(),
            model: Model::new(profile),
        }
    }

    /// The totals of one thread.
    pub(super) fn stripe(&self, thread: usize) -> &Stripe {
        &self.stripes[thread]
    }

    pub(super) fn numeric_ids(&self, route: Route) -> &NumericIds {
        &self.numeric_ids[route as usize]
    }

    /// A request is in flight from now on. "At one moment" spans all threads, so
    /// this is the one counter that they share.
    pub(super) fn enter(&self) {
        let now = self.in_flight.now.fetch_add(1, Ordering::Relaxed) + 1;
        if now > self.in_flight.most.load(Ordering::Relaxed) {
            self.in_flight.most.fetch_max(now, Ordering::Relaxed);
        }
    }

    pub(super) fn leave(&self) {
        self.in_flight.now.fetch_sub(1, Ordering::Relaxed);
    }

    /// Calls `visit` for each id that arrived: by route, whole numbers first in
    /// order, then the others in order.
    fn each(&self, mut visit: impl FnMut(Route, Id<'_>, Counts)) {
        for route in Route::ALL {
            self.numeric_ids(route)
                .each(|id, counts| visit(route, Id::of(id), counts));
            for (id, counts) in self.text_ids.sorted(route) {
                visit(route, Id::Text(&id), counts);
            }
        }
    }

    /// The totals at this moment. Calls `visit` as [`each`](Self::each) does:
    /// there may be millions of ids, and a serving thread waits meanwhile.
    pub(super) fn read(&self, mut visit: impl FnMut(Route, Id<'_>, Counts)) -> Summary {
        let sum = |total: fn(&Stripe) -> &AtomicU64| {
            let each = self.stripes.iter().map(total);
            each.map(|total| total.load(Ordering::Relaxed)).sum()
        };
        let completed: u64 = sum(|stripe| &stripe.completed);
        // Without any all three are 0.
        let mean_ms = |nanos: u64| nanos as f64 / completed.max(1) as f64 / 1e6;
        let mut summary = Summary {
            arrived: sum(|stripe| &stripe.arrived),
            completed,
            aborted: sum(|stripe| &stripe.aborted),
            rejected: sum(|stripe| &stripe.rejected),
            faulted: sum(|stripe| &stripe.faulted),
            lateness: Lateness::of(self.stripes.iter().map(|stripe| &stripe.lateness)),
            untracked: sum(|stripe| &stripe.untracked),
            unmatched: sum(|stripe| &stripe.unmatched),
            connections_opened: sum(|stripe| &stripe.connections_opened),
            bytes_sent: sum(|stripe| &stripe.bytes_sent),
            bytes_received: sum(|stripe| &stripe.bytes_received),
            queued_mean_ms: mean_ms(sum(|stripe| &stripe.queued)),
            slowed_mean_ms: mean_ms(sum(|stripe| &stripe.slowed)),
            paced_mean_ms: mean_ms(sum(|stripe| &stripe.paced)),
            most_in_flight: self.in_flight.most.load(Ordering::Relaxed),
            distinct: 0,
            duplicate: 0,
        };
        self.each(|route, id, counts| {
            summary.distinct += 1;
            summary.duplicate += counts.arrived - 1;
            visit(route, id, counts);
        });
        summary
    }
}

/// An id as the journal keeps it.
#[derive(Clone, Copy)]
pub(super) enum Id<'a> {
    Number(u32),
    Text(&'a str),
}

impl Id<'_> {
    /// The id of a number in a book. The empty one comes last there, and first
    /// among the texts.
    fn of(number: u32) -> Self {
        match number {
            NO_ID => Self::Text(""),
            _ => Self::Number(number),
        }
    }
}
