//! What the benches share: corpora, reference loops, our layers, and how they are compared.

mod client;
mod corpus;
mod counting;
mod layers;
mod machine;
mod reference;
mod table;

use std::fmt;
use std::time::Duration;

pub use corpus::Corpus;
pub use counting::allocations;
pub use machine::{cpu, middle, program, write_text};
pub use table::throughput;

/// What a loop does with a stream of `%output` lines. Loops that do the same must agree on what
/// they found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Goes over the bytes, whatever they are.
    Copy,
    /// Finds lines.
    Split,
    /// Finds panes and payloads, and leaves these as they are.
    Borrow,
    /// Finds panes, and what was printed.
    Decode,
    /// The same, as far as it is text.
    DecodeText,
}

/// What a loop found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines.
    pub lines: u64,
    /// The sum of the panes' numbers.
    pub panes: u64,
    /// Bytes: of lines, of payloads, or of what was printed, as [`Work`] says.
    pub bytes: u64,
}

impl Tally {
    /// Counts one line.
    pub fn add(&mut self, pane: u32, bytes: usize) {
        self.lines += 1;
        self.panes += u64::from(pane);
        self.bytes += bytes as u64;
    }
}

/// What goes over a stream of whole lines once.
pub type Run = Box<dyn FnMut(&[u8]) -> Tally>;

/// A loop over a stream.
pub struct Loop {
    /// What it is called.
    pub name: &'static str,
    /// What it does.
    pub work: Work,
    /// It goes over one part in so many of a corpus: 1 unless it is very slow.
    pub part: usize,
    /// What it runs.
    pub run: Run,
}

impl Loop {
    /// A loop over the whole of a corpus.
    pub fn new(name: &'static str, work: Work, run: impl FnMut(&[u8]) -> Tally + 'static) -> Self {
        Self {
            name,
            work,
            part: 1,
            run: Box::new(run),
        }
    }

    /// The same over one part in `part`.
    #[must_use]
    pub fn part(mut self, part: usize) -> Self {
        self.part = part;
        self
    }
}

impl fmt::Debug for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loop").field("name", &self.name).finish()
    }
}

/// The middle one.
#[must_use]
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
