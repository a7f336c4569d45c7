//! The tree: whatever is done to a server, what is folded is what a fresh listing shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use tmux_cc::client::{self, ServerChange};
use tmux_cc::format::Signal;
use tmux_cc::protocol::{Block, Command};
use tmux_cc::tree::{Change, Listing, Tree};
use tmux_cc::wire::{PaneId, SessionId, Version, WindowId};

use super::support::{Dice, follow, scaled, soon, within};

/// How many of each there may be.
const SESSIONS: usize = 4;
const WINDOWS: usize = 8;
const PANES: usize = 14;

/// How long the tree may take. A follower lists everything every 10 s although nothing was told, so
/// what takes longer than this was not told.
const SETTLES: Duration = Duration::from_secs(8);

/// The program of every pane: two words, so that no shell comes first.
const CAT: [&str; 2] = ["cat", "-"];

/// A followed server whose panes run `cat`.
struct Followed {
    server: Server,
    followed: client::Server,
}

impl Followed {
    async fn start() -> Self {
        let server = Server::start_with(&Boot::running(CAT));
        let followed = follow(&server).start().await.unwrap();
        let it = Self { server, followed };
        it.settled("a server").await;
        it
    }

    /// What a fresh listing shows, once every session is followed.
    async fn fresh(&self) -> Option<Tree> {
        let mut line: Option<Command> = None;
        for (name, flags, format) in Listing::commands() {
            let command = flags
                .iter()
                .fold(Command::new(name), |c, flag| c.flag(flag));
            let command = command.option("-F", format);
            line = Some(match line {
                Some(line) => line.then(command),
                None => command,
            });
        }
        let reply = self.followed.command(line.unwrap()).await.ok()?.ok().ok()?;
        let listing = Listing::read(reply.blocks().iter().map(Block::body)).unwrap();
        let mut tree = Tree::default();
        tree.apply(listing);
        let all = tree
            .sessions()
            .all(|session| self.followed.client(session.id).is_some());
        all.then_some(tree)
    }

    /// Waits until what is folded is what a fresh listing shows.
    async fn settled(&self, what: &str) -> Tree {
        let mut last = None;
        let began = Instant::now();
        while began.elapsed() < SETTLES {
            let fresh = self.fresh().await;
            let folded = self.followed.tree();
            if let Some(fresh) = &fresh
                && *fresh == *folded
            {
                return Tree::clone(fresh);
            }
            last = Some((fresh, folded));
            // Between two looks, not in place of one.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (fresh, folded) = last.unwrap();
        let differs = fresh.map(|fresh| Tree::clone(&folded).apply_of(&fresh));
        panic!("{what}: what is folded is not what is there: {differs:#?}\n{folded:#?}");
    }
}

/// What a tree would have to be told to be another.
trait ApplyOf {
    fn apply_of(self, fresh: &Tree) -> Vec<Change>;
}

impl ApplyOf for Tree {
    fn apply_of(self, fresh: &Tree) -> Vec<Change> {
        let known = self.as_changes();
        let is_new = |change: &Change| !known.contains(change);
        fresh.as_changes().into_iter().filter(is_new).collect()
    }
}

/// Chooses what to do next to a server, and whether windows may be renumbered: up to 3.7c, where
/// that was done in a session of a group and a window is then moved out of it, a server with any
/// control client attached dies.
struct Chance(Dice, bool);

impl Chance {
    fn one<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.0.below(all.len())])
    }

    /// A command to tmux, as its arguments.
    #[allow(clippy::too_many_lines, reason = "a table of what there is to do")]
    fn step(&mut self, tree: &Tree, number: usize) -> Vec<String> {
        let sessions: Vec<SessionId> = tree.sessions().map(|session| session.id).collect();
        let windows: Vec<WindowId> = tree.windows().map(|window| window.id).collect();
        let panes: Vec<PaneId> = tree.panes().map(|pane| pane.id).collect();
        let (few_windows, few_panes) = (windows.len() < WINDOWS, panes.len() < PANES);
        loop {
            let session = self.one(&sessions).unwrap().to_string();
            let window = self.one(&windows).unwrap().to_string();
            let pane = self.one(&panes).unwrap().to_string();
            let other = self.one(&panes).unwrap().to_string();
            let place = format!("{session}:");
            let name = format!("n{number} {}", self.0.below(3));
            let [session, window, pane, other, place, name] =
                [&session, &window, &pane, &other, &place, &name].map(String::as_str);
            let [cat, dash] = CAT;
            let words: Vec<&str> = match self.0.below(34) {
                0 if sessions.len() < SESSIONS => vec!["new-session", "-d", "-s", name, cat, dash],
                1 if sessions.len() < SESSIONS => vec!["new-session", "-d", "-t", session],
                2 if sessions.len() > 2 => vec!["kill-session", "-t", session],
                3 | 4 if few_windows => vec!["new-window", "-d", "-t", place, cat, dash],
                5 if few_windows => vec!["new-window", "-t", place, "-n", name, cat, dash],
                6 | 7 if few_panes => vec!["split-window", "-d", "-t", pane, cat, dash],
                8 if few_panes => vec!["split-window", "-h", "-t", pane, cat, dash],
                9 if panes.len() > 2 => vec!["kill-pane", "-t", pane],
                10 if windows.len() > 2 => vec!["kill-window", "-t", window],
                11 => vec!["swap-pane", "-s", pane, "-t", other],
                12 => vec!["swap-window", "-d", "-s", window, "-t", place],
                13 => vec!["move-pane", "-s", pane, "-t", other],
                14 => vec!["join-pane", "-h", "-d", "-s", pane, "-t", other],
                15 if few_windows => vec!["break-pane", "-d", "-s", pane, "-t", place],
                16 | 17 => vec!["link-window", "-d", "-s", window, "-t", place],
                18 => vec!["unlink-window", "-t", window],
                19 => vec!["move-window", "-d", "-s", window, "-t", place],
                20 => vec!["rename-window", "-t", window, name],
                21 => vec!["rename-session", "-t", session, name],
                22 | 23 => vec!["resize-pane", "-Z", "-t", pane],
                24 => vec!["select-window", "-t", window],
                25 => vec!["select-pane", "-t", pane],
                26 => vec!["respawn-pane", "-k", "-t", pane, cat, dash],
                27 => vec!["select-layout", "-t", window, "tiled"],
                28 => vec!["rotate-window", "-t", window],
                29 => vec!["resize-window", "-t", window, "-x", "90", "-y", "30"],
                30 if self.1 => vec!["move-window", "-r", "-t", place],
                31 => vec!["copy-mode", "-t", pane],
                32 => vec!["send-keys", "-t", pane, "-X", "cancel"],
                33 if number.is_multiple_of(8) => vec!["select-pane", "-t", pane, "-T", name],
                _ => continue,
            };
            return words.into_iter().map(str::to_owned).collect();
        }
    }
}

