//! A complete log of every pane of a tmux server.
//!
//! `main` parses the command line, chooses the command, starts it and reports how it failed.

mod cat;
mod cli;
mod decide;
mod list;
mod record;
mod run;
mod select;
mod shown;

use std::process::ExitCode;

use cc_kit::exit::{Exit, Failure};
use clap::Parser as _;

use cli::{Cli, Verb};
use shown::Voice;

fn main() -> ExitCode {
    match start(Cli::parse()) {
        Ok(()) => Exit::Success.into(),
        Err(failure) => failure.report(),
    }
}

fn start(cli: Cli) -> Result<(), Failure> {
    cli.telemetry()?;
    let voice = Voice {
        silent: cli.is_silent(),
    };
    match cli.verb {
        Verb::Run(run) => run::run(run, voice),
        Verb::Ls(ls) => list::list(&ls),
        Verb::Cat(cat) => cat::cat(&cat),
    }
}
