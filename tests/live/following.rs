//! Sessions, windows and panes come, go and move; each pane's bytes come once and in order, or a
//! gap is said.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Child, Stdio};

use harness::pane_agent;
use harness::process::Process;
use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until, until_async};
use tmux_cc::client::{Cause, Changes, PaneFilter, Resync, ServerChange, ServerOutput};
use tmux_cc::protocol::Command;
use tmux_cc::tree::Change;
use tmux_cc::wire::{PaneId, SessionId};

use super::support::{Dice, LONG, Streams, attach, follow, pane_id, pane_of, scaled, soon, within};

/// A server, who follows it, and what it prints.
struct Following {
    server: Server,
    followed: tmux_cc::client::Server,
    changes: Changes,
    output: ServerOutput,
    streams: Streams,
}

impl Following {
    /// Follows a server whose first pane prints numbers.
    async fn start() -> Self {
        let server = Server::start_with(&Boot::running([pane_agent!(), "flood"]));
        // More than `main`, so that the server outlives that.
        server.tmux(["new-session", "-d", "-s", "idle", "cat"]);
        Self::of(server).await
    }

    async fn of(server: Server) -> Self {
        let followed = follow(&server).start().await.unwrap();
        let this = Self {
            changes: followed.changes(),
            output: followed.output(PaneFilter::all()),
            followed,
            server,
            streams: Streams::new(),
        };
        this.tree_is_right().await;
        // Up to 3.6, a server can crash when sessions are made while a client attaches.
        until_async(LONG, "every client", async || {
            let followed = this
                .server
                .answer(["list-sessions", "-F", "#{destroy-unattached}"]);
            let followed = followed.lines().filter(|option| *option == "0").count();
            this.clients().len() >= 2 * followed
        })
        .await;
        until_async(PATIENCE, "a client for commands", async || {
            let command = Command::new("list-panes");
            this.followed.command(command).await.is_ok()
        })
        .await;
        this
    }

    /// What tmux lists is what the tree holds, in good time.
    async fn tree_is_right(&self) {
        let format = "#{session_id} #{window_id} #{pane_id} #{session_name} #{window_name}";
        let listed = || -> BTreeSet<String> {
            let text = self.server.answer(["list-panes", "-a", "-F", format]);
            text.lines().map(str::to_owned).collect()
        };
        let known = || -> BTreeSet<String> {
            let tree = self.followed.tree();
            let places = tree.panes().flat_map(|pane| {
                pane.places.iter().map(|place| {
                    format!(
                        "{} {} {} {} {}",
                        place.session,
                        place.window,
                        pane.id,
                        String::from_utf8_lossy(&place.session_name),
                        String::from_utf8_lossy(&place.window_name)
                    )
                })
            });
            places.collect()
        };
        until_async(PATIENCE, "the tree", async || listed() == known()).await;
    }

