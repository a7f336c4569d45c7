use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
#[tmux(since = "3.3a")]
struct Row {
    pane_dead_signal: Option<String>,
    pane_pipe_pid: Option<u32>,
}

fn main() {}
