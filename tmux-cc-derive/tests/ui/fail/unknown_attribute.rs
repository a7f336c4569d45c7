use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
#[tmux(rename_all = "snake_case")]
#[tmux(default)]
struct Row {
    #[tmux(rename = "pane_id")]
    id: String,
    #[tmux(skip)]
    pane_title: String,
    #[tmux(a::b = 1, flatten(x, y), name = "pane_id")]
    other: String,
}

fn main() {}
