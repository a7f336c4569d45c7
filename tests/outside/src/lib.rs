//! What a user of `tmux-cc` writes who names nothing else of ours: the derive comes with it.

use tmux_cc::format::FromFormat;
use tmux_cc::wire::PaneId;

/// A row of one's own.
#[derive(Clone, Debug, PartialEq, Eq, FromFormat)]
pub struct Title {
    /// The pane.
    pub pane_id: PaneId,
    /// Its title.
    pub pane_title: Vec<u8>,
}
