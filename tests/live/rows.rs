//! What variables hold comes back as it is in tmux, byte for byte, as typed rows.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use harness::server::Server;
use harness::skip_if_asked;
use tmux_cc::client::{Client, QueryError, ServerChange};
use tmux_cc::format::{
    BufferRow, ClientRow, FromFormat, PaneRow, SessionRow, Signal, Unavailable, WindowRow,
};
use tmux_cc::protocol::Command;
use tmux_cc::tree::Change;
use tmux_cc::wire::{Layout, PaneId, SessionId, Version, WindowId};

use super::quoting::value;
use super::support::{Dice, ask, attached, follow, scaled, soon};

/// A row of that pane, window or session, asked for by itself.
async fn row<T: FromFormat>(client: &Client, target: impl ToString) -> T {
    let one = Command::new("display-message").flag("-p");
    let one = one.option("-t", target.to_string());
    let mut rows = soon("a row", client.rows(one)).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

/// A value that tmux takes: it has no NUL.
fn text(dice: &mut Dice) -> Vec<u8> {
    let mut text = value(dice);
    text.retain(|&byte| byte != 0);
    text
}

/// Runs a command that may be refused by tmux; was it done?
async fn done(client: &Client, command: Command) -> bool {
    soon("a reply", client.command(command))
        .await
        .unwrap()
        .ok()
        .is_ok()
}

#[derive(FromFormat)]
struct Held {
    pane_id: PaneId,
    #[tmux(name = "@held")]
    held: Vec<u8>,
    #[tmux(format = "#{@held}")]
    formatted: Vec<u8>,
    #[tmux(format = "?<#{?pane_active,#{@held},}>#{l:}")]
    chosen: Vec<u8>,
    #[tmux(name = "@held")]
    again: Option<Box<[u8]>>,
}

#[tokio::test]
async fn user_options_come_back_as_they_were_set() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let mut dice = Dice::new(71);
    let mut values = vec![(1..=255).collect::<Vec<u8>>(), Vec::new()];
    values.extend((0..scaled(20_000)).map(|_| text(&mut dice)));
    let list = || Command::new("list-panes").flag("-a");
    for value in values {
        let set = Command::new("set-option")
            .flag("-g")
            .flag("--")
            .arg("@held");
        assert!(done(&client, set.arg(&value)).await);
        let rows = soon("rows", client.rows::<Held>(list())).await;
        let rows = rows.unwrap_or_else(|error| panic!("{}: {error:?}", value.escape_ascii()));
        let [row] = &rows[..] else {
            panic!("{} rows", rows.len());
        };
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        assert_eq!(row.pane_id, PaneId(0));
        assert_eq!(shown(&row.held), shown(&value));
        assert_eq!(shown(&row.formatted), shown(&value));
        assert_eq!(
            shown(&row.chosen),
            shown(&[b"?<", &value[..], b">"].concat())
        );
        let again = (!value.is_empty()).then(|| value.into());
        assert_eq!(row.again, again);
    }
}

/// What a format is to be where it should say that.
fn literally(text: &[u8]) -> Vec<u8> {
    let doubled = |&byte: &u8| std::iter::repeat_n(byte, if byte == b'#' { 2 } else { 1 });
    text.iter().flat_map(doubled).collect()
}

#[derive(FromFormat)]
struct Texts {
    pane_title: Vec<u8>,
    window_name: Vec<u8>,
    session_name: Vec<u8>,
}

#[derive(FromFormat)]
struct Same {
    #[tmux(format = "#{==:#{pane_title},#{@pane_title}}")]
    title: bool,
    #[tmux(format = "#{==:#{window_name},#{@window_name}}")]
    window: bool,
    #[tmux(format = "#{==:#{session_name},#{@session_name}}")]
    session: bool,
}

