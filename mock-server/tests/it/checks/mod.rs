//! What must hold for any input, as functions of bytes: the fuzz targets search
//! for an input that breaks them, and `corpus` holds the kept ones against them.

pub(crate) mod client;
pub(crate) mod expectation;
pub(crate) mod profile;
pub(crate) mod request;
pub(crate) mod setting;
