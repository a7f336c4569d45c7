//! The server is not ours: nothing that we attach to it may cost its owner anything.

use std::io::Write;
use std::sync::{Arc, Mutex};

use harness::process::Process;
use harness::raw::Raw;
use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until_async};
use harness::{facts, pane_agent, skip_if_asked};
use rustix::process::Signal;
use tmux_cc::client::{Client, PaneFilter, ServerOutput, Subscription, Tap, TapOutput};
use tmux_cc::protocol::{Command, Quirk, Quirks};
use tmux_cc::wire::Version;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::support::{alone, ask, attach, follow, soon};
use super::tap::helper;

/// What holds a client of the library, one way or another.
#[derive(Default)]
struct Held {
    client: Option<Client>,
    followed: Option<tmux_cc::client::Server>,
    output: Option<ServerOutput>,
    /// Ends the tap when it is dropped.
    tap: Option<oneshot::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

/// A way to use the library that its user can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Attach,
    AttachOutput,
    Server,
    ServerOutputRead,
    ServerOutputUnread,
    ServerTap,
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Attach => "Attach, default",
            Self::AttachOutput => "Attach, output",
            Self::Server => "Server, default",
            Self::ServerOutputRead => "Server, output read at once",
            Self::ServerOutputUnread => "Server, output never read",
            Self::ServerTap => "Server, tap",
        }
    }

    const fn takes_output(self) -> bool {
        !matches!(self, Self::Attach | Self::Server | Self::ServerTap)
    }

    /// How many clients that are on a server with one session.
    const fn clients(self) -> usize {
        match self {
            Self::Attach | Self::AttachOutput | Self::Server | Self::ServerTap => 1,
            Self::ServerOutputRead | Self::ServerOutputUnread => 2,
        }
    }

    /// Attaches to a server with the one session `main` and so many clients of others, and is done
    /// when that is over.
    async fn hold(self, server: &Server, others: usize) -> Held {
        let mut held = Held::default();
        if let Self::Attach | Self::AttachOutput = self {
            let mut attach = attach(server, "main");
            if self.takes_output() {
                attach = attach.output(5);
            }
            let (client, mut events, driver) = attach.start().await.unwrap();
            held.tasks.push(tokio::spawn(async {
                driver.await;
            }));
            held.tasks.push(tokio::spawn(async move {
                while events.recv().await.is_some() {}
            }));
            held.client = Some(client);
            return held;
        }
        let followed = follow(server).start().await.unwrap();
        if self.takes_output() {
            let mut output = followed.output(PaneFilter::all());
            if self == Self::ServerOutputRead {
                held.tasks.push(tokio::spawn(async move {
                    while output.recv().await.is_some() {}
                }));
            } else {
                held.output = Some(output);
            }
        }
        until_async(PATIENCE, "its clients", async || {
            server.answer(["list-clients"]).lines().count() == others + self.clients()
        })
        .await;
        until_async(PATIENCE, "a client for commands", async || {
            followed.command(Command::new("list-panes")).await.is_ok()
        })
        .await;
        if self == Self::ServerTap {
            let tap = followed.tap(Tap::new(helper())).await.unwrap();
            let (stop, stopped) = oneshot::channel();
            held.tap = Some(stop);
            held.tasks.push(tokio::spawn(read(tap, stopped)));
        }
        held.followed = Some(followed);
        held
    }
}

/// Reads a tap until it is told to stop, and ends it.
async fn read(mut tap: TapOutput, mut stop: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            batch = tap.recv() => {
                batch.expect("the tap goes on");
            }
            _ = &mut stop => break,
        }
    }
    tap.close().await;
}

