//! The command line.

mod adding;
mod asking;

use std::path::PathBuf;

use cc_kit::exit::Failure;
use cc_kit::home::State;
use cc_kit::manual::{Completions, Man};
use cc_kit::telemetry::{self, Verbosity};
use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

pub(crate) use adding::{Add, Input, OnBlocked, Run, Send, Wanted};
pub(crate) use asking::{
    Account, Backup, Cancel, Check, Dead, Doctor, Edit, Exec, Ids, Limit, Listing, Migrate, Named,
    One, Queue, SetParallel, Status, Wait, Worker,
};

const EXITS: &str = "Exit codes: 0 done, the task succeeded; 1 it ran and failed, or is not in a state for \
    that; 2 usage, or a mistake in the configuration; 3 blocked, somebody must look; 4 no such task, worker, \
    group or account; 5 not allowed; 6 the account is limited, with --no-wait; 7 the store cannot be used; 8 \
    something was typed, and what became of it is not known; 69 no balancer runs; 75 no worker in time; 124 \
    not done in time; 130, 143 stopped by SIGINT, SIGTERM";

/// A queue of tasks whose workers are panes of tmux.
#[derive(Debug, Parser)]
#[command(version, after_help = EXITS, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

impl Cli {
    /// Begins to write traces to standard error.
    pub(crate) fn telemetry(&self) -> Result<(), Failure> {
        let base = match self.verb {
            Verb::Serve(_) => LevelFilter::INFO,
            _ => LevelFilter::ERROR,
        };
        // What happens to a connection is told by us, once.
        Ok(telemetry::start_with(
            base,
            self.verbosity,
            "async_nats=off",
        )?)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Hand out tasks, in the foreground, until SIGINT or SIGTERM; what is under way goes on then.
    Serve(Serve),
    /// Add a task: once this has answered, it is there to stay.
    Add(Add),
    /// Add a task, wait for it, and give its result and its exit code: for scripts and CI.
    Run(Run),
    /// Send a message: it arrives in the recipient's pane once that can take it, in order, at least once.
    Send(Send),
    /// Wait until tasks are over.
    Wait(Wait),
    /// Show what happens to a task until it is over.
    Follow(One),
    /// Print what came of a task.
    Result(One),
    /// Print what happened to a task.
    Log(One),
    /// List tasks, and how many there are.
    Status(Status),
    /// Say why a task is in its state, and what it waits for.
    Why(One),
    /// Want tasks no more.
    Cancel(Cancel),
    /// Queue tasks again that are over or held.
    Retry(Ids),
    /// Keep tasks that wait from being begun.
    Hold(Ids),
    /// Let tasks be begun that are held.
    Release(Ids),
    /// Change a task that waits.
    Edit(Edit),
    /// Tasks that could not be carried through.
    #[command(subcommand)]
    Dead(Dead),
    /// The panes that work.
    #[command(subcommand)]
    Worker(Worker),
    /// The credentials that workers share.
    #[command(subcommand)]
    Account(Account),
    /// The groups of tasks.
    #[command(subcommand)]
    Queue(Queue),
    /// Write a copy of the store that can be opened, while everything goes on.
    Backup(Backup),
    /// Move to another store.
    Migrate(Migrate),
    /// Look for mistakes in a configuration.
    Check(Check),
    /// Look for everything that could hurt, and change nothing.
    Doctor(Doctor),
    /// For shell workers alone: run the command of an attempt, and say how it ended.
    #[command(hide = true)]
    Exec(Exec),
    /// Print what a shell needs to complete this command line.
    Completions(Completions),
    /// Print the man page, or write those of all verbs.
    Man(Man),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Its configuration [default: $XDG_CONFIG_HOME/cc/balancer.toml, where there is one].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Plain text to a NATS server of another machine: everybody on the way reads and writes tasks.
    #[arg(long)]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) state: State,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_check_ends_at_a_semicolon_of_its_own() {
        let words = [
            "cc-balancer",
            "add",
            "--check",
            "make",
            "-s",
            ";",
            "-p",
            "do",
        ];
        let Verb::Add(add) = Cli::parse_from(words).verb else {
            panic!("not add");
        };
        assert_eq!(add.wanted.check, ["make", "-s"]);
        assert_eq!(add.wanted.input.text.as_deref(), Some("do"));
        assert!(add.print_task_id);
    }
}
