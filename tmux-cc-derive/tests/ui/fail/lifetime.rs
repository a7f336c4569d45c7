use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row<'a> {
    pane_title: &'a [u8],
}

fn main() {}
