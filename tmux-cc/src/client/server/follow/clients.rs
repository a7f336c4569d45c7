//! Which clients a life needs, and who of them delivers which pane.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Delivery, Life};
use crate::client::server::screens;
use crate::client::server::shared::StreamId;
use crate::tree::{Pane, Tree};
use crate::wire::SessionId;

impl Life {
    /// Gives every session the clients it should have, and takes those that it should not.
    pub(super) fn keep_all(&mut self, tree: &Tree) {
        self.wanted_changed.mark_unchanged();
        let streams = self.context.shared.streams();
        self.streams
            .retain(|id, _| streams.iter().any(|stream| stream.id == *id));
        for stream in streams {
            if !self.streams.contains_key(&stream.id) {
                let stop = CancellationToken::new();
                let (shared, inbox) = (&self.context.shared, &stream.inbox);
                let stitching =
                    screens::ask_for_all(Arc::clone(shared), Arc::clone(inbox), stop.clone());
                self.keepers.spawn(stitching);
                self.streams.insert(stream.id, (stream, stop.drop_guard()));
            }
        }
        for session in self.sessions.values_mut() {
            if session.commands.is_none() && !session.row.destroy_unattached {
                let stop = CancellationToken::new();
                let keep = self.context.clone();
                self.keepers
                    .spawn(keep.keep(session.row.clone(), None, stop.clone()));
                session.commands = Some(stop);
            }
        }
        let needed = self.needed(tree);
        for (id, session) in &mut self.sessions {
            session.outputs.retain(|stream, delivery| {
                let stays = needed.contains(&(*stream, *id));
                if !stays {
                    delivery.stop.cancel();
                }
                stays
            });
        }
        for (id, session) in needed {
            let (Some(session), Some((stream, _))) =
                (self.sessions.get_mut(&session), self.streams.get(&id))
            else {
                continue;
            };
            session.outputs.entry(id).or_insert_with(|| {
                let stop = CancellationToken::new();
                let keep = self.context.clone();
                let row = session.row.clone();
                self.keepers
                    .spawn(keep.keep(row, Some(stream.clone()), stop.clone()));
                Delivery { stop, source: None }
            });
        }
    }

    /// Which sessions need a client for which stream: those that a stream asks for, else one for
    /// each pane.
    fn needed(&self, tree: &Tree) -> BTreeSet<(StreamId, SessionId)> {
        let mut needed = BTreeSet::new();
        for (id, (stream, _)) in &self.streams {
            let followed = |session: &&SessionId| {
                let session = self.sessions.get(session);
                session.is_some_and(|session| session.commands.is_some())
            };
            let all = self.sessions.keys().filter(followed);
            let all = all.filter(|session| stream.filter.wants_session(**session) == Some(true));
            needed.extend(all.map(|session| (*id, *session)));
            for pane in tree.panes().filter(|pane| stream.filter.wants(pane)) {
                let places = pane.places.iter().map(|place| &place.session);
                let can: Vec<_> = places
                    .filter(followed)
                    .filter(|session| stream.filter.wants_session(**session).is_none())
                    .collect();
                // Who delivers it goes on doing so.
                let does = |session: &&&SessionId| {
                    let session = self.sessions.get(session);
                    session.is_some_and(|session| session.outputs.contains_key(id))
                };
                let session = can.iter().find(does).or_else(|| can.first());
                needed.extend(session.map(|session| (*id, **session)));
            }
        }
        needed
    }

    /// Says for each pane which session's client delivers it: the first that shows it.
    pub(super) fn assign(&self, tree: &Tree) {
        for (id, (stream, _)) in &self.streams {
            for pane in tree.panes() {
                let deliveries = pane.places.iter().filter_map(|place| {
                    let session = self.sessions.get(&place.session)?;
                    session.outputs.get(id)
                });
                let sources: Vec<_> = deliveries.clone().filter_map(|d| d.source).collect();
                // A client delivers from the moment it is attached, and is known a little later.
                let awaited = deliveries
                    .into_iter()
                    .any(|delivery| delivery.source.is_none());
                let wanted = stream.filter.wants(pane);
                if wanted && sources.is_empty() && awaited {
                    let sessions = pane.places.iter().map(|place| place.session);
                    stream.inbox.unheard(pane.id, &Vec::from_iter(sessions));
                    continue;
                }
                stream.inbox.assign(pane.id, &sources, wanted);
            }
        }
    }

    /// Windows that are there, and have left a session since the last listing: each may be back in
    /// it before any listing shows that it was away.
    pub(super) fn take_away_left(&mut self, tree: &Tree) {
        let left = std::mem::take(&mut self.left);
        if left.is_empty() {
            return;
        }
        for (session, window) in left {
            let Some(session) = self.sessions.get(&session) else {
                continue;
            };
            let in_window = |pane: &&Pane| pane.places.iter().any(|place| place.window == window);
            for (id, delivery) in &session.outputs {
                let (Some((stream, _)), Some(source)) = (self.streams.get(id), delivery.source)
                else {
                    continue;
                };
                for pane in tree.panes().filter(in_window) {
                    stream.inbox.left(pane.id, source);
                }
            }
        }
    }
}
