use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row {
    #[tmux(default)]
    pane_dead_status: Option<u8>,
}

fn main() {}
