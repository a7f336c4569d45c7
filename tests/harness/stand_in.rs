//! A stand-in for the agents that run in panes: from outside it looks like one, and it does what
//! a script says.
//!
//! | Room | In it |
//! |---|---|
//! | [`script`] | what it is told to do: scripts, and the lines of the control socket |
//! | [`machine`] | [`Machine`]: what happens and what comes of it, without a terminal or a clock |
//! | `turn`, `keys`, [`dialog`], [`draft`], `shell` | the parts of that |
//! | `say`, [`transcript`], [`rows`] | what was said, cut into rows |
//! | [`picture`], `claude`, `codex` | what is on the screen |
//! | [`paint`] | from one picture to the next |
//! | [`input`] | bytes taken apart into keys and pastes |
//! | [`record`], [`hook`], [`report`] | what the outside is told: the log, the hook, the control socket |
//! | [`terminal`], [`control`], `signals`, [`run`] | the program around the machine |
//! | [`remote`] | [`Remote`]: how a test talks to one |
//! | `bin/stand_in_agent.rs` | `stand-in-agent`: the program |
//!
//! A test starts it in a pane (`stand-in-agent --like claude --control PATH --log PATH`), connects
//! with [`Remote`], and says what is to happen, so that it never has to wait for time to pass:
//!
//! ```ignore
//! let mut remote = Remote::connect(&control)?;
//! remote.until("idle")?;
//! // ... the code under test sends a prompt ...
//! remote.until_prompts(1)?;
//! remote.order("dialog permission")?;
//! remote.until("idle")?; // once somebody has answered
//! ```
//!
//! Called `claude` or `codex` through a link, it needs no `--like`, and the pane says it runs that.

// Unlike the rest of the harness this is a program: it must not end in a panic that a test would
// take for the crash that it has asked for.
#![deny(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

pub mod agent;
pub mod control;
pub mod dialog;
pub mod draft;
pub mod hook;
pub mod input;
pub mod machine;
pub mod paint;
pub mod picture;
pub mod record;
pub mod remote;
pub mod report;
pub mod rows;
pub mod run;
pub mod script;
pub mod terminal;
pub mod transcript;
pub mod words;

mod claude;
mod codex;
mod keys;
mod say;
mod shell;
mod signals;
mod turn;

pub use machine::Machine;
pub use remote::Remote;
