//! `#[derive(FromFormat)]` for `tmux-cc`: structs from tmux format variables.
//!
//! The derive itself comes with the `format` room of `tmux-cc`; until then this crate
//! exports nothing and reserves its place in the workspace.
