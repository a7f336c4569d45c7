//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use cc_kit::config::Span;
use cc_kit::exit::Failure;
use cc_kit::home::State;
use cc_kit::manual::{Completions, Man};
use cc_kit::telemetry::{self, Verbosity};
use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::config::Cpus;

const EXITS: &str = "Exit codes: 0 done; 1 failed, or `diff` finds anything; 2 usage, or a mistake in the \
    configuration; 3 blocked, somebody must answer; 4 no such unit, alert or pane; 5 not allowed; 6 its \
    account is limited; 7 the state cannot be used; 8 sent, and whether it arrived is not known; 69 no \
    guardian runs, or no such tmux server; 124 not in time";

const ANSWERS: &str = "Exit codes: 0 answered, and the dialog has gone; 1 it asks nothing, or does not \
    run; 2 that is none of its choices; 3 it asks still, or something else; 4 no such unit; 8 a key was \
    pressed, and what came of it is not known; 69 no guardian runs";

const STATUS_EXITS: &str = "Exit codes: 0 nobody needs anybody; 3 somebody is needed: a unit is \
    blocked, errored, held or hung, ended other than with 0, or its account has no money; 4 no such \
    unit; 69 no guardian runs";

/// Keeps programs in tmux alive, and knows what each is doing.
#[derive(Debug, Parser)]
#[command(version, after_help = EXITS, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    verbosity: Verbosity,
}

