//! Verbs that ask of what is there, or change it.

use std::path::PathBuf;

use cc_kit::config::Span;
use cc_kit::home::State;
use clap::{Args, Subcommand};

use super::adding::OnBlocked;

const WAIT_EXITS: &str = "Exit codes, of the first that is not done: 0 all are done; 1 failed, cancelled or \
    dead; 3 it is blocked or held, and somebody must look; 4 no such task; 8 something was typed, and what \
    became of it is not known; 69 no balancer runs; 124 not over within --timeout; 130, 143 stopped by SIGINT, \
    SIGTERM. No task is cancelled.";

const DOCTOR_EXITS: &str = "Exit codes: 0 no problem was found; 1 one was; 2 the configuration has a mistake; 7 the \
    store cannot be used, or is damaged; 69 a balancer runs and does not answer.";

/// One task.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The task, or how its id begins.
    pub(crate) id: String,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) state: State,
}

/// Some tasks.
#[derive(Debug, Args)]
pub(crate) struct Ids {
    /// The tasks, or how their ids begin.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
#[command(after_help = WAIT_EXITS)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) ids: Ids,
    /// How long to wait.
    #[arg(long, value_name = "D")]
    pub(crate) timeout: Option<Span>,
    /// Where one waits for a person.
    #[arg(long, value_enum, default_value = "wait")]
    pub(crate) on_blocked: OnBlocked,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Only these, all of: a state (queued,running), group=G, to=UNIT, kind=task|message, last=N.
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Only those that need this; repeatable.
    #[arg(short, long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    /// Go on, and show them anew whenever something changes.
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Times as they are, not how long ago.
    #[arg(long)]
    pub(crate) absolute: bool,
    /// As JSON; with --watch one object a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    pub(crate) ids: Ids,
    /// End the program that works on it, where it does not stop by itself.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The task, or how its id begins.
    pub(crate) id: String,
    /// Its text.
    #[arg(long, conflicts_with = "file")]
    pub(crate) text: Option<String>,
    /// Its text is in this file; - for standard input.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Higher first.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i32>,
    /// All that its worker must have, in place of what was said before; repeatable.
    #[arg(short, long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// List them.
    Ls(Listing),
    /// Queue them again.
    Retry(Ids),
    /// Forget them.
    Rm(Ids),
}

/// A list.
#[derive(Debug, Args)]
pub(crate) struct Listing {
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) state: State,
}

/// Something with a name.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its name.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct SetParallel {
    /// Its name.
    pub(crate) name: String,
    /// How many may be under way at once, or `any`.
    #[arg(value_name = "N|any", value_parser = parallel)]
    pub(crate) parallel: Parallel,
    #[command(flatten)]
    pub(crate) state: State,
}

/// How many; none: any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parallel(pub(crate) Option<u32>);

fn parallel(text: &str) -> Result<Parallel, String> {
    match text {
        "any" => Ok(Parallel(None)),
        _ => match text.parse() {
            Ok(0) | Err(_) => {
                Err("write a number from 1, or any; `pause` begins nothing".to_owned())
            }
            Ok(number) => Ok(Parallel(Some(number))),
        },
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Worker {
    /// List them.
    Ls(Listing),
    /// Give it nothing more; what it works on goes on.
    Drain(Named),
    /// Give it tasks again.
    Resume(Named),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// List them.
    Ls(Listing),
    /// Begin nothing on it.
    Limit(Limit),
    /// Begin tasks on it again.
    Clear(Named),
    /// Say how many tasks may be under way on it.
    SetParallel(SetParallel),
}

#[derive(Debug, Args)]
pub(crate) struct Limit {
    #[command(flatten)]
    pub(crate) named: Named,
    /// For how long [default: until `clear`].
    #[arg(long = "for", value_name = "D", conflicts_with = "until")]
    pub(crate) span: Option<Span>,
    /// Until when, such as 2026-11-27T15:00:00Z [default: until `clear`].
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "by hand")]
    pub(crate) why: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List them.
    Ls(Listing),
    /// Begin nothing more of it; what is under way goes on.
    Pause(Named),
    /// Begin tasks of it again.
    Resume(Named),
    /// Say how many of it may be under way.
    SetParallel(SetParallel),
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The copy; it must not be there.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Which, such as nats://host:4222.
    #[arg(long, value_name = "STORE")]
    pub(crate) to: String,
    /// The configuration, for its table `nats` [default: $XDG_CONFIG_HOME/cc/balancer.toml, where there is one].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Plain text to a NATS server of another machine: everybody on the way reads and writes tasks.
    #[arg(long)]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The file [default: $XDG_CONFIG_HOME/cc/balancer.toml].
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXITS)]
pub(crate) struct Doctor {
    /// The configuration [default: $XDG_CONFIG_HOME/cc/balancer.toml, where there is one].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
    /// As JSON, with all that was found.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The attempt, as the balancer calls it.
    #[arg(long, value_name = "ID.N")]
    pub(crate) attempt: String,
    /// What ties this to that attempt.
    #[arg(long, value_name = "X")]
    pub(crate) nonce: String,
    /// Where the balancer listens [default: where that of the state does].
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
}
