//! Days: an environment has one log per day.

use std::fmt;
use std::str::FromStr;

use crate::domain::time::{Duration, Timestamp};

const DAY: i64 = Duration::from_days(1).as_millis();

/// A text that is not a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date, for example 2026-11-23")]
pub struct InvalidDay;

/// A day of 24 hours in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// Returns the day on which an instant is.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.as_millis().div_euclid(DAY))
    }

    /// So many days that end with today, the newest first.
    pub fn newest_first(now: Timestamp, count: u32) -> impl Iterator<Item = Self> {
        let Self(today) = Self::of(now);
        (0..i64::from(count)).map(move |days_ago| Self(today - days_ago))
    }

    /// Returns its first instant.
    #[must_use]
    pub fn starts_at(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(DAY))
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    /// Reads the one way in which a day is written: `2026-11-23`.
    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let day = Timestamp::parse(&format!("{text}T00:00:00Z")).map(Self::of);
        day.ok().filter(|day| day.to_string() == text).ok_or(InvalidDay)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.starts_at().strftime("%Y-%m-%d"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_listed_from_the_newest() {
        let list = |now| -> Vec<_> {
            let now = Timestamp::parse(now).unwrap();
            Day::newest_first(now, 3).map(|day| day.to_string()).collect()
        };
        assert_eq!(list("2026-03-01T23:59:59.999Z"), ["2026-03-01", "2026-02-28", "2026-02-27"]);
        assert_eq!(list("2026-03-02T00:00:00.000Z"), ["2026-03-02", "2026-03-01", "2026-02-28"]);
        assert_eq!(Day::newest_first(Timestamp::EPOCH, 0).count(), 0);
    }

    #[test]
    fn only_the_canonical_form_is_a_day() {
        let day: Day = "2026-11-23".parse().unwrap();
        assert_eq!(day.to_string(), "2026-11-23");
        assert_eq!(day.starts_at().to_string(), "2026-11-23T00:00:00.000+0000");
        for text in ["", "today", "20261123", "2026-11-3", "2026-02-30", "2026-11-23T00:00:00Z"] {
            assert_eq!(text.parse::<Day>(), Err(InvalidDay), "{text}");
        }
    }

    #[test]
    fn the_first_and_the_last_instant_have_a_day() {
        assert_eq!(Day::of(Timestamp::MAX).to_string(), "9999-12-30");
        let first = Timestamp::from_millis(i64::MIN);
        assert!(Day::of(first).starts_at() >= first);
    }
}
