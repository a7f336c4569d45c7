//! Sessions, panes and their places.

use std::collections::BTreeMap;

use crate::format::{PlaceRow, SessionRow};
use crate::wire::{PaneId, SessionId, WindowId};

/// Where a pane stands in one session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The session.
    pub session: SessionId,
    /// The window.
    pub window: WindowId,
    /// The window's index in the session.
    pub window_index: u32,
    /// The pane's index in the window.
    pub pane_index: u32,
    /// The session's name.
    pub session_name: Vec<u8>,
    /// The window's name.
    pub window_name: Vec<u8>,
}

/// A pane, at every place where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pane {
    /// Its id.
    pub id: PaneId,
    /// Has its program ended, and the pane been kept?
    pub dead: bool,
    /// The unit it belongs to, where `@cc_unit` says so by a name of letters, digits, `_`, `@`, `.`
    /// and `-`.
    pub unit: Option<String>,
    /// Its places, by session: more than one where its window is linked or its session grouped.
    pub places: Vec<Place>,
}

impl Pane {
    /// The first of its places, by session id.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.places.first()
    }

    /// Does it stand in that session?
    #[must_use]
    pub fn is_in(&self, session: SessionId) -> bool {
        self.places.iter().any(|place| place.session == session)
    }
}

/// What differs between two listings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A session came.
    SessionAdded(SessionRow),
    /// A session has another name, group or option.
    SessionChanged(SessionRow),
    /// A session went.
    SessionGone(SessionRow),
    /// A pane came.
    PaneAdded(Pane),
    /// A pane has another place, name, unit or is dead.
    PaneChanged(Pane),
    /// A pane went.
    PaneGone(Pane),
}

/// The sessions and panes of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    sessions: BTreeMap<SessionId, SessionRow>,
    panes: BTreeMap<PaneId, Pane>,
}

impl Tree {
    /// The sessions, by id.
    pub fn sessions(&self) -> impl Iterator<Item = &SessionRow> {
        self.sessions.values()
    }

    /// The panes, by id.
    pub fn panes(&self) -> impl Iterator<Item = &Pane> {
        self.panes.values()
    }

    /// One session.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&SessionRow> {
        self.sessions.get(&id)
    }

    /// One pane.
    #[must_use]
    pub fn pane(&self, id: PaneId) -> Option<&Pane> {
        self.panes.get(&id)
    }

    /// Takes a listing of everything in place of what was known, and says what differs: first what
    /// went, then what came and changed, each by id.
    pub fn apply(
        &mut self,
        sessions: impl IntoIterator<Item = SessionRow>,
        panes: impl IntoIterator<Item = PlaceRow>,
    ) -> Vec<Change> {
        let sessions = sessions.into_iter().map(|row| (row.id, row)).collect();
        let panes = fold(panes);
        let mut changes = Vec::new();
        let old_panes = std::mem::replace(&mut self.panes, panes);
        let old_sessions = std::mem::replace(&mut self.sessions, sessions);
        let gone = |pane: &&Pane| !self.panes.contains_key(&pane.id);
        changes.extend(
            old_panes
                .values()
                .filter(gone)
                .cloned()
                .map(Change::PaneGone),
        );
        let gone = |row: &&SessionRow| !self.sessions.contains_key(&row.id);
        changes.extend(
            old_sessions
                .values()
                .filter(gone)
                .cloned()
                .map(Change::SessionGone),
        );
        changes.extend(
            self.sessions
                .values()
                .filter_map(|row| match old_sessions.get(&row.id) {
                    None => Some(Change::SessionAdded(row.clone())),
                    Some(old) => is_other(old, row).then(|| Change::SessionChanged(row.clone())),
                }),
        );
        changes.extend(
            self.panes
                .values()
                .filter_map(|pane| match old_panes.get(&pane.id) {
                    None => Some(Change::PaneAdded(pane.clone())),
                    Some(old) => (old != pane).then(|| Change::PaneChanged(pane.clone())),
                }),
        );
        changes
    }
}

