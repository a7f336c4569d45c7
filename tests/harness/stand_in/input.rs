//! What came through the terminal: bytes taken apart into keys, typed text and pastes.

/// The marks around a paste (mode 2004).
const PASTE: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// No sequence that anybody sends is longer.
const LONGEST_SEQUENCE: usize = 32;

/// One thing that was typed or pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "keys are named by what is on them")]
pub enum Input {
    /// Typed characters, as many as came at once; any bytes but control characters.
    Text(Vec<u8>),
    /// What stood between the two marks of a paste, byte for byte.
    Paste(Vec<u8>),
    Enter,
    /// Ctrl-J, and Enter behind an Escape: a new line in the draft.
    Newline,
    Escape,
    CtrlC,
    CtrlD,
    CtrlU,
    Backspace,
    Tab,
    BackTab,
    Up,
    Down,
    /// Any other key or report of the terminal.
    Other(Vec<u8>),
}

/// Takes apart what is read, whichever way it is cut.
#[derive(Debug, Default)]
pub struct Parser {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

impl Parser {
    /// Takes what was read, and appends what is complete.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        self.pending.extend_from_slice(bytes);
        let mut rest = std::mem::take(&mut self.pending);
        loop {
            let used = match &mut self.paste {
                Some(paste) => {
                    let end = take_paste(paste, &rest);
                    rest.clear();
                    let Some(behind) = end else { return };
                    out.push(Input::Paste(self.paste.take().unwrap_or_default()));
                    rest = behind;
                    continue;
                }
                None if rest.starts_with(PASTE) => {
                    self.paste = Some(Vec::new());
                    PASTE.len()
                }
                None => match key(&rest) {
                    Some((input, used)) => {
                        out.push(input);
                        used
                    }
                    None => break,
                },
            };
            rest.drain(..used.min(rest.len()));
        }
        self.pending = rest;
    }

    /// Whether an Escape waits for what might follow it.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Nothing followed: the Escape is a key, and what is behind it was typed.
    pub fn flush(&mut self, out: &mut Vec<Input>) {
        let pending = std::mem::take(&mut self.pending);
        if let Some((b'\x1b', rest)) = pending.split_first() {
            out.push(Input::Escape);
            self.feed(rest, out);
        }
    }
}

/// Appends to a paste. What is behind its end mark, when that is there.
fn take_paste(paste: &mut Vec<u8>, bytes: &[u8]) -> Option<Vec<u8>> {
    // The mark itself may have come in two parts.
    let seen = paste.len().saturating_sub(PASTE_END.len() - 1);
    paste.extend_from_slice(bytes);
    let tail = paste.get(seen..)?;
    let at = seen
        + tail
            .windows(PASTE_END.len())
            .position(|window| window == PASTE_END)?;
    let behind = paste.split_off(at);
    Some(behind.get(PASTE_END.len()..)?.to_vec())
}

/// The first key, and how many bytes it is; `None` when it is not complete.
fn key(bytes: &[u8]) -> Option<(Input, usize)> {
    let first = bytes.first()?;
    let input = match first {
        b'\r' => Input::Enter,
        b'\n' => Input::Newline,
        0x03 => Input::CtrlC,
        0x04 => Input::CtrlD,
        0x15 => Input::CtrlU,
        0x08 | 0x7f => Input::Backspace,
        b'\t' => Input::Tab,
        0x1b => return sequence(bytes),
        control if *control < 0x20 => Input::Other(vec![*control]),
        _ => {
            let plain = |byte: &u8| *byte >= 0x20 && *byte != 0x7f;
            let text: Vec<u8> = bytes.iter().copied().take_while(plain).collect();
            let used = text.len();
            return Some((Input::Text(text), used));
        }
    };
    Some((input, 1))
}

