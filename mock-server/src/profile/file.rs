//! A profile as it is written: its keys, and the range of every value.

use std::path::Path;
use std::time::Duration;

use super::section::{Given, Section};
use super::times;
use crate::model::{
    Capacity, Connections, FILE_SIZE, Faults, Load, Outage, Pacing, Profile, RateLimit, WarmUp,
};

/// The longest body of `/files/{id}`: 256 MiB.
pub(crate) const LARGEST_FILE: usize = 256 << 20;

/// Reads and checks a profile. `folder` is where a trace's relative path starts.
///
/// # Errors
/// A sentence that names the key, its value and its range.
pub(super) fn read(table: toml::Table, folder: &Path) -> Result<Profile, String> {
    let mut top = Section::top(table);
    top.only(&[
        "description",
        "service_time",
        "capacity",
        "load",
        "rate_limit",
        "connections",
        "body",
        "faults",
        "warm_up",
        "outage",
    ])?;
    let mut profile = Profile::default();
    if let Some(given) = top.get("description") {
        profile.description = given.text()?;
    }
    if let Some(given) = top.get("service_time") {
        profile.service_time = times::read(given, folder)?;
    }
    profile.capacity = top.get("capacity").map(capacity).transpose()?;
    profile.load = top.get("load").map(load).transpose()?;
    profile.rate_limit = top.get("rate_limit").map(rate_limit).transpose()?;
    if let Some(given) = top.get("connections") {
        profile.connections = connections(given)?;
    }
    if let Some(given) = top.get("body") {
        (profile.file_size, profile.pacing) = body(given)?;
    }
    if let Some(given) = top.get("faults") {
        profile.faults = faults(given)?;
    }
    profile.warm_up = top.get("warm_up").map(warm_up).transpose()?;
    if let Some(given) = top.get("outage") {
        let outages = given.list()?.into_iter().map(outage);
        profile.outages = outages.collect::<Result<_, _>>()?;
    }
    Ok(profile)
}

const MANY: i64 = 1_000_000;

/// A number of things, of which there can be many.
fn count(given: Given, least: i64) -> Result<u32, String> {
    given.whole(least, MANY).map(|count| count as u32)
}

fn capacity(given: Given) -> Result<Capacity, String> {
    let mut table = given.table()?;
    table.only(&["servers", "queue", "retry_after"])?;
    let queue = table.get("queue").map(|given| count(given, 0));
    let retry_after = table.get("retry_after").map(Given::time);
    Ok(Capacity {
        servers: count(table.need("servers")?, 1)?,
        queue: queue.transpose()?,
        retry_after: retry_after.unwrap_or(Ok(Duration::from_secs(1)))?,
    })
}

fn load(given: Given) -> Result<Load, String> {
    let mut table = given.table()?;
    table.only(&["sigma", "kappa"])?;
    let mut share = |key| {
        table
            .get(key)
            .map_or(Ok(0.0), |given| given.number(0.0, 1.0))
    };
    Ok(Load {
        sigma: share("sigma")?,
        kappa: share("kappa")?,
    })
}

fn rate_limit(given: Given) -> Result<RateLimit, String> {
    let mut table = given.table()?;
    table.only(&["rate", "burst"])?;
    Ok(RateLimit {
        rate: table.need("rate")?.number(0.001, 1e7)?,
        burst: count(table.need("burst")?, 1)?,
    })
}

fn connections(given: Given) -> Result<Connections, String> {
    let mut table = given.table()?;
    table.only(&["accept_delay", "max", "requests", "idle_timeout"])?;
    let delay = table.get("accept_delay").map(Given::time);
    let mut limit = |key| table.get(key).map(|given| count(given, 1)).transpose();
    Ok(Connections {
        accept_delay: delay.unwrap_or(Ok(Duration::ZERO))?,
        max: limit("max")?,
        requests: limit("requests")?,
        idle_timeout: table.get("idle_timeout").map(Given::positive).transpose()?,
    })
}

/// The size of files, and how bodies are sent.
fn body(given: Given) -> Result<(usize, Pacing), String> {
    let mut table = given.table()?;
    table.only(&[
        "file_size",
        "chunk",
        "gap",
        "bytes_per_second",
        "total_bytes_per_second",
    ])?;
    let mut bytes = |key, least, most| {
        let given = table.get(key).map(|given: Given| given.whole(least, most));
        given.transpose()
    };
    let size = bytes("file_size", 64, LARGEST_FILE as i64)?;
    let chunk = bytes("chunk", 1, 1 << 20)?;
    let [one, all] =
        ["bytes_per_second", "total_bytes_per_second"].map(|key| bytes(key, 1, 1 << 40));
    let gap = table.get("gap").map(Given::time).transpose()?;
    if gap.is_some() && chunk.is_none() {
        return Err("`body.gap` needs `body.chunk`: the bytes between two gaps".to_owned());
    }
    let pacing = Pacing {
        chunk: chunk.map(|chunk| chunk as usize),
        gap: gap.unwrap_or_default(),
        bytes_per_second: one?.map(|rate| rate as u64),
        total_bytes_per_second: all?.map(|rate| rate as u64),
    };
    Ok((size.map_or(FILE_SIZE, |size| size as usize), pacing))
}

fn server_error(given: Option<Given>, default: u16) -> Result<u16, String> {
    given.map_or(Ok(default), |given| {
        given.whole(500, 599).map(|status| status as u16)
    })
}

fn faults(given: Given) -> Result<Faults, String> {
    let mut table = given.table()?;
    table.only(&[
        "error",
        "error_status",
        "reset",
        "empty",
        "truncated",
        "malformed",
        "hang",
        "hang_time",
    ])?;
    let default = Faults::default();
    let status = server_error(table.get("error_status"), default.error_status);
    let hang_time = table.get("hang_time").map(Given::time);
    let mut chance = |key| {
        table
            .get(key)
            .map_or(Ok(0.0), |given| given.number(0.0, 1.0))
    };
    let faults = Faults {
        error: chance("error")?,
        error_status: status?,
        reset: chance("reset")?,
        empty: chance("empty")?,
        truncated: chance("truncated")?,
        malformed: chance("malformed")?,
        hang: chance("hang")?,
        hang_time: hang_time.unwrap_or(Ok(default.hang_time))?,
    };
    // Sums of decimal fractions miss 1 by a few last places.
    if faults.total() > 1.0 + 1e-9 {
        return Err(format!(
            "the chances of `faults` add up to {}: expected at most 1",
            faults.total()
        ));
    }
    Ok(faults)
}

fn warm_up(given: Given) -> Result<WarmUp, String> {
    let mut table = given.table()?;
    table.only(&["lasting", "factor"])?;
    Ok(WarmUp {
        lasting: table.need("lasting")?.positive()?,
        factor: table.need("factor")?.number(1.0, 1000.0)?,
    })
}

fn outage(given: Given) -> Result<Outage, String> {
    let mut table = given.table()?;
    table.only(&["from", "lasting", "status"])?;
    Ok(Outage {
        from: table.need("from")?.time()?,
        lasting: table.need("lasting")?.positive()?,
        status: server_error(table.get("status"), 503)?,
    })
}

#[cfg(test)]
mod tests;
