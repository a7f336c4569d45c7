//! Typed commands do what they say, with names that mean something to tmux or to a shell.

use std::fs;
use std::path::Path;

use harness::server::Server;
use harness::skip_if_asked;
use harness::wait::until_async;
use tmux_cc::client::{Client, ClientError, RunError};
use tmux_cc::protocol::commands::*;
use tmux_cc::protocol::{Command, CommandError, Quirk, Quirks, ReplyText, Target};
use tmux_cc::wire::{PaneId, SessionId, Version, WindowId};

use super::support::{LONG, attached, follow, pane_of};

/// Names that tmux might expand, look up by their beginning, or take for flags and separators.
const NAMES: &[&str] = &[
    "plain",
    "a b",
    "#{pid}",
    "#(date)",
    "#H",
    "##x",
    "#[fg=red]",
    "x#",
    "%",
    "100%",
    "%H %d",
    "-x",
    "--",
    ";",
    "x;",
    "~",
    "=x",
    "*",
    "?",
    "@0",
    "%0",
    "'",
    "\"",
    "{",
    "}",
    "é€😀",
    " x ",
    "!",
    "+",
];

/// What a program should get, and what it should not be made into.
const WORDS: &[&str] = &[
    "a b", "", ";", "x;", "-x", "--", "~", "~root", "$HOME", "`id`", "$(id)", "#{pid}", "#(date)",
    "%d", "'", "\"", "\\", "*", "{", "}", "a\nb", "\t", "é", "&", "|", ">x", "#", "!x",
];

async fn show(client: &Client, target: impl Into<Target>, format: &str) -> String {
    let text = client.run(DisplayMessage::of(target, format)).await;
    String::from_utf8(text.unwrap()).unwrap()
}

fn since(client: &Client, major: u16, minor: u16) -> bool {
    let version = client.attached().server.version;
    version.at_least(Version::new(major, minor))
}

