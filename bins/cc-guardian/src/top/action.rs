//! What happens to the dashboard, and what it asks for.

use crossterm::event::KeyEvent;

use super::listing::Listing;

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The units, as they are now.
    Listing(Listing),
    /// The daemon cannot be reached, and why. The next listing ends that.
    Lost(String),
    /// The screen of a unit's pane, one text a row, as [`Action::Peek`] asked.
    Peeked {
        unit: String,
        rows: Vec<String>,
    },
    /// A text to read, one line an entry: what [`Action::Explain`] gave.
    Page {
        title: String,
        lines: Vec<String>,
    },
    /// One line about something that was done.
    Said(String),
    /// One line about something that could not be done.
    Failed(String),
    Key(KeyEvent),
    /// Text that was pasted: it never acts as keys.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize {
        columns: u16,
        rows: u16,
    },
    /// Time went by.
    Tick,
}

/// Something to be done by whoever runs the dashboard. Units are named as the listing names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Go to its pane.
    Attach {
        unit: String,
        read_only: bool,
    },
    /// Show its screen: [`Event::Peeked`] is expected.
    Peek(String),
    Restart(String),
    Stop(String),
    /// Type `text` into its pane and submit it. It may have several lines.
    Send {
        unit: String,
        text: String,
    },
    /// Answer the dialog that is open.
    Answer {
        unit: String,
        /// `yes`, `no`, the key of a choice, or a text.
        answer: String,
        /// Names the dialog that was read, where the listing named it: another one must not be
        /// answered.
        dialog: Option<String>,
    },
    /// Why it is believed to be in its state: [`Event::Page`] is expected.
    Explain(String),
    /// Show what its pane printed.
    Logs(String),
    /// Leave.
    Quit,
}

impl Action {
    /// Does it change something? Then it was confirmed, and is done in the order of confirmation.
    pub(crate) const fn has_effect(&self) -> bool {
        matches!(
            self,
            Self::Restart(_) | Self::Stop(_) | Self::Send { .. } | Self::Answer { .. }
        )
    }

    /// The unit it is about.
    pub(crate) fn unit(&self) -> Option<&str> {
        match self {
            Self::Attach { unit, .. }
            | Self::Peek(unit)
            | Self::Restart(unit)
            | Self::Stop(unit)
            | Self::Send { unit, .. }
            | Self::Answer { unit, .. }
            | Self::Explain(unit)
            | Self::Logs(unit) => Some(unit),
            Self::Quit => None,
        }
    }

    /// In a word or two, for a line that speaks of it.
    pub(crate) const fn verb(&self) -> &'static str {
        match self {
            Self::Attach { .. } => "attach to",
            Self::Peek(_) => "peek at",
            Self::Restart(_) => "restart",
            Self::Stop(_) => "stop",
            Self::Send { .. } => "send to",
            Self::Answer { .. } => "answer",
            Self::Explain(_) => "explain",
            Self::Logs(_) => "logs of",
            Self::Quit => "quit",
        }
    }
}
