use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
union Row {
    pane_id: u32,
}

fn main() {}