impl Held {
    /// Lets go, and waits until that is done; the server may have died.
    async fn leave(self) {
        if let Some(client) = &self.client {
            client.detach().await;
        }
        let mut tasks = self.tasks;
        if let Some(tap) = self.tap {
            drop(tap);
            let reading = tasks.pop().expect("it is read");
            soon("the end of the tap", reading).await.unwrap();
        }
        if let Some(followed) = self.followed {
            soon("the end", followed.close()).await;
        }
        drop((self.client, self.output));
        for task in tasks {
            soon("the end of a task", task).await.unwrap();
        }
    }
}

/// The version of the server, as the library's table knows it.
fn quirks(server: &Server) -> Quirks {
    Quirks::of(Version::parse(server.version().as_bytes()).unwrap())
}

/// How often a pane is respawned where that must do no harm, and where it must.
///
/// Up to 3.7c at most 15 were needed in 60 trials.
const RESPAWNS: (usize, usize) = (50, 300);

/// Respawns a pane of somebody's while the library is attached: up to 3.7c the server dies of that
/// where output is taken, soon, and the table of quirks says so. It never dies of the defaults.
async fn respawns(mode: Mode) {
    let server = Server::start_with(&Boot::running(["cat"]));
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let dies = mode.takes_output() && quirks(&server).has(Quirk::RespawnCrash);
    let held = mode.hold(&server, 0).await;
    let limit = if dies { RESPAWNS.1 } else { RESPAWNS.0 };
    let mut done = 0;
    while server.alive() && done < limit {
        let print = "seq 1 2000; echo LAST";
        let respawn = server.try_tmux(["respawn-pane", "-k", "-t", "=main:", print]);
        done += usize::from(respawn.status.success());
        // A pane that has ended while its output is still on its way is what it takes.
        until_async(PATIENCE, "the pane's end", async || {
            let dead = ["display-message", "-p", "-t", "=main:", "#{pane_dead}"];
            !server.alive() || server.try_tmux(dead).stdout.starts_with(b"1")
        })
        .await;
    }
    let survived = server.alive();
    held.leave().await;
    eprintln!(
        "{}, {mode:?}: {done} respawns, survived: {survived}",
        server.version()
    );
    let verdict = if dies { "can crash the server" } else { "safe" };
    facts::record(&format!("respawn: {}", mode.name()), verdict);
    assert_eq!(
        survived,
        !dies,
        "{mode:?} on {} after {done} respawns: the table of quirks says otherwise",
        server.version()
    );
}

/// Passes when the server outlives 50 respawns, on every version.
#[tokio::test]
async fn respawning_beside_a_default_client_is_safe() {
    skip_if_asked!();
    respawns(Mode::Attach).await;
}

/// Passes when the server outlives 50 respawns, on every version.
#[tokio::test]
async fn respawning_beside_a_default_follower_is_safe() {
    skip_if_asked!();
    respawns(Mode::Server).await;
}

/// Passes when the server outlives 50 respawns, on every version.
#[tokio::test]
async fn respawning_beside_a_tap_is_safe() {
    skip_if_asked!();
    respawns(Mode::ServerTap).await;
}

/// Passes when the server outlives respawns exactly where the table of quirks says so.
#[tokio::test]
async fn respawning_beside_a_client_with_output_is_as_dangerous_as_the_table_says() {
    skip_if_asked!();
    respawns(Mode::AttachOutput).await;
}

/// Passes when the server outlives respawns exactly where the table of quirks says so.
#[tokio::test]
async fn respawning_beside_a_fast_consumer_is_as_dangerous_as_the_table_says() {
    skip_if_asked!();
    respawns(Mode::ServerOutputRead).await;
}

/// Passes when the server outlives respawns exactly where the table of quirks says so.
#[tokio::test]
async fn respawning_beside_an_idle_consumer_is_as_dangerous_as_the_table_says() {
    skip_if_asked!();
    respawns(Mode::ServerOutputUnread).await;
}

