//! Tests against a real tmux, each with a server of its own.
//!
//! One binary, so that it links once: a new subject is a module, not a new `[[test]]`.
//! A missing tmux fails them all; `TMUX_CC_TEST_SKIP=1` skips them and says so.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: the helpers around the test functions are tests too"
)]

mod attach;
mod backpressure;
mod commands;
mod events;
mod faults;
mod floor;
mod following;
mod harmless;
mod harness_self;
mod health;
mod leaks;
mod memory;
mod quoting;
mod replies;
mod rows;
mod spoof;
mod stand_in;
mod streams;
mod subscriptions;
mod support;
mod tap;
mod tree;
mod typing;
mod variables;
// It looks for the processes that wait in `/proc`.
#[cfg(target_os = "linux")]
mod waiting;
