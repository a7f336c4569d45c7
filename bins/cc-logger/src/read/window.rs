//! Which stretch of time is meant.

use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use clap::Args;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// From when to when.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Window {
    /// Only from then on: 2026-11-23T14:00:00Z, "2026-11-23 14:00" or 14:00 (local), or 10m (ago).
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only until then; written as --since.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// The same in wall time, nanoseconds since 1970, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
}

impl Stretch {
    pub(crate) fn has(self, at: i64) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }
}

impl Window {
    /// What is meant, now.
    pub(crate) fn stretch(&self) -> Result<Stretch, Failure> {
        let now = Zoned::now();
        let moment = |text: &Option<String>| {
            text.as_deref()
                .map(|text| {
                    moment(text, &now).ok_or_else(|| {
                        Failure::new(Exit::Usage, format!("{text:?} is no time")).advice(
                            "Write it as 2026-11-23T14:00:00Z, \"2026-11-23 14:00\", 14:00 or 10m.",
                        )
                    })
                })
                .transpose()
        };
        Ok(Stretch {
            since: moment(&self.since)?,
            until: moment(&self.until)?,
        })
    }
}

fn moment(text: &str, now: &Zoned) -> Option<i64> {
    let text = text.trim();
    let zone: &TimeZone = now.time_zone();
    let local = |time: DateTime| time.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(local))
        .or_else(|| {
            let date = text.parse::<Date>().ok()?;
            local(date.to_datetime(Time::midnight()))
        })
        .or_else(|| {
            let time = text.parse::<Time>().ok()?;
            local(now.date().to_datetime(time))
        })
        .or_else(|| ago(text).and_then(|ago| now.timestamp().checked_sub(ago).ok()))?;
    i64::try_from(at.as_nanosecond()).ok()
}

fn ago(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_several_ways() {
        let now: Zoned = "2026-10-25T12:00:00+01:00[Europe/Berlin]".parse().unwrap();
        for (text, expected) in [
            ("2026-11-23T14:00:00Z", "2026-11-23T14:00:00Z"),
            ("2026-11-23T14:00:00+02:00", "2026-11-23T12:00:00Z"),
            ("2026-11-23 14:00", "2026-11-23T13:00:00Z"),
            ("2026-10-24", "2026-10-23T22:00:00Z"),
            ("01:30", "2026-10-24T23:30:00Z"),
            ("11:00:30", "2026-10-25T10:00:30Z"),
            ("90m", "2026-10-25T09:30:00Z"),
            ("1day", "2026-10-24T11:00:00Z"),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            let at = moment(text, &now).map(i128::from);
            assert_eq!(at, Some(expected.as_nanosecond()), "{text}");
        }
        for text in ["", "soon", "25:00", "2026-13-01", "-5m"] {
            assert_eq!(moment(text, &now), None, "{text:?}");
        }
    }
}
