use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row {
    #[tmux(name = "pane_id", format = "#{pane_id}")]
    id: String,
    #[tmux(format = "#{pane_id}", unchecked)]
    unchecked: String,
}

fn main() {}
