use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
#[tmux(since = "3.3")]
struct Row {
    #[tmux(since = "3.6")]
    pane_pipe_pid: Option<u32>,
    #[tmux(since = "3.3")]
    pane_dead_signal: Option<String>,
    #[tmux(since = "3.7", unchecked)]
    pane_mood: u32,
}

fn main() {}
