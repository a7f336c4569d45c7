//! The rows that are ready-made tell what is there.

use harness::server::Server;
use harness::skip_if_asked;
use tmux_cc::client::Client;
use tmux_cc::format::{BufferRow, ClientRow, PaneRow, SessionRow, Signal, WindowRow};
use tmux_cc::protocol::Command;
use tmux_cc::wire::{Layout, PaneId, SessionId, Version, WindowId};

use super::row;
use crate::support::{ask, attached, soon};

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
