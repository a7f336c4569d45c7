//! Bytes as text.

use std::mem;

/// Turns bytes into text; what is not UTF-8 becomes U+FFFD, and a character may come in parts.
#[derive(Debug, Default)]
pub(crate) struct Utf8 {
    rest: Vec<u8>,
}

impl Utf8 {
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        let joined;
        let bytes = if self.rest.is_empty() {
            bytes
        } else {
            joined = [mem::take(&mut self.rest).as_slice(), bytes].concat();
            &joined
        };
        let mut text = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            if chunk.invalid().is_empty() {
                continue;
            }
            // The beginning of a character at the end may be completed by what comes next.
            let begun = chunks.peek().is_none()
                && str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
            if begun {
                self.rest = chunk.invalid().to_vec();
            } else {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }
}
