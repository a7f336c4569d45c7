//! A version of tmux, as attributes and the table write it.

use std::fmt;

use proc_macro2::TokenStream;
use quote::quote;

/// `3.2` or `3.3a`: a release, in the order of releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u16,
    minor: u16,
    patch: Option<char>,
}

impl Version {
    /// The oldest tmux that `tmux-cc` speaks to.
    pub(crate) const FLOOR: Self = Self {
        major: 3,
        minor: 2,
        patch: None,
    };

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (text, patch) = match text.strip_suffix(|c: char| c.is_ascii_lowercase()) {
            Some(shorter) => (shorter, text.chars().last()),
            None => (text, None),
        };
        let (major, minor) = text.split_once('.')?;
        Some(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch,
        })
    }

    /// The same as a value of `tmux-cc`; `private` is where that has its type.
    pub(crate) fn tokens(self, private: &TokenStream) -> TokenStream {
        let Self {
            major,
            minor,
            patch,
        } = self;
        match patch {
            Some(letter) => quote!(#private::Version::patched(#major, #minor, #letter)),
            None => quote!(#private::Version::new(#major, #minor)),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |letter| write!(f, "{letter}"))
    }
}

/// As tmux writes them: digits, and no zero in front.
fn number(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_releases() {
        let order = [
            "1.8", "2.9a", "3.2", "3.2a", "3.3", "3.3a", "3.8", "3.10", "4.0",
        ];
        for pair in order.windows(2) {
            assert!(
                Version::parse(pair[0]) < Version::parse(pair[1]),
                "{pair:?}"
            );
            assert_eq!(Version::parse(pair[0]).unwrap().to_string(), pair[0]);
        }
        assert_eq!(Version::parse("3.2"), Some(Version::FLOOR));
    }

    #[test]
    fn what_is_no_release_is_none() {
        for text in [
            "", "3", "3.", ".2", "3.02", "03.2", "3.2aa", "3.2A", "next-3.8", "3.2-rc", "3.2.1",
            "3.65536", "+3.2", " 3.2", "master",
        ] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }
}
