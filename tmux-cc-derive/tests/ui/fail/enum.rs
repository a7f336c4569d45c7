use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
enum Row {
    PaneId(u32),
}

fn main() {}