#[track_caller]
fn failed<T: std::fmt::Debug>(result: Result<T, RunError>) -> String {
    match result {
        Err(RunError::Answer(AnswerError::Failed(failed))) => {
            String::from_utf8(failed.message().to_vec()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

/// The words that a program in a pane has got, when it has written them down.
async fn words(file: &Path) -> Vec<String> {
    let done = file.with_extension("done");
    until_async(LONG, "the program", async || done.exists()).await;
    fs::remove_file(&done).unwrap();
    let text = fs::read(file).unwrap();
    fs::remove_file(file).unwrap();
    let words = text
        .split(|&b| b == 0)
        .map(|w| String::from_utf8(w.to_vec()).unwrap());
    let mut words: Vec<_> = words.collect();
    words.pop();
    words
}

/// A program that writes its arguments down, each ended by a NUL.
fn writer(server: &Server) -> (String, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let program = server.dir().join("write down");
    let file = server.dir().join("words");
    let (to, done) = (file.to_str().unwrap(), file.with_extension("done"));
    let script = format!(
        "#!/bin/sh\n: >'{to}'\nfor w; do printf '%s\\000' \"$w\" >>'{to}'; done\n\
         printf '%s\\000' \"$PWD\" \"$MARK\" >>'{to}'\n: >'{}'\nexec cat >/dev/null\n",
        done.to_str().unwrap()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program.to_str().unwrap().to_owned(), file)
}

#[tokio::test]
async fn programs_get_their_words_directory_and_environment() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let (program, file) = writer(&server);
    let pane = pane_of(&server, "main:");
    let session = client.attached().session;
    for name in ["#{pid}", "#[x]##", "a %d;"] {
        let directory = server.dir().join(name);
        fs::create_dir(&directory).unwrap();
        let directory = directory.to_str().unwrap();
        let all = || [program.as_str()].into_iter().chain(WORDS.iter().copied());
        let mark = "#{pid} $HOME;";
        let expected: Vec<_> = WORDS.iter().copied().chain([directory, mark]).collect();

        let made = client
            .run(
                NewWindow::in_session(session)
                    .directory(directory)
                    .environment("MARK", mark)
                    .program(all()),
            )
            .await
            .unwrap();
        assert_eq!(words(&file).await, expected);
        let split = client
            .run(
                SplitWindow::right(made.pane)
                    .directory(directory)
                    .environment("MARK", mark)
                    .program(all()),
            )
            .await
            .unwrap();
        assert_eq!(words(&file).await, expected);
        assert_eq!((split.session, split.window), (made.session, made.window));
        let respawn = RespawnPane::new(split.pane)
            .kill()
            .directory(directory)
            .environment("MARK", mark);
        client.run(respawn.program(all())).await.unwrap();
        assert_eq!(words(&file).await, expected);
        client.run(KillWindow::new(made.window)).await.unwrap();
        let started = client
            .run(
                NewSession::new()
                    .directory(directory)
                    .environment("MARK", mark)
                    .program(all()),
            )
            .await
            .unwrap();
        assert_eq!(words(&file).await, expected);
        client.run(KillSession::new(started.session)).await.unwrap();
    }
    // A single word is a program too, and no shell's line: its name has a space in it.
    let home = server.dir().to_str().unwrap().to_owned();
    let made = client
        .run(SplitWindow::below(pane).program([&program]))
        .await
        .unwrap();
    assert_eq!(words(&file).await, [home.as_str(), ""]);
    client.run(KillPane::new(made.pane)).await.unwrap();
    // A shell's line is one.
    let line = format!("'{program}' $((1 + 2)) '#{{pid}}'");
    let made = client
        .run(SplitWindow::below(pane).shell(&line))
        .await
        .unwrap();
    assert_eq!(words(&file).await[..2], ["3", "#{pid}"]);
    // What ran there runs again.
    client
        .run(RespawnPane::new(made.pane).kill())
        .await
        .unwrap();
    assert_eq!(words(&file).await[..2], ["3", "#{pid}"]);
    client.run(KillPane::new(made.pane)).await.unwrap();
    let made = client
        .run(NewWindow::in_session(session).shell("exec cat"))
        .await
        .unwrap();
    let respawn = RespawnWindow::new(made.window).kill();
    client
        .run(respawn.program([program.as_str(), "w"]))
        .await
        .unwrap();
    assert_eq!(words(&file).await[0], "w");
    // And a format is one where it is asked for.
    let format = "#{socket_path}/../#{session_name}";
    fs::create_dir(server.dir().join("main")).unwrap();
    client
        .run(
            NewWindow::in_session(session)
                .directory_format("#{s|/s$||:socket_path}/#{session_name}")
                .program([&program]),
        )
        .await
        .unwrap_or_else(|error| panic!("{format}: {error}"));
    assert_eq!(words(&file).await[0], format!("{home}/main"));
}

#[tokio::test]
async fn names_are_what_was_given() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let session = client.attached().session;
    let kept = client
        .run(NewWindow::in_session(session).detached())
        .await
        .unwrap();
    for name in NAMES {
        let made = client
            .run(NewWindow::in_session(session).name(name))
            .await
            .unwrap();
        assert_eq!(show(&client, made.window, "#{window_name}").await, *name);
        client
            .run(RenameWindow::new(kept.window, name))
            .await
            .unwrap();
        assert_eq!(show(&client, kept.window, "#{window_name}").await, *name);
        client.run(KillWindow::new(made.window)).await.unwrap();
        client
            .run(SelectPane::title(kept.pane, name))
            .await
            .unwrap();
        assert_eq!(show(&client, kept.pane, "#{pane_title}").await, *name);

        let made = client
            .run(NewSession::named(name).window_name(name))
            .await
            .unwrap();
        assert_eq!(show(&client, made.session, "#{session_name}").await, *name);
        assert_eq!(show(&client, made.session, "#{window_name}").await, *name);
        // By name it is found, and nothing else is.
        assert!(
            client
                .run(HasSession::new(Target::session(name)))
                .await
                .unwrap()
        );
        assert_eq!(
            show(&client, Target::session(name), "#{session_id}").await,
            made.session.to_string()
        );
        let twice = failed(client.run(NewSession::named(name)).await);
        assert!(twice.starts_with("duplicate session"), "{twice}");
        let longer = format!("{name}longer");
        client
            .run(RenameSession::new(Target::session(name), &longer))
            .await
            .unwrap();
        assert_eq!(show(&client, made.session, "#{session_name}").await, longer);
        assert!(
            !client
                .run(HasSession::new(Target::session(name)))
                .await
                .unwrap(),
            "{name}"
        );
        let gone = failed(client.run(KillSession::new(Target::session(name))).await);
        assert_eq!(gone, format!("can't find session: {name}"));
        client
            .run(KillSession::new(Target::session(&longer)))
            .await
            .unwrap();
        assert!(!client.run(HasSession::new(made.session)).await.unwrap());
    }
    client
        .run(RenameWindow::format(kept.window, "#{window_id}"))
        .await
        .unwrap();
    assert_eq!(
        show(&client, kept.window, "#{window_name}").await,
        kept.window.to_string()
    );
    client
        .run(RenameSession::format(session, "a#{session_id}"))
        .await
        .unwrap();
    let name = show(&client, session, "#{session_name}").await;
    assert!(
        name == format!("a{session}") || name == format!("a\\{session}"),
        "{name}"
    );
    let format = NewWindow::in_session(session).name_format("w#{session_id}");
    let made = client.run(format).await.unwrap();
    assert_eq!(
        show(&client, made.window, "#{window_name}").await,
        format!("w{session}")
    );
}

/// A client's name finds its session where no session has that name: such names go by id.
#[tokio::test]
async fn the_name_of_a_client_is_no_session() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let name = client.attached().client_name.clone();
    let by_name = [b"has-session -t '=", &name[..], b":'"].concat();
    let found = client.command(Command::raw(by_name)).await.unwrap();
    assert!(
        found.ok().is_ok(),
        "tmux finds no session by a client's name any more"
    );
    let refused = client
        .run(KillSession::new(Target::session(&name)))
        .await
        .unwrap_err();
    let RunError::Client(ClientError::Command(CommandError::Unfit { .. })) = refused else {
        panic!("{refused:?}");
    };
    assert!(server.alive());
}

#[tokio::test]
async fn windows_and_panes_go_where_they_are_sent() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let main = client.attached().session;
    let other = client
        .run(NewSession::named("other").size(100, 40))
        .await
        .unwrap();
    assert_eq!(
        show(&client, other.window, "#{window_width}x#{window_height}").await,
        "100x40"
    );
    let index = async |session: SessionId, window: WindowId| {
        let rows = client
            .command(
                Command::from(ListWindows::of(session))
                    .option("-F", "#{window_id} #{window_index}"),
            )
            .await
            .unwrap();
        let rows: Vec<_> = rows
            .lines()
            .map(|l| String::from_utf8(l.to_vec()).unwrap())
            .collect();
        let row = rows
            .iter()
            .find_map(|row| row.strip_prefix(&format!("{window} ")).map(str::to_owned));
        row.map(|index| index.parse::<u32>().unwrap())
    };

    let seven = client
        .run(NewWindow::at(Target::session("main"), 7).detached())
        .await
        .unwrap();
    assert_eq!(index(main, seven.window).await, Some(7));
    assert_eq!(seven.session, main);
    assert_ne!(
        show(&client, main, "#{window_id}").await,
        seven.window.to_string()
    );
    let before = client.run(NewWindow::before(seven.window)).await.unwrap();
    assert_eq!(
        (
            index(main, before.window).await,
            index(main, seven.window).await
        ),
        (Some(7), Some(8))
    );
    let after = client.run(NewWindow::after(before.window)).await.unwrap();
    assert_eq!(index(main, after.window).await, Some(8));
    assert!(failed(client.run(NewWindow::at(main, 7)).await).contains("index 7 in use"));
    let instead = client
        .run(NewWindow::at(main, 7).replacing())
        .await
        .unwrap();
    assert_eq!(
        (
            index(main, before.window).await,
            index(main, instead.window).await
        ),
        (None, Some(7))
    );

    client.run(SelectWindow::new(seven.window)).await.unwrap();
    assert_eq!(
        show(&client, main, "#{window_id}").await,
        seven.window.to_string()
    );
    client
        .run(SelectWindow::in_session(main, after.window))
        .await
        .unwrap();
    assert_eq!(
        show(&client, main, "#{window_id}").await,
        after.window.to_string()
    );
    client
        .run(SwapWindow::new(seven.window, other.window))
        .await
        .unwrap();
    assert_eq!(
        (
            index(main, seven.window).await,
            index(other.session, seven.window).await
        ),
        (None, Some(0))
    );
    client
        .run(LinkWindow::new(seven.window, Target::session("main")))
        .await
        .unwrap();
    assert!(index(main, seven.window).await.is_some());
    client
        .run(MoveWindow::at(after.window, other.session, 5))
        .await
        .unwrap();
    assert_eq!(
        (
            index(main, after.window).await,
            index(other.session, after.window).await
        ),
        (None, Some(5))
    );
    client
        .run(UnlinkWindow::new(other.session, seven.window))
        .await
        .unwrap();
    assert_eq!(index(other.session, seven.window).await, None);
    let only = failed(client.run(UnlinkWindow::new(main, seven.window)).await);
    assert!(only.contains("only linked to one session"), "{only}");
    client
        .run(MoveWindow::new(seven.window, other.session))
        .await
        .unwrap();
    assert!(index(other.session, seven.window).await.is_some());
    client
        .run(LinkWindow::at(instead.window, other.session, 5).replacing())
        .await
        .unwrap();
    assert_eq!(index(other.session, instead.window).await, Some(5));

    let pane = instead.pane;
    let below = client
        .run(SplitWindow::below(pane).size(5).detached())
        .await
        .unwrap();
    assert_eq!(show(&client, below.pane, "#{pane_height}").await, "5");
    assert_eq!(
        show(&client, instead.window, "#{pane_id}").await,
        pane.to_string()
    );
    client.run(SelectPane::new(below.pane)).await.unwrap();
    assert_eq!(
        show(&client, instead.window, "#{pane_id}").await,
        below.pane.to_string()
    );
    let left = client
        .run(SplitWindow::right(below.pane).before().full().percent(25))
        .await
        .unwrap();
    assert_eq!(show(&client, left.pane, "#{pane_left}").await, "0");
    client.run(SwapPane::new(left.pane, pane)).await.unwrap();
    assert_eq!(show(&client, pane, "#{pane_left}").await, "0");
    let broken = client.run(BreakPane::new(left.pane)).await.unwrap();
    assert_eq!((broken.pane, broken.session), (left.pane, main));
    assert_ne!(broken.window, instead.window);
    // Alone in its window already: no version prints where it is.
    let again = client
        .run(BreakPane::into_session(left.pane, other.session))
        .await
        .unwrap();
    assert_eq!(
        (again.pane, again.window, again.session),
        (left.pane, broken.window, other.session)
    );
    client
        .run(JoinPane::right(left.pane, pane).before().size(9).detached())
        .await
        .unwrap();
    assert_eq!(
        show(&client, left.pane, "#{pane_width} #{window_id}").await,
        format!("9 {}", instead.window)
    );
    client.run(KillPane::new(left.pane)).await.unwrap();
    let gone = failed(client.run(KillPane::new(left.pane)).await);
    assert_eq!(gone, format!("can't find pane: {}", left.pane));
    client
        .run(JoinPane::below(below.pane, other.pane))
        .await
        .unwrap();
    assert_eq!(
        show(&client, below.pane, "#{window_id}").await,
        other.window.to_string()
    );
    client.run(KillServer::new()).await.unwrap();
}

