//! What is told of instances.

use cc_kit::profile::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Daemon, OWN};
use crate::instance::Instance;
use crate::listing;
use crate::store::Event;

/// Under which name it is stored what was told.
const ALERTS: &str = "alerts";

impl Daemon {
    /// Records it where a verdict has changed.
    pub(super) fn told(&self, name: &str, before: Option<&(State, Option<String>)>) {
        let Some(verdict) = self.instances.get(name).and_then(Instance::verdict) else {
            return;
        };
        if before.is_some_and(|(state, _)| *state == verdict.state) {
            return;
        }
        let was = before.map(|(state, _)| state.name().to_owned());
        self.record_from(name, "state", None, was);
    }

    /// Keeps what is to be remembered of an instance.
    pub(super) fn keep(&self, name: &str) {
        let Some(it) = self.instances.get(name) else {
            return;
        };
        if let Err(error) = self.store.set_instance(name, &it.kept()) {
            // What runs is guarded all the same.
            tracing::error!(%error, "what is wanted of a unit cannot be kept");
        }
    }

    pub(super) fn record(&self, name: &str, kind: &str, detail: Option<String>) {
        self.record_from(name, kind, detail, None);
    }

    pub(super) fn record_from(
        &self,
        name: &str,
        kind: &str,
        detail: Option<String>,
        was: Option<String>,
    ) {
        let Some(it) = self.instances.get(name) else {
            return;
        };
        let (state, sub) = listing::state(it);
        let verdict = it.verdict();
        let mut event = Event {
            id: 0,
            at: Timestamp::now(),
            unit: name.to_owned(),
            kind: kind.to_owned(),
            state: Some(state.to_owned()),
            sub,
            was,
            confidence: verdict.map(|v| (f64::from(v.confidence) * 100.0).round() / 100.0),
            evidence: serde_json::to_value(verdict.map(|v| &v.evidence)).unwrap_or_default(),
            detail,
        };
        let kept = self
            .store
            .add(&mut event)
            .and_then(|()| self.store.set_instance(name, &it.kept()))
            .and_then(|()| self.store.set_pending(name, it.pending.as_deref()));
        if let Err(error) = kept {
            // What runs is guarded all the same.
            tracing::error!(%error, "an event cannot be kept");
        }
        let _ = self.events.send(event);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Takes up what the guardian before this one told.
    pub(super) fn remember_alerts(&mut self) {
        if let Ok(Some(stored)) = self.store.kept(ALERTS) {
            self.alerts.remember(&stored);
        }
    }

    /// Stores what was told.
    pub(super) fn keep_alerts(&mut self) {
        let Some(memory) = self.alerts.memory() else {
            return;
        };
        if let Err(error) = self.store.keep(ALERTS, &memory) {
            tracing::error!(%error, "alerts cannot be kept");
        }
    }

    /// Something happened to the guardian itself.
    pub(super) fn record_own(&self, kind: &str, detail: String) {
        let mut event = Event {
            at: Timestamp::now(),
            unit: OWN.to_owned(),
            kind: kind.to_owned(),
            detail: Some(detail),
            ..Event::default()
        };
        if let Err(error) = self.store.add(&mut event) {
            tracing::error!(%error, "an event cannot be kept");
        }
        let _ = self.events.send(event);
        self.changed.send_modify(|count| *count += 1);
    }

    pub(super) fn listing(&self) -> Value {
        let units: Vec<Value> = self.instances.values().map(|it| self.shown(it)).collect();
        json!({"v": 1, "units": units})
    }
}
