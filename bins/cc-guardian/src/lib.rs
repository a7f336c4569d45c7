//! Keeps programs in tmux alive, and knows what each is doing.
//!
//! | Room | In it |
//! |---|---|
//! | [`config`] | units as they are declared; mistakes with their line |
//! | [`policy`] | when to start again, when somebody hangs, who may start |
//! | [`alert`] | telling somebody that a unit needs them |
//! | `instance` | one instance of a unit: what is to be done about it |
//! | `group` | one tmux server of ours |
//! | `foreign` | a pane of somebody else |
//! | `beside` | the windows beside a unit's own |
//! | `store` | what is remembered |
//! | `run` | the daemon |
//! | `request`, `listing` | what is asked of it, and how units are told of |
//! | `ask`, `hook` | commands that ask it, and what agents tell it |
//! | `answer`, `change`, `adopt` | commands that change what it guards |
//! | `program`, `confine` | what a program was started with; its niceness and processors |
//! | `show`, `status`, `pick` | commands that show what it knows, and of whom |
//! | `look`, `profile`, `record` | `explain`, `check` and profiles, which need no daemon |
//! | `top`, `watch`, `logs` | the dashboard, who feeds it, and the logs that it shows |
//! | `doctor` | everything that could hurt, looked at without a daemon |

mod adopt;
pub mod alert;
mod answer;
mod ask;
mod beside;
mod change;
mod cli;
pub mod config;
mod confine;
mod doctor;
mod foreign;
mod group;
mod hook;
mod instance;
mod listing;
mod logs;
mod look;
mod pick;
mod place;
pub mod policy;
mod profile;
mod program;
mod record;
mod request;
mod run;
mod show;
mod status;
mod store;
mod top;
mod vigil;
mod watch;

use std::process::ExitCode;

use cc_kit::exit::{Exit, Failure};
use clap::{CommandFactory as _, Parser as _};

use cli::{Cli, Verb};

/// Parses the command line, does what it says, and reports how that failed.
#[must_use]
pub fn start() -> ExitCode {
    match go(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

fn go(cli: Cli) -> Result<Exit, Failure> {
    cli.telemetry()?;
    let done = |result: Result<(), Failure>| result.map(|()| Exit::Success);
    match cli.verb {
        Verb::Run(run) => done(run::run(&run)),
        Verb::Up(up) => done(ask::up(&up)),
        Verb::Diff(diff) => change::diff(&diff),
        Verb::Apply(apply) => done(change::apply(&apply)),
        Verb::Adopt(adopt) => done(adopt::adopt(&adopt)),
        Verb::Down(down) => done(ask::down(&down)),
        Verb::Start(one) => done(ask::start(&one)),
        Verb::Stop(one) => done(ask::stop(&one)),
        Verb::Restart(restart) => done(ask::restart(&restart)),
        Verb::Ls(ls) => done(show::ls(&ls)),
        Verb::Status(status) => status::status(&status),
        Verb::Why(why) => done(show::why(&why)),
        Verb::Events(events) => done(show::events(&events)),
        Verb::Send(send) => ask::send(&send),
        Verb::Answer(it) => answer::answer(&it),
        Verb::Attach(attach) => ask::attach(&attach),
        Verb::Top(top) => done(watch::top(&top)),
        Verb::Hook(hook) => done(hook::hook(&hook)),
        Verb::Explain(explain) => done(look::explain(&explain)),
        Verb::Profile(profile) => profile::profile(&profile),
        Verb::Alert(alert) => alert::alert(&alert),
        Verb::Check(check) => done(look::check(&check)),
        Verb::Schema => done(look::schema()),
        Verb::Exec(exec) => done(confine::exec(&exec)),
        Verb::Doctor(doctor) => doctor::doctor(&doctor),
        Verb::Completions(completions) => done(completions.print(Cli::command())),
        Verb::Man(man) => done(man.print(Cli::command())),
    }
}
