//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use cc_kit::config::{Bytes, Span};
use cc_kit::exit::Failure;
use cc_kit::manual::{Completions, Man};
use cc_kit::telemetry::{self, Verbosity};
use clap::{ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand};
use tmux_cc::client::Socket;
use tracing::level_filters::LevelFilter;

use crate::config::{Flags, From, SyncValue};
use crate::read::window::Window;

const EXITS: &str = "Exit codes: 0 done, or stopped by a signal in order; 1 failed, or nothing \
    matched; 2 usage, or no tmux; 4 no log of that pane; 7 the directory cannot be used, read or \
    written, or a log is damaged; 69 no logger runs there; 130 or 143 stopped by a second signal";

const SELECTOR: &str = "Which panes: %3, or session:window.pane, where each may be a glob and the \
    last two left out; a unit; SOCKET,SEL where several servers have it";

/// A complete log of every pane of a tmux server.
#[derive(Debug, Parser)]
#[command(version, after_help = EXITS, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    verbosity: Verbosity,
}

impl Cli {
    /// Is nothing but errors to be said?
    pub(crate) const fn is_silent(&self) -> bool {
        self.verbosity.quiet > 0
    }

    /// Begins to write traces to standard error.
    pub(crate) fn telemetry(&self) -> Result<(), Failure> {
        Ok(telemetry::start(LevelFilter::ERROR, self.verbosity)?)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write down what every pane prints, until SIGINT or SIGTERM; SIGHUP reads the configuration
    /// again.
    Run(Run),
    /// List the panes in a directory of logs.
    Ls(Ls),
    /// Print the log of a pane.
    Cat(Cat),
    /// Print what panes print from now on.
    Follow(Follow),
    /// Look for text in what panes showed.
    Grep(Grep),
    /// Play the log of a pane at its pace.
    Play(Play),
    /// Write the log of a pane as a recording, a page or text.
    Export(Export),
    /// Say what the running logger has counted.
    Stats(Stats),
    /// Mark this moment in the logs of panes.
    Mark(Mark),
    /// Look at every record of every log.
    Verify(Verify),
    /// Pack what is closed, and delete what is kept too long, now.
    Gc(Gc),
    /// Begin a new segment in every log.
    Rotate(Dir),
    /// See what would be taken out of a text.
    #[command(subcommand)]
    Redact(Redact),
    /// See what is taken out of logs.
    #[command(subcommand)]
    Rules(Rules),
    /// Look whether a configuration makes sense, without starting.
    Check(Check),
    /// Print what a shell needs to complete this command line.
    Completions(Completions),
    /// Print the man page, or write those of all verbs.
    Man(Man),
}

/// Where the logs are kept.
#[derive(Clone, Debug, Args)]
pub(crate) struct Dir {
    /// Where the logs are kept; else as the configuration says, else cc/log where state is kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) sockets: Sockets,
    /// Also every server of a guardian, as they come.
    #[arg(long)]
    all_groups: bool,
    /// The configuration; else cc/logger.toml where configurations are kept, if it is there. Flags
    /// win over it.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The tmux program.
    #[arg(long, value_name = "PATH")]
    tmux: Option<PathBuf>,
    /// Where the output comes from: the tap, with control mode for panes that have a pipe of their own
    /// (auto), or one of them alone.
    #[arg(long, value_enum)]
    source: Option<From>,
    /// Where the logs are kept; made if it is not there, and readable by you alone.
    #[command(flatten)]
    dir: Dir,
    /// When what was written is brought to the disk: always, never, or so often.
    #[arg(long, value_name = "HOW")]
    sync: Option<SyncValue>,
    /// How large a segment gets, as 64M.
    #[arg(long, value_name = "SIZE")]
    segment_size: Option<Bytes>,
    /// Write secrets down as they are.
    #[arg(long)]
    no_redact: bool,
    /// Answer Prometheus there, as 127.0.0.1:9464; only on this machine.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

impl Run {
    /// What the flags say.
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            file: self.config.clone(),
            dir: self.dir.dir.clone(),
            tmux: self.tmux.clone(),
            servers: self.sockets.0.clone(),
            all_groups: self.all_groups,
            source: self.source,
            sync: self.sync.clone().map(|SyncValue(sync)| sync),
            segment_size: self.segment_size.map(|Bytes(size)| size),
            no_redact: self.no_redact,
            metrics: self.metrics,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Ls {
    #[command(flatten)]
    pub(crate) dir: Dir,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cat {
    #[command(flatten)]
    pub(crate) dir: Dir,
    #[arg(value_name = "SEL", help = SELECTOR)]
    pub(crate) selector: String,
    /// Print the bytes as the pane printed them; gaps are said on standard error.
    #[arg(long, conflicts_with = "ansi")]
    pub(crate) raw: bool,
    /// Print what the pane showed as text; this is what is done without a flag.
    #[arg(long, conflicts_with_all = ["raw", "ansi"])]
    text: bool,
    /// Print what the pane showed, with colours.
    #[arg(long)]
    pub(crate) ansi: bool,
    #[command(flatten)]
    pub(crate) window: Window,
}

#[derive(Debug, Args)]
pub(crate) struct Follow {
    #[command(flatten)]
    pub(crate) dir: Dir,
    #[arg(value_name = "SEL", default_value = "*", help = SELECTOR)]
    pub(crate) selector: String,
    /// Print the bytes as the panes print them.
    #[arg(long)]
    pub(crate) raw: bool,
    /// Begin with about so many lines of what is there.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Grep {
    #[command(flatten)]
    pub(crate) dir: Dir,
    /// What to look for: a regular expression, as Rust's.
    #[arg(value_name = "RE")]
    pub(crate) pattern: String,
    #[arg(short, long, value_name = "SEL", help = SELECTOR)]
    pub(crate) pane: Vec<String>,
    /// Upper and lower case are the same.
    #[arg(short, long)]
    pub(crate) ignore_case: bool,
    /// Say only how many lines match, for each pane.
    #[arg(long)]
    pub(crate) count: bool,
    /// Print JSON, a line each.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also so many lines before and behind each.
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0)]
    pub(crate) context: usize,
    /// Also so many lines before each.
    #[arg(short = 'B', long, value_name = "N", default_value_t = 0)]
    pub(crate) before: usize,
    /// Also so many lines behind each.
    #[arg(short = 'A', long, value_name = "N", default_value_t = 0)]
    pub(crate) after: usize,
    #[command(flatten)]
    pub(crate) window: Window,
}

#[derive(Debug, Args)]
pub(crate) struct Play {
    #[command(flatten)]
    pub(crate) dir: Dir,
    #[arg(value_name = "SEL", help = SELECTOR)]
    pub(crate) selector: String,
    /// So many times as fast.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Wait no longer than this where nothing happens.
    #[arg(long, value_name = "SPAN")]
    pub(crate) idle_limit: Option<Span>,
    #[command(flatten)]
    pub(crate) window: Window,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) dir: Dir,
    #[arg(value_name = "SEL", help = SELECTOR)]
    pub(crate) selector: String,
    #[command(flatten)]
    pub(crate) form: Form,
    /// Where to; else to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) window: Window,
}

#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Form {
    /// An asciicast of version 3; this is what is done without a flag.
    #[arg(long)]
    pub(crate) cast3: bool,
    /// An asciicast of version 2.
    #[arg(long)]
    pub(crate) cast2: bool,
    /// Text.
    #[arg(long)]
    pub(crate) txt: bool,
    /// A page for a browser.
    #[arg(long)]
    pub(crate) html: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) dir: Dir,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Mark {
    #[command(flatten)]
    pub(crate) dir: Dir,
    #[arg(value_name = "SEL", help = SELECTOR)]
    pub(crate) selector: String,
    /// What to write there.
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) dir: Dir,
    #[arg(value_name = "SEL", help = SELECTOR)]
    pub(crate) selector: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Gc {
    #[command(flatten)]
    pub(crate) dir: Dir,
    /// The configuration that says what is kept, where no logger runs.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Redact {
    /// Print a text as it would be written down, and what was taken out of it.
    Test(RedactTest),
}

