//! What stands in the box and was not submitted yet.

use super::agent::Like;

/// How much of a draft is shown: the end of it, where the cursor is.
const SHOWN: usize = 16 * 1024;

/// From so many bytes on a paste is folded to a word.
const FOLDS_CLAUDE: usize = 801;
const FOLDS_CODEX: usize = 1001;

/// From so many newlines on as well (claude only).
const FOLDS_LINES: usize = 10;

/// A draft: the bytes as they came, and what the screen shows for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(Vec<u8>),
    Folded { label: String, bytes: Vec<u8> },
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) | Self::Folded { bytes, .. } => bytes,
        }
    }
}

impl Draft {
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many bytes it is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes().len()).sum()
    }

    /// All of it, byte for byte.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let pieces: Vec<&[u8]> = self.pieces.iter().map(Piece::bytes).collect();
        pieces.concat()
    }

    /// Adds typed text at the end.
    pub fn push(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if let Some(Piece::Plain(bytes)) = self.pieces.last_mut() {
            bytes.extend_from_slice(text);
        } else {
            self.pieces.push(Piece::Plain(text.to_vec()));
        }
    }

    /// Adds a paste at the end; a large one is shown as a word. `number` counts those of a session.
    pub fn paste(&mut self, bytes: Vec<u8>, like: Like, number: &mut u32) {
        // Where LF was made CR on its way, as `paste-buffer` without -r does, a CR is a line too.
        let lines = bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count();
        let label = match like {
            Like::Claude if bytes.len() >= FOLDS_CLAUDE || lines >= FOLDS_LINES => {
                *number += 1;
                match lines {
                    0 => format!("[Pasted text #{number}]"),
                    _ => format!("[Pasted text #{number} +{lines} lines]"),
                }
            }
            Like::Codex if bytes.len() >= FOLDS_CODEX => {
                let chars = String::from_utf8_lossy(&bytes).chars().count();
                format!("[Pasted Content {chars} chars]")
            }
            _ => return self.push(&bytes),
        };
        self.pieces.push(Piece::Folded { label, bytes });
    }

    /// Puts another draft behind this one, on a line of its own.
    pub fn append(&mut self, other: Self) {
        if !self.is_empty() {
            self.push(b"\n");
        }
        self.pieces.extend(other.pieces);
    }

    /// Takes the last character away, or the last folded paste.
    pub fn backspace(&mut self) {
        let Some(Piece::Plain(bytes)) = self.pieces.last_mut() else {
            self.pieces.pop();
            return;
        };
        // A character of UTF-8 goes with all its bytes.
        while bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
        if bytes.is_empty() {
            self.pieces.pop();
        }
    }

    /// Takes a backslash off the end; whether there was one.
    pub fn take_backslash(&mut self) -> bool {
        let slash =
            matches!(self.pieces.last(), Some(Piece::Plain(bytes)) if bytes.last() == Some(&b'\\'));
        if slash {
            self.backspace();
        }
        slash
    }

    /// The end of what the screen shows for it, at most about 16 kB.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut room = SHOWN;
        for piece in self.pieces.iter().rev() {
            let part = match piece {
                Piece::Folded { label, .. } => label.clone(),
                Piece::Plain(bytes) => {
                    let from = bytes.len().saturating_sub(room);
                    String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
                }
            };
            room = room.saturating_sub(part.len());
            parts.push(part);
            if room == 0 {
                break;
            }
        }
        parts.reverse();
        parts.concat().replace("\r\n", "\n").replace('\r', "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_paste_is_shown_as_a_word_and_kept_whole() {
        let (mut draft, mut number) = (Draft::default(), 0);
        let text = "line\n".repeat(40);
        draft.push(b"see ");
        draft.paste(text.clone().into(), Like::Claude, &mut number);
        draft.push(b" now");
        assert_eq!(draft.shown(), "see [Pasted text #1 +40 lines] now");
        assert_eq!(draft.bytes(), format!("see {text} now").into_bytes());
        draft.paste(vec![b'x'; 900], Like::Claude, &mut number);
        assert!(draft.shown().ends_with(" now[Pasted text #2]"));
        let mut draft = Draft::default();
        draft.paste(vec![b'x'; 49_999], Like::Codex, &mut number);
        assert_eq!(draft.shown(), "[Pasted Content 49999 chars]");
    }

    #[test]
    fn a_small_paste_is_shown_as_it_is() {
        let (mut draft, mut number) = (Draft::default(), 0);
        draft.paste(b"a\r\nb\rc\n".to_vec(), Like::Claude, &mut number);
        assert_eq!(draft.shown(), "a\nb\nc\n");
        assert_eq!(draft.bytes(), b"a\r\nb\rc\n");
        assert_eq!(number, 0);
    }

    #[test]
    fn backspace_takes_a_character_or_a_folded_paste() {
        let (mut draft, mut number) = (Draft::default(), 0);
        draft.push("aé".as_bytes());
        draft.backspace();
        assert_eq!(draft.bytes(), b"a");
        draft.paste(vec![b'x'; 900], Like::Claude, &mut number);
        draft.backspace();
        assert_eq!(draft.bytes(), b"a");
        draft.backspace();
        assert!(draft.is_empty());
        draft.backspace();
        assert!(draft.is_empty());
    }

    #[test]
    fn only_the_end_of_a_long_draft_is_shown() {
        let mut draft = Draft::default();
        draft.push(&[b'x'; 300_000]);
        draft.push(b"end");
        assert_eq!(draft.len(), 300_003);
        assert_eq!(draft.shown().len(), SHOWN);
        assert!(draft.shown().ends_with("xend"));
    }
}
