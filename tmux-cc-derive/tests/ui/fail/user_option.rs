use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row {
    #[tmux(name = "@")]
    nameless: Vec<u8>,
    #[tmux(name = "@my option")]
    spaced: Vec<u8>,
    #[tmux(name = "@a},#{pane_id")]
    injected: Vec<u8>,
}

fn main() {}
