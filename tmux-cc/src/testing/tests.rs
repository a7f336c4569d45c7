use std::time::Duration;

use proptest::prelude::*;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::client::{Attach, AttachError, Client, ClientError, Event, Events};
use crate::protocol::{Command, Exit, ReplyError};
use crate::wire::{Notification, PaneId, Version, quote};

const PATIENCE: Duration = Duration::from_secs(10);

async fn attached(fake: &FakeTmux) -> (Client, Events, JoinHandle<Exit>) {
    let attach = Attach::to("main").over(fake.connect());
    let (client, events, driver) = attach.await.unwrap();
    (client, events, tokio::spawn(driver))
}

async fn text(client: &Client, line: &str) -> Vec<(bool, Vec<u8>)> {
    let reply = client.command_within(Command::raw(line), PATIENCE).await;
    let reply = reply.unwrap();
    let blocks = reply.blocks().iter();
    blocks
        .map(|block| (block.is_ok(), block.text().to_vec()))
        .collect()
}

#[tokio::test]
async fn it_is_the_server_that_it_was_made_to_be() {
    let fake = FakeTmux::new("3.5a");
    fake.set("pid", "77");
    let (client, ..) = attached(&fake).await;
    let server = &client.attached().server;
    assert_eq!(
        (server.version, server.pid),
        (Version::patched(3, 5, 'a'), 77)
    );
    fake.set("pane_title", "two words");
    let title = text(&client, "display-message -p '#{pane_title}|#{nothing}|'").await;
    assert_eq!(title, [(true, b"two words||".to_vec())]);
}

#[tokio::test]
async fn each_command_of_a_line_has_its_block_up_to_the_first_that_fails() {
    let fake = FakeTmux::new("3.3a");
    fake.on("good", |asked| Answer::ok(asked.arguments.concat()));
    fake.on("bad", |_| Answer::error("can't find it"));
    fake.on("many", |_| {
        Answer::Blocks(vec![(true, b"1\n".to_vec()), (true, Vec::new())])
    });
    let (client, ..) = attached(&fake).await;
    for (line, blocks) in [
        ("good 'a b'", &[(true, "a b")][..]),
        ("good a ; good b", &[(true, "a"), (true, "b")]),
        (
            "good a ; bad ; good b",
            &[(true, "a"), (false, "can't find it")],
        ),
        ("many", &[(true, "1"), (true, "")]),
        ("# nothing", &[]),
        ("nobody", &[(false, "parse error: unknown command: nobody")]),
    ] {
        let found = text(&client, line).await;
        let found: Vec<_> = found
            .iter()
            .map(|(ok, text)| (*ok, std::str::from_utf8(text).unwrap()))
            .collect();
        assert_eq!(found, blocks, "{line}");
    }
    let asked = fake.asked();
    assert_eq!(asked.last().unwrap().name, "nobody");
    assert_eq!(asked.iter().filter(|asked| asked.name == "good").count(), 4);
}

#[tokio::test]
async fn what_happens_between_commands_is_told_between_them() {
    let fake = FakeTmux::new("3.7c");
    let attach = Attach::to("main").output(5).over(fake.connect());
    let (_client, mut events, driver) = attach.await.unwrap();
    tokio::spawn(driver);
    fake.say("%window-renamed @0 a name");
    fake.hook("hooked");
    fake.output(PaneId(3), b"a\\\xff\r\n");
    fake.exit("too far behind");
    let (mut renamed, mut hooked, mut printed, mut ended) = (false, false, Vec::new(), None);
    while let Some(batch) = timeout(PATIENCE, events.recv()).await.unwrap() {
        for event in batch.iter() {
            match event {
                Event::Notification(Notification::WindowRenamed { name, .. }) => {
                    renamed = name == b"a name";
                }
                Event::Unsolicited(block) => hooked = block.text() == b"hooked",
                Event::Output(output) => printed.extend_from_slice(&output.data.decode()),
                Event::Exited(exit) => ended = Some(exit.clone()),
                _ => {}
            }
        }
    }
    assert!(renamed && hooked);
    assert_eq!(printed, b"a\\\xff\r\n");
    assert_eq!(ended, Some(Exit::Reason(b"too far behind".to_vec())));
}

#[tokio::test]
async fn a_command_that_waits_holds_back_those_behind_it() {
    let fake = FakeTmux::new("3.3a");
    fake.on("wait-for", |_| Answer::Wait);
    let (client, ..) = attached(&fake).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.command(Command::new("wait-for").arg("x")).await }
    });
    let asked = async {
        while !fake.asked().iter().any(|asked| asked.name == "wait-for") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asked).await.unwrap();
    assert!(!waiting.is_finished(), "its fence has not come");
    fake.wake();
    let reply = timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
    assert!(reply.ok().is_ok());
}

#[tokio::test]
async fn a_client_that_is_ended_is_told_so_and_another_may_come() {
    let fake = FakeTmux::new("3.3a");
    fake.on("hang", |_| Answer::Wait);
    let (client, _events, driver) = attached(&fake).await;
    let waiting = client.command(Command::new("hang"));
    let end = async {
        while fake.asked().last().is_none_or(|asked| asked.name != "hang") {
            tokio::task::yield_now().await;
        }
        fake.exit("server exited unexpectedly");
    };
    let (lost, ()) = timeout(PATIENCE, async { tokio::join!(waiting, end) })
        .await
        .unwrap();
    assert!(
        matches!(
            lost,
            Err(ClientError::Reply(ReplyError::Disconnected(Exit::Reason(
                _
            ))))
        ),
        "{lost:?}"
    );
    timeout(PATIENCE, driver).await.unwrap().unwrap();
    let (client, _events, driver) = attached(&fake).await;
    client.detach().await;
    timeout(PATIENCE, driver).await.unwrap().unwrap();
    let refused = FakeTmux::new("3.1c");
    let error = Attach::to("main")
        .over(refused.connect())
        .await
        .unwrap_err();
    assert!(matches!(error, AttachError::TooOld { .. }), "{error:?}");
}

proptest! {
    /// What `Command` writes is read as what it was given.
    #[test]
    fn words_are_read_as_they_were_meant(
        words in prop::collection::vec(prop::collection::vec(1..=u8::MAX, 0..20), 1..5)
    ) {
        let mut line = b"name".to_vec();
        for word in &words {
            line.push(b' ');
            quote(word, &mut line).unwrap();
        }
        let asked = Asked::parse(&line).unwrap();
        prop_assert_eq!(asked.arguments, words);
    }

    #[test]
    fn no_line_is_too_odd(line: Vec<u8>) {
        let _ = Asked::parse(&line);
    }
}