    /// Waits until the pane has gone on from where it is.
    #[track_caller]
    fn goes_on(&mut self, pane: PaneId) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let from = self.streams.last(pane);
            let what = format!("{pane} to go on (asked at {at})");
            let goes_on = |s: &Streams| s.last(pane) > from + 1000;
            self.streams.until(&mut self.output, &what, goes_on).await;
        }
    }

    async fn ends(&mut self, pane: PaneId) {
        let ended = |s: &Streams| s.has_ended(pane);
        let what = format!("the end of {pane}");
        self.streams.until(&mut self.output, &what, ended).await;
    }

    /// Waits for a change of some kind.
    async fn change<T>(&mut self, what: &str, pick: impl Fn(&ServerChange) -> Option<T>) -> T {
        soon(what, async {
            loop {
                let change = self.changes.recv().await.expect("changes go on");
                if let Some(found) = pick(&change) {
                    return found;
                }
            }
        })
        .await
    }

    /// Every pane but those that were there is complete from its first line.
    async fn close(mut self) -> Streams {
        assert!(self.server.alive());
        let closing = tokio::spawn(self.followed.close());
        within(LONG, "the last batch", async {
            while let Some(batch) = self.output.recv().await {
                self.streams.take(&batch);
            }
        })
        .await;
        soon("the end", closing).await.unwrap();
        until_async(PATIENCE, "no client left", async || {
            self.server.answer(["list-clients"]).is_empty()
        })
        .await;
        self.streams
    }

    fn session(&self, name: &str) -> SessionId {
        let id = self
            .server
            .answer(["display-message", "-p", "-t", name, "#{session_id}"]);
        SessionId::parse(id.as_bytes()).unwrap()
    }

    /// A new window that prints numbers.
    fn window(&self, session: &str) -> PaneId {
        let line = ["new-window", "-dP", "-F", "#{pane_id}", "-t", session];
        let flood = [pane_agent!(), "flood"];
        pane_id(&self.server.answer([&line[..], &flood[..]].concat()))
    }

    /// Our tmux processes, and whether each takes output.
    fn clients(&self) -> Vec<(String, u32, bool)> {
        let format = "#{client_name} #{client_pid} #{client_flags}";
        let text = self.server.answer(["list-clients", "-F", format]);
        text.lines()
            .map(|line| {
                let mut words = line.split(' ');
                let name = words.next().unwrap().to_owned();
                let pid = words.next().unwrap().parse().unwrap();
                (name, pid, !words.next().unwrap().contains("no-output"))
            })
            .collect()
    }
}

#[tokio::test]
async fn what_is_made_and_renamed_is_followed() {
    skip_if_asked!();
    let mut it = Following::start().await;
    let first = pane_of(&it.server, "main");
    it.goes_on(first).await;
    let flood = [pane_agent!(), "flood"];
    let named = ["new-session", "-dP", "-F", "#{pane_id}", "-s", "two"];
    let second = pane_id(&it.server.answer([&named[..], &flood].concat()));
    it.goes_on(second).await;
    soon("word that the new session is watched", async {
        loop {
            match it.changes.recv().await.expect("a change") {
                ServerChange::OutputAttached(session) if session.name == b"two" => break,
                _ => {}
            }
        }
    })
    .await;
    let third = it.window("two");
    it.goes_on(third).await;
    // One that came while its session was watched is complete from its first byte.
    let stream = it.streams.pane(third).unwrap();
    assert!(stream.from_birth, "{stream:?}");
    let split = ["split-window", "-dP", "-F", "#{pane_id}", "-t", "main"];
    let fourth = pane_id(&it.server.answer([&split[..], &flood].concat()));
    it.goes_on(fourth).await;
    let stream = it.streams.pane(fourth).unwrap();
    assert!(stream.from_birth, "{stream:?}");
    it.server.tmux(["rename-session", "-t", "two", "zw ei"]);
    it.server.tmux(["rename-window", "-t", "main", " a  b "]);
    it.tree_is_right().await;
    for pane in [first, second, third, fourth] {
        it.goes_on(pane).await;
    }
    it.server.tmux(["kill-pane", "-t", &third.to_string()]);
    it.ends(third).await;
    let id = it.session("zw ei");
    it.server.tmux(["kill-session", "-t", "zw ei"]);
    it.change("the session's end", |change| {
        matches!(change, ServerChange::Tree(Change::SessionGone(row)) if row.id == id).then_some(())
    })
    .await;
    it.ends(second).await;
    it.tree_is_right().await;
    it.goes_on(first).await;
    // Nothing but the beginning of what was there already is missing.
    for pane in [first, third, fourth] {
        let stream = it.streams.pane(pane).unwrap();
        let causes: Vec<_> = stream.resyncs.iter().map(|resync| resync.cause).collect();
        assert!(
            causes
                .iter()
                .all(|c| matches!(c, Cause::FirstSight | Cause::Paused)),
            "{pane} {causes:?}"
        );
    }
    it.close().await;
}

