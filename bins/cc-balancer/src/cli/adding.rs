//! Verbs that add something.

use std::path::PathBuf;

use cc_kit::config::Span;
use cc_kit::home::State;
use clap::{Args, ValueEnum};

const RUN_EXITS: &str = "Exit codes: 0 it is done; 1 it failed, was cancelled, or is dead; 3 it is blocked or \
    held, and somebody must look (it stays); 4 no such unit (--ensure); 6 its account is limited (--no-wait); 8 \
    something was typed, and what became of it is not known; 69 no balancer runs; 75 nobody took it within \
    --worker-timeout; 124 not over within --timeout; 130, 143 stopped by SIGINT, SIGTERM. With 6, 75, 124, 130 \
    and 143 it is cancelled, unless --detach is given. With --exit-code-from check a task that failed gives the \
    exit code of its check.";

/// The text of a task or a message.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// The prompt; for a shell worker the command.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) text: Option<String>,
    /// It is in this file; - for standard input. A line feed at its end is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    #[command(flatten)]
    pub(crate) input: Input,
    /// What its worker must have; repeatable.
    #[arg(short, long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    /// Who alone may have it: a unit such as coder or coder@1, or a pane such as %3.
    #[arg(long, value_name = "UNIT")]
    pub(crate) to: Option<String>,
    /// Only once that task is done; repeatable.
    #[arg(long, value_name = "ID")]
    pub(crate) after: Vec<String>,
    /// Not before that time has passed, such as 10m.
    #[arg(long, value_name = "D")]
    pub(crate) delay: Option<Span>,
    /// Higher first; one more is worth ten minutes of waiting.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) priority: i32,
    /// Of all tasks with that key there is only the first, whose id is given then.
    #[arg(long, value_name = "K")]
    pub(crate) key: Option<String>,
    /// How often it is tried again [default: that of its group].
    #[arg(long, value_name = "N")]
    pub(crate) retry: Option<u32>,
    /// Its group, which has a parallelism.
    #[arg(long, value_name = "G", default_value = "default")]
    pub(crate) group: String,
    /// What must end with 0 for it to be done, words as they are; goes to the end of the line, or to a
    /// `;` of its own [default: that of its group].
    #[arg(
        long,
        value_name = "CMD",
        num_args = 1..,
        allow_hyphen_values = true,
        value_terminator = ";"
    )]
    pub(crate) check: Vec<String>,
    /// Where the check and the command of a shell worker run [default: here for the check, where the
    /// worker is for its command].
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// Tasks of the same affinity go to the same worker where that is free.
    #[arg(long, value_name = "A")]
    pub(crate) affinity: Option<String>,
    /// Who asks, so that nobody crowds out others [default: $USER].
    #[arg(long, value_name = "NAME")]
    pub(crate) submitter: Option<String>,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// How long an attempt may take [default: that of its group].
    #[arg(long, value_name = "D")]
    pub(crate) timeout: Option<Span>,
    /// The configuration: what groups say of their tasks where no balancer runs, which else says it itself
    /// [default: as for serve].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print nothing but the id.
    #[arg(short, long)]
    pub(crate) print_task_id: bool,
    /// As JSON.
    #[arg(long, conflicts_with = "print_task_id")]
    pub(crate) json: bool,
}

/// What to do where a task waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnBlocked {
    /// End with 3, or with 8 where nobody knows what became of what was typed.
    Exit,
    /// Wait on: somebody may look.
    Wait,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_EXITS)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// How long all of it may take, waiting included; then it is cancelled.
    #[arg(long, value_name = "D")]
    pub(crate) timeout: Option<Span>,
    /// How long it may wait for a worker; then it is cancelled.
    #[arg(long, value_name = "D")]
    pub(crate) worker_timeout: Option<Span>,
    /// Do not wait for a limited account; end with 6.
    #[arg(long, alias = "no-wait-limited")]
    pub(crate) no_wait: bool,
    /// Where it waits for a person.
    #[arg(long, value_enum, default_value = "exit")]
    pub(crate) on_blocked: OnBlocked,
    /// Cancel nothing when this ends early: the task goes on.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Whose exit code to give where the task failed.
    #[arg(long, value_name = "OF", value_parser = ["check"])]
    pub(crate) exit_code_from: Option<String>,
    /// Have the guardian start that unit first, if it does not run; without --to and -l the task is its.
    #[arg(long, value_name = "UNIT")]
    pub(crate) ensure: Option<String>,
    /// Write the result there as JSON; - for standard output, in place of its text.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Append the result there as Markdown.
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Write the result there as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// For whom: a unit such as coder or coder@1, or a pane such as %3.
    #[arg(long, value_name = "UNIT")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Of all messages with that key there is only the first, whose id is given then.
    #[arg(long, value_name = "K")]
    pub(crate) key: Option<String>,
    /// Not before that time has passed, such as 10m.
    #[arg(long, value_name = "D")]
    pub(crate) delay: Option<Span>,
    /// Who asks [default: $USER].
    #[arg(long, value_name = "NAME")]
    pub(crate) submitter: Option<String>,
    /// The configuration: what groups say of their tasks where no balancer runs, which else says it itself
    /// [default: as for serve].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
    /// Print nothing but the id.
    #[arg(short, long)]
    pub(crate) print_task_id: bool,
    /// As JSON.
    #[arg(long, conflicts_with = "print_task_id")]
    pub(crate) json: bool,
}
