//! tmux's version: what the floor and the table of quirks are decided by.

use core::fmt;

use super::id::parse_u32;

/// The version of a tmux server or client.
///
/// Shape: `3.3`, `3.3a`, `3.2-rc2`, `next-3.8`, `openbsd-7.4` or `master`, with or without
/// `tmux ` in front.
///
/// The order is the order of the code: 3.2-rc2 < 3.2 < 3.2a < 3.3. A release candidate is
/// **below** its release, a development version **at** the release it becomes (`next-3.8` has
/// what 3.8 has) and below that one's first patch. `openbsd-7.4` and `master` carry no number of
/// the portable line and count as newer than anything that does.
///
/// Source: tmux `tmux.c`, `getversion`: `tmux -V`, and `#{version}` since 2.4.
///
/// ```
/// use tmux_cc::wire::Version;
///
/// let version = Version::parse(b"tmux 3.5a").expect("a version");
/// assert!(version.at_least(Version::FLOOR) && version < Version::new(3, 6));
/// assert_eq!(version.to_string(), "3.5a");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Line);

/// Which line of tmux, oldest to newest as far as that can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Line {
    Portable {
        major: u16,
        minor: u16,
        stage: Stage,
    },
    OpenBsd {
        major: u16,
        minor: u16,
    },
    Master,
}

/// What stands around the number, oldest to newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stage {
    /// `-rc2`; the number is left out before some releases (`3.1-rc`) and is 0 then.
    Candidate(u16),
    Release,
    /// `next-`: has to be at least the release.
    Next,
    Patch(char),
}

impl Version {
    /// The oldest tmux this library speaks to: 3.2, the first with flow control.
    pub const FLOOR: Self = Self::new(3, 2);

    /// The release `major.minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self(Line::Portable {
            major,
            minor,
            stage: Stage::Release,
        })
    }

    /// The patch release `major.minor` + `letter`, such as 3.3a.
    ///
    /// tmux's letters are `a` to `z`; with anything else this is `major.minor`.
    #[must_use]
    pub const fn patched(major: u16, minor: u16, letter: char) -> Self {
        match letter {
            'a'..='z' => Self(Line::Portable {
                major,
                minor,
                stage: Stage::Patch(letter),
            }),
            _ => Self::new(major, minor),
        }
    }

    /// Parses what `tmux -V` prints or `#{version}` gives, or `None`.
    ///
    /// `tmux ` in front, blanks and line ends around it, and what a packager puts behind the
    /// version (`3.5a-1`, `3.4+dfsg`) are passed over.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.trim_ascii();
        let bytes = bytes.strip_prefix(b"tmux ").unwrap_or(bytes).trim_ascii();
        let line = if bytes == b"master" {
            Line::Master
        } else if let Some(number) = bytes.strip_prefix(b"openbsd-") {
            let (major, minor, rest) = number_of(number)?;
            is_packaging(rest).then_some(Line::OpenBsd { major, minor })?
        } else if let Some(number) = bytes.strip_prefix(b"next-") {
            let (major, minor, rest) = number_of(number)?;
            is_packaging(rest).then_some(Line::Portable {
                major,
                minor,
                stage: Stage::Next,
            })?
        } else {
            let (major, minor, rest) = number_of(bytes)?;
            Line::Portable {
                major,
                minor,
                stage: stage_of(rest)?,
            }
        };
        Some(Self(line))
    }

    /// Whether this version has what came with `other`.
    #[must_use]
    pub fn at_least(self, other: Self) -> bool {
        self >= other
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Line::Master => f.write_str("master"),
            Line::OpenBsd { major, minor } => write!(f, "openbsd-{major}.{minor}"),
            Line::Portable {
                major,
                minor,
                stage,
            } => match stage {
                Stage::Candidate(0) => write!(f, "{major}.{minor}-rc"),
                Stage::Candidate(n) => write!(f, "{major}.{minor}-rc{n}"),
                Stage::Release => write!(f, "{major}.{minor}"),
                Stage::Next => write!(f, "next-{major}.{minor}"),
                Stage::Patch(letter) => write!(f, "{major}.{minor}{letter}"),
            },
        }
    }
}

/// `3.8` and what follows it.
fn number_of(bytes: &[u8]) -> Option<(u16, u16, &[u8])> {
    let (major, rest) = split_digits(bytes);
    let (minor, rest) = split_digits(rest.strip_prefix(b".")?);
    Some((parse_u16(major)?, parse_u16(minor)?, rest))
}

/// Reads what follows the number: nothing, a patch letter, `-rc2`, or a packager's.
fn stage_of(rest: &[u8]) -> Option<Stage> {
    if let Some(candidate) = rest.strip_prefix(b"-rc") {
        let (digits, rest) = split_digits(candidate);
        let n = match digits {
            [] => 0,
            _ => parse_u16(digits)?,
        };
        return is_packaging(rest).then_some(Stage::Candidate(n));
    }
    match rest.split_first() {
        Some((letter @ b'a'..=b'z', rest)) => {
            is_packaging(rest).then_some(Stage::Patch(char::from(*letter)))
        }
        _ => is_packaging(rest).then_some(Stage::Release),
    }
}

