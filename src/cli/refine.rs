//! After a sweep of the usual worker counts: those between them that could
//! change the recommendation.

use std::path::Path;

use super::CliError;
use crate::analysis::{Summary, refine};
use crate::measure::Plan;
use crate::record::{PARTIAL_NAME, Record, ServerKind};

/// Worker counts that a sweep begins with.
pub(super) const WORKERS: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 100];
/// The most workers that are added against the bundled server. Another server
/// gets no more at once than the sweep began with.
const MOST: usize = 128;
/// How often cells are added, at most.
pub(super) const WAVES: usize = 8;

/// What to measure next, given the record that is being written; `None` where
/// nothing would change the recommendation.
pub(super) fn next(dir: &Path, samples: u32) -> Result<Option<Plan>, CliError> {
    let summary = Summary::of(&Record::read_partial(&dir.join(PARTIAL_NAME))?);
    let own = summary.session.server.kind == ServerKind::Url;
    let cells = refine::next(&summary, if own { WORKERS[7] } else { MOST });
    Ok((!cells.is_empty()).then(|| Plan {
        cells,
        samples,
        notes: Vec::new(),
    }))
}
