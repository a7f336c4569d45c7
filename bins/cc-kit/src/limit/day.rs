//! Days: `tomorrow`, `Monday`, `Jun 29`, `29 June 2026`, `2026-06-29`.

use jiff::civil::Weekday;

use super::words::{Kind, Reader, is_in};

/// A day that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// So many days from now: 0 is today.
    Ahead(u64),
    Weekday(Weekday),
    Date {
        year: Option<i16>,
        month: i8,
        day: i8,
    },
}

const MONTHS: [&[&str]; 12] = [
    &["jan", "january"],
    &["feb", "february"],
    &["mar", "march"],
    &["apr", "april"],
    &["may"],
    &["jun", "june"],
    &["jul", "july"],
    &["aug", "august"],
    &["sep", "sept", "september"],
    &["oct", "october"],
    &["nov", "november"],
    &["dec", "december"],
];

const WEEKDAYS: [(Weekday, &[&str]); 7] = [
    (Weekday::Monday, &["mon", "monday"]),
    (Weekday::Tuesday, &["tue", "tues", "tuesday"]),
    (Weekday::Wednesday, &["wed", "weds", "wednesday"]),
    (Weekday::Thursday, &["thu", "thur", "thurs", "thursday"]),
    (Weekday::Friday, &["fri", "friday"]),
    (Weekday::Saturday, &["sat", "saturday"]),
    (Weekday::Sunday, &["sun", "sunday"]),
];

/// Reads a day.
pub(super) fn day(reader: &mut Reader<'_, '_>) -> Option<Day> {
    if reader.word(&["today", "tonight"]) {
        return Some(Day::Ahead(0));
    }
    if reader.word(&["tomorrow"]) {
        return Some(Day::Ahead(1));
    }
    reader
        .attempt(iso)
        .or_else(|| reader.attempt(weekday))
        .or_else(|| reader.attempt(month_first))
        .or_else(|| reader.attempt(day_first))
}

fn iso(reader: &mut Reader<'_, '_>) -> Option<Day> {
    let year = reader.number().filter(|digits| digits.len() == 4)?;
    let mut part = || {
        reader.close_mark("-").then_some(())?;
        reader.close_digits(2)
    };
    Some(Day::Date {
        year: Some(year.parse().ok()?),
        month: part()?,
        day: part()?,
    })
}

fn weekday(reader: &mut Reader<'_, '_>) -> Option<Day> {
    let word = reader.any_word()?;
    let (weekday, _) = WEEKDAYS.iter().find(|(_, names)| is_in(word, names))?;
    let _ = reader.close_mark(".");
    Some(Day::Weekday(*weekday))
}

fn month_first(reader: &mut Reader<'_, '_>) -> Option<Day> {
    let month = month(reader)?;
    let day = number_of_day(reader)?;
    let year = reader.attempt(|reader| {
        let _ = reader.mark(",");
        year(reader)
    });
    Some(date(year, month, day))
}

fn day_first(reader: &mut Reader<'_, '_>) -> Option<Day> {
    let day = number_of_day(reader)?;
    let _ = reader.word(&["of"]);
    let month = month(reader)?;
    let year = reader.attempt(|reader| {
        let _ = reader.mark(",");
        year(reader)
    });
    Some(date(year, month, day))
}

fn date(year: Option<i16>, month: i8, day: i8) -> Day {
    Day::Date { year, month, day }
}

fn month(reader: &mut Reader<'_, '_>) -> Option<i8> {
    let word = reader.any_word()?;
    let index = MONTHS.iter().position(|names| is_in(word, names))?;
    let _ = reader.close_mark(".");
    i8::try_from(index + 1).ok()
}

fn number_of_day(reader: &mut Reader<'_, '_>) -> Option<i8> {
    let day: i8 = reader
        .number()
        .filter(|digits| digits.len() <= 2)?
        .parse()
        .ok()?;
    let ending = |text: &str| is_in(text, &["st", "nd", "rd", "th"]);
    let _ = reader.take_if(|token| token.kind == Kind::Word && !token.spaced && ending(token.text));
    let mut ahead = *reader;
    // "May 9:30" names a time, and so does "May 9 pm".
    let clock = ahead.close_mark(":") || ahead.word(&["am", "pm"]);
    (!clock && (1..=31).contains(&day)).then_some(day)
}

fn year(reader: &mut Reader<'_, '_>) -> Option<i16> {
    let year = reader.number().filter(|digits| digits.len() == 4)?;
    let mut ahead = *reader;
    (!ahead.close_mark(":")).then(|| year.parse().ok())?
}
