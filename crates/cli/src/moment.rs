//! Times as people write them on the command line.

use forge_api::Time;
use forge_config::parse_duration;
use jiff::civil;
use jiff::tz::TimeZone;

/// RFC 3339, a local date and time, a local time of today, or an age.
///
/// # Errors
/// It is none of these.
pub(crate) fn moment(text: &str) -> Result<Time, String> {
    moment_at(text, Time::now(), &TimeZone::system())
}

fn moment_at(text: &str, now: Time, zone: &TimeZone) -> Result<Time, String> {
    if let Ok(time) = text.parse::<Time>() {
        return Ok(time);
    }
    if let Ok(age) = parse_duration(text) {
        let nanos = i64::try_from(age.as_nanos()).map_err(|_| format!("`{text}` is too long ago"))?;
        return Ok(Time(now.0.saturating_sub(nanos)));
    }
    local(text, now, zone).ok_or_else(|| {
        format!("`{text}` is no time: write 2026-11-21T14:30:15Z, `2026-11-21 14:30`, 14:30, or an age such as 10m")
    })
}

/// Wall-clock time of this machine. A time that a clock change skips is taken as the field does, an hour later.
fn local(text: &str, now: Time, zone: &TimeZone) -> Option<Time> {
    let at = if let Ok(time) = text.parse::<civil::Time>() {
        let today = jiff::Timestamp::from_nanosecond(i128::from(now.0)).ok()?.to_zoned(zone.clone()).date();
        today.to_datetime(time)
    } else if let Ok(at) = text.parse::<civil::DateTime>() {
        at
    } else {
        return None;
    };
    let stamp = at.to_zoned(zone.clone()).ok()?.timestamp();
    i64::try_from(stamp.as_nanosecond()).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_a_local_time_or_an_age() {
        let now: Time = "2026-11-21T15:00:00Z".parse().expect("a time");
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (text, expected) in [
            ("2026-11-21T14:30:15Z", "2026-11-21T14:30:15Z"),
            ("2026-11-21T14:30:15+02:00", "2026-11-21T12:30:15Z"),
            ("2026-11-21 14:30", "2026-11-21T13:30:00Z"),
            ("2026-11-21", "2026-11-20T23:00:00Z"),
            ("14:30", "2026-11-21T13:30:00Z"),
            ("14:30:15", "2026-11-21T13:30:15Z"),
            ("10m", "2026-11-21T14:50:00Z"),
            ("1h30m", "2026-11-21T13:30:00Z"),
        ] {
            let expected: Time = expected.parse().expect("a time");
            assert_eq!(moment_at(text, now, &zone), Ok(expected), "{text}");
        }
        for text in ["yesterday", "25:00", "2026-13-01 10:00", ""] {
            assert!(moment_at(text, now, &zone).is_err(), "{text} was accepted");
        }
    }
}