/// Whether `rest` is no longer part of the version: `3.3ab` and `3.33x` are none we know.
fn is_packaging(rest: &[u8]) -> bool {
    !rest.first().is_some_and(u8::is_ascii_alphanumeric)
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

fn parse_u16(digits: &[u8]) -> Option<u16> {
    u16::try_from(parse_u32(digits)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Spellings, oldest first; those of one row are one version, printed as the first of them.
    const ORDER: &[&[&str]] = &[
        &["1.8", "tmux 1.8"],
        &["1.9"],
        &["1.9a"],
        &["2.9"],
        &["3.1-rc", "tmux 3.1-rc"],
        &["3.1"],
        &["3.1c"],
        &["3.2-rc1"],
        &["3.2-rc2", "tmux 3.2-rc2\n", "3.2-rc2-1"],
        &["3.2-rc10"],
        &["3.2", "tmux 3.2", "3.2-1", "3.2+dfsg-1", "3.2~bpo"],
        &["next-3.2"],
        &["3.2a"],
        &["3.3"],
        &[
            "3.3a",
            "tmux 3.3a",
            "tmux 3.3a\n",
            "tmux 3.3a\r\n",
            " 3.3a ",
        ],
        &["3.4", "3.4.1"],
        &["3.5a", "3.5a-1", "tmux 3.5a-1ubuntu2", "3.5a+git"],
        &["3.7c"],
        &["3.8-rc"],
        &["3.8"],
        &["next-3.8", "tmux next-3.8", "next-3.8-1"],
        &["3.8a"],
        &["3.10"],
        &["4.0"],
        &["65535.65535z"],
        &["openbsd-6.9", "tmux openbsd-6.9"],
        &["openbsd-7.4"],
        &["master", "tmux master"],
    ];

    fn version(text: &str) -> Version {
        Version::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn versions_are_in_the_order_of_the_code() {
        for (n, row) in ORDER.iter().enumerate() {
            let first = version(row[0]);
            assert_eq!(first.to_string(), row[0]);
            for text in *row {
                assert_eq!(version(text), first, "{text:?}");
            }
            for older in &ORDER[..n] {
                assert!(version(older[0]) < first, "{} < {}", older[0], row[0]);
            }
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "tmux",
            "tmux ",
            "3",
            "3.",
            ".3",
            "3.a",
            "a.3",
            "v3.3",
            "3,3",
            "-3.3",
            "3.-3",
            "3.3ab",
            "3.3a1",
            "3.3A",
            "3.03",
            "03.3",
            "3.65536",
            "65536.3",
            "3.3-rcx",
            "3.3-rc65536",
            "next-",
            "next-3",
            "next-3.8a",
            "next",
            "openbsd",
            "openbsd-",
            "openbsd-7",
            "masterful",
            "Master",
            "tmux tmux 3.3",
            "tmux: unknown option",
        ] {
            assert_eq!(Version::parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Version::parse(b"3.3\xff"), Some(Version::new(3, 3)));
        assert_eq!(Version::parse(b"\xff3.3"), None);
    }

    #[test]
    fn the_floor_is_3_2() {
        for text in ["3.2", "3.2a", "3.3a", "next-3.8", "master", "openbsd-7.4"] {
            assert!(version(text).at_least(Version::FLOOR), "{text}");
        }
        for text in ["1.8", "2.9a", "3.1c", "3.2-rc2"] {
            assert!(!version(text).at_least(Version::FLOOR), "{text}");
        }
        assert!(version("next-3.8").at_least(Version::new(3, 8)));
        assert!(!version("3.8-rc").at_least(Version::new(3, 8)));
        assert!(!version("3.7c").at_least(Version::new(3, 8)));
        assert!(version("3.7c").at_least(Version::new(3, 7)));
    }

    #[test]
    fn constants_are_what_is_parsed() {
        const PATCHED: Version = Version::patched(3, 3, 'a');
        assert_eq!(PATCHED, version("3.3a"));
        assert_eq!(Version::new(3, 3), version("3.3"));
        assert_eq!(Version::patched(3, 3, '!'), version("3.3"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_version_or_none(bytes: Vec<u8>) {
            let _ = Version::parse(&bytes);
        }

        #[test]
        fn what_is_printed_reads_back(
            text in "(next-|openbsd-)?[0-9]{1,5}\\.[0-9]{1,5}([a-z]|-rc[0-9]?)?",
        ) {
            if let Some(version) = Version::parse(text.as_bytes()) {
                prop_assert_eq!(Version::parse(version.to_string().as_bytes()), Some(version));
            }
        }
    }
}
