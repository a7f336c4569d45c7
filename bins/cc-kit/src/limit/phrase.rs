//! Finds the words that say when a limit ends.

use jiff::civil::Time;

use super::clock::clock;
use super::day::{Day, day};
use super::span::{Span, bare, span, unit_of};
use super::words::{Kind, Reader, Token, is_in, is_one_of, joined};
use super::zone::{Zone, zone};

/// When, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// So long from now.
    In(Span),
    /// So many milliseconds after 1970.
    Since1970(u64),
    /// At a time of a day.
    At(When),
}

/// A time of a day: at least a day or a time is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct When {
    pub(super) day: Option<Day>,
    pub(super) clock: Option<Time>,
    pub(super) zone: Option<Zone>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) said: Said,
    /// The words themselves: seen characters with single spaces.
    pub(super) words: String,
}

/// How many words may stand between the one that announces a time and the time.
const LEAD: usize = 10;
/// How many tokens a phrase has at most: what makes reading linear.
const LONGEST: usize = 48;

/// The last phrase of the text: what stands above it is older.
pub(super) fn last(tokens: &[Token<'_>]) -> Option<Phrase> {
    (0..tokens.len()).rev().find_map(|start| {
        let from = tokens.get(start..)?;
        let from = from.get(..LONGEST).unwrap_or(from);
        let mut reader = Reader::new(from);
        let announced = announced(&mut reader)?;
        let said = said(&mut reader, announced)?;
        let words = joined(from.get(..reader.position())?);
        Some(Phrase { said, words })
    })
}

/// What the words before a time tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announced {
    /// A limit ends: any form may follow.
    End,
    /// Somebody tries again: a time or a span may follow, with a preposition.
    Again,
    /// A header, or a field of that name: a number alone is seconds.
    Field,
    /// A number alone is seconds since 1970.
    Epoch,
}

fn announced(reader: &mut Reader<'_, '_>) -> Option<Announced> {
    let word = reader.any_word()?;
    if is_in(
        word,
        &[
            "reset",
            "resets",
            "resetting",
            "renews",
            "refreshes",
            "resetsat",
            "resetat",
        ],
    ) {
        return Some(Announced::End);
    }
    if is_in(word, &["until"]) {
        return Some(Announced::Again);
    }
    if is_in(word, &["try", "available"]) && reader.word(&["again"]) {
        return Some(Announced::Again);
    }
    if is_in(word, &["reached"]) && reader.close_mark("|") {
        return Some(Announced::Epoch);
    }
    if is_in(word, &["retryafter", "retrydelay"]) {
        return Some(Announced::Field);
    }
    if is_in(word, &["retry", "retrying", "retries"]) {
        let _ = reader.close_mark("-") || reader.close_mark("_");
        let field = reader.word(&["after", "delay"]);
        return Some(if field {
            Announced::Field
        } else {
            Announced::Again
        });
    }
    None
}

/// What leads from the announcement to the time.
#[derive(Debug, Default)]
struct Lead {
    /// A preposition that wants a time or a span: at, in, on, by.
    preposition: bool,
    /// Was it "in"? Then only a span can follow.
    span: bool,
    /// The unit of a field, from its name.
    unit: Option<u64>,
}

fn lead(reader: &mut Reader<'_, '_>) -> Lead {
    let mut lead = Lead::default();
    for _ in 0..LEAD {
        if reader.word(&["in"]) {
            lead.preposition = true;
            lead.span = true;
        } else if reader.word(&["at", "on", "by", "after", "until"]) {
            lead.preposition = true;
        } else if reader.word(&[
            "about",
            "again",
            "approx",
            "approximately",
            "around",
            "be",
            "daily",
            "date",
            "is",
            "next",
            "the",
            "time",
            "timestamp",
            "will",
        ]) {
        } else if let Some(token) = reader.take_if(|token| {
            token.kind == Kind::Word && !token.spaced && unit_of(token.text).is_some()
        }) {
            // "retry_after_ms": the blanks say that it belongs to the name.
            lead.unit = unit_of(token.text);
        } else if !filling(reader) {
            break;
        }
    }
    lead
}

