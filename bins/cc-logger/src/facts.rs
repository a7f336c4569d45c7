//! What a pane says beside its text: titles, bells, and the commands to the terminal that others may
//! want to know of. Only raw bytes show them.

use cc_kit::journal::note::label;
use vte::{Params, Parser, Perform};

/// The numbers that are listened for: 9 (notification; `9;4` progress), 99, 777 (notifications),
/// 133 (prompt marks), 7501 (status of an agent).
const LISTENED: [u32; 5] = [9, 99, 133, 777, 7501];

/// Listens to one pane.
pub(crate) struct Facts {
    parser: Parser,
    /// Is an escape sequence, or a character, not complete yet?
    within: bool,
    news: News,
}

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The last title.
    pub(crate) title: Option<String>,
    /// How often it rang.
    pub(crate) bells: u64,
    /// The last command of each number.
    pub(crate) oscs: Vec<(u32, String)>,
}

impl News {
    /// Is it nothing?
    pub(crate) const fn is_empty(&self) -> bool {
        self.title.is_none() && self.bells == 0 && self.oscs.is_empty()
    }

    /// Adds what came later.
    pub(crate) fn add(&mut self, later: Self) {
        if later.title.is_some() {
            self.title = later.title;
        }
        self.bells += later.bells;
        for (code, text) in later.oscs {
            self.osc(code, text);
        }
    }

    fn osc(&mut self, code: u32, text: String) {
        match self.oscs.iter_mut().find(|(known, _)| *known == code) {
            Some((_, last)) => *last = text,
            None => self.oscs.push((code, text)),
        }
    }
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts")
            .field("within", &self.within)
            .field("news", &self.news)
            .finish_non_exhaustive()
    }
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            parser: Parser::new(),
            within: false,
            news: News::default(),
        }
    }
}

impl Facts {
    /// Listens to more bytes, and gives what they said.
    ///
    /// Text between escape sequences is passed over, which is what makes this cheap.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> News {
        let mut rest = bytes;
        while !rest.is_empty() {
            if !self.within {
                let Some(at) = memchr::memchr2(0x1b, 0x07, rest) else {
                    break;
                };
                rest = rest.get(at..).unwrap_or_default();
                if let Some(behind) = rest.strip_prefix(b"\x07") {
                    self.news.bells += 1;
                    rest = behind;
                    continue;
                }
                self.within = true;
            }
            let mut ear = Ear {
                news: &mut self.news,
                done: false,
            };
            let read = self.parser.advance_until_terminated(&mut ear, rest);
            if ear.done {
                self.within = false;
            }
            rest = rest.get(read..).unwrap_or_default();
        }
        std::mem::take(&mut self.news)
    }

    /// What comes now does not follow what came before.
    pub(crate) fn start_anew(&mut self) {
        *self = Self::default();
    }
}

struct Ear<'a> {
    news: &'a mut News,
    /// The sequence is over.
    done: bool,
}

impl Perform for Ear<'_> {
    fn print(&mut self, _: char) {
        self.done = true;
    }

    fn execute(&mut self, byte: u8) {
        if byte == 0x07 {
            self.news.bells += 1;
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.done = true;
        let Some((number, rest)) = params.split_first() else {
            return;
        };
        let Some(code) = str::from_utf8(number).ok().and_then(|n| n.parse().ok()) else {
            return;
        };
        let text = label(&rest.join(&b';'));
        match code {
            0 | 2 => self.news.title = Some(text),
            code if LISTENED.contains(&code) => self.news.osc(code, text),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, _: char) {
        self.done = true;
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, _: u8) {
        self.done = true;
    }

    fn unhook(&mut self) {
        self.done = true;
    }

    fn terminated(&self) -> bool {
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is heard when the bytes come in two parts, for every place to part them.
    fn heard(bytes: &[u8]) -> News {
        let whole = Facts::default().hear(bytes);
        for at in 0..=bytes.len() {
            let mut facts = Facts::default();
            let mut news = facts.hear(&bytes[..at]);
            news.add(facts.hear(&bytes[at..]));
            assert_eq!(news, whole, "parted at {at}");
        }
        whole
    }

    #[test]
    fn titles_bells_and_commands_are_heard() {
        let news = heard(
            b"text\x1b]0;first\x07 \x1b[1;31mred\x1b[0m \x07\x1b]2;last \xc3\xa9;x\x1b\\more\
              \x1b]9;4;1;50\x07\x1b]9;4;1;60\x07\x1b]7501;busy\x1b\\\x07",
        );
        assert_eq!(news.title.as_deref(), Some("last \u{e9};x"));
        assert_eq!(news.bells, 2);
        let oscs = [(9, "4;1;60".to_owned()), (7501, "busy".to_owned())];
        assert_eq!(news.oscs, oscs);
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        assert!(heard(b"]0;no\n plain \xff\xfe\x1b[31m\x1bP1;2q\x1b]\x1b\\").is_empty());
        // A bell ends a command, and is none.
        assert_eq!(heard(b"\x1b]52;c;AAAA\x07").bells, 0);
        assert_eq!(heard(b"\x1b]0;cut\x18\x07x").bells, 1);
    }

    #[test]
    fn a_command_without_an_end_takes_no_memory() {
        let mut facts = Facts::default();
        assert!(facts.hear(b"\x1b]0;").is_empty());
        for _ in 0..1_000 {
            assert!(facts.hear(&[b'x'; 10_000]).is_empty());
        }
        let news = facts.hear(b"\x07");
        assert!(news.title.is_some_and(|title| title.len() <= 1_024));
    }
}