/// Ends a session whose clients are stopped, and lets the server go through what it does once a
/// second; did it survive?
async fn outlives_a_session_with_stopped_clients(server: &Server, session: &str) -> bool {
    let mut clock = Raw::attach_flagged(server, "=main", "no-output");
    clock.say("refresh-client -B 'clock::#{@n}'");
    let of = ["list-clients", "-t", session, "-F", "#{client_pid}"];
    let clients: Vec<_> = server
        .answer(of)
        .lines()
        .map(|pid| Process::of(pid.parse().unwrap()))
        .collect();
    assert!(!clients.is_empty());
    for client in &clients {
        client.signal(Signal::STOP).unwrap();
    }
    server.tmux(["kill-session", "-t", session]);
    for n in ["1", "2", "3"] {
        let _ = server.try_tmux(["set-option", "-g", "@n", n]);
        let tick = format!("%subscription-changed clock $0 - - - : {n}");
        until_async(PATIENCE, "a second", async || {
            !server.alive() || clock.lines().iter().any(|line| line == tick.as_bytes())
        })
        .await;
    }
    for client in &clients {
        // It may have ended with the server.
        let _ = client.signal(Signal::CONT);
    }
    server.alive()
}

/// Passes when a session's end crashes the server, while a client of it has a subscription and is
/// stopped, exactly where the table of quirks says so.
#[tokio::test]
async fn a_session_ends_beside_a_raw_subscription_as_the_table_says() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "short", "cat"]);
    let mut raw = Raw::attach_flagged(&server, "=short", "no-output");
    raw.say("refresh-client -B 'raw:%*:#{pane_id}'");
    until_async(PATIENCE, "its first report", async || {
        let lines = raw.lines();
        lines
            .iter()
            .any(|line| line.starts_with(b"%subscription-changed raw "))
    })
    .await;
    let survived = outlives_a_session_with_stopped_clients(&server, "=short").await;
    let dies = quirks(&server).has(Quirk::SubscriptionCrash);
    let verdict = if dies { "crashes the server" } else { "safe" };
    facts::record(
        "a session ends whose client has a subscription and is stopped",
        verdict,
    );
    assert_eq!(survived, !dies, "on {}", server.version());
}

/// Passes when the server outlives sessions that end while all our clients are stopped, whatever
/// is subscribed to.
#[tokio::test]
async fn a_session_ends_beside_a_stopped_follower() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "short", "cat"]);
    let followed = follow(&server).start().await.unwrap();
    let mut titles = followed.subscribe(Subscription::panes("#{session_name}"));
    let output = followed.output(PaneFilter::all());
    let value = soon("the value", async {
        loop {
            let found = titles.recv().await.unwrap();
            if found.value == b"short" {
                return found.pane;
            }
        }
    });
    assert!(value.await.is_some());
    assert!(outlives_a_session_with_stopped_clients(&server, "=short").await);
    drop(output);
    soon("the end", followed.close()).await;
}

/// A writer of log lines into memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Passes when the danger of output is said once for each life of a server where there is one, and
/// not where there is none: neither for other versions nor for the defaults.
#[test]
fn the_danger_of_output_is_said_once() {
    skip_if_asked!();
    // A line of the log that another thread has come by first may be off for all of them.
    alone(
        "harmless::the_danger_of_output_is_said_once",
        danger_is_said_once(),
    );
}

async fn danger_is_said_once() {
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "second", "cat"]);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // Of this thread, where everything runs.
    let _guard = tracing::subscriber::set_default(subscriber);
    let followed = follow(&server).start().await.unwrap();
    let warnings = || {
        let log = log.0.lock().unwrap();
        let text = String::from_utf8_lossy(&log);
        let warnings = text
            .lines()
            .filter(|line| line.contains("a respawned pane can crash"));
        warnings.map(str::to_owned).collect::<Vec<_>>()
    };
    let clients = async |count: usize| {
        until_async(PATIENCE, "so many clients", async || {
            server.answer(["list-clients"]).lines().count() == count
        })
        .await;
        // Asked through our own client: whatever was noted before it is heeded by then.
        until_async(PATIENCE, "an answer", async || {
            followed.command(Command::new("list-panes")).await.is_ok()
        })
        .await;
    };
    clients(2).await;
    assert_eq!(warnings(), [""; 0]);
    for _ in 0..2 {
        let output = followed.output(PaneFilter::all());
        clients(4).await;
        drop(output);
        clients(2).await;
    }
    let wanted = usize::from(quirks(&server).has(Quirk::RespawnCrash));
    until_async(PATIENCE, "the warning", async || warnings().len() >= wanted).await;
    soon("the end", followed.close()).await;
    let warnings = warnings();
    assert_eq!(warnings.len(), wanted, "{warnings:?}");
    assert!(
        warnings.iter().all(|line| line.contains(" WARN ")),
        "{warnings:?}"
    );
}

