//! Telling somebody that a unit needs them.
//!
//! | Room | In it |
//! |---|---|
//! | `desk` | what is told, and when: a pure decider |
//! | `line` | the same of one alert: what waits, what was told, what was not |
//! | `memory` | what was told, as it is stored |
//! | `message` | what is told |
//! | `letter` | the same as text and JSON: no secrets, nothing that drives a terminal |
//! | `send` | the senders: a program, a webhook, the desktop |
//! | `post` | sending in the background, and again when it fails |
//! | `command` | `alert ls` and `alert test`, which need no daemon |

mod command;
mod desk;
mod letter;
mod line;
mod memory;
mod message;
mod post;
mod send;

pub use self::desk::Desk;
pub use self::letter::{Letter, Secrets};
pub use self::memory::Remembered;
pub use self::message::{Facts, Message, Now, Untold};
pub use self::post::{BACKOFF, Outcome, Post, Report};
pub use self::send::{Means, SendError, Sent, send};

pub(crate) use self::command::alert;
