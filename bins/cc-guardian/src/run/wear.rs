//! Instances that have grown large, or have run for long.

use std::time::Duration;

use cc_kit::journal::Stamp;
use cc_kit::process::{Process, Snapshot, memory};

use super::{Daemon, process};
use crate::config::{EventKind, RestartAt, Unit};
use crate::policy::wear::{Order, Rules};

impl Daemon {
    /// All processes were looked at: is anything to be done about what they use?
    pub(super) fn worn(&mut self, snapshot: &Snapshot) {
        let mut orders = Vec::new();
        for it in self.instances.values_mut().filter(|it| it.is_running()) {
            let rules = rules(&it.unit);
            let Some(process) = it.run().and_then(|run| run.process) else {
                continue;
            };
            if rules == Rules::default() {
                continue;
            }
            let members = snapshot.tree(process);
            let used = used(&rules, snapshot.usage(&members).rss(), &members);
            let order = it.wear.step(&rules, used, snapshot.age(process));
            orders.extend(order.map(|order| (it.name.clone(), order)));
        }
        for (name, order) in orders {
            self.wears(&name, order);
        }
    }

    fn wears(&mut self, name: &str, order: Order) {
        let Some(it) = self.instances.get(name) else {
            return;
        };
        let (limits, has_profile) = (it.unit.memory, it.profile.is_some());
        let at_once = it
            .unit
            .restart_every
            .is_some_and(|it| it.at == RestartAt::Any);
        let never = "and nobody knows when it is idle, since it has no profile: it goes on";
        match order {
            Order::Soft(bytes) => {
                let said = above("soft", limits.soft, bytes);
                let then = if has_profile {
                    "it is to be started anew"
                } else {
                    never
                };
                self.record(name, "memory", Some(format!("{said}, {then}")));
                self.tell_of_memory(name, &said);
                if has_profile {
                    self.pend(name, said);
                }
            }
            Order::Hard(bytes) => {
                let said = above("hard", limits.hard, bytes);
                self.record(name, "memory", Some(format!("{said}, it is ended")));
                self.tell_of_memory(name, &said);
                let mark = self.mark(name);
                tokio::spawn(async move {
                    if let Err(error) = process::reap(&mark, Duration::ZERO).await {
                        tracing::error!(%error, "a unit that is too large cannot be ended");
                    }
                });
            }
            Order::Old(age) => {
                let age = Duration::from_secs(age.as_secs());
                let said = format!("it has run for {}", humantime::format_duration(age));
                if at_once {
                    self.record(name, "restart", Some(said));
                    self.stop(name, true, false);
                } else if has_profile {
                    self.pend(name, said);
                } else {
                    self.record(name, "restart", Some(format!("{said}, {never}")));
                }
            }
        }
    }

    fn tell_of_memory(&mut self, name: &str, said: &str) {
        if let Some(it) = self.instances.get(name) {
            self.alerts.happened(it, EventKind::Oom, said, Stamp::now());
        }
    }
}

fn rules(unit: &Unit) -> Rules {
    Rules {
        soft: unit.memory.soft,
        hard: unit.memory.hard,
        age: unit.restart_every.map(|every| every.age),
    }
}

/// How much they use: near a limit, what they share counts once.
fn used(rules: &Rules, resident: u64, members: &[&Process]) -> u64 {
    if !rules.are_near(resident) {
        return resident;
    }
    memory(members).map_or(resident, |memory| memory.bytes)
}

fn above(which: &str, limit: Option<u64>, bytes: u64) -> String {
    let million = |bytes: u64| bytes / 1_000_000;
    let limit = million(limit.unwrap_or_default());
    format!(
        "it uses {} MB, above its {which} limit of {limit} MB",
        million(bytes)
    )
}
