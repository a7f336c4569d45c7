//! Who delivers which pane, where several clients could.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;

use super::pane::{Flow, Owner};
use super::state::State;
use super::{Inbox, Order, SourceId};
use crate::client::events::{Cause, Ending};
use crate::client::identity::Identity;
use crate::protocol::Exit;
use crate::wire::{PaneId, SessionId};

/// What only a server with several clients needs: who delivers which pane.
impl Inbox {
    /// From now on batches carry this identity.
    pub(in crate::client) fn set_server(&self, server: Arc<Identity>) {
        self.lock().server = Some(server);
    }

    /// Says who of `candidates` delivers a pane: who does already where it is among them, else the
    /// first; nobody where there is none, or where the pane is not `wanted`. All others pause it.
    pub(in crate::client) fn assign(&self, pane: PaneId, candidates: &[SourceId], wanted: bool) {
        let mut state = self.lock();
        let state = &mut *state;
        let candidates: Vec<_> = candidates
            .iter()
            .copied()
            .filter(|id| state.sources.contains_key(id))
            .collect();
        if !wanted && state.panes.contains_key(&pane) {
            state.take_away(pane);
            state.end(&[pane], &Ending::Moved);
        }
        let was = state
            .panes
            .get(&pane)
            .map_or(Owner::Unclaimed, |flow| flow.owner);
        let owner = match was {
            Owner::Source(owner) if candidates.contains(&owner) => Some(owner),
            _ => candidates.first().copied().filter(|_| wanted),
        };
        if was != owner.map_or(Owner::Nobody, Owner::Source) {
            state.take_away(pane);
            if let Some(owner) = owner {
                state.give(pane, owner);
                if self.budget.has_room(state.bytes) {
                    state.resume();
                }
            }
        }
        if owner.is_none() && was == Owner::Unclaimed {
            // It may come to where it is delivered, and has printed by then.
            state.elsewhere.insert(pane);
        }
        for id in candidates {
            if Some(id) != owner {
                state.keep_paused(id, pane);
            }
        }
    }

    /// A pane is in these sessions, and who will deliver it may not be attached yet: then it prints
    /// unheard.
    pub(in crate::client) fn unheard(&self, pane: PaneId, sessions: &[SessionId]) {
        let mut state = self.lock();
        // Whoever is attached hears it from its birth on, or knows that it was there before.
        let mut sources = state.sources.values();
        let heard = sources.any(|source| {
            let shows = source.session.is_some_and(|own| sessions.contains(&own));
            shows && source.watermark.is_some()
        });
        if !heard && !state.panes.contains_key(&pane) {
            state.elsewhere.insert(pane);
        }
    }

    /// A pane has left the session of a source, for a while at least.
    ///
    /// Where it comes back, tmux goes on with what it held for that client: bytes that another
    /// client has delivered since, or, where it had dropped some of them, a stream that stays so
    /// many bytes behind for good (`control.c`, `control_write_pending`, up to 3.8 at least). Only a
    /// pause makes it forget.
    pub(in crate::client) fn left(&self, pane: PaneId, source: SourceId) {
        let mut state = self.lock();
        if state.owner(pane) == Some(source) {
            state.take_away(pane);
        } else {
            state.keep_paused(source, pane);
        }
    }

    /// Panes have gone: their streams end once what their client still has on the way has come.
    pub(in crate::client) fn gone(&self, panes: &[PaneId]) {
        let mut state = self.lock();
        let state = &mut *state;
        let mut by_source: HashMap<SourceId, Vec<PaneId>> = HashMap::new();
        let mut now = Vec::new();
        for &pane in panes {
            state.elsewhere.remove(&pane);
            for source in state.sources.values_mut() {
                // What a source has still to confirm must not look like word of a new pane.
                if source.paused.get(&pane) == Some(&true) {
                    source.paused.remove(&pane);
                }
            }
            let Some(flow) = state.panes.get_mut(&pane) else {
                continue;
            };
            flow.ending = true;
            match flow.owner {
                Owner::Source(owner) => by_source.entry(owner).or_default().push(pane),
                _ => now.push(pane),
            }
        }
        for (owner, panes) in by_source {
            match state.sources.get_mut(&owner) {
                Some(source) => source.order(Order::Barrier(panes)),
                None => now.extend(panes),
            }
        }
        state.end(&now, &Ending::Pane);
    }

