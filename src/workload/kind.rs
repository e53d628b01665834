//! Types of items of the inventory API.

/// Type of the item that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Materials,
    Products,
}

impl Kind {
    /// Its name in a URL.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Materials => "materials",
            Self::Products => "products",
        }
    }
}
