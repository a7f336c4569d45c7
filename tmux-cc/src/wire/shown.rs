//! Words of tmux as people read them.

use std::fmt::{self, Write as _};

/// Shows bytes as text in which nothing can drive a terminal: control characters and what is no
/// UTF-8 are escaped, all else is as it is.
pub(crate) struct Shown<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                // `escape_debug` knows what cannot be seen; it also escapes quotes.
                if matches!(c, '\'' | '"') {
                    f.write_char(c)?;
                } else {
                    write!(f, "{}", c.escape_debug())?;
                }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_readable_and_harmless() {
        for (bytes, shown) in [
            (
                &b"can't find session: caf\xc3\xa9"[..],
                "can't find session: café",
            ),
            (b"a\nb\x1b[31m\"\xff", r#"a\nb\u{1b}[31m"\xff"#),
            ("\u{202e}x\u{7f}\\".as_bytes(), r"\u{202e}x\u{7f}\\"),
            (b"", ""),
        ] {
            assert_eq!(Shown(bytes).to_string(), shown);
        }
    }
}
