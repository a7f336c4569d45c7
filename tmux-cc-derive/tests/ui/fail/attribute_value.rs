use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row {
    #[tmux(name)]
    pane_id: String,
    #[tmux(name = 7)]
    pane_title: String,
    #[tmux(default = "0")]
    pane_pid: u32,
    #[tmux(unchecked(yes))]
    pane_mood: String,
    #[tmux("pane_id")]
    pane: String,
    #[tmux]
    window_id: String,
}

fn main() {}
