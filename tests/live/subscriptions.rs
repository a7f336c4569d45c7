//! Subscriptions: what is watched is told, whole, and goes on being told.

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::PATIENCE;
use tmux_cc::client::{Reported, Subscribed, Subscription};
use tmux_cc::wire::{PaneId, SessionId, WindowId};

use super::support::{follow, pane_of, soon, within};

/// Takes reports until one is `enough`, and gives that.
async fn reported(
    subscribed: &mut Subscribed,
    what: &str,
    enough: impl Fn(&Reported) -> bool,
) -> Reported {
    within(PATIENCE, what, async {
        loop {
            let found = subscribed.recv().await.expect("the subscription goes on");
            if enough(&found) {
                return found;
            }
        }
    })
    .await
}

/// Passes when values that hold newlines, equal signs, separators and bytes that are no text come
/// as they were set, of panes, windows and sessions, and a plain word is no variable.
#[tokio::test]
async fn values_come_whole() {
    skip_if_asked!();
    let server = Server::start();
    let followed = follow(&server).start().await.unwrap();
    let mut panes = followed.subscribe(Subscription::panes("#{@mine}"));
    let pane = pane_of(&server, "main");
    for value in [
        "a=b\nc==0A\n\nd",
        "x : y",
        "",
        " two  spaces ",
        "#{pane_id},}",
        "=",
        "café\t\\n",
    ] {
        server.tmux(["set-option", "-p", "-t", "=main:", "@mine", value]);
        let is_it = |found: &Reported| found.value == value.as_bytes();
        let found = reported(&mut panes, value, is_it).await;
        assert_eq!(found.pane, Some(pane));
        assert_eq!(Some(found.server), followed.identity());
    }
    let mut windows = followed.subscribe(Subscription::windows("#{window_name},#{window_id}"));
    let found = reported(&mut windows, "the window", |_| true).await;
    assert!(found.value.ends_with(b",@0"), "{found:?}");
    assert_eq!(
        (found.window, found.index, found.pane),
        (Some(WindowId(0)), Some(0), None)
    );
    let mut sessions = followed.subscribe(Subscription::sessions("is #{session_name}"));
    let found = reported(&mut sessions, "the session", |_| true).await;
    assert_eq!((&found.value[..], found.window), (&b"is main"[..], None));
    let mut words = followed.subscribe(Subscription::panes("pane_id"));
    let found = reported(&mut words, "a word", |_| true).await;
    assert_eq!(found.value, b"pane_id");
    soon("the end", followed.close()).await;
    assert_eq!(panes.recv().await, None);
}

/// Passes when a pane that dies tells so, and each pane that comes is told of, in sessions that
/// come later too.
#[tokio::test]
async fn panes_are_told_of_from_their_beginning_to_their_death() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let followed = follow(&server).start().await.unwrap();
    let dead = "#{pane_dead} #{pane_dead_status}";
    let mut all = followed.subscribe(Subscription::panes(dead));
    server.tmux(["new-session", "-d", "-s", "later", "read x; exit 3"]);
    let pane = pane_of(&server, "later");
    let mut one = followed.subscribe(Subscription::pane(pane, dead));
    let of = |pane: PaneId, value: &'static [u8]| {
        move |found: &Reported| found.pane == Some(pane) && found.value.trim_ascii() == value
    };
    reported(&mut all, "the pane", of(pane, b"0")).await;
    assert_eq!(
        reported(&mut one, "the pane", |_| true).await.pane,
        Some(pane)
    );
    server.tmux(["send-keys", "-t", "=later:", "Enter"]);
    // Up to 3.5a the status itself may be lost (tmux #4559).
    let died = |found: &Reported| found.pane == Some(pane) && found.value.starts_with(b"1");
    reported(&mut all, "its death", died).await;
    reported(&mut one, "its death", died).await;
    soon("the end", followed.close()).await;
}

/// Passes when subscriptions go on over killed clients without saying anything twice, and over the
/// server's death into its next life.
#[tokio::test]
async fn subscriptions_survive_clients_and_servers() {
    skip_if_asked!();
    let server = Server::start();
    let followed = follow(&server).start().await.unwrap();
    let mut values = followed.subscribe(Subscription::panes("#{@n}"));
    let mut seen = Vec::new();
    for n in 0..4 {
        let value = format!("v{n}").into_bytes();
        server.tmux(["set-option", "-g", "@n", &format!("v{n}")]);
        while seen.last() != Some(&value) {
            let next = within(PATIENCE, "the next value", values.recv());
            seen.push(next.await.unwrap().value);
        }
        for pid in server
            .answer(["list-clients", "-F", "#{client_pid}"])
            .lines()
        {
            // It may have gone since.
            let _ = Process::of(pid.parse().unwrap()).kill();
        }
    }
    // The first may have been told before it was set.
    let told: Vec<_> = seen.iter().filter(|value| !value.is_empty()).collect();
    assert_eq!(told, [b"v0", b"v1", b"v2", b"v3"]);
    let old = followed.identity().unwrap();
    server.kill_hard();
    server.boot(&Boot::default());
    server.tmux(["set-option", "-g", "@n", "v3"]);
    let again = |found: &Reported| found.value == b"v3" && found.server != old;
    reported(&mut values, "the next life", again).await;
    soon("the end", followed.close()).await;
}

/// Passes when what is watched in several sessions is asked for with one listing, and no client has
/// the server look for it: each that does wakes an idle server once a second.
#[tokio::test]
async fn all_sessions_are_asked_for_at_once() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let followed = follow(&server).start().await.unwrap();
    let mut names = followed.subscribe(Subscription::panes("#{session_name}"));
    for name in ["main", "other"] {
        let session = server.answer([
            "display-message",
            "-p",
            "-t",
            &format!("={name}:"),
            "#{session_id}",
        ]);
        let session = SessionId::parse(session.trim().as_bytes()).unwrap();
        within(PATIENCE, "a client", followed.attached(session)).await;
    }
    let mut missing = vec![&b"main"[..], b"other"];
    while !missing.is_empty() {
        let found = within(PATIENCE, "both names", names.recv()).await.unwrap();
        missing.retain(|name| found.value != *name);
    }
    // What was subscribed to on a client would have been reported to it by now.
    server.tmux(["rename-session", "-t", "=other", "renamed"]);
    reported(&mut names, "the new name", |found| {
        found.value == b"renamed"
    })
    .await;
    let said = server.answer(["show-messages"]);
    let of = |command: &str| said.lines().filter(|line| line.contains(command)).count();
    assert!(of("list-panes -a -F") > 0, "{said}");
    assert_eq!(of("refresh-client -B"), 0, "{said}");
    soon("the end", followed.close()).await;
}
