//! How a client comes to be, or is refused, and how it goes.

use std::fs;
use std::future::{Future, poll_fn};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use tmux_cc::client::{Attach, AttachError, ClientError, ServerError, Socket};
use tmux_cc::protocol::{Command, Exit};

use super::support::{alone, ask, attach, attached, follow, scaled, soon};

async fn refused(attach: Attach) -> AttachError {
    match soon("a refusal", attach.start()).await {
        Ok(_) => panic!("it attached"),
        Err(error) => error,
    }
}

/// A stand-in for tmux; the script's process writes its number where it is looked for.
fn stand_in(server: &Server, script: &str) -> PathBuf {
    let path = server.dir().join("stand-in");
    let pid = server.dir().join("pid");
    let text = format!("#!/bin/sh\necho $$ > '{}'\n{script}\n", pid.display());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// Waits until the stand-in has ended.
async fn gone(server: &Server) {
    let pid = fs::read_to_string(server.dir().join("pid")).unwrap();
    let process = Process::of(pid.trim().parse().unwrap());
    until_async(PATIENCE, "the stand-in's end", async || !process.alive()).await;
}

const GREETING: &str = "printf '%%begin 1 1 0\\n%%end 1 1 0\\n'";

#[tokio::test]
async fn without_a_server_none_is_started() {
    skip_if_asked!();
    let server = Server::empty();
    let error = refused(attach(&server, "main")).await;
    assert!(
        matches!(&error, AttachError::NoServer { socket } if socket == server.socket()),
        "{error:?}"
    );
    assert!(!server.socket().exists());

    // The socket of a server that crashed is there, and nobody listens.
    server.boot(&Boot::default());
    server.kill_hard();
    let error = refused(attach(&server, "main")).await;
    assert!(matches!(error, AttachError::NoServer { .. }), "{error:?}");
    assert!(!server.alive());
}

#[tokio::test]
async fn a_session_that_is_not_there_is_named() {
    skip_if_asked!();
    let server = Server::start();
    // A prefix of a name is not the name.
    for name in ["nobody", "mai"] {
        let error = refused(attach(&server, name)).await;
        let AttachError::Refused { said } = &error else {
            panic!("{error:?}")
        };
        assert!(said.starts_with(b"can't find "), "{error}");
    }
    assert!(server.alive());
    let (client, _events, _driver) = attached(&server).await;
    assert_eq!(client.attached().session_name, b"main");
    assert_eq!(client.attached().server.pid, server.pid());
}

#[tokio::test]
async fn what_is_no_socket_is_no_server() {
    skip_if_asked!();
    let server = Server::empty();
    let file = server.dir().join("file");
    fs::write(&file, "text").unwrap();
    let error = refused(attach(&server, "main").socket_path(&file)).await;
    assert!(
        matches!(
            error,
            AttachError::NoServer { .. } | AttachError::Refused { .. }
        ),
        "{error:?}"
    );
    assert_eq!(fs::read(&file).unwrap(), b"text");
    let builder = tmux_cc::client::Server::on(Socket::Path(file.clone()));
    let error = builder.tmux(server.binary()).start().await.err();
    assert!(
        matches!(&error, Some(ServerError::NotASocket { socket }) if *socket == file),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_program_that_is_missing_or_no_tmux_is_named() {
    skip_if_asked!();
    let server = Server::empty();
    let missing = server.dir().join("missing");
    let error = refused(attach(&server, "main").tmux(&missing)).await;
    assert!(
        matches!(&error, AttachError::Spawn { program, .. } if *program == missing),
        "{error:?}"
    );
    let error = follow(&server).tmux(&missing).start().await.err();
    assert!(
        matches!(error, Some(ServerError::Spawn { .. })),
        "{error:?}"
    );
    let other = stand_in(&server, "echo tmux 3.1c");
    let error = follow(&server).tmux(&other).start().await.err();
    assert!(
        matches!(&error, Some(ServerError::NotTmux { said, .. }) if said == b"tmux 3.1c"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_program_that_says_nothing_is_given_up_and_let_go() {
    skip_if_asked!();
    let server = Server::empty();
    let deadline = Duration::from_millis(300);
    for (script, greets) in [
        ("exec cat > /dev/null".to_owned(), false),
        // It talks without end, and does not answer.
        ("yes '%sessions-changed' & cat; kill $!".to_owned(), false),
        (format!("{GREETING}; exec cat > /dev/null"), true),
        (
            format!("{GREETING}; yes '%output %0 x' & cat > /dev/null; kill $!"),
            true,
        ),
    ] {
        let program = stand_in(&server, &script);
        let error = refused(attach(&server, "main").tmux(program).deadline(deadline)).await;
        match error {
            AttachError::NoFence { deadline: told } if greets => assert_eq!(told, deadline),
            AttachError::NoGreeting { deadline: told } if !greets => assert_eq!(told, deadline),
            _ => panic!("{script}: {error:?}"),
        }
        gone(&server).await;
    }
}

#[tokio::test]
async fn the_words_of_a_refusal_are_kept() {
    skip_if_asked!();
    let server = Server::empty();
    for (script, wanted) in [
        ("echo 'out of   luck' >&2; exit 1", &b"out of   luck"[..]),
        (
            "echo 'unknown command: x'; echo %exit; exit 1",
            b"unknown command: x",
        ),
        (
            "printf '%%begin 1 1 0\\nno sessions\\n%%error 1 1 0\\n%%exit\\n'; exit 1",
            b"no sessions",
        ),
        ("exit 1", b"the control client ended without a reason"),
        ("echo '%exit access not allowed'", b"access not allowed"),
    ] {
        let program = stand_in(&server, script);
        let error = refused(attach(&server, "main").tmux(program)).await;
        assert!(
            matches!(&error, AttachError::Refused { said } if said == wanted),
            "{script}: {error:?}"
        );
        gone(&server).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_unreadable() {
    skip_if_asked!();
    let server = Server::empty();
    // It answers a fence like tmux, and says nonsense before it.
    let script = format!(
        "{GREETING}; n=2; while read -r command flag text; do\n\
         case $text in f*) ;; *) text=nonsense ;; esac\n\
         printf '%%begin 1 %d 1\\n%s\\n%%end 1 %d 1\\n' $n \"$text\" $n; n=$((n+1)); done"
    );
    let program = stand_in(&server, &script);
    let error = refused(attach(&server, "main").tmux(program)).await;
    assert!(matches!(error, AttachError::Unreadable), "{error:?}");
    gone(&server).await;
}

/// Our children, those too that wait to be reaped.
fn children() -> Vec<Process> {
    Process::of(std::process::id()).children()
}

/// Waits until no client is left, here and in the server: up to 3.6 one that goes while the next is
/// in its handshake can crash that.
#[cfg(target_os = "linux")]
async fn all_gone(server: &Server) {
    until_async(PATIENCE, "no child left", async || children().is_empty()).await;
    assert_eq!(server.answer(["list-clients"]), "");
}

#[cfg(target_os = "linux")]
#[test]
fn in_whatever_order_its_parts_go_the_client_leaves() {
    skip_if_asked!();
    alone(
        "attach::in_whatever_order_its_parts_go_the_client_leaves",
        async {
            let server = Server::start();
            for (order, output) in ["ced", "cde", "ecd", "edc", "dce", "dec"]
                .into_iter()
                .flat_map(|order| [(order, false), (order, true)])
            {
                let mut attach = attach(&server, "main");
                if output {
                    attach = attach.output(5);
                }
                let (client, events, driver) = attach.start().await.unwrap();
                assert_eq!(children().len(), 1);
                let driver = tokio::spawn(driver);
                let (mut client, mut events) = (Some(client), Some(events));
                ask(client.as_ref().unwrap(), "display-message -p x").await;
                for part in order.chars() {
                    match part {
                        'c' => drop(client.take()),
                        'e' => drop(events.take()),
                        _ => driver.abort(),
                    }
                    tokio::task::yield_now().await;
                    if part == 'd' {
                        if let Some(client) = &client {
                            let late = client.command(Command::new("list-panes"));
                            let late = soon("an answer without a driver", late).await;
                            assert_eq!(late, Err(ClientError::Ended(Exit::Eof)), "{order}");
                        }
                        if let Some(events) = &mut events {
                            soon("the end of events", async {
                                while events.recv().await.is_some() {}
                            })
                            .await;
                        }
                    }
                }
                all_gone(&server).await;
            }
            // One that was never polled at all.
            let parts = attach(&server, "main").start().await.unwrap();
            drop(parts);
            all_gone(&server).await;
            // And one whose start is given up at any point.
            for steps in 0..40 {
                let start = attach(&server, "main").start();
                let _ = tokio::time::timeout(Duration::from_micros(steps * 300), start).await;
                all_gone(&server).await;
            }
            assert!(server.alive());
        },
    );
}

#[cfg(target_os = "linux")]
#[test]
fn coming_and_going_leaks_nothing() {
    skip_if_asked!();
    alone("attach::coming_and_going_leaks_nothing", async {
        let server = Server::start();
        let me = Process::of(std::process::id());
        let mut before = None;
        for _ in 0..scaled(1000) {
            let (client, mut events, driver) = attached(&server).await;
            ask(&client, "list-panes").await;
            client.detach().await;
            let exit = soon("the driver", driver).await.unwrap();
            assert_eq!(exit, Exit::Detached);
            soon("the end of events", async {
                while events.recv().await.is_some() {}
            })
            .await;
            // What the runtime needs for itself is there after the first time.
            let open = me.open_descriptors();
            assert_eq!(*before.get_or_insert(open), open);
            assert_eq!(children(), []);
        }
        assert!(server.alive());
        assert_eq!(server.answer(["list-clients"]), "");
    });
}

#[tokio::test]
async fn a_detached_client_has_its_last_replies() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, driver) = attached(&server).await;
    let mut replies = Vec::new();
    for n in 0..200 {
        let command = Command::raw(format!("display-message -p a{n}"));
        let client = client.clone();
        let mut reply = Box::pin(async move { client.command(command).await });
        // Polled once it is on its way, as long as there are no more than may wait.
        let first = poll_fn(|cx| Poll::Ready(reply.as_mut().poll(cx))).await;
        assert!(first.is_pending());
        // A task may not do too much in one go, or it is made to wait.
        tokio::task::yield_now().await;
        replies.push(reply);
    }
    client.detach().await;
    for (n, reply) in replies.into_iter().enumerate() {
        let reply = soon("a reply", reply).await.unwrap();
        assert_eq!(reply.text(), format!("a{n}").as_bytes());
    }
    let exit = soon("the driver", driver).await.unwrap();
    assert_eq!(exit, Exit::Detached);
}
