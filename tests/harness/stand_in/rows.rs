//! Text cut into rows of the screen.

use unicode_width::UnicodeWidthChar;

/// One row of the screen: printable text, no wider than the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What stands in it.
    pub text: String,
    /// From which byte on it is dim.
    pub dim: Option<usize>,
}

impl Row {
    /// A row of plain text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            dim: None,
        }
    }

    /// A row whose end is dim.
    #[must_use]
    pub fn with_dim(bright: &str, dim: &str) -> Self {
        Self {
            text: format!("{bright}{dim}"),
            dim: Some(bright.len()),
        }
    }

    /// The same, cut off at the edge of the screen.
    #[must_use]
    pub fn cut(mut self, width: usize) -> Self {
        let (end, _) = fitting(&self.text, width);
        self.text.truncate(end);
        self
    }
}

/// How many columns a character takes; none for what must not reach the terminal.
fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// How many columns a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// How many bytes of a text fit into so many columns, and how many columns they take.
fn fitting(text: &str, room: usize) -> (usize, usize) {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        if taken + columns(c) > room {
            return (at, taken);
        }
        taken += columns(c);
    }
    (text.len(), taken)
}

/// A text without anything that a terminal would act on: tabs are blanks, other controls are
/// gone, newlines stay.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Cuts a printable text into rows, between words where it can. The first row begins with
/// `first`, the others with `rest`. There is always one row.
#[must_use]
pub fn wrap(text: &str, total: usize, first: &str, rest: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for line in text.split('\n') {
        let mut left = line;
        loop {
            let start = if rows.is_empty() { first } else { rest };
            // At least one wide character a row, or this would not end.
            let room = total.saturating_sub(width(start)).max(2);
            let (end, _) = fitting(left, room);
            // Whatever the widest character is, a row takes one.
            let end = end.max(left.chars().next().map_or(0, char::len_utf8));
            let (row, more) = left.split_at_checked(end).unwrap_or((left, ""));
            if more.is_empty() {
                rows.push(format!("{start}{row}"));
                break;
            }
            let (row, more) = match row.rfind(' ') {
                Some(blank) if blank > 0 && !more.starts_with(' ') => {
                    left.split_at_checked(blank).unwrap_or((row, more))
                }
                _ => (row, more),
            };
            rows.push(format!("{start}{row}"));
            left = more.strip_prefix(' ').unwrap_or(more);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_words() {
        assert_eq!(
            wrap("one two three", 9, "* ", "  "),
            ["* one two", "  three"]
        );
        assert_eq!(wrap("a\n\nb", 9, "* ", "  "), ["* a", "  ", "  b"]);
        assert_eq!(wrap("", 9, "* ", "  "), ["* "]);
    }

    #[test]
    fn a_long_word_is_cut_where_the_row_ends() {
        assert_eq!(
            wrap("abcdefghij", 6, "> ", "  "),
            ["> abcd", "  efgh", "  ij"]
        );
        assert_eq!(wrap("漢字漢字", 5, "", ""), ["漢字", "漢字"]);
    }

    #[test]
    fn a_screen_of_no_width_ends_too() {
        assert_eq!(wrap("漢字", 0, "> ", "> "), ["> 漢", "> 字"]);
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_is_printable() {
        assert_eq!(printable("a\x1b[31m\tb\u{9b}c\r\nd\x07"), "a[31m    bc\nd");
    }

    #[test]
    fn a_row_is_cut_at_the_edge() {
        assert_eq!(Row::plain("漢字x").cut(3).text, "漢");
        assert_eq!(Row::plain("ab").cut(3).text, "ab");
    }
}
