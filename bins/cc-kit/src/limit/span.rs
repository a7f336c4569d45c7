//! Spans of time in words: `3 days 4 hours`, `59m 59s`, `0.2 seconds`.

use super::words::{Kind, Reader, is_in};

/// A span that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Milliseconds, at most [`u64::MAX`].
    pub(super) millis: u64,
    /// The number of days, where nothing but days was said.
    pub(super) days: Option<u64>,
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const UNITS: [(u64, &[&str]); 6] = [
    (1, &["ms", "msec", "msecs", "millisecond", "milliseconds"]),
    (SECOND, &["s", "sec", "secs", "second", "seconds"]),
    (MINUTE, &["m", "min", "mins", "minute", "minutes"]),
    (HOUR, &["h", "hr", "hrs", "hour", "hours"]),
    (DAY, &["d", "day", "days"]),
    (7 * DAY, &["w", "wk", "wks", "week", "weeks"]),
];

/// How many milliseconds the unit of this name has.
pub(super) fn unit_of(word: &str) -> Option<u64> {
    UNITS
        .iter()
        .find(|(_, names)| is_in(word, names))
        .map(|(millis, _)| *millis)
}

/// Reads a span: numbers with units, each unit smaller than the one before.
pub(super) fn span(reader: &mut Reader<'_, '_>) -> Option<Span> {
    let mut span: Option<Span> = None;
    let mut smallest = u64::MAX;
    loop {
        let part = reader.attempt(|reader| {
            if span.is_some() {
                let _ = reader.mark(",");
                let _ = reader.word(&["and"]);
            }
            let number = amount(reader)?;
            let unit = unit_of(reader.any_word()?)?;
            (unit < smallest).then_some((number, unit))
        });
        let Some((number, unit)) = part else {
            return span;
        };
        smallest = unit;
        let before = span.map_or(0, |span| span.millis);
        span = Some(Span {
            millis: before.saturating_add(number.times(unit)),
            days: (unit == DAY && before == 0 && number.thousandths == 0).then_some(number.whole),
        });
    }
}

/// Reads a number that stands alone, in that unit.
pub(super) fn bare(reader: &mut Reader<'_, '_>, unit: u64) -> Option<Span> {
    let number = amount(reader)?;
    // With these it counts something else, or is part of something.
    let other = [
        "attempt", "attempts", "times", "tries", "retries", "failures", "more", "of", "am", "pm",
    ];
    let mut ahead = *reader;
    let has_unit = ahead
        .peek()
        .is_some_and(|token| token.kind == Kind::Word && unit_of(token.text).is_some());
    if has_unit
        || ahead.word(&other)
        || ["/", ":", "%", "-"]
            .iter()
            .any(|mark| ahead.close_mark(mark))
    {
        return None;
    }
    Some(Span {
        millis: number.times(unit),
        days: None,
    })
}

/// A number, to three places.
#[derive(Debug, Clone, Copy)]
struct Amount {
    whole: u64,
    thousandths: u64,
}

impl Amount {
    fn times(self, unit: u64) -> u64 {
        // Below one thousand times a week: no overflow.
        let part = self.thousandths * unit / 1_000;
        self.whole.saturating_mul(unit).saturating_add(part)
    }
}

fn amount(reader: &mut Reader<'_, '_>) -> Option<Amount> {
    if reader.word(&["a", "an", "one"]) {
        return Some(Amount {
            whole: 1,
            thousandths: 0,
        });
    }
    let whole = reader.number()?;
    let fraction = reader.attempt(|reader| {
        reader.close_mark(".").then_some(())?;
        reader.take_if(|token| token.kind == Kind::Number && !token.spaced)
    });
    let mut thousandths = 0;
    let mut place = 100;
    for digit in fraction.map_or("", |token| token.text).bytes().take(3) {
        thousandths += u64::from(digit.saturating_sub(b'0')) * place;
        place /= 10;
    }
    Some(Amount {
        // Too many digits are too much of anything.
        whole: whole.parse().unwrap_or(u64::MAX),
        thousandths,
    })
}
