//! Text from strangers, made safe for a terminal.
//!
//! Names, titles and pane text are whatever some program chose to print. Shown raw they can move the
//! cursor, set the window title, answer as if they were the user, or turn the order of a line round.

use std::fmt;

/// Shows `bytes` so that a terminal only ever draws them.
///
/// | In | Out |
/// |---|---|
/// | newline, carriage return, tab, backslash | `\n`, `\r`, `\t`, `\\` |
/// | other C0 controls and DEL | `\x1b` |
/// | C1 controls, bidi controls, line separators, invisible format characters | `\u{9b}` |
/// | a byte that is not UTF-8 | `\xff` |
/// | anything else | itself |
///
/// No two inputs look alike: the backslash is doubled, `\x` below 80 is a control, above it is a raw
/// byte. The joiners that emoji and some scripts need (U+200C, U+200D) pass.
///
/// Width and precision of a format string are not honoured; turn it into a `String` to pad it.
///
/// ```
/// use cc_kit::printable::printable;
/// assert_eq!(printable(b"work\x1b]0;x\x07 \xff").to_string(), r"work\x1b]0;x\x07 \xff");
/// ```
#[must_use]
pub const fn printable(bytes: &[u8]) -> Printable<'_> {
    Printable {
        bytes,
        escaped: false,
    }
}

/// As [`printable`] for text that may hold what went through it already, or whose backslashes are to
/// be read as they are: they stay single.
#[must_use]
pub const fn harmless(text: &str) -> Printable<'_> {
    Printable {
        bytes: text.as_bytes(),
        escaped: true,
    }
}

/// See [`printable`].
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a> {
    bytes: &'a [u8],
    /// Its backslashes are escapes.
    escaped: bool,
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let must_not_pass = |char| harmful(char) || (char == '\\' && !self.escaped);
        for chunk in self.bytes.utf8_chunks() {
            let mut rest = chunk.valid();
            while let Some(at) = rest.find(must_not_pass) {
                let (plain, from) = rest.split_at(at);
                f.write_str(plain)?;
                let mut chars = from.chars();
                if let Some(char) = chars.next() {
                    escape(char, f)?;
                }
                rest = chars.as_str();
            }
            f.write_str(rest)?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn escape(char: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match char {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\\' => f.write_str("\\\\"),
        '\0'..='\x7f' => write!(f, "\\x{:02x}", u32::from(char)),
        _ => write!(f, "\\u{{{:x}}}", u32::from(char)),
    }
}

/// What must not reach a terminal as it is.
const fn harmful(char: char) -> bool {
    matches!(char,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'     // C0, DEL, C1
        | '\u{ad}'                              // soft hyphen
        | '\u{61c}' | '\u{200e}' | '\u{200f}'   // bidi marks
        | '\u{202a}'..='\u{202e}'               // bidi embeddings and overrides
        | '\u{2066}'..='\u{2069}'               // bidi isolates
        | '\u{206a}'..='\u{206f}'               // deprecated format characters
        | '\u{2028}' | '\u{2029}'               // line and paragraph separator
        | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'               // interlinear annotation
        | '\u{e0000}'..='\u{e007f}'             // tags: text that nobody sees
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn what_drives_a_terminal_is_escaped_and_the_rest_is_left_alone() {
        let table: [(&[u8], &str); 12] = [
            (b"", ""),
            ("plain ünïcode 日本 👩‍💻".as_bytes(), "plain ünïcode 日本 👩‍💻"),
            (b"\x1b[31mred", "\\x1b[31mred"),
            (b"a\nb\rc\td", "a\\nb\\rc\\td"),
            (b"\x00\x07\x08\x7f", "\\x00\\x07\\x08\\x7f"),
            ("\u{9b}31m\u{85}".as_bytes(), "\\u{9b}31m\\u{85}"),
            (b"\x9b31m", "\\x9b31m"),
            (b"\xe2\x82", "\\xe2\\x82"),
            ("a\u{202e}b\u{2066}c".as_bytes(), "a\\u{202e}b\\u{2066}c"),
            ("x\u{2028}y\u{feff}".as_bytes(), "x\\u{2028}y\\u{feff}"),
            (b"back\\slash \\x1b", "back\\\\slash \\\\x1b"),
            (b"ok\xff\xc3\xa9", "ok\\xff\u{e9}"),
        ];
        for (raw, shown) in table {
            assert_eq!(printable(raw).to_string(), shown, "{raw:?}");
        }
    }

    #[test]
    fn text_that_is_escaped_already_stays_as_it_is() {
        let once = printable(b"a\x1b\\\xff").to_string();
        assert_eq!(harmless(&once).to_string(), once);
        assert_eq!(harmless("\u{1b}\n").to_string(), "\\x1b\\n");
    }

    #[test]
    fn no_character_that_is_a_control_or_turns_text_round_passes() {
        for char in '\0'..=char::MAX {
            let shown = printable(char.to_string().as_bytes()).to_string();
            assert!(!shown.contains(char::is_control), "{char:?}");
            if matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            {
                assert!(shown.is_ascii(), "{char:?}");
            }
        }
    }

    #[test]
    fn every_single_byte_looks_different() {
        let mut seen = HashMap::new();
        for byte in 0..=u8::MAX {
            assert_eq!(seen.insert(printable(&[byte]).to_string(), byte), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_one_line_without_controls(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let shown = printable(&bytes).to_string();
            prop_assert!(!shown.contains(char::is_control));
        }
    }
}