/// Takes a mark that may stand before a time.
fn filling(reader: &mut Reader<'_, '_>) -> bool {
    reader
        .attempt(|reader| {
            let token = reader.take_if(|token| token.kind == Kind::Mark)?;
            match token.text {
                ":" | "=" | "\"" | "'" | "`" | "*" | "_" | "~" | "≈" | "·" | "•" | "∙" | "|"
                | "–" | "—" | "," => Some(()),
                // Before a number it would be a sign.
                "-" => {
                    let next = reader.peek()?;
                    (next.kind == Kind::Word || next.spaced).then_some(())
                }
                _ => None,
            }
        })
        .is_some()
}

fn said(reader: &mut Reader<'_, '_>, announced: Announced) -> Option<Said> {
    let lead = lead(reader);
    if announced == Announced::Again && !lead.preposition {
        // "retry 3 m" asks for nothing; "until 3pm" and "try again tomorrow" do.
        return reader.attempt(when).map(Said::At);
    }
    let unit = lead
        .unit
        .or_else(|| (announced == Announced::Field).then_some(1_000));
    if let Some(number) = reader.attempt(epoch) {
        return Some(number);
    }
    if let Some(unit) = unit
        && let Some(span) = reader.attempt(|reader| bare(reader, unit))
    {
        return Some(Said::In(span));
    }
    if !lead.span
        && let Some(when) = reader.attempt(when)
    {
        return Some(Said::At(when));
    }
    let span = reader.attempt(span)?;
    let day = span.days.and_then(|days| at_the_end_of(days, reader));
    Some(day.map_or(Said::In(span), Said::At))
}

/// "in 2 days at 3am".
fn at_the_end_of(days: u64, reader: &mut Reader<'_, '_>) -> Option<When> {
    let clock = reader.attempt(|reader| {
        reader.word(&["at"]).then_some(())?;
        clock(reader)
    })?;
    Some(When {
        day: Some(Day::Ahead(days)),
        clock: Some(clock),
        zone: reader.attempt(zone),
    })
}

/// Seconds or milliseconds since 1970, told by how many digits they have.
fn epoch(reader: &mut Reader<'_, '_>) -> Option<Said> {
    let digits = reader.number()?;
    let number: u64 = digits.parse().ok()?;
    let millis = match digits.len() {
        10 => number * 1_000,
        13 => number,
        _ => return None,
    };
    Some(Said::Since1970(millis))
}

/// Reads a day, a time and a zone in whatever order.
fn when(reader: &mut Reader<'_, '_>) -> Option<When> {
    let mut when = When::default();
    loop {
        let more = reader.attempt(|reader| {
            let linked = link(reader);
            if when.clock.is_none()
                && let Some(clock) = clock(reader)
            {
                when.clock = Some(clock);
                return Some(());
            }
            if when.clock.is_some()
                && when.zone.is_none()
                && let Some(zone) = zone(reader)
            {
                when.zone = Some(zone);
                return Some(());
            }
            let next = reader.peek()?;
            let relative = is_one_of(next, &["today", "tonight", "tomorrow"]);
            // Behind a time, what only follows may belong to another sentence.
            if when.clock.is_some() && !linked && !relative {
                return None;
            }
            let day = day(reader)?;
            match when.day {
                None => {}
                // "Mon, Jun 29": the date says more.
                Some(Day::Weekday(_)) if matches!(day, Day::Date { .. }) => {}
                Some(_) => return None,
            }
            when.day = Some(day);
            Some(())
        });
        if more.is_none() {
            break;
        }
    }
    (when.day.is_some() || when.clock.is_some()).then_some(when)
}

/// Takes what stands between a day and a time: is there anything?
fn link(reader: &mut Reader<'_, '_>) -> bool {
    let comma = reader.mark(",");
    let iso = reader
        .take_if(|token| token.text == "T" && !token.spaced)
        .is_some();
    let word = reader.word(&["at", "on", "by", "the", "next"]) || reader.mark("@");
    comma || iso || word
}
