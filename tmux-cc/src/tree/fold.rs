//! Rows into a tree, and two trees into what differs.

use std::collections::BTreeMap;

use super::change::Change;
use super::listing::Listing;
use super::model::{Client, Death, Link, Pane, Place, Session, Tree, Window};
use crate::format::{ClientRow, PaneRow, SessionRow, WindowRow};
use crate::wire::{PaneId, SessionId, WindowId};

/// The tree that a listing tells of.
pub(super) fn fold(listing: Listing) -> Tree {
    let mut tree = Tree {
        server: listing.server,
        ..Tree::default()
    };
    for row in listing.sessions {
        tree.sessions.insert(row.id, session(row));
    }
    for row in listing.windows {
        if let Some(session) = tree.sessions.get_mut(&row.session) {
            session.windows.push((row.index, row.id));
            if row.active {
                session.active = Some(row.id);
            }
        }
        window(row, &mut tree.windows);
    }
    for row in listing.panes {
        if let Some(window) = tree.windows.get_mut(&row.window) {
            if row.active {
                window.active = Some(row.id);
            }
            if !window.panes.contains(&row.id) {
                window.panes.push(row.id);
            }
        }
        pane(row, &mut tree.panes);
    }
    for session in tree.sessions.values_mut() {
        session.windows.sort_unstable();
    }
    let indexes = &tree.panes;
    for window in tree.windows.values_mut() {
        window.links.sort_unstable();
        let index = |pane: &PaneId| indexes.get(pane).map(|pane| pane.index);
        window.panes.sort_by_key(index);
    }
    for pane in tree.panes.values_mut() {
        pane.places.sort_unstable();
    }
    tree.clients = listing
        .clients
        .into_iter()
        .map(|row| (row.name.clone(), client(row)))
        .collect();
    tree
}

fn session(row: SessionRow) -> Session {
    Session {
        id: row.id,
        name: row.name,
        attached: row.attached,
        group: row.group,
        destroy_unattached: row.destroy_unattached,
        windows: Vec::new(),
        active: None,
    }
}

fn window(row: WindowRow, windows: &mut BTreeMap<WindowId, Window>) {
    let window = windows.entry(row.id).or_insert_with(|| Window {
        id: row.id,
        name: row.name,
        width: row.width,
        height: row.height,
        layout: layout(row.layout),
        visible_layout: layout(row.visible_layout),
        zoomed: row.zoomed,
        panes: Vec::new(),
        active: None,
        links: Vec::new(),
    });
    window.links.push(Link {
        session: row.session,
        index: row.index,
    });
}

/// From 3.8 on tmux prints JSON here to who is no control client: then it is not known yet.
fn layout(printed: Vec<u8>) -> Vec<u8> {
    if printed.starts_with(b"{") {
        return Vec::new();
    }
    printed
}

fn pane(row: PaneRow, panes: &mut BTreeMap<PaneId, Pane>) {
    let place = Place {
        session: row.session,
        window: row.window,
        window_index: row.window_index,
        pane_index: row.pane_index,
        session_name: row.session_name,
        window_name: row.window_name,
    };
    let pane = panes.entry(row.id).or_insert_with(|| Pane {
        id: row.id,
        window: row.window,
        index: row.pane_index,
        active: row.active,
        death: row.dead.then_some(Death {
            status: row.dead_status,
            signal: row.dead_signal,
            time: row.dead_time,
        }),
        title: row.title,
        command: row.current_command,
        pid: row.pid,
        width: row.width,
        height: row.height,
        left: row.left,
        top: row.top,
        in_mode: row.in_mode,
        mode: row.mode,
        alternate: row.alternate_on,
        unit: row.unit.and_then(unit),
        places: Vec::new(),
    });
    pane.places.push(place);
}

fn client(row: ClientRow) -> Client {
    Client {
        name: row.name,
        pid: row.pid,
        session: row.session,
        control_mode: row.control_mode,
        flags: row.flags,
        width: row.width,
        height: row.height,
    }
}

/// A user option may hold anything: only a name is a unit.
fn unit(option: Vec<u8>) -> Option<String> {
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@.-".contains(byte);
    String::from_utf8(option)
        .ok()
        .filter(|name| !name.is_empty() && name.as_bytes().iter().all(of_name))
}

/// What of `new` differs from `old`.
pub(super) fn differences(old: &Tree, new: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    gone(&old.panes, &new.panes, Change::PaneGone, &mut changes);
    gone(&old.windows, &new.windows, Change::WindowGone, &mut changes);
    gone(
        &old.sessions,
        &new.sessions,
        Change::SessionGone,
        &mut changes,
    );
    gone(
        &old.clients,
        &new.clients,
        Change::ClientDetached,
        &mut changes,
    );
    for (id, new) in &new.sessions {
        session_differs(old.sessions.get(id), new, &mut changes);
    }
    for (id, new) in &new.windows {
        window_differs(old.windows.get(id), new, &mut changes);
    }
    for (id, new) in &new.panes {
        pane_differs(old.panes.get(id), new, &mut changes);
    }
    for (name, new) in &new.clients {
        client_differs(old.clients.get(name), new, &mut changes);
    }
    changes
}

