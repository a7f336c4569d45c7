//! Channels are waited for beside the control clients, and given up without a trace.

use std::process;

use harness::process::Process;
use harness::server::Server;
use harness::skip_if_asked;
use harness::wait::until_async;
use tmux_cc::client::{Socket, WaitError, WaitFor};
use tmux_cc::protocol::commands::SignalChannel;

use super::support::{LONG, attached, follow, soon};

fn waits(server: &Server) -> WaitFor {
    WaitFor::on(Socket::Path(server.socket().into())).tmux(server.binary())
}

/// Our tmux processes on that server that wait for a channel.
fn waiting(server: &Server) -> Vec<Process> {
    let socket = server.socket().to_str().unwrap();
    let waits = |process: &Process| {
        let line = std::fs::read(format!("/proc/{}/cmdline", process.pid())).unwrap_or_default();
        let words: Vec<_> = line.split(|&b| b == 0).collect();
        words.contains(&socket.as_bytes()) && words.contains(&&b"wait-for"[..])
    };
    let children = Process::of(process::id()).children();
    children.into_iter().filter(waits).collect()
}

#[tokio::test]
async fn a_signal_wakes_whatever_the_channel_is_called() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    for name in [
        "built", "a b", "x;", ";", "-x", "--", "$HOME", "#{pid}", "~", "é", "'\"\\", "a\nb",
    ] {
        // Both orders: a signal that nobody waits for yet is kept.
        client.run(SignalChannel::new(name)).await.unwrap();
        soon(name, waits(&server).channel(name)).await.unwrap();
        let wait = tokio::spawn({
            let waits = waits(&server);
            async move { waits.channel(name).await }
        });
        until_async(LONG, "somebody to wait", async || {
            !waiting(&server).is_empty()
        })
        .await;
        client.run(SignalChannel::new(name)).await.unwrap();
        soon(name, wait).await.unwrap().unwrap();
    }
    // The control client was not held up, and no more can be named than a word can hold.
    for name in [&b""[..], b"a\0b"] {
        let error = waits(&server).channel(name).await.unwrap_err();
        assert!(matches!(error, WaitError::Name), "{error:?}");
    }
}

#[tokio::test]
async fn who_gives_up_leaves_no_process() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    for _ in 0..3 {
        let wait = tokio::spawn({
            let waits = waits(&server);
            async move { waits.channel("never").await }
        });
        until_async(LONG, "somebody to wait", async || {
            !waiting(&server).is_empty()
        })
        .await;
        let process = waiting(&server)[0];
        wait.abort();
        until_async(LONG, "the process to end", async || !process.alive()).await;
    }
    assert!(server.alive());
    // Up to 3.7c the next signal wakes those that are gone; one behind it is kept again.
    client.run(SignalChannel::new("never")).await.unwrap();
    let wait = tokio::spawn({
        let waits = waits(&server);
        async move { waits.channel("never").await }
    });
    until_async(LONG, "the channel to work again", async || {
        client.run(SignalChannel::new("never")).await.unwrap();
        wait.is_finished()
    })
    .await;
    wait.await.unwrap().unwrap();
}

/// Does a process wait for what comes through its descriptors? A client of tmux does when it has said
/// all that it says.
fn polls(process: Process) -> bool {
    let wait = std::fs::read_to_string(format!("/proc/{}/wchan", process.pid()));
    wait.is_ok_and(|wait| wait.contains("poll"))
}

#[tokio::test]
async fn the_end_of_a_server_is_no_signal() {
    skip_if_asked!();
    let server = Server::start();
    let process = Process::of(server.pid());
    let followed = follow(&server).start().await.unwrap();
    until_async(LONG, "the server to be followed", async || {
        followed.run(SignalChannel::new("kept")).await.is_ok()
    })
    .await;
    soon("a kept signal", followed.wait_for("kept"))
        .await
        .unwrap();
    let wait = tokio::spawn({
        let followed = followed.clone();
        async move { followed.wait_for("never").await }
    });
    // It has come, has said all that it says, and was heard: who comes behind it is answered. Else
    // it could find a server that is on its way out, and on 3.8 that one takes it and stays.
    until_async(LONG, "somebody to wait", async || {
        waiting(&server).first().is_some_and(|one| polls(*one))
    })
    .await;
    server.answer(["display-message", "-p", "heard"]);
    server.tmux(["kill-server"]);
    let error = soon("the end to be told", wait).await.unwrap().unwrap_err();
    assert!(matches!(error, WaitError::Ended), "{error:?}");
    // One that is on its way out still takes clients, and then stays for them (seen on 3.8).
    until_async(LONG, "the server's end", async || !process.alive()).await;
    let waits_again = waits(&server);
    let error = soon("a refusal", waits_again.channel("never")).await;
    let error = error.unwrap_err();
    let WaitError::Refused { said } = error else {
        panic!("{error:?}");
    };
    assert!(
        said.starts_with(b"no server running"),
        "{}",
        said.escape_ascii()
    );
    let error = waits(&server)
        .tmux("/no/such/tmux")
        .channel("x")
        .await
        .unwrap_err();
    assert!(matches!(error, WaitError::Spawn { .. }), "{error:?}");
}
