//! The grammar of a layout, as one walk without recursion and without allocation.

use nom::bytes::complete::tag;
use nom::character::complete::digit1;
use nom::combinator::{map_opt, not, opt, recognize};
use nom::error::ErrorKind;
use nom::sequence::{preceded, separated_pair, terminated};
use nom::{IResult, Parser};

use super::{Cell, Content, Layout, LayoutError, PREFIX_LEN};
use crate::wire::id::{PaneId, parse_u32};

/// The walk over a layout's cells, which both checks and reads: there is one grammar.
#[derive(Clone, Debug)]
pub(super) struct Scan<'a> {
    rest: &'a [u8],
    /// Length of the whole layout, to tell positions.
    len: usize,
    open: Brackets,
    /// Whether the walk is behind a `<`.
    floating: bool,
    /// Whether a cell has to follow.
    more: bool,
}

impl<'a> Scan<'a> {
    /// Stands before the first cell of `body`, which is a layout without its checksum.
    pub(super) fn new(body: &'a [u8]) -> Self {
        let floating = body.strip_prefix(b"<");
        Self {
            rest: floating.unwrap_or(body),
            len: PREFIX_LEN + body.len(),
            open: Brackets::default(),
            floating: floating.is_some(),
            more: true,
        }
    }

    /// The next cell, `None` behind the last.
    pub(super) fn next_cell(&mut self) -> Result<Option<Cell>, LayoutError> {
        if !self.more {
            return Ok(None);
        }
        let (rest, ((width, height), (x, y), pane)) =
            head(self.rest).map_err(|error| self.cell_error(&error))?;
        let mut cell = Cell {
            depth: self.open.depth,
            width,
            height,
            x,
            y,
            content: Content::Pane(pane),
            floating: self.floating,
        };
        let container = match rest.split_first() {
            Some((b'{', inner)) if pane.is_none() => Some((Content::LeftRight, inner)),
            Some((b'[', inner)) if pane.is_none() => Some((Content::TopBottom, inner)),
            _ => None,
        };
        if let Some((content, inner)) = container {
            if !self.open.push(content == Content::LeftRight) {
                return Err(LayoutError::TooDeep { at: self.at(rest) });
            }
            cell.content = content;
            self.rest = inner;
        } else {
            self.rest = rest;
            self.finish_leaf()?;
        }
        Ok(Some(cell))
    }

    /// Goes from the end of a leaf to the start of the next cell, or to the end.
    fn finish_leaf(&mut self) -> Result<(), LayoutError> {
        loop {
            let at = self.at(self.rest);
            let Some((&byte, rest)) = self.rest.split_first() else {
                if self.open.depth > 0 || self.floating {
                    return Err(LayoutError::Unclosed);
                }
                self.more = false;
                return Ok(());
            };
            self.rest = rest;
            let inside = self.open.depth > 0;
            match byte {
                b'}' | b']' if self.open.pop() == Some(byte == b'}') => {}
                b'>' if self.floating && !inside => {
                    self.more = false;
                    return match rest {
                        [] => Ok(()),
                        _ => Err(LayoutError::Trailing { at: at + 1 }),
                    };
                }
                b'}' | b']' | b'>' => return Err(LayoutError::Bracket { at }),
                b',' if inside || self.floating => return Ok(()),
                b'<' if !inside && !self.floating => {
                    self.floating = true;
                    return Ok(());
                }
                _ if inside || self.floating => return Err(LayoutError::Syntax { at }),
                _ => return Err(LayoutError::Trailing { at }),
            }
        }
    }

    /// The position at which `rest` begins.
    fn at(&self, rest: &[u8]) -> usize {
        self.len - rest.len()
    }

    fn cell_error(&self, error: &nom::Err<nom::error::Error<&[u8]>>) -> LayoutError {
        match error {
            nom::Err::Error(error) | nom::Err::Failure(error) => {
                let at = self.at(error.input);
                match error.code {
                    ErrorKind::MapOpt => LayoutError::Number { at },
                    _ => LayoutError::Syntax { at },
                }
            }
            // No parser here is a streaming one: this does not happen.
            nom::Err::Incomplete(_) => LayoutError::Syntax { at: self.len },
        }
    }
}

type Head = ((u32, u32), (i32, i32), Option<PaneId>);

/// `80x24,0,0`, with the id if it is there.
fn head(input: &[u8]) -> IResult<&[u8], Head> {
    (
        terminated(separated_pair(size, tag("x"), size), tag(",")),
        separated_pair(offset, tag(","), offset),
        opt(pane),
    )
        .parse(input)
}

/// `,0`: an id, unless an `x` follows, which makes it the width of the next cell. tmux looks
/// ahead in the same way.
fn pane(input: &[u8]) -> IResult<&[u8], PaneId> {
    preceded(tag(","), terminated(size, not(tag("x"))))
        .map(PaneId)
        .parse(input)
}

fn size(input: &[u8]) -> IResult<&[u8], u32> {
    map_opt(digit1, parse_u32).parse(input)
}

fn offset(input: &[u8]) -> IResult<&[u8], i32> {
    map_opt(recognize((opt(tag("-")), digit1)), parse_i32).parse(input)
}

/// An `i32` in tmux's own spelling: no plus, no leading zeros, no minus before zero.
fn parse_i32(digits: &[u8]) -> Option<i32> {
    match digits.strip_prefix(b"-") {
        None => i32::try_from(parse_u32(digits)?).ok(),
        Some(b"0") => None,
        Some(digits) => i32::try_from(-i64::from(parse_u32(digits)?)).ok(),
    }
}

/// The brackets that are open, innermost last, a bit each.
#[derive(Clone, Debug, Default)]
struct Brackets {
    curly: [u64; Layout::MAX_DEPTH / 64],
    depth: usize,
}

impl Brackets {
    /// Opens one; false when there is no room.
    fn push(&mut self, curly: bool) -> bool {
        let Some(word) = self.curly.get_mut(self.depth / 64) else {
            return false;
        };
        let bit = 1 << (self.depth % 64);
        if curly {
            *word |= bit;
        } else {
            *word &= !bit;
        }
        self.depth += 1;
        true
    }

    /// Closes the innermost and says whether it was a `{`.
    fn pop(&mut self) -> Option<bool> {
        self.depth = self.depth.checked_sub(1)?;
        let word = self.curly.get(self.depth / 64)?;
        Some(word & (1 << (self.depth % 64)) != 0)
    }
}
