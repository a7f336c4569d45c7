//! What variables hold comes back as it is in tmux, byte for byte, as typed rows.

mod ready;
mod versions;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use harness::server::Server;
use harness::skip_if_asked;
use tmux_cc::client::{Client, ServerChange};
use tmux_cc::format::FromFormat;
use tmux_cc::protocol::Command;
use tmux_cc::tree::Change;
use tmux_cc::wire::{PaneId, SessionId, WindowId};

use super::quoting::value;
use super::support::{Dice, attached, follow, scaled, soon};

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
