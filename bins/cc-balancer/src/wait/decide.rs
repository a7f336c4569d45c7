//! When waiting is over, and with what.

use std::collections::BTreeMap;

use cc_kit::ask::word;
use cc_kit::exit::Exit;
use cc_kit::signals::Stop;
use serde_json::Value;

use crate::task::State;

/// When not to wait on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Where a task waits for a person.
    pub(crate) on_blocked: bool,
    /// Where its account is limited.
    pub(crate) no_wait: bool,
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All are over.
    Over,
    /// One waits for a person.
    Blocked,
    /// Its account is limited.
    Limited,
    /// Not in time.
    Timeout,
    /// Nobody took it in time.
    NoWorker,
    /// We are to stop.
    Stopped(Stop),
    /// Nobody reads what we print.
    Unread,
}

/// What is known of the tasks.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Has the balancer said that all are over?
    is_end: bool,
    tasks: BTreeMap<String, One>,
}

#[derive(Debug)]
struct One {
    /// `None`: it is forgotten.
    state: Option<State>,
    was_taken: bool,
    is_limited: bool,
    words: String,
}

impl Seen {
    /// Takes in what was told.
    pub(super) fn note(&mut self, line: &Value) {
        self.is_end |= line.get("end").is_some();
        let Some(task) = line.get("task") else { return };
        let Some(id) = word(task, "task") else { return };
        let state = task
            .get("state")
            .and_then(Value::as_str)
            .and_then(State::named);
        let why = word(task, "why").unwrap_or_default();
        let says_limited = |text: &str| text.contains("limited");
        let event = line.get("event");
        let is_returned = event
            .and_then(|event| event.get("kind"))
            .and_then(Value::as_str);
        let was_returned = is_returned == Some("returned")
            && event
                .and_then(|event| word(event, "detail"))
                .is_some_and(|detail| says_limited(&detail));
        let is_limited = state == Some(State::Queued) && (was_returned || says_limited(&why));
        let taken = task
            .get("attempt")
            .is_some_and(|attempt| !attempt.is_null());
        let at = task
            .get("attempt")
            .and_then(|attempt| attempt.get("worker"));
        let at = at.and_then(|worker| word(worker, "unit").or_else(|| word(worker, "pane")));
        let mut words = format!("{id} {}", word(task, "state").unwrap_or_default());
        if let Some(at) = at.filter(|_| state.is_some_and(State::is_under_way)) {
            words.push_str(&format!(" at {at}"));
        }
        if !why.is_empty() {
            words.push_str(&format!(": {why}"));
        }
        let one = One {
            state,
            was_taken: taken,
            is_limited,
            words,
        };
        self.tasks.insert(id, one);
    }

    /// Is it over?
    pub(super) fn ended(&self, rules: Rules) -> Option<Ended> {
        let waits = |one: &One| matches!(one.state, Some(State::Blocked | State::Held));
        if rules.on_blocked && self.tasks.values().any(waits) {
            return Some(Ended::Blocked);
        }
        if rules.no_wait && self.tasks.values().any(|one| one.is_limited) {
            return Some(Ended::Limited);
        }
        self.is_end.then_some(Ended::Over)
    }

    /// Was one of them never taken by anybody?
    pub(super) fn waits_for_worker(&self) -> bool {
        self.tasks.is_empty() || self.tasks.values().any(|one| !one.was_taken)
    }

    /// For somebody who looks.
    pub(super) fn in_words(&self) -> String {
        let open = |one: &&One| one.state.is_some_and(|state| !state.is_over());
        let words: Vec<&str> = self
            .tasks
            .values()
            .filter(open)
            .map(|one| one.words.as_str())
            .collect();
        words.join(", ")
    }
}

/// What a task as it is gives to whoever waits for it.
pub(super) fn exit(result: &Value) -> Exit {
    let state = result
        .get("state")
        .and_then(Value::as_str)
        .and_then(State::named);
    let is_uncertain = || word(result, "why").is_some_and(|why| why.starts_with("uncertain"));
    match state {
        Some(State::Done) => Exit::Success,
        Some(State::Held) if is_uncertain() => Exit::DeliveryUncertain,
        Some(State::Held | State::Blocked) => Exit::Blocked,
        None => Exit::Unknown,
        Some(_) => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NO_RULES: Rules = Rules {
        on_blocked: false,
        no_wait: false,
    };

    fn task(state: &str, why: &str) -> Value {
        json!({"task": {"task": "0a", "state": state, "why": why, "attempt": null}})
    }

    #[test]
    fn waiting_is_over_once_the_balancer_has_told_everything() {
        let mut seen = Seen::default();
        seen.note(&json!({"task": {"task": "0b", "state": "running"}}));
        assert_eq!(seen.ended(NO_RULES), None);
        seen.note(&json!({"event": {"kind": "lost"}, "task": {"task": "0b", "state": "dead"}}));
        assert_eq!(seen.ended(NO_RULES), None, "there may be more to tell");
        seen.note(&json!({"v": 1, "end": true}));
        assert_eq!(seen.ended(NO_RULES), Some(Ended::Over));
    }

    #[test]
    fn what_waits_for_a_person_ends_it_only_where_that_is_asked() {
        for state in ["blocked", "held"] {
            let mut seen = Seen::default();
            seen.note(&task(state, ""));
            assert_eq!(seen.ended(NO_RULES), None);
            let rules = Rules {
                on_blocked: true,
                ..NO_RULES
            };
            assert_eq!(seen.ended(rules), Some(Ended::Blocked));
        }
    }

    #[test]
    fn a_limit_ends_it_only_where_that_is_asked() {
        let mut seen = Seen::default();
        seen.note(&task("queued", ""));
        let rules = Rules {
            no_wait: true,
            ..NO_RULES
        };
        assert_eq!(seen.ended(rules), None);
        let returned = json!({
            "event": {"kind": "returned", "detail": "limited until noon"},
            "task": {"task": "0a", "state": "queued"},
        });
        seen.note(&returned);
        assert_eq!(seen.ended(rules), Some(Ended::Limited));
        assert_eq!(seen.ended(NO_RULES), None);
    }

    #[test]
    fn a_task_that_was_taken_once_waits_for_no_worker() {
        let mut seen = Seen::default();
        assert!(seen.waits_for_worker());
        seen.note(&task("queued", ""));
        assert!(seen.waits_for_worker());
        let taken = json!({"event": {"kind": "leased"}, "task": {
            "task": "0a", "state": "leased", "attempt": {"worker": {"unit": null, "pane": "%3"}},
        }});
        seen.note(&taken);
        assert!(!seen.waits_for_worker());
        assert_eq!(seen.in_words(), "0a leased at %3");
    }

    #[test]
    fn exit_codes_are_those_that_are_documented() {
        for (state, why, code) in [
            ("done", "", 0),
            ("failed", "exit 3", 1),
            ("cancelled", "", 1),
            ("dead", "lost", 1),
            ("running", "", 1),
            ("blocked", "permission", 3),
            ("held", "by hand", 3),
            ("held", "uncertain: no echo", 8),
            ("removed", "", 4),
        ] {
            let result = json!({"state": state, "why": why});
            assert_eq!(exit(&result).code(), code, "{state}");
        }
    }
}