/// Lets the user of the session `fragile` go, and with him his session.
async fn ends_with_its_user(server: &Server, mut user: Raw) {
    let pane = server.answer(["display-message", "-p", "-t", "=fragile:", "#{pane_pid}"]);
    let pane = Process::of(pane.parse().unwrap());
    // Up to 3.8 another client that leaves just then can crash the server (tmux #5497): who has
    // these answers knows that it has seen the last of those above, and nobody else asks meanwhile.
    for word in ["once", "again"] {
        user.say(&format!("display-message -p {word}"));
        until_async(PATIENCE, "the user's answer", async || {
            user.lines().iter().any(|line| line == word.as_bytes())
        })
        .await;
    }
    drop(user);
    until_async(PATIENCE, "the session's end", async || !pane.alive()).await;
    let has = server.try_tmux(["has-session", "-t", "=fragile"]);
    assert!(!has.status.success());
    assert!(server.alive());
}

/// Passes when a session with `destroy-unattached` that a user holds outlives our client, and goes
/// when its user goes.
#[tokio::test]
async fn a_session_that_ends_with_its_user_outlives_our_client() {
    skip_if_asked!();
    for output in [false, true] {
        let server = Server::start();
        server.tmux(["new-session", "-d", "-s", "fragile", "cat"]);
        let user = Raw::attach(&server, "=fragile");
        server.tmux(["set-option", "-t", "fragile", "destroy-unattached", "on"]);
        let has = || {
            server
                .try_tmux(["has-session", "-t", "=fragile"])
                .status
                .success()
        };
        for _ in 0..3 {
            let mut attach = attach(&server, "fragile");
            if output {
                attach = attach.output(5);
            }
            let (client, events, driver) = attach.start().await.unwrap();
            let driver = tokio::spawn(driver);
            ask(&client, "display-message -p x").await;
            client.detach().await;
            drop(events);
            soon("the driver", driver).await.unwrap();
            until_async(PATIENCE, "the user alone", async || {
                server.answer(["list-clients"]).lines().count() == 1
            })
            .await;
            assert!(has());
        }
        assert!(user.process().alive());
        ends_with_its_user(&server, user).await;
    }
    facts::record(
        "destroy-unattached: our client leaves, its user stays",
        "survives",
    );
}

/// Passes when a session that is followed, and gets `destroy-unattached` then, outlives a change of
/// that option, our output coming and going, and our end, as long as its user is there.
#[tokio::test]
async fn a_session_may_begin_to_end_with_its_user_while_it_is_followed() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "fragile", "cat"]);
    let user = Raw::attach(&server, "=fragile");
    let followed = follow(&server).start().await.unwrap();
    let has = || {
        server
            .try_tmux(["has-session", "-t", "=fragile"])
            .status
            .success()
    };
    let clients = async |count: usize| {
        until_async(PATIENCE, "so many clients", async || {
            server
                .answer(["list-clients", "-t", "=fragile"])
                .lines()
                .count()
                == count
        })
        .await;
    };
    clients(2).await;
    let output = followed.output(PaneFilter::all());
    clients(3).await;
    server.tmux(["set-option", "-t", "fragile", "destroy-unattached", "on"]);
    // Somebody else's comings and goings are what makes tmux look for such sessions.
    assert!(has());
    drop(output);
    clients(2).await;
    assert!(has());
    soon("the end", followed.close()).await;
    clients(1).await;
    assert!(has());
    ends_with_its_user(&server, user).await;
}

