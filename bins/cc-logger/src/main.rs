//! A complete log of every pane of a tmux server.
//!
//! `main` parses the command line, chooses the command, starts it and reports how it failed.

mod ask;
mod cli;
mod config;
mod counters;
mod decide;
mod facts;
mod read;
mod record;
mod run;
mod select;
mod shown;
mod trial;
mod upkeep;

use std::env;
use std::process::ExitCode;

use cc_kit::exit::{Exit, Failure};
use clap::{CommandFactory as _, Parser as _};

use cli::{Cli, Redact, Rules, Verb};
use read::{cat, export, follow, grep, list, play, verify};
use shown::Voice;

fn main() -> ExitCode {
    // tmux starts this for each pane: nothing else is to be done first.
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_some_and(|verb| verb == run::TAP_HELPER) {
        return tmux_cc::client::hand_over(arguments);
    }
    match start(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

fn start(cli: Cli) -> Result<Exit, Failure> {
    cli.telemetry()?;
    let voice = Voice {
        silent: cli.is_silent(),
    };
    let done = |result: Result<(), Failure>| result.map(|()| Exit::Success);
    match cli.verb {
        Verb::Run(run) => done(run::run(&run, voice)),
        Verb::Ls(ls) => done(list::list(&ls)),
        Verb::Cat(cat) => done(cat::cat(&cat)),
        Verb::Follow(follow) => done(follow::follow(&follow)),
        Verb::Grep(grep) => grep::grep(&grep),
        Verb::Play(play) => done(play::play(&play)),
        Verb::Export(export) => done(export::export(&export)),
        Verb::Stats(stats) => done(ask::stats(&stats)),
        Verb::Mark(mark) => done(ask::mark(&mark)),
        Verb::Verify(verify) => verify::verify(&verify),
        Verb::Gc(gc) => done(ask::gc(&gc)),
        Verb::Rotate(dir) => done(ask::rotate(&dir)),
        Verb::Redact(Redact::Test(test)) => done(trial::test(&test)),
        Verb::Rules(Rules::Ls(check)) => done(trial::rules(&check)),
        Verb::Check(check) => done(trial::check(&check)),
        Verb::Completions(completions) => done(completions.print(Cli::command())),
        Verb::Man(man) => done(man.print(Cli::command())),
    }
}
