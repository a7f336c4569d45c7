//! What a pane shows.

use super::answer::{AnswerError, Run, whole};
use super::command;
use crate::protocol::{Command, Reply, Target};
use crate::wire::Version;

command! {
    /// `capture-pane -p`: answers the text of a pane, its visible part at first; each line ends in
    /// one LF.
    ///
    /// It is what a stranger's program printed: see [`Reply::spoof`].
    CapturePane
}

impl CapturePane {
    /// Of a pane; of a window or session it is the active one.
    pub fn new(pane: impl Into<Target>) -> Self {
        let command = Command::new("capture-pane").flag("-p");
        Self {
            command: command.target(pane),
        }
    }

    fn flag(mut self, flag: &str) -> Self {
        self.command = self.command.flag(flag);
        self
    }

    fn younger(mut self, flag: &str, what: &'static str, since: Version) -> Self {
        self.command = self.command.flag(flag).needs(what, since);
        self
    }

    /// From that line on: 0 is the first that is visible, -1 the last of the history.
    pub fn start(mut self, line: i32) -> Self {
        self.command = self.command.option("-S", line.to_string());
        self
    }

    /// From the first line of the history on.
    pub fn history(mut self) -> Self {
        self.command = self.command.option("-S", "-");
        self
    }

    /// Up to that line.
    pub fn end(mut self, line: i32) -> Self {
        self.command = self.command.option("-E", line.to_string());
        self
    }

    /// With control sequences for colours and attributes.
    pub fn escapes(self) -> Self {
        self.flag("-e")
    }

    /// Control characters as `\033`, backslashes as `\\`:
    /// [`decode_capture_into`](crate::wire::decode_capture_into) undoes it.
    pub fn octal(self) -> Self {
        self.flag("-C")
    }

    /// Lines that wrapped as one, with the spaces at their ends.
    pub fn join(self) -> Self {
        self.flag("-J")
    }

    /// With the spaces at the ends of lines.
    pub fn trailing_spaces(self) -> Self {
        self.flag("-N")
    }

    /// The screen that is hidden while the alternate one is shown; nothing where there is none.
    pub fn hidden(self) -> Self {
        self.flag("-a").flag("-q")
    }

    /// Only the beginning of a control sequence that is not complete yet.
    pub fn pending(self) -> Self {
        self.flag("-P")
    }

    /// Without the cells at the ends of lines that were never written (from 3.4).
    pub fn written(self) -> Self {
        self.younger("-T", "capture-pane -T", Version::new(3, 4))
    }

    /// The screen of the mode that the pane is in, such as copy mode (from 3.6).
    pub fn mode(self) -> Self {
        self.younger("-M", "capture-pane -M", Version::new(3, 6))
    }

    /// With the number of each line in front (from 3.7).
    pub fn numbers(self) -> Self {
        self.younger("-L", "capture-pane -L", Version::new(3, 7))
    }

    /// With the flags of each line in front (from 3.7).
    pub fn line_flags(self) -> Self {
        self.younger("-F", "capture-pane -F", Version::new(3, 7))
    }

    /// Only the hyperlinks (from 3.7).
    pub fn hyperlinks(self) -> Self {
        self.younger("-H", "capture-pane -H", Version::new(3, 7))
    }
}

impl Run for CapturePane {
    type Answer = Vec<u8>;

    fn command(&self) -> Command {
        self.command.clone()
    }

    fn answer(&self, reply: Reply) -> Result<Vec<u8>, AnswerError> {
        let reply = whole(reply)?;
        let body = reply.blocks().first().map(|block| block.body().to_vec());
        Ok(body.unwrap_or_default())
    }
}