/// tmux changes what names and titles may not hold, each version in its own way: so tmux itself is
/// asked whether what came is what it has, through options, which come as they were set.
#[tokio::test]
async fn names_and_titles_come_back_as_tmux_has_them() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let mut dice = Dice::new(72);
    let (mut titles, mut windows, mut sessions) = (0, 0, 0);
    for n in 0..scaled(10_000) {
        // A title that nothing changes, so that some surely are as they were set.
        let title = match n % 5 {
            0 => format!("it's \"{n}\" 5% {{x}} `a` <b>; (c) & d|e [f]? #* $HOME ~ é=1").into(),
            _ => text(&mut dice),
        };
        let (window, session) = (text(&mut dice), text(&mut dice));
        let set = Command::new("select-pane").target(PaneId(0));
        let titled = done(&client, set.option("-T", literally(&title))).await;
        let set = Command::new("rename-window").target(WindowId(0)).flag("--");
        done(&client, set.arg(literally(&window))).await;
        let set = Command::new("rename-session")
            .target(SessionId(0))
            .flag("--");
        done(&client, set.arg(literally(&session))).await;

        let row: Texts = row(&client, PaneId(0)).await;
        for (option, value) in [
            ("@pane_title", &row.pane_title),
            ("@window_name", &row.window_name),
            ("@session_name", &row.session_name),
        ] {
            let set = Command::new("set-option").flag("-g").flag("--").arg(option);
            assert!(done(&client, set.arg(value)).await);
        }
        let same: Same = self::row(&client, PaneId(0)).await;
        for (same, what, value, set) in [
            (same.title, "title", &row.pane_title, &title),
            (same.window, "window", &row.window_name, &window),
            (same.session, "session", &row.session_name, &session),
        ] {
            let (value, set) = (value.escape_ascii(), set.escape_ascii());
            assert!(same, "{what} {value}, set as {set}");
        }
        if n % 5 == 0 {
            assert!(titled);
            // From 3.7 a title's backslash is two: there is none in it.
            assert_eq!(row.pane_title, title);
        }
        titles += usize::from(row.pane_title == title);
        windows += usize::from(row.window_name == window);
        sessions += usize::from(row.session_name == session);
    }
    eprintln!("as they were set: {titles} titles, {windows} windows, {sessions} sessions");
    assert!(titles > 0 && windows > 0 && sessions > 0);
}

#[derive(FromFormat)]
struct Started {
    pane_current_path: Vec<u8>,
    pane_start_command: Vec<u8>,
    #[tmux(format = "#{==:#{pane_start_command},#{@start}}")]
    same: bool,
}

#[tokio::test]
async fn paths_and_commands_come_back_whatever_they_hold() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let mut dice = Dice::new(73);
    for n in 0..scaled(2_000) {
        let mut name = text(&mut dice);
        name.retain(|&byte| byte != b'/');
        name.truncate(100);
        // Elsewhere a name must be UTF-8.
        if cfg!(not(target_os = "linux")) {
            name = String::from_utf8_lossy(&name).into_owned().into_bytes();
        }
        let name = [format!("{n} ").as_bytes(), &name].concat();
        let dir = server
            .dir()
            .canonicalize()
            .unwrap()
            .join(OsStr::from_bytes(&name));
        fs::create_dir(&dir).unwrap();
        let dir = dir.as_os_str().as_bytes();
        let start = Command::new("new-window").flag("-d").flag("-P");
        let start = start.option("-F", "#{pane_id}").flag("--");
        let start = ["sh", "-c", "cd -- \"$1\" && exec sleep 1000", "sh"]
            .iter()
            .fold(start, |start, word| start.arg(word))
            .arg(dir);
        let reply = soon("a window", client.command(start)).await.unwrap();
        let pane = PaneId::parse(reply.ok().unwrap().text()).unwrap();
        let row = soon("the directory", async {
            loop {
                let row: Started = row(&client, pane).await;
                if row.pane_current_path == dir {
                    return row;
                }
                // The shell is on its way there.
                let shown = row.pane_current_path.escape_ascii().to_string();
                assert!(!shown.contains(&format!("/{n} ")), "{shown}");
                tokio::task::yield_now().await;
            }
        })
        .await;
        let set = Command::new("set-option")
            .flag("-g")
            .flag("--")
            .arg("@start");
        assert!(done(&client, set.arg(&row.pane_start_command)).await);
        assert!(row.pane_start_command.starts_with(b"sh -c"));
        let same: Started = self::row(&client, pane).await;
        assert!(same.same, "{}", row.pane_start_command.escape_ascii());
        assert!(done(&client, Command::new("kill-pane").target(pane)).await);
    }
}

