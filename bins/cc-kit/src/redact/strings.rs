//! The bodies of OSC, DCS and their like, as text of their own.

use std::sync::Arc;

use super::engine::{Hit, Sink, Stream};
use super::rules::Rules;
use super::visible::{Seen, State, next_control, sequence};

/// One pane's stream, from which secrets are taken out.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use cc_kit::redact::{Redactor, Rules};
/// # fn example(rules: Arc<Rules>, bytes: &[u8], mut out: Vec<u8>) {
/// let mut redactor = Redactor::new(rules);
/// redactor.push(bytes, &mut out, &mut |hit| println!("{}", hit.rule));
/// # }
/// ```
#[derive(Debug)]
pub struct Redactor {
    /// What a person sees, with the escape sequences in it.
    outer: Stream,
    /// The body of the string that the outer text is in the middle of.
    inner: Stream,
    state: State,
}

/// A whole text without its secrets.
///
/// Bytes that are no UTF-8 are replaced.
#[must_use]
pub fn redacted(rules: &Arc<Rules>, text: &str) -> String {
    let mut redactor = Redactor::new(Arc::clone(rules));
    let mut out = Vec::new();
    redactor.push(text.as_bytes(), &mut out, &mut |_| {});
    redactor.flush(&mut out, &mut |_| {});
    String::from_utf8_lossy(&out).into_owned()
}

impl Redactor {
    /// At the start of a pane.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            outer: Stream::new(Arc::clone(&rules)),
            inner: Stream::new(rules),
            state: State::Ground,
        }
    }

    /// Appends to `out` what is safe of what came so far, and holds back the rest.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>, hit: &mut dyn FnMut(&Hit)) {
        // Bodies on their way to the outer text, and what is between them.
        let mut mixed = Vec::new();
        let (mut from, mut at) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            if self.state == State::Ground {
                at = memchr::memchr(0x1b, bytes.get(at..).unwrap_or_default())
                    .map_or(bytes.len(), |esc| at + esc);
                if let Some(end) = sequence(bytes, at) {
                    at = end;
                } else if at < bytes.len() {
                    self.state = State::Escape;
                    at += 1;
                }
                continue;
            }
            let within = matches!(self.state, State::Body(_));
            let (next, seen) = self.state.step(byte);
            if seen == Seen::Body {
                mixed.extend_from_slice(bytes.get(from..at).unwrap_or_default());
                let end = next_control(bytes, at + 1).unwrap_or(bytes.len());
                let body = bytes.get(at..end).unwrap_or_default();
                let out = &mut mixed;
                self.inner.push(body, &mut Sink { out, hit });
                (from, at) = (end, end);
            } else {
                if within {
                    let out = &mut mixed;
                    self.inner.end(&mut Sink { out, hit });
                }
                at += 1;
            }
            self.state = next;
        }
        let rest = bytes.get(from..).unwrap_or_default();
        let mut sink = Sink { out, hit };
        if mixed.is_empty() {
            self.outer.push(rest, &mut sink);
        } else {
            mixed.extend_from_slice(rest);
            self.outer.push(&mixed, &mut sink);
        }
    }

    /// Holds nothing back: the pane has been quiet for a while, or ended.
    ///
    /// What already begins an unmistakable secret is replaced as if it were whole, and what
    /// continues it later is swallowed.
    pub fn flush(&mut self, out: &mut Vec<u8>, hit: &mut dyn FnMut(&Hit)) {
        let mut mixed = Vec::new();
        let body = &mut mixed;
        self.inner.pause(&mut Sink { out: body, hit });
        let mut sink = Sink { out, hit };
        self.outer.push(&mixed, &mut sink);
        self.outer.pause(&mut sink);
    }

    /// Is it in the middle of nothing, so that another may take its place?
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Ground && self.outer.is_idle() && self.inner.is_idle()
    }

    /// How many bytes are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.outer.held() + self.inner.held()
    }
}
