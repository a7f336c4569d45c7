//! Words for people: progress on standard error, times and states in tables.

use std::fmt::Display;
use std::io::{self, Write as _};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Says something on standard error, unless it is to be silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) silent: bool,
}

impl Voice {
    /// One line; a standard error that is gone is no reason to stop.
    pub(crate) fn say(self, line: impl Display) {
        if !self.silent {
            let _ = writeln!(io::stderr().lock(), "cc-logger: {line}");
        }
    }
}

/// A wall time for people: local, to the second.
pub(crate) fn local(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(nanoseconds.into()).map_or_else(
        |_| "?".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        },
    )
}

/// A wall time for programs: RFC 3339, UTC.
pub(crate) fn rfc3339(nanoseconds: i64) -> Option<String> {
    Timestamp::from_nanosecond(nanoseconds.into())
        .ok()
        .map(|time| time.to_string())
}
