use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Unit;

#[derive(FromFormat)]
struct Empty {}

fn main() {}
