//! The octal escaping of `%output` payloads.

mod blocks;

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;

/// A pane's bytes as they travel in `%output`: `h\134\015\012`.
///
/// **Shape:** every byte below 0x20 and the backslash itself is `\` and exactly three octal
/// digits (`\000` to `\377`); all else, from the space to 0xFF, stands for itself. The payload is
/// what the program wrote to its terminal: bytes, often not UTF-8 alone, cut anywhere.
///
/// Decoding is lazy: nothing is unescaped until a consumer asks, and then into its own buffer. A
/// backslash that three octal digits do not follow is malformed (tmux never sends one); it is kept
/// as it stands and counted.
///
/// **Source:** tmux `control.c`, `control_append_data`; the same rule since 1.8.
///
/// ```
/// use tmux_cc::wire::Escaped;
///
/// let escaped = Escaped::new(b"h\\134\\015\\012");
/// assert_eq!(*escaped.decode(), *b"h\\\r\n");
/// let mut out = Vec::new();
/// let decoded = escaped.decode_into(&mut out);
/// assert_eq!((decoded.len, decoded.malformed), (4, 0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Escaped<'a>(&'a [u8]);

/// What a decoding met.
///
/// Example: [`Escaped`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Decoded {
    /// Bytes appended to the caller's buffer.
    pub len: usize,
    /// Backslashes without three octal digits behind them; zero on every stream of a real tmux.
    pub malformed: usize,
}

impl<'a> Escaped<'a> {
    /// Takes `bytes` as an escaped payload.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The payload as it travelled, still escaped.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Is nothing escaped, so that the payload is already what the program printed?
    #[must_use]
    pub fn is_plain(self) -> bool {
        memchr(b'\\', self.0).is_none()
    }

    /// The number of bytes that decoding gives, without decoding.
    #[must_use]
    pub fn decoded_len(self) -> usize {
        self.0.len() - 3 * blocks::escapes(self.0)
    }

    /// Appends the decoded bytes to `out`.
    pub fn decode_into(self, out: &mut Vec<u8>) -> Decoded {
        blocks::decode(self.0, out)
    }

    /// The decoded bytes: borrowed where nothing is escaped, owned otherwise.
    #[must_use]
    pub fn decode(self) -> Cow<'a, [u8]> {
        if self.is_plain() {
            return Cow::Borrowed(self.0);
        }
        let mut out = Vec::new();
        let _ = self.decode_into(&mut out);
        Cow::Owned(out)
    }

    /// The payload without an escape that the end of the stream has cut (`\01`), and that rest.
    ///
    /// Only the last line of a stream that broke can hold one.
    #[must_use]
    pub fn split_cut_escape(self) -> (Self, &'a [u8]) {
        let tail = self.0.len().saturating_sub(3);
        let cut = memchr::memrchr(b'\\', self.0.get(tail..).unwrap_or_default())
            .map_or(self.0.len(), |at| tail + at);
        let (whole, rest) = self.0.split_at(cut);
        (Self(whole), rest)
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Escaped(\"{}\")", self.0.escape_ascii())
    }
}

