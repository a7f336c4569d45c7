//! A task queue whose workers are tmux panes.
//!
//! | Room | In it |
//! |---|---|
//! | [`task`] | tasks, attempts, what came of them |
//! | [`policy`] | what is next, who gets it, what becomes of it |
//! | [`store`] | where they are kept: one trait, and who implements it |

pub mod policy;
pub mod store;
pub mod task;

use std::process::ExitCode;

/// Parses the command line, does what it says, and reports how that failed.
#[must_use]
pub fn start() -> ExitCode {
    ExitCode::SUCCESS
}
