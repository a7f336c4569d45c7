//! Command lines: one value as one argument, and what a line must not contain.

use memchr::memchr;

/// Appends `value` to `out` as one argument of a command line.
///
/// Shape: `name`, `'two words'` or `"it's\n"`: bare where no tmux could see anything but
/// letters, in single quotes where everything is literal, else in double quotes with escapes.
/// The word holds no line feed, no carriage return and no other control character, is valid
/// UTF-8 whatever `value` is, and stands for exactly the bytes of `value` under every locale,
/// environment and server from tmux 3.2.
///
/// Only the command line's own lexer is answered. What a command does with an argument comes
/// after it: formats (`#{...}`, `#(...)`) and `strftime` sequences expand, `-x` is a flag, a
/// shell command is read by a shell. And no quoting helps at the *start* of a command, where
/// tmux takes `NAME=value` for an assignment even in quotes: quote arguments, not commands.
///
/// # Errors
///
/// [`QuoteError::Nul`], since tmux's strings end there; `out` is as it was then.
///
/// Source: tmux `cmd-parse.y`, `yylex` and `yylex_token`, the same from 3.2 on.
///
/// ```
/// use tmux_cc::wire::quote;
///
/// let mut line = b"rename-window -t @1 ".to_vec();
/// quote(b"it's #1", &mut line)?;
/// assert_eq!(line, b"rename-window -t @1 \"it's #1\"");
/// # Ok::<(), tmux_cc::wire::QuoteError>(())
/// ```
pub fn quote(value: &[u8], out: &mut Vec<u8>) -> Result<(), QuoteError> {
    if let Some(at) = memchr(0, value) {
        return Err(QuoteError::Nul { at });
    }
    out.reserve(value.len() + 2);
    if !value.is_empty() && value.iter().all(|&byte| is_bare(byte)) {
        out.extend_from_slice(value);
    } else if value.iter().all(|&byte| is_literal(byte)) && str::from_utf8(value).is_ok() {
        out.push(b'\'');
        out.extend_from_slice(value);
        out.push(b'\'');
    } else {
        quote_double(value, out);
    }
    Ok(())
}

/// [`quote`] into a buffer of its own.
///
/// # Errors
///
/// Those of [`quote`].
///
/// ```
/// assert_eq!(tmux_cc::wire::quoted(b"two words")?, b"'two words'");
/// # Ok::<(), tmux_cc::wire::QuoteError>(())
/// ```
pub fn quoted(value: &[u8]) -> Result<Vec<u8>, QuoteError> {
    let mut out = Vec::new();
    quote(value, &mut out)?;
    Ok(out)
}

/// Whether the lexer of no version gives `byte` a meaning, wherever in a word it stands.
const fn is_bare(byte: u8) -> bool {
    // Left out on purpose: `%` is a keyword at the start, `=` makes an assignment of the first
    // word, `^ ! * ? [ ]` and the like are harmless today but not worth the wager.
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b'@' | b'+' | b',')
}

/// Whether `byte` can stand in single quotes, where there are no escapes.
const fn is_literal(byte: u8) -> bool {
    !byte.is_ascii_control() && byte != b'\''
}

/// Appends `value` in double quotes.
fn quote_double(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    // A tilde is a home directory only as the first character; `\~` is one everywhere.
    let value = match value.strip_prefix(b"~") {
        Some(rest) => {
            out.extend_from_slice(b"\\~");
            rest
        }
        None => value,
    };
    for chunk in value.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            match byte {
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\\' | b'"' | b'$' => out.extend_from_slice(&[b'\\', byte]),
                _ if byte.is_ascii_control() => push_octal(byte, out),
                _ => out.push(byte),
            }
        }
        // The lexer reads `char` into `int`: where `char` is signed a raw 0xff is its end of
        // file, which ends the word and leaves the rest of the value to be read as commands.
        for &byte in chunk.invalid() {
            push_octal(byte, out);
        }
    }
    out.push(b'"');
}