#[tokio::test]
async fn a_window_that_moves_between_sessions_goes_on() {
    skip_if_asked!();
    let mut it = Following::start().await;
    let pane = it.window("main");
    it.goes_on(pane).await;
    let mut dice = Dice::new(11);
    for round in 0..scaled(200) {
        let id = pane.to_string();
        let there = ["main", "idle"][round % 2];
        match dice.below(4) {
            0 => {
                // There and back before anybody has looked.
                it.server
                    .tmux(["move-window", "-d", "-s", &id, "-t", "idle:8"]);
                it.server
                    .tmux(["move-window", "-d", "-s", &id, "-t", "main:7"]);
            }
            1 => {
                it.server
                    .tmux(["link-window", "-d", "-s", &id, "-t", &format!("{there}:9")]);
                it.goes_on(pane).await;
                it.server
                    .tmux(["unlink-window", "-t", &format!("{there}:9")]);
            }
            _ => {
                let target = format!("{}:", ["idle", "main"][round % 2]);
                it.server
                    .tmux(["move-window", "-d", "-s", &id, "-t", &target]);
            }
        }
        it.goes_on(pane).await;
    }
    it.tree_is_right().await;
    let streams = it.close().await;
    eprintln!("{} gaps", streams.epoch(pane));
}

#[tokio::test]
async fn a_linked_window_is_delivered_once() {
    skip_if_asked!();
    let mut it = Following::start().await;
    let pane = it.window("main");
    it.goes_on(pane).await;
    let id = pane.to_string();
    it.server
        .tmux(["link-window", "-d", "-s", &id, "-t", "idle:5"]);
    it.tree_is_right().await;
    it.goes_on(pane).await;
    // A group shows all of a session's windows.
    it.server
        .tmux(["new-session", "-d", "-s", "group", "-t", "main"]);
    it.tree_is_right().await;
    it.goes_on(pane).await;
    assert_eq!(it.followed.tree().pane(pane).unwrap().places.len(), 3);
    // The session that it came from ends; it lives on in others.
    it.server.tmux(["kill-session", "-t", "main"]);
    it.goes_on(pane).await;
    it.server.tmux(["kill-session", "-t", "group"]);
    it.goes_on(pane).await;
    it.tree_is_right().await;
    assert_eq!(it.followed.tree().pane(pane).unwrap().places.len(), 1);
    it.server.tmux(["kill-session", "-t", "idle"]);
    it.ends(pane).await;
}

#[tokio::test]
async fn panes_that_change_windows_go_on() {
    skip_if_asked!();
    let mut it = Following::start().await;
    let flood = it.window("main");
    let idle = pane_of(&it.server, "idle");
    it.goes_on(flood).await;
    let (id, other) = (flood.to_string(), idle.to_string());
    for _ in 0..scaled(60) {
        // Into a window of the other session, and out of it.
        it.server.tmux(["join-pane", "-d", "-s", &id, "-t", &other]);
        it.goes_on(flood).await;
        it.server
            .tmux(["break-pane", "-d", "-s", &id, "-t", "idle:"]);
        it.goes_on(flood).await;
        it.server
            .tmux(["swap-window", "-d", "-s", &id, "-t", "main:0"]);
        it.goes_on(flood).await;
        it.server.tmux(["swap-pane", "-d", "-s", &id, "-t", &other]);
        it.goes_on(flood).await;
        it.server
            .tmux(["move-window", "-d", "-s", &id, "-t", "main:"]);
        it.goes_on(flood).await;
        it.server
            .tmux(["swap-pane", "-d", "-s", &other, "-t", "idle:"]);
    }
    it.tree_is_right().await;
    it.close().await;
}

