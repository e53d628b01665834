//! The strategies that come with fanout.

use super::Catalogue;

impl Catalogue {
    /// The strategies that come with fanout.
    pub fn bundled() -> Self {
        Self(vec![
            super::sequential::ENTRY,
            super::thread_pool::ENTRY,
            #[cfg(feature = "rayon")]
            super::rayon::ENTRY,
            #[cfg(feature = "tokio")]
            super::tokio::ENTRY,
            #[cfg(feature = "async-std")]
            super::async_std::ENTRY,
            #[cfg(feature = "smol")]
            super::smol::ENTRY,
            #[cfg(feature = "multiprocess")]
            super::multiprocess::ENTRY,
        ])
    }
}
