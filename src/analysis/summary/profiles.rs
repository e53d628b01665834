//! The summary of a record with several profiles: that of each, and all of them
//! in one.

use crate::analysis::Summary;
use crate::record::Record;

/// Summarises each profile by itself, and puts them one after the other.
pub(super) fn summary(record: &Record) -> Summary {
    let profiles: Vec<Summary> = record
        .clone()
        .by_profile()
        .iter()
        .map(Summary::of_one)
        .collect();
    let mut first = 0;
    let mut best = None;
    for profile in &profiles {
        best = best.or(profile.best.map(|place| first + place));
        first += profile.rows.len();
    }
    Summary {
        session: record.session.clone(),
        ending: record.ending,
        service: profiles.iter().find_map(|profile| profile.service),
        rows: profiles.iter().flat_map(|one| one.rows.clone()).collect(),
        best,
        notes: notes(&profiles),
        profiles,
    }
}

/// What is true of all of them once, the rest with the profile's name.
fn notes(profiles: &[Summary]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for profile in profiles {
        for note in &profile.notes {
            let of_all = profiles.iter().all(|other| other.notes.contains(note));
            let name = profile.session.server.profile.as_deref().unwrap_or("one");
            let note = match of_all {
                true => note.clone(),
                false => format!("{name}: {note}"),
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}
