//! Lists of processors: `"0-3,6"`.

use std::collections::BTreeSet;
use std::fmt;

use super::reading::{Text, text_values};

/// Processors by number; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpus(BTreeSet<u16>);

/// What the kernel's own list of processors of one process has room for, as far as is usual.
const MOST: u16 = 1_023;

impl Cpus {
    /// Reads a list such as `0-3,6`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }

    /// The numbers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut rest = self.iter().peekable();
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if(|&next| next == last + 1) {
                last = next;
            }
            write!(f, "{separator}{first}")?;
            if last != first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

impl Text for Cpus {
    const RIGHT: &'static str =
        "numbers of processors, 0 to 1023, such as \"2\", \"2-5\" or \"0-3,6\"";

    fn parse(text: &str) -> Result<Self, String> {
        let mut cpus = BTreeSet::new();
        for part in text.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                text.trim()
                    .parse::<u16>()
                    .ok()
                    .filter(|number| *number <= MOST)
                    .ok_or_else(|| format!("{part:?} is no processor"))
            };
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err(format!("{part:?} runs backwards"));
            }
            cpus.extend(first..=last);
        }
        Ok(Self(cpus))
    }
}

text_values!(Cpus);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_shown_at_its_shortest() {
        for (text, shown) in [
            ("2", "2"),
            ("2-5", "2-5"),
            ("0-3,6", "0-3,6"),
            ("6, 1,0 , 2", "0-2,6"),
            ("3-3", "3"),
            ("1-2,2-4", "1-4"),
            ("1023", "1023"),
        ] {
            assert_eq!(Cpus::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "a", "1-", "-1", "5-2", "1,,2", "1024", "1-2-3", "0x1"] {
            assert!(Cpus::parse(text).is_err(), "{text}");
        }
    }
}
