//! Coming and going, again and again: nothing is left behind, neither here nor in the server.

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until_async};
use harness::{pane_agent, skip_if_asked};
use tmux_cc::protocol::Command;

use super::support::{alone, ask, attach, follow, scaled, soon};

/// What is held by us and by the server while nobody is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    children: usize,
    of_server: usize,
}

fn held(server: &Server) -> Held {
    let me = Process::of(std::process::id());
    Held {
        descriptors: me.open_descriptors(),
        children: me.children().len(),
        of_server: server.process().unwrap().open_descriptors(),
    }
}

/// Comes and goes so many times, and holds no more after any of them than after the first, which
/// leaves what a runtime needs for itself.
async fn cycles(times: usize, server: &Server, cycle: impl AsyncFn()) {
    let mut first = None;
    for time in 0..times {
        cycle().await;
        until_async(PATIENCE, "no client", async || {
            server.answer(["list-clients"]).is_empty()
        })
        .await;
        let Some(first) = first else {
            first = Some(held(server));
            continue;
        };
        // The server lets go of whoever has just asked it when it comes to that.
        let what = format!("no more than {first:?} to be held after {time} cycles");
        until_async(PATIENCE, &what, async || {
            let now = held(server);
            now.descriptors <= first.descriptors
                && now.children <= first.children
                && now.of_server <= first.of_server
        })
        .await;
        assert!(server.alive());
    }
    assert_eq!(first.map(|held| held.children), Some(0));
}

/// Runs what is judged by the descriptors of a process in a process of its own.
fn in_a_process(name: &str, body: impl AsyncFnOnce(&Server)) {
    skip_if_asked!();
    alone(name, async {
        let server = Server::start_with(&Boot::running([pane_agent!(), "flood"]));
        body(&server).await;
        assert!(server.alive());
    });
}

async fn attach_and_detach(server: &Server, output: bool) {
    let mut attach = attach(server, "main");
    if output {
        attach = attach.output(5);
    }
    let (client, mut events, driver) = attach.start().await.unwrap();
    let driver = tokio::spawn(driver);
    ask(&client, "list-panes").await;
    client.detach().await;
    soon("the end of events", async {
        while events.recv().await.is_some() {}
    })
    .await;
    soon("the driver", driver).await.unwrap();
}

/// Passes when 500 clients, one after another, leave no process and no descriptor, here or in the
/// server.
#[cfg(target_os = "linux")]
#[test]
fn clients_that_come_and_go_leave_nothing() {
    in_a_process(
        "leaks::clients_that_come_and_go_leave_nothing",
        async |server| {
            cycles(scaled(500), server, async || {
                attach_and_detach(server, false).await
            })
            .await;
        },
    );
}

/// Passes when 500 clients that take the output of a flood leave nothing, one after another.
#[cfg(target_os = "linux")]
#[test]
fn clients_with_output_that_come_and_go_leave_nothing() {
    let name = "leaks::clients_with_output_that_come_and_go_leave_nothing";
    in_a_process(name, async |server| {
        cycles(scaled(500), server, async || {
            attach_and_detach(server, true).await
        })
        .await;
    });
}

/// Passes when a server is followed 200 times, with its output and without, and nothing is left.
#[cfg(target_os = "linux")]
#[test]
fn followers_that_come_and_go_leave_nothing() {
    let name = "leaks::followers_that_come_and_go_leave_nothing";
    in_a_process(name, async |server| {
        for output in [false, true] {
            cycles(scaled(100), server, async || {
                let followed = follow(server).start().await.unwrap();
                let mut output =
                    output.then(|| followed.output(tmux_cc::client::PaneFilter::all()));
                until_async(PATIENCE, "a client", async || {
                    followed.command(Command::new("list-panes")).await.is_ok()
                })
                .await;
                if let Some(output) = &mut output {
                    soon("output", output.recv()).await.unwrap();
                }
                soon("the end", followed.close()).await;
            })
            .await;
        }
    });
}
