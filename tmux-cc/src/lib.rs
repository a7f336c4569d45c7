//! tmux control mode.
pub mod wire;
