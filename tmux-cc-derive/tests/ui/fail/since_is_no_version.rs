use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
#[tmux(since = "new")]
struct Row {
    #[tmux(since = 3.6)]
    pane_pipe_pid: Option<u32>,
    #[tmux(since = "next-3.8")]
    pane_id: Option<String>,
    #[tmux(since)]
    window_id: Option<String>,
}

fn main() {}
