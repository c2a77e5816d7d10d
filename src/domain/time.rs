//! Instants and lengths of emulated time, in whole milliseconds.

use std::fmt;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

/// An instant of emulated time: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A length of emulated time in milliseconds, never negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Duration(#[serde(deserialize_with = "read_length")] i64);

/// Why a text is not an instant or a length of time; the message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TimeError(String);

/// The forms in which instants are read: extended and basic, with and without seconds.
const FORMS: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y%m%dT%H%M%S%.f%#z", "%Y%m%dT%H%M%#z"];

/// The longest text that is read as an instant, in bytes: an answer to a schedule step is stored as
/// it was sent, and a fraction may have any number of digits.
const LONGEST: usize = 64;

/// Reads a stored length of time.
fn read_length<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let millis = i64::deserialize(deserializer)?;
    if millis < 0 {
        return Err(serde::de::Error::custom("a length of time is negative"));
    }
    Ok(millis)
}

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// The first instant that can be written, the beginning of the year 1.
    pub const MIN: Self = Self(-62_135_596_800_000);

    /// The last instant that can be written, on the last but one day of the year 9999.
    pub const MAX: Self = Self(253_402_207_200_000);

    /// Returns the instant that many milliseconds after the Unix epoch, held within what can be
    /// written.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads an ISO-8601 instant of date and time that names its offset (`Z`, `+0000`, `+01:00`).
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        // ISO 8601 allows both signs before a fraction.
        let dotted = Some(text).filter(|text| text.len() <= LONGEST).unwrap_or_default();
        let dotted = dotted.replace(',', ".");
        let instant = FORMS.iter().find_map(|form| DateTime::parse_from_str(&dotted, form).ok());
        let instant = instant.map(|instant| Self(instant.timestamp_millis())).ok_or_else(|| {
            TimeError(
                "must be an ISO-8601 time with an offset, for example 2026-03-01T12:00:00.000Z"
                    .into(),
            )
        })?;
        if (Self::MIN..=Self::MAX).contains(&instant) {
            return Ok(instant);
        }
        Err(TimeError(format!("must be a time from {} to {}", Self::MIN, Self::MAX)))
    }

    /// Returns the instant `duration` later, or none beyond [`Timestamp::MAX`].
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration.0).filter(|millis| *millis <= Self::MAX.0).map(Self)
    }

    /// Returns the length of time from `earlier` to this instant; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0).max(0))
    }

    /// Returns the same instant written by a `strftime` pattern, in UTC.
    #[must_use]
    pub fn strftime(self, pattern: &str) -> String {
        // `from_millis` and `MAX` keep every instant inside what chrono can represent.
        DateTime::from_timestamp_millis(self.0).unwrap_or_default().format(pattern).to_string()
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Adds, stopping at [`Timestamp::MAX`].
    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }
}

impl fmt::Display for Timestamp {
    /// Cloud Manager's form: UTC, milliseconds, no colon in the offset.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000"))
    }
}

impl Duration {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// That many milliseconds; a negative number counts as none.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    /// That many seconds.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self::from_millis(seconds * 1000)
    }

    /// That many minutes.
    #[must_use]
    pub const fn from_mins(minutes: i64) -> Self {
        Self::from_secs(minutes * 60)
    }

    /// That many days of 24 hours.
    #[must_use]
    pub const fn from_days(days: i64) -> Self {
        Self::from_mins(days * 24 * 60)
    }

    /// Milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns whether the length is zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Returns one `parts`-th of this length, rounded down to the millisecond.
    #[must_use]
    pub const fn divided_by(self, parts: i64) -> Self {
        Self(self.0 / parts)
    }

    /// Reads an ISO-8601 duration of weeks, days, hours, minutes and seconds (`P7D`, `PT0.5S`).
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let invalid = || {
            TimeError(
                "must be an ISO-8601 duration of weeks, days, hours, minutes or seconds, \
                 not negative, for example P7D or PT1.5S"
                    .into(),
            )
        };
        let upper = text.to_ascii_uppercase();
        let parts = upper.strip_prefix('P').ok_or_else(invalid)?;
        let (days, time) = match parts.split_once('T') {
            // There must be something after a `T`.
            Some((_, "")) => return Err(invalid()),
            Some((days, time)) => (days, time),
            None if parts.is_empty() => return Err(invalid()),
            None => (parts, ""),
        };
        let days = read_units(days, &[('W', 7 * 24 * 3_600_000), ('D', 24 * 3_600_000)]);
        let time = read_units(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1000)]);
        days.zip(time).and_then(|(days, time)| days.checked_add(time)).map(Self).ok_or_else(invalid)
    }
}

