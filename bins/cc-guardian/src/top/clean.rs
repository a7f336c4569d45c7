//! Text from panes, titles and names, as cells of a terminal.
//!
//! What drives a terminal is escaped by [`cc_kit::printable`]. What is left may still be drawn wider or
//! narrower than counted: joiners, variation selectors and skin tones change widths from terminal to
//! terminal, and marks pile up without end. Those go, for a table must stay a table.

use cc_kit::printable::harmless;
use ratatui::style::Style;
use ratatui::text::Span;
use unicode_width::UnicodeWidthChar as _;
use unicode_width::UnicodeWidthStr as _;

/// What stands for text that was cut off.
const CUT: &str = "…";

/// More marks than this on one character are no writing.
const MARKS: usize = 2;

/// Text on one line, safe to draw and not longer than about `columns`.
fn safe(text: &str, columns: usize) -> String {
    // A pane may hand over megabytes; what cannot be seen is not looked at.
    let limit = columns.saturating_mul(8).saturating_add(64);
    let seen = text.get(..text.floor_char_boundary(limit)).unwrap_or(text);
    if is_plain(seen) {
        return seen.to_owned();
    }
    let mut safe = String::with_capacity(seen.len());
    let mut marks = MARKS;
    for char in harmless(seen).to_string().chars() {
        if is_fickle(char) {
            continue;
        }
        match char.width() {
            Some(0) if marks >= MARKS => continue,
            Some(0) => marks += 1,
            _ => marks = 0,
        }
        safe.push(char);
    }
    safe
}

/// Is each byte of it a character of one column that does nothing? Most text is, and it is drawn often.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Terminals do not agree on what it does to the width of its neighbours.
const fn is_fickle(char: char) -> bool {
    matches!(char,
        '\u{200c}' | '\u{200d}'                     // joiners
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'   // variation selectors
        | '\u{1f3fb}'..='\u{1f3ff}'                 // skin tones
        | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // unseen format characters and fillers
    )
}

/// What is drawn as one, and how many columns it takes.
fn cells(safe: &str) -> Vec<(String, usize)> {
    Span::raw(safe)
        .styled_graphemes(Style::new())
        .map(|grapheme| (grapheme.symbol.to_owned(), grapheme.symbol.width()))
        .collect()
}

/// How many columns a text takes that came out of this room.
pub(crate) fn width(safe: &str) -> usize {
    if is_plain(safe) {
        return safe.len();
    }
    cells(safe).iter().map(|(_, width)| width).sum()
}

/// The text on one line of at most `columns`, with `…` at its end where it was longer.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let safe = safe(text, columns);
    if width(&safe) <= columns {
        return safe;
    }
    let mut kept = head(&safe, columns.saturating_sub(1));
    if columns > 0 {
        kept.push_str(CUT);
    }
    kept
}

/// As [`fit`], but cut in the middle: the ends of names tell them apart.
pub(super) fn fit_name(text: &str, columns: usize) -> String {
    let safe = safe(text, columns.max(128));
    if width(&safe) <= columns {
        return safe;
    }
    if columns < 4 {
        return fit(text, columns);
    }
    let end = columns / 2;
    let mut kept = head(&safe, columns - 1 - end);
    kept.push_str(CUT);
    kept.push_str(&tail(&safe, end));
    kept
}

/// As [`fit`], but the beginning is cut off: of what is typed, the end is of interest.
pub(super) fn fit_end(text: &str, columns: usize) -> String {
    let safe = safe(text, text.len());
    if width(&safe) <= columns {
        return safe;
    }
    let kept = tail(&safe, columns.saturating_sub(1));
    if columns > 0 {
        format!("{CUT}{kept}")
    } else {
        kept
    }
}

/// The text as lines of at most `columns`, broken between words where that is possible, at most
/// `lines` of them.
pub(super) fn wrap(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let mut wrapped = Vec::new();
    for line in text.lines() {
        let room = columns.saturating_mul(lines.saturating_sub(wrapped.len()));
        let mut rest = safe(line.trim_end(), room);
        while wrapped.len() < lines {
            let mut piece = head(&rest, columns);
            if piece.len() == rest.len() || piece.is_empty() {
                wrapped.push(piece);
                break;
            }
            if !rest
                .get(piece.len()..)
                .is_some_and(|next| next.starts_with(' '))
                && let Some(space) = piece.rfind(' ').filter(|at| *at > piece.len() / 2)
            {
                piece.truncate(space);
            }
            rest = rest
                .get(piece.len()..)
                .unwrap_or_default()
                .trim_start()
                .to_owned();
            wrapped.push(piece.trim_end().to_owned());
        }
    }
    wrapped
}

/// The longest beginning that fits.
fn head(safe: &str, columns: usize) -> String {
    if is_plain(safe) {
        return safe.get(..columns).unwrap_or(safe).to_owned();
    }
    let mut used = 0;
    cells(safe)
        .into_iter()
        .take_while(|(_, width)| {
            used += width;
            used <= columns
        })
        .map(|(symbol, _)| symbol)
        .collect()
}

/// The longest end that fits.
fn tail(safe: &str, columns: usize) -> String {
    let cells = cells(safe);
    let mut used = 0;
    let fitting = cells
        .iter()
        .rev()
        .take_while(|(_, width)| {
            used += width;
            used <= columns
        })
        .count();
    cells
        .into_iter()
        .rev()
        .take(fitting)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .map(|(symbol, _)| symbol)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_drives_a_terminal_is_shown_and_not_done() {
        assert_eq!(
            fit("a\x1b[2Jb\u{202e}c\u{200b}", 80),
            "a\\x1b[2Jb\\u{202e}c\\u{200b}"
        );
        assert_eq!(fit("one\ntwo", 80), "one\\ntwo");
    }

    #[test]
    fn what_makes_widths_uncertain_is_left_out() {
        assert_eq!(fit("👩\u{200d}💻 ❤\u{fe0f} 👍🏽", 80), "👩💻 ❤ 👍");
        assert_eq!(
            fit("Z\u{301}\u{302}\u{303}\u{304}\u{305}x", 80),
            "Z\u{301}\u{302}x"
        );
        assert_eq!(fit("\u{301}x", 80), "x");
    }

    #[test]
    fn text_is_cut_between_characters_of_any_width() {
        let table = [
            ("plain", 5, "plain"),
            ("plainly", 5, "plai…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("日本語", 1, "…"),
            ("日本語", 0, ""),
        ];
        for (text, columns, shown) in table {
            assert_eq!(fit(text, columns), shown, "{text} in {columns}");
        }
    }

    #[test]
    fn names_are_cut_in_the_middle() {
        assert_eq!(fit_name("reviewer-backend@12", 12), "revie…end@12");
        assert_eq!(fit_name("short", 12), "short");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(
            wrap("Do you want to proceed?\n\n1. Yes", 12, 9),
            ["Do you want", "to proceed?", "", "1. Yes"]
        );
        assert_eq!(wrap("abcdefgh", 3, 2), ["abc", "def"]);
        assert_eq!(wrap("日本", 1, 5), [""]);
    }

    proptest! {
        #[test]
        fn anything_fits_and_holds_no_control(text in any::<String>(), columns in 0_usize..40) {
            for shown in [fit(&text, columns), fit_name(&text, columns), fit_end(&text, columns)] {
                prop_assert!(width(&shown) <= columns, "{shown:?}");
                prop_assert!(!shown.contains(char::is_control));
            }
            for line in wrap(&text, columns, 5) {
                prop_assert!(width(&line) <= columns);
            }
        }
    }
}