/// Waits until a pane is as it is to be.
async fn pane(client: &Client, id: PaneId, what: &str, is: impl Fn(&PaneRow) -> bool) -> PaneRow {
    soon(what, async {
        loop {
            let row: PaneRow = row(client, id).await;
            if is(&row) {
                return row;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn rows_tell_what_is_there() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let version = client.attached().server.version;
    for line in [
        "set-option -g remain-on-exit on",
        "set-option -p -t %0 @cc_unit 'a\\b'",
        "split-window -d -t %0 'exit 3'",
        "split-window -d -t %0 'kill -9 $$'",
        "new-window -d -t $0: -n 'two words' \"printf '\\033[?1049h'; exec sleep 1000\"",
        "new-session -d -s other -x 80 -y 24 'exec sleep 1000'",
        "link-window -d -s @1 -t $1:7",
        "new-session -d -t other -s third",
        "copy-mode -t %4",
        "pipe-pane -t %4 'cat >/dev/null'",
        "select-pane -t %4 -d",
        "set-option -t $1 destroy-unattached off",
        "set-buffer -b 'a buffer' \"one\\ntwo\"",
        "resize-pane -Z -t %0",
    ] {
        let reply = ask(&client, line).await;
        assert!(reply.clone().ok().is_ok(), "{line}: {reply:?}");
    }

    let first = pane(&client, PaneId(0), "a pane", |_| true).await;
    assert_eq!((first.session, first.window), (SessionId(0), WindowId(0)));
    assert_eq!(
        (first.active, first.zoomed, first.dead),
        (true, true, false)
    );
    assert_eq!(
        (first.dead_status, &first.dead_signal, first.dead_time),
        (None, &None, None)
    );
    assert_eq!((first.in_mode, first.mode.as_deref()), (0, None));
    assert_eq!(
        (first.width, first.height, first.left, first.top),
        (80, 24, 0, 0)
    );
    assert_eq!(first.unit.as_deref(), Some(&b"a\\b"[..]));
    let pid = server.answer(["display-message", "-p", "-t", "%0", "#{pane_pid}"]);
    assert_eq!(first.pid.unwrap().to_string(), pid);
    let tty = server.answer(["display-message", "-p", "-t", "%0", "#{pane_tty}"]);
    assert_eq!(first.tty, tty.as_bytes());

    // With utempter the status is only read when another child ends.
    let reaped = |row: &PaneRow| row.dead_status.is_some() || row.dead_signal.is_some();
    ask(&client, "run-shell -b true").await;
    let ended = pane(&client, PaneId(1), "the status", |row| {
        row.dead && reaped(row)
    })
    .await;
    assert_eq!((ended.dead_status, &ended.dead_signal), (Some(3), &None));
    ask(&client, "run-shell -b true").await;
    let killed = pane(&client, PaneId(2), "a death", |row| {
        row.dead && (reaped(row) || version < Version::new(3, 3))
    })
    .await;
    if version >= Version::new(3, 3) {
        assert_eq!(killed.dead_status, None);
        let signal = killed.dead_signal.unwrap();
        assert!(signal == Signal::Number(9) || signal == Signal::Name(b"KILL"[..].into()));
        assert!(killed.dead_time.unwrap().elapsed().unwrap().as_secs() < 600);
    }
    let screen = pane(&client, PaneId(3), "the alternate screen", |row| {
        row.alternate_on
    })
    .await;
    assert!(!screen.pipe && !screen.input_off && screen.in_mode == 0);
    let busy = pane(&client, PaneId(4), "a pane", |_| true).await;
    assert!(busy.pipe && busy.input_off && !busy.alternate_on && !busy.synchronized);
    assert_eq!(
        (busy.in_mode, busy.mode.as_deref()),
        (1, Some(&b"copy-mode"[..]))
    );

    let windows = Command::new("list-windows").flag("-a");
    let windows: Vec<WindowRow> = soon("windows", client.rows(windows)).await.unwrap();
    let place = |session, index| {
        let found = windows
            .iter()
            .find(|row| (row.session, row.index) == (SessionId(session), index));
        found.unwrap_or_else(|| panic!("no window {index} in ${session}: {windows:#?}"))
    };
    let zoomed = place(0, 0);
    assert!(zoomed.zoomed && zoomed.active && !zoomed.last && !zoomed.linked && zoomed.panes == 3);
    assert!(zoomed.flags.contains(&b'Z'), "{zoomed:?}");
    let panes = |layout: &[u8]| Layout::parse(layout).unwrap().panes().count();
    assert_eq!(
        (panes(&zoomed.layout), panes(&zoomed.visible_layout)),
        (3, 1)
    );
    let linked = place(1, 7);
    assert_eq!(
        (linked.id, &linked.name[..]),
        (WindowId(1), &b"two words"[..])
    );
    assert!(linked.linked && !linked.zoomed && place(0, 1).id == linked.id);
    assert!(linked.activity.elapsed().unwrap().as_secs() < 600);

    let sessions = Command::new("list-sessions");
    let sessions: Vec<SessionRow> = soon("sessions", client.rows(sessions)).await.unwrap();
    let named = |name: &[u8]| sessions.iter().find(|row| row.name == name).unwrap();
    assert_eq!(sessions.len(), 3);
    assert_eq!((named(b"main").attached, named(b"main").windows), (1, 2));
    assert_eq!((named(b"other").attached, named(b"other").windows), (0, 2));
    assert_eq!(named(b"main").group, None);
    assert!(named(b"other").group.is_some() && named(b"other").group == named(b"third").group);
    assert!(sessions.iter().all(|row| !row.destroy_unattached));
    assert!(named(b"main").created <= named(b"third").created);

    let clients = Command::new("list-clients");
    let clients: Vec<ClientRow> = soon("clients", client.rows(clients)).await.unwrap();
    let [ours] = &clients[..] else {
        panic!("{clients:?}");
    };
    assert_eq!(ours.name, client.attached().client_name);
    assert_eq!(
        (ours.session, ours.control_mode),
        (Some(SessionId(0)), true)
    );
    assert!(ours.flags.starts_with(b"attached,") && ours.tty.is_empty() && ours.pid > 0);
    assert!(ours.created <= ours.activity);

    let buffers = Command::new("list-buffers");
    let buffers: Vec<BufferRow> = soon("buffers", client.rows(buffers)).await.unwrap();
    let [buffer] = &buffers[..] else {
        panic!("{buffers:?}");
    };
    assert_eq!((&buffer.name[..], buffer.size), (&b"a buffer"[..], 7));
    assert!(buffer.sample.starts_with(b"one"), "{buffer:?}");
    assert!(buffer.created.elapsed().unwrap().as_secs() < 600);

    // Of the last, so that nothing else ends with it.
    ask(&client, "set-option -t '$2' destroy-unattached on").await;
    let sessions = Command::new("list-sessions");
    let sessions: Vec<SessionRow> = soon("sessions", client.rows(sessions)).await.unwrap();
    assert!(
        sessions
            .iter()
            .all(|row| row.destroy_unattached == (row.name == b"third"))
    );
}

/// The first listing comes from a tmux process of its own, the others from a control client.
#[tokio::test]
async fn a_followed_server_is_listed_whatever_its_names_hold() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let forged = "coder\nS|3.3a|1|1|$9|forged|1|1|0|0||0|\n%9|";
    let name = "a|b\\c $HOME;'\"\u{e9} #{pane_id}";
    for set in [
        Command::new("set-option")
            .flag("-p")
            .arg("@cc_unit")
            .arg(forged),
        Command::new("rename-window").arg(literally(name.as_bytes())),
        Command::new("rename-session").arg(literally(name.as_bytes())),
    ] {
        assert!(done(&client, set).await);
    }
    let texts: Texts = row(&client, PaneId(0)).await;
    let followed = follow(&server).start().await.unwrap();
    let mut changes = followed.changes();
    let is_up = |change: &_| matches!(change, ServerChange::Tree(Change::PaneAdded(_)));
    soon("a listing", async {
        while !is_up(&changes.recv().await.unwrap()) {}
    })
    .await;
    for unit in [None, Some("coder@1")] {
        if let Some(unit) = unit {
            let set = Command::new("set-option")
                .flag("-p")
                .arg("@cc_unit")
                .arg(unit);
            let set = set.then(Command::new("rename-window").arg("x"));
            assert!(done(&client, set).await);
            soon("another listing", async {
                while followed.tree().pane(PaneId(0)).unwrap().unit.is_none() {
                    changes.recv().await.unwrap();
                }
            })
            .await;
        }
        let tree = followed.tree();
        assert_eq!(tree.sessions().count(), 1);
        let pane = tree.pane(PaneId(0)).unwrap();
        assert_eq!(pane.unit.as_deref(), unit);
        let place = pane.place().unwrap();
        assert_eq!(place.session_name, texts.session_name);
        if unit.is_none() {
            assert_eq!(place.window_name, texts.window_name);
        }
    }
    followed.close().await;
}

#[derive(FromFormat)]
#[tmux(since = "3.3")]
struct From33 {
    #[tmux(name = "pane_dead_time")]
    _field: Option<u64>,
}

#[derive(FromFormat)]
#[tmux(since = "3.7")]
struct From37 {
    #[tmux(name = "pane_pipe_pid")]
    _field: Option<u64>,
}

#[derive(FromFormat)]
#[tmux(since = "3.8")]
struct From38 {
    #[tmux(name = "pane_last_output_time")]
    _field: Option<u64>,
}

/// Nothing is newer than the newest: the row says it itself.
#[derive(FromFormat)]
#[tmux(since = "99.1")]
struct From99 {
    #[tmux(name = "pane_id")]
    _field: PaneId,
}

#[derive(FromFormat)]
struct Optional {
    pane_id: PaneId,
    #[tmux(since = "3.3", name = "pane_dead_time")]
    _died: Option<u64>,
    #[tmux(since = "3.8", name = "pane_last_output_time")]
    _printed: Option<u64>,
}

async fn asked<T: FromFormat>(client: &Client) -> Result<(), QueryError> {
    let list = Command::new("list-panes").flag("-a");
    let rows: Result<Vec<T>, _> = soon("rows", client.rows(list)).await;
    rows.map(|rows| assert_eq!(rows.len(), 1))
}

/// Where a variable is empty since the server does not know it, nobody must take it for empty.
#[tokio::test]
async fn what_is_newer_than_the_server_is_refused_by_name() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let version = client.attached().server.version;
    let results = [
        (
            "pane_dead_time",
            Version::new(3, 3),
            asked::<From33>(&client).await,
        ),
        (
            "pane_pipe_pid",
            Version::new(3, 7),
            asked::<From37>(&client).await,
        ),
        (
            "pane_last_output_time",
            Version::new(3, 8),
            asked::<From38>(&client).await,
        ),
        (
            "the row",
            Version::new(99, 1),
            asked::<From99>(&client).await,
        ),
    ];
    let mut refused = 0;
    for (what, wanted, result) in results {
        assert_eq!(
            result.is_ok(),
            version.at_least(wanted),
            "{what} on {version}: {result:?}"
        );
        let Err(error) = result else { continue };
        refused += 1;
        let QueryError::Unavailable(
            Unavailable::TooNew { since, server, .. } | Unavailable::TooOld { since, server },
        ) = error
        else {
            panic!("{error}");
        };
        assert_eq!((since, server), (wanted, version));
        let said = error.to_string();
        for part in [what, &wanted.to_string(), &version.to_string()] {
            assert!(said.contains(part), "{said:?} does not tell {part}");
        }
    }
    assert!(refused > 0);
    // A field that may be missing is no reason.
    assert!(asked::<Optional>(&client).await.is_ok());
    let row: Optional = row(&client, PaneId(0)).await;
    assert_eq!(row.pane_id, PaneId(0));
    // What fails in tmux is said in its words.
    let list = Command::new("list-panes").option("-t", "%99");
    let failed = soon("rows", client.rows::<Held>(list)).await;
    assert!(matches!(failed, Err(QueryError::Failed(_))));
}
