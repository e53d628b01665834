//! Durations as people write them, so that a command line, a profile and a
//! report all speak of `200ms` and never of `0.2` of an unnamed unit.

use std::time::Duration;

/// The longest duration that is accepted: one day. Anything longer in a mock
/// server is a slip of the unit.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads `200ms`, `1.5s`, `500us`, `2m`, `1h 30m` or a bare `0`.
///
/// A number may have a fraction (`1.5s`, `0.2ms`), resolved to whole
/// nanoseconds. A number without a unit is refused unless it is zero, because
/// nobody can tell whether `200` meant milliseconds or seconds.
///
/// # Errors
/// A sentence that names the value and what was expected: for an empty text, a
/// negative or malformed number, an unknown or missing unit, and anything
/// beyond [`LONGEST`].
///
/// ```
/// use std::time::Duration;
/// use mock_server::duration::parse;
///
/// assert_eq!(parse("200ms"), Ok(Duration::from_millis(200)));
/// assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
/// assert_eq!(parse("0"), Ok(Duration::ZERO));
/// assert!(parse("200").unwrap_err().contains("200"));
/// ```
pub fn parse(text: &str) -> Result<Duration, String> {
    read(text, ", or 0")
}

/// Reads the same, but for 0.
///
/// # Errors
/// Where [`parse`] has one, and for 0; none of them offers 0.
///
/// ```
/// assert!(mock_server::duration::parse_positive("0").is_err());
/// ```
pub fn parse_positive(text: &str) -> Result<Duration, String> {
    match read(text, "")? {
        Duration::ZERO => Err(format!(
            "`{text}` is no time: expected more than 0, as in 200ms or 1.5s"
        )),
        duration => Ok(duration),
    }
}

fn read(text: &str, or_zero: &str) -> Result<Duration, String> {
    let wrong = |why: &str| {
        format!(
            "`{text}` is not a duration: {why}; expected a number with a unit, as in 200ms, 1.5s, 500us or 2m{or_zero}"
        )
    };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(wrong("it is empty"));
    }
    if trimmed.starts_with('-') {
        return Err(wrong("it is negative"));
    }
    if is_bare_zero(trimmed) {
        return Ok(Duration::ZERO);
    }
    if trimmed.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(wrong(&format!(
            "it has no unit, as {trimmed}s or {trimmed}ms has"
        )));
    }
    let parsed = match parse_fraction(trimmed) {
        Some(parsed) => parsed,
        None => humantime::parse_duration(trimmed).map_err(|error| error.to_string()),
    };
    match parsed {
        Ok(duration) if duration > LONGEST => {
            Err(wrong("it is longer than 24h, the most there is"))
        }
        Ok(duration) => Ok(duration),
        Err(why) => Err(wrong(&why)),
    }
}

fn is_bare_zero(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|value| value == 0.0)
        && text.bytes().all(|byte| byte == b'0' || byte == b'.')
}

/// `1.5s` and the like, which humantime does not take: one number with a
/// fraction and one unit. `None` when the text is not of that shape.
fn parse_fraction(text: &str) -> Option<Result<Duration, String>> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = (&text[..unit_at], text[unit_at..].trim_start());
    let (whole, fraction) = number.split_once('.')?;
    let Some(unit_nanos) = nanos_per(unit) else {
        return Some(Err(format!("`{unit}` is not a unit of time")));
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return Some(Err(format!("`{number}` is not a number")));
    }
    // Sixteen digits of nanoseconds already exceed the longest duration; fewer,
    // and each of the products below stays within 128 bits.
    if whole.trim_start_matches('0').len() > 15 {
        return Some(Ok(Duration::MAX));
    }
    let whole: u128 = whole.parse().unwrap_or(0);
    let kept = &fraction[..fraction.len().min(15)];
    let scale = 10u128.pow(u32::try_from(kept.len()).unwrap_or(0));
    let part = kept.parse::<u128>().unwrap_or(0) * unit_nanos / scale;
    let nanos = whole * unit_nanos + part;
    Some(Ok(Duration::from_nanos(
        u64::try_from(nanos).unwrap_or(u64::MAX),
    )))
}

fn nanos_per(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" | "nsec" => 1,
        "us" | "µs" | "usec" => 1_000,
        "ms" | "msec" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hr" | "hour" | "hours" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Writes a duration in the largest unit of `s`, `ms`, `us`, `ns` that gives a
/// number of at least one, exactly: `200ms`, `1.5s`, `0`. [`parse`] reads every
/// such text back to the same duration, up to [`LONGEST`].
///
/// ```
/// use std::time::Duration;
/// assert_eq!(mock_server::duration::format(Duration::from_millis(1500)), "1.5s");
/// ```
#[must_use]
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0".to_owned();
    }
    let (unit, size, digits) = match nanos {
        n if n >= 1_000_000_000 => ("s", 1_000_000_000, 9),
        n if n >= 1_000_000 => ("ms", 1_000_000, 6),
        n if n >= 1_000 => ("us", 1_000, 3),
        _ => ("ns", 1, 0),
    };
    let (whole, rest) = (nanos / size, nanos % size);
    if rest == 0 {
        return format!("{whole}{unit}");
    }
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{}{unit}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, nanos) in [
            ("0", 0),
            ("0.0", 0),
            ("0s", 0),
            ("200ms", 200_000_000),
            (" 200 ms ", 200_000_000),
            ("1.5s", 1_500_000_000),
            ("0.25ms", 250_000),
            (".5s", 500_000_000),
            ("500us", 500_000),
            ("500µs", 500_000),
            ("1m 30s", 90_000_000_000),
            ("24h", 86_400_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_duration_and_names_it() {
        for text in [
            "",
            "-1s",
            "-0",
            "200",
            "1.5",
            "ms",
            "1.5 parsecs",
            "1.2.3s",
            "nan",
            "inf",
            "1e3s",
            "25h",
            "99999999999999999999s",
            "99999999999999999999.5s",
            "999999999999999.999999999999999h",
            "two seconds",
            "1.s.",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(&format!("`{text}`")), "{error}");
            assert!(error.contains("200ms"), "{error}");
        }
    }

    #[test]
    fn zero_is_not_offered_where_it_is_refused() {
        for text in ["0", "0s", "5", "-1s", ""] {
            let error = parse_positive(text).expect_err(text);
            assert!(
                !error.contains("or 0") && error.contains("200ms"),
                "{error}"
            );
        }
        assert!(parse("5").is_err_and(|error| error.contains("5s") && error.contains("or 0")));
        assert_eq!(parse_positive("5s"), Ok(Duration::from_secs(5)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos in 0..=86_400_000_000_000_u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
