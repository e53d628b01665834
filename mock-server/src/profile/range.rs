//! Values of a profile against their ranges: each error names the key, the value
//! and what was expected.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::duration;

/// A duration as people write it.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(from)?;
        let text = match &value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        duration::parse(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

pub(super) fn whole(key: &str, value: i64, min: i64, max: i64) -> Result<i64, String> {
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(format!(
        "`{key}` is {value}: expected a whole number from {min} to {max}"
    ))
}

pub(super) fn number(key: &str, value: f64, min: f64, max: f64) -> Result<f64, String> {
    // Not a number is in no range.
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(format!(
        "`{key}` is {value}: expected a number from {min} to {max}"
    ))
}

pub(super) fn positive(key: &str, Time(time): Time) -> Result<Duration, String> {
    if time.is_zero() {
        return Err(format!("`{key}` is 0: expected a time above 0"));
    }
    Ok(time)
}
