//! The service model: when a request is answered, and whether it is at all.
//!
//! A request passes, in this order: the rate limit (429), the outage windows
//! (503), the queue for one of the servers (503 when it is full), its service
//! time under load, and a fault. All of it is decided when the request arrives,
//! in virtual time: the service times are known beforehand, so the instant of
//! departure is too, and nothing that happens later (a late wake-up, a slow
//! client) can move the departure of another request.

mod bucket;
mod distribution;
mod fault;
mod normal;
mod pace;
mod profile;
mod station;
mod window;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use bucket::RateLimit;
pub(crate) use bucket::Standing;
pub use distribution::ServiceTime;
pub(crate) use fault::Fault;
pub use fault::Faults;
pub(crate) use pace::Pace;
pub use pace::Pacing;
pub use profile::{Connections, FILE_SIZE, Profile};
pub use station::{Capacity, Load};
pub use window::{Outage, WarmUp};

use crate::random::{Purpose, Stream};
use crate::route::Route;
use pace::Link;

/// Whom a random quantity belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) seed: u64,
    pub(crate) route: u64,
    pub(crate) id: &'a str,
    pub(crate) attempt: u64,
}

impl Key<'_> {
    fn stream(&self, purpose: Purpose) -> Stream {
        Stream::new(self.seed, purpose, self.route, self.id, self.attempt)
    }
}

impl ServiceTime {
    /// What is drawn for the first request for an id on a route, as every run
    /// with this seed draws it: before warm-up, load and queueing add to it.
    pub fn of_first(&self, seed: u64, route: Route, id: &str) -> Duration {
        self.draw(Key {
            seed,
            route: route as u64,
            id,
            attempt: 0,
        })
    }

