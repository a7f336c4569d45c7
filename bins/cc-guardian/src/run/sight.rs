//! What is seen of instances.

use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::Exit;
use cc_kit::hook::Hook;
use cc_kit::journal::Stamp;
use cc_kit::pane::{PaneError, Sighting};
use cc_kit::process::{Identity, Snapshot};
use cc_kit::profile::{self, Sight, State};
use cc_kit::verdict::Look;
use serde_json::{Value, json};
use tmux_cc::client::{ClientError, ServerChange};
use tmux_cc::tree::Change;
use tmux_cc::wire::PaneId;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::{Daemon, Note, SOON, UNTOLD, server_of, unknown};
use crate::instance::{End, Phase};

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(10);

impl Daemon {
    pub(super) fn changed_on(&mut self, server: &str, change: ServerChange) {
        match change {
            ServerChange::Up(identity) => {
                if let Some(group) = self.groups.get_mut(server) {
                    let pid = i32::try_from(identity.pid).ok();
                    group.process = pid.and_then(|pid| Identity::of(pid).ok().flatten());
                }
            }
            ServerChange::Down { .. } => {
                let lost: Vec<String> = self
                    .instances
                    .values()
                    .filter(|it| server_of(&self.settings, it) == server)
                    .filter(|it| matches!(it.phase, Phase::Running(_) | Phase::Ending(..)))
                    .map(|it| it.name.clone())
                    .collect();
                for name in lost {
                    self.ended(&name, End::ServerLost);
                }
            }
            ServerChange::Tree(Change::PaneDied(pane)) => {
                let Some(name) = self.instance_of(server, pane.id) else {
                    return;
                };
                let end = self
                    .groups
                    .get(server)
                    .and_then(|group| group.death(pane.id));
                let it = self.instances.get(&name);
                if it.is_some_and(|it| matches!(it.phase, Phase::Ending(..)))
                    && let Some(end) = end
                {
                    self.ended(&name, end);
                }
            }
            ServerChange::Tree(change) => {
                if let Some(pane) = change.pane()
                    && let Some(name) = self.instance_of(server, pane.id)
                {
                    self.look(&name);
                }
            }
            _ => {}
        }
    }

    /// Whose pane that is.
    pub(super) fn instance_of(&self, server: &str, pane: PaneId) -> Option<String> {
        self.instances
            .values()
            .find(|it| {
                it.run().is_some_and(|run| run.pane == pane)
                    && server_of(&self.settings, it) == server
            })
            .map(|it| it.name.clone())
    }

    /// Looks at it once more when nothing has come of it for as long as something may be untold.
    pub(super) fn look_later(&mut self, name: &str) {
        self.later.insert(name.to_owned(), Instant::now() + UNTOLD);
    }

    /// Who is to be looked at once more now.
    pub(super) fn take_later(&mut self) -> Vec<String> {
        let now = Instant::now();
        let due = self.later.extract_if(|_, at| *at <= now);
        due.map(|(name, _)| name).collect()
    }

    /// Looks at an instance; once more where somebody is looking already.
    pub(super) fn look(&mut self, name: &str) {
        let Some(it) = self.instances.get(name) else {
            return;
        };
        let (Phase::Running(run), Some(_)) = (&it.phase, &it.profile) else {
            return;
        };
        if let Some(again) = self.looking.get_mut(name) {
            *again = true;
            return;
        }
        let Some(pane) = self.pane_of(it) else {
            return;
        };
        let (notes, name, number) = (self.notes.clone(), name.to_owned(), run.number.clone());
        let began = self.now();
        self.looking.insert(name.clone(), false);
        tokio::spawn(async move {
            // tmux may stand still with all that is in it.
            let found = match timeout(LOOK, pane.look()).await {
                Ok(found) => found.map(Box::new),
                Err(_) => Err(ClientError::Deadline { deadline: LOOK }.into()),
            };
            if found.is_err() {
                // Nobody is attached to it yet, or what keeps us from it is still there.
                sleep(SOON).await;
            }
            let _ = notes.send(Note::Looked(name, number, began, found));
        });
    }

