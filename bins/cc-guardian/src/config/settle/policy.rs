//! How a unit is kept: waits, limits, stopping, memory, prompts.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Layers, required, whole};
use crate::config::mistake::{At, Mistakes, Place};
use crate::config::unit::{
    Backoff, Memory, MemoryScope, PromptAction, PromptKind, PromptRule, RestartAt, RestartEvery,
    StartLimit, Stop, StopMethod,
};
use crate::config::values::{OneOrMore, SpanText};
use crate::config::written;

/// The wait before a start.
pub(super) fn backoff(layers: Layers<'_, written::Backoff>, mistakes: &mut Mistakes) -> Backoff {
    let default = Backoff::default();
    let span = |at: Option<&At<SpanText>>, default| at.map_or(default, |at| at.value.0);
    let initial = span(layers.pick(|backoff| &backoff.initial), default.initial);
    let max = span(layers.pick(|backoff| &backoff.max), default.max);
    if initial > max {
        mistakes.add(
            layers.blame(|backoff| &backoff.initial, |backoff| &backoff.max),
            format!(
                "`initial` is {} and above `max`, which is {}",
                shown(initial),
                shown(max)
            ),
            "an `initial` that is not above `max`",
        );
    }
    let mut number = |at: Option<&At<f64>>, name, least, most: f64, right: &str| {
        if let Some(at) = at
            && !(least..=most).contains(&at.value)
        {
            mistakes.add(at.place, format!("`{name}` is {}", at.value), right);
        }
        at.map(|at| at.value)
    };
    let factor = layers.pick(|backoff| &backoff.factor);
    let jitter = layers.pick(|backoff| &backoff.jitter);
    Backoff {
        initial,
        factor: number(factor, "factor", 1.0, f64::MAX, "a number of at least 1")
            .unwrap_or(default.factor),
        max,
        jitter: number(jitter, "jitter", 0.0, 1.0, "a number from 0 to 1")
            .unwrap_or(default.jitter),
        reset_after: span(
            layers.pick(|backoff| &backoff.reset_after),
            default.reset_after,
        ),
    }
}

/// How many starts are too many.
pub(super) fn start_limit(
    layers: Layers<'_, written::StartLimit>,
    mistakes: &mut Mistakes,
) -> StartLimit {
    let default = StartLimit::default();
    let burst = layers.pick(|limit| &limit.burst);
    StartLimit {
        burst: whole("burst", burst, 1..=10_000, mistakes).unwrap_or(default.burst),
        interval: layers
            .value(|limit| &limit.interval, SpanText(default.interval))
            .0,
        action: layers.value(|limit| &limit.action, default.action),
    }
}

/// How it is stopped.
pub(super) fn stop(layers: Layers<'_, written::Stop>, mistakes: &mut Mistakes) -> Stop {
    let default = Stop::default();
    let method = layers.value(|stop| &stop.method, default.method);
    let keys: Vec<String> = layers.pick(|stop| &stop.keys).map_or_else(Vec::new, |at| {
        let OneOrMore(keys) = &at.value;
        for key in keys {
            if key.value.is_empty() || key.value.chars().any(char::is_control) {
                let what = format!("{:?} is no key", key.value);
                mistakes.add(key.place, what, "a key as tmux names it, such as \"C-c\"");
            }
        }
        keys.iter().map(|key| key.value.clone()).collect()
    });
    // What stands in the defaults may be for others.
    if let Some(own) = layers.own {
        let signal = own.signal.given().map(|at| at.place);
        let keys = own.keys.given().map(|at| at.place);
        for (name, place, wanted) in [
            ("signal", signal, StopMethod::Signal),
            ("keys", keys, StopMethod::Keys),
        ] {
            if let Some(place) = place.filter(|_| method != wanted) {
                mistakes.add(
                    place,
                    format!("`{name}` is of no use with method = {:?}", method.word()),
                    format!("method = {:?}", wanted.word()),
                );
            }
        }
    }
    if method == StopMethod::Keys && keys.is_empty() {
        mistakes.add(
            layers.blame(|stop| &stop.keys, |stop| &stop.method),
            "method = \"keys\" without `keys`",
            "keys as tmux names them, such as keys = [\"C-c\", \"C-d\"]",
        );
    }
    Stop {
        method,
        timeout: layers
            .value(|stop| &stop.timeout, SpanText(default.timeout))
            .0,
        signal: layers.value(|stop| &stop.signal, default.signal),
        keys,
    }
}

