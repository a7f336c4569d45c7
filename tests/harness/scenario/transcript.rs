//! What one control client read, byte for byte, and what was done to get it.
//!
//! On disk a transcript is two files. `NAME.txt` is the stream and nothing else. `NAME.sent` is
//! text, a line for each thing done, with the number of bytes of the stream that had come by then:
//!
//! | Line | Means |
//! |---|---|
//! | `# ...` | a remark: how the client was started |
//! | `120 > list-windows` | this line was sent, and a fence under it in the same write |
//! | `120 . \n` | these bytes were sent, as they are |
//! | `120 \| rename-session x` | somebody else ran a tmux command |
//! | `120 ! SIGTERM` | something else was done to the client |
//!
//! In `.sent`, bytes that are not printable ASCII, and the backslash, are `\n`, `\xNN` or `\\`.

use std::path::Path;
use std::{fs, io};

/// The random part of the fences of every transcript, so that a replay can have the same ones.
pub const NONCE: [u8; 16] = [7; 16];

/// What one client read, and what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// `01_replies`, or `04_flow.other` for a client that is not the first of its case.
    pub name: String,
    /// The arguments that the client was started with.
    pub started: String,
    /// Every byte it wrote.
    pub stream: Vec<u8>,
    /// What was done, in order.
    pub steps: Vec<Step>,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How much of the stream had been read.
    pub at: usize,
    /// What.
    pub what: What,
}

/// The kinds of things that are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A line was sent (kept without its newline) with a fence under it.
    Command(Vec<u8>),
    /// Bytes were sent as they are.
    Bytes(Vec<u8>),
    /// A command of somebody else.
    Elsewhere(Vec<u8>),
    /// Anything else.
    Deed(Vec<u8>),
}

impl Transcript {
    /// The line of a client's fence that is sent, and the line that comes back.
    #[must_use]
    pub fn fence(number: usize) -> (String, String) {
        let nonce: String = NONCE.iter().map(|byte| format!("{byte:02x}")).collect();
        let back = format!("f{nonce}-{number}");
        (format!("display-message -p {back}"), back)
    }

    /// Reads `NAME.txt` and the `NAME.sent` beside it.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or `.sent` is not what the module says.
    pub fn load(path: &Path) -> io::Result<Self> {
        let stream = fs::read(path)?;
        let text = fs::read_to_string(path.with_extension("sent"))?;
        let name = path.file_stem().unwrap_or_default();
        let mut transcript = Self {
            name: name.to_string_lossy().into_owned(),
            stream,
            ..Self::default()
        };
        for line in text.lines() {
            if let Some(remark) = line.strip_prefix("# tmux ") {
                remark.clone_into(&mut transcript.started);
            } else {
                let step = Step::parse(line).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("{path:?}: {line:?}"))
                })?;
                transcript.steps.push(step);
            }
        }
        Ok(transcript)
    }

    /// Writes the two files into a directory.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn save(&self, dir: &Path) -> io::Result<()> {
        let file = |kind: &str| dir.join(format!("{}.{kind}", self.name));
        let steps = self.steps.iter().map(|step| step.to_text() + "\n");
        let sent = format!("# tmux {}\n{}", self.started, steps.collect::<String>());
        fs::write(file("txt"), &self.stream)?;
        fs::write(file("sent"), sent)
    }

    /// Puts `new` in the place of `old`, which is as long, so that no place in the stream moves.
    ///
    /// # Panics
    ///
    /// When it is not as long.
    pub fn hide(&mut self, old: &str, new: &str) {
        assert_eq!(old.len(), new.len(), "{old} and {new}");
        let replace = |bytes: &mut Vec<u8>| {
            let mut from = 0;
            while let Some(found) = bytes[from..]
                .windows(old.len())
                .position(|window| window == old.as_bytes())
            {
                let at = from + found;
                from = at + old.len();
                bytes[at..from].copy_from_slice(new.as_bytes());
            }
        };
        replace(&mut self.stream);
        for step in &mut self.steps {
            replace(step.what.bytes_mut());
        }
    }
}

impl Step {
    fn parse(line: &str) -> Option<Self> {
        let (at, rest) = line.split_once(' ')?;
        let (sign, text) = rest.split_once(' ')?;
        let bytes = unescape(text)?;
        let what = match sign {
            ">" => What::Command(bytes),
            "." => What::Bytes(bytes),
            "|" => What::Elsewhere(bytes),
            "!" => What::Deed(bytes),
            _ => return None,
        };
        Some(Self {
            at: at.parse().ok()?,
            what,
        })
    }

    fn to_text(&self) -> String {
        let (sign, bytes) = match &self.what {
            What::Command(bytes) => ('>', bytes),
            What::Bytes(bytes) => ('.', bytes),
            What::Elsewhere(bytes) => ('|', bytes),
            What::Deed(bytes) => ('!', bytes),
        };
        format!("{} {sign} {}", self.at, escape(bytes))
    }
}

impl What {
    fn bytes_mut(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Command(bytes)
            | Self::Bytes(bytes)
            | Self::Elsewhere(bytes)
            | Self::Deed(bytes) => bytes,
        }
    }
}

/// Bytes as text that [`unescape`] takes back: only what is not printable ASCII is escaped.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

/// The bytes that [`escape`] made text of; `None` when it did not.
#[must_use]
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&kind, tail) = rest.split_first()?;
        rest = tail;
        match kind {
            b'\\' => bytes.push(b'\\'),
            b'n' => bytes.push(b'\n'),
            b'x' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
                rest = tail;
            }
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let step = |at, what| Step { at, what };
        let every: Vec<u8> = (0..=255).collect();
        let transcript = Transcript {
            name: "01_x.other".to_owned(),
            started: "-C attach-session".to_owned(),
            stream: every.clone(),
            steps: vec![
                step(0, What::Command(every)),
                step(12, What::Bytes(b" \n".to_vec())),
                step(12, What::Elsewhere(b"a | b".to_vec())),
                step(99, What::Deed(b"SIGTERM".to_vec())),
            ],
        };
        let dir = tempfile::tempdir().unwrap();
        transcript.save(dir.path()).unwrap();
        let loaded = Transcript::load(&dir.path().join("01_x.other.txt")).unwrap();
        assert_eq!(loaded, transcript);
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for line in ["", "x > a", "1", "1 >", "1 ? a", "1 > \\q", "1 > \\x0"] {
            assert_eq!(Step::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn what_is_hidden_is_gone_everywhere() {
        let mut transcript = Transcript {
            stream: b"client-12 aaa client-12".to_vec(),
            steps: vec![Step {
                at: 3,
                what: What::Command(b"x client-12".to_vec()),
            }],
            ..Transcript::default()
        };
        transcript.hide("client-12", "client-11");
        transcript.hide("aa", "aa");
        assert_eq!(transcript.stream, b"client-11 aaa client-11");
        assert_eq!(
            transcript.steps[0].what,
            What::Command(b"x client-11".to_vec())
        );
    }
}
