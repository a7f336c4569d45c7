//! What nobody reads is dropped, and said.

use harness::server::Server;
use harness::skip_if_asked;
use tmux_cc::client::{Budget, Event};
use tmux_cc::wire::Notification;
use tokio::task::JoinSet;

use super::support::{ask, attach, soon};

#[tokio::test]
async fn notifications_that_nobody_reads_are_counted() {
    skip_if_asked!();
    const RENAMES: u64 = 6000;
    let server = Server::start();
    let attach = attach(&server, "main").budget(Budget::bytes(64 << 10));
    let (client, mut events, driver) = attach.start().await.unwrap();
    tokio::spawn(driver);
    let mut renames = JoinSet::new();
    for n in 0..RENAMES {
        let client = client.clone();
        renames.spawn(async move {
            let line = format!("rename-window -t main n{n}");
            ask(&client, &line).await.ok().unwrap();
        });
    }
    while let Some(done) = renames.join_next().await {
        done.unwrap();
    }
    // All notifications are on their way; the last of them is behind what is dropped.
    ask(&client, "display-message -p done").await;
    let (mut renamed, mut lagged) = (0, 0);
    soon("every notification, or that it is missing", async {
        while renamed + lagged < RENAMES {
            let batch = events.recv().await.unwrap();
            for event in batch.iter() {
                match event {
                    Event::Notification(Notification::WindowRenamed { .. }) => renamed += 1,
                    Event::Lagged(count) => lagged += count,
                    _ => {}
                }
            }
        }
    })
    .await;
    assert!(
        lagged > 0 && renamed > 0,
        "{renamed} came, {lagged} did not"
    );
    assert_eq!(client.health().lagged, lagged);
    // And it goes on from there.
    ask(&client, "rename-window -t main last").await;
    soon("one more", async {
        loop {
            let batch = events.recv().await.unwrap();
            if batch.iter().any(|event| {
                matches!(event, Event::Notification(Notification::WindowRenamed { name, .. })
                    if name == b"last")
            }) {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_said_before_the_end() {
    skip_if_asked!();
    let server = Server::start();
    let attach = attach(&server, "main").budget(Budget::bytes(64 << 10));
    let (client, mut events, driver) = attach.start().await.unwrap();
    let driver = tokio::spawn(driver);
    let mut renames = JoinSet::new();
    for n in 0..6000 {
        let client = client.clone();
        renames.spawn(async move {
            ask(&client, &format!("rename-window -t main n{n}")).await;
        });
    }
    while let Some(done) = renames.join_next().await {
        done.unwrap();
    }
    client.detach().await;
    soon("the driver", driver).await.unwrap();
    let (mut lagged, mut exited) = (0, false);
    while let Some(batch) = soon("the events", events.recv()).await {
        for event in batch.iter() {
            assert!(!exited, "{event:?} after the end");
            match event {
                Event::Lagged(count) => lagged += count,
                Event::Exited(_) => exited = true,
                _ => {}
            }
        }
    }
    assert!(exited && lagged > 0, "{exited} {lagged}");
    assert_eq!(client.health().lagged, lagged);
}