#[tokio::test]
async fn a_client_that_is_taken_away_comes_back() {
    skip_if_asked!();
    let mut it = Following::start().await;
    let pane = pane_of(&it.server, "main");
    it.goes_on(pane).await;
    let session = it.session("main");
    for way in ["kill", "detach-client", "switch-client"] {
        for output in [true, false] {
            until_async(PATIENCE, "four clients", async || it.clients().len() == 4).await;
            let before = it.clients();
            let of_main = it
                .server
                .answer(["list-clients", "-t", "main", "-F", "#{client_name}"]);
            let (name, pid, _) = before
                .iter()
                .find(|(name, _, out)| *out == output && of_main.lines().any(|line| line == name))
                .unwrap();
            match way {
                "kill" => Process::of(*pid).kill().unwrap(),
                "detach-client" => drop(it.server.tmux([way, "-t", name])),
                _ => drop(it.server.tmux([way, "-c", name, "-t", "idle"])),
            }
            let epoch = it.streams.epoch(pane);
            if output {
                // It may have been paused before, while nobody took what it prints.
                let what = format!("its gap after {way}");
                let is_gap = |r: &Resync| r.epoch > epoch && r.cause == Cause::Disconnected;
                let gap = |s: &Streams| s.pane(pane).unwrap().resyncs.iter().any(is_gap);
                it.streams.until(&mut it.output, &what, gap).await;
            }
            it.goes_on(pane).await;
            // Commands go on as well, through another client until there is a new one.
            until_async(PATIENCE, "a reply", async || {
                let command = Command::new("display-message").flag("-p").arg("x");
                let reply = it.followed.command(command).await;
                reply.is_ok_and(|reply| reply.text() == b"x")
            })
            .await;
            let (server, name) = (&it.server, name.clone());
            until_async(PATIENCE, "another client", async || {
                let names = server.answer(["list-clients", "-t", "main", "-F", "#{client_name}"]);
                names.lines().count() == 2 && names.lines().all(|line| line != name)
            })
            .await;
            until_async(PATIENCE, "its handle", async || {
                let client = it.followed.client(session);
                client.is_some_and(|client| client.exit().is_none())
            })
            .await;
        }
    }
    it.close().await;
}

/// Somebody else's control client: it holds a session as a user does.
fn user(server: &Server, session: &str) -> Child {
    let mut command = server.command();
    command.args(["-C", "attach-session", "-t", session]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let child = command.spawn().unwrap();
    until(PATIENCE, "the user's client", || {
        let clients = server.answer(["list-clients", "-F", "#{client_pid}"]);
        clients.lines().any(|pid| pid == child.id().to_string())
    });
    child
}

#[tokio::test]
async fn a_session_that_ends_with_its_user_is_left_alone() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "fragile", "cat"]);
    let mut user = user(&server, "fragile");
    server.tmux(["set-option", "-t", "fragile", "destroy-unattached", "on"]);
    let mut it = Following::of(server).await;
    let fragile = it.session("fragile");
    it.change("that it is left alone", |change| {
        matches!(change, ServerChange::Skipped(row) if row.id == fragile).then_some(())
    })
    .await;
    until_async(PATIENCE, "ours and the user's", async || {
        it.clients().len() == 3
    })
    .await;
    assert!(it.followed.client(fragile).is_none());
    let has = |it: &Following| {
        it.server
            .try_tmux(["has-session", "-t", "=fragile"])
            .status
            .success()
    };
    // Ours come and go, and it lives.
    for (name, pid, _) in it.clients() {
        if pid != user.id() {
            it.server.tmux(["detach-client", "-t", &name]);
        }
    }
    let server = &it.server;
    until_async(PATIENCE, "new clients", async || {
        server.answer(["list-clients"]).lines().count() == 3
    })
    .await;
    assert!(has(&it));
    // Up to 3.8 a client that leaves just then can crash the server (tmux #5497): this answer comes
    // when it has seen the last of those above.
    until_async(PATIENCE, "a reply", async || {
        it.followed
            .command(Command::new("list-panes"))
            .await
            .is_ok()
    })
    .await;
    // Its user goes, and it ends as it was meant to.
    user.stdin.take().unwrap().flush().unwrap();
    user.wait().unwrap();
    // Nobody else asks meanwhile.
    until_async(PATIENCE, "its end", async || {
        it.followed.tree().session(fragile).is_none()
    })
    .await;
    assert!(!has(&it));
    it.tree_is_right().await;
    it.close().await;
}

