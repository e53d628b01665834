//! Several summaries in one: those of a record's profiles, or of records that
//! are set side by side.

use std::collections::BTreeSet;

use crate::analysis::Summary;
use crate::record::{Ending, Receipt, Record, Session};

/// Records that do not compare.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the records are of different machines ({}), so their times do not compare; measure on one machine, or \
     add --force", .machines.join("; ")
)]
pub struct DifferentMachines {
    /// Each record by its name, with its machine in words.
    pub machines: Vec<String>,
}

/// Summarises each profile by itself, and puts them one after the other.
pub(super) fn summary(record: &Record) -> Summary {
    let profiles = record.clone().by_profile().into_iter().map(|one| {
        let name = one.session.server.profile.clone();
        (name.unwrap_or_else(|| "fixed".to_owned()), one)
    });
    joined(record.session.clone(), record.ending, profiles.collect())
}

impl Summary {
    /// Sets a record and others side by side, each under a name of its own.
    ///
    /// # Errors
    /// Where they are of different machines, unless that is to be overlooked;
    /// then a note says so.
    pub fn side_by_side(
        first: (String, Record),
        others: Vec<(String, Record)>,
        overlook_machines: bool,
    ) -> Result<Self, DifferentMachines> {
        let mut session = first.1.session.clone();
        let records: Vec<_> = std::iter::once(first).chain(others).collect();
        let different = different_machines(&records);
        if let Some(different) = &different
            && !overlook_machines
        {
            return Err(DifferentMachines {
                machines: different.machines.clone(),
            });
        }
        let differing = differing_builds(&records);
        let mut named = Vec::new();
        for (name, record) in records {
            let several = !record.session.others.is_empty();
            named.extend(record.by_profile().into_iter().map(|one| {
                let profile = one.session.server.profile.clone().filter(|_| several);
                let name = profile.map_or(name.clone(), |profile| format!("{name}: {profile}"));
                (name, one)
            }));
        }
        session.others = named
            .iter()
            .skip(1)
            .map(|(_, one)| one.session.server.clone())
            .collect();
        let mut endings = named.iter().map(|(_, one)| one.ending);
        let cut_short = endings.find(|ending| *ending != Ending::Complete);
        let mut summary = joined(session, cut_short.unwrap_or(Ending::Complete), named);
        summary.notes.extend(differing);
        if let Some(different) = different {
            let note = format!(
                "records of different machines ({}) stand side by side here: their times do not \
                 compare",
                different.machines.join("; ")
            );
            // Each is drawn by itself as well, and read by itself.
            for one in &mut summary.profiles {
                one.notes.push(note.clone());
            }
            summary.notes.push(note);
        }
        Ok(summary)
    }
}

fn different_machines(records: &[(String, Record)]) -> Option<DifferentMachines> {
    let machine = |receipt: &Receipt| {
        format!(
            "{}, {} cores, {} bytes of memory, {}",
            receipt.cpu, receipt.cores, receipt.memory_bytes, receipt.os
        )
    };
    let machines = records
        .iter()
        .map(|(name, record)| (name, machine(&record.session.receipt)));
    let distinct: BTreeSet<_> = machines.clone().map(|(_, machine)| machine).collect();
    (distinct.len() > 1).then(|| DifferentMachines {
        machines: machines
            .map(|(name, machine)| format!("{name}: {machine}"))
            .collect(),
    })
}

/// Another build is what one may want to see, so it is said and not refused.
fn differing_builds(records: &[(String, Record)]) -> Option<String> {
    let builds = records.iter().map(|(name, record)| {
        let receipt = &record.session.receipt;
        let build = format!(
            "fanout {}, revision {}, {} build, kernel {}",
            receipt.fanout, receipt.revision, receipt.profile, receipt.kernel
        );
        (name, build)
    });
    let distinct: BTreeSet<_> = builds.clone().map(|(_, build)| build).collect();
    (distinct.len() > 1).then(|| {
        let builds: Vec<_> = builds
            .map(|(name, build)| format!("{name}: {build}"))
            .collect();
        format!(
            "not all was measured with the same build: {}",
            builds.join("; ")
        )
    })
}

/// Summaries one after the other.
fn joined(session: Session, ending: Ending, records: Vec<(String, Record)>) -> Summary {
    let summary = |(name, mut record): (String, Record)| {
        for sample in &mut record.samples {
            sample.cell.profile = Some(name.clone());
        }
        for cell in &mut record.session.planned {
            cell.profile = Some(name.clone());
        }
        Summary {
            name: Some(name),
            ..Summary::of_one(&record)
        }
    };
    let profiles: Vec<Summary> = records.into_iter().map(summary).collect();
    let mut first = 0;
    let mut best = None;
    for profile in &profiles {
        best = best.or(profile.best.map(|place| first + place));
        first += profile.rows.len();
    }
    Summary {
        name: None,
        session,
        ending,
        service: profiles.iter().find_map(|profile| profile.service),
        rows: profiles.iter().flat_map(|one| one.rows.clone()).collect(),
        best,
        // Each profile has its own.
        timelines: Vec::new(),
        recommendation: None,
        notes: notes(&profiles),
        profiles,
    }
}

/// What is true of all of them once, the rest with its name.
fn notes(profiles: &[Summary]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for profile in profiles {
        for note in &profile.notes {
            let of_all = profiles.iter().all(|other| other.notes.contains(note));
            let note = match &profile.name {
                Some(name) if !of_all => format!("{name}: {note}"),
                _ => note.clone(),
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{RecordBuilder, measured, two_profiles};

    fn record(warm_s: f64) -> Record {
        RecordBuilder::new()
            .sample("tokio", 3, measured(100, warm_s))
            .build()
    }

    fn beside(other: Record, overlook: bool) -> Result<Summary, DifferentMachines> {
        let first = ("before".to_owned(), record(6.9));
        Summary::side_by_side(first, vec![("after".to_owned(), other)], overlook)
    }

    #[test]
    fn two_records_of_one_cell_stay_two_rows() {
        let summary = beside(record(6.84), false).expect("one machine");
        let rows: Vec<_> = summary
            .rows
            .iter()
            .map(|row| (row.cell.profile.as_deref(), row.samples()))
            .collect();
        assert_eq!(rows, [(Some("before"), 1), (Some("after"), 1)]);
        assert!(summary.is_best(0) && summary.is_best(1));
        assert_eq!(
            summary.of_cell(&summary.rows[1].cell).name.as_deref(),
            Some("after")
        );
        let several = beside(two_profiles(), false).expect("one machine");
        let names: Vec<_> = several
            .profiles
            .iter()
            .flat_map(|one| one.name.clone())
            .collect();
        assert_eq!(names, ["before", "after: steady", "after: slow"]);
    }

    #[test]
    fn two_machines_are_refused_or_else_said() {
        let mut other = record(3.0);
        other.session.receipt.cores = 64;
        let error = beside(other.clone(), false).expect_err("two machines");
        let message = error.to_string();
        assert!(
            message.contains("64 cores") && message.contains("--force"),
            "{message}"
        );
        let summary = beside(other, true).expect("forced");
        let said = |one: &Summary| one.notes.iter().any(|note| note.contains("do not compare"));
        assert!(said(&summary) && summary.profiles.iter().all(said));
    }

    #[test]
    fn another_build_is_said() {
        let mut other = record(3.0);
        other.session.receipt.revision = "fedcba9".to_owned();
        let summary = beside(other, false).expect("one machine");
        assert!(summary.notes.iter().any(|note| note.contains("fedcba9")));
    }
}