impl Cli {
    /// Begins to write traces to standard error.
    pub(crate) fn telemetry(&self) -> Result<(), Failure> {
        Ok(telemetry::start(LevelFilter::ERROR, self.verbosity)?)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Guard, in the foreground, until SIGINT or SIGTERM; what is guarded goes on then.
    Run(Run),
    /// Declare units and start what does not run; starts a guardian where none runs.
    Up(Up),
    /// Say what `apply` would do, and do nothing; exits with 1 where that is anything.
    Diff(Diff),
    /// Make units what the file says: start those that are new, start those anew that are other, stop
    /// those that are no more.
    Apply(Apply),
    /// Stop every unit; those that were adopted go on, unless --now is said.
    Down(Down),
    /// Make a unit of a pane in any tmux server. What ends there is started again in a new window of its
    /// session if a command is given, and not at all if none is.
    Adopt(Adopt),
    /// Start a unit, also one that is held.
    Start(One),
    /// Stop a unit, and leave it stopped.
    Stop(Stop),
    /// Stop a unit and start it again.
    Restart(Restart),
    /// List the units.
    Ls(Ls),
    /// Say on one screen how all is, or how one unit is.
    #[command(after_help = STATUS_EXITS)]
    Status(Status),
    /// Say why a unit is believed to be in its state, and what happened to it.
    Why(Why),
    /// List what happened.
    Events(Events),
    /// Send a prompt to a unit: exactly, once, or not at all.
    Send(Send),
    /// Answer what a unit asks: that very dialog, by one key, or not at all.
    Answer(Answer),
    /// Attach this terminal to a unit.
    Attach(Attach),
    /// Watch the units.
    Top(Top),
    /// For the hook settings of agents: hands what stands on standard input to the guardian.
    Hook(Hook),
    /// Say what the screen of a unit means, or one in a file, without a guardian and without tmux.
    Explain(Explain),
    /// The profiles that there are.
    #[command(subcommand)]
    Profile(Profile),
    /// The alerts that are declared.
    #[command(subcommand)]
    Alert(Alert),
    /// Look for mistakes in a configuration.
    Check(Check),
    /// Print the JSON Schema of the configuration, for editors.
    Schema,
    /// For the guardian alone: become a program with a niceness and processors of its own.
    #[command(hide = true)]
    Exec(Exec),
    /// Look at everything that could hurt, and change nothing; needs no guardian.
    Doctor(Doctor),
    /// Print what a shell needs to complete this command line.
    Completions(Completions),
    /// Print the man page, or write those of all verbs.
    Man(Man),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The units; remembered until another file is given.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The units [default: the file given last, else $XDG_CONFIG_HOME/cc/guardian.toml].
    #[arg(short, long, value_name = "FILE", conflicts_with = "command")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
    /// The unit's name.
    #[arg(long, value_name = "N", requires = "command")]
    pub(crate) name: Option<String>,
    /// How its screen is read [default: by the command's name].
    #[arg(long, value_name = "P", requires = "command")]
    pub(crate) profile: Option<String>,
    /// How many.
    #[arg(long, value_name = "K", default_value_t = 1, requires = "command")]
    pub(crate) replicas: u16,
    /// Where it starts [default: here].
    #[arg(long, value_name = "D", requires = "command")]
    pub(crate) cwd: Option<PathBuf>,
    /// A variable of its environment; repeatable. Secrets belong into a file: see env_file.
    #[arg(long, value_name = "K=V", requires = "command")]
    pub(crate) env: Vec<String>,
    /// The program and its arguments.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) state: State,
    /// Do not ask them to end: end them.
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The pane, as `tmux list-panes -a` has it.
    #[arg(value_name = "%PANE")]
    pub(crate) pane: String,
    /// The unit's name.
    #[arg(long, value_name = "N")]
    pub(crate) name: String,
    /// How its screen is read [default: by the name of what runs there].
    #[arg(long, value_name = "P")]
    pub(crate) profile: Option<String>,
    /// The socket of its tmux server [default: that of $TMUX, else tmux's own].
    #[arg(short = 'S', long, value_name = "SOCKET")]
    pub(crate) socket: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
    /// What to start where it ends.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// The unit, such as w@1.
    pub(crate) unit: String,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) one: One,
    /// Do not ask it to end: end it.
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    pub(crate) one: One,
    /// Do not ask it to end: end it.
    #[arg(long, conflicts_with = "at_idle")]
    pub(crate) now: bool,
    /// Once it is idle; `stop` takes that back.
    #[arg(long)]
    pub(crate) at_idle: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The units [default: the file given last].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) diff: Diff,
    /// Start anew what is other once it is idle.
    #[arg(long)]
    pub(crate) at_idle: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// Only these: w for all of a unit, w@1, %3.
    #[arg(value_name = "UNIT")]
    pub(crate) units: Vec<String>,
    /// Only those with this label; repeatable.
    #[arg(short, long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    /// Only those in one of these states, as blocked,hung.
    #[arg(long = "in", value_name = "STATE", value_delimiter = ',')]
    pub(crate) states: Vec<String>,
    #[command(flatten)]
    pub(crate) state: State,
    /// Go on, and show them anew whenever something changes.
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Times as they are, not how long ago.
    #[arg(long)]
    pub(crate) absolute: bool,
    /// As JSON; with --watch one object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The unit, such as w@1, or w for all of it [default: all units].
    #[arg(value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    #[command(flatten)]
    pub(crate) state: State,
    /// Go on, and show it anew whenever something changes.
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// As JSON; with --watch one object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) one: One,
    /// Go on, and say it anew whenever something changes.
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// As JSON; with --watch one object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Of one unit alone.
    pub(crate) unit: Option<String>,
    #[command(flatten)]
    pub(crate) state: State,
    /// Go on as things happen.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How many of the past at most.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    pub(crate) lines: u32,
    /// As JSON, one object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The unit, such as w@1.
    pub(crate) unit: String,
    /// The prompt.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) text: Option<String>,
    /// The prompt is in this file; - for standard input. A line feed at its end is left out.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What to wait for before it is sent.
    #[arg(long, value_name = "STATE", value_parser = ["idle"])]
    pub(crate) wait: Option<String>,
    /// How long to wait for it.
    #[arg(long, value_name = "D", default_value = "10m", requires = "wait")]
    pub(crate) timeout: Span,
    #[command(flatten)]
    pub(crate) state: State,
    /// The receipt as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = ANSWERS)]
