//! Panes print what looks like the protocol; replies stay whole and where they belong.

use std::fs;

use harness::pane_agent;
use harness::server::Server;
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use tmux_cc::client::{Client, Events};
use tmux_cc::protocol::{Command, Spoof};
use tokio::task::JoinSet;

use super::support::{ask, attach, attached, pane_id, scaled, soon};

/// How many numbers ahead a pane guesses.
const AHEAD: u32 = 150;

/// A pane that has printed guards with every number in the range, from a second ago to some
/// seconds ahead.
async fn printed(server: &Server, client: &Client, numbers: (u32, u32), round: usize) -> String {
    let done = server.dir().join(format!("done-{round}"));
    let agent = format!(
        "exec {} guards --before 1 --after 9 --numbers {}-{} --done-file '{}' --then-stay",
        pane_agent!(),
        numbers.0,
        numbers.1,
        done.display()
    );
    let window = Command::new("new-window").flag("-dP");
    let window = window.option("-F", "#{pane_id}").arg(agent);
    let reply = soon("a window", client.command(window)).await.unwrap();
    let pane = pane_id(str::from_utf8(reply.ok().unwrap().text()).unwrap()).to_string();
    until_async(PATIENCE, "the guards", async || done.exists()).await;
    // Written is not read: the last line has to be on tmux's screen.
    until_async(PATIENCE, "the last guard", async || {
        let screen = server.answer(["capture-pane", "-p", "-t", &pane]);
        screen.contains(&format!(" {} 1", numbers.1))
    })
    .await;
    fs::remove_file(done).unwrap();
    pane
}

/// Captures the pane with other commands around it, all on their way at once; whether the guard
/// of the capture stood in the text, and what the reply says of it.
async fn captured(server: &Server, client: &Client, pane: &str) -> (bool, Option<Spoof>) {
    let one_shot = server.tmux(["capture-pane", "-p", "-S", "-", "-t", pane]);
    let mut others = JoinSet::new();
    let other = |n: usize, client: &Client| {
        let client = client.clone();
        async move {
            let reply = ask(&client, &format!("display-message -p other{n}")).await;
            assert_eq!(reply.text(), format!("other{n}").as_bytes());
            assert_eq!(reply.blocks().len(), 1);
            assert_eq!(reply.spoof(), None);
        }
    };
    (0..20).for_each(|n| drop(others.spawn(other(n, client))));
    let capture = Command::new("capture-pane").flag("-p");
    let capture = capture.option("-S", "-").option("-t", pane);
    let asked = client.clone();
    let capture = tokio::spawn(async move { asked.command(capture).await.unwrap() });
    tokio::task::yield_now().await;
    (20..40).for_each(|n| drop(others.spawn(other(n, client))));
    let reply = soon("the capture", capture).await.unwrap();
    while let Some(done) = soon("other replies", others.join_next()).await {
        done.unwrap();
    }
    let spoof = reply.spoof();
    let reply = reply.ok().unwrap();
    assert_eq!(reply.blocks().len(), 1, "{spoof:?}");
    let block = &reply.blocks()[0];
    assert_eq!(block.body(), one_shot.stdout, "the capture is whole");
    let guard = format!("%end {}", block.guard());
    let hit = block.lines().any(|line| line == guard.as_bytes());
    (hit, spoof)
}

/// The number of the last block.
async fn number(client: &Client) -> u32 {
    let reply = ask(client, "display-message -p now").await;
    reply.blocks()[0].guard().number
}

async fn rounds(server: &Server, client: &Client) -> usize {
    let mut hits = 0;
    let (mut rounds, wanted) = (0, scaled(200));
    while hits < wanted {
        let now = number(client).await;
        let pane = printed(server, client, (now + 1, now + AHEAD), rounds).await;
        let (hit, spoof) = captured(server, client, &pane).await;
        let expected = if hit {
            Spoof::Rejoined
        } else {
            Spoof::Lookalike
        };
        assert_eq!(spoof, Some(expected));
        hits += usize::from(hit);
        rounds += 1;
        ask(client, &format!("kill-pane -t '{pane}'"))
            .await
            .ok()
            .unwrap();
        assert!(
            rounds < 3 * wanted + 10,
            "only {hits} of {rounds} captures were hit"
        );
    }
    eprintln!("{hits} of {rounds} captures held their own guard");
    hits
}

/// Nothing of what a pane prints becomes an event.
async fn harmless(mut events: Events) {
    use tmux_cc::client::Event;
    use tmux_cc::wire::Notification as N;
    while let Some(batch) = events.recv().await {
        for event in batch.iter() {
            match event {
                Event::Notification(N::SessionChanged { session, .. }) => {
                    assert_ne!(session.to_string(), "$99");
                }
                Event::Notification(N::Exit { reason }) => assert_eq!(reason, b""),
                Event::Notification(N::Pause { .. } | N::Continue { .. }) | Event::Stray(_) => {
                    panic!("{event:?}")
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_capture_full_of_guesses_is_whole() {
    skip_if_asked!();
    let server = Server::start();
    let (client, events, driver) = attached(&server).await;
    let harmless = tokio::spawn(harmless(events));
    rounds(&server, &client).await;
    client.detach().await;
    soon("the driver", driver).await.unwrap();
    soon("the events", harmless).await.unwrap();
}

#[tokio::test]
async fn a_capture_full_of_guesses_is_whole_beside_output() {
    skip_if_asked!();
    let server = Server::start();
    let (client, events, driver) = attach(&server, "main").output(30).start().await.unwrap();
    let driver = tokio::spawn(driver);
    let harmless = tokio::spawn(harmless(events));
    rounds(&server, &client).await;
    client.detach().await;
    soon("the driver", driver).await.unwrap();
    soon("the events", harmless).await.unwrap();
}

#[tokio::test]
async fn guesses_that_miss_are_told_and_change_nothing() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let range = (u32::MAX - AHEAD, u32::MAX);
    let pane = printed(&server, &client, range, 0).await;
    let seen = captured(&server, &client, &pane).await;
    assert_eq!(seen, (false, Some(Spoof::Lookalike)));
}
