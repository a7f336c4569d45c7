//! Dead panes of which tmux does not know how their programs ended.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::until::until;
use crate::protocol::{Quirk, Quirks};
use crate::tree::{Pane, Tree};
use crate::wire::PaneId;

/// How long a server gets to find out by itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which of them are to be asked for: builds of tmux with utempter lose a child's end now and then,
/// and find all that they have lost when another child ends.
#[derive(Debug)]
pub(super) struct Mourning {
    loses: bool,
    /// When each is to be asked for; none once it has been.
    dead: BTreeMap<PaneId, Option<Instant>>,
}

impl Mourning {
    pub(super) fn new(quirks: Quirks) -> Self {
        Self {
            loses: quirks.has(Quirk::LostExitStatus),
            dead: BTreeMap::new(),
        }
    }

    /// Takes what the last listing shows.
    pub(super) fn listed(&mut self, tree: &Tree) {
        if !self.loses {
            return;
        }
        let unexplained = |pane: &&Pane| pane.death.as_ref().is_some_and(|death| !death.is_known());
        self.dead
            .retain(|id, _| tree.pane(*id).as_ref().is_some_and(unexplained));
        for pane in tree.panes().filter(unexplained) {
            let when = Some(Instant::now() + PATIENCE);
            self.dead.entry(pane.id).or_insert(when);
        }
    }

    /// Waits until one is to be asked for.
    pub(super) fn due(&self) -> impl Future<Output = ()> + use<> {
        until(self.dead.values().flatten().min().copied())
    }

    /// All of them are asked for now; once is enough.
    pub(super) fn asked(&mut self) {
        self.dead.values_mut().for_each(|when| *when = None);
    }
}
