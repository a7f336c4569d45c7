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

/// A number of eight digits at most and the one space behind it, taken off `bytes`, without a
/// branch for each digit; `None` where it is not such a number, or where there are not eight bytes.
#[inline]
pub(crate) fn short_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    const TOPS: u64 = 0x8080_8080_8080_8080;
    // The first byte is the lowest. Digits become their values, all else something above nine.
    let values = u64::from_le_bytes(*bytes.first_chunk()?) ^ 0x3030_3030_3030_3030;
    let others = (((values & !TOPS) + 0x7676_7676_7676_7676) | values) & TOPS;
    let digits = others.trailing_zeros() as usize / 8;
    let [b' ', rest @ ..] = bytes.get(digits..)? else {
        return None;
    };
    let zero_ahead = digits > 1 && values & 0xff == 0;
    if digits == 0 || zero_ahead {
        return None;
    }
    // Zeros in front, then twos, fours and eights put together.
    let ones = values << (64 - 8 * digits);
    let twos = (ones.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000 << 32 | 1) >> 32;
    Some((u32::try_from(number).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_numbers_are_numbers(bytes in "[0-9]{0,9}[ :x/]?[0-9 a-z]{0,9}") {
            let bytes = bytes.as_bytes();
            let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
            let short = digits <= 8 && bytes.len() >= 8 && bytes.get(digits) == Some(&b' ');
            let number = parse_u32(&bytes[..digits]).filter(|_| short);
            prop_assert_eq!(
                short_number(bytes),
                number.map(|number| (number, &bytes[digits + 1..]))
            );
        }
    }

    #[test]
    fn short_numbers_end_at_one_space() {
        for (bytes, number) in [
            (&b"0 xxxxxx"[..], Some((0, &b"xxxxxx"[..]))),
            (
                b"9 \xff\xff\xff\xff\xff\xff",
                Some((9, b"\xff\xff\xff\xff\xff\xff")),
            ),
            (b"12  xxxxx", Some((12, b" xxxxx"))),
            (b"9999999 ", Some((9_999_999, b""))),
            (b"99999999 ", Some((99_999_999, b""))),
            (b"999999999 ", None),
            (b"00 xxxxx", None),
            (b"1\xa0xxxxxx", None),
            (b" xxxxxxx", None),
            (b"1 xxxxx", None),
            (b"1:xxxxxx", None),
        ] {
            assert_eq!(short_number(bytes), number, "{}", bytes.escape_ascii());
        }
    }

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