#[derive(Debug, Args)]
pub(crate) struct RedactTest {
    /// The text; - for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The configuration.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// List the rules.
    Ls(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration; else the one at its usual place.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The servers, in the order in which they were named.
#[derive(Debug)]
pub(crate) struct Sockets(pub(crate) Vec<Socket>);

/// How the flags of [`Sockets`] look to the parser, which keeps no order between two flags.
#[derive(Debug, Args)]
struct SocketFlags {
    /// A server by its name, as `tmux -L`; may be repeated.
    #[arg(short = 'L', value_name = "NAME", action = ArgAction::Append)]
    name: Vec<OsString>,
    /// A server by the path of its socket, as `tmux -S`; may be repeated.
    #[arg(short = 'S', value_name = "PATH", action = ArgAction::Append)]
    path: Vec<PathBuf>,
}

impl FromArgMatches for Sockets {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = SocketFlags::from_arg_matches(matches)?;
        let at = |id| matches.indices_of(id).into_iter().flatten();
        let names = at("name").zip(flags.name.into_iter().map(Socket::Name));
        let paths = at("path").zip(flags.path.into_iter().map(Socket::Path));
        let mut sockets: Vec<_> = names.chain(paths).collect();
        sockets.sort_by_key(|(index, _)| *index);
        let mut sockets: Vec<_> = sockets.into_iter().map(|(_, socket)| socket).collect();
        // Named twice it is still one server, and its bytes are to be written once.
        let mut seen = std::collections::HashSet::new();
        sockets.retain(|socket| seen.insert(socket.path()));
        Ok(Self(sockets))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Sockets {
    fn augment_args(command: clap::Command) -> clap::Command {
        SocketFlags::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        SocketFlags::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn servers_keep_their_order_and_come_once() {
        let line = [
            "cc-logger",
            "run",
            "--dir",
            "d",
            "-S",
            "/a",
            "-L",
            "b",
            "-S",
            "/c",
            "-S",
            "/a",
        ];
        let Verb::Run(run) = Cli::try_parse_from(line).unwrap().verb else {
            panic!("not run")
        };
        let sockets = [
            Socket::Path("/a".into()),
            Socket::Name("b".into()),
            Socket::Path("/c".into()),
        ];
        assert_eq!(run.sockets.0, sockets);
    }
}