/// Returns the milliseconds of numbers with units, such as `1H30.5M`, where each unit has so many.
/// The units come in their order, each at most once; the last number may have a fraction.
fn read_units(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0_i64;
    for (unit, millis) in units {
        let Some((number, after)) = rest.split_once(*unit) else { continue };
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
        let is_last = after.is_empty();
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || (!is_last && number != whole) {
            return None;
        }
        sum = sum.checked_add(whole.parse::<i64>().ok()?.checked_mul(*millis)?)?;
        sum = sum.checked_add(fraction_of(*millis, fraction)?)?;
        rest = after;
    }
    rest.is_empty().then_some(sum)
}

/// Returns the part of so many milliseconds that is left after a decimal point, rounded down.
fn fraction_of(millis: i64, digits: &str) -> Option<i64> {
    // More digits could overflow and change nothing: twelve digits of a week are less than a
    // millisecond.
    let digits = &digits[..digits.len().min(12)];
    let scale = 10_i128.pow(u32::try_from(digits.len()).ok()?);
    i64::try_from(i128::from(millis) * digits.parse::<i128>().ok()? / scale).ok()
}

impl std::ops::Sub for Duration {
    type Output = Self;

    /// Subtracts, stopping at zero.
    fn sub(self, other: Self) -> Self {
        Self::from_millis(self.0 - other.0)
    }
}

impl fmt::Display for Duration {
    /// Returns the shortest exact ISO-8601 form in days and seconds: `P7D`, `PT90S`, `PT0.001S`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = Duration::from_days(1).0;
        match (self.0 / DAY, self.0 % DAY) {
            (0, rest) => write!(f, "PT{}S", Seconds(rest)),
            (days, 0) => write!(f, "P{days}D"),
            (days, rest) => write!(f, "P{days}DT{}S", Seconds(rest)),
        }
    }
}

/// Milliseconds shown as seconds, with a fraction only where there is one.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 1000)?;
        match self.0 % 1000 {
            0 => Ok(()),
            millis => f.write_str(format!(".{millis:03}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_cloud_manager_writes_them() {
        let instant = Timestamp::parse("2019-07-08T22:44:32.267Z").unwrap();
        assert_eq!(instant.to_string(), "2019-07-08T22:44:32.267+0000");
    }

    #[test]
    fn every_form_of_offset_is_read() {
        for text in [
            "2018-11-16T13:45:00.000Z",
            "2018-11-16T13:45:00+0000",
            "2018-11-16T13:45:00+00:00",
            "2018-11-16T14:45:00+01",
            "2018-11-16T15:15:00.000+0130",
            "2018-11-16T13:45Z",
            "2018-11-16T13:45:00,0004Z",
            "20181116T134500Z",
            "20181116T0845-0500",
        ] {
            let instant = Timestamp::parse(text).unwrap();
            assert_eq!(instant.to_string(), "2018-11-16T13:45:00.000+0000", "{text}");
        }
        for text in [
            "2018-11-16T13:45:00",
            "tomorrow",
            "",
            "2018-11-16",
            "2018-11-31T00:00:00Z",
            "Z",
            "+010000-01-01T00:00:00Z",
            "0000-12-31T23:59:59Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_that_can_not_be_written_is_told_from_what_is_no_time() {
        for text in ["9999-12-31T12:00:00Z", "9999-12-30T22:00:00.001Z", "0000-12-31T23:59:59Z"] {
            let told = Timestamp::parse(text).unwrap_err().to_string();
            let expected = "must be a time from 0001-01-01T00:00:00.000+0000 to \
                            9999-12-30T22:00:00.000+0000";
            assert_eq!(told, expected, "{text}");
        }
    }

    #[test]
    fn the_last_instant_can_be_written() {
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00.000+0000");
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX + Duration::from_days(1), Timestamp::MAX);
        assert_ne!(
            Timestamp::from_millis(i64::MIN).to_string(),
            Timestamp::from_millis(0).to_string()
        );
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text, millis, written) in [
            ("P7D", 604_800_000, "P7D"),
            ("P2W", 1_209_600_000, "P14D"),
            ("PT0.001S", 1, "PT0.001S"),
            ("PT0S", 0, "PT0S"),
            ("P1DT1M30.5S", 86_490_500, "P1DT90.5S"),
            ("PT48H", 172_800_000, "P2D"),
            ("pt1h2m3s", 3_723_000, "PT3723S"),
            ("P0.5D", 43_200_000, "PT43200S"),
            ("PT1,5M", 90_000, "PT90S"),
            ("PT0.0019999999999999999999S", 1, "PT0.001S"),
        ] {
            let duration = Duration::parse(text).unwrap();
            assert_eq!(duration.as_millis(), millis, "{text}");
            assert_eq!(duration.to_string(), written);
        }
        for text in [
            "P1Y",
            "P1M",
            "-PT1S",
            "PT-1S",
            "7 days",
            "",
            "P",
            "PT",
            "P1DT",
            "P1",
            "PT1S1M",
            "PT1.5H1M",
            "PT.5S",
            "PT1.S",
            "PT1S2S",
            "PTS",
            "P99999999999999999D",
            "PT9999999999999999999999S",
            "P\u{e9}D",
        ] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }
}
