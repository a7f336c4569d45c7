use tmux_cc::format::FromFormat;
use std::time::SystemTime;

#[derive(FromFormat)]
struct Row {
    pane_pipe_pid: Option<u32>,
    #[tmux(name = "pane_dead_time")]
    died: Option<SystemTime>,
}

fn main() {}