    /// Goes through the panes that a listing does not show: one that the listing before did not
    /// show either came and went in between, and has gone. Says whether another listing is wanted.
    pub(in crate::client) fn unlisted(&self, is_listed: impl Fn(PaneId) -> bool) -> bool {
        let (mut gone, mut again) = (Vec::new(), false);
        for (&pane, flow) in &mut self.lock().panes {
            if is_listed(pane) || flow.ending {
                flow.unlisted = false;
            } else if mem::replace(&mut flow.unlisted, true) {
                gone.push(pane);
            } else {
                again = true;
            }
        }
        gone.sort();
        self.gone(&gone);
        again
    }

    /// The server has gone, and every pane with it.
    pub(in crate::client) fn end_all(&self, exit: Exit) {
        let mut state = self.lock();
        let mut panes: Vec<_> = state.panes.keys().copied().collect();
        panes.sort();
        state.sources.clear();
        state.end(&panes, &Ending::Server(exit));
        state.waiting.clear();
        state.elsewhere.clear();
        state.server = None;
    }
}

impl State {
    /// Nobody delivers the pane any more, and who did pauses it: there is a gap from here on.
    pub(super) fn take_away(&mut self, pane: PaneId) {
        let Some(owner) = self.owner(pane) else {
            return;
        };
        self.release_held(pane);
        if let Some(flow) = self.panes.get_mut(&pane) {
            if let Some(source) = self.sources.get_mut(&owner) {
                source.paused.insert(pane, flow.flow == Flow::Paused);
                if matches!(flow.flow, Flow::Live | Flow::Resuming | Flow::Stitching) {
                    source.order(Order::Pause(pane));
                }
            }
            flow.owner = Owner::Nobody;
            flow.flow = Flow::Live;
            let items = Vec::from_iter(flow.break_off(pane, Cause::Moved));
            self.enqueue(Bytes::new(), items);
        }
    }

    /// A source delivers the pane from now on.
    ///
    /// What it has on its way may be older than what another has delivered, so it begins with a
    /// pause. It is continued only when that is confirmed: on its way out of tmux, output of a pane
    /// can overtake `%pause` and `%continue`, though not while it is paused (`control.c`,
    /// `control_write_callback`).
    pub(super) fn give(&mut self, pane: PaneId, owner: SourceId) {
        if !self.panes.contains_key(&pane) {
            let items = Vec::from_iter(self.first_sight(pane, owner));
            self.enqueue(Bytes::new(), items);
            let source = self.sources.get(&owner);
            if !source.is_some_and(|source| source.paused.contains_key(&pane)) {
                return;
            }
            // It had left the source before it printed anything, and is paused there.
        }
        let Some(flow) = self.panes.get_mut(&pane) else {
            return;
        };
        flow.owner = Owner::Source(owner);
        flow.flow = Flow::Pausing;
        let Some(source) = self.sources.get_mut(&owner) else {
            return;
        };
        match source.paused.remove(&pane) {
            None => source.order(Order::Pause(pane)),
            Some(false) => {}
            Some(true) => {
                flow.flow = Flow::Paused;
                self.waiting.push(pane);
            }
        }
    }

    /// A source that does not deliver the pane has it paused, once.
    pub(super) fn keep_paused(&mut self, source: SourceId, pane: PaneId) {
        if let Some(source) = self.sources.get_mut(&source)
            && !source.paused.contains_key(&pane)
        {
            source.paused.insert(pane, false);
            source.order(Order::Pause(pane));
        }
    }

    /// A source has delivered a pane that it should not: it is paused, once more where it was
    /// already, since somebody has continued it.
    pub(super) fn not_yours(&mut self, source: SourceId, pane: PaneId) {
        if let Some(found) = self.sources.get_mut(&source)
            && found.paused.get(&pane) == Some(&true)
        {
            found.paused.remove(&pane);
        }
        self.keep_paused(source, pane);
    }
}
