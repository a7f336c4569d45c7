//! Which rule wins, and how sure that is.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::compile::{Profile, Rule};
use super::condition::Hit;
use super::manners::{Hang, Keys, Resume, Sending};
use super::reading::{self, Dialog, Evidence, GoOn, Reading, Seen};
use super::region::Cut;
use super::sight::Sight;
use super::state::State;

/// A rule that is met.
struct Met<'a> {
    rule: &'a Rule,
    hits: Vec<Hit>,
}

impl Profile {
    /// How many rows of a screen stand above the box in which prompts are written; `None` where it is
    /// not there, or the profile knows none.
    #[must_use]
    pub fn above_box(&self, screen: &super::Screen) -> Option<usize> {
        let cut = Cut::new(Some(screen), &self.regions);
        cut.above(self.input.as_ref()?.region)
    }

    /// The program's name, as fixtures and configuration call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the profile itself.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The versions of the program that its cues were seen with.
    #[must_use]
    pub fn checked_with(&self) -> &[String] {
        &self.checked_with
    }

    /// Is a program of this `pane_current_command` the one?
    #[must_use]
    pub fn is_command(&self, command: &str) -> bool {
        self.commands.iter().any(|regex| regex.is_match(command))
    }

    /// What `pane_current_command` tells of a program that was started as `own`: nothing where that is
    /// a name which the profile does not know.
    #[must_use]
    pub fn command_told<'a>(&self, command: &'a str, own: Option<&str>) -> &'a str {
        if own == Some(command) && !self.is_command(command) {
            return "";
        }
        command
    }

    /// How a prompt is written.
    #[must_use]
    pub const fn sending(&self) -> &Sending {
        &self.sending
    }

    /// The keys that stop a turn, empty the box, end the program.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How an earlier session is taken up.
    #[must_use]
    pub const fn resume(&self) -> &Resume {
        &self.resume
    }

    /// When silence is too long.
    #[must_use]
    pub const fn hang(&self) -> Hang {
        self.hang
    }

    /// What the program is doing, as far as one sight shows.
    #[must_use]
    pub fn read(&self, sight: &Sight<'_>) -> Reading {
        let command = sight.command.trim();
        if !command.is_empty() && !self.any_command && !self.is_command(command) {
            // The program has left, or lent the terminal to another: what is on the screen may be old.
            return Reading {
                sub: Some("another-program".to_owned()),
                evidence: vec![Evidence::new("command", Seen::Command, command)],
                ..Reading::unknown()
            };
        }
        let cut = Cut::new(sight.screen, &self.regions);
        let met: Vec<Met<'_>> = self
            .rules
            .iter()
            .filter_map(|rule| Met::by(rule, sight, &cut))
            .collect();
        let draft = self.input.as_ref().and_then(|input| input.draft(&cut));
        let draft = draft.map(|draft| {
            let rows: Vec<String> = draft.lines().map(reading::said).collect();
            rows.join("\n")
        });
        let Some(winner) = winner(&met) else {
            return Reading {
                evidence: met.iter().flat_map(Met::evidence).collect(),
                draft,
                ..Reading::unknown()
            };
        };
        let rule = winner.rule;
        let drafted = rule.state == State::Idle && draft.is_some();
        let sub = if drafted {
            Some("draft".to_owned())
        } else {
            rule.sub.clone()
        };
        let dialog = rule.dialog.and_then(|at| self.dialogs.get(at)?.read(&cut));
        Reading {
            state: rule.state,
            sub,
            confidence: confidence(rule.state, &met),
            evidence: evidence(winner, &met),
            limit_text: (rule.state == State::Limited).then(|| winner.limit_text()),
            go_on: rule.go_on(dialog.as_ref()),
            draft,
            dialog,
        }
    }
}

impl Reading {
    pub(super) const fn unknown() -> Self {
        Self {
            state: State::Unknown,
            sub: None,
            confidence: 0.0,
            evidence: Vec::new(),
            limit_text: None,
            go_on: None,
            draft: None,
            dialog: None,
        }
    }
}

