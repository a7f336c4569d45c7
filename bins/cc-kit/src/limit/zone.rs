//! Time zones: `(Europe/Berlin)`, `UTC`, `PST`, `+02:00`, `Pacific Time`.

use jiff::tz::{Offset, TimeZone};

use super::words::{Kind, Reader, Token, is_in, joined};

/// A zone that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Zone {
    /// By its IANA name.
    Named(String),
    /// So many seconds east of UTC.
    East(i32),
    /// By letters nobody here knows. Another zone in its place would be wrong by hours.
    Unknown,
}

impl Zone {
    /// The zone itself, where there is such a one.
    pub(super) fn resolve(&self) -> Option<TimeZone> {
        match self {
            Self::Named(name) => TimeZone::get(name).ok(),
            Self::East(seconds) => Some(TimeZone::fixed(Offset::from_seconds(*seconds).ok()?)),
            Self::Unknown => None,
        }
    }
}

/// Longer than any name in the database.
const LONGEST: usize = 48;

/// What people write, in hours east of UTC.
const LETTERS: [(&str, i32); 15] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("PST", -8),
    ("PDT", -7),
    ("MST", -7),
    ("MDT", -6),
    ("CST", -6),
    ("CDT", -5),
    ("EST", -5),
    ("EDT", -4),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("JST", 9),
];

/// The zones of the United States, as they are spoken of without summer or winter.
const SPOKEN: [(&str, &str, &str); 4] = [
    ("PT", "pacific", "America/Los_Angeles"),
    ("MT", "mountain", "America/Denver"),
    ("CT", "central", "America/Chicago"),
    ("ET", "eastern", "America/New_York"),
];

/// Reads a zone that stands behind a time of the day.
pub(super) fn zone(reader: &mut Reader<'_, '_>) -> Option<Zone> {
    reader
        .attempt(bracketed)
        .or_else(|| reader.attempt(spoken))
        .or_else(|| reader.attempt(named))
        .or_else(|| reader.attempt(letters))
        .or_else(|| reader.attempt(|reader| Some(Zone::East(offset(reader)?))))
}

/// `( .. )`. A terminal may have cut the name at the end of a line, so blanks in it do not count.
fn bracketed(reader: &mut Reader<'_, '_>) -> Option<Zone> {
    reader.mark("(").then_some(())?;
    let mut inside = Vec::new();
    let mut length = 0;
    loop {
        let token = reader.take()?;
        if token.text == ")" {
            break;
        }
        length += token.text.len();
        (length <= LONGEST).then_some(())?;
        inside.push(token);
    }
    let mut spoken_of = Reader::new(&inside);
    if let Some(zone) = spoken(&mut spoken_of) {
        return Some(zone);
    }
    let inside: Vec<_> = inside.into_iter().map(close).collect();
    let mut whole = Reader::new(&inside);
    let zone = zone(&mut whole).filter(|_| whole.peek().is_none());
    zone.or_else(|| {
        // Other words in brackets say something else: that it is local time, what plan it is.
        let text = joined(&inside);
        let short = (2..=5).contains(&text.len());
        let letters = short && text.bytes().all(|byte| byte.is_ascii_uppercase());
        let name =
            text.contains('/') && text.starts_with(|first: char| first.is_ascii_alphabetic());
        (letters || name).then_some(Zone::Unknown)
    })
}

fn close(token: Token<'_>) -> Token<'_> {
    Token {
        spaced: false,
        ..token
    }
}

/// `Pacific Time`, `Eastern Daylight Time`, `PT`.
fn spoken(reader: &mut Reader<'_, '_>) -> Option<Zone> {
    let word = reader.any_word()?;
    let short = SPOKEN.iter().find(|(short, ..)| *short == word);
    if let Some((.., name)) = short {
        return Some(Zone::Named((*name).to_owned()));
    }
    let (.., name) = SPOKEN
        .iter()
        .find(|(_, long, _)| long.eq_ignore_ascii_case(word))?;
    let _ = reader.word(&["standard", "daylight"]);
    reader.word(&["time"]).then_some(())?;
    Some(Zone::Named((*name).to_owned()))
}

/// `Area/Place`, as the database has it.
fn named(reader: &mut Reader<'_, '_>) -> Option<Zone> {
    let mut name = reader.any_word()?.to_owned();
    while let Some(token) = reader.take_if(|token| {
        let belongs = token.kind != Kind::Mark || matches!(token.text, "/" | "_" | "-" | "+");
        belongs && !token.spaced
    }) {
        name.push_str(token.text);
        (name.len() <= LONGEST).then_some(())?;
    }
    // "and/or" is no place.
    let parts = name.split('/');
    let is_name = parts.clone().count() > 1
        && parts
            .into_iter()
            .all(|part| part.starts_with(|first: char| first.is_ascii_uppercase()));
    is_name.then_some(Zone::Named(name))
}

/// `UTC`, `PST`, `UTC+2`.
fn letters(reader: &mut Reader<'_, '_>) -> Option<Zone> {
    let word = reader.any_word()?;
    // In small letters some of these are words.
    let upper = if is_in(word, &["utc", "gmt"]) {
        word.to_ascii_uppercase()
    } else {
        word.to_owned()
    };
    let (letters, hours) = LETTERS.iter().find(|(letters, _)| *letters == upper)?;
    let further = if matches!(*letters, "UTC" | "GMT") {
        reader.attempt(offset).unwrap_or(0)
    } else {
        0
    };
    Some(Zone::East(hours * 3_600 + further))
}

/// `+02:00`, `-0530`, `+2`, in seconds.
fn offset(reader: &mut Reader<'_, '_>) -> Option<i32> {
    let east = reader.mark("+");
    (east || reader.close_mark("-")).then_some(())?;
    let digits = reader
        .take_if(|token| token.kind == Kind::Number && !token.spaced)?
        .text;
    let (hours, minutes): (i32, i32) = match digits.len() {
        1 | 2 => {
            let minutes = reader.attempt(|reader| {
                reader.close_mark(":").then_some(())?;
                reader.close_digits(2)
            });
            (digits.parse().ok()?, minutes.map_or(0, i32::from))
        }
        4 => {
            let (hours, minutes) = digits.split_at(2);
            (hours.parse().ok()?, minutes.parse().ok()?)
        }
        _ => return None,
    };
    // "3:00-5 pm" is no offset but an end.
    let mut ahead = *reader;
    let plausible = hours <= 14 && minutes < 60 && !ahead.word(&["am", "pm"]);
    let seconds = (hours * 60 + minutes) * 60;
    plausible.then_some(if east { seconds } else { -seconds })
}
