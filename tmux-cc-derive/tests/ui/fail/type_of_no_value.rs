use tmux_cc::format::FromFormat;
use std::path::PathBuf;

#[derive(FromFormat)]
struct Row {
    pane_width: f64,
    pane_title: &'static str,
    pane_mode: Option<char>,
    pane_height: i8,
    history_size: u128,
    pane_current_path: PathBuf,
}

fn main() {}
