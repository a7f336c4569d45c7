//! What comes back: blocks, and replies made of them.

use std::fmt;

use thiserror::Error;

use super::exit::Exit;
use crate::wire::{Guard, Shown};

/// One guard pair and what stood between.
///
/// **Shape:** `%begin TIME NUMBER FLAGS`, lines, and the same three behind `%end` or `%error`.
///
/// Example: [`Reply`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Block {
    pub(super) guard: Guard,
    pub(super) ok: bool,
    pub(super) body: Vec<u8>,
}

impl Block {
    /// The guard that opened and closed it.
    #[must_use]
    pub const fn guard(&self) -> Guard {
        self.guard
    }

    /// Did it end in `%end`, not in `%error`?
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.ok
    }

    /// The body: every line ended by one LF, so no line is empty and one empty line is `\n`.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body without its last LF: the value, where a command prints one (it may hold more LFs).
    #[must_use]
    pub fn text(&self) -> &[u8] {
        self.body.strip_suffix(b"\n").unwrap_or(&self.body)
    }

    /// The lines of the body, without their LF.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        Lines { rest: &self.body }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.ok { "end" } else { "error" };
        write!(
            f,
            "Block({end} {}, \"{}\")",
            self.guard,
            self.body.escape_ascii()
        )
    }
}

/// The lines of a body, in order, without their LF.
///
/// Example: [`Reply`].
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = crate::wire::split_line(self.rest)?;
        self.rest = rest;
        Some(line)
    }
}

/// Every block that one command line caused, up to its fence.
///
/// A line that holds only a comment or an assignment has none, `a ; b` has two, an alias, a sourced
/// file or `if-shell` has as many as it runs. `%error` is data here;
/// [`ok`](Self::ok) makes it an error.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::protocol::Command;
///
/// let line = Command::new("list-windows").then(Command::new("list-panes").flag("-a"));
/// let reply = client.command(line).await?;
/// if let Some(spoof) = reply.spoof() {
///     eprintln!("what it holds was printed by somebody who guesses: {spoof:?}");
/// }
/// for block in reply.ok()?.blocks() {
///     for line in block.lines() {
///         println!("{}", line.escape_ascii());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub(super) blocks: Vec<Block>,
    pub(super) spoof: Option<Spoof>,
}

impl Reply {
    /// The blocks, in the order in which tmux wrote them.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The lines of all blocks.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.blocks.iter().flat_map(Block::lines)
    }

    /// The text of the first block, empty where there is none.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        self.blocks.first().map(Block::text).unwrap_or_default()
    }

    /// The same, unless a command on the line failed.
    ///
    /// # Errors
    /// [`Failed`], with the block that ended in `%error`.
    pub fn ok(mut self) -> Result<Self, Failed> {
        match self.blocks.iter().position(|block| !block.ok) {
            Some(at) => Err(Failed {
                block: self.blocks.swap_remove(at),
            }),
            None => Ok(self),
        }
    }

    /// Did the body hold lines that look like guards, and what came of it?
    ///
    /// Bodies are text of strangers: `capture-pane` prints what a program printed.
    #[must_use]
    pub const fn spoof(&self) -> Option<Spoof> {
        self.spoof
    }
}

/// What forged guards in a body have done.
///
/// Example: [`Reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spoof {
    /// Lines that look like guards, none of them the block's own: the body is whole.
    Lookalike,
    /// Exact copies of the block's own guard among many guesses: found out, the body is whole.
    Rejoined,
    /// An exact copy of the block's own guard closed it early, and the rest of the body was taken
    /// for lines outside a block; or several blocks of the line hold so many guesses that where
    /// one ends is not certain. This reply is not to be relied on.
    Broken,
}

/// A command that ended in `%error`.
///
/// Example: [`Reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    block: Block,
}

impl Failed {
    /// The block, with what the command printed before it failed.
    #[must_use]
    pub const fn block(&self) -> &Block {
        &self.block
    }

    /// The complaint in tmux's words: the last line of the block.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        self.block.lines().last().unwrap_or_default()
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tmux refused the command: {}", Shown(self.message()))
    }
}

impl std::error::Error for Failed {}

/// Why a command has no reply.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The reply passed [`Limits::reply`](super::Limits::reply); the connection goes on.
    #[error("reply is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection ended before the reply was whole; whether the command ran is not known.
    #[error("connection ended before the reply")]
    Disconnected(#[source] Exit),
    /// A later command's fence came first: what ran for this one is not known.
    #[error("the fence behind the command never came")]
    FenceLost,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(ok: bool, body: &[u8]) -> Block {
        Block {
            guard: Guard {
                time: 1,
                number: 2,
                flags: 1,
            },
            ok,
            body: body.to_vec(),
        }
    }

    #[test]
    fn no_line_and_an_empty_line_differ() {
        assert_eq!(block(true, b"").lines().count(), 0);
        assert_eq!(block(true, b"\n").lines().collect::<Vec<_>>(), [b""]);
        assert_eq!(
            block(true, b"a\n\nb\n").lines().collect::<Vec<_>>(),
            [&b"a"[..], b"", b"b"]
        );
        assert_eq!(block(true, b"a\nb\n").text(), b"a\nb");
    }

    #[test]
    fn an_error_is_data_until_ok_is_asked() {
        let reply = Reply {
            blocks: vec![
                block(true, b"fine\n"),
                block(false, b"partial\ncan't find pane: %9\n"),
            ],
            spoof: None,
        };
        let failed = reply.clone().ok().unwrap_err();
        assert_eq!(failed.message(), b"can't find pane: %9");
        assert_eq!(
            failed.to_string(),
            "tmux refused the command: can't find pane: %9"
        );
        assert_eq!(reply.lines().count(), 3);
        assert_eq!(reply.text(), b"fine");
    }
}
