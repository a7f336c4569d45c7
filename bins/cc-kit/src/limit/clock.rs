//! Times of the day: `3pm`, `9:30 PM`, `00:30`, `noon`.

use jiff::civil::Time;

use super::words::{Kind, Reader};

/// Reads a time of the day. A number alone is none: it needs minutes, or am or pm.
pub(super) fn clock(reader: &mut Reader<'_, '_>) -> Option<Time> {
    reader.attempt(|reader| {
        if reader.word(&["noon", "midday"]) {
            return Time::new(12, 0, 0, 0).ok();
        }
        if reader.word(&["midnight"]) {
            return Time::new(0, 0, 0, 0).ok();
        }
        let hour: i8 = reader
            .number()
            .filter(|digits| digits.len() <= 2)?
            .parse()
            .ok()?;
        let minute = sixtieth(reader);
        let second = minute.and_then(|_| sixtieth(reader));
        if second.is_some() {
            // A fraction of a second is more than anybody waits for.
            let _ = reader.attempt(|reader| {
                reader.close_mark(".").then_some(())?;
                reader.take_if(|token| token.kind == Kind::Number && !token.spaced)
            });
        }
        let hour = match (half(reader), minute) {
            (Some(afternoon), _) if (1..=12).contains(&hour) => {
                hour % 12 + if afternoon { 12 } else { 0 }
            }
            (None, Some(_)) => hour,
            _ => return None,
        };
        Time::new(hour, minute.unwrap_or(0), second.unwrap_or(0), 0).ok()
    })
}

fn sixtieth(reader: &mut Reader<'_, '_>) -> Option<i8> {
    reader.attempt(|reader| {
        reader.close_mark(":").then_some(())?;
        reader.close_digits(2)
    })
}

/// Reads am or pm: is it the afternoon?
fn half(reader: &mut Reader<'_, '_>) -> Option<bool> {
    if reader.word(&["am"]) {
        return Some(false);
    }
    if reader.word(&["pm"]) {
        return Some(true);
    }
    reader.attempt(|reader| {
        let afternoon = reader.word(&["p"]);
        (afternoon || reader.word(&["a"])).then_some(())?;
        let dotted = reader.close_mark(".")
            && reader
                .take_if(|token| !token.spaced && token.text.eq_ignore_ascii_case("m"))
                .is_some();
        dotted.then_some(())?;
        let _ = reader.close_mark(".");
        Some(afternoon)
    })
}
