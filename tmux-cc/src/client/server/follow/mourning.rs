//! Dead panes of which tmux does not know how their programs ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::until::until;
use crate::protocol::{Quirk, Quirks};
use crate::tree::{Pane, Tree};
use crate::wire::PaneId;

/// How long a server gets to find out by itself; twice as long each time behind that.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is asked of one: what became of the child that is to remind it can be lost as well.
const TRIES: u32 = 6;

/// Which of them are to be asked for: builds of tmux with utempter lose a child's end now and then,
/// and find all that they have lost when another child ends.
#[derive(Debug)]
pub(super) struct Mourning {
    loses: bool,
    dead: BTreeMap<PaneId, Asking>,
}

/// Of one.
#[derive(Debug)]
struct Asking {
    /// When it is to be asked for; `None`: not any more.
    when: Option<Instant>,
    tried: u32,
}

impl Asking {
    fn again(&mut self) {
        self.tried += 1;
        let pause = PATIENCE * 2_u32.saturating_pow(self.tried);
        self.when = (self.tried < TRIES).then(|| Instant::now() + pause);
    }
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
        let unexplained = tree.panes().filter(unexplained).map(|pane| pane.id);
        self.left(&unexplained.collect());
    }

    fn left(&mut self, unexplained: &BTreeSet<PaneId>) {
        self.dead.retain(|id, _| unexplained.contains(id));
        for id in unexplained {
            self.dead.entry(*id).or_insert_with(|| Asking {
                when: Some(Instant::now() + PATIENCE),
                tried: 0,
            });
        }
    }

    /// Waits until one is to be asked for.
    pub(super) fn due(&self) -> impl Future<Output = ()> + use<> {
        let all = self.dead.values().filter_map(|asking| asking.when);
        until(all.min())
    }

    /// All of them are asked for now.
    pub(super) fn asked(&mut self) {
        self.dead.values_mut().for_each(Asking::again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_not_known_is_asked_for_again_more_and_more_seldom() {
        let mut mourning = Mourning {
            loses: true,
            dead: BTreeMap::new(),
        };
        let both = BTreeSet::from([PaneId(1), PaneId(2)]);
        let began = Instant::now();
        mourning.left(&both);
        let mut asked = Vec::new();
        while tokio::time::timeout(Duration::from_secs(600), mourning.due())
            .await
            .is_ok()
        {
            asked.push(began.elapsed().as_secs());
            mourning.asked();
            mourning.left(&both);
        }
        assert_eq!(asked, [1, 3, 7, 15, 31, 63]);
        // Who is known is asked for no more, and another one from the beginning.
        let began = Instant::now();
        mourning.left(&BTreeSet::from([PaneId(3)]));
        mourning.due().await;
        assert_eq!(began.elapsed().as_secs(), 1);
    }
}
