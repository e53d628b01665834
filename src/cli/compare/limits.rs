//! Limits of a profile of the bundled server, for the record.

use mock_server::profile::Profile;

use crate::record;
use crate::workload::Expect;

/// Limits of a profile. Only a file's body has a size that is known beforehand.
pub(super) fn of(profile: &Profile, expect: &Expect) -> record::Limits {
    let pacing = &profile.pacing;
    let link = match expect {
        Expect::File { size, .. } => Some(record::Link {
            answer_bytes: *size as u64,
            connection_bytes_per_s: pacing.bytes_per_second,
            total_bytes_per_s: pacing.total_bytes_per_second,
        }),
        _ => None,
    };
    record::Limits {
        rate: profile.rate_limit.map(|limit| record::RateLimit {
            per_s: limit.rate,
            burst: u64::from(limit.burst),
        }),
        capacity: profile.capacity.map(|capacity| capacity.servers as usize),
        link: link.filter(|_| *pacing != Default::default()),
        connections: profile.connections.max.map(|max| max as usize),
        load: profile.load.is_some(),
        slows: profile.load.is_some()
            || profile.warm_up.is_some()
            || profile.connections != Default::default()
            || *pacing != Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use mock_server::profile::Source;

    use super::of;
    use crate::workload::Expect;

    #[test]
    fn what_slows_a_server_is_told_apart() {
        let limits = |preset: &str| {
            let source = Source::open(preset).expect("a preset");
            let limits = of(&source.finish().expect("a profile"), &Expect::Echo);
            (limits.connections, limits.load, limits.slows)
        };
        assert_eq!(limits("steady"), (None, false, false));
        assert_eq!(limits("few-connections"), (Some(16), false, true));
        assert_eq!(limits("contended"), (None, true, true));
        assert_eq!(limits("cold-start"), (None, false, true));
    }
}
