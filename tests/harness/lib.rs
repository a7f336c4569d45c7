//! What the tests stand on: a real tmux server that cannot outlive its test, waiting that
//! names what it waited for, bytes that two programs can agree on, and a program to run in panes.
//!
//! | Room | In it |
//! |---|---|
//! | [`server`] | [`Server`]: tmux on a private socket, dead when dropped |
//! | [`wait`] | conditions polled with a deadline, for threads and for tokio |
//! | [`seeded`] | [`Seeded`](seeded::Seeded): a stream of bytes that is a function of a seed |
//! | [`dice`] | chance that is the same in each run |
//! | [`process`] | [`Process`]: is it alive, what it holds |
//! | [`toy`] | [`Toy`](toy::Toy): control mode without a tmux, scripted, that says what it means |
//! | [`scenario`] | what is played to a tmux, and the transcripts that come of it |
//! | `bin/record_transcripts.rs` | `record-transcripts`: writes them down |
//! | [`stand_in`] | a program that looks like an agent, and does what a script says |
//! | `bin/stand_in_agent.rs` | `stand-in-agent`: it, as a program for panes ([`stand_in_agent!`]) |
//! | [`claude_code`] | Claude Code itself, where it is installed |
//! | [`messages`] | what agents that are real programs talk to, on a loopback port |
//! | [`raw`] | clients that are not ours: a user's, and one that breaks off |
//! | [`facts`] | what a run has found out about its tmux |
//! | `bin/pane_agent.rs` | `pane-agent`: prints known bytes inside a pane ([`pane_agent!`]) |
//!
//! The harness panics where a test would: its callers are tests, and a panic with a sentence is
//! how they want to hear of it. It does not use `tmux-cc`, so that a fault of the library
//! cannot hide in what is meant to find it.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test support: a broken assumption must fail the test, loudly"
)]

pub mod claude_code;
pub mod dice;
pub mod facts;
pub mod messages;
pub mod process;
pub mod raw;
pub mod scenario;
pub mod seeded;
pub mod server;
pub mod stand_in;
pub mod toy;
pub mod wait;

pub use process::Process;
pub use server::{Boot, Server};

/// The path of the built `pane-agent`, as a `&'static str`.
///
/// A macro, because cargo tells the path only to the integration tests of this package, where
/// the macro expands.
#[macro_export]
macro_rules! pane_agent {
    () => {
        env!("CARGO_BIN_EXE_pane-agent")
    };
}

/// True when the environment asks for tests that need tmux to be skipped.
///
/// Only `TMUX_CC_TEST_SKIP=1` does: a test that was quietly not run looks like one that passed,
/// so a missing tmux is an error by default.
#[must_use]
pub fn skip_asked() -> bool {
    std::env::var_os("TMUX_CC_TEST_SKIP").is_some_and(|value| value == "1")
}

/// Returns from the calling test, with a line that says so, when [`skip_asked`].
#[macro_export]
macro_rules! skip_if_asked {
    () => {
        if $crate::skip_asked() {
            eprintln!("SKIPPED {}: TMUX_CC_TEST_SKIP=1", module_path!());
            return;
        }
    };
}

/// The path of the built `stand-in-agent`, as a `&'static str`; as [`pane_agent!`].
#[macro_export]
macro_rules! stand_in_agent {
    () => {
        env!("CARGO_BIN_EXE_stand-in-agent")
    };
}