/// What memory it may use.
pub(super) fn memory(layers: Layers<'_, written::Memory>, mistakes: &mut Mistakes) -> Memory {
    let soft = layers.pick(|memory| &memory.soft).map(|at| at.value.0);
    let hard = layers.pick(|memory| &memory.hard).map(|at| at.value.0);
    if let (Some(soft), Some(hard)) = (soft, hard)
        && soft > hard
    {
        mistakes.add(
            layers.blame(|memory| &memory.soft, |memory| &memory.hard),
            format!("`soft` is {soft} bytes and above `hard`, which is {hard}"),
            "a `soft` that is not above `hard`",
        );
    }
    Memory {
        soft,
        hard,
        scope: layers.value(|memory| &memory.scope, MemoryScope::Tree),
    }
}

/// When it is started afresh. `place` is where that is asked for.
pub(super) fn restart_every(
    layers: Layers<'_, written::RestartEvery>,
    place: Place,
    mistakes: &mut Mistakes,
) -> Option<RestartEvery> {
    let asked = layers.own.or(layers.base)?;
    let age = layers.pick(|every| &every.age);
    if age.is_none() {
        required("age", &asked.age, place, "age = \"24h\"", mistakes);
    }
    Some(RestartEvery {
        age: age?.value.0,
        at: layers.value(|every| &every.at, RestartAt::Idle),
    })
}

/// What is done when it asks.
pub(super) fn prompts(
    rules: &[At<written::PromptRule>],
    mistakes: &mut Mistakes,
) -> Vec<PromptRule> {
    let mut kinds = BTreeSet::new();
    rules
        .iter()
        .filter_map(|rule| {
            let written = &rule.value;
            let kind = required(
                "kind",
                &written.kind,
                rule.place,
                "kind = \"permission\" or another",
                mistakes,
            );
            let action = required(
                "action",
                &written.action,
                rule.place,
                "action = \"alert\" or another",
                mistakes,
            );
            let (kind, action) = (kind?, action?);
            if !kinds.insert(kind.value) {
                let what = format!("a second rule for {:?}", kind.value.word());
                mistakes.add(kind.place, what, "one rule for each kind");
            }
            let answers = matches!(action.value, PromptAction::Accept | PromptAction::Refuse);
            if answers && !kind.value.is_yes_or_no() {
                mistakes.add(
                    action.place,
                    format!(
                        "{:?} cannot be answered by {:?}",
                        kind.value.word(),
                        action.value.word()
                    ),
                    "\"alert\" or \"ignore\"",
                );
            }
            let accepts_commands =
                kind.value == PromptKind::Permission && action.value == PromptAction::Accept;
            let allow = written.allow.given();
            if accepts_commands && allow.is_none_or(|allow| allow.value.is_empty()) {
                mistakes.add(
                    action.place,
                    "every permission would be accepted",
                    "what may be, such as allow = [\"cargo test*\"]",
                );
            }
            if let Some(allow) = allow.filter(|_| !accepts_commands) {
                mistakes.add(
                    allow.place,
                    "`allow` is of no use here",
                    "kind = \"permission\" with action = \"accept\"",
                );
            }
            let per_hour = written.per_hour.given();
            Some(PromptRule {
                kind: kind.value,
                action: action.value,
                allow: allow.map_or_else(Vec::new, |allow| {
                    allow.value.iter().map(|at| at.value.clone()).collect()
                }),
                per_hour: whole("per_hour", per_hour, 1..=10_000, mistakes).unwrap_or(10),
            })
        })
        .collect()
}

fn shown(span: Duration) -> String {
    humantime::format_duration(span).to_string()
}
