use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
#[tmux(since = "3.1c")]
struct Row {
    pane_title: String,
}

fn main() {}
