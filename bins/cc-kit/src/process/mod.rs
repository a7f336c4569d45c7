//! Processes of this machine: who is who, who has ended, who uses how much, and how to end them.
//!
//! A process is its pid **and** its start time, so that a number that is used again is never taken
//! for the process that had it. Deaths come from the kernel, by a pidfd; nothing is polled.
//!
//! | Room | In it |
//! |---|---|
//! | `identity` | which process is meant |
//! | `stat` | what is known of one process, and how it ended |
//! | `line` | how the kernel says it |
//! | `snapshot` | all processes at one moment; trees, units, foreground groups in it |
//! | `usage` | processor time and memory |
//! | `watch` | waiting for a death |
//! | `signal` | signals that hit who is meant, or nobody |
//! | `reap` | ending all of a unit, orphans too |
//!
//! All this stands on Linux's `/proc` and pidfd. Elsewhere every question is answered with
//! [`Unsupported`](std::io::ErrorKind::Unsupported), never with "there is none".

#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(
    target_os = "linux",
    allow(dead_code, reason = "only tests call it here")
)]
mod elsewhere;
mod group;
mod identity;
#[cfg(any(test, target_os = "linux"))]
mod line;
#[cfg(target_os = "linux")]
mod linux;
mod reap;
mod signal;
mod snapshot;
mod stat;
mod tree;
mod usage;
mod watch;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

pub use group::Group;
pub use identity::Identity;
pub use reap::{Fate, Mark, Reaped, reap};
pub use rustix::process::Signal;
pub use signal::{Refused, Sent, kill_tree, send};
pub use snapshot::{Foreground, Snapshot, Walk, wchan};
pub use stat::{Exit, Process, State};
pub use tree::end_tree;
pub use usage::{Memory, Usage, memory};
pub use watch::{End, Watch, ended};

#[cfg(test)]
#[cfg(target_os = "linux")]
mod players;
