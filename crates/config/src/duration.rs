//! Lengths of time as people write them: `500ms`, `2s`, `1m30s`.

use std::time::Duration;

/// Units by name, in nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Parses `500ms`, `2s`, `1m30s`, `1.5h`; the units are `ns us ms s m h d`. A bare `0` is no time.
///
/// # Errors
/// What is wrong with it, as help for the one who wrote it.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(usage());
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_len);
        let unit_len = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let unit = unit.trim();
        let part = nanoseconds(text, number, unit)?;
        total = total.checked_add(part).ok_or_else(too_long)?;
        rest = after;
    }
    Ok(Duration::from_nanos(total))
}

fn nanoseconds(text: &str, number: &str, unit: &str) -> Result<u64, String> {
    if number.is_empty() {
        return Err(usage());
    }
    if unit.is_empty() {
        let hint =
            if number == text { format!("give a unit: `{number}s`, or `{number}ms`") } else { usage() };
        return Err(hint);
    }
    let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("there is no unit `{unit}`: {}", usage()));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || (number.contains('.') && fraction.is_empty()) {
        return Err(usage());
    }
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let whole = whole.checked_mul(*scale).ok_or_else(too_long)?;
    whole.checked_add(part_of(fraction, *scale)).ok_or_else(too_long)
}

/// `0.fraction` of `scale`, rounded down.
fn part_of(fraction: &str, scale: u64) -> u64 {
    let mut sum = 0;
    let mut unit = scale;
    for digit in fraction.bytes() {
        unit /= 10;
        sum += unit * u64::from(digit - b'0');
    }
    sum
}

fn usage() -> String {
    "a number and a unit, or several: `500ms`, `2s`, `1m30s`".to_owned()
}

fn too_long() -> String {
    "that is longer than 500 years".to_owned()
}

/// The shortest way to write a duration that [`parse_duration`] reads back to the same.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, scale) in UNITS.iter().rev() {
        if rest >= *scale {
            text.push_str(&format!("{}{unit}", rest / scale));
            rest %= scale;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_contract_names_is_read() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("1m 30s", 90_000),
            ("2s", 2_000),
            ("1m30s", 90_000),
            ("10m", 600_000),
            ("1.5s", 1_500),
            ("0.25h", 900_000),
            ("0", 0),
            ("0s", 0),
            (" 1d ", 86_400_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_duration_is_told_why() {
        for (text, why) in [
            ("5", "give a unit: `5s`"),
            ("5 x", "no unit `x`"),
            ("5x", "no unit `x`"),
            ("s", "a number and a unit"),
            ("", "a number and a unit"),
            ("-5s", "a number and a unit"),
            ("1.s", "a number and a unit"),
            ("1..5s", "a number and a unit"),
            ("1m30", "a number and a unit"),
            ("99999999999999999999s", "longer than"),
            ("999999d", "longer than"),
        ] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.contains(why), "{text:?} says {error:?}, not {why:?}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_is_the_same(nanoseconds: u64) {
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,40}") {
            let _ = parse_duration(&text);
        }
    }
}
