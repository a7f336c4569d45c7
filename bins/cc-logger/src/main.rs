//! A complete log of every pane of a tmux server.
fn main() {}
