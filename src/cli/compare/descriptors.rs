//! Check that a process may open as many files as a plan needs.

use crate::cli::CliError;
use crate::measure::Plan;
use crate::record::Cell;
use crate::strategy::Catalogue;

/// Raises the limit of open files, and refuses worker counts beyond it before
/// anything is measured. The limit is each process's own: this one holds the
/// lanes, a sample's the workers.
pub(super) fn allow(
    catalogue: &Catalogue,
    plan: &Plan,
    lanes: usize,
    saves: bool,
) -> Result<(), CliError> {
    /// Of a lane: the pipes of a sample's process and of a server's.
    const A_LANE: usize = 4;
    /// Standard streams, libraries, pollers.
    const BESIDES: usize = 60;
    let of_cell = |cell: &Cell| {
        let entry = catalogue.named(&cell.strategy);
        // A body that is saved is a file that is open meanwhile.
        let each = entry.map_or(0, |entry| entry.descriptors) + usize::from(saves);
        each * cell.workers_usable
    };
    let most = plan.cells.iter().max_by_key(|cell| of_cell(cell));
    let workers = most.map_or(0, of_cell);
    let needed = (workers.max(lanes * A_LANE) + BESIDES) as u64;
    let allowed = mock_server::limits::raise_open_files()?;
    if needed > allowed {
        let what = most.map_or_else(String::new, ToString::to_string);
        return Err(CliError::new(format_args!(
            "{what} needs about {needed} open files, and the limit is {allowed}; raise the hard \
             limit (`ulimit -Hn`), or use fewer workers"
        )));
    }
    Ok(())
}
