//! Text where tmux expects a format.

use crate::protocol::Command;

/// Escapes text so that tmux expands it, as a format, to itself.
///
/// Every `#` is doubled but those in front of a `[`, which tmux leaves as they are: `##[` would
/// come out as `##[`. For values inside `#{...}` commas and braces have a meaning of their own, and
/// where tmux puts the time in as well (`display-message`, `pipe-pane`) so has `%`.
///
/// **Source:** tmux `format.c`, `format_expand1`; measured on 3.3a, 3.5a, 3.7c and 3.8.
///
/// ```
/// use tmux_cc::protocol::commands::literal;
///
/// assert_eq!(literal("issue #{7}"), b"issue ##{7}");
/// ```
#[must_use]
pub fn literal(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut rest = text.as_ref();
    let mut out = Vec::with_capacity(rest.len());
    while let Some((&byte, behind)) = rest.split_first() {
        if byte != b'#' {
            out.push(byte);
            rest = behind;
            continue;
        }
        let run = rest.iter().take_while(|&&b| b == b'#').count();
        let (hashes, behind) = rest.split_at_checked(run).unwrap_or((rest, &[]));
        out.extend_from_slice(hashes);
        if behind.first() != Some(&b'[') {
            out.extend_from_slice(hashes);
        }
        rest = behind;
    }
    out
}

impl Command {
    /// Adds a flag and a value that tmux expands as a format, and that comes out as it is.
    pub(super) fn literal(self, flag: &str, value: impl AsRef<[u8]>) -> Self {
        self.option(flag, literal(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_be_expanded_is_escaped() {
        for (text, escaped) in [
            ("", ""),
            ("plain 100%", "plain 100%"),
            ("#", "##"),
            ("a#{pid}", "a##{pid}"),
            ("#(date)", "##(date)"),
            ("#[x", "#[x"),
            ("###[x#", "###[x##"),
            ("##,#}", "####,##}"),
            ("x#[#H]", "x#[##H]"),
        ] {
            assert_eq!(literal(text), escaped.as_bytes(), "{text:?}");
        }
    }
}
