//! The built `cc-guardian` against a real tmux, each test with a guardian and servers of its own.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: the helpers around the test functions are tests too"
)]

mod adopting;
mod alerts;
mod answers;
mod beside;
mod bounds;
mod changes;
mod deaths;
mod doctor;
mod faults;
mod guardian;
mod hanging;
mod heard;
mod life;
mod limits;
mod lost;
mod mistakes;
mod moments;
mod order;
mod prompts;
mod real;
mod sending;
mod showing;
mod top;