#[tokio::test]
async fn sizes_and_layouts_are_taken() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let pane = pane_of(&server, "main:");
    let window = WindowId::parse(show(&client, pane, "#{window_id}").await.as_bytes()).unwrap();
    client.run(ClientSize::new(100, 30)).await.unwrap();
    assert_eq!(show(&client, window, "#{window_width}").await, "100");
    let of_window = ClientSize::of_window(window, 90, 20);
    client.run(of_window).await.unwrap();
    assert_eq!(show(&client, window, "#{window_width}").await, "90");
    client
        .run(ClientSize::of_window_unset(window))
        .await
        .unwrap();
    assert_eq!(show(&client, window, "#{window_width}").await, "100");
    assert_eq!(
        failed(client.run(ClientSize::new(0, 30)).await),
        "size too small or too big"
    );
    client
        .run(ResizeWindow::new(window, 120, 50))
        .await
        .unwrap();
    assert_eq!(
        show(&client, window, "#{window_width}x#{window_height}").await,
        "120x50"
    );
    client.run(ResizeWindow::width(window, 110)).await.unwrap();
    client.run(ResizeWindow::height(window, 40)).await.unwrap();
    assert_eq!(
        show(&client, window, "#{window_width}x#{window_height}").await,
        "110x40"
    );

    let split = client.run(SplitWindow::below(pane)).await.unwrap();
    client.run(ResizePane::height(split.pane, 7)).await.unwrap();
    assert_eq!(show(&client, split.pane, "#{pane_height}").await, "7");
    let saved = show(&client, window, "#{window_layout}").await;
    client.run(ResizePane::zoom(split.pane)).await.unwrap();
    assert_eq!(show(&client, window, "#{window_zoomed_flag}").await, "1");
    client.run(ResizePane::zoom(split.pane)).await.unwrap();
    client
        .run(SelectLayout::preset(window, Preset::EvenHorizontal))
        .await
        .unwrap();
    assert_ne!(show(&client, window, "#{window_layout}").await, saved);
    client.run(ResizePane::width(split.pane, 20)).await.unwrap();
    assert_eq!(show(&client, split.pane, "#{pane_width}").await, "20");
    client
        .run(ResizePane::new(split.pane, 21, 40))
        .await
        .unwrap();
    client
        .run(SelectLayout::saved(window, &saved))
        .await
        .unwrap();
    assert_eq!(show(&client, window, "#{window_layout}").await, saved);
    for preset in [
        Preset::EvenVertical,
        Preset::MainHorizontal,
        Preset::MainVertical,
        Preset::Tiled,
    ] {
        client
            .run(SelectLayout::preset(window, preset))
            .await
            .unwrap();
    }
    // What is no layout, also what only begins like one.
    for layout in [
        "",
        "x",
        "b25d",
        "b25d,x",
        "0000,80x24,0,0,0",
        "b25d,80x24,0,0,0,",
    ] {
        let error = client.run(SelectLayout::saved(window, layout)).await;
        assert!(error.is_err(), "{layout:?}");
        assert!(server.alive(), "{layout:?}");
    }
}