#[tokio::test]
async fn many_sessions_are_followed() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running([pane_agent!(), "flood"]));
    let mut panes = BTreeSet::new();
    for n in 0..20 {
        let name = format!("s{n}");
        let line = ["new-session", "-dP", "-F", "#{pane_id}", "-s", &name];
        let agent = [pane_agent!(), "flood"];
        panes.insert(pane_id(&server.answer([&line[..], &agent[..]].concat())));
    }
    let mut it = Following::of(server).await;
    let all = |s: &Streams| {
        panes
            .iter()
            .all(|pane| s.pane(*pane).is_some_and(|p| p.lines > 1000))
    };
    it.streams.until(&mut it.output, "every pane", all).await;
    it.tree_is_right().await;
    assert!(it.server.alive());
    for n in (0..20).step_by(2) {
        let kill = Command::new("kill-session").option("-t", format!("s{n}"));
        let reply = soon("an answer", it.followed.command(kill)).await;
        reply.unwrap().ok().unwrap();
    }
    let half = |s: &Streams| panes.iter().filter(|pane| s.has_ended(**pane)).count() == 10;
    it.streams
        .until(&mut it.output, "half the streams to end", half)
        .await;
    it.tree_is_right().await;
    it.close().await;
}

#[tokio::test]
async fn panes_that_live_for_a_moment_end_too() {
    skip_if_asked!();
    let mut it = Following::start().await;
    let mut panes = BTreeSet::new();
    for n in 0..scaled(1000) {
        // Some end before anybody has looked, some after.
        let agent = format!("{} flood --lines 5; sleep .0{:02}", pane_agent!(), n % 60);
        let window = Command::new("new-window").flag("-dP");
        let window = window.option("-F", "#{pane_id}").option("-t", "idle");
        let reply = soon("a window", it.followed.command(window.arg(agent))).await;
        let reply = reply.unwrap().ok().unwrap();
        panes.insert(pane_id(str::from_utf8(reply.text()).unwrap()));
    }
    it.tree_is_right().await;
    let last = it.window("idle");
    it.goes_on(last).await;
    let all = |s: &Streams| {
        let mut known = panes.iter().filter_map(|pane| s.pane(*pane));
        known.all(|stream| stream.ended)
    };
    it.streams
        .until(&mut it.output, "the end of every stream", all)
        .await;
    let seen = panes
        .iter()
        .filter(|pane| it.streams.pane(**pane).is_some())
        .count();
    eprintln!("{seen} of {} were seen to print", panes.len());
    assert!(seen > 0);
    it.close().await;
}

#[tokio::test]
async fn a_consumer_that_comes_back_begins_with_a_gap() {
    skip_if_asked!();
    let mut it = Following::start().await;
    let pane = pane_of(&it.server, "main");
    it.goes_on(pane).await;
    for round in 0..scaled(200) {
        let from = it.streams.last(pane);
        drop(it.output);
        if round % 2 == 0 {
            // Long enough that all output clients have left.
            until_async(PATIENCE, "two clients", async || {
                it.server.answer(["list-clients"]).lines().count() == 2
            })
            .await;
        } else {
            tokio::task::yield_now().await;
        }
        it.output = it.followed.output(PaneFilter::all());
        // A new consumer knows of nothing; what it gets is judged on its own.
        it.streams = Streams::new();
        let seen = |s: &Streams| s.last(pane) > 0;
        it.streams.until(&mut it.output, "output", seen).await;
        let stream = it.streams.pane(pane).unwrap();
        assert!(!stream.from_birth, "a gap that was not said");
        assert!(it.streams.last(pane) > from);
    }
    it.close().await;
}

#[tokio::test]
async fn the_environment_of_a_session_is_left_as_it_is() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["set-environment", "-t", "main", "DISPLAY", "users-own"]);
    let (client, _events, driver) = attach(&server, "main").start().await.unwrap();
    tokio::spawn(driver);
    let show = Command::new("show-environment")
        .option("-t", "main")
        .arg("DISPLAY");
    let reply = soon("a reply", client.command(show)).await.unwrap();
    assert_eq!(reply.text(), b"DISPLAY=users-own");
}
