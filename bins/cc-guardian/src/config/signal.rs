//! Signals by name.

use std::fmt;

use rustix::process::Signal as Raw;

use super::reading::{Text, text_values};

/// A signal that a program can be asked to end with, or that it ends by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal {
    name: &'static str,
    number: i32,
}

impl Signal {
    /// The one that asks.
    pub const TERM: Self = Self::of("TERM", Raw::TERM);

    const ALL: &'static [Self] = &[
        Self::TERM,
        Self::of("HUP", Raw::HUP),
        Self::of("INT", Raw::INT),
        Self::of("QUIT", Raw::QUIT),
        Self::of("KILL", Raw::KILL),
        Self::of("USR1", Raw::USR1),
        Self::of("USR2", Raw::USR2),
        Self::of("PIPE", Raw::PIPE),
        Self::of("ALRM", Raw::ALARM),
        Self::of("ABRT", Raw::ABORT),
    ];

    const fn of(name: &'static str, raw: Raw) -> Self {
        Self {
            name,
            number: raw.as_raw(),
        }
    }

    /// The one of that name, with or without `SIG`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::parse(name).ok()
    }

    /// Its number on this system.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.number
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIG{}", self.name)
    }
}

impl Text for Signal {
    const RIGHT: &'static str = "the name of a signal: \"TERM\", \"HUP\", \"INT\", \"QUIT\", \
                                 \"KILL\", \"USR1\", \"USR2\", \"PIPE\", \"ALRM\", \"ABRT\"";

    fn parse(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix("SIG").unwrap_or(text);
        Self::ALL
            .iter()
            .find(|signal| signal.name == name)
            .copied()
            .ok_or_else(|| format!("{text:?} is no signal"))
    }
}

text_values!(Signal);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_a_name_with_and_without_its_prefix() {
        assert_eq!(Signal::parse("TERM"), Ok(Signal::TERM));
        assert_eq!(Signal::parse("SIGTERM"), Ok(Signal::TERM));
        assert_eq!(Signal::parse("INT").unwrap().number(), 2);
        assert_eq!(Signal::parse("SIGINT").unwrap().to_string(), "SIGINT");
        assert!(Signal::parse("term").is_err());
    }

    #[test]
    fn every_signal_is_among_those_that_are_said_to_be_right() {
        for signal in Signal::ALL {
            let quoted = format!("{:?}", signal.name);
            assert!(Signal::RIGHT.contains(&quoted), "{signal}");
        }
    }
}