/// The bytes of lines of output, as control mode escapes them.
fn decoded<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut rest in lines {
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte == b'\\' {
                let digits = str::from_utf8(&rest[..3]).unwrap();
                bytes.push(u8::from_str_radix(digits, 8).unwrap());
                rest = &rest[3..];
            } else {
                bytes.push(*byte);
            }
        }
    }
    bytes
}

/// Passes when a user's own control client, with tmux's defaults, has every byte of its pane, its
/// own replies in order, its size and its flags, and hears nothing but that others come and go,
/// whichever way we come, stay slow and go.
#[tokio::test]
async fn the_users_own_client_is_not_disturbed() {
    skip_if_asked!();
    let agent = [pane_agent!(), "flood", "--go-line"];
    let server = Server::start_with(&Boot::running(agent).size(91, 17));
    // tmux names the window after its program when it gets round to it.
    server.tmux(["set-option", "-wg", "automatic-rename", "off"]);
    let mut user = Raw::attach(&server, "=main");
    let pid = format!("{} ", user.process().pid());
    let format = "#{client_pid} #{client_flags} #{client_width} #{window_width}x#{window_height}";
    let state = || {
        let all = server.answer(["list-clients", "-F", format]);
        let mine = all.lines().find(|line| line.starts_with(&pid));
        mine.map(str::to_owned).expect("the user is attached")
    };
    let clients = async |count: usize| {
        until_async(PATIENCE, "the user and ours", async || {
            server.answer(["list-clients"]).lines().count() == count
        })
        .await;
    };
    let before = state();
    server.tmux(["send-keys", "-t", "=main:", "Enter"]);
    let modes = [
        Mode::Attach,
        Mode::AttachOutput,
        Mode::Server,
        Mode::ServerOutputRead,
        Mode::ServerOutputUnread,
        Mode::ServerTap,
    ];
    for mode in modes {
        let held = mode.hold(&server, 1).await;
        user.say(&format!("display-message -p {mode:?}"));
        assert_eq!(state(), before, "{mode:?}");
        held.leave().await;
        clients(1).await;
        assert_eq!(state(), before, "{mode:?}");
    }
    let answers = |user: &Raw| {
        let answers = user.lines().into_iter();
        let answers = answers.filter(|line| !line.is_empty() && !line.starts_with(b"%"));
        answers.collect::<Vec<_>>()
    };
    until_async(PATIENCE, "all answers", async || {
        answers(&user).len() >= modes.len()
    })
    .await;
    assert_eq!(
        answers(&user),
        modes.map(|mode| format!("{mode:?}").into_bytes())
    );

    let lines = user.lines();
    let attached = lines
        .iter()
        .position(|line| line.starts_with(b"%session-changed "));
    for line in &lines[attached.expect("it was waited for") + 1..] {
        let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        let fine = [
            &b"%output"[..],
            b"%begin",
            b"%end",
            b"%client-session-changed",
            b"%client-detached",
        ];
        assert!(
            !line.starts_with(b"%") || fine.contains(&word),
            "the user was told {}",
            line.escape_ascii()
        );
    }
    let output = lines
        .iter()
        .filter_map(|line| line.strip_prefix(b"%output %0 "));
    let output = decoded(output);
    let output = str::from_utf8(&output).expect("numbers");
    let whole = output.rfind('\n').expect("many lines");
    let mut next = 0_u64;
    for line in output[..whole]
        .split('\n')
        .skip_while(|line| line.trim().is_empty())
    {
        assert_eq!(line.trim_end().parse(), Ok(next));
        next += 1;
    }
    eprintln!("{next} lines");
    assert!(next > 1000, "{next} lines");
}
