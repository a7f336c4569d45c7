//! The socket is deleted under a server that runs: somebody has cleaned `/tmp`.

use std::fs;

use harness::process::Process;
use harness::server::Server;
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use rustix::process::Signal;
use tmux_cc::client::{AttachError, ServerChange, Waiting};
use tmux_cc::protocol::Command;
use tmux_cc::wire::SessionId;

use super::super::support::{ask, attach, attached, follow, soon};
use super::{next, up};

/// Passes when clients that are attached go on without the socket, a new one is refused, one that
/// follows the server says so once it has lost its last client, and is back, with the same server,
/// once SIGUSR1 has made tmux create the socket again.
#[tokio::test]
async fn a_socket_that_is_deleted_is_missed_by_nobody_who_is_attached() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "second", "cat"]);
    let followed = follow(&server).start().await.unwrap();
    let mut changes = followed.changes();
    let pid = next(&mut changes, "a server", up).await;
    let sessions = ["$0", "$1"].map(|id| SessionId::parse(id.as_bytes()).unwrap());
    until_async(PATIENCE, "two clients", async || {
        sessions.iter().all(|id| followed.client(*id).is_some())
    })
    .await;
    let (alone, _events, _driver) = attached(&server).await;
    let ours = sessions.map(|id| {
        let name = followed.client(id).unwrap().attached().client_name.clone();
        let name = String::from_utf8(name).unwrap();
        Process::of(name.strip_prefix("client-").unwrap().parse().unwrap())
    });

    fs::remove_file(server.socket()).unwrap();
    assert_eq!(ask(&alone, "display-message -p x").await.text(), b"x");
    let error = soon("a refusal", attach(&server, "main").start()).await;
    assert!(
        matches!(error, Err(AttachError::NoServer { .. })),
        "{error:?}"
    );
    // One of two is enough to know that the server lives.
    ours[0].kill().unwrap();
    until_async(PATIENCE, "one client less", async || !ours[0].alive()).await;
    for _ in 0..20 {
        until_async(PATIENCE, "a reply", async || {
            followed.command(Command::new("list-panes")).await.is_ok()
        })
        .await;
    }
    assert_eq!(followed.identity().map(|server| server.pid), Some(pid));
    ours[1].kill().unwrap();
    next(&mut changes, "that there is none", |change| match change {
        ServerChange::Waiting(why) => {
            assert_eq!(why, Waiting::NoServer);
            Some(())
        }
        ServerChange::Up(server) => panic!("{server:?}"),
        _ => None,
    })
    .await;
    assert!(server.alive());
    assert_eq!(ask(&alone, "display-message -p y").await.text(), b"y");

    server.process().unwrap().signal(Signal::USR1).unwrap();
    assert_eq!(next(&mut changes, "the server", up).await, pid);
    until_async(PATIENCE, "two clients", async || {
        sessions.iter().all(|id| followed.client(*id).is_some())
    })
    .await;
    soon("the end", followed.close()).await;
    assert_eq!(ask(&alone, "display-message -p z").await.text(), b"z");
}
