//! Text that arrives byte for byte.

use super::answer::AnswerError;
use super::buffers::{DeleteBuffer, PasteBuffer, SetBuffer};
use super::guarded::{guarded, unless_dead, unless_in_mode};
use super::sessions::HasSession;
use crate::protocol::{Command, Quirks, Reply};
use crate::wire::{PaneId, Version};

/// Text for the program in a pane, byte for byte or not at all.
///
/// It goes through a buffer of its own and `paste-buffer -p -r -d`, in one line that also looks
/// whether the pane is there and takes input; so it passes by key tables and `synchronize-panes`,
/// and a program that has asked for it (`CSI ? 2004 h`) is told that it is pasted. In copy mode and
/// other modes tmux would not tell it: there it is refused, unless [`unbracketed`](Self::unbracketed).
/// `Client::paste` sends it.
///
/// Text is UTF-8 with line feeds and tabs, and no other control characters: what else there is
/// would be keys to the program, ^C to its terminal, or the end of the paste. It is refused, unless
/// [`raw`](Self::raw). Nothing is typed before or behind it, no Enter either.
///
/// What lies beyond tmux: a terminal in canonical mode, as a shell's `read` has it, keeps 4095
/// bytes of a line and drops the rest; one that is not raw acts on ^C and the like. A program that
/// does not read lets it wait, in the server's memory. From 3.4 on other control clients are told
/// that a buffer came and went.
///
/// **Source:** tmux `cmd-paste-buffer.c`; measured on 3.3a, 3.5a, 3.7c and 3.8.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::protocol::commands::Paste;
/// use tmux_cc::wire::PaneId;
///
/// client.paste(&Paste::new(PaneId(3), "echo 'first'\necho \"second\"").enter()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Paste {
    pane: PaneId,
    text: Vec<u8>,
    raw: bool,
    bracketed: bool,
    enter: bool,
}

impl Paste {
    /// The most bytes that one may have: 1 MiB.
    pub const LIMIT: usize = 1 << 20;

    /// That text, for that pane. Empty text types nothing, and still tells whether it could be.
    pub fn new(pane: PaneId, text: impl AsRef<[u8]>) -> Self {
        Self {
            pane,
            text: text.as_ref().to_vec(),
            raw: false,
            bracketed: true,
            enter: false,
        }
    }

    /// Lets any bytes through but NUL, which tmux's commands cannot hold, and while it is bracketed
    /// the sequence that ends a paste.
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Does not mark it as pasted: line feeds and the like are keys to any program.
    pub fn unbracketed(mut self) -> Self {
        self.bracketed = false;
        self
    }

    /// Writes each line feed as Enter sends it, a carriage return.
    pub fn enter(mut self) -> Self {
        self.enter = true;
        self
    }

    /// The pane.
    #[must_use]
    pub const fn pane(&self) -> PaneId {
        self.pane
    }

    /// The line to send to such a server, through a buffer of that name.
    ///
    /// No two connections may use one name at the same time. Where tmux refuses the line, the
    /// buffer may be left: delete it then.
    #[must_use]
    pub fn command(&self, buffer: &str, quirks: Quirks) -> Command {
        // Fails the line where there is no such pane.
        let there = Command::from(HasSession::new(self.pane));
        if self.text.is_empty() {
            return there.clone().then(unless_dead(self.pane, None, there));
        }
        if let Some(reason) = self.refusal() {
            return there.unfit("the text", reason);
        }
        let mut paste = PasteBuffer::new(buffer, self.pane).delete();
        if self.bracketed {
            paste = paste.bracketed();
        }
        if !self.enter {
            paste = paste.line_feeds();
        }
        // Only later versions escape control characters, and know how not to.
        let escapes = |version: Version| version.at_least(Version::new(3, 7));
        if quirks.version().is_some_and(escapes) {
            paste = paste.unescaped();
        }
        let forget: Command = DeleteBuffer::new(buffer).into();
        let mut paste = paste.unguarded();
        if self.bracketed {
            paste = unless_in_mode(self.pane, Some(forget.clone()), paste);
        }
        there
            .then(SetBuffer::new(buffer, &self.text).into())
            .then(unless_dead(self.pane, Some(forget), paste))
    }

    /// Reads the reply to that line.
    ///
    /// # Errors
    /// [`AnswerError`]: nothing was typed then.
    pub fn answer(&self, reply: Reply) -> Result<(), AnswerError> {
        guarded(reply)
    }

    /// Why it cannot be sent, where it cannot.
    fn refusal(&self) -> Option<&'static str> {
        let text = self.text.as_slice();
        if text.len() > Self::LIMIT {
            return Some("is longer than 1 MiB");
        }
        if text.contains(&0) {
            return Some("has a nul byte");
        }
        if self.bracketed && memchr::memmem::find(text, b"\x1b[201~").is_some() {
            return Some("has the sequence that ends a paste");
        }
        if self.raw {
            return None;
        }
        let Ok(text) = str::from_utf8(text) else {
            return Some("is not UTF-8");
        };
        let typed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        text.contains(typed)
            .then_some("has a control character, which would be a key")
    }
}