    pub(super) fn looked(
        &mut self,
        name: &str,
        run: &str,
        began: Duration,
        found: Result<Box<Sighting>, PaneError>,
    ) {
        let again = self.looking.remove(name).unwrap_or(false);
        let (now, stamp) = (self.now(), Stamp::now());
        let in_band = self.in_band(name, run);
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        if it.run().is_none_or(|current| current.number != run) {
            return;
        }
        let stood = it.vigil.state();
        let (found, again) = match found {
            Ok(found) => (found, again),
            Err(PaneError::NoAnswer(_)) => {
                it.vigil.missed(began, now);
                if it.vigil.state() != stood {
                    let was = it.verdict().map(|v| v.state.name().to_owned());
                    self.record_from(name, "state", None, was);
                }
                self.look(name);
                return;
            }
            Err(error) => {
                tracing::debug!(%error, name, "cannot be looked at");
                return;
            }
        };
        let before = it.verdict().map(|v| (v.state, v.sub.clone()));
        if let Some(profile) = &it.profile {
            let own = it.made.as_ref().and_then(|made| made.own.clone());
            let sight = Sight {
                screen: Some(&found.screen),
                title: &found.title,
                host: &self.host,
                command: profile.command_told(&found.command, own.as_deref()),
                in_band,
            };
            let reading = profile.read(&sight);
            let quiet = it.usage.is_none_or(|(share, _)| share < 0.01);
            let last = found
                .screen
                .rows
                .iter()
                .rev()
                .find(|row| !row.trim().is_empty());
            it.last_line = last
                .map(|row| cc_kit::printable::printable(row.trim().as_bytes()).to_string())
                .unwrap_or_default();
            it.looked(Look { reading, quiet }, stamp);
            it.vigil.screen(&found.screen.rows, now);
        }
        if stood == Some(State::Unknown) {
            let was = Some(State::Unknown.name().to_owned());
            self.record_from(name, "state", None, was);
        } else {
            self.told(name, before.as_ref());
        }
        if again {
            self.look(name);
        }
    }

    /// Says what its screen means just now.
    pub(super) fn explain(&self, unit: &str, reply: oneshot::Sender<Value>) {
        let refuse =
            |error: String, exit: Exit| json!({"v": 1, "error": error, "exit": exit.code()});
        let Some(it) = self.instances.get(unit) else {
            return drop(reply.send(unknown(unit)));
        };
        let Some(profile) = it.profile.clone() else {
            let error = format!("{unit} has no profile, so that nobody can read its screen");
            return drop(reply.send(refuse(error, Exit::Usage)));
        };
        let (Some(pane), Some(run)) = (self.pane_of(it), it.run()) else {
            let error = format!("{unit} does not run");
            return drop(reply.send(refuse(error, Exit::Failed)));
        };
        let in_band = self.in_band(unit, &run.number);
        let own = it.made.as_ref().and_then(|made| made.own.clone());
        let host = Arc::clone(&self.host);
        tokio::spawn(async move {
            let answer = match pane.look().await {
                Ok(found) => {
                    let sight = Sight {
                        screen: Some(&found.screen),
                        title: &found.title,
                        host: &host,
                        command: profile.command_told(&found.command, own.as_deref()),
                        in_band,
                    };
                    profile::explain(&profile, &profile.read(&sight))
                }
                Err(error) => refuse(error.to_string(), Exit::Unreachable),
            };
            let _ = reply.send(answer);
        });
    }

    pub(super) fn sample(&self) {
        if self.instances.values().all(|it| it.run().is_none()) {
            return;
        }
        let notes = self.notes.clone();
        tokio::task::spawn_blocking(move || {
            if let Ok(snapshot) = Snapshot::take() {
                let _ = notes.send(Note::Sampled(Box::new(snapshot)));
            }
        });
    }

    pub(super) fn sampled(&mut self, snapshot: &Snapshot) {
        let now = self.now();
        for it in self.instances.values_mut() {
            let Some(process) = it.run().and_then(|run| run.process) else {
                continue;
            };
            let members = snapshot.tree(process);
            let usage = snapshot.usage(&members);
            let before = self.usage.get(&it.name);
            let share = before.and_then(|before| usage.share_since(before));
            if let Some(share) = share {
                it.usage = Some((share, usage.rss()));
            }
            it.vigil.used(share, snapshot.youngest(&members), now);
            self.usage.insert(it.name.clone(), usage);
        }
    }

    pub(super) fn hook(&mut self, unit: &str, token: &str, input: &Value) -> Value {
        let (now, stamp) = (self.now(), Stamp::now());
        let Some(it) = self.instances.get_mut(unit) else {
            return unknown(unit);
        };
        // Both are as long as each other, and neither tells where they differ.
        let differs = it
            .token
            .bytes()
            .zip(token.bytes())
            .fold(0, |all, (a, b)| all | (a ^ b));
        if differs != 0 || it.token.len() != token.len() || token.is_empty() {
            return json!({"v": 1, "error": "wrong token", "exit": Exit::NotAllowed.code()});
        }
        let text = input.to_string();
        let hook = match Hook::parse(text.as_bytes()) {
            Ok(hook) => hook,
            Err(error) => {
                return json!({"v": 1, "error": error.to_string(), "exit": Exit::Usage.code()});
            }
        };
        let before = it.verdict().map(|v| (v.state, v.sub.clone()));
        self.rules.heard(unit, &hook);
        it.hooked(&hook, stamp);
        it.vigil.hooked(now);
        if let Some(prompt) = &hook.prompt {
            let _ = self.prompts.send((unit.to_owned(), prompt.clone()));
        }
        self.told(unit, before.as_ref());
        self.look(unit);
        // What the hook tells of may be drawn only then.
        self.look_later(unit);
        json!({"v": 1})
    }
}
