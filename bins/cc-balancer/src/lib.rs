//! A task queue whose workers are tmux panes.
//!
//! | Room | In it |
//! |---|---|
//! | [`task`] | tasks, attempts, what came of them |
//! | [`policy`] | what is next, who gets it, what becomes of it |
//! | [`store`] | where they are kept: one trait, and who implements it |
//! | [`request`] | what is asked over the control socket |
//! | [`desk`] | who answers that |
//! | `run` | the daemon |
//! | `ask` | commands ask the daemon, or the store itself where none runs |
//! | `add`, `change`, `show` | commands that add, change and show |
//! | `wait`, `carry` | waiting for tasks; one carried through for a script |
//! | `doctor` | everything that could hurt, looked at |
//! | `report` | what came of one, as text, JSON, Markdown and JUnit XML |
//! | `exec` | what a shell worker runs |

mod add;
mod ask;
mod attempt;
mod carry;
mod change;
mod cli;
mod config;
pub mod desk;
mod doctor;
mod exec;
pub mod policy;
mod report;
pub mod request;
mod run;
mod show;
pub mod store;
pub mod task;
mod wait;
mod worker;

use std::process::ExitCode;

use cc_kit::exit::{Exit, Failure};
use clap::{CommandFactory as _, Parser as _};

use cli::{Cli, Verb};
use request::Request;

/// Parses the command line, does what it says, and reports how that failed.
#[must_use]
pub fn start() -> ExitCode {
    match go(Cli::parse()) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn go(cli: Cli) -> Result<ExitCode, Failure> {
    cli.telemetry()?;
    let done = |result: Result<(), Failure>| result.map(|()| ExitCode::SUCCESS);
    let exit = |result: Result<Exit, Failure>| result.map(ExitCode::from);
    match cli.verb {
        Verb::Serve(serve) => done(run::serve(&serve)),
        Verb::Add(it) => done(add::add(&it)),
        Verb::Run(it) => carry::run(&it),
        Verb::Send(send) => done(add::send(&send)),
        Verb::Wait(it) => exit(wait::wait(&it)),
        Verb::Follow(one) => exit(wait::follow(&one)),
        Verb::Result(one) => exit(carry::result(&one)),
        Verb::Log(one) => done(show::log(&one)),
        Verb::Status(status) => done(show::status(&status)),
        Verb::Why(one) => done(show::why(&one)),
        Verb::Cancel(cancel) => exit(change::cancel(&cancel)),
        Verb::Retry(ids) => exit(change::tasks(&ids, false, Request::Retry)),
        Verb::Hold(ids) => exit(change::tasks(&ids, false, Request::Hold)),
        Verb::Release(ids) => exit(change::tasks(&ids, false, Request::Release)),
        Verb::Edit(edit) => done(change::edit(&edit)),
        Verb::Dead(cli::Dead::Ls(listing)) => done(show::dead(&listing)),
        Verb::Dead(cli::Dead::Retry(ids)) => exit(change::tasks(&ids, true, Request::Retry)),
        Verb::Dead(cli::Dead::Rm(ids)) => exit(change::tasks(&ids, true, Request::Remove)),
        Verb::Worker(verb) => done(worker(&verb)),
        Verb::Account(verb) => done(account(&verb)),
        Verb::Queue(verb) => done(queue(&verb)),
        Verb::Backup(backup) => done(change::backup(&backup)),
        Verb::Migrate(migrate) => done(change::migrate(&migrate)),
        Verb::Check(check) => done(run::check(&check)),
        Verb::Doctor(it) => exit(doctor::doctor(&it)),
        Verb::Exec(it) => exec::exec(&it),
        Verb::Completions(completions) => done(completions.print(Cli::command())),
        Verb::Man(man) => done(man.print(Cli::command())),
    }
}

fn worker(verb: &cli::Worker) -> Result<(), Failure> {
    match verb {
        cli::Worker::Ls(listing) => show::workers(listing),
        cli::Worker::Drain(named) => change::worker(named, |worker| Request::Drain { worker }),
        cli::Worker::Resume(named) => change::worker(named, |worker| Request::Resume { worker }),
    }
}

fn account(verb: &cli::Account) -> Result<(), Failure> {
    match verb {
        cli::Account::Ls(listing) => show::accounts(listing),
        cli::Account::Limit(limit) => change::limit(limit),
        cli::Account::Clear(named) => {
            let name = named.name.clone();
            change::one(named, &Request::Clear { name })
        }
        cli::Account::SetParallel(set) => change::account_parallel(set),
    }
}

fn queue(verb: &cli::Queue) -> Result<(), Failure> {
    match verb {
        cli::Queue::Ls(listing) => show::groups(listing),
        cli::Queue::Pause(named) => change::pause(named, true),
        cli::Queue::Resume(named) => change::pause(named, false),
        cli::Queue::SetParallel(set) => change::group_parallel(set),
    }
}
