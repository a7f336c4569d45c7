//! A server dies: everybody hears of it, and its successor is followed.

mod client;
mod handshake;
mod ours;
mod pressure;
mod server;
mod socket;

use harness::pane_agent;
use harness::process::Process;
use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use rustix::process::Signal;
use tmux_cc::client::{Changes, ClientError, Event, PaneFilter, ServerChange, Waiting};
use tmux_cc::protocol::{Command, Exit, ReplyError};
use tokio::task::JoinSet;

use super::support::{Streams, ask, attach, follow, pane_of, soon};

fn is_sudden(exit: &Exit) -> bool {
    match exit {
        Exit::Reason(reason) => reason == b"server exited unexpectedly",
        other => *other == Exit::Eof,
    }
}

fn flooding() -> Boot {
    Boot::running([pane_agent!(), "flood"])
}

#[tokio::test]
async fn every_pending_command_hears_that_the_server_died() {
    skip_if_asked!();
    for output in [false, true] {
        let server = Server::start_with(&flooding());
        let mut attach = attach(&server, "main");
        if output {
            attach = attach.output(5);
        }
        let (client, mut events, driver) = attach.start().await.unwrap();
        let driver = tokio::spawn(driver);
        ask(&client, "display-message -p x").await;
        let mut pending = JoinSet::new();
        for line in ["wait-for never", "display-message -p y", "list-keys"] {
            let client = client.clone();
            pending.spawn(async move { client.command(Command::raw(line)).await });
        }
        // They are on their way, or still to be sent; none can be answered.
        tokio::task::yield_now().await;
        server.kill_hard();
        while let Some(reply) = soon("an answer", pending.join_next()).await {
            match reply.unwrap() {
                Err(
                    ClientError::Reply(ReplyError::Disconnected(exit)) | ClientError::Ended(exit),
                ) => {
                    assert!(is_sudden(&exit), "{exit:?}");
                }
                other => panic!("{other:?}"),
            }
        }
        let exit = soon("the driver", driver).await.unwrap();
        assert!(is_sudden(&exit), "{exit:?}");
        assert_eq!(client.exit(), Some(&exit));
        let mut last = None;
        while let Some(batch) = soon("the events", events.recv()).await {
            for event in batch.iter() {
                assert_eq!(last, None, "{event:?} after the end");
                if let Event::Exited(exit) = event {
                    last = Some(exit.clone());
                }
            }
        }
        assert_eq!(last, Some(exit));
    }
}

/// The next change of a kind.
async fn next<T>(changes: &mut Changes, what: &str, pick: impl Fn(ServerChange) -> Option<T>) -> T {
    soon(what, async {
        loop {
            let change = changes.recv().await.expect("changes go on");
            if let Some(found) = pick(change) {
                return found;
            }
        }
    })
    .await
}

fn up(change: ServerChange) -> Option<u32> {
    match change {
        ServerChange::Up(server) => Some(server.pid),
        _ => None,
    }
}

#[tokio::test]
async fn a_server_is_followed_from_one_life_to_the_next() {
    skip_if_asked!();
    let server = Server::empty();
    let followed = follow(&server).start().await.unwrap();
    let mut changes = followed.changes();
    let mut output = followed.output(PaneFilter::all());
    next(&mut changes, "that there is none", |change| {
        matches!(change, ServerChange::Waiting(Waiting::NoServer)).then_some(())
    })
    .await;
    assert!(followed.identity().is_none());
    let early = followed.command(Command::new("list-panes")).await;
    assert_eq!(early, Err(ClientError::Detached));
    let mut lives = Vec::new();
    let mut streams = Streams::new();
    for life in 0..3 {
        server.boot(&flooding());
        let pid = next(&mut changes, "a server", up).await;
        assert_eq!(pid, server.pid());
        assert!(!lives.contains(&pid));
        lives.push(pid);
        let pane = pane_of(&server, "main");
        // Whatever is left of the life before comes first, and ends.
        streams
            .until(&mut output, "output", |streams| {
                streams.life() == Some(pid) && streams.last(pane) > 1000
            })
            .await;
        until_async(PATIENCE, "a reply", async || {
            let command = Command::new("display-message").flag("-p").arg("#{pid}");
            let reply = followed.command(command).await;
            reply.is_ok_and(|reply| reply.text() == pid.to_string().as_bytes())
        })
        .await;
        let pending = followed.command(Command::new("wait-for").arg("never"));
        let kill = async {
            tokio::task::yield_now().await;
            if life == 1 {
                // Hung is not dead: nothing is said, and nothing is lost.
                let process = Process::of(pid);
                process.signal(Signal::STOP).unwrap();
                process.signal(Signal::CONT).unwrap();
            }
            server.kill_hard();
        };
        let (pending, ()) = tokio::join!(soon("an answer", pending), kill);
        assert!(pending.is_err(), "{pending:?}");
        let (down, exit) = next(&mut changes, "its end", |change| match change {
            ServerChange::Down { server, exit } => Some((server.pid, exit)),
            ServerChange::Up(_) => panic!("up without down"),
            _ => None,
        })
        .await;
        assert_eq!(down, pid);
        assert!(is_sudden(&exit), "{exit:?}");
        streams
            .until(&mut output, "the stream's end", |s| s.has_ended(pane))
            .await;
        next(&mut changes, "that there is none", |change| {
            matches!(change, ServerChange::Waiting(Waiting::NoServer)).then_some(())
        })
        .await;
    }
    soon("the end", followed.close()).await;
    assert!(soon("the last batch", output.recv()).await.is_none());
    while soon("the last change", changes.recv()).await.is_some() {}
}

#[tokio::test]
async fn a_server_that_was_ended_in_order_says_so() {
    skip_if_asked!();
    let server = Server::start();
    let followed = follow(&server).start().await.unwrap();
    let mut changes = followed.changes();
    next(&mut changes, "a server", up).await;
    until_async(PATIENCE, "a client", async || {
        followed.command(Command::new("list-panes")).await.is_ok()
    })
    .await;
    server.tmux(["kill-server"]);
    let exit = next(&mut changes, "its end", |change| match change {
        ServerChange::Down { exit, .. } => Some(exit),
        _ => None,
    })
    .await;
    assert_eq!(exit, Exit::Detached);
    // A server without a session is one that can be waited for as well.
    assert!(followed.identity().is_none());
    soon("the end", followed.close()).await;
}