/// Appends `\ooo`; tmux takes exactly three digits.
fn push_octal(byte: u8, out: &mut Vec<u8>) {
    let digit = |shift: u8| b'0' + (byte >> shift & 7);
    out.extend_from_slice(&[b'\\', digit(6), digit(3), digit(0)]);
}

/// Checks that `line`, without its line feed, can be sent as one command line.
///
/// For lines that somebody wrote as a whole; values are put into one with [`quote`]. Whether
/// the line makes sense is for tmux to say: it answers an error to one that does not.
///
/// # Errors
///
/// [`LineError`] for what tmux would not answer but misread without a word. The first offending
/// byte is the one that is told.
///
/// Source: tmux `control.c`, `control_read_callback`; `cmd-parse.y`, `yylex_getc1`.
///
/// ```
/// use tmux_cc::wire::check_line;
///
/// assert!(check_line(b"list-panes -a").is_ok());
/// assert!(check_line(b"list-panes\nkill-server").is_err());
/// ```
pub fn check_line(line: &[u8]) -> Result<(), LineError> {
    let bad = line
        .iter()
        .enumerate()
        .find(|(_, byte)| matches!(byte, 0 | b'\n' | b'\r' | 0xff));
    match bad {
        Some((at, b'\n')) => Err(LineError::LineFeed { at }),
        Some((at, b'\r')) => Err(LineError::CarriageReturn { at }),
        Some((at, 0xff)) => Err(LineError::EndOfFile { at }),
        Some((at, _)) => Err(LineError::Nul { at }),
        None if line.iter().all(|byte| matches!(byte, b' ' | b'\t')) => Err(LineError::Blank),
        None => Ok(()),
    }
}

/// Why [`quote`] refuses a value.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// A NUL byte, which no argument of tmux can hold.
    #[error("value has a nul byte at {at}")]
    Nul {
        /// Where, counted from 0.
        at: usize,
    },
}

