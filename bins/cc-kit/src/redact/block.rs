//! A secret of many lines, from BEGIN to END.

use std::mem;

use super::engine::{Hit, Sink, first, name, write};
use super::judge::Found;
use super::rules::Rules;

const BYTES: u64 = 16 << 10;
const LINES: usize = 400;
/// After so many lines that are no part of a key, a block was none.
const STRANGE: usize = 3;

/// A secret from BEGIN to END.
#[derive(Debug)]
pub(super) struct Block {
    rule: usize,
    hasher: blake3::Hasher,
    bytes: u64,
    removed: u64,
    /// The end of what shows, line breaks left out.
    tail: Vec<u8>,
    line: Vec<u8>,
    lines: usize,
    strange: usize,
    hash: Option<[u8; 4]>,
}

impl Block {
    /// After its first line, of which `removed` bytes were taken out.
    pub(super) fn new(rules: &Rules, found: &Found, removed: u64) -> Self {
        let mut hasher = rules.hasher();
        hasher.update(&found.secret);
        Self {
            rule: found.rule,
            hasher,
            bytes: 0,
            removed,
            tail: Vec::new(),
            line: Vec::new(),
            lines: 0,
            strange: 0,
            hash: None,
        }
    }

    /// Takes out a byte that does not show.
    pub(super) const fn omit(&mut self) {
        self.removed += 1;
    }

    /// Takes out a byte that shows; whether the block ends with it.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        const TAIL: usize = 128;
        self.bytes += 1;
        self.removed += 1;
        if byte == b'\n' {
            self.lines += 1;
            self.judge_line();
            return self.lines >= LINES || self.strange >= STRANGE;
        }
        if self.line.len() < TAIL {
            self.line.push(byte);
        }
        if byte > b' ' {
            self.hasher.update(&[byte]);
        }
        self.tail.push(byte);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..TAIL);
        }
        let begin = memchr::memmem::rfind(&self.tail, b"-----END").map_or(usize::MAX, |at| at + 12);
        let ended = byte == b'-' && self.tail.ends_with(b"-----") && begin < self.tail.len() - 5;
        ended || self.bytes >= BYTES
    }

    /// A line of a key is long and without spaces, or a header of it, or empty.
    fn judge_line(&mut self) {
        let line = self.line.trim_ascii();
        let header = memchr::memmem::find(line, b": ").is_some();
        let key = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let long = line.split(|byte| !key(byte)).any(|run| run.len() >= 16);
        if long {
            self.strange = 0;
        } else if !line.is_empty() && !header {
            self.strange += 1;
        }
        self.line.clear();
    }

    /// Puts the replacement, once; after that accounts for what was taken since.
    pub(super) fn put(&mut self, rules: &Rules, sink: &mut Sink<'_>) {
        let removed = mem::take(&mut self.removed);
        let (hash, put) = match self.hash {
            Some(hash) => (hash, 0),
            None => {
                let hash = first(&self.hasher);
                (hash, write(rules, self.rule, hash, sink.out))
            }
        };
        if removed > 0 {
            self.hash = Some(hash);
            (sink.hit)(&Hit {
                rule: name(rules, self.rule),
                removed,
                put,
                hash,
            });
        }
    }
}
