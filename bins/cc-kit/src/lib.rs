//! What the tmux-cc programs share and is not protocol.
//!
//! | Room | In it |
//! |---|---|
//! | [`exit`] | the one table of exit codes, and how a program ends with one |
//! | [`journal`] | the log on disk: record format, writer, reader, store |
//! | [`printable`](mod@printable) | text from strangers, made safe for a terminal |
//! | [`signals`] | when to stop, and the signal that must not kill a writer |
//! | [`telemetry`] | tracing to stderr |

pub mod exit;
pub mod journal;
pub mod printable;
pub mod signals;
pub mod telemetry;
