//! What is started anew once it is idle.

use cc_kit::exit::Exit;
use serde_json::{Value, json};

use super::{Daemon, unknown};

impl Daemon {
    /// Somebody asks for it.
    pub(super) fn restart_at_idle(&mut self, name: &str) -> Value {
        let Some(it) = self.instances.get(name) else {
            return unknown(name);
        };
        if !it.can_start() {
            return super::send::cannot_start(name);
        }
        if it.profile.is_none() {
            let error = format!("{name} has no profile, so that nobody knows when it is idle");
            return json!({"v": 1, "error": error, "exit": Exit::Usage.code()});
        }
        if !it.is_running() {
            return self.start(name);
        }
        self.pend(name, "asked for".to_owned());
        self.restart_at_rest();
        json!({"v": 1})
    }

    /// It is started anew as soon as it is idle; `stop` takes that back.
    pub(super) fn pend(&mut self, name: &str, why: String) {
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        it.pending = Some(why.clone());
        self.record(name, "restart", Some(format!("once it is idle: {why}")));
    }

    /// Starts those anew that wait for being idle and are.
    pub(super) fn restart_at_rest(&mut self) {
        let its = self.instances.values();
        let its = its.filter(|it| it.is_at_rest() && !self.is_written_to(&it.name));
        let due: Vec<(String, String)> = its
            .filter_map(|it| Some((it.name.clone(), it.pending.clone()?)))
            .collect();
        for (name, why) in due {
            self.record(&name, "restart", Some(why));
            self.stop(&name, true, false);
        }
    }

    /// Is a prompt being sent to it?
    fn is_written_to(&self, name: &str) -> bool {
        let writer = self.writers.get(name);
        writer.is_some_and(|writer| writer.try_lock().is_err())
    }
}