fn sequence(bytes: &[u8]) -> Option<(Input, usize)> {
    let (input, used) = match bytes.get(1)? {
        b'\r' => (Input::Newline, 2),
        0x1b => (Input::Escape, 1),
        b'[' => {
            let last = |byte: &u8| (0x40..=0x7e).contains(byte);
            match bytes.iter().skip(2).position(last) {
                Some(at) => {
                    let used = at + 3;
                    (named(bytes.get(..used)?), used)
                }
                None if bytes.len() > LONGEST_SEQUENCE => (Input::Escape, 1),
                None => return None,
            }
        }
        b'O' => {
            bytes.get(2)?;
            (named(bytes.get(..3)?), 3)
        }
        _ => (Input::Other(bytes.get(..2)?.to_vec()), 2),
    };
    Some((input, used))
}

fn named(sequence: &[u8]) -> Input {
    match sequence {
        b"\x1b[A" | b"\x1bOA" => Input::Up,
        b"\x1b[B" | b"\x1bOB" => Input::Down,
        b"\x1b[Z" => Input::BackTab,
        other => Input::Other(other.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out when every byte is read alone, which must not matter.
    fn parse(bytes: &[u8]) -> Vec<Input> {
        let (mut parser, mut at_once) = (Parser::default(), Vec::new());
        parser.feed(bytes, &mut at_once);
        let (mut parser, mut in_bytes) = (Parser::default(), Vec::new());
        for byte in bytes {
            parser.feed(&[*byte], &mut in_bytes);
        }
        let joined = |inputs: &[Input]| {
            let mut joined: Vec<Input> = Vec::new();
            for input in inputs {
                match (joined.last_mut(), input) {
                    (Some(Input::Text(text)), Input::Text(more)) => text.extend(more),
                    _ => joined.push(input.clone()),
                }
            }
            joined
        };
        assert_eq!(joined(&at_once), joined(&in_bytes));
        at_once
    }

    #[test]
    fn keys_and_text_come_apart() {
        assert_eq!(
            parse("aé\r\n\x03\x1b[A\x1bOB\x1b[Z\x1b[I\x1bx\x7f".as_bytes()),
            [
                Input::Text("aé".into()),
                Input::Enter,
                Input::Newline,
                Input::CtrlC,
                Input::Up,
                Input::Down,
                Input::BackTab,
                Input::Other(b"\x1b[I".to_vec()),
                Input::Other(b"\x1bx".to_vec()),
                Input::Backspace,
            ]
        );
    }

    #[test]
    fn a_paste_is_what_stands_between_its_marks() {
        let inner = b"a\rb\n\x1b[200~\x03\xff\x1b[201";
        let mut bytes = b"x\x1b[200~".to_vec();
        bytes.extend(inner);
        bytes.extend(b"\x1b[201~\r");
        assert_eq!(
            parse(&bytes),
            [
                Input::Text(b"x".to_vec()),
                Input::Paste(inner.to_vec()),
                Input::Enter,
            ]
        );
    }

    #[test]
    fn what_breaks_out_of_a_paste_is_typed() {
        assert_eq!(
            parse(b"\x1b[200~a\x1b[201~\rrm\r\x1b[201~"),
            [
                Input::Paste(b"a".to_vec()),
                Input::Enter,
                Input::Text(b"rm".to_vec()),
                Input::Enter,
                Input::Other(PASTE_END.to_vec()),
            ]
        );
    }

    #[test]
    fn an_escape_waits_for_what_follows() {
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        parser.feed(b"\x1b", &mut out);
        assert!(out.is_empty() && parser.waits());
        parser.flush(&mut out);
        assert_eq!(out, [Input::Escape]);
        assert!(!parser.waits());
        out.clear();
        parser.feed(b"\x1b[", &mut out);
        parser.flush(&mut out);
        assert_eq!(out, [Input::Escape, Input::Text(b"[".to_vec())]);
    }

    #[test]
    fn enter_behind_an_escape_is_a_new_line() {
        assert_eq!(parse(b"\x1b\r"), [Input::Newline]);
        assert_eq!(parse(b"\x1b\x1b["), [Input::Escape]);
    }
}
