//! Lines: the only framing that control mode has.

use memchr::memchr;

/// What a terminal's control mode (`tmux -CC`) puts in front of its first line.
///
/// **Source:** tmux `client.c`; tmux.1, CONTROL MODE.
pub const DCS: &[u8] = b"\x1bP1000p";

/// What a terminal's control mode (`tmux -CC`) sends after `%exit`.
pub const ST: &[u8] = b"\x1b\\";

/// Cuts the first line off `bytes`: the line without its LF, and what follows.
///
/// `None` while no LF has come. Lines have no length limit of their own, hold any byte but LF and
/// are never trimmed: a window's name may end in spaces.
#[must_use]
pub fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr(b'\n', bytes)?;
    let (line, rest) = bytes.split_at(at);
    Some((line, rest.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_its_newline_and_nowhere_else() {
        assert_eq!(split_line(b"a b \r\nc"), Some((&b"a b \r"[..], &b"c"[..])));
        assert_eq!(split_line(b"\n"), Some((&b""[..], &b""[..])));
        assert_eq!(split_line(b"no end"), None);
        assert_eq!(split_line(b""), None);
    }
}
