//! What is done by itself, and when.

use std::time::Duration;

use cc_kit::journal::Stamp;
use tokio::time::Instant;

use super::{Daemon, server_of};
use crate::instance::{End, Phase};

impl Daemon {
    /// When something is to be done by itself.
    pub(super) fn wake(&self) -> Option<Instant> {
        let steady = Duration::from_nanos(Stamp::now().monotonic_ns);
        let now = Instant::now();
        let wakes = self.instances.values().filter_map(|it| {
            let wake = it.wake()?;
            Some(match it.phase {
                // Judges count on the clock of their stamps.
                Phase::Running(_) if self.looking.contains_key(&it.name) => return None,
                // It is looked at as soon as its server is followed.
                Phase::Running(_) if it.profile.is_some() && self.pane_of(it).is_none() => {
                    return None;
                }
                Phase::Running(_) => now + wake.saturating_sub(steady),
                _ => self.began + wake,
            })
        });
        let told = self.alerts.next_due();
        let told = told.map(|due| now + due.saturating_sub(steady));
        let vigils = self.instances.values().filter(|it| it.is_running());
        let vigils = vigils.filter_map(|it| it.vigil.due());
        let told = told
            .into_iter()
            .chain(vigils.filter_map(|due| self.began.checked_add(due)));
        let later = self.later.values().copied();
        let limits = self.limits_due();
        let turn = self.next_turn();
        let due = limits.into_iter().chain(turn);
        wakes.chain(later).chain(told).chain(due).min()
    }

    /// Does what is due.
    pub(super) fn due(&mut self) {
        let now = self.now();
        let stamp = Stamp::now();
        let steady = Duration::from_nanos(stamp.monotonic_ns);
        for name in self.take_later() {
            self.look(&name);
        }
        let names: Vec<String> = self.instances.keys().cloned().collect();
        for name in names {
            let Some(it) = self.instances.get_mut(&name) else {
                continue;
            };
            match &it.phase {
                Phase::Waiting(at) if *at <= now => {
                    it.due(now);
                }
                Phase::Ending(_, until, end) if *until <= now => {
                    let end = *end;
                    let server = server_of(&self.settings, it);
                    let lost = self.groups.get(server).is_some_and(|it| !it.is_alive());
                    self.ended(&name, if lost { End::ServerLost } else { end });
                }
                Phase::Running(_) if it.wake().is_some_and(|wake| wake <= steady) => {
                    if it.profile.is_some() {
                        self.look(&name);
                    } else if let Some(judge) = &mut it.judge {
                        judge.tick(stamp);
                    }
                }
                _ => {}
            }
        }
        self.restart_at_rest();
        self.take_turns();
    }
}
