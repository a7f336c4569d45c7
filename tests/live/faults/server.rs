//! The server dies in the middle of a word, hangs, or comes back as another version.

use std::fs;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use harness::server::{Boot, Server, other_binaries};
use harness::wait::{PATIENCE, until_async};
use harness::{facts, skip_if_asked};
use rustix::process::Signal;
use tmux_cc::client::{Attach, AttachError, ClientError, ServerChange, Waiting};
use tmux_cc::protocol::{Command, ReplyError};
use tmux_cc::wire::Version;
use tokio::task::JoinSet;

use super::super::support::{ask, attach, attached, follow, soon};
use super::{is_sudden, next, up};

/// Passes when a command whose reply is being sent, and every other that waits, is told within the
/// deadline why it will have none.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_dies_within_a_reply_leaves_no_command_waiting() {
    skip_if_asked!();
    const BIG: usize = 12 << 20;
    for output in [false, true] {
        let server = Server::start();
        let file = server.dir().join("big");
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        fs::write(&file, line.repeat(BIG / line.len())).unwrap();
        server.tmux(["load-buffer", "-b", "big", file.to_str().unwrap()]);
        let mut attach = attach(&server, "main");
        if output {
            attach = attach.output(5);
        }
        let (client, _events, mut driver) = attach.start().await.unwrap();
        let process = server.process().unwrap();
        let before = process.memory().resident;
        let mut pending = JoinSet::new();
        for line in ["show-buffer -b big", "display-message -p x", "list-keys"] {
            let client = client.clone();
            pending.spawn(async move { client.command(Command::raw(line)).await });
            tokio::task::yield_now().await;
        }
        // The commands are written, and nothing is read from here on: the reply fills the pipe, and
        // the rest of it the server.
        poll_fn(|cx| {
            assert!(std::pin::Pin::new(&mut driver).poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        until_async(PATIENCE, "the reply to be on its way", async || {
            process.memory().resident > before + BIG as u64 / 2
        })
        .await;
        server.kill_hard();
        let driver = tokio::spawn(driver);
        while let Some(reply) = soon("an answer", pending.join_next()).await {
            match reply.unwrap() {
                Err(
                    ClientError::Reply(ReplyError::Disconnected(exit)) | ClientError::Ended(exit),
                ) => assert!(is_sudden(&exit), "{exit:?}"),
                other => panic!("{other:?}"),
            }
        }
        let exit = soon("the driver", driver).await.unwrap();
        assert!(is_sudden(&exit), "{exit:?}");
    }
}

/// Passes when commands to a server that hangs end at their deadline, one that follows it says
/// nothing of an end, and both go on, with the right replies, once it does.
#[tokio::test]
async fn a_server_that_hangs_costs_a_deadline_and_nothing_else() {
    skip_if_asked!();
    let server = Server::start();
    let followed = follow(&server).start().await.unwrap();
    let mut changes = followed.changes();
    let pid = next(&mut changes, "a server", up).await;
    until_async(PATIENCE, "a client", async || {
        followed.command(Command::new("list-panes")).await.is_ok()
    })
    .await;
    let (client, _events, _driver) = attached(&server).await;
    ask(&client, "display-message -p before").await;
    let process = server.process().unwrap();
    process.signal(Signal::STOP).unwrap();
    let deadline = Duration::from_millis(100);
    for _ in 0..3 {
        let late = client.command_within(Command::raw("display-message -p late"), deadline);
        let late = soon("the deadline", late).await;
        assert_eq!(late, Err(ClientError::Deadline { deadline }));
    }
    process.signal(Signal::CONT).unwrap();
    // Those that were given up have run, and their replies are nobody's.
    assert_eq!(
        ask(&client, "display-message -p after").await.text(),
        b"after"
    );
    until_async(PATIENCE, "a reply", async || {
        followed.command(Command::new("list-panes")).await.is_ok()
    })
    .await;
    assert_eq!(followed.identity().map(|server| server.pid), Some(pid));
    soon("the end", followed.close()).await;
    while let Some(change) = soon("the last change", changes.recv()).await {
        assert!(
            !matches!(change, ServerChange::Up(_) | ServerChange::Waiting(_)),
            "{change:?}"
        );
    }
}

/// What one that follows a server has of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meeting {
    Works,
    /// The new server hangs up, and tmux says that it `exited unexpectedly`.
    Refused,
    /// Commands of tmux itself work, and a control client is never greeted.
    Mute,
}

/// tmux speaks to tmux of another version except across 3.6 or so, where its messages changed: what
/// is older cannot speak to what is newer at all, and what is newer not in control mode.
fn meeting(ours: Version, theirs: Version) -> Meeting {
    let new = Version::new(3, 7);
    match (ours.at_least(new), theirs.at_least(new)) {
        (false, true) => Meeting::Refused,
        (true, false) => Meeting::Mute,
        _ => Meeting::Works,
    }
}

/// Passes when one that follows a server through its end and its upgrade says which version it is
/// or why it cannot be attached to, leaves it alive, and is back in service with the first version
/// that its own tmux can speak to.
#[tokio::test]
async fn a_server_that_comes_back_as_another_version_is_followed_or_said_to_be_strange() {
    skip_if_asked!();
    let mut others = other_binaries();
    let version = |text: &str| Version::parse(text.as_bytes());
    others.retain(|(text, _)| version(text).is_some_and(|v| v.at_least(Version::FLOOR)));
    let first = Server::start();
    let tested = first.version();
    if others.is_empty() {
        eprintln!("there is no tmux but {tested} here: it follows itself");
        others.push((tested.clone(), first.binary().to_owned()));
    }
    let start = follow(&first).deadline(Duration::from_millis(300)).start();
    let followed = start.await.unwrap();
    let mut changes = followed.changes();
    let mut pid = next(&mut changes, "a server", up).await;
    for (text, other) in others {
        first.kill_hard();
        let down = next(&mut changes, "its end", |change| match change {
            ServerChange::Down { server, .. } => Some(server.pid),
            _ => None,
        });
        assert_eq!(down.await, pid);
        let successor = first.successor(&other);
        successor.boot(&Boot::default());
        let meeting = meeting(version(&tested).unwrap(), version(&text).unwrap());
        let ours = |identity: &tmux_cc::client::Identity| identity.pid == successor.pid();
        match meeting {
            Meeting::Works | Meeting::Mute => {
                let server = next(&mut changes, "the new server", |change| match change {
                    ServerChange::Up(server) => Some(server),
                    _ => None,
                })
                .await;
                assert!(ours(&server), "{server:?}");
                assert_eq!(Some(server.version), version(&text));
            }
            Meeting::Refused => {
                next(&mut changes, "a refusal", |change| match change {
                    ServerChange::Waiting(Waiting::Refused(said)) => {
                        assert_eq!(said, b"server exited unexpectedly");
                        Some(())
                    }
                    ServerChange::Up(server) => panic!("{server:?}"),
                    _ => None,
                })
                .await;
            }
        }
        match meeting {
            Meeting::Works => {
                until_async(PATIENCE, "a reply", async || {
                    let command = Command::new("display-message").flag("-p").arg("#{pid}");
                    let reply = followed.command(command).await;
                    reply.is_ok_and(|reply| reply.text() == successor.pid().to_string().as_bytes())
                })
                .await;
            }
            Meeting::Mute => {
                let error =
                    next(
                        &mut changes,
                        "that it cannot be attached to",
                        |change| match change {
                            ServerChange::AttachFailed { error, .. } => Some(error.to_string()),
                            _ => None,
                        },
                    )
                    .await;
                assert!(error.contains(&tested) && error.contains(&text), "{error}");
            }
            Meeting::Refused => {}
        }
        let verdict = match meeting {
            Meeting::Works => "works",
            Meeting::Refused => "refused",
            Meeting::Mute => "lists, and never greets a control client",
        };
        facts::record(&format!("our tmux on a server of {text}"), verdict);
        assert!(successor.alive());
        successor.kill_hard();
        drop(successor);
        first.boot(&Boot::default());
        let back = next(
            &mut changes,
            "the first version again",
            |change| match change {
                ServerChange::Up(server) if server.pid == first.pid() => Some(server.pid),
                _ => None,
            },
        );
        pid = back.await;
        until_async(PATIENCE, "a reply", async || {
            followed.command(Command::new("list-panes")).await.is_ok()
        })
        .await;
    }
    soon("the end", followed.close()).await;
}

/// Passes when a server that never greets a client of ours, since it is of another version, has
/// none of them left soon after: tmux counts them as attached, and they would stay for ever.
#[tokio::test]
async fn a_server_of_another_kind_is_left_as_it_was() {
    skip_if_asked!();
    let place = Server::empty();
    let tested = place.version();
    let version = |text: &str| Version::parse(text.as_bytes()).unwrap();
    for (text, other) in other_binaries() {
        let old_enough = version(&text).at_least(Version::FLOOR);
        if !old_enough || meeting(version(&tested), version(&text)) != Meeting::Mute {
            continue;
        }
        let server = Server::empty_of(other);
        server.boot(&Boot::default());
        let attach = Attach::any()
            .socket_path(server.socket())
            .tmux(place.binary())
            .deadline(Duration::from_millis(300));
        let error = soon("a refusal", attach.start()).await.unwrap_err();
        assert!(
            matches!(error, AttachError::OtherVersion { .. }),
            "{text}: {error}"
        );
        until_async(PATIENCE, "no client", async || {
            server.answer(["list-clients"]).is_empty()
        })
        .await;
        assert!(server.alive());
    }
}