#[tokio::test]
async fn options_and_variables_come_back() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let vis = Quirks::of(client.attached().server.version).reply_text() == ReplyText::Vis;
    let session = client.attached().session;
    let pane = pane_of(&server, "main:");
    let window = WindowId::parse(show(&client, pane, "#{window_id}").await.as_bytes()).unwrap();
    let scopes = [
        Scope::Server,
        Scope::Sessions,
        Scope::Session(session.into()),
        Scope::Session(Target::session("main")),
        Scope::Windows,
        Scope::Window(window),
        Scope::Pane(pane),
    ];
    let values = NAMES
        .iter()
        .chain(WORDS)
        .filter(|v| !vis || !v.contains(['\n', '\t']));
    for (n, value) in values.enumerate() {
        let (value, name) = (value.as_bytes(), format!("@x{n}"));
        for scope in &scopes {
            let shown = client.run(ShowOption::new(scope.clone(), &name));
            assert_eq!(shown.await.unwrap(), None, "{scope:?} {name}");
            client
                .run(SetOption::new(scope.clone(), &name, value))
                .await
                .unwrap();
            let shown = client.run(ShowOption::new(scope.clone(), &name));
            assert_eq!(
                shown.await.unwrap().unwrap().escape_ascii().to_string(),
                value.escape_ascii().to_string()
            );
            let once = failed(client.run(SetOption::once(scope.clone(), &name, "y")).await);
            assert!(once.starts_with("already set"), "{once}");
            client
                .run(SetOption::append(scope.clone(), &name, "+"))
                .await
                .unwrap();
            let shown = client.run(ShowOption::new(scope.clone(), &name));
            assert_eq!(shown.await.unwrap().unwrap(), [value, b"+"].concat());
            client
                .run(UnsetOption::new(scope.clone(), &name))
                .await
                .unwrap();
        }
        for of in [Environment::Global, Environment::Session(session.into())] {
            let shown = || client.run(ShowEnvironment::new(of.clone(), "MARK"));
            assert_eq!(shown().await.unwrap(), None);
            client
                .run(SetEnvironment::new(of.clone(), "MARK", value))
                .await
                .unwrap();
            assert_eq!(shown().await.unwrap().unwrap(), value);
            client
                .run(UnsetEnvironment::removed(of.clone(), "MARK"))
                .await
                .unwrap();
            assert_eq!(shown().await.unwrap(), None);
            client
                .run(UnsetEnvironment::new(of.clone(), "MARK"))
                .await
                .unwrap();
        }
    }
    client
        .run(SetOption::new(Scope::Windows, "@above", "x"))
        .await
        .unwrap();
    let own = ShowOption::new(Scope::Pane(pane), "@above");
    assert_eq!(client.run(own).await.unwrap(), None);
    let inherited = ShowOption::inherited(Scope::Pane(pane), "@above");
    assert_eq!(client.run(inherited).await.unwrap(), Some(b"x".to_vec()));
    client
        .run(SetOption::format(Scope::Server, "@f", "#{session_id}"))
        .await
        .unwrap();
    let shown = client
        .run(ShowOption::new(Scope::Server, "@f"))
        .await
        .unwrap();
    assert_eq!(shown.unwrap(), session.to_string().as_bytes());
    let wrong = SetOption::new(Scope::Sessions, "history-limit", "many");
    assert!(!failed(client.run(wrong).await).is_empty());
}

