//! The word that comes with a descriptor: which tap and which pane it is for.

use std::fmt;

use crate::wire::PaneId;

/// The longest word, in bytes.
pub(super) const LONGEST: usize = 128;

/// Names one tap in one life of a server; nothing else knows it, so nothing else can hand us
/// descriptors by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u128);

impl Token {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_ne_bytes(bytes)))
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let plain = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok()?;
        plain.then_some(Self(number))
    }

    /// The word for the helper, as a format that tmux expands.
    pub(super) fn word(self, origin: Origin) -> String {
        let origin = match origin {
            Origin::Hook => "h".to_owned(),
            Origin::Created => "c".to_owned(),
            Origin::Ticket(ticket) => format!("t{ticket}"),
        };
        format!(
            "{self}:#{{pid}}:#{{pane_id}}:\
             #{{cursor_x}}.#{{cursor_y}}.#{{history_size}}.#{{alternate_on}}:{origin}"
        )
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// How a pane came to be piped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// By a hook after the command that made it. A hook of the user's that waits for something may
    /// have come before.
    Hook,
    /// By the hook for its creation, before anything else.
    Created,
    /// By a command of ours.
    Ticket(u64),
}

/// A word that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) token: Token,
    /// The process of the server.
    pub(super) server: u32,
    pub(super) pane: PaneId,
    pub(super) origin: Origin,
    /// Had the pane shown nothing when it was piped?
    pub(super) blank: bool,
}

impl Word {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = text.split(|&b| b == b':');
        let token = Token::parse(fields.next()?)?;
        let server = str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let pane = PaneId::parse(fields.next()?)?;
        let blank = fields.next()? == b"0.0.0.0";
        let origin = match fields.next()? {
            b"h" => Origin::Hook,
            b"c" => Origin::Created,
            ticket => {
                let ticket = str::from_utf8(ticket.strip_prefix(b"t")?).ok()?;
                Origin::Ticket(ticket.parse().ok()?)
            }
        };
        fields.next().is_none().then_some(Self {
            token,
            server,
            pane,
            origin,
            blank,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_was_written() {
        let token = Token(0xabc);
        let written = |origin| {
            token
                .word(origin)
                .replace("#{pid}", "17")
                .replace("#{pane_id}", "%5")
                .replace("#{cursor_x}", "0")
                .replace("#{cursor_y}", "0")
                .replace("#{history_size}", "0")
                .replace("#{alternate_on}", "0")
        };
        for origin in [Origin::Hook, Origin::Created, Origin::Ticket(42)] {
            let word = Word::parse(written(origin).as_bytes()).unwrap();
            assert_eq!(
                word,
                Word {
                    token,
                    server: 17,
                    pane: PaneId(5),
                    origin,
                    blank: true
                }
            );
            assert!(written(origin).len() <= LONGEST);
        }
        let used = written(Origin::Hook).replace("0.0.0.0", "2.0.0.0");
        assert!(!Word::parse(used.as_bytes()).unwrap().blank);
    }

    #[test]
    fn what_is_no_word_is_none() {
        let good = format!("{}:1:%0:0.0.0.0:h", Token(1));
        assert!(Word::parse(good.as_bytes()).is_some());
        for bad in [
            "",
            "x",
            &good[1..],
            &format!("+{}", &good[1..]),
            &good.replace("%0", "@0"),
            &good.replace(":h", ":t"),
            &good.replace(":h", ":x"),
            &format!("{good}:more"),
        ] {
            assert_eq!(Word::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
