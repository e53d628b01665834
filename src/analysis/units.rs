//! Figures as people read them. Machines get seconds and bytes.

/// Shown where there is no figure.
pub(crate) const NONE: &str = "–";

/// A time in the unit that suits it, in four significant digits: `20.10 s`,
/// `206.6 ms`, `81.23 µs`.
pub(crate) fn seconds(seconds: f64) -> String {
    scaled(seconds, |value| significant(value, 4))
}

/// A time as people write it, without digits that say nothing: `200 ms`,
/// `6.8 s`.
pub(crate) fn plain_seconds(seconds: f64) -> String {
    scaled(seconds, |value| trim(&significant(value, 4)))
}

fn scaled(seconds: f64, digits: impl Fn(f64) -> String) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    // Thresholds half a digit below the unit, so that no value is rounded up
    // to a thousand of the smaller one.
    let (factor, unit) = match seconds.abs() {
        s if s >= 0.999_95 => (1.0, "s"),
        s if s >= 0.999_95e-3 => (1e3, "ms"),
        _ => (1e6, "µs"),
    };
    format!("{} {unit}", digits(seconds * factor))
}

/// A number in so many significant digits, without exponent.
fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = |value: f64| value.abs().log10().floor() as i32;
    // Rounding may carry into a further digit: 9.9996 has one before the point
    // and 10.00 two.
    let unit = 10_f64.powi(exponent(value) - digits + 1);
    let rounded = (value / unit).round() * unit;
    let decimals = (digits - 1 - exponent(rounded)).clamp(0, 12) as usize;
    format!("{value:.decimals$}")
}

fn trim(number: &str) -> String {
    if !number.contains('.') {
        return number.to_owned();
    }
    number
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// A gap in per cent: `+0.63 %`, `+12.5 %`, `+340 %`.
pub(crate) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    let decimals = match percent.abs() {
        p if p < 9.995 => 2,
        p if p < 99.95 => 1,
        _ => 0,
    };
    format!("{percent:+.decimals$} %")
}

/// A share in per cent: `0.63 %`.
pub(crate) fn share(fraction: f64) -> String {
    percent(fraction).trim_start_matches('+').to_owned()
}

/// A size in the binary unit that suits it: `9.0 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        return format!("{bytes} B");
    }
    format!("{value:.1} {}", units[unit])
}

/// A count with groups of three digits: `50,000`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 worker`, `3 workers`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A rate of requests, by the second or by as long a time as makes it one or more:
/// `50/s`, `1,000 per day`.
pub(crate) fn rate(per_s: f64) -> String {
    let units = [(1.0, "/s"), (60.0, " per minute"), (3600.0, " per hour")];
    let (seconds, unit) = units
        .into_iter()
        .find(|(seconds, _)| per_s * seconds >= 1.0)
        // A day is told from a day less a second, which some limits allow for.
        .unwrap_or((86_400.0, " per day"));
    let number = per_s * seconds;
    let number = match number >= 1000.0 {
        true => count(number.round() as u64),
        false => trim(&significant(number, 3)),
    };
    format!("{number}{unit}")
}

/// Seconds or a fraction for a machine: whole billionths, which is finer than
/// any clock here and spares the reader binary fractions' tails.
pub(crate) fn billionths(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// Seconds that the kernel counts in ticks of some milliseconds: to whole ones.
pub(crate) fn by_ticks(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::{billionths, bytes, count, percent, plain_seconds, seconds};

    #[test]
    fn times_have_four_digits_and_a_fitting_unit() {
        let cases = [
            (20.1, "20.10 s"),
            (6.8432, "6.843 s"),
            (1234.5, "1234 s"),
            (0.99999, "1.000 s"),
            (0.2066, "206.6 ms"),
            (0.009_999_9, "10.00 ms"),
            (0.000_081_23, "81.23 µs"),
            (0.0, "0 s"),
        ];
        for (value, text) in cases {
            assert_eq!(seconds(value), text);
        }
        assert_eq!(plain_seconds(0.2), "200 ms");
        assert_eq!(plain_seconds(34.0 * 0.2), "6.8 s");
        assert_eq!(plain_seconds(100.0), "100 s");
    }

    #[test]
    fn gaps_are_signed_per_cent() {
        assert_eq!(percent(0.0063), "+0.63 %");
        assert_eq!(percent(-0.125), "-12.5 %");
        assert_eq!(percent(3.4), "+340 %");
    }

    #[test]
    fn sizes_and_counts_are_grouped() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(9 << 20), "9.0 MiB");
        assert_eq!(count(50), "50");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn machines_get_no_binary_tails() {
        assert_eq!(billionths(34.0 * 0.2), 6.8);
    }

    #[test]
    fn a_rate_is_by_the_time_that_makes_it_one_or_more() {
        let cases = [
            (50.0, "50/s"),
            (12_345.6, "12,346/s"),
            (1000.0 / 86_399.0, "41.7 per hour"),
            (0.5, "30 per minute"),
            (3.0 / 86_400.0, "3 per day"),
            (1.5, "1.5/s"),
        ];
        for (per_s, expected) in cases {
            assert_eq!(super::rate(per_s), expected);
        }
    }
}
