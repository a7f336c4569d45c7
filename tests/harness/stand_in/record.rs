//! What is written to the log: one JSON object a line, complete before anything is seen of it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// Something that a test may want to know to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A prompt that was submitted; the first is 1. `queued` when it was typed during a turn.
    Prompt {
        /// Its number.
        n: u64,
        /// All of it.
        bytes: Vec<u8>,
        /// Whether it waited for the end of another turn.
        queued: bool,
    },
    /// What was typed or pasted while a turn went on, Enter as CR; it may be submitted later.
    Meanwhile(Vec<u8>),
    /// What was typed or pasted into a dialog, and is gone.
    Lost(Vec<u8>),
    /// The answer to a dialog.
    Answer {
        /// Its name.
        dialog: &'static str,
        /// The number of the answer; the first is 1.
        answer: usize,
    },
    /// What stood in the box at the end.
    Draft(Vec<u8>),
    /// What waited for a turn at the end.
    Queued(Vec<u8>),
}

impl Record {
    /// The line, without its newline. `t` is in milliseconds since 1970.
    ///
    /// | Record | Fields besides `t` |
    /// |---|---|
    /// | [`Prompt`](Self::Prompt) | `n`, `queued`, `bytes_base64` |
    /// | [`Meanwhile`](Self::Meanwhile) | `meanwhile` (readable), `bytes_base64` |
    /// | [`Lost`](Self::Lost) | `lost` (readable), `bytes_base64` |
    /// | [`Answer`](Self::Answer) | `dialog`, `answer` |
    /// | [`Draft`](Self::Draft) | `draft` (readable), `bytes_base64` |
    /// | [`Queued`](Self::Queued) | `pending` (readable), `bytes_base64` |
    #[must_use]
    pub fn line(&self, t: u64) -> String {
        let with_text = |name: &str, bytes: &[u8]| -> Value {
            json!({
                "t": t,
                name: String::from_utf8_lossy(bytes),
                "bytes_base64": BASE64_STANDARD.encode(bytes),
            })
        };
        match self {
            Self::Prompt { n, bytes, queued } => json!({
                "t": t,
                "n": n,
                "queued": queued,
                "bytes_base64": BASE64_STANDARD.encode(bytes),
            }),
            Self::Meanwhile(bytes) => with_text("meanwhile", bytes),
            Self::Lost(bytes) => with_text("lost", bytes),
            Self::Answer { dialog, answer } => json!({
                "t": t,
                "dialog": dialog,
                "answer": answer,
            }),
            Self::Draft(bytes) => with_text("draft", bytes),
            Self::Queued(bytes) => with_text("pending", bytes),
        }
        .to_string()
    }
}

/// The log of one stand-in.
#[derive(Debug)]
pub struct Log {
    file: Option<File>,
}

impl Log {
    /// Appends to a file, or to nothing.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| File::options().create(true).append(true).open(path);
        Ok(Self {
            file: path.map(open).transpose()?,
        })
    }

    /// Writes one line, in one call, so that several stand-ins may share a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, record: &Record, t: u64) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut line = record.line(t);
        line.push('\n');
        file.write_all(line.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        let bytes = b"\xff\x00\r\n\"".to_vec();
        let record = Record::Prompt {
            n: 1,
            bytes: bytes.clone(),
            queued: false,
        };
        let line: Value = serde_json::from_str(&record.line(5)).unwrap();
        assert_eq!((&line["t"], &line["n"]), (&json!(5), &json!(1)));
        let back = BASE64_STANDARD.decode(line["bytes_base64"].as_str().unwrap());
        assert_eq!(back.unwrap(), bytes);
    }

    #[test]
    fn a_line_is_one_line() {
        let line = Record::Draft(b"a\nb".to_vec()).line(1);
        assert!(!line.contains('\n'));
        assert!(line.contains(r#""draft":"a\nb""#));
    }
}