#[tokio::test]
async fn buffers_and_pipes_hold_what_they_are_given() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let quirks = Quirks::of(client.attached().server.version);
    let pane = pane_of(&server, "main:");
    let file = server.dir().join("#{pid} %d;");
    for (n, value) in NAMES
        .iter()
        .chain(WORDS)
        .filter(|v| !v.is_empty())
        .enumerate()
    {
        // Names of buffers are escaped as those of windows are.
        let own = n % 2 == 0 && !value.contains(['\\', '$', '\n', '\t']);
        let name = if own {
            (*value).to_owned()
        } else {
            format!("b{n}")
        };
        let plain = !value.contains(['\n', '\t', '\\', '$']);
        client.run(SetBuffer::new(&name, value)).await.unwrap();
        if plain || !quirks.has(Quirk::VisBuffers) {
            let held = client.run(ShowBuffer::new(&name)).await.unwrap();
            assert_eq!(held, value.as_bytes(), "{name}");
        }
        client.run(SetBuffer::append(&name, "+")).await.unwrap();
        fs::write(&file, value).unwrap();
        client
            .run(LoadBuffer::new("loaded", file.to_str().unwrap()))
            .await
            .unwrap();
        if plain || !quirks.has(Quirk::VisBuffers) {
            let held = client.run(ShowBuffer::new(&name)).await.unwrap();
            assert_eq!(held, [value.as_bytes(), b"+"].concat());
            let held = client.run(ShowBuffer::new("loaded")).await.unwrap();
            assert_eq!(held, value.as_bytes(), "{name}");
        }
        client.run(DeleteBuffer::new(&name)).await.unwrap();
        assert!(!failed(client.run(ShowBuffer::new(&name)).await).is_empty());
    }

    let (program, words_file) = writer(&server);
    let all = || [program.as_str()].into_iter().chain(WORDS.iter().copied());
    client.run(PipePane::program(pane, all())).await.unwrap();
    assert_eq!(words(&words_file).await[..WORDS.len()], *WORDS);
    assert_eq!(show(&client, pane, "#{pane_pipe}").await, "1");
    client.run(PipePane::close(pane)).await.unwrap();
    assert_eq!(show(&client, pane, "#{pane_pipe}").await, "0");
    let line = format!("exec '{program}' '#{{pid}}' %H '%%' \"$((1+1))\"");
    client.run(PipePane::shell(pane, line)).await.unwrap();
    assert_eq!(words(&words_file).await[..4], ["#{pid}", "%H", "%%", "2"]);
    let line = format!("exec '{program}' '#{{pane_id}}'");
    client.run(PipePane::format(pane, line)).await.unwrap();
    assert_eq!(words(&words_file).await[0], pane.to_string());
}