/// Why [`check_line`] refuses a line; `at` counts bytes from 0.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Nothing but blanks: an empty line detaches the client, a blank one is never answered.
    #[error("command line is blank")]
    Blank,
    /// A line feed, which makes two lines of it; in an argument it is written `"\n"`.
    #[error("command line has a line feed at {at}")]
    LineFeed {
        /// Where.
        at: usize,
    },
    /// A carriage return, which becomes part of an argument; wanted there it is written `"\r"`.
    #[error("command line has a carriage return at {at}")]
    CarriageReturn {
        /// Where.
        at: usize,
    },
    /// A NUL byte: tmux drops the rest of the line.
    #[error("command line has a nul byte at {at}")]
    Nul {
        /// Where.
        at: usize,
    },
    /// A byte 0xff: where C's `char` is signed, tmux takes it for the end of the input and what
    /// follows for another command. In an argument it is written `"\377"`.
    #[error("command line has a byte 0xff at {at}")]
    EndOfFile {
        /// Where.
        at: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the lexer of tmux makes of a line: the words of one command, or why not.
    ///
    /// `cmd-parse.y` in so far as it matters to quoting: whatever a quoted value must never set
    /// off (expansions, keywords, comments, separators, an end of file) is an error here.
    fn lex(line: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
        #[derive(Clone, Copy, PartialEq)]
        enum Quotes {
            None,
            Single,
            Double,
        }
        let (mut words, mut bytes) = (Vec::new(), line.iter().copied().peekable());
        while let Some(&first) = bytes.peek() {
            match first {
                b' ' | b'\t' => {
                    bytes.next();
                    continue;
                }
                b';' | b'{' | b'}' => return Err("separator"),
                b'#' => return Err("comment"),
                b'%' => return Err("condition"),
                _ => {}
            }
            // A tilde is a home directory as the first character after any change of quotes.
            let (mut word, mut quotes, mut last) = (Vec::new(), Quotes::None, None);
            while let Some(byte) = bytes.next() {
                match byte {
                    0 => return Err("end of string"),
                    0xff => return Err("end of file"),
                    b'\n' | b'\r' => return Err("line end"),
                    b' ' | b'\t' if quotes == Quotes::None => break,
                    b';' | b'}' if quotes == Quotes::None => return Err("separator"),
                    b'\'' if quotes == Quotes::None => {
                        quotes = Quotes::Single;
                        continue;
                    }
                    b'\'' if quotes == Quotes::Single => {
                        quotes = Quotes::None;
                        continue;
                    }
                    b'"' if quotes == Quotes::None => {
                        quotes = Quotes::Double;
                        continue;
                    }
                    b'"' if quotes == Quotes::Double => {
                        quotes = Quotes::None;
                        continue;
                    }
                    b'\\' if quotes != Quotes::Single => {
                        let escaped = bytes.next().ok_or("trailing backslash")?;
                        word.push(match escaped {
                            b'0'..=b'3' => {
                                let mut value = escaped - b'0';
                                for _ in 0..2 {
                                    let digit = bytes.next().ok_or("short octal")?;
                                    if !(b'0'..=b'7').contains(&digit) {
                                        return Err("short octal");
                                    }
                                    value = value * 8 + (digit - b'0');
                                }
                                value
                            }
                            b'4'..=b'7' => return Err("octal out of range"),
                            b'a' => 7,
                            b'b' => 8,
                            b'e' => 27,
                            b'f' => 12,
                            b'n' => b'\n',
                            b'r' => b'\r',
                            b's' => b' ',
                            b't' => b'\t',
                            b'v' => 11,
                            b'u' | b'U' => return Err("depends on the locale"),
                            other => other,
                        });
                    }
                    b'$' if quotes != Quotes::Single => return Err("variable"),
                    b'~' if quotes != Quotes::Single && last != Some(quotes) => {
                        return Err("home directory");
                    }
                    _ => word.push(byte),
                }
                last = Some(quotes);
            }
            if quotes != Quotes::None {
                return Err("unterminated");
            }
            words.push(word);
        }
        Ok(words)
    }

    fn quoted_text(value: &[u8]) -> String {
        String::from_utf8(quoted(value).unwrap()).unwrap()
    }

    #[test]
    fn each_value_has_the_plainest_word() {
        for (value, word) in [
            (&b"name"[..], "name"),
            (b"-t", "-t"),
            (b"@0", "@0"),
            (b"/a/b.c:1,2+3_4-5", "/a/b.c:1,2+3_4-5"),
            (b"", "''"),
            (b"two words", "'two words'"),
            (b"%0", "'%0'"),
            (b"%if", "'%if'"),
            (b"$0", "'$0'"),
            (b"=name", "'=name'"),
            (b"A=b", "'A=b'"),
            (b"~", "'~'"),
            (b"~root/x", "'~root/x'"),
            (b"a;", "'a;'"),
            (b";", "';'"),
            (b"{", "'{'"),
            (b"}", "'}'"),
            (b"#{pane_id}", "'#{pane_id}'"),
            (b"say \"hi\"", "'say \"hi\"'"),
            (b"\\", "'\\'"),
            (b"a\\", "'a\\'"),
            ("é€😀".as_bytes(), "'é€😀'"),
            (b"it's", "\"it's\""),
            (b"'", "\"'\""),
            (b"'\"\\$~", "\"'\\\"\\\\\\$~\""),
            (b"~'", "\"\\~'\""),
            (b"~~'", "\"\\~~'\""),
            (b"a\nb", "\"a\\nb\""),
            (b"\r\t", "\"\\r\\t\""),
            (b"\x1b[0m", "\"\\033[0m\""),
            (b"\x01\x7f", "\"\\001\\177\""),
            (b"\x017", "\"\\0017\""),
            (b"\xff\xfe bad", "\"\\377\\376 bad\""),
            (b"\xc3\xa9\xc3", "\"é\\303\""),
            // An overlong slash, a surrogate, a character beyond the last.
            (b"\xc0\xaf", "\"\\300\\257\""),
            (b"\xed\xa0\x80", "\"\\355\\240\\200\""),
            (b"\xf4\x90\x80\x80", "\"\\364\\220\\200\\200\""),
            (b"\\\n", "\"\\\\\\n\""),
        ] {
            assert_eq!(quoted_text(value), word, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_nul_is_refused_and_nothing_written() {
        let mut out = b"set-option ".to_vec();
        assert_eq!(quote(b"ab\0c\0", &mut out), Err(QuoteError::Nul { at: 2 }));
        assert_eq!(out, b"set-option ");
        assert_eq!(quoted(b"\0"), Err(QuoteError::Nul { at: 0 }));
    }

    #[test]
    fn every_byte_and_every_pair_reads_back() {
        for first in 1..=u8::MAX {
            assert_reads_back(&[first]);
            for second in 1..=u8::MAX {
                assert_reads_back(&[first, second]);
            }
        }
    }

    fn assert_reads_back(value: &[u8]) {
        let mut line = b"set-option -g @x ".to_vec();
        quote(value, &mut line).unwrap();
        assert_eq!(check_line(&line), Ok(()), "{}", line.escape_ascii());
        assert!(str::from_utf8(&line).is_ok(), "{}", line.escape_ascii());
        line.extend_from_slice(b" after");
        let words = [b"set-option", &b"-g"[..], b"@x", value, b"after"];
        let words = words.map(<[u8]>::to_vec).to_vec();
        assert_eq!(lex(&line), Ok(words), "{}", line.escape_ascii());
    }

    #[test]
    fn a_line_is_refused_at_its_first_bad_byte() {
        for (line, result) in [
            (&b"list-panes"[..], Ok(())),
            (b" # nothing", Ok(())),
            (b"display-message \"a\\nb\"", Ok(())),
            (b"", Err(LineError::Blank)),
            (b" ", Err(LineError::Blank)),
            (b" \t ", Err(LineError::Blank)),
            (b"\n", Err(LineError::LineFeed { at: 0 })),
            (b"a\nb", Err(LineError::LineFeed { at: 1 })),
            (b"a\r", Err(LineError::CarriageReturn { at: 1 })),
            (b"a\r\n", Err(LineError::CarriageReturn { at: 1 })),
            (b"\r", Err(LineError::CarriageReturn { at: 0 })),
            (b"ab\0", Err(LineError::Nul { at: 2 })),
            (b"ab\0\n", Err(LineError::Nul { at: 2 })),
            (b"ab\n\0", Err(LineError::LineFeed { at: 2 })),
            (b"a\xffb\n", Err(LineError::EndOfFile { at: 1 })),
            (b"a\n\xff", Err(LineError::LineFeed { at: 1 })),
        ] {
            assert_eq!(check_line(line), result, "{}", line.escape_ascii());
        }
    }

    /// Bytes that mean something to some lexer, often, and any others.
    fn value() -> impl Strategy<Value = Vec<u8>> {
        let special =
            prop::sample::select(&b"'\"\\$~;#{}%=\n\r\t \x1b\x7f\x80\xc3\xa9\xffntu07A"[..]);
        prop::collection::vec(prop_oneof![3 => special, 1 => 1..=u8::MAX], 0..40)
    }

    proptest! {
        #[test]
        fn any_value_reads_back(value in value()) {
            assert_reads_back(&value);
        }

        #[test]
        fn any_text_reads_back(value in "[^\0]*") {
            assert_reads_back(value.as_bytes());
        }

        #[test]
        fn a_value_is_refused_only_for_its_nul(value: Vec<u8>) {
            let nul = value.iter().position(|&byte| byte == 0);
            prop_assert_eq!(quoted(&value).err(), nul.map(|at| QuoteError::Nul { at }));
        }

        #[test]
        fn a_checked_line_is_one_line(line: Vec<u8>) {
            let bad = line.iter().position(|byte| b"\0\n\r\xff".contains(byte));
            let blank = line.iter().all(|byte| b" \t".contains(byte));
            prop_assert_eq!(check_line(&line).is_ok(), bad.is_none() && !blank);
        }
    }
}