/// Passes when after each of 2,000 random commands (CI: 100) the tree of a followed server is what a
/// fresh listing shows, and what it has said of changes adds up to the same.
#[tokio::test]
async fn whatever_is_done_the_tree_is_a_fresh_listing() {
    skip_if_asked!();
    let it = Followed::start().await;
    let mut changes = it.followed.changes();
    let mut said = Said::default();
    let version = Version::parse(it.server.version().as_bytes()).unwrap();
    let renumbers = version.at_least(Version::new(3, 8));
    let mut chance = Chance(Dice::new(0x7ee), renumbers);
    let mut tree = it.settled("the first session").await;
    let (mut done, mut took) = (BTreeMap::<String, usize>::new(), Vec::new());
    for number in 0..scaled(2000) {
        let step = chance.step(&tree, number);
        let began = Instant::now();
        // One that tmux refuses changes nothing, and that is to be seen too.
        if it.server.try_tmux(&step).status.success() {
            *done.entry(step[0].clone()).or_default() += 1;
        }
        tree = it.settled(&format!("step {number}: {step:?}")).await;
        took.push(began.elapsed());
        if number % 50 == 49 {
            said.take(&mut changes, &it.followed.tree()).await;
        }
    }
    said.take(&mut changes, &it.followed.tree()).await;
    took.sort_unstable();
    let (middle, last) = (took[took.len() / 2], took[took.len() - 1]);
    println!("took {middle:?}, at most {last:?}; done: {done:?}");
    assert!(it.server.alive(), "the server has survived it");
    assert!(done.len() > 15, "of each kind some succeed: {done:?}");
    it.followed.close().await;
}

/// What changes say there is.
#[derive(Default)]
struct Said {
    panes: BTreeMap<PaneId, tmux_cc::tree::Pane>,
    windows: BTreeMap<WindowId, tmux_cc::tree::Window>,
    sessions: BTreeMap<SessionId, tmux_cc::tree::Session>,
}

impl Said {
    fn take_one(&mut self, change: &Change) {
        match change {
            Change::PaneGone(pane) => drop(self.panes.remove(&pane.id)),
            Change::WindowGone(window) => drop(self.windows.remove(&window.id)),
            Change::SessionGone(session) => drop(self.sessions.remove(&session.id)),
            change => {
                if let Some(pane) = change.pane() {
                    self.panes.insert(pane.id, pane.clone());
                }
                if let Some(window) = change.window() {
                    self.windows.insert(window.id, window.clone());
                }
                if let Some(session) = change.session() {
                    self.sessions.insert(session.id, session.clone());
                }
            }
        }
    }

