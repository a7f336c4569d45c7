//! When a segment is closed, and when it is deleted. Decides; carries nothing out.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When to go on in a new segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// At so many bytes.
    pub size: u64,
    /// After so much time, where anything came.
    pub turn: Turn,
}

/// The time after which a new segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// So long after it began.
    After(Duration),
    /// At the next local midnight.
    Day,
}

impl Rotation {
    /// Is a segment of that size, begun at that wall time, to be closed? Times are nanoseconds since
    /// 1970; a clock that was set back closes nothing.
    #[must_use]
    pub fn is_due(&self, size: u64, began: i64, now: i64, zone: &TimeZone) -> bool {
        if size >= self.size {
            return true;
        }
        match self.turn {
            Turn::After(span) => {
                let passed = now.saturating_sub(began);
                i128::from(passed) >= i128::try_from(span.as_nanos()).unwrap_or(i128::MAX)
            }
            Turn::Day => match (day(began, zone), day(now, zone)) {
                (Some(began), Some(now)) => now > began,
                _ => false,
            },
        }
    }
}

fn day(at: i64, zone: &TimeZone) -> Option<jiff::civil::Date> {
    let at = Timestamp::from_nanosecond(at.into()).ok()?;
    Some(at.to_zoned(zone.clone()).date())
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Nothing older than this.
    pub age: Option<Duration>,
    /// Not more bytes than this, over all panes.
    pub total: Option<u64>,
    /// So much stays free on the disk.
    pub min_free: Option<u64>,
}

/// A segment, as far as it matters for whether it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// How large it is.
    pub bytes: u64,
    /// The wall time of its last record, nanoseconds since 1970.
    pub last: i64,
    /// Is it being written? Then it stays.
    pub open: bool,
}

impl Retention {
    /// Which of the segments are to go, oldest first; `free` is what the disk has left.
    #[must_use]
    pub fn excess<'a>(&self, kept: &'a [Kept], now: i64, free: Option<u64>) -> Vec<&'a Kept> {
        let mut closed: Vec<_> = kept.iter().filter(|segment| !segment.open).collect();
        closed.sort_by(|a, b| (a.last, &a.path).cmp(&(b.last, &b.path)));
        let mut total: u64 = kept.iter().map(|segment| segment.bytes).sum();
        let mut free = free;
        let mut excess = Vec::new();
        for segment in closed {
            let old = self.age.is_some_and(|age| {
                i128::from(now.saturating_sub(segment.last))
                    > i128::try_from(age.as_nanos()).unwrap_or(i128::MAX)
            });
            let over = self.total.is_some_and(|most| total > most);
            let tight = match (self.min_free, free) {
                (Some(least), Some(free)) => free < least,
                _ => false,
            };
            if old || over || tight {
                total -= segment.bytes;
                free = free.map(|free| free.saturating_add(segment.bytes));
                excess.push(segment);
            }
        }
        excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const HOUR: i64 = 3_600 * SECOND;

    fn at(time: &str) -> i64 {
        let time: Timestamp = time.parse().unwrap();
        i64::try_from(time.as_nanosecond()).unwrap()
    }

    #[test]
    fn a_segment_is_closed_by_size_or_by_time() {
        let rotation = Rotation {
            size: 100,
            turn: Turn::After(Duration::from_secs(3_600)),
        };
        let due = |size, passed| rotation.is_due(size, 0, passed, &TimeZone::UTC);
        assert!(!due(99, HOUR - 1));
        assert!(due(100, 0));
        assert!(due(1, HOUR));
        assert!(!due(1, -HOUR), "the clock was set back");
    }

    #[test]
    fn a_day_ends_at_local_midnight_also_when_it_has_23_or_25_hours() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let rotation = Rotation {
            size: u64::MAX,
            turn: Turn::Day,
        };
        // Begun, still open, closed: an ordinary day, spring forward, fall back, the year's end.
        for (began, open, closed) in [
            (
                "2026-07-01T00:00:00+02:00",
                "2026-07-01T23:59:59+02:00",
                "2026-07-02T00:00:00+02:00",
            ),
            (
                "2026-03-29T00:00:00+01:00",
                "2026-03-29T23:59:59+02:00",
                "2026-03-30T00:00:00+02:00",
            ),
            (
                "2026-10-25T00:00:00+02:00",
                "2026-10-25T23:59:59+01:00",
                "2026-10-26T00:00:00+01:00",
            ),
            (
                "2026-12-31T12:00:00+01:00",
                "2026-12-31T23:59:59+01:00",
                "2027-01-01T00:00:00+01:00",
            ),
        ] {
            assert!(!rotation.is_due(1, at(began), at(open), &zone), "{open}");
            assert!(rotation.is_due(1, at(began), at(closed), &zone), "{closed}");
            assert!(!rotation.is_due(1, at(closed), at(began), &zone));
        }
        // The hour that comes twice is one day all the same.
        let first = at("2026-10-25T02:30:00+02:00");
        let second = at("2026-10-25T02:30:00+01:00");
        assert_eq!(second - first, HOUR);
        assert!(!rotation.is_due(1, first, second, &zone));
    }

    fn kept(name: &str, bytes: u64, last: i64) -> Kept {
        Kept {
            path: name.into(),
            bytes,
            last,
            open: false,
        }
    }

    fn gone(retention: Retention, kept: &[Kept], now: i64, free: Option<u64>) -> Vec<String> {
        let excess = retention.excess(kept, now, free);
        excess
            .iter()
            .map(|kept| kept.path.display().to_string())
            .collect()
    }

    #[test]
    fn what_goes_goes_oldest_first() {
        let now = 100 * HOUR;
        let mut all = vec![
            kept("b", 10, now - 3 * HOUR),
            kept("a", 10, now - 5 * HOUR),
            kept("d", 10, now - HOUR),
            kept("c", 10, now - 2 * HOUR),
        ];
        let none = Retention::default();
        assert_eq!(gone(none, &all, now, Some(0)), Vec::<String>::new());
        let age = Retention {
            age: Some(Duration::from_secs(2 * 3_600)),
            ..none
        };
        assert_eq!(gone(age, &all, now, None), ["a", "b"]);
        let total = Retention {
            total: Some(15),
            ..none
        };
        assert_eq!(gone(total, &all, now, None), ["a", "b", "c"]);
        let free = Retention {
            min_free: Some(100),
            ..none
        };
        assert_eq!(gone(free, &all, now, Some(85)), ["a", "b"]);
        assert_eq!(
            gone(free, &all, now, None),
            Vec::<String>::new(),
            "nobody could say"
        );
        // What is being written counts and stays.
        all.push(Kept {
            open: true,
            ..kept("0", 50, 0)
        });
        assert_eq!(gone(age, &all, now, None), ["a", "b"]);
        assert_eq!(gone(total, &all, now, None), ["a", "b", "c", "d"]);
        // A clock that was set back makes nothing old.
        assert_eq!(gone(age, &all, 0, None), Vec::<String>::new());
    }
}
