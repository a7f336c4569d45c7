use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row {
    #[tmux(format = "#{pane_id")]
    open: String,
    #[tmux(format = "#{pane_id}}")]
    closed: String,
    #[tmux(format = "")]
    empty: String,
    #[tmux(format = "a#")]
    half: String,
    #[tmux(format = "a\0b")]
    nul: String,
}

fn main() {}
