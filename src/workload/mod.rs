//! Workloads: the requests of a batch, and the check of their responses.
//!
//! A workload is a function from an index to a request, with a length; it is
//! never a list, so a batch of a million takes no more memory than one of ten.

#[cfg(feature = "mock-server")]
mod bundled;
#[cfg_attr(not(feature = "mock-server"), path = "no_exact.rs")]
mod exact;
mod expect;
mod gets;
mod kind;
mod table;
mod template;

use crate::outcome::{Failure, Response};
use crate::request::Request;

#[cfg(feature = "mock-server")]
pub use self::bundled::{BUNDLED, Bundled, Source};
pub use self::expect::Expect;
pub use self::gets::Gets;
pub use self::table::{Table, TableError};
pub use self::template::{Template, TemplateError};

/// Requests of a batch, and the check of their responses.
///
/// Both functions are called from many threads at once, `check` within the
/// timed section: keep it cheap.
pub trait Workload: Send + Sync {
    /// Requests in the batch.
    fn requests(&self) -> usize;

    /// The request at an index from 0.
    fn request(&self, index: usize) -> Request;

    /// Checks that a response is what the batch expects.
    ///
    /// # Errors
    /// A failure of kind `status` or `decode` where it is not.
    fn check(&self, index: usize, response: &Response) -> Result<(), Failure>;
}
