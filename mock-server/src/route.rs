//! The routes whose requests the journal counts by id.

use serde::{Deserialize, Serialize};

/// A route whose requests are counted by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Route {
    /// `/inventory/materials`
    Materials,
    /// `/inventory/products`
    Products,
    /// `/users`
    Users,
    /// `/files/{id}`
    Files,
    /// `/status/{code}`
    Status,
    /// `/echo`
    Echo,
}

impl Route {
    /// Every route, in the order in which the journal lists them.
    pub const ALL: [Self; 6] = [
        Self::Materials,
        Self::Products,
        Self::Users,
        Self::Files,
        Self::Status,
        Self::Echo,
    ];

    /// The name that the journal uses: `materials` and so on.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Materials => "materials",
            Self::Products => "products",
            Self::Users => "users",
            Self::Files => "files",
            Self::Status => "status",
            Self::Echo => "echo",
        }
    }
}
