//! The tmux process of a client is killed or stopped.

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until_async};
use harness::{pane_agent, skip_if_asked};
use rustix::process::Signal;
use tmux_cc::client::{Cause, Client, ClientError, PaneFilter};
use tmux_cc::protocol::{Command, Exit, ReplyError};
use tmux_cc::wire::SessionId;

use super::super::support::{Streams, ask, attach, attached, follow, pane_of, soon};

/// The process behind a client.
fn process(client: &Client) -> Process {
    let name = str::from_utf8(&client.attached().client_name).unwrap();
    Process::of(name.strip_prefix("client-").unwrap().parse().unwrap())
}

/// Passes when the command that waits, the driver and every later command are told that the stream
/// just ended, and neither the server nor another client notices.
#[tokio::test]
async fn a_client_that_is_killed_ends_with_an_end_of_file() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, driver) = attached(&server).await;
    let (other, _others, _other) = attached(&server).await;
    let pending = tokio::spawn({
        let client = client.clone();
        async move { client.command(Command::raw("wait-for never")).await }
    });
    ask(&client, "display-message -p x").await;
    process(&client).kill().unwrap();
    let pending = soon("an answer", pending).await.unwrap();
    let disconnected = ClientError::Reply(ReplyError::Disconnected(Exit::Eof));
    assert_eq!(pending, Err(disconnected));
    assert_eq!(soon("the driver", driver).await.unwrap(), Exit::Eof);
    let late = client.command(Command::new("list-panes")).await;
    assert_eq!(late, Err(ClientError::Ended(Exit::Eof)));
    assert_eq!(ask(&other, "display-message -p y").await.text(), b"y");
    assert!(server.alive());
}

/// Passes when clients whose processes are stopped keep nobody else from anything, and all of it
/// goes on once they do: other sessions and clients meanwhile, the stopped ones afterwards, without
/// a byte lost that is not said.
#[tokio::test]
async fn clients_that_are_stopped_hold_up_nobody_else() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running([pane_agent!(), "flood"]));
    server.tmux(["new-session", "-d", "-s", "second", pane_agent!(), "flood"]);
    let panes = [pane_of(&server, "main"), pane_of(&server, "second")];
    let followed = follow(&server).start().await.unwrap();
    let mut output = followed.output(PaneFilter::all());
    let mut streams = Streams::new();
    let all = |s: &Streams| panes.iter().all(|pane| s.last(*pane) > 1000);
    streams.until(&mut output, "both panes", all).await;
    let sessions = ["$0", "$1"].map(|id| SessionId::parse(id.as_bytes()).unwrap());
    until_async(PATIENCE, "clients for commands", async || {
        sessions.iter().all(|id| followed.client(*id).is_some())
    })
    .await;
    let (alone, _events, driver) = attached(&server).await;
    let stopped = server.answer(["list-clients", "-t", "=main", "-F", "#{client_pid}"]);
    let stopped: Vec<_> = { stopped.lines() }
        .map(|pid| Process::of(pid.parse().unwrap()))
        .collect();
    assert_eq!(stopped.len(), 3);
    for client in &stopped {
        client.signal(Signal::STOP).unwrap();
    }

    let from = streams.last(panes[1]);
    let goes_on = |s: &Streams| s.last(panes[1]) > from + 10_000;
    streams
        .until(&mut output, "the other session", goes_on)
        .await;
    let second = followed.client(sessions[1]).unwrap();
    for n in 0..20 {
        let reply = ask(&second, &format!("display-message -p a{n}")).await;
        assert_eq!(reply.text(), format!("a{n}").as_bytes());
    }
    assert_eq!(streams.epoch(panes[1]), 0, "{:?}", streams.pane(panes[1]));
    // The server reads and writes the pipes of a control client itself, so a stopped one may be
    // answered all the same; if not, then at its deadline.
    let maybe = alone.command_within(Command::raw("display-message -p x"), PATIENCE / 10);
    let maybe = soon("an answer or its deadline", maybe).await;
    assert!(
        matches!(&maybe, Ok(_) | Err(ClientError::Deadline { .. })),
        "{maybe:?}"
    );
    let (newcomer, _events, _driver) = attached(&server).await;
    ask(&newcomer, "display-message -p x").await;

    for client in &stopped {
        client.signal(Signal::CONT).unwrap();
    }
    assert_eq!(ask(&alone, "display-message -p y").await.text(), b"y");
    let from = streams.last(panes[0]);
    let goes_on = |s: &Streams| s.last(panes[0]) > from + 10_000;
    streams.until(&mut output, "the session", goes_on).await;
    for pane in panes {
        let resyncs = &streams.pane(pane).unwrap().resyncs;
        let known = |cause| matches!(cause, Cause::FirstSight | Cause::Paused);
        assert!(resyncs.iter().all(|r| known(r.cause)), "{resyncs:?}");
    }
    alone.detach().await;
    assert_eq!(soon("the driver", driver).await.unwrap(), Exit::Detached);
    soon("the end", followed.close()).await;
    assert!(server.alive());
}

/// Passes when a client whose process is stopped is gone in good time after it was told to leave,
/// and its server lives.
#[tokio::test]
async fn a_client_that_is_stopped_can_be_left() {
    skip_if_asked!();
    let server = Server::start();
    let (client, events, driver) = attach(&server, "main").start().await.unwrap();
    let process = process(&client);
    process.signal(Signal::STOP).unwrap();
    client.detach().await;
    drop((client, events));
    soon("the driver", driver).await;
    assert!(!process.alive());
    until_async(PATIENCE, "no client", async || {
        server.answer(["list-clients"]).is_empty()
    })
    .await;
    assert!(server.alive());
}
