//! Whom a name means: an instance, `w@1`, or all that there are of a unit, `w`.

use cc_kit::exit::Exit;
use serde_json::{Value, json};

use super::{Daemon, unknown};
use crate::pick::is_of;
use crate::request::Request;

impl Daemon {
    /// The instances that a name means, in the order of their names.
    pub(super) fn instances_of(&self, name: &str) -> Vec<String> {
        let names = self.instances.keys();
        names.filter(|it| is_of(it, name)).cloned().collect()
    }

    /// Makes a name that of the one instance it means. What means nobody stays: who looks for it says so.
    pub(super) fn name(&self, unit: &mut String) -> Result<(), Value> {
        let mut meant = self.instances_of(unit);
        if meant.len() > 1 {
            let error = format!("{unit:?} is {} instances", meant.len());
            let advice = format!("Name one: {}.", meant.join(", "));
            return Err(
                json!({"v": 1, "error": error, "advice": advice, "exit": Exit::Usage.code()}),
            );
        }
        if let Some(one) = meant.pop() {
            *unit = one;
        }
        Ok(())
    }

    /// Starts, stops or restarts whomever that means; what one of them refuses is the answer.
    pub(super) fn changed_each(&mut self, request: &Request) -> Value {
        let (Request::Start { unit }
        | Request::Stop { unit, .. }
        | Request::Restart { unit, .. }
        | Request::RestartAtIdle { unit }) = request
        else {
            return json!({"v": 1});
        };
        let meant = self.instances_of(unit);
        if meant.is_empty() {
            return unknown(unit);
        }
        let (mut refused, mut waits) = (None, serde_json::Map::new());
        for name in meant {
            let mut answer = match request {
                Request::Stop { now, .. } => {
                    self.stop(&name, false, *now);
                    continue;
                }
                Request::Restart { now, .. } => self.restart(&name, *now),
                Request::RestartAtIdle { .. } => self.restart_at_idle(&name),
                _ => self.start(&name),
            };
            if answer.get("error").is_some() {
                refused.get_or_insert(answer);
            } else if let Some(Value::Object(more)) = answer.get_mut("waits").map(Value::take) {
                waits.extend(more);
            }
        }
        refused.unwrap_or_else(|| json!({"v": 1, "waits": waits}))
    }

    fn restart(&mut self, name: &str, now: bool) -> Value {
        let can_start = self.instances.get(name).is_some_and(|it| it.can_start());
        if !can_start {
            return super::send::cannot_start(name);
        }
        if !self.stop(name, true, now) {
            return self.start(name);
        }
        json!({"v": 1})
    }
}
