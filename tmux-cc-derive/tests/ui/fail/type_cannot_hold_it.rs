use tmux_cc::format::FromFormat;
use std::time::SystemTime;

use tmux_cc::wire::{PaneId, SessionId, WindowId};

#[derive(FromFormat)]
struct Row {
    pane_title: u32,
    pane_id: WindowId,
    #[tmux(name = "session_id")]
    session: Option<PaneId>,
    pane_dead: i64,
    pane_in_mode: bool,
    pane_left: u16,
    session_created: u32,
    window_layout: bool,
    window_id: SessionId,
    window_width: SystemTime,
}

fn main() {}
