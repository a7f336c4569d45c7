//! Whose turn it is to be started: who comes after others waits until they are ready, and instances of
//! one unit are started one after the other.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Daemon;
use crate::config::{Ready, Unit};
use crate::instance::Phase;
use crate::policy::throttle::{Rules, Waiting, Why};

impl Daemon {
    /// Starts those that wait for their turn and have it now.
    pub(super) fn take_turns(&mut self) {
        let queued = self.queued();
        if queued.is_empty() {
            return;
        }
        let now = self.now();
        for unit in queued.chunk_by(|a, b| a.unit == b.unit) {
            let mut ready = HashSet::new();
            let mut waiting = Vec::new();
            for one in unit {
                let after: Vec<String> = one.needs.iter().map(|(what, _)| what.clone()).collect();
                let met = one.needs.iter().filter(|(_, met)| *met);
                ready.extend(met.map(|(what, _)| what.clone()));
                waiting.push((one, after));
            }
            let mut waiting: Vec<Waiting<'_>> = waiting
                .iter()
                .map(|(one, after)| Waiting {
                    unit: &one.name,
                    after,
                })
                .collect();
            let Some(first) = unit.first() else {
                continue;
            };
            let throttle = self.throttles.entry(first.unit.clone()).or_default();
            let started = throttle.next(&first.rules, &waiting, 0, &ready, now);
            waiting.retain(|one| !started.iter().any(|name| name == one.unit));
            let whys: Vec<(String, String, bool)> = waiting
                .iter()
                .filter_map(|one| {
                    let why = throttle.why(&first.rules, *one, 0, &ready, now)?;
                    let news = matches!(why, Why::Needs(_));
                    Some((one.unit.to_owned(), why.to_string(), news))
                })
                .collect();
            for name in started {
                self.launch(&name);
            }
            for (name, why, news) in whys {
                self.waits(&name, why, news);
            }
        }
    }

    /// It is known from now on that it waits for that.
    fn waits(&mut self, name: &str, why: String, news: bool) {
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        if it.waits.as_ref() == Some(&why) {
            return;
        }
        it.waits = Some(why.clone());
        if news {
            self.record(name, "wait", Some(why));
        }
    }

    /// What each of these waits for, where it waits for another one.
    pub(super) fn waiting(&self, names: &[String]) -> Value {
        let waits = names.iter().filter_map(|name| {
            let it = self.instances.get(name)?;
            let needs = self.needs(&it.unit);
            let is_held_up = it.phase == Phase::Queued && needs.iter().any(|(_, met)| !met);
            let why = it.waits.clone().filter(|_| is_held_up)?;
            Some((name.clone(), Value::from(why)))
        });
        Value::Object(waits.collect::<Map<_, _>>())
    }

    /// When somebody has their turn, if nothing happens until then.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        let now = self.now();
        let turns = self.queued().into_iter().filter_map(|one| {
            let throttle = self.throttles.get(&one.unit)?;
            throttle.next_wake(&one.rules, now)
        });
        turns.min().and_then(|at| self.began.checked_add(at))
    }

    /// Those that wait, unit by unit, and in the order of their numbers.
    fn queued(&self) -> Vec<Queued> {
        let waiting = self.instances.values();
        let waiting = waiting.filter(|it| it.phase == Phase::Queued);
        let mut queued: Vec<Queued> = waiting
            .map(|it| Queued {
                unit: it.unit.name.clone(),
                name: it.name.clone(),
                needs: self.needs(&it.unit),
                rules: rules(&it.unit),
            })
            .collect();
        queued.sort_by(|a, b| {
            let key = |one: &Queued| (one.unit.clone(), one.name.len(), one.name.clone());
            key(a).cmp(&key(b))
        });
        queued
    }

    /// What a unit comes after, and whether that is so already.
    fn needs(&self, unit: &Unit) -> Vec<(String, bool)> {
        let mut needs = Vec::new();
        for dependency in &unit.depends_on {
            let its = self.instances.values();
            for it in its.filter(|it| it.unit.name == dependency.unit) {
                let what = match dependency.ready {
                    Ready::Idle => format!("{} to be idle", it.name),
                    Ready::Running => format!("{} to run", it.name),
                };
                needs.push((what, it.is_ready(dependency.ready)));
            }
        }
        needs
    }
}

/// One that waits for its turn.
#[derive(Debug)]
struct Queued {
    unit: String,
    name: String,
    /// What it comes after, and whether that is so already.
    needs: Vec<(String, bool)>,
    rules: Rules,
}

fn rules(unit: &Unit) -> Rules {
    // The stagger stands between two instances: one that is alone comes back at once.
    let is_alone = unit.replicas == 1;
    Rules {
        max_running: None,
        start_stagger: if is_alone {
            Duration::ZERO
        } else {
            unit.start_stagger
        },
    }
}
