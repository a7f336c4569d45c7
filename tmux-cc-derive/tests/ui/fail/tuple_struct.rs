use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row(String, u32);

fn main() {}