    fn is(&self, tree: &Tree) -> bool {
        tree.panes().eq(self.panes.values())
            && tree.windows().eq(self.windows.values())
            && tree.sessions().eq(self.sessions.values())
    }

    /// Takes changes until they add up to the tree.
    async fn take(&mut self, changes: &mut client::Changes, tree: &Arc<Tree>) {
        while !self.is(tree) {
            match soon("changes that add up to the tree", changes.recv()).await {
                Some(ServerChange::Tree(change)) => self.take_one(&change),
                Some(ServerChange::Lagged(missed)) => panic!("{missed} were missed"),
                Some(_) => {}
                None => panic!("the server is closed"),
            }
        }
    }
}

/// Passes when of every program that ends in a pane that is kept it becomes known how, also where
/// tmux itself has lost it, and is said again when the pane goes.
#[tokio::test]
async fn how_a_program_ended_becomes_known() {
    skip_if_asked!();
    let it = Followed::start().await;
    it.server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let count = scaled(500);
    for number in 0..count {
        let ends = if number % 5 == 4 {
            "kill -9 $$"
        } else {
            "exit 3"
        };
        it.server.tmux(["new-window", "-d", "-t", "=main:", ends]);
    }
    let known = |tree: &Tree| {
        tree.panes()
            .filter(|pane| pane.death.as_ref().is_some_and(|death| death.is_known()))
            .count()
    };
    until_async(PATIENCE, "how each has ended", async || {
        known(&it.followed.tree()) == count
    })
    .await;
    let tree = it.followed.tree();
    let signals = !it.server.version().starts_with("3.2");
    for pane in tree.panes().filter(|pane| pane.is_dead()) {
        let death = pane.death.clone().unwrap();
        match (death.status, death.signal) {
            (Some(3), None) => {}
            (None, Some(Signal::Number(9))) if signals => {}
            (None, Some(Signal::Name(name))) if signals && *name == *b"KILL" => {}
            found => panic!("{found:?}"),
        }
    }
    let dead = tree.panes().find(|pane| pane.is_dead()).unwrap().clone();
    let mut changes = it.followed.changes();
    it.server.tmux(["kill-pane", "-t", &dead.id.to_string()]);
    // Behind all that has come before.
    let gone = within(PATIENCE, "its end", async {
        loop {
            match changes.recv().await {
                Some(ServerChange::Tree(Change::PaneGone(pane))) => break pane,
                change => assert!(change.is_some(), "changes go on"),
            }
        }
    })
    .await;
    assert_eq!((gone.id, gone.death), (dead.id, dead.death));
    it.followed.close().await;
}

/// Passes when a pane's title, its program and its modes are told although tmux announces none of
/// them, and each is said as what it is.
#[tokio::test]
async fn what_tmux_does_not_announce_is_told() {
    skip_if_asked!();
    let it = Followed::start().await;
    let mut changes = it.followed.changes();
    let pane = it.followed.tree().panes().next().unwrap().id;
    let target = pane.to_string();
    it.server
        .tmux(["select-pane", "-t", &target, "-T", "a | title"]);
    told(
        &mut changes,
        "a title",
        |change| matches!(change, Change::TitleChanged(pane) if pane.title == b"a | title"),
    )
    .await;
    it.server
        .tmux(["respawn-pane", "-k", "-t", &target, "sleep", "600"]);
    told(
        &mut changes,
        "a program",
        |change| matches!(change, Change::CommandChanged(pane) if pane.command == b"sleep"),
    )
    .await;
    it.server.tmux(["copy-mode", "-t", &target]);
    told(&mut changes, "a mode", |change| {
        matches!(change, Change::ModeChanged(pane) if pane.mode.as_deref() == Some(b"copy-mode"))
    })
    .await;
    it.server.tmux(["rename-window", "-t", "@0", "two words"]);
    told(
        &mut changes,
        "a name",
        |change| matches!(change, Change::WindowRenamed(window) if window.name == b"two words"),
    )
    .await;
    it.followed.close().await;
}

async fn told(changes: &mut client::Changes, what: &str, is: impl Fn(&Change) -> bool) {
    let told = async {
        loop {
            match changes.recv().await {
                Some(ServerChange::Tree(change)) if is(&change) => break,
                Some(_) => {}
                None => panic!("the server is closed"),
            }
        }
    };
    soon(what, told).await;
}