#[tokio::test]
async fn captures_and_lists_show_what_there_is() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let session = client.attached().session;
    let line = "printf 'one   \\nt\\033[31mw\\033[0mo\\\\ \\n'; exec cat";
    let made = client
        .run(NewWindow::in_session(session).shell(line))
        .await
        .unwrap();
    let capture = || CapturePane::new(made.pane);
    until_async(LONG, "what it prints", async || {
        client
            .run(capture())
            .await
            .unwrap()
            .starts_with(b"one\ntwo\\\n")
    })
    .await;
    let text = client
        .run(capture().end(1).escapes().octal())
        .await
        .unwrap();
    assert!(
        text.starts_with(b"one\nt\\033[31mw\\033["),
        "{}",
        text.escape_ascii()
    );
    let text = client
        .run(capture().start(0).end(0).trailing_spaces())
        .await
        .unwrap();
    assert!(text.starts_with(b"one   "), "{}", text.escape_ascii());
    let text = client.run(capture().history().join().end(0)).await.unwrap();
    assert!(text.starts_with(b"one   "), "{}", text.escape_ascii());
    assert_eq!(client.run(capture().hidden()).await.unwrap(), b"\n");
    assert_eq!(client.run(capture().pending()).await.unwrap(), b"\n");
    assert_eq!(
        client.run(CapturePane::new(made.window)).await.unwrap(),
        client.run(capture()).await.unwrap()
    );
    let gone = failed(client.run(CapturePane::new(PaneId(999))).await);
    assert_eq!(gone, "can't find pane: %999");
    // tmux itself answers for another pane.
    let gone = client
        .run(DisplayMessage::of(PaneId(999), "x"))
        .await
        .unwrap_err();
    assert_eq!(gone, RunError::Answer(AnswerError::NoTarget));
    assert_eq!(
        client
            .run(DisplayMessage::new("#{session_id} 100%%"))
            .await
            .unwrap(),
        format!("{session} 100%").as_bytes()
    );

    let count = async |list: Command| {
        let reply = client.command(list.option("-F", "x")).await.unwrap();
        reply
            .ok()
            .unwrap()
            .lines()
            .filter(|line| line == b"x")
            .count()
    };
    assert_eq!(count(ListSessions::all().into()).await, 1);
    assert_eq!(
        count(
            ListSessions::all()
                .filter("#{==:#{session_name},#,}")
                .into()
        )
        .await,
        0
    );
    assert_eq!(count(ListWindows::all().into()).await, 2);
    assert_eq!(
        count(ListWindows::of(session).filter("#{window_active}").into()).await,
        1
    );
    assert_eq!(
        count(ListPanes::all().filter("#{m:%*,#{pane_id}}").into()).await,
        2
    );
    assert_eq!(count(ListPanes::of_session(session).into()).await, 2);
    assert_eq!(count(ListPanes::of_window(made.window).into()).await, 1);
    assert_eq!(count(ListClients::all().into()).await, 1);
    assert_eq!(count(ListClients::of(session).into()).await, 1);
    client.run(SetBuffer::new("b", "x")).await.unwrap();
    assert_eq!(
        count(ListBuffers::all().filter("#{==:#{buffer_name},b}").into()).await,
        1
    );
}

