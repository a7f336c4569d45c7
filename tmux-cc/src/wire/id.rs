//! The ids tmux gives to sessions, windows and panes.

use core::fmt;

/// Declares one id type: a sigil and a `u32`, as tmux prints it.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $sigil:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The byte in front of the number.
            pub const SIGIL: u8 = $sigil;

            /// Parses the whole of `bytes` as one id, or `None`.
            ///
            /// Only tmux's own spelling is an id: the sigil, then a `u32` in decimal without
            /// sign or leading zeros. Two spellings of one pane would be two panes to a map.
            #[must_use]
            pub fn parse(bytes: &[u8]) -> Option<Self> {
                match bytes.split_first() {
                    Some((&sigil, digits)) if sigil == Self::SIGIL => parse_u32(digits).map(Self),
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", char::from(Self::SIGIL), self.0)
            }
        }
    };
}

id! {
    /// A session: `$0`. Unique for the life of one server (tmux `session.c`).
    SessionId, b'$'
}
id! {
    /// A window: `@0`. Unique for the life of one server (tmux `window.c`).
    WindowId, b'@'
}
id! {
    /// A pane: `%0`. Unique for the life of one server (tmux `window.c`), and reused by the next
    /// one: what outlives a server is keyed by the server's identity too.
    PaneId, b'%'
}

/// A `u32` in tmux's own spelling: decimal, no sign, no leading zeros.
pub(crate) fn parse_u32(digits: &[u8]) -> Option<u32> {
    parse_u64(digits).and_then(|n| u32::try_from(n).ok())
}

/// A `u64` in tmux's own spelling: decimal, no sign, no leading zeros.
pub(crate) fn parse_u64(digits: &[u8]) -> Option<u64> {
    match digits {
        [] | [b'0', _, ..] => None,
        _ => digits.iter().try_fold(0u64, |n, &digit| match digit {
            b'0'..=b'9' => n.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
            _ => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spelling_of_tmux_is_an_id() {
        assert_eq!(PaneId::parse(b"%0"), Some(PaneId(0)));
        assert_eq!(PaneId::parse(b"%4294967295"), Some(PaneId(u32::MAX)));
        for bad in [
            "%",
            "%-1",
            "%+1",
            "%01",
            "%4294967296",
            "%1 ",
            " %1",
            "@1",
            "$1",
            "1",
            "",
            "%1a",
            "%99999999999999999999999999",
        ] {
            assert_eq!(PaneId::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(WindowId::parse(b"@7"), Some(WindowId(7)));
        assert_eq!(SessionId::parse(b"$7"), Some(SessionId(7)));
    }

    #[test]
    fn an_id_prints_as_tmux_prints_it() {
        assert_eq!(PaneId(3).to_string(), "%3");
        assert_eq!(WindowId(3).to_string(), "@3");
        assert_eq!(SessionId(3).to_string(), "$3");
    }
}
