//! How much one connection may hold.

/// Bounds on what a connection keeps in memory; past one, an error instead of growth.
///
/// tmux sets none of these itself: a reply line of 200,000 bytes is ordinary, one of 16 MB is
/// possible (`show-buffer`).
///
/// ```
/// use tmux_cc::protocol::Limits;
///
/// let limits = Limits::default().line(1 << 20).pending(2000);
/// assert_eq!((limits.line, limits.pending), (1 << 20, 2000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes in one line; a longer one is skipped and reported. Default 4 MiB.
    pub line: usize,
    /// Bytes in one reply, over all its blocks; a larger one is an error for its command alone.
    /// Default 16 MiB.
    pub reply: usize,
    /// Commands sent and not yet answered. Default 65,536.
    pub pending: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 4 << 20,
            reply: 16 << 20,
            pending: 1 << 16,
        }
    }
}

impl Limits {
    /// The same with another bound on one line, in bytes.
    #[must_use]
    pub const fn line(mut self, bytes: usize) -> Self {
        self.line = bytes;
        self
    }

    /// The same with another bound on one reply, in bytes.
    #[must_use]
    pub const fn reply(mut self, bytes: usize) -> Self {
        self.reply = bytes;
        self
    }

    /// The same with another bound on unanswered commands.
    #[must_use]
    pub const fn pending(mut self, commands: usize) -> Self {
        self.pending = commands;
        self
    }
}