/// Appends `bytes` to `out` as tmux would send them: the inverse of [`Escaped::decode_into`].
///
/// ```
/// let mut line = Vec::new();
/// tmux_cc::wire::escape_into(b"h\\\r\n", &mut line);
/// assert_eq!(line, b"h\\134\\015\\012");
/// ```
pub fn escape_into(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        if byte < 0x20 || byte == b'\\' {
            out.extend_from_slice(&[
                b'\\',
                b'0' + (byte >> 6),
                b'0' + (byte >> 3 & 7),
                b'0' + (byte & 7),
            ]);
        } else {
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(escaped: &[u8]) -> (Vec<u8>, usize) {
        let mut out = b"before".to_vec();
        let found = Escaped::new(escaped).decode_into(&mut out);
        assert_eq!(&out[..6], b"before");
        assert_eq!(found.len, out.len() - 6);
        assert_eq!(
            found.len,
            Escaped::new(escaped).decoded_len(),
            "{:?}",
            Escaped::new(escaped)
        );
        (out.split_off(6), found.malformed)
    }

    /// What any bytes stand for, a byte at a time.
    fn decoded_plainly(mut escaped: &[u8]) -> (Vec<u8>, usize) {
        let (mut out, mut malformed) = (Vec::new(), 0);
        while let [first, rest @ ..] = escaped {
            (escaped, malformed) = match escaped {
                [
                    b'\\',
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    rest @ ..,
                ] => {
                    out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                    (rest, malformed)
                }
                _ => {
                    out.push(*first);
                    (rest, malformed + usize::from(*first == b'\\'))
                }
            };
        }
        (out, malformed)
    }

    #[test]
    fn known_answers() {
        for (escaped, bytes, malformed) in [
            (&b""[..], &b""[..], 0),
            (b"plain \x7f\xff", b"plain \x7f\xff", 0),
            (b"h\\134\xc3\xa9\\015\\012", b"h\\\xc3\xa9\r\n", 0),
            (b"\\000\\377\\033[m", b"\0\xff\x1b[m", 0),
            (b"\\134134", b"\\134", 0),
            (b"\\", b"\\", 1),
            (b"\\1", b"\\1", 1),
            (b"\\12", b"\\12", 1),
            (b"\\8aa", b"\\8aa", 1),
            (b"\\400", b"\\400", 1),
            (b"\\777", b"\\777", 1),
            (b"\\\\", b"\\\\", 2),
            (b"\\\\015", b"\\\r", 1),
            (b"a\\012\\", b"a\n\\", 1),
        ] {
            assert_eq!(
                decoded(escaped),
                (bytes.to_vec(), malformed),
                "{:?}",
                Escaped::new(escaped)
            );
        }
    }

    #[test]
    fn an_escape_is_found_wherever_it_stands_in_a_line_of_any_length() {
        let letters: Vec<u8> = (b'a'..=b'z').cycle().take(230).collect();
        for escape in [
            &b"\\033"[..],
            b"\\015\\012",
            b"\\134\\134\\134",
            b"\\03",
            b"\\",
            b"\\\\015",
        ] {
            for length in escape.len()..letters.len() {
                for at in 0..=length - escape.len() {
                    let mut line = letters[..length].to_vec();
                    line[at..at + escape.len()].copy_from_slice(escape);
                    assert_eq!(
                        decoded(&line),
                        decoded_plainly(&line),
                        "{}",
                        line.escape_ascii()
                    );
                }
            }
        }
    }

    #[test]
    fn dense_escapes_are_decoded_and_left_again() {
        for unit in [
            &b"y\\015\\012"[..],
            b"\\000",
            b"ab\\033",
            b"\\",
            b"\\08\\\\377",
        ] {
            for units in (0..300).step_by(7) {
                for behind in [0, 1, 40, 100, 400] {
                    let line = [&unit.repeat(units)[..], &b"x".repeat(behind), unit].concat();
                    assert_eq!(
                        decoded(&line),
                        decoded_plainly(&line),
                        "{}",
                        line.escape_ascii()
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_escaped_is_borrowed() {
        assert!(matches!(
            Escaped::new(b"plain").decode(),
            Cow::Borrowed(b"plain")
        ));
        assert_eq!(Escaped::new(b"a\\012").decode(), &b"a\n"[..]);
    }

    #[test]
    fn an_escape_cut_by_the_end_is_split_off() {
        for (payload, whole, rest) in [
            (&b"a\\015\\01"[..], &b"a\\015"[..], &b"\\01"[..]),
            (b"a\\015", b"a\\015", b""),
            (b"\\", b"", b"\\"),
            (b"ab", b"ab", b""),
            (b"", b"", b""),
        ] {
            let split = Escaped::new(payload).split_cut_escape();
            assert_eq!((split.0.as_bytes(), split.1), (whole, rest));
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_escaping(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut escaped = Vec::new();
            escape_into(&bytes, &mut escaped);
            prop_assert!(!escaped.iter().any(|&b| b < 0x20));
            prop_assert_eq!(decoded(&escaped), (bytes, 0));
        }

        #[test]
        fn any_bytes_are_decoded_as_a_byte_at_a_time(bytes in proptest::collection::vec(
            prop_oneof![Just(b'\\'), b'0'..=b'9', any::<u8>()], 0..400)) {
            prop_assert_eq!(decoded(&bytes), decoded_plainly(&bytes));
        }

        #[test]
        fn text_with_escapes_is_decoded_as_a_byte_at_a_time(
            pieces in proptest::collection::vec(("[a-z]{0,40}", any::<u8>(), 0..4usize), 0..60),
            cut in 0..4usize) {
            let mut line = Vec::new();
            for (text, byte, times) in pieces {
                line.extend_from_slice(text.as_bytes());
                escape_into(&vec![byte; times], &mut line);
            }
            line.truncate(line.len() - cut.min(line.len()));
            prop_assert_eq!(decoded(&line), decoded_plainly(&line));
        }
    }
}
