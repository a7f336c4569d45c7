use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
#[tmux(since = "3.3", since = "3.4")]
struct Row {
    #[tmux(name = "pane_id", name = "pane_title")]
    id: String,
    #[tmux(default)]
    #[tmux(default)]
    pane_pid: u32,
}

fn main() {}