pub(crate) struct Answer {
    /// The unit, such as w@1.
    pub(crate) unit: String,
    /// yes, no, the key or the number of a choice, its text or how that begins.
    pub(crate) choice: String,
    /// Only this dialog: its hash, as `why --json` has it.
    #[arg(long, value_name = "HASH")]
    pub(crate) dialog: Option<String>,
    #[command(flatten)]
    pub(crate) state: State,
    /// What came of it as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    pub(crate) one: One,
    /// Look, and type nothing.
    #[arg(short, long)]
    pub(crate) read_only: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Top {
    #[command(flatten)]
    pub(crate) state: State,
    /// Print it once.
    #[arg(long)]
    pub(crate) once: bool,
    /// As JSON.
    #[arg(long, requires = "once")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Hook {
    /// What the agent adds behind the command, where it does (Codex: the notification).
    pub(crate) input: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The unit, such as w@1: as it is now, to the guardian.
    #[arg(required_unless_present = "file", conflicts_with_all = ["file", "profile"])]
    pub(crate) unit: Option<String>,
    #[command(flatten)]
    pub(crate) state: State,
    /// How to read a file.
    #[arg(long, value_name = "P", requires = "file")]
    pub(crate) profile: Option<String>,
    /// The screen, as `tmux capture-pane -p` prints it; - for standard input.
    #[arg(long, value_name = "SCREEN", requires = "profile")]
    pub(crate) file: Option<PathBuf>,
    /// The pane's title.
    #[arg(long, value_name = "T", default_value = "", requires = "file")]
    pub(crate) title: String,
    /// The program in front [default: one that the profile knows].
    #[arg(long, value_name = "C", default_value = "", requires = "file")]
    pub(crate) command: String,
    /// Column and row of the cursor, from 0.
    #[arg(long, value_name = "X,Y", requires = "file")]
    pub(crate) cursor: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// List them.
    Ls,
    /// Print one that comes with the program, to begin one's own from.
    Show {
        /// Its name.
        name: String,
    },
    /// Hold screens of which the truth is known against them.
    Check(ProfileCheck),
    /// Keep the screen of a pane as a file for `check`, without secrets; the truth is yours to fill in.
    Record(ProfileRecord),
}

#[derive(Debug, Args)]
pub(crate) struct ProfileRecord {
    /// A unit, such as w@1, or a pane, such as %3.
    #[arg(value_name = "UNIT|%PANE")]
    pub(crate) of: String,
    /// How it is to be read [default: as the unit is, else by the program's name].
    #[arg(long, value_name = "P")]
    pub(crate) profile: Option<String>,
    /// The version of the program in it.
    #[arg(long, value_name = "V", default_value = "")]
    pub(crate) program_version: String,
    /// The file; it must not be there [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The tmux server of a pane [default: the one we are in].
    #[arg(short = 'S', long, value_name = "SOCKET")]
    pub(crate) socket: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct ProfileCheck {
    /// Files of screens.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    /// List them.
    Ls(Alerts),
    /// Send one message now, and say what came of it.
    Test(AlertTest),
}

#[derive(Debug, Args)]
pub(crate) struct Alerts {
    /// Where they are declared [default: $XDG_CONFIG_HOME/cc/guardian.toml].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AlertTest {
    /// The alert's name.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) alerts: Alerts,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The file [default: $XDG_CONFIG_HOME/cc/guardian.toml].
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) nice: Option<i32>,
    #[arg(long, value_name = "LIST", value_parser = Cpus::read)]
    pub(crate) cpus: Option<Cpus>,
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// Exits with 1 where it finds a problem.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The units [default: $XDG_CONFIG_HOME/cc/guardian.toml, where there is one].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: State,
    /// As JSON, with all that was found.
    #[arg(long)]
    pub(crate) json: bool,
}
