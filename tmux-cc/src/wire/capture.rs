//! The escaping of `capture-pane -C`.

/// Appends to `out` what `capture-pane -C` stands for: `\033[1m`, `\\`.
///
/// **Shape:** `\` and three octal digits are one byte, two backslashes are one backslash, all else
/// stands for itself; a backslash that begins neither is kept. The form is the same with `-e`
/// (control sequences) and with `-P` (a sequence that is not complete yet), and it is the only one
/// that also passes whole through the replies of 3.4 to 3.5a, which are sent through vis(3).
///
/// **Source:** tmux `grid.c`, `grid_string_cells`, and `cmd-capture-pane.c`,
/// `cmd_capture_pane_pending`; measured on 3.3a, 3.5a, 3.7c and 3.8.
///
/// ```
/// use tmux_cc::wire::decode_capture_into;
///
/// let mut text = Vec::new();
/// decode_capture_into(b"\\033[1mC:\\\\", &mut text);
/// assert_eq!(text, b"\x1b[1mC:\\");
/// ```
pub fn decode_capture_into(captured: &[u8], out: &mut Vec<u8>) {
    let mut rest = captured;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = match escape {
            [b'\\', b'\\', tail @ ..] => {
                out.push(b'\\');
                tail
            }
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                tail @ ..,
            ] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                tail
            }
            [_, tail @ ..] => {
                out.push(b'\\');
                tail
            }
            [] => escape,
        };
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_captured_is_what_stood_there() {
        for (captured, stood) in [
            (&b"plain"[..], &b"plain"[..]),
            (b"\\033[31mred\\033[39m", b"\x1b[31mred\x1b[39m"),
            (b"a\\\\b\\\\033", b"a\\b\\033"),
            (b"\\033]8;;x\\033\\\\", b"\x1b]8;;x\x1b\\"),
            (b"\\134", b"\\"),
            (b"\\", b"\\"),
            (b"\\9\\400", b"\\9\\400"),
        ] {
            let mut out = b"-".to_vec();
            decode_capture_into(captured, &mut out);
            assert_eq!(out[1..], *stood, "{}", captured.escape_ascii());
        }
    }
}
