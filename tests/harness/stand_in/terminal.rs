//! The terminal: raw, with the modes of the program that is looked like, and as it was again.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use super::agent::{Like, Size};

/// What is read at once, at most.
const CHUNK: usize = 64 * 1024;

/// Where there is no terminal to ask.
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// Standard input and output as a terminal.
#[derive(Debug)]
pub struct Terminal {
    input: File,
    output: File,
    before: Option<Termios>,
    modes: Option<Modes>,
}

/// What is switched on at the start and off at the end.
#[derive(Clone, Copy, Debug)]
struct Modes {
    on: &'static str,
    off: &'static str,
}

const CLAUDE: Modes = Modes {
    on: "\x1b[?2004h\x1b[?1004h",
    off: "\x1b[?2004l\x1b[?1004l\x1b]0;\x07",
};
const CODEX: Modes = Modes {
    on: "\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[?1007h\x1b[>5u",
    off: "\x1b[<u\x1b[?1007l\x1b[?1004l\x1b[?2004l\x1b]7501;state=clear\x1b\\\x1b]0;\x07\x1b[?1049l",
};
const BRACKETED: Modes = Modes {
    on: "\x1b[?2004h",
    off: "\x1b[?2004l",
};

impl Terminal {
    /// The terminal as it is; nothing is changed yet.
    ///
    /// # Errors
    /// When standard input or output is closed.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            input: File::from(io::stdin().as_fd().try_clone_to_owned()?),
            // Not `io::stdout()`, which keeps what follows the last newline.
            output: File::from(io::stdout().as_fd().try_clone_to_owned()?),
            before: None,
            modes: None,
        })
    }

    /// From here on every key is read as it comes, and nothing is echoed.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn take(&mut self, like: Like, bracketed: bool) -> io::Result<()> {
        if isatty(&self.input) {
            let before = tcgetattr(&self.input)?;
            let mut raw = before.clone();
            raw.make_raw();
            // What was typed before stays to be read.
            tcsetattr(&self.input, OptionalActions::Now, &raw)?;
            self.before = Some(before);
        }
        self.modes = match like {
            Like::Claude => Some(CLAUDE),
            Like::Codex => Some(CODEX),
            Like::Shell => bracketed.then_some(BRACKETED),
        };
        match self.modes {
            Some(modes) => self.write(modes.on.as_bytes()),
            None => Ok(()),
        }
    }

    /// Whether [`take`](Self::take) was called.
    #[must_use]
    pub fn taken(&self) -> bool {
        self.before.is_some() || self.modes.is_some()
    }

    /// Makes it as it was.
    pub fn give_back(&mut self) {
        // It may be gone, and then there is nothing to give back.
        if let Some(modes) = self.modes.take() {
            let _ = self.write(modes.off.as_bytes());
        }
        if let Some(before) = self.before.take() {
            let _ = tcsetattr(&self.input, OptionalActions::Drain, &before);
        }
    }

    /// Its size; `None` when it is gone.
    #[must_use]
    pub fn size(&self) -> Option<Size> {
        if !isatty(&self.output) {
            return tcgetwinsize(&self.output)
                .is_err_and(not_a_terminal)
                .then_some(USUAL);
        }
        let size = tcgetwinsize(&self.output).ok()?;
        Some(Size {
            columns: if size.ws_col == 0 {
                USUAL.columns
            } else {
                size.ws_col
            },
            rows: if size.ws_row == 0 {
                USUAL.rows
            } else {
                size.ws_row
            },
        })
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    /// Reads what is there, waiting for the first byte. Empty when there will be no more.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; CHUNK];
        let length = self.input.read(&mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Whether something can be read right now.
    #[must_use]
    pub fn has_more(&self) -> bool {
        let mut fds = [PollFd::new(&self.input, PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// What to wait on for input.
    #[must_use]
    pub fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }
}

fn not_a_terminal(error: rustix::io::Errno) -> bool {
    error == rustix::io::Errno::NOTTY || error == rustix::io::Errno::INVAL
}