fn gone<K: Ord, V: Clone>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    change: fn(V) -> Change,
    changes: &mut Vec<Change>,
) {
    let gone = old.iter().filter(|(id, _)| !new.contains_key(id));
    changes.extend(gone.map(|(_, what)| change(what.clone())));
}

pub(super) fn session_differs(old: Option<&Session>, new: &Session, changes: &mut Vec<Change>) {
    let Some(old) = old else {
        changes.push(Change::SessionAdded(new.clone()));
        return;
    };
    let mut say = |differs: bool, change: fn(Session) -> Change| {
        changes.extend(differs.then(|| change(new.clone())));
    };
    say(old.name != new.name, Change::SessionRenamed);
    say(old.windows != new.windows, Change::WindowsChanged);
    say(old.active != new.active, Change::WindowSelected);
    let rest = |it: &Session| (it.group.clone(), it.attached, it.destroy_unattached);
    say(rest(old) != rest(new), Change::SessionChanged);
}

pub(super) fn window_differs(old: Option<&Window>, new: &Window, changes: &mut Vec<Change>) {
    let Some(old) = old else {
        changes.push(Change::WindowAdded(new.clone()));
        return;
    };
    let mut say = |differs: bool, change: fn(Window) -> Change| {
        changes.extend(differs.then(|| change(new.clone())));
    };
    say(old.name != new.name, Change::WindowRenamed);
    say(old.links != new.links, Change::WindowMoved);
    let layout = (&old.layout, &old.visible_layout, old.zoomed, &old.panes)
        != (&new.layout, &new.visible_layout, new.zoomed, &new.panes);
    let size = (old.width, old.height) != (new.width, new.height);
    say(layout || size, Change::LayoutChanged);
    say(old.active != new.active, Change::PaneSelected);
}

pub(super) fn pane_differs(old: Option<&Pane>, new: &Pane, changes: &mut Vec<Change>) {
    let Some(old) = old else {
        changes.push(Change::PaneAdded(new.clone()));
        // Who waits for its end need not know whether anybody has seen it alive.
        if new.death.is_some() {
            changes.push(Change::PaneDied(new.clone()));
        }
        return;
    };
    let mut say = |differs: bool, change: fn(Pane) -> Change| {
        changes.extend(differs.then(|| change(new.clone())));
    };
    let place = (old.window, old.index, &old.places) != (new.window, new.index, &new.places);
    say(place, Change::PaneMoved);
    let death = old.death != new.death;
    say(death && new.death.is_some(), Change::PaneDied);
    say(death && new.death.is_none(), Change::PaneRespawned);
    say(old.title != new.title, Change::TitleChanged);
    say(old.command != new.command, Change::CommandChanged);
    say(
        (old.in_mode, &old.mode) != (new.in_mode, &new.mode),
        Change::ModeChanged,
    );
    let rest = |it: &Pane| {
        let shape = (it.left, it.top, it.width, it.height);
        (shape, it.active, it.alternate, it.pid, it.unit.clone())
    };
    say(rest(old) != rest(new), Change::PaneChanged);
}

pub(super) fn client_differs(old: Option<&Client>, new: &Client, changes: &mut Vec<Change>) {
    let Some(old) = old else {
        changes.push(Change::ClientAttached(new.clone()));
        return;
    };
    if old.session != new.session {
        changes.push(Change::ClientMoved(new.clone()));
    }
    let rest = |it: &Client| (it.pid, it.control_mode, it.width, it.height);
    if rest(old) != rest(new) || old.flags != new.flags {
        changes.push(Change::ClientChanged(new.clone()));
    }
}

/// The name of a session, at every place in it.
pub(super) fn rename_session(
    tree: &mut Tree,
    id: SessionId,
    name: &[u8],
    changes: &mut Vec<Change>,
) {
    let Some(session) = tree.sessions.get_mut(&id) else {
        return;
    };
    let old = session.clone();
    session.name = name.to_vec();
    session_differs(Some(&old), session, changes);
    rename_places(
        tree,
        changes,
        |place| (place.session == id).then_some(&mut place.session_name),
        name,
    );
}

/// The name of a window, at every place in it.
pub(super) fn rename_window(tree: &mut Tree, id: WindowId, name: &[u8], changes: &mut Vec<Change>) {
    let Some(window) = tree.windows.get_mut(&id) else {
        return;
    };
    let old = window.clone();
    window.name = name.to_vec();
    window_differs(Some(&old), window, changes);
    rename_places(
        tree,
        changes,
        |place| (place.window == id).then_some(&mut place.window_name),
        name,
    );
}

fn rename_places(
    tree: &mut Tree,
    changes: &mut Vec<Change>,
    mut which: impl FnMut(&mut Place) -> Option<&mut Vec<u8>>,
    name: &[u8],
) {
    for pane in tree.panes.values_mut() {
        let mut renamed = false;
        for place in &mut pane.places {
            if let Some(known) = which(place).filter(|known| known[..] != *name) {
                *known = name.to_vec();
                renamed = true;
            }
        }
        if renamed {
            changes.push(Change::PaneMoved(pane.clone()));
        }
    }
}
