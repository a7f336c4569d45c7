//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use cc_kit::exit::Failure;
use cc_kit::telemetry::{self, Verbosity};
use clap::{ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand};
use tmux_cc::client::Socket;
use tracing::level_filters::LevelFilter;

const EXITS: &str = "Exit codes: 0 done, or stopped by a signal in order; 1 failed; 2 usage, or \
    no tmux; 4 no log of that pane; 7 the directory cannot be used, read or written; 130 or 143 \
    stopped by a second signal";

/// A complete log of every pane of a tmux server.
#[derive(Debug, Parser)]
#[command(version, after_help = EXITS, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// Say more; twice for what the library does.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Say less.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    quiet: u8,
}

impl Cli {
    /// Is nothing but errors to be said?
    pub(crate) const fn is_silent(&self) -> bool {
        self.quiet > 0
    }

    /// Begins to write traces to standard error.
    pub(crate) fn telemetry(&self) -> Result<(), Failure> {
        let verbosity = Verbosity {
            verbose: self.verbose,
            quiet: self.quiet,
        };
        Ok(telemetry::start(LevelFilter::ERROR, verbosity)?)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write down what every pane prints, until SIGINT or SIGTERM.
    Run(Run),
    /// List the panes in a directory of logs.
    Ls(Ls),
    /// Print the log of a pane.
    Cat(Cat),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) sockets: Sockets,
    /// The tmux program.
    #[arg(long, value_name = "PATH", default_value = "tmux")]
    pub(crate) tmux: PathBuf,
    /// Where the logs are kept; made if it is not there, and readable by you alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// Where the logs are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cat {
    /// Where the logs are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Which pane: %3, or session:window.pane, where each may be a glob and the last two left out;
    /// SOCKET,SEL where several servers have it.
    #[arg(value_name = "SEL")]
    pub(crate) selector: String,
    /// Print the bytes as the pane printed them; gaps are said on standard error.
    #[arg(long)]
    pub(crate) raw: bool,
}

/// The servers, in the order in which they were named.
#[derive(Debug)]
pub(crate) struct Sockets(pub(crate) Vec<Socket>);

/// How the flags of [`Sockets`] look to the parser, which keeps no order between two flags.
#[derive(Debug, Args)]
struct Flags {
    /// A server by its name, as `tmux -L`; may be repeated.
    #[arg(short = 'L', value_name = "NAME", action = ArgAction::Append)]
    name: Vec<OsString>,
    /// A server by the path of its socket, as `tmux -S`; may be repeated.
    #[arg(short = 'S', value_name = "PATH", action = ArgAction::Append)]
    path: Vec<PathBuf>,
}

impl FromArgMatches for Sockets {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = Flags::from_arg_matches(matches)?;
        let at = |id| matches.indices_of(id).into_iter().flatten();
        let names = at("name").zip(flags.name.into_iter().map(Socket::Name));
        let paths = at("path").zip(flags.path.into_iter().map(Socket::Path));
        let mut sockets: Vec<_> = names.chain(paths).collect();
        sockets.sort_by_key(|(index, _)| *index);
        let mut sockets: Vec<_> = sockets.into_iter().map(|(_, socket)| socket).collect();
        if sockets.is_empty() {
            sockets.push(Socket::Default);
        }
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
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Flags::augment_args_for_update(command)
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
        let Verb::Run(run) = Cli::try_parse_from(["cc-logger", "run", "--dir", "d"])
            .unwrap()
            .verb
        else {
            panic!("not run")
        };
        assert_eq!(run.sockets.0, [Socket::Default]);
    }
}
