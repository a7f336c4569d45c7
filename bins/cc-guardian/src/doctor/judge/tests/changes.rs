//! One change each, and what is to be said of it.

use crate::doctor::facts::{
    Answer, Configuration, Daemon, Facts, Folder, Found, Runtime, Told, Whose,
};
use cc_kit::doctor::Level;

use super::{USER, alive, directory, foreign, in_server, server};

pub(super) type Change = fn(&mut Facts);

/// The change; level, topic and a part of the sentence.
pub(super) const CHANGES: &[(Change, Level, &str, &str)] = &[
    // The program.
    (
        |f| f.tmux.path = None,
        Level::Problem,
        "tmux",
        "no program \"tmux\" in PATH",
    ),
    (
        |f| f.tmux.version = Told::NotKnown("broken".to_owned()),
        Level::Problem,
        "tmux",
        "does not tell its version: broken",
    ),
    (
        |f| f.tmux.version = Told::Known("3.1c".to_owned()),
        Level::Problem,
        "tmux",
        "tmux 3.1c is too old",
    ),
    (
        |f| f.tmux.version = Told::Known("3.6".to_owned()),
        Level::Note,
        "tmux",
        "tmux 3.6 is not one of those",
    ),
    (
        |f| f.tmux.version = Told::Known("5.x-mine".to_owned()),
        Level::Warning,
        "tmux",
        "\"5.x-mine\" is no version",
    ),
    (
        |f| f.tmux.version = Told::Known("3.7c".to_owned()),
        Level::Note,
        "fault",
        "tmux 3.7c: Respawning",
    ),
    (
        |f| in_server(f, |alive| alive.version = "3.3a".to_owned()),
        Level::Note,
        "fault",
        "tmux 3.3a: `paste-buffer` into a dead pane",
    ),
    (
        |f| in_server(f, |alive| alive.version = "3.7c".to_owned()),
        Level::Warning,
        "server",
        "runs tmux 3.7c, and the program is 3.8 now",
    ),
    // Sockets and servers.
    (
        |f| f.servers[0].owner = 0,
        Level::Problem,
        "socket",
        "belongs to user 0",
    ),
    (
        |f| f.servers[0].mode = 0o770,
        Level::Warning,
        "socket",
        "has mode 0770",
    ),
    (
        |f| f.servers[0].answer = Answer::Stale,
        Level::Note,
        "server",
        "Nobody listens on /run/user/1000/cc/tmux/default",
    ),
    (
        |f| f.servers[0].answer = Answer::Hung,
        Level::Problem,
        "server",
        "does not answer",
    ),
    (
        |f| {
            f.servers[0].answer = Answer::Refused {
                said: "access not allowed".to_owned(),
            }
        },
        Level::Warning,
        "server",
        "access not allowed",
    ),
    (
        |f| {
            f.servers[0].answer = Answer::NotAsked {
                why: "it is a trap".to_owned(),
            }
        },
        Level::Warning,
        "server",
        "was not asked: it is a trap",
    ),
    (
        |f| in_server(f, |alive| alive.exit_unattached = true),
        Level::Problem,
        "server",
        "exit-unattached on",
    ),
    (
        |f| in_server(f, |alive| alive.exit_empty = true),
        Level::Warning,
        "server",
        "exit-empty on",
    ),
    (
        |f| in_server(f, |alive| alive.panes[0].remain_on_exit = false),
        Level::Warning,
        "pane",
        "remain-on-exit is off in %1",
    ),
    // Sessions.
    (
        |f| in_server(f, |alive| alive.sessions[0].destroy_unattached = true),
        Level::Problem,
        "session",
        "Session \"w@1\" ($1) on /run/user/1000/cc/tmux/default has destroy-unattached on",
    ),
    (
        |f| {
            let mut alive = alive();
            alive.sessions[0].destroy_unattached = true;
            f.servers.push(server(Whose::User, alive));
        },
        Level::Warning,
        "session",
        "on /tmp/tmux-1000/default has destroy-unattached on",
    ),
    // Clients.
    (
        |f| in_server(f, |alive| alive.clients.push(foreign(&["attached"]))),
        Level::Warning,
        "client",
        "(client-8, pid 8) is attached to \"w@1\" on /run/user/1000/cc/tmux/default, and takes \
         output without pause-after",
    ),
    (
        |f| in_server(f, |alive| alive.clients.push(foreign(&["pause-after=2"]))),
        Level::Note,
        "client",
        "of somebody else (client-8",
    ),
    (
        |f| in_server(f, |alive| alive.clients.push(foreign(&["no-output"]))),
        Level::Note,
        "client",
        "without output",
    ),
    (
        |f| {
            in_server(f, |alive| {
                alive.clients.push(foreign(&["no-output", "read-only"]));
            });
        },
        Level::Warning,
        "client",
        "read-only",
    ),
    (
        |f| in_server(f, |alive| alive.clients[0].is_guardian = None),
        Level::Note,
        "client",
        "perhaps the guardian's own",
    ),
    // What is kept.
    (
        |f| in_server(f, |alive| alive.panes[0].is_piped = true),
        Level::Note,
        "pipe",
        "The pipe of %1 (\"w@1\")",
    ),
    (
        |f| in_server(f, |alive| alive.panes[0].history_bytes = 50 << 20),
        Level::Warning,
        "history",
        "keep 50.0 MiB of history (%1 50.0 MiB in 100 lines), the server uses 8.0 MiB",
    ),
    (
        |f| in_server(f, |alive| alive.memory = Some(1 << 30)),
        Level::Warning,
        "history",
        "the server uses 1.0 GiB",
    ),
    (
        |f| in_server(f, |alive| alive.panes[0].history_limit = 50_000),
        Level::Note,
        "history",
        "1 of the panes on /run/user/1000/cc/tmux/default may keep up to 50000 lines",
    ),
    // Configuration and daemon.
    (
        |f| {
            f.configuration = Configuration::Wrong {
                file: "x.toml".to_owned(),
                mistakes: vec!["x.toml:1:1: no".to_owned(), "y".to_owned()],
            }
        },
        Level::Problem,
        "configuration",
        "x.toml has 2 mistakes, the first: x.toml:1:1: no",
    ),
    (
        |f| {
            f.configuration = Configuration::Right {
                file: "x.toml".to_owned(),
                instances: 1,
                sockets: vec![format!("/{}", "x".repeat(107))],
            }
        },
        Level::Problem,
        "socket",
        "is too long for a socket",
    ),
    (
        |f| f.daemon = Daemon::Absent,
        Level::Problem,
        "daemon",
        "1 session of units run, and no guardian",
    ),
    (
        |f| f.daemon = Daemon::Stale,
        Level::Warning,
        "daemon",
        "has left its socket",
    ),
    (
        |f| {
            f.daemon = Daemon::Silent {
                why: "timed out".to_owned(),
            }
        },
        Level::Problem,
        "daemon",
        "does not answer: timed out",
    ),
    // Directories.
    (
        |f| f.state = None,
        Level::Problem,
        "state",
        "no home directory",
    ),
    (
        |f| f.state.as_mut().unwrap().found = Found::Other,
        Level::Problem,
        "state",
        "is no directory",
    ),
    (
        |f| f.state.as_mut().unwrap().found = Found::Missing { can_be_made: false },
        Level::Problem,
        "state",
        "you may not make it",
    ),
    (
        |f| {
            f.state.as_mut().unwrap().found = Found::Closed {
                why: "permission denied".to_owned(),
            }
        },
        Level::Problem,
        "state",
        "cannot be looked at: permission denied",
    ),
    (
        |f| f.state.as_mut().unwrap().found = directory(0, 0o700),
        Level::Problem,
        "state",
        "belongs to user 0",
    ),
    (
        |f| f.state.as_mut().unwrap().found = directory(USER, 0o770),
        Level::Problem,
        "state",
        "Others may write",
    ),
    (
        |f| f.state.as_mut().unwrap().found = directory(USER, 0o755),
        Level::Warning,
        "state",
        "has mode 0755",
    ),
    (
        |f| {
            if let Found::Directory { is_writable, .. } = &mut f.state.as_mut().unwrap().found {
                *is_writable = false;
            }
        },
        Level::Problem,
        "state",
        "You may not read and write",
    ),
    (
        |f| {
            if let Found::Directory { is_volatile, .. } = &mut f.state.as_mut().unwrap().found {
                *is_volatile = Told::Known(true);
            }
        },
        Level::Warning,
        "state",
        "kept in memory only",
    ),
    (
        |f| {
            if let Found::Directory { free, .. } = &mut f.state.as_mut().unwrap().found {
                *free = Some(1 << 20);
            }
        },
        Level::Problem,
        "state",
        "1.0 MiB are free",
    ),
    (
        |f| {
            if let Found::Directory { free, .. } = &mut f.state.as_mut().unwrap().found {
                *free = Some(500 << 20);
            }
        },
        Level::Warning,
        "state",
        "500.0 MiB are free",
    ),
    (
        |f| f.runtime = Runtime::Unset,
        Level::Warning,
        "runtime",
        "XDG_RUNTIME_DIR is not set",
    ),
    (
        |f| f.runtime = Runtime::Relative("run".to_owned()),
        Level::Warning,
        "runtime",
        "\"run\", no absolute path",
    ),
    (
        |f| {
            f.runtime = Runtime::Set(Folder {
                path: "/tmp/run".to_owned(),
                found: directory(USER, 0o755),
            })
        },
        Level::Warning,
        "runtime",
        "/tmp/run, has mode 0755",
    ),
    (
        |f| f.user_sockets.found = directory(77, 0o700),
        Level::Problem,
        "sockets",
        "/tmp/tmux-1000 belongs to user 77",
    ),
    (
        |f| f.linger = Told::Known(false),
        Level::Warning,
        "runtime",
        "/run/user/1000 goes when you log out",
    ),
    // The machine.
    (
        |f| f.linger = Told::Known(false),
        Level::Warning,
        "linger",
        "Linger is off",
    ),
    (
        |f| f.linger = Told::NotKnown("there is no systemd here".to_owned()),
        Level::Note,
        "linger",
        "is not known: there is no systemd here",
    ),
    (
        |f| f.now = 12,
        Level::Problem,
        "clock",
        "before this program was written",
    ),
    (
        |f| f.synchronized = Told::Known(false),
        Level::Warning,
        "clock",
        "not kept right by NTP",
    ),
    (
        |f| f.synchronized = Told::NotKnown("why".to_owned()),
        Level::Note,
        "clock",
        "is not known: why",
    ),
    (
        |f| f.zone = Told::NotKnown("none is set".to_owned()),
        Level::Warning,
        "zone",
        "not known: none is set",
    ),
    (
        |f| f.descriptors = Some(87),
        Level::Problem,
        "limits",
        "87 files open, and 3 instances need about 88",
    ),
    (
        |f| f.descriptors = Some(88),
        Level::Warning,
        "limits",
        "88 files open",
    ),
    (
        |f| f.variables = vec!["CLAUDE_HEADLESS".to_owned()],
        Level::Warning,
        "environment",
        "CLAUDE_HEADLESS is set, and no program reads it",
    ),
    (
        |f| f.locale = Some("C".to_owned()),
        Level::Warning,
        "locale",
        "It is C, without UTF-8",
    ),
    (
        |f| f.locale = None,
        Level::Warning,
        "locale",
        "It is not set",
    ),
    (
        |f| f.terminal = Some("dumb".to_owned()),
        Level::Note,
        "terminal",
        "TERM names no terminal",
    ),
];
