//! The built `cc-logger` against a real tmux, each test with a server of its own.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: the helpers around the test functions are tests too"
)]

mod bytes;
mod disk;
mod exports;
mod faults;
mod following;
mod hostile;
mod logger;
mod mistakes;
mod operation;
mod redaction;
mod tapped;
