//! Parsers of option values.

pub(super) fn parse_name(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a name; remove the extra comma".to_owned()),
        name => Ok(name.to_owned()),
    }
}

pub(super) fn parse_workers(text: &str) -> Result<usize, String> {
    parse_count(text, 100_000).map_err(|problem| {
        format!("{problem}; workers are requests in flight at once, as in --workers 1,5,20")
    })
}

pub(super) fn parse_requests(text: &str) -> Result<usize, String> {
    parse_count(text, 100_000_000)
}

/// A share of requests: `1%`, or as a fraction `0.01`.
pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let percent = text.strip_suffix('%');
    let number = percent.unwrap_or(text).trim().parse::<f64>();
    let share = number.map(|number| percent.map_or(number, |_| number / 100.0));
    match share {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0% to below 100%, as 1% or 0.01".to_owned()),
    }
}

/// A size in bytes: `64KiB`, `256MiB`, `1GB`, or a plain number of bytes.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    match text.trim().parse::<bytesize::ByteSize>() {
        Ok(size) if size.as_u64() > 0 => Ok(size.as_u64()),
        _ => Err("expected a size above 0, as 64MiB, 1GiB or 500000".to_owned()),
    }
}

fn parse_count(text: &str, most: usize) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count) if (1..=most).contains(&count) => Ok(count),
        _ => Err(format!("expected a whole number from 1 to {most}")),
    }
}
