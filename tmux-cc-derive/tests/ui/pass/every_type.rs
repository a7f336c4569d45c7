use tmux_cc::format::FromFormat;
use std::time::SystemTime;
use tmux_cc::format::rows;
use tmux_cc::wire::{PaneId, SessionId, Version, WindowId};

#[derive(FromFormat, Debug)]
struct Row {
    pane_id: PaneId,
    window_id: WindowId,
    session_id: Option<SessionId>,
    pane_dead: bool,
    pane_active: Option<bool>,
    pane_in_mode: u8,
    pane_index: u16,
    pane_width: u32,
    history_size: u64,
    pane_height: usize,
    pane_left: i32,
    pane_top: i64,
    pane_title: String,
    pane_tty: Vec<u8>,
    pane_current_path: Box<[u8]>,
    window_layout: Vec<u8>,
    session_created: SystemTime,
    session_activity: u64,
    version: Version,
    pane_mode: std::option::Option<std::string::String>,
}

fn main() {
    let printed = b"%1|@2|$3|1||1|2|80|0|24|-1|-2|a\\ b|/dev/x||b25d|7|8|3.8||\n";
    let row = &rows::<Row>(printed).unwrap()[0];
    assert_eq!((row.pane_id, row.window_id, row.session_id), (PaneId(1), WindowId(2), Some(SessionId(3))));
    assert_eq!((row.pane_left, row.pane_top, row.session_activity), (-1, -2, 8));
    assert_eq!((row.pane_title.as_str(), &row.pane_mode), ("a b", &None));
}