/// The rows of each pane as one.
fn fold(rows: impl IntoIterator<Item = PlaceRow>) -> BTreeMap<PaneId, Pane> {
    let mut panes = BTreeMap::new();
    for row in rows {
        let pane = panes.entry(row.id).or_insert_with(|| Pane {
            id: row.id,
            dead: row.dead,
            unit: row.unit.and_then(unit_of),
            places: Vec::new(),
        });
        pane.places.push(Place {
            session: row.session,
            window: row.window,
            window_index: row.window_index,
            pane_index: row.pane_index,
            session_name: row.session_name,
            window_name: row.window_name,
        });
    }
    for pane in panes.values_mut() {
        pane.places.sort();
    }
    panes
}

/// Is it another session to look at? Counts and times change all the time.
fn is_other(old: &SessionRow, new: &SessionRow) -> bool {
    (&old.name, &old.group, old.destroy_unattached)
        != (&new.name, &new.group, new.destroy_unattached)
}

/// A user option may hold anything: only a name is a unit.
fn unit_of(option: Vec<u8>) -> Option<String> {
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@.-".contains(byte);
    String::from_utf8(option)
        .ok()
        .filter(|name| !name.is_empty() && name.as_bytes().iter().all(of_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::rows;

    fn session(id: u32, name: &str) -> SessionRow {
        let printed = format!("${id}|{name}|0|1|0|0||0|");
        rows(printed.as_bytes()).unwrap().remove(0)
    }

    fn pane(id: u32, session: u32, window: u32) -> PlaceRow {
        let printed = format!("%{id}|${session}|@{window}|0|0|0||s{session}|w|");
        rows(printed.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn a_listing_says_what_differs_from_the_last() {
        let mut tree = Tree::default();
        let changes = tree.apply([session(0, "a")], [pane(0, 0, 0), pane(1, 0, 0)]);
        assert!(matches!(
            &changes[..],
            [
                Change::SessionAdded(_),
                Change::PaneAdded(_),
                Change::PaneAdded(_)
            ]
        ));
        assert_eq!(
            tree.apply([session(0, "a")], [pane(0, 0, 0), pane(1, 0, 0)]),
            []
        );
        let changes = tree.apply([session(0, "b"), session(1, "c")], [pane(1, 1, 2)]);
        assert!(matches!(
            &changes[..],
            [Change::PaneGone(gone), Change::SessionChanged(_), Change::SessionAdded(_),
             Change::PaneChanged(moved)] if gone.id == PaneId(0) && moved.is_in(SessionId(1))
        ));
        let changes = tree.apply([], []);
        assert!(matches!(
            &changes[..],
            [
                Change::PaneGone(_),
                Change::SessionGone(_),
                Change::SessionGone(_)
            ]
        ));
        assert_eq!(tree, Tree::default());
    }

    #[test]
    fn a_linked_pane_is_one_pane_at_two_places() {
        let mut tree = Tree::default();
        let rows = [pane(5, 2, 9), pane(5, 1, 9)];
        assert_eq!(
            tree.apply([session(1, "a"), session(2, "b")], rows).len(),
            3
        );
        let pane = tree.pane(PaneId(5)).unwrap();
        assert_eq!(pane.places.len(), 2);
        assert_eq!(pane.place().unwrap().session, SessionId(1));
    }

    #[test]
    fn a_session_that_is_only_used_is_no_other() {
        let mut tree = Tree::default();
        tree.apply([session(0, "a")], []);
        let used = SessionRow {
            attached: 7,
            ..session(0, "a")
        };
        assert_eq!(tree.apply([used], []), []);
        assert_eq!(tree.session(SessionId(0)).unwrap().attached, 7);
    }

    #[test]
    fn only_a_name_is_a_unit() {
        for (option, unit) in [
            (&b"coder@1"[..], Some("coder@1")),
            (b"a-b_c.D9", Some("a-b_c.D9")),
            (b"", None),
            (b"a b", None),
            (b"a\nb", None),
            ("é".as_bytes(), None),
            (b"\xff", None),
        ] {
            assert_eq!(unit_of(option.to_vec()).as_deref(), unit);
        }
    }
}
