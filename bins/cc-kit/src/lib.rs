//! What the tmux-cc programs share and is not protocol.
//!
//! | Room | In it |
//! |---|---|
//! | [`ask`] | asking a daemon over its control socket |
//! | [`config`] | configuration files: mistakes said with their line |
//! | [`control`] | the control socket of a daemon |
//! | [`doctor`] | findings: what hurts, why, and what to do |
//! | [`exit`] | the one table of exit codes, and how a program ends with one |
//! | [`home`] | where a daemon keeps what it keeps |
//! | [`hook`] | what agents say of themselves through their hooks |
//! | [`journal`] | the log on disk: record format, writer, reader, store |
//! | [`lease`] | who may write to a pane: one at a time |
//! | [`limit`] | limits of accounts: when they end, and who tries first |
//! | [`logs`] | the logs that cc-logger keeps of panes, found and read |
//! | [`manual`] | completions for shells, and man pages |
//! | [`pane`] | eyes and hands on one pane |
//! | [`places`] | where the programs keep what they keep |
//! | [`printable`](mod@printable) | text from strangers, made safe for a terminal |
//! | [`process`] | processes: who they are, what they use, how they end |
//! | [`profile`] | what a program in a pane is doing, read from outside |
//! | [`redact`] | secrets, taken out of what panes print |
//! | [`send`] | a prompt to a program in a pane: exactly, once, or not at all |
//! | [`signals`] | when to stop, and the signal that must not kill a writer |
//! | [`stdout`] | printing, where a reader that has gone is no mistake |
//! | [`telemetry`] | tracing to stderr |
//! | [`verdict`] | what we believe a program is doing, and why |

pub mod ask;
pub mod config;
pub mod control;
pub mod doctor;
pub mod exit;
pub mod home;
pub mod hook;
pub mod journal;
pub mod lease;
pub mod limit;
pub mod logs;
pub mod manual;
pub mod pane;
pub mod places;
pub mod printable;
pub mod process;
pub mod profile;
pub mod redact;
pub mod send;
pub mod signals;
pub mod stdout;
pub mod telemetry;
pub mod verdict;
