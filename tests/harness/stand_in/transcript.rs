//! What was said so far, cut into rows, and only the end of it.

use std::collections::VecDeque;

use super::rows::{Row, printable, wrap};

/// How many rows are kept at most: an hour of prompts costs no more than a minute.
const KEPT: usize = 2_000;

/// No block is longer: what is behind is cut off.
const LONGEST: usize = 64 * 1024;

/// The blocks that were said, wrapped for one width.
#[derive(Debug)]
pub struct Transcript {
    width: usize,
    blocks: VecDeque<Block>,
    rows: VecDeque<Row>,
    /// How many rows were dropped at this width.
    dropped: u64,
    /// How many blocks were dropped.
    gone: u64,
}

#[derive(Debug)]
struct Block {
    text: String,
    first: &'static str,
    rest: &'static str,
    dim: bool,
    rows: usize,
}

impl Transcript {
    /// An empty one for a screen of so many columns.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            width,
            blocks: VecDeque::new(),
            rows: VecDeque::new(),
            dropped: 0,
            gone: 0,
        }
    }

    /// Adds a block: its first row begins with `first`, the others with `rest`.
    pub fn say(&mut self, text: &str, first: &'static str, rest: &'static str) {
        self.push(text, first, rest, false);
    }

    /// Adds a dim block.
    pub fn mutter(&mut self, text: &str, first: &'static str, rest: &'static str) {
        self.push(text, first, rest, true);
    }

    /// Adds an empty row, unless there is one.
    pub fn gap(&mut self) {
        if !self.ends_in_gap() {
            self.say("", "", "");
        }
    }

    /// Whether nothing stands in the last row, or there is none.
    #[must_use]
    pub fn ends_in_gap(&self) -> bool {
        self.rows.back().is_none_or(|row| row.text.is_empty())
    }

    fn push(&mut self, text: &str, first: &'static str, rest: &'static str, dim: bool) {
        let end = text.floor_char_boundary(LONGEST);
        let mut block = Block {
            text: printable(text.get(..end).unwrap_or_default()),
            first,
            rest,
            dim,
            rows: 0,
        };
        self.lay(&mut block);
        self.blocks.push_back(block);
        while self.rows.len() > KEPT && self.blocks.len() > 1 {
            let gone = self.blocks.pop_front().map_or(0, |block| block.rows);
            self.rows.drain(..gone.min(self.rows.len()));
            self.dropped += gone as u64;
            self.gone += 1;
        }
    }

    fn lay(&mut self, block: &mut Block) {
        let rows = wrap(&block.text, self.width, block.first, block.rest);
        block.rows = rows.len();
        self.rows.extend(rows.into_iter().map(|text| Row {
            text,
            dim: block.dim.then_some(0),
        }));
    }

    /// Cuts it all anew for another width; the numbers of the rows begin again.
    pub fn rewrap(&mut self, width: usize) {
        self.width = width;
        self.dropped = 0;
        self.rows.clear();
        for mut block in std::mem::take(&mut self.blocks) {
            self.lay(&mut block);
            self.blocks.push_back(block);
        }
    }

    /// The place behind the last block.
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.gone + self.blocks.len() as u64
    }

    /// Takes back every block behind a place.
    pub fn cut(&mut self, mark: u64) {
        while self.mark() > mark
            && let Some(block) = self.blocks.pop_back()
        {
            let rows = self.rows.len().saturating_sub(block.rows);
            self.rows.truncate(rows);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.gone = 0;
        self.blocks.clear();
        self.rows.clear();
        self.dropped = 0;
    }

    /// The number of the row behind the last; the first row ever was 0.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.dropped + self.rows.len() as u64
    }

    /// The rows from number `from` on, and the number of the first that is still there.
    #[must_use]
    pub fn since(&self, from: u64) -> (u64, Vec<Row>) {
        let first = from.clamp(self.dropped, self.end());
        let skip = usize::try_from(first - self.dropped).unwrap_or(usize::MAX);
        (first, self.rows.iter().skip(skip).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept_and_rows_keep_their_numbers() {
        let mut transcript = Transcript::new(20);
        for number in 0..10_000 {
            transcript.say(&format!("row {number}"), "", "");
        }
        assert_eq!(transcript.end(), 10_000);
        let (first, rows) = transcript.since(9_998);
        assert_eq!(first, 9_998);
        assert_eq!(rows, [Row::plain("row 9998"), Row::plain("row 9999")]);
        let (first, rows) = transcript.since(0);
        assert_eq!((first, rows.len()), (8_000, KEPT));
        assert!(transcript.since(20_000).1.is_empty());
    }

    #[test]
    fn another_width_cuts_anew() {
        let mut transcript = Transcript::new(20);
        transcript.say("one two three", "> ", "  ");
        assert_eq!(transcript.end(), 1);
        transcript.rewrap(9);
        assert_eq!(
            transcript.since(0).1,
            [Row::plain("> one two"), Row::plain("  three")]
        );
    }

    #[test]
    fn what_was_said_can_be_taken_back() {
        let mut transcript = Transcript::new(9);
        transcript.say("a", "", "");
        let mark = transcript.mark();
        transcript.say("one two three", "> ", "  ");
        transcript.cut(mark);
        assert_eq!(transcript.since(0).1, [Row::plain("a")]);
        transcript.cut(0);
        assert_eq!((transcript.end(), transcript.mark()), (0, 0));
    }

    #[test]
    fn there_is_one_gap_where_there_could_be_two() {
        let mut transcript = Transcript::new(20);
        transcript.gap();
        transcript.say("a", "", "");
        transcript.gap();
        transcript.gap();
        assert_eq!(transcript.end(), 2);
    }
}
