//! Time stamps: RFC 3339 in UTC with exactly nine decimals, thirty bytes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes of a stamp in a segment: `2026-11-21T14:30:15.123456789Z`.
pub(crate) const STAMP_BYTES: usize = 30;

const NANOS: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A moment of the wall clock, in nanoseconds since 1970, UTC. It reaches to the year 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(i64);

impl Stamp {
    /// The clock's present time (`CLOCK_REALTIME`).
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    /// The moment so many nanoseconds after 1970; what lies before 1970 is 1970.
    #[must_use]
    pub fn from_nanos(nanos: i64) -> Self {
        Self(nanos.max(0))
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub fn as_nanos(self) -> i64 {
        self.0
    }

    /// The time from this stamp to `later`; zero if `later` is not later.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_nanos(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Reads `2026-11-21T14:30:15.123456789Z`; anything else, a leap second or an offset included, is `None`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; STAMP_BYTES] = text.try_into().ok()?;
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (29, b'Z')];
        if separators.iter().any(|&(at, byte)| text[at] != byte) {
            return None;
        }
        let (year, month, day) = (number(&text[..4])?, number(&text[5..7])?, number(&text[8..10])?);
        let (hour, minute, second) = (number(&text[11..13])?, number(&text[14..16])?, number(&text[17..19])?);
        let nanos = number(&text[20..29])?;
        if year < 1970 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_from_civil(year, month, day);
        // A day that its month does not have comes back as another date.
        if civil_from_days(days) != (year, month, day) {
            return None;
        }
        let seconds = days * DAY_SECONDS + hour * 3600 + minute * 60 + second;
        Some(Self(seconds.checked_mul(NANOS)?.checked_add(nanos)?))
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = StampText::new();
        f.write_str(std::str::from_utf8(text.set(*self)).map_err(|_| std::fmt::Error)?)
    }
}

/// A stamp's text, of which only the decimals are written again while the second stays the same.
#[derive(Debug)]
pub(crate) struct StampText {
    second: i64,
    text: [u8; STAMP_BYTES],
}

impl StampText {
    pub(crate) fn new() -> Self {
        let mut new = Self { second: 0, text: *b"0000-00-00T00:00:00.000000000Z" };
        new.set_second(0);
        new
    }

    pub(crate) fn text(&self) -> &[u8; STAMP_BYTES] {
        &self.text
    }

    pub(crate) fn set(&mut self, stamp: Stamp) -> &[u8; STAMP_BYTES] {
        let second = stamp.0.div_euclid(NANOS);
        if second != self.second {
            self.set_second(second);
        }
        digits(&mut self.text[20..29], stamp.0.rem_euclid(NANOS));
        &self.text
    }

    fn set_second(&mut self, second: i64) {
        self.second = second;
        let (year, month, day) = civil_from_days(second.div_euclid(DAY_SECONDS));
        let of_day = second.rem_euclid(DAY_SECONDS);
        digits(&mut self.text[..4], year);
        digits(&mut self.text[5..7], month);
        digits(&mut self.text[8..10], day);
        digits(&mut self.text[11..13], of_day / 3600);
        digits(&mut self.text[14..16], of_day / 60 % 60);
        digits(&mut self.text[17..19], of_day % 60);
    }
}

/// Fills `text` with the last digits of `value`, which is not negative.
fn digits(text: &mut [u8], mut value: i64) {
    for byte in text.iter_mut().rev() {
        *byte = b'0' + (value % 10).unsigned_abs() as u8;
        value /= 10;
    }
}

fn number(text: &[u8]) -> Option<i64> {
    text.iter()
        .try_fold(0, |value: i64, &byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// The date so many days after 1970-01-01, in the proleptic Gregorian calendar. Years are counted from March, so
/// that the leap day is a year's last and the months' lengths follow one line: 153 days in five months.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // since 0000-03-01
    let era = days.div_euclid(146_097); // of 400 years
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The reverse of [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_known_texts() {
        let table = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400 * NANOS, "2000-02-29T00:00:00.000000000Z"),
            (951_868_799 * NANOS + 999_999_999, "2000-02-29T23:59:59.999999999Z"),
            (1_795_271_415 * NANOS + 123_456_789, "2026-11-21T14:30:15.123456789Z"),
            (4_107_542_400 * NANOS, "2100-03-01T00:00:00.000000000Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ];
        for (nanos, text) in table {
            assert_eq!(Stamp(nanos).to_string(), text, "formatting {nanos}");
            assert_eq!(Stamp::parse(text.as_bytes()), Some(Stamp(nanos)), "reading {text}");
        }
    }

    #[test]
    fn what_is_not_a_stamp_is_refused() {
        let table = [
            "",
            "2026-11-21T14:30:15Z",
            "2026-11-21 14:30:15.123456789Z",
            "2026-11-21T14:30:15.123456789+",
            "2026-02-29T14:30:15.123456789Z",
            "2026-13-01T14:30:15.123456789Z",
            "2026-00-01T14:30:15.123456789Z",
            "2026-01-00T14:30:15.123456789Z",
            "2026-01-01T24:30:15.123456789Z",
            "1969-01-01T14:30:15.123456789Z",
            "2999-01-01T14:30:15.123456789Z",
            "2026-01-01T14:30:1x.123456789Z",
        ];
        for text in table {
            assert_eq!(Stamp::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_day_reads_back() {
        for day in 0..106_000 {
            let (year, month, date) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, date), day, "{year}-{month}-{date}");
        }
    }
}
