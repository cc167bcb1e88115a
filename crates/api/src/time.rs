use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: nanoseconds since 1970, UTC. On the wire RFC 3339, with three digits of a second if that is exact,
/// else nine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// The wall clock, to the millisecond: what people and scripts compare.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond().saturating_mul(1_000_000))
    }

    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Whole milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The same moment, cut to the millisecond.
    #[must_use]
    pub const fn to_millis(self) -> Self {
        Self::from_millis(self.as_millis())
    }

    /// Seconds from `earlier` until this, never below zero.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        let millis = self.as_millis().saturating_sub(earlier.as_millis()).max(0);
        std::time::Duration::from_millis(millis.unsigned_abs()).as_secs_f64()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every i64 of nanoseconds lies within what jiff can show.
        let moment =
            jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        if self.0 % 1_000_000 == 0 { write!(f, "{moment:.3}") } else { write!(f, "{moment:.9}") }
    }
}

impl std::str::FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment: jiff::Timestamp = text.parse().map_err(|error| format!("{error}"))?;
        i64::try_from(moment.as_nanosecond()).map(Self).map_err(|_| format!("{text} is too far away"))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "typescript")]
impl ts_rs::TS for Time {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn name(_: &ts_rs::Config) -> String {
        "string".to_owned()
    }

    fn inline(cfg: &ts_rs::Config) -> String {
        Self::name(cfg)
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn milliseconds_take_three_digits_and_anything_finer_nine() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_000_000, "2023-11-14T22:13:20.123Z"),
            (1_700_000_000_123_000_001, "2023-11-14T22:13:20.123000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(Time(nanos).to_string(), text, "shown");
            assert_eq!(text.parse(), Ok(Time(nanos)), "read back");
        }
    }

    #[test]
    fn an_earlier_moment_is_zero_seconds_later() {
        assert!(
            Time::from_millis(5).seconds_since(Time::from_millis(10)).abs() < f64::EPSILON,
            "a clock that jumped"
        );
    }
}