/// What is younger than the server is refused before it is sent, and works where it is not.
#[tokio::test]
async fn younger_flags_need_younger_servers() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let pane = pane_of(&server, "main:");
    let followed = follow(&server).start().await.unwrap();
    until_async(LONG, "the server to be followed", async || {
        followed.run(HasSession::new(Target::session("main"))).await == Ok(true)
    })
    .await;
    let window = WindowId::parse(show(&client, pane, "#{window_id}").await.as_bytes()).unwrap();
    server.tmux(["copy-mode", "-t", "main:"]);
    let cases: [(Command, (u16, u16)); 8] = [
        (CapturePane::new(pane).written().into(), (3, 4)),
        (CapturePane::new(pane).mode().into(), (3, 6)),
        (CapturePane::new(pane).numbers().into(), (3, 7)),
        (CapturePane::new(pane).line_flags().into(), (3, 7)),
        (CapturePane::new(pane).hyperlinks().into(), (3, 7)),
        (ListClients::all().filter("1").into(), (3, 4)),
        (
            SelectLayout::preset(window, Preset::MainVerticalMirrored).into(),
            (3, 5),
        ),
        (
            SelectLayout::preset(window, Preset::MainHorizontalMirrored).into(),
            (3, 5),
        ),
    ];
    for (command, (major, minor)) in cases {
        let line = command.to_string();
        let since_then = since(&client, major, minor);
        // The server's own word, but where it would crash: it knows the flag, or does not.
        if since_then || !line.starts_with("select-layout") {
            let known = client.command(Command::raw(&line)).await.unwrap().ok();
            assert_eq!(known.is_ok(), since_then, "{line}: {known:?}");
        }
        for sent in [
            client.command(command.clone()).await,
            followed.command(command).await,
        ] {
            match sent {
                Ok(reply) => assert!(reply.ok().is_ok() && since_then, "{line}"),
                Err(ClientError::Command(CommandError::TooOld { since, server, .. })) => {
                    assert!(!since_then, "{line}");
                    assert_eq!(since, Version::new(major, minor));
                    assert_eq!(server, client.attached().server.version);
                }
                other => panic!("{line}: {other:?}"),
            }
        }
    }
}
