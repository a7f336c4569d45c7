use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row {
    pane_titel: Vec<u8>,
    #[tmux(name = "windw_id")]
    window: Vec<u8>,
    mood: Vec<u8>,
    #[tmux(name = "#{pane_title}")]
    title: Vec<u8>,
    #[tmux(unchecked, name = "a b")]
    spaced: Vec<u8>,
}

fn main() {}