impl Rule {
    /// How it goes on, with what stands there.
    fn go_on(&self, dialog: Option<&Dialog>) -> Option<GoOn> {
        let go_on = self.go_on.as_ref()?;
        let choice = match &go_on.choice {
            Some(regex) => {
                let mut choices = dialog?.choices.iter();
                let choice = choices.find(|choice| regex.is_match(&choice.text))?;
                Some(choice.clone())
            }
            None => None,
        };
        let prompt = go_on.prompt.clone();
        Some(GoOn { choice, prompt })
    }
}

impl<'a> Met<'a> {
    fn by(rule: &'a Rule, sight: &Sight<'_>, cut: &Cut<'_>) -> Option<Self> {
        let mut hits = Vec::new();
        let met = rule.condition.met(sight, cut, &mut hits);
        met.then_some(Self { rule, hits })
    }

    /// The highest source it found something in.
    fn rank(&self) -> Option<Seen> {
        self.hits.iter().map(|hit| hit.seen).max()
    }

    /// Does `other` keep it from being said? See rule 2 of the module.
    fn falls_to(&self, other: &Self) -> bool {
        other.rank() > self.rank()
            && other.rule.state != self.rule.state
            && other.rule.care >= self.rule.care
    }

    fn evidence(&self) -> impl Iterator<Item = Evidence> + '_ {
        let of = |hit: &Hit| Evidence::new(&self.rule.id, hit.seen, &hit.text);
        self.hits.iter().map(of)
    }

    fn limit_text(&self) -> String {
        let caught = self.hits.iter().find_map(|hit| hit.limit.as_deref());
        let on_screen = self.hits.iter().find(|hit| hit.seen == Seen::Screen);
        let text = caught.or_else(|| Some(on_screen?.text.as_str()));
        reading::said(text.unwrap_or_default())
    }
}

fn winner<'m, 'a>(met: &'m [Met<'a>]) -> Option<&'m Met<'a>> {
    let deciding = || met.iter().filter(|met| !met.rule.hint);
    deciding()
        .filter(|one| !deciding().any(|other| one.falls_to(other)))
        .enumerate()
        .max_by_key(|(place, met)| {
            let state = met.rule.state;
            (
                state == State::Blocked,
                state != State::Idle,
                met.rule.priority,
                Reverse(*place),
            )
        })
        .map(|(_, met)| met)
}

/// See the module.
fn confidence(state: State, met: &[Met<'_>]) -> f32 {
    let sources = |of: &dyn Fn(State) -> bool| -> BTreeSet<Seen> {
        met.iter()
            .filter(|met| of(met.rule.state))
            .flat_map(|met| met.hits.iter().map(|hit| hit.seen))
            .collect()
    };
    let agree = sources(&|other| other == state);
    let object = sources(&|other| objects(other, state));
    let mut confidence = match agree.len() {
        0 => 0.0,
        1 => 0.6,
        2 => 0.85,
        _ => 0.95,
    };
    for _ in object.difference(&agree) {
        confidence *= 0.7;
    }
    confidence
}

/// Can a program not be both? One that rests may as well be blocked, limited or have failed.
fn objects(other: State, state: State) -> bool {
    let rests = matches!(other, State::Idle);
    other != state && (!rests || matches!(state, State::Busy | State::Starting))
}

fn evidence(winner: &Met<'_>, met: &[Met<'_>]) -> Vec<Evidence> {
    let others = |agree: bool| {
        met.iter().filter(move |met| {
            met.rule.id != winner.rule.id && (met.rule.state == winner.rule.state) == agree
        })
    };
    let mut all: Vec<Evidence> = Vec::new();
    let found = winner
        .evidence()
        .chain(others(true).flat_map(Met::evidence))
        .chain(others(false).flat_map(Met::evidence));
    for one in found {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
