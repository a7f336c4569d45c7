//! A client breaks off in its handshake. Up to 3.6 that kills the server (tmux #5004), so ours
//! never does.

use std::time::Duration;

use harness::raw::break_off;
use harness::server::Server;
use harness::wait::{PATIENCE, until, until_async};
use harness::{Process, facts, skip_if_asked};
use tmux_cc::protocol::{Quirk, Quirks};
use tmux_cc::wire::Version;
use tokio::time::timeout;

use super::super::support::{Dice, LONG, alone, attach, follow, scaled, within};

/// Passes when a raw client that hangs up in its handshake ends the server exactly where the table
/// of quirks says so.
#[test]
fn a_raw_client_that_breaks_off_is_as_dangerous_as_the_table_says() {
    skip_if_asked!();
    let server = Server::start();
    let version = Version::parse(server.version().as_bytes()).unwrap();
    let dies = Quirks::of(version).has(Quirk::HandshakeDropCrash);
    break_off(server.socket());
    if dies {
        until(PATIENCE, "the server's end", || !server.alive());
    }
    // Whoever has an answer now knows that the server has seen the other go.
    let answer = server.try_tmux(["display-message", "-p", "x"]);
    assert_eq!(answer.status.success(), !dies, "{version}: {answer:?}");
    let verdict = if dies { "kills the server" } else { "harmless" };
    facts::record("a raw client that breaks off in its handshake", verdict);
}

/// Passes when a start that is dropped, or a follower that is closed, at any moment of the first
/// 20 ms leaves no tmux process, no client and a server that lives.
#[cfg(target_os = "linux")]
#[test]
fn a_start_that_is_given_up_breaks_nothing_off() {
    skip_if_asked!();
    alone(
        "faults::handshake::a_start_that_is_given_up_breaks_nothing_off",
        give_up(),
    );
}

#[cfg(target_os = "linux")]
async fn give_up() {
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "second", "cat"]);
    let mut dice = Dice::new(5);
    let children = || Process::of(std::process::id()).children();
    for round in 0..scaled(4000) {
        // Most often where the handshake is.
        let latest = [6_000, 20_000][usize::from(dice.below(4) == 0)];
        let moment = Duration::from_micros(dice.below(latest) as u64);
        let output = dice.below(2) == 1;
        if round % 2 == 0 {
            let mut attach = attach(&server, "main");
            if output {
                attach = attach.output(5);
            }
            drop(timeout(moment, attach.start()).await);
        } else {
            let followed = follow(&server).start().await.unwrap();
            let taken = output.then(|| followed.output(tmux_cc::client::PaneFilter::all()));
            let _ = timeout(moment, std::future::pending::<()>()).await;
            within(LONG, "the end", followed.close()).await;
            drop(taken);
        }
        // Of a follower too, that is told to close: it waits for all it has begun.
        until_async(PATIENCE, "no process left", async || children().is_empty()).await;
        assert!(
            server.alive(),
            "round {round}, {moment:?}, output: {output}"
        );
    }
    assert_eq!(server.answer(["list-clients"]), "");
    assert_eq!(server.answer(["list-sessions"]).lines().count(), 2);
}
