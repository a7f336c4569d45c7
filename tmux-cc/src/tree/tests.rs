use proptest::prelude::*;

use super::*;
use crate::format::{ClientRow, FromFormat, PaneRow, SessionRow, WindowRow, print_row_into};
use crate::wire::{Notification, PaneId, SessionId, WindowId};

/// A row as tmux prints it.
fn row<T: FromFormat>(letter: &str, values: &[(&str, &str)]) -> Vec<u8> {
    let mut row = letter.as_bytes().to_vec();
    print_row_into::<T>(values, &mut row);
    row
}

fn session(id: u32, name: &str) -> Vec<u8> {
    let id = format!("${id}");
    let values = [("session_id", &id[..]), ("session_name", name)];
    row::<SessionRow>("S|3.3a|7|1700000000|", &values)
}

fn window(session: u32, id: u32, name: &str) -> Vec<u8> {
    let (session, window) = (format!("${session}"), format!("@{id}"));
    let layout = format!("b25d,80x24,0,0,{id}");
    let values = [
        ("session_id", &session[..]),
        ("window_id", &window),
        ("window_active", "1"),
        ("window_name", name),
        ("window_layout", &layout),
    ];
    row::<WindowRow>("W|", &values)
}

/// The columns of a pane that tests change.
#[derive(Clone, Copy)]
struct Shown<'a> {
    dead: [&'a str; 4],
    title: &'a str,
    command: &'a str,
    modes: [&'a str; 2],
    unit: &'a str,
}

const SHOWN: Shown<'static> = Shown {
    dead: ["0", "", "", ""],
    title: "title",
    command: "sh",
    modes: ["0", ""],
    unit: "",
};

fn pane_of(session: u32, window: u32, id: u32, shown: Shown<'_>) -> Vec<u8> {
    let session = format!("${session}");
    let (window, pane) = (format!("@{window}"), format!("%{id}"));
    let [dead, status, signal, time] = shown.dead;
    let [in_mode, mode] = shown.modes;
    let values = [
        ("pane_id", &pane[..]),
        ("session_id", &session),
        ("window_id", &window),
        ("pane_active", "1"),
        ("pane_dead", dead),
        ("pane_dead_status", status),
        ("pane_dead_signal", signal),
        ("pane_dead_time", time),
        ("pane_title", shown.title),
        ("pane_current_command", shown.command),
        ("pane_in_mode", in_mode),
        ("pane_mode", mode),
        ("@cc_unit", shown.unit),
    ];
    row::<PaneRow>("P|", &values)
}

fn pane(session: u32, window: u32, id: u32) -> Vec<u8> {
    pane_of(session, window, id, SHOWN)
}

fn client(name: &str, session: u32) -> Vec<u8> {
    let session = format!("${session}");
    row::<ClientRow>("C|", &[("client_name", name), ("session_id", &session)])
}

fn listing(rows: &[Vec<u8>]) -> Listing {
    Listing::read([&rows.concat()[..]]).unwrap()
}

fn fresh(rows: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::default();
    tree.apply(listing(rows));
    tree
}

#[test]
fn a_listing_says_what_differs_from_the_last() {
    use Change as C;
    let mut tree = Tree::default();
    let first = [
        session(0, "a"),
        window(0, 0, "w"),
        pane(0, 0, 0),
        pane(0, 0, 1),
        client("c", 0),
    ];
    let changes = tree.apply(listing(&first));
    assert!(matches!(
        &changes[..],
        [
            C::SessionAdded(_),
            C::WindowAdded(_),
            C::PaneAdded(_),
            C::PaneAdded(_),
            C::ClientAttached(_)
        ]
    ));
    assert_eq!(tree.apply(listing(&first)), []);
    assert_eq!(tree.server().map(|server| server.pid), Some(7));

    let second = [
        session(0, "b"),
        session(1, "c"),
        window(1, 0, "w"),
        pane(1, 0, 1),
        client("c", 1),
    ];
    let changes = tree.apply(listing(&second));
    assert!(
        matches!(
            &changes[..],
            [
                C::PaneGone(gone),
                C::SessionRenamed(_),
                C::WindowsChanged(_),
                C::WindowSelected(_),
                C::SessionAdded(_),
                C::WindowMoved(_),
                C::LayoutChanged(_),
                C::PaneSelected(_),
                C::PaneMoved(moved),
                C::ClientMoved(_),
            ] if gone.id == PaneId(0) && moved.is_in(SessionId(1))
        ) || matches!(&changes[..], [C::PaneGone(_), ..]) && {
            // Which pane is active depends on the rows alone: both say so of themselves.
            changes
                .iter()
                .any(|change| matches!(change, C::PaneMoved(moved) if moved.is_in(SessionId(1))))
        },
        "{changes:?}"
    );

    let changes = tree.apply(Listing::default());
    assert!(
        matches!(
            &changes[..],
            [
                C::PaneGone(_),
                C::WindowGone(_),
                C::SessionGone(_),
                C::SessionGone(_),
                C::ClientDetached(_)
            ]
        ),
        "{changes:?}"
    );
    assert_eq!(tree, Tree::default());
}

