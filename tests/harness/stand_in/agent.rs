//! Which program a stand-in looks like, and what it is told about itself.

use std::time::Duration;

use super::script::Script;

/// The program that a stand-in looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Like {
    /// Claude Code 2.1: normal screen, a box between two rules.
    Claude,
    /// Codex 0.169: alternate screen, a box at the bottom.
    Codex,
    /// A shell: a line at a time, no screen of its own.
    Shell,
}

impl Like {
    /// The name of the program, which is also what it calls itself on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Shell => "shell",
        }
    }
}

/// Columns and rows of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns, at least one.
    pub columns: u16,
    /// Rows, at least one.
    pub rows: u16,
}

/// What a stand-in is told at its start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which program it looks like.
    pub like: Like,
    /// What it does at each prompt.
    pub script: Script,
    /// Does it do what stands in a prompt behind `do: `?
    pub obeys: bool,
    /// The folder it works in, as it stands in footers and dialogs.
    pub cwd: String,
    /// The id of its session.
    pub session: String,
    /// Whether that session is an old one.
    pub resumed: bool,
    /// A prompt that it submits by itself as soon as it can.
    pub prompt: Option<String>,
    /// Whether it asks at its start if the folder is trusted.
    pub trust: bool,
    /// How long it takes until it reads.
    pub slow_start: Duration,
    /// How much later the box shows what was typed.
    pub slow_echo: Duration,
    /// An Enter that comes so soon behind a paste is swallowed.
    pub paste_guard: Duration,
    /// So many Enters are swallowed.
    pub eat_enter: u32,
    /// Whether a shell marks its prompts and commands (OSC 133).
    pub marks: bool,
    /// Signals that do nothing.
    pub ignored: Vec<i32>,
    /// Seconds since 1970 at the start, for the clock of done lines.
    pub started: u64,
}

impl Setup {
    /// A setup without anything unusual.
    #[must_use]
    pub fn new(like: Like) -> Self {
        Self {
            like,
            script: Script::default(),
            obeys: false,
            cwd: "/w/app".to_owned(),
            session: "00000000-0000-4000-8000-000000000000".to_owned(),
            resumed: false,
            prompt: None,
            trust: false,
            slow_start: Duration::ZERO,
            slow_echo: Duration::ZERO,
            paste_guard: Duration::ZERO,
            eat_enter: 0,
            marks: false,
            ignored: Vec::new(),
            started: 0,
        }
    }

    /// The last part of the folder's name.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.cwd.rsplit('/').next().unwrap_or_default()
    }
}
