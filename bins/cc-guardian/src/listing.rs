//! How units are told of: `ls --json`, `why --json`.

use cc_kit::profile::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::instance::{Instance, Phase};

/// What an instance is in, and more of it.
pub(crate) fn state(it: &Instance) -> (&'static str, Option<String>) {
    let verdict = it.verdict();
    match &it.phase {
        Phase::Held(_) => (State::Held.name(), None),
        Phase::Absent => match verdict {
            Some(verdict) if verdict.state == State::Dead => {
                (State::Dead.name(), verdict.sub.clone())
            }
            _ => ("absent", None),
        },
        Phase::Waiting(_) => (State::Dead.name(), verdict.and_then(|v| v.sub.clone())),
        Phase::Queued => (State::Starting.name(), Some("waiting".to_owned())),
        Phase::Making => (State::Starting.name(), None),
        Phase::Running(_) if it.profile.is_none() => {
            (State::Unknown.name(), Some("no-profile".to_owned()))
        }
        Phase::Running(_) if it.vigil.state().is_some() => {
            let state = it.vigil.state().unwrap_or(State::Hung);
            let sub = match state {
                State::Unknown => Some("unseen".to_owned()),
                _ => verdict.and_then(|v| v.sub.clone()),
            };
            (state.name(), sub)
        }
        Phase::Ending(..) => (State::Dead.name(), None),
        // Its last state is no promise: who took it for idle would give it work that goes with it.
        Phase::Stopping(..) => (State::Unknown.name(), Some("stopping".to_owned())),
        Phase::Running(_) => match verdict {
            Some(verdict) => (verdict.state.name(), verdict.sub.clone()),
            None => (State::Unknown.name(), None),
        },
    }
}

/// One instance, as `ls --json` has it.
pub(crate) fn unit(it: &Instance, socket: &str) -> Value {
    let (state, sub) = state(it);
    let stopping = matches!(it.phase, Phase::Stopping(..));
    let verdict = it.verdict().filter(|_| !stopping);
    let run = it.run();
    let question = verdict.and_then(|v| v.dialog.as_ref()).map(|dialog| {
        json!({
            "text": dialog.question,
            "choices": dialog.choices,
            "hash": format!("{:016x}", dialog.hash),
        })
    });
    let held = match &it.phase {
        Phase::Held(why) => Some(why),
        _ => None,
    };
    json!({
        "unit": it.name,
        "state": state,
        "sub": sub,
        "since": verdict.and_then(|v| wall(v.since.wall_ns)),
        "pane": run.map(|run| run.pane.to_string()),
        "pid": run.and_then(|run| run.pid),
        "restarts": it.restarts,
        "profile": it.unit.profile,
        "socket": socket,
        "evidence": verdict.map_or(&[][..], |v| &v.evidence),
        "confidence": verdict.map(|v| (f64::from(v.confidence) * 100.0).round() / 100.0),
        "labels": it.unit.labels,
        "account": it.unit.account,
        "reset": null,
        "last_line": it.last_line,
        "cpu": it.usage.map(|(share, _)| (share * 1000.0).round() / 1000.0),
        "memory": it.usage.map(|(_, bytes)| bytes),
        "question": question,
        "held": held,
        "waits": it.waits,
        "pending": it.pending,
        "changed": it.changed,
        "declared": it.declared,
        "adopted": it.foreign.is_some(),
        "draft": verdict.and_then(|v| v.draft.as_ref()),
        "session": it.session,
    })
}

pub(crate) fn wall(nanoseconds: i64) -> Option<String> {
    Timestamp::from_nanosecond(nanoseconds.into())
        .ok()
        .map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{End, Run};
    use cc_kit::journal::Stamp;
    use cc_kit::profile::{Profiles, Reading};
    use cc_kit::verdict::Look;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;
    use tmux_cc::wire::{PaneId, SessionId};

    fn running() -> Instance {
        let command = ["sleep".to_owned()];
        let unit =
            crate::config::one_unit("w", None, 1, "/".as_ref(), &BTreeMap::new(), &command, &[]);
        let mut it = Instance::new("w@1".into(), Arc::new(unit.unwrap()), None, String::new());
        it.up(Duration::ZERO);
        let run = Run {
            number: "1".to_owned(),
            session: SessionId::parse(b"$0").unwrap(),
            pane: PaneId::parse(b"%0").unwrap(),
            process: None,
            pid: Some(7),
        };
        it.started(run, Duration::ZERO, Stamp::now());
        it
    }

    #[test]
    fn what_has_ended_is_dead_before_it_is_known_how() {
        let mut it = running();
        assert_eq!(state(&it).0, "unknown");
        it.gone(Duration::from_secs(1), End::Unknown);
        assert_eq!(state(&it), ("dead", None));
        assert_eq!(unit(&it, "/s")["state"], "dead");
    }

    #[test]
    fn what_is_being_stopped_is_not_idle_any_more() {
        for again in [false, true] {
            let mut it = running();
            let profiles = Profiles::builtin().into_all();
            it.profile = profiles.into_iter().next().map(Arc::new);
            let reading = Reading {
                state: State::Idle,
                confidence: 1.0,
                sub: None,
                evidence: Vec::new(),
                limit_text: None,
                go_on: None,
                draft: None,
                dialog: None,
            };
            for second in 0..10 {
                let mut at = Stamp::now();
                at.monotonic_ns += second * 1_000_000_000;
                let reading = reading.clone();
                it.looked(
                    Look {
                        reading,
                        quiet: true,
                    },
                    at,
                );
            }
            let before = unit(&it, "/s");
            assert_eq!(before["state"], "idle");
            let at = Duration::from_secs;
            it.vigil.missed(at(0), at(40));
            let unseen = state(&it);
            assert_eq!(unseen, ("unknown", Some("unseen".to_owned())));
            assert!(it.stop(again));
            let told = unit(&it, "/s");
            assert_eq!(
                (&told["state"], &told["sub"]),
                (&json!("unknown"), &json!("stopping"))
            );
            assert_eq!(told["pane"], "%0");
            assert_eq!(told["since"], Value::Null);
        }
    }
}