#[test]
fn each_thing_that_changes_in_a_pane_is_said() {
    type Is = fn(&Change) -> bool;
    let cases: [(Shown<'_>, Is); 6] = [
        (
            Shown {
                title: "b",
                ..SHOWN
            },
            |c| matches!(c, Change::TitleChanged(_)),
        ),
        (
            Shown {
                command: "vim",
                ..SHOWN
            },
            |c| matches!(c, Change::CommandChanged(_)),
        ),
        (
            Shown {
                modes: ["1", "copy-mode"],
                ..SHOWN
            },
            |c| matches!(c, Change::ModeChanged(_)),
        ),
        (
            Shown {
                dead: ["1", "", "", ""],
                ..SHOWN
            },
            |c| matches!(c, Change::PaneDied(_)),
        ),
        (
            Shown {
                unit: "coder@1",
                ..SHOWN
            },
            |c| matches!(c, Change::PaneChanged(_)),
        ),
        (
            Shown {
                dead: ["1", "3", "", "5"],
                ..SHOWN
            },
            |c| {
                matches!(c, Change::PaneDied(pane)
                if pane.death.as_ref().is_some_and(|death| death.status == Some(3)))
            },
        ),
    ];
    let rows = |shown| [session(0, "a"), window(0, 0, "w"), pane_of(0, 0, 0, shown)];
    for (shown, is) in cases {
        let mut tree = fresh(&rows(SHOWN));
        let changes = tree.apply(listing(&rows(shown)));
        assert!(changes.len() == 1 && is(&changes[0]), "{changes:?}");
    }
    // What became of it is told later, and how it ended when it goes.
    let mut tree = fresh(&rows(Shown {
        dead: ["1", "", "", ""],
        ..SHOWN
    }));
    assert!(
        !tree
            .pane(PaneId(0))
            .unwrap()
            .death
            .as_ref()
            .unwrap()
            .is_known()
    );
    let known = Shown {
        dead: ["1", "", "9", "5"],
        ..SHOWN
    };
    let changes = tree.apply(listing(&rows(known)));
    assert!(
        matches!(&changes[..], [Change::PaneDied(pane)] if pane.death.as_ref().unwrap().is_known())
    );
    let changes = tree.apply(listing(&rows(known)[..2]));
    assert!(
        matches!(&changes[0], Change::PaneGone(pane) if pane.death.as_ref().unwrap().is_known())
    );
    let mut tree = fresh(&rows(known));
    assert!(matches!(
        &tree.as_changes()[2..],
        [Change::PaneAdded(_), Change::PaneDied(_)]
    ));
    let changes = tree.apply(listing(&rows(SHOWN)));
    assert!(matches!(&changes[..], [Change::PaneRespawned(_)]));
}

#[test]
fn a_linked_pane_is_one_pane_at_two_places() {
    let rows = [
        session(1, "a"),
        session(2, "b"),
        window(2, 9, "w"),
        window(1, 9, "w"),
        pane(2, 9, 5),
        pane(1, 9, 5),
    ];
    let tree = fresh(&rows);
    let pane = tree.pane(PaneId(5)).unwrap();
    assert_eq!(pane.places.len(), 2);
    assert_eq!(pane.place().unwrap().session, SessionId(1));
    let window = tree.window(WindowId(9)).unwrap();
    assert_eq!(
        (window.links.len(), &window.panes[..]),
        (2, &[PaneId(5)][..])
    );
}

#[test]
fn only_a_name_is_a_unit() {
    for (option, unit) in [
        ("coder@1", Some("coder@1")),
        ("a-b_c.D9", Some("a-b_c.D9")),
        ("", None),
        ("a b", None),
        ("a\nb", None),
        ("é", None),
    ] {
        let shown = Shown {
            unit: option,
            ..SHOWN
        };
        let tree = fresh(&[session(0, "a"), window(0, 0, "w"), pane_of(0, 0, 0, shown)]);
        assert_eq!(tree.pane(PaneId(0)).unwrap().unit.as_deref(), unit);
    }
}

#[test]
fn what_is_no_row_is_passed_over_and_half_a_row_is_an_error() {
    let mut printed = b"hooked\n".to_vec();
    printed.extend(session(0, "two\nlines"));
    let read = Listing::read([&printed[..]]).unwrap();
    assert_eq!(read.sessions[0].name, b"two\nlines");
    assert!(Listing::read([&b"P|%0|$0|"[..]]).is_err());
    let json = row::<WindowRow>("W|", &[("window_layout", r#"{"sx":80}"#)]);
    let tree = fresh(&[session(0, "a"), json]);
    assert_eq!(
        tree.window(WindowId(0)).unwrap().layout,
        b"",
        "JSON is no layout"
    );
}

#[test]
fn a_notification_is_taken_once_and_of_what_is_known() {
    let rows = [
        session(0, "a"),
        window(0, 0, "w"),
        pane(0, 0, 0),
        client("c", 0),
    ];
    let mut tree = fresh(&rows);
    for (line, count) in [
        ("%session-renamed $0 b", 2),
        ("%window-renamed @0 x", 2),
        ("%unlinked-window-renamed @0 y", 2),
        ("%layout-change @0 aaaa,70x24,0,0,0 aaaa,70x24,0,0,0 *Z", 1),
        ("%client-session-changed c $4 d", 1),
        ("%client-detached c", 1),
    ] {
        let notification = Notification::parse(line.as_bytes());
        let noticed = tree.notice(&notification);
        assert!(
            noticed.changes.len() == count && noticed.stale,
            "{line}: {noticed:?}"
        );
        assert_eq!(tree.notice(&notification).changes, [], "{line} again");
    }
    let known = tree.clone();
    for line in [
        "%session-renamed $8 b",
        "%window-renamed @8 x",
        "%layout-change @8 aaaa,70x24,0,0,0 aaaa,70x24,0,0,0 *",
        "%window-pane-changed @0 %8",
        "%session-window-changed $0 @8",
        "%client-detached nobody",
        "%sessions-changed",
        "%window-add @8",
    ] {
        let noticed = tree.notice(&Notification::parse(line.as_bytes()));
        assert!(
            noticed.changes.is_empty() && noticed.stale,
            "{line}: {noticed:?}"
        );
    }
    let output = tree.notice(&Notification::parse(b"%output %0 x"));
    assert!(!output.stale);
    assert_eq!(tree, known);
}

/// Any rows: of what there is no session or window, too.
fn rows() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let name = || prop::sample::select(&["a", "b", "two words", "|\\"][..]);
    let id = || 0..3_u32;
    let title = name();
    let one = prop_oneof![
        (id(), name()).prop_map(|(id, name)| session(id, name)),
        (id(), id(), name()).prop_map(|(session, id, name)| window(session, id, name)),
        (id(), id(), 0..6_u32, title).prop_map(|(s, w, id, title)| pane_of(
            s,
            w,
            id,
            Shown { title, ..SHOWN }
        )),
        (name(), id()).prop_map(|(name, session)| client(name, session)),
    ];
    prop::collection::vec(one, 0..14)
}

fn notification() -> impl Strategy<Value = String> {
    let id = || 0..4_u32;
    prop_oneof![
        id().prop_map(|id| format!("%session-renamed ${id} x")),
        id().prop_map(|id| format!("%window-renamed @{id} y")),
        id().prop_map(|id| format!("%layout-change @{id} aaaa,9x9,0,0,0 aaaa,9x9,0,0,0 *Z")),
        (id(), id()).prop_map(|(s, w)| format!("%session-window-changed ${s} @{w}")),
        (id(), 0..6_u32).prop_map(|(w, p)| format!("%window-pane-changed @{w} %{p}")),
        (id(), id()).prop_map(|(a, s)| format!("%client-session-changed {a} ${s} z")),
        Just("%client-detached a".to_owned()),
        Just("%sessions-changed".to_owned()),
    ]
}

proptest! {
    /// Whatever was known and noticed, late, twice or wrongly: a listing makes it what is.
    #[test]
    fn a_listing_makes_it_a_fresh_one(
        steps in prop::collection::vec((rows(), prop::collection::vec(notification(), 0..6)), 1..6)
    ) {
        let mut tree = Tree::default();
        for (rows, noticed) in steps {
            let before = tree.clone();
            let changes = tree.apply(listing(&rows));
            prop_assert_eq!(&tree, &fresh(&rows));
            let same = tree.as_changes() == before.as_changes();
            prop_assert_eq!(changes.is_empty(), same, "{:?}", changes);
            for line in noticed {
                let before = tree.clone();
                let noticed = tree.notice(&Notification::parse(line.as_bytes()));
                prop_assert_eq!(noticed.changes.is_empty(), tree == before, "{}", line);
            }
        }
    }
}
