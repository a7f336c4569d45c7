//! Units whose own rules answer what they ask.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cc_kit::hook::Hook;
use cc_kit::profile::{Choice, Dialog, State};
use cc_kit::send::{Answered, Why};
use jiff::{SignedDuration, Timestamp};

use super::reply::words;
use super::{Daemon, Note};
use crate::config::{PromptAction, PromptKind};
use crate::instance::Instance;
use crate::policy::prompts::{Decision, decide, kind};

/// How long a dialog may be believed to stand there that has been seen to go.
const LATE: Duration = Duration::from_secs(3);
/// How what a rule did is recorded.
const BY_RULE: &str = "by rule for ";

/// What is being done about dialogs by rules.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// The command that a unit's hook told last, while it may ask for it.
    commands: HashMap<String, String>,
    /// The dialog of each unit that was decided about.
    decided: HashMap<String, (u64, Stage)>,
}

/// How far it is with a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is left to somebody.
    Left,
    /// It is being answered.
    Answering,
    /// It was answered at that time, and seen to go.
    Answered(Instant),
}

impl Stage {
    fn is_over(self) -> bool {
        match self {
            Self::Left => true,
            Self::Answering => false,
            Self::Answered(at) => at.elapsed() >= LATE,
        }
    }
}

impl Rules {
    /// A hook was heard.
    pub(super) fn heard(&mut self, unit: &str, hook: &Hook) {
        if let Some(command) = &hook.command {
            self.commands.insert(unit.to_owned(), command.clone());
            // It may be what was missing.
            self.decided
                .retain(|decided, (_, stage)| decided != unit || *stage != Stage::Left);
        } else if hook
            .claim
            .as_ref()
            .is_some_and(|(state, _)| *state != State::Blocked)
        {
            self.commands.remove(unit);
        }
    }

    /// Is nobody to be told of what it asks: a rule says so, or answers it right now?
    pub(super) fn is_quiet(&self, it: &Instance) -> bool {
        let verdict = it.verdict();
        let sub = verdict.and_then(|verdict| kind(verdict.sub.as_deref()?));
        let mut rules = it.unit.on_prompt.iter();
        let rule = rules.find(|rule| Some(rule.kind) == sub);
        let decided = self.decided.get(&it.name);
        decided.is_some_and(|(_, stage)| !stage.is_over())
            || rule.is_some_and(|rule| rule.action == PromptAction::Ignore)
    }
}

impl Daemon {
    /// Does what the rules of units say about what they ask.
    pub(super) fn step_prompts(&mut self) {
        let mut decisions = Vec::new();
        for it in self.instances.values() {
            if it.unit.on_prompt.is_empty() {
                continue;
            }
            let verdict = it.verdict().filter(|_| it.is_running());
            let asked = verdict.filter(|verdict| verdict.state == State::Blocked);
            let Some((asked, dialog)) =
                asked.and_then(|asked| Some((asked, asked.dialog.as_ref()?)))
            else {
                self.rules.decided.remove(&it.name);
                continue;
            };
            let known = self.rules.decided.get(&it.name);
            let done = known.is_some_and(|(hash, stage)| match stage {
                Stage::Left => *hash == dialog.hash,
                // What stands there then is asked anew.
                stage => !stage.is_over(),
            });
            if done {
                continue;
            }
            let command = self.rules.commands.get(&it.name).map(String::as_str);
            let sub = asked.sub.as_deref();
            let kind = sub.and_then(kind).map_or("other", PromptKind::word);
            let answered = self.answered_by_rule(&it.name, kind);
            let decision = decide(&it.unit.on_prompt, sub, dialog, command, answered);
            let stage = match decision {
                Decision::Answer(_) => Stage::Answering,
                _ => Stage::Left,
            };
            self.rules
                .decided
                .insert(it.name.clone(), (dialog.hash, stage));
            decisions.push((it.name.clone(), kind, dialog.clone(), decision));
        }
        for (name, kind, dialog, decision) in decisions {
            match decision {
                Decision::Alert | Decision::Ignore => {}
                Decision::May(why) => {
                    let words = format!("{BY_RULE}{kind}: not answered, {why}");
                    self.record(&name, "answer", Some(words));
                }
                Decision::Answer(choice) => self.answer_by_rule(name, kind, dialog, choice),
            }
        }
    }

    fn answer_by_rule(&mut self, name: String, kind: &'static str, dialog: Dialog, choice: Choice) {
        let hands = self.hands(&name);
        let notes = self.notes.clone();
        tokio::spawn(async move {
            let answered = match hands {
                Ok(hands) => {
                    let given = hands.alone(hands.give(dialog.hash, &choice)).await;
                    given.unwrap_or_else(Answered::Held)
                }
                Err(_) => Answered::Held(Why::Dead),
            };
            let words = format!("{BY_RULE}{kind}: {}", words(&dialog, &choice, &answered));
            let gone = answered == Answered::Answered;
            let _ = notes.send(Note::ByRule(name, gone, words));
        });
    }

    /// A rule has answered, or could not.
    pub(super) fn by_rule(&mut self, name: &str, gone: bool, words: String) {
        if let Some((_, stage)) = self.rules.decided.get_mut(name) {
            *stage = match gone {
                true => Stage::Answered(Instant::now()),
                false => Stage::Left,
            };
        }
        self.record(name, "answer", Some(words));
        self.look(name);
    }

    /// How often the rule for that has answered it within the last hour, as is recorded.
    fn answered_by_rule(&self, name: &str, kind: &str) -> u32 {
        let hour_ago = Timestamp::now()
            .checked_sub(SignedDuration::from_hours(1))
            .unwrap_or_default();
        let events = self.store.events(Some(name), 1000).unwrap_or_default();
        let events = events.iter().filter(|event| {
            let said = event.detail.as_deref().unwrap_or_default();
            event.kind == "answer"
                && event.at >= hour_ago
                && said
                    .strip_prefix(BY_RULE)
                    .and_then(|said| said.strip_prefix(kind)?.strip_prefix(": "))
                    .is_some_and(|came| !came.starts_with("not answered"))
        });
        u32::try_from(events.count()).unwrap_or(u32::MAX)
    }
}