    fn draw(&self, key: Key<'_>) -> Duration {
        match self {
            // Nothing random: the request path of the default profile draws
            // nothing.
            Self::Fixed(time) => *time,
            other => other.sample(&mut key.stream(Purpose::Latency)),
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It is served.
    Serve {
        /// When its answer departs.
        due: Instant,
        /// How long it waits for a server.
        queued: Duration,
        /// How long it is served, load and warm-up included.
        service: Duration,
        /// How much of that is beyond its drawn service time.
        slowed: Duration,
        /// What goes wrong with its answer.
        fault: Option<Fault>,
    },
    /// It is refused at once.
    Refuse {
        /// 429 or 503, or the status of an outage.
        status: u16,
        /// When another attempt has a chance.
        retry_after: Duration,
        /// Why, for the body.
        reason: &'static str,
    },
}

/// How long one request is served.
#[derive(Clone, Copy)]
struct Time {
    drawn: Duration,
    /// Stretched by warm-up and load.
    service: Duration,
}

/// The model of one run: what requests have in common.
pub(crate) struct Model {
    profile: Arc<Profile>,
    /// When the first request arrived: warming up and outages count from there,
    /// so that a client that takes long to start up meets them like any other.
    started: OnceLock<Instant>,
    shared: Option<Mutex<Shared>>,
    link: Arc<Link>,
}

struct Shared {
    bucket: Option<bucket::Bucket>,
    station: Option<station::Station>,
}

impl Model {
    /// The model of a run that starts with its first request.
    pub(crate) fn new(profile: Arc<Profile>) -> Self {
        // The bucket is full, so that it makes no difference when it was filled.
        let bucket = profile
            .rate_limit
            .map(|limit| bucket::Bucket::new(limit, Instant::now()));
        let station = (profile.capacity.is_some() || profile.load.is_some())
            .then(|| station::Station::new(profile.capacity, profile.load));
        let shared =
            (bucket.is_some() || station.is_some()).then(|| Mutex::new(Shared { bucket, station }));
        Self {
            profile,
            started: OnceLock::new(),
            shared,
            link: Arc::new(Link::new()),
        }
    }

    /// The link that the paced bodies of this run share.
    pub(crate) fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }

    /// Decides about a request that arrived at `arrived`; the second value is
    /// where the client stands with the rate limit, when there is one.
    pub(crate) fn admit(&self, arrived: Instant, key: Key<'_>) -> (Verdict, Option<Standing>) {
        let Some(shared) = &self.shared else {
            let verdict = self.outage(arrived).unwrap_or_else(|| {
                let time = self.service_time(arrived, key);
                self.serve(arrived, arrived, time, key)
            });
            return (verdict, None);
        };
        // A request that panicked while it held the lock left whole state: each
        // step below is one assignment.
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = shared.bucket.as_mut().map(|bucket| bucket.take(arrived));
        if let Some(standing) = standing.filter(|standing| !standing.admitted) {
            let refused = Verdict::Refuse {
                status: 429,
                retry_after: standing.next_token,
                reason: "the rate limit is spent",
            };
            return (refused, Some(standing));
        }
        if let Some(down) = self.outage(arrived) {
            return (down, standing);
        }
        let time = self.service_time(arrived, key);
        let verdict = match &mut shared.station {
            None => self.serve(arrived, arrived, time, key),
            Some(station) => match station.enter(arrived, time.service) {
                Ok((start, service)) => self.serve(arrived, start, Time { service, ..time }, key),
                Err(retry_after) => Verdict::Refuse {
                    status: 503,
                    retry_after,
                    reason: "every server is busy and the queue is full",
                },
            },
        };
        (verdict, standing)
    }

    fn service_time(&self, arrived: Instant, key: Key<'_>) -> Time {
        let drawn = self.profile.service_time.draw(key);
        let service = match &self.profile.warm_up {
            Some(warm_up) => warm_up.stretch(drawn, self.since_start(arrived)),
            None => drawn,
        };
        Time { drawn, service }
    }

    fn serve(&self, arrived: Instant, start: Instant, time: Time, key: Key<'_>) -> Verdict {
        let faults = &self.profile.faults;
        Verdict::Serve {
            due: start + time.service,
            queued: start.saturating_duration_since(arrived),
            service: time.service,
            slowed: time.service.saturating_sub(time.drawn),
            fault: (!faults.is_none())
                .then(|| faults.strike(&mut key.stream(Purpose::Fault)))
                .flatten(),
        }
    }

    /// How long after the run's first request another arrived.
    fn since_start(&self, arrived: Instant) -> Duration {
        let started = *self.started.get_or_init(|| arrived);
        arrived.saturating_duration_since(started)
    }

    fn outage(&self, arrived: Instant) -> Option<Verdict> {
        // Most profiles have none, and then need not know when it is.
        if self.profile.outages.is_empty() {
            return None;
        }
        let since = self.since_start(arrived);
        let outage = self
            .profile
            .outages
            .iter()
            .find(|outage| outage.covers(since))?;
        Some(Verdict::Refuse {
            status: outage.status,
            retry_after: (outage.from + outage.lasting).saturating_sub(since),
            reason: "the service is down for now",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, attempt: u64) -> Key<'_> {
        Key {
            seed: 1,
            route: 0,
            id,
            attempt,
        }
    }

    fn due(verdict: &Verdict, arrived: Instant) -> Duration {
        match verdict {
            Verdict::Serve { due, .. } => *due - arrived,
            Verdict::Refuse { .. } => panic!("{verdict:?}"),
        }
    }

    #[test]
    fn latency_belongs_to_the_request_and_not_to_its_place_in_line() {
        let profile = Profile {
            service_time: ServiceTime::Exponential {
                mean: Duration::from_millis(50),
            },
            ..Profile::default()
        };
        let profile = Arc::new(profile);
        let (one, other) = (Model::new(profile.clone()), Model::new(profile));
        let now = Instant::now();
        let ids: Vec<String> = (0..50).map(|id| id.to_string()).collect();
        let forward: Vec<_> = ids
            .iter()
            .map(|id| due(&one.admit(now, key(id, 0)).0, now))
            .collect();
        let mut backward: Vec<_> = ids
            .iter()
            .rev()
            .map(|id| due(&other.admit(now, key(id, 0)).0, now))
            .collect();
        backward.reverse();
        assert_eq!(forward, backward);
        assert_ne!(forward[0], due(&one.admit(now, key("0", 1)).0, now));
    }

    #[test]
    fn a_spent_bucket_is_told_before_a_full_queue() {
        let profile = Profile {
            service_time: ServiceTime::Fixed(Duration::from_secs(1)),
            capacity: Some(Capacity {
                servers: 1,
                queue: Some(0),
                retry_after: Duration::from_secs(1),
            }),
            rate_limit: Some(RateLimit {
                rate: 1.0,
                burst: 2,
            }),
            ..Profile::default()
        };
        let model = Model::new(Arc::new(profile));
        let now = Instant::now();
        let statuses: Vec<_> = (0..3)
            .map(|_| match model.admit(now, key("0", 0)).0 {
                Verdict::Serve { .. } => 200,
                Verdict::Refuse { status, .. } => status,
            })
            .collect();
        assert_eq!(statuses, [200, 503, 429]);
    }

    #[test]
    fn warm_up_begins_with_the_first_request() {
        let profile = Profile {
            service_time: ServiceTime::Fixed(Duration::from_millis(100)),
            warm_up: Some(WarmUp {
                lasting: Duration::from_secs(10),
                factor: 3.0,
            }),
            ..Profile::default()
        };
        let model = Model::new(Arc::new(profile));
        let first = Instant::now() + Duration::from_secs(60);
        let served = |since: u64| {
            let arrived = first + Duration::from_secs(since);
            due(&model.admit(arrived, key("0", 0)).0, arrived).as_millis()
        };
        assert_eq!([served(0), served(5), served(10)], [300, 200, 100]);
    }

    #[test]
    fn an_outage_refuses_while_it_lasts() {
        let profile = Profile {
            outages: vec![Outage {
                from: Duration::from_secs(1),
                lasting: Duration::from_secs(2),
                status: 502,
            }],
            ..Profile::default()
        };
        let model = Model::new(Arc::new(profile));
        // However long after the model was made the first request comes.
        let first = Instant::now() + Duration::from_secs(60);
        let at = |secs: f64| {
            let arrived = first + Duration::from_secs_f64(secs);
            match model.admit(arrived, key("0", 0)).0 {
                Verdict::Serve { .. } => (200, Duration::ZERO),
                Verdict::Refuse {
                    status,
                    retry_after,
                    ..
                } => (status, retry_after),
            }
        };
        assert_eq!(at(0.0).0, 200);
        assert_eq!(at(0.5).0, 200);
        assert_eq!(at(1.0), (502, Duration::from_secs(2)));
        assert_eq!(at(2.5), (502, Duration::from_millis(500)));
        assert_eq!(at(3.0).0, 200);
    }
}
