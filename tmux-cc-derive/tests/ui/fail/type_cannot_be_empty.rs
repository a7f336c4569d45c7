use tmux_cc::format::FromFormat;
use tmux_cc::wire::PaneId;

#[derive(FromFormat)]
struct Row {
    pane_dead_status: u8,
    #[tmux(name = "@priority")]
    priority: i32,
    #[tmux(name = "@pane")]
    pane: PaneId,
}

fn main() {}
