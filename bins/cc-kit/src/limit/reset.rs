//! When a limit ends, out of an agent's own words.
//!
//! Agents say it in many forms, and change them often. Read are
//!
//! | Form | Examples |
//! |---|---|
//! | a time of the day | `resets 3pm (Europe/Berlin)`, `try again at 9:30 PM.`, `resets 00:30`, `resets at midnight Pacific Time` |
//! | a day and a time | `resets Jun 29, 3am`, `resets tomorrow at 3am`, `resets Monday 9am`, `try again at Dec 27th, 2026 11:14 PM` |
//! | a whole date | `resets 2026-06-29T03:00:00Z`, `Retry-After: Mon, 29 Jun 2026 03:00:00 GMT` |
//! | a span | `try again in 3 days 4 hours 5 minutes`, `retrying in 59m 59s`, `Retrying in 0.2 seconds` |
//! | a number | `retry-after 3600`, `"retry_after_ms": 5000`, `limit reached\|1782694800` |
//!
//! A time without a zone is in the machine's, a day without a time is its beginning. The end of a
//! line is a blank, so phrases may be wrapped. Where there is more than one phrase the last decides,
//! because what stands above it is older.
//!
//! The text is hostile: whatever it is, reading it takes time in proportion to its length, and no
//! wait comes out of it that is longer than [`FARTHEST`].

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::day::Day;
use super::phrase::{self, Said, When};
use super::words;

/// Nothing is believed that lies further ahead. The longest limits known are a week.
pub const FARTHEST: SignedDuration = SignedDuration::from_hours(8 * 24);

/// A time of the day that was so long ago or less has passed, and does not mean tomorrow: an agent
/// may go on showing it after its time, and clocks may differ, or be set, by an hour.
pub const JUST_PASSED: SignedDuration = SignedDuration::from_mins(90);

/// Only so much of the text is read, from its end; in bytes.
const MOST: usize = 64 * 1024;

/// The end of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// When the limit ends: not before the time at which it was read, and at most [`FARTHEST`] after.
    pub at: Timestamp,
    /// The words that say so: seen characters of the text and single spaces, at most a few hundred
    /// bytes. They are still a stranger's words.
    pub said: String,
}

/// Why no end of a limit could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Nothing in the text says when.
    #[error("no time is said")]
    NoTime,
    /// The time has passed, so that it tells nothing of how long to wait.
    #[error("{said:?} has passed")]
    Passed {
        /// The words.
        said: String,
        /// The time they mean.
        at: Timestamp,
    },
    /// The time is further ahead than [`FARTHEST`].
    #[error("{said:?} is more than 8 days ahead")]
    TooFar {
        /// The words.
        said: String,
    },
    /// The time zone is unknown, and another in its place would be wrong by hours.
    #[error("{said:?} names an unknown time zone")]
    UnknownZone {
        /// The words.
        said: String,
    },
    /// There is no such day.
    #[error("{said:?} is no day of any calendar")]
    NoSuchDay {
        /// The words.
        said: String,
    },
}

/// Reads when a limit ends. `now` is the time at which the text was seen, in the machine's zone.
///
/// Zones that are named in the text are looked up in the machine's zone database.
///
/// # Errors
/// Why it cannot be told; then the caller waits by rule.
pub fn read(text: &str, now: &Zoned) -> Result<Reset, Unread> {
    let tokens = words::tokens(end(text));
    let phrase = phrase::last(&tokens).ok_or(Unread::NoTime)?;
    let said = phrase.words;
    let at = match phrase.said {
        Said::In(span) => ahead(now, span.millis),
        Said::Since1970(millis) => i64::try_from(millis)
            .ok()
            .and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        Said::At(when) => {
            let zone = match &when.zone {
                None => now.time_zone().clone(),
                Some(zone) => match zone.resolve() {
                    Some(zone) => zone,
                    None => return Err(Unread::UnknownZone { said }),
                },
            };
            match meant(&when, now.timestamp(), &zone) {
                Some(at) => Some(at),
                None => return Err(Unread::NoSuchDay { said }),
            }
        }
    };
    let Some(at) = at else {
        return Err(Unread::TooFar { said });
    };
    let wait = at.duration_since(now.timestamp());
    if wait > FARTHEST {
        Err(Unread::TooFar { said })
    } else if wait.is_negative() {
        Err(Unread::Passed { said, at })
    } else {
        Ok(Reset { at, said })
    }
}

/// The end of the text, as much as is read of it.
fn end(text: &str) -> &str {
    let from = text.ceil_char_boundary(text.len().saturating_sub(MOST));
    text.get(from..).unwrap_or(text)
}

fn ahead(now: &Zoned, millis: u64) -> Option<Timestamp> {
    let wait = SignedDuration::from_millis(i64::try_from(millis).ok()?);
    now.timestamp().checked_add(wait).ok()
}

/// The instant that is meant, also where it has passed; none where there is no such day.
fn meant(when: &When, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let today = now.to_zoned(zone.clone()).date();
    let clock = when.clock.unwrap_or(Time::midnight());
    match when.day {
        None => next(-1..=2, clock, now, zone, |_| true),
        Some(Day::Ahead(days)) => {
            // So many days fit into no calendar; a span that long is refused elsewhere.
            let days = i32::try_from(days).unwrap_or(i32::MAX).min(3_650);
            instant(later(today, days)?, clock, now, zone)
        }
        Some(Day::Weekday(weekday)) => on_weekday(weekday, when.clock, now, zone),
        Some(Day::Date {
            year: Some(year),
            month,
            day,
        }) => instant(Date::new(year, month, day).ok()?, clock, now, zone),
        Some(Day::Date {
            year: None,
            month,
            day,
        }) => (-1..=1)
            .filter_map(|years| {
                let date = Date::new(today.year().checked_add(years)?, month, day).ok()?;
                instant(date, clock, now, zone)
            })
            // Said without a year, it is the nearest.
            .min_by_key(|at| at.duration_since(now).abs()),
    }
}

fn on_weekday(
    weekday: Weekday,
    clock: Option<Time>,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let is_it = |date: Date| date.weekday() == weekday;
    let Some(clock) = clock else {
        // On that day itself it is not known whether it means this one, so it has passed.
        let today = now.to_zoned(zone.clone()).date();
        let days = (0..7).find(|days| later(today, *days).is_some_and(is_it))?;
        return instant(later(today, days)?, Time::midnight(), now, zone);
    };
    next(-1..=7, clock, now, zone, is_it)
}

/// The first time of that kind that is after now or has just passed. Days are counted from today.
fn next(
    mut days: std::ops::RangeInclusive<i32>,
    clock: Time,
    now: Timestamp,
    zone: &TimeZone,
    is_it: impl Fn(Date) -> bool,
) -> Option<Timestamp> {
    let today = now.to_zoned(zone.clone()).date();
    days.find_map(|days| {
        let date = later(today, days).filter(|date| is_it(*date))?;
        instant(date, clock, now, zone).filter(|at| now.duration_since(*at) <= JUST_PASSED)
    })
}

fn later(date: Date, days: i32) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// A local time as an instant. Where clocks are set forward over it, as much later; where they are
/// set back and it comes twice, the first that has not passed.
fn instant(date: Date, clock: Time, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = zone.to_ambiguous_timestamp(DateTime::from_parts(date, clock));
    if let AmbiguousOffset::Fold { .. } = local.offset() {
        let earlier = local.earlier().ok()?;
        return if earlier >= now {
            Some(earlier)
        } else {
            local.later().ok()
        };
    }
    local.compatible().ok()
}

#[cfg(test)]
mod tests;
