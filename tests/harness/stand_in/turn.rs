//! A turn: from a prompt to its answer, step by step.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;

use super::agent::Like;
use super::dialog::{self, Dialog};
use super::draft::Draft;
use super::machine::{Effect, End, Machine, Outcome};
use super::script::{Action, Order};

/// How long a prompt takes that no script speaks of.
const USUAL: Duration = Duration::from_millis(50);

/// How much of a prompt its usual answer repeats, in characters.
const REPEATED: usize = 40;

/// What an agent runs, or wants to, when nothing else is said.
const COMMAND: &str = "rm -rf target";

/// What is seen of a step while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Thinking,
    Tool,
    Streaming,
    /// The screen stands still, only the title moves.
    Quiet,
    Retrying,
}

/// The step that lasts.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) look: Look,
    pub(super) began: Duration,
    /// `None`: until told otherwise.
    until: Option<Duration>,
    /// The words of a busy row, the command of a tool.
    pub(super) words: String,
    lines: Option<Lines>,
}

/// The lines of an answer that are still to come.
#[derive(Clone, Debug)]
struct Lines {
    printed: u32,
    total: u32,
    every: Duration,
}

/// What has begun a turn.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) draft: Draft,
    /// The places in the transcript before it and behind it.
    pub(super) from: u64,
    pub(super) to: u64,
}

/// What happens between a prompt and the end of its answer.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) began: Duration,
    pub(super) step: Option<Step>,
    /// `None` for a turn that no prompt has begun.
    answer: Option<String>,
    steps: VecDeque<Action>,
    /// Whether the answer is on the screen already.
    said: bool,
    pub(super) asked: Option<Asked>,
}

impl Turn {
    fn new(steps: Vec<Action>, answer: Option<String>, now: Duration) -> Self {
        Self {
            began: now,
            step: None,
            answer,
            steps: steps.into(),
            said: false,
            asked: None,
        }
    }

    /// Nothing more comes of it.
    pub(super) fn drop_rest(&mut self) {
        self.step = None;
        self.steps.clear();
        self.answer = None;
    }

    /// When its step ends, or its next line comes.
    pub(super) fn wakes(&self) -> Option<Duration> {
        let step = self.step.as_ref()?;
        match &step.lines {
            Some(lines) => Some(step.began + lines.every * (lines.printed + 1)),
            None => step.until,
        }
    }
}

/// What an answer is when no script says more.
fn usual_answer(prompt: &[u8]) -> String {
    let text = String::from_utf8_lossy(prompt).replace(['\n', '\r'], " ");
    let first: String = text.chars().take(REPEATED).collect();
    format!("ok: {first}")
}

impl Machine {
    /// Begins the turn of a prompt.
    pub(super) fn begin(&mut self, prompt: &[u8], now: Duration) {
        let scripted = self.setup.script.next();
        if scripted.is_none() && self.setup.like == Like::Shell && self.begin_command(prompt, now) {
            return;
        }
        let usual = || vec![Action::Busy(Some(USUAL), String::new())];
        let ordered = || self.setup.obeys.then(|| Action::ordered(prompt)).flatten();
        let steps = scripted.or_else(ordered).unwrap_or_else(usual);
        self.begin_with(steps, Some(usual_answer(prompt)), now);
    }

    /// Begins a turn of these steps; `answer` is `None` where nobody has asked anything.
    pub(super) fn begin_with(&mut self, steps: Vec<Action>, answer: Option<String>, now: Duration) {
        self.outcome = Outcome::Seen;
        self.no_notice();
        self.turn = Some(Turn::new(steps, answer, now));
    }

    /// Does what the control socket asks for.
    pub(super) fn order(&mut self, order: Order, now: Duration, effects: &mut Vec<Effect>) {
        match order {
            Order::Idle => {
                self.dialog = None;
                if self.turn.is_some() {
                    self.finish(Outcome::Done, "", now, effects);
                }
                self.outcome = Outcome::Seen;
            }
            Order::Resume => self.hung = false,
            Order::State | Order::Await(_) => {}
            Order::Do(action) => match action {
                Action::Busy(..)
                | Action::Tool(..)
                | Action::Stream { .. }
                | Action::Quiet(_)
                | Action::Retry(..)
                | Action::Dialog(_)
                | Action::Limit(_)
                | Action::Error(_) => {
                    self.dialog = None;
                    if self.turn.is_none() {
                        self.begin_with(Vec::new(), None, now);
                    }
                    if let Some(turn) = &mut self.turn {
                        turn.step = None;
                        turn.steps = VecDeque::from([action]);
                    }
                }
                action => self.perform(action, now, effects),
            },
        }
    }

    /// Goes through the steps of the turn as far as `now` allows.
    pub(super) fn advance(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        while !self.hung && !self.ended && self.dialog.is_none() {
            let Some(turn) = &mut self.turn else { return };
            if turn.step.is_some() {
                if !self.step_is_over(now, effects) {
                    return;
                }
            } else if let Some(action) = turn.steps.pop_front() {
                self.perform(action, now, effects);
            } else {
                self.finish(Outcome::Done, "", now, effects);
            }
        }
    }

    fn step_is_over(&mut self, now: Duration, effects: &mut Vec<Effect>) -> bool {
        let Some(turn) = &mut self.turn else {
            return true;
        };
        let Some(step) = &mut turn.step else {
            return true;
        };
        let mut printed = Vec::new();
        let over = match &mut step.lines {
            Some(lines) => {
                while lines.printed < lines.total
                    && step.began + lines.every * (lines.printed + 1) <= now
                {
                    lines.printed += 1;
                    printed.push(lines.printed);
                }
                turn.said = true;
                lines.printed >= lines.total
            }
            None => step.until.is_some_and(|until| until <= now),
        };
        let look = step.look;
        if over {
            turn.step = None;
        }
        for number in printed {
            let text = format!("line {number} of the answer");
            self.say(&text, number == 1, effects);
        }
        if over && look == Look::Tool {
            self.say_tool_done(effects);
        }
        over
    }

    fn perform(&mut self, action: Action, now: Duration, effects: &mut Vec<Effect>) {
        match action {
            Action::Busy(time, words) => self.step(Look::Thinking, time, words, now),
            Action::Quiet(time) => self.step(Look::Quiet, time, String::new(), now),
            Action::Retry(time, words) => self.step(Look::Retrying, time, words, now),
            Action::Tool(time, mut words) => {
                if words.is_empty() {
                    COMMAND.clone_into(&mut words);
                }
                self.say_tool(&words, effects);
                self.step(Look::Tool, time, words, now);
            }
            Action::Stream { lines, every } => {
                self.step(Look::Streaming, None, String::new(), now);
                if let Some(step) = self.turn.as_mut().and_then(|turn| turn.step.as_mut()) {
                    step.lines = Some(Lines {
                        printed: 0,
                        total: lines,
                        every,
                    });
                }
            }
            Action::Dialog(kind) => self.ask(kind, COMMAND, now, effects),
            Action::Answer(text) => {
                if let Some(turn) = &mut self.turn {
                    turn.answer = Some(text);
                }
            }
            Action::Print(text) => {
                self.say(&text, true, effects);
                if let Some(turn) = &mut self.turn {
                    turn.said = true;
                }
            }
            Action::Raw(bytes) => effects.push(Effect::Write(bytes)),
            Action::Title(text) => self.title = Some(text).filter(|text| !text.is_empty()),
            Action::Topic(text) => self.topic = Some(text).filter(|text| !text.is_empty()),
            Action::Suggest(text) => self.suggestion = text,
            Action::Bell => effects.push(Effect::Write(vec![0x07])),
            Action::Limit(words) => self.finish(Outcome::Limited, &words, now, effects),
            Action::Error(words) => self.finish(Outcome::Errored, &words, now, effects),
            Action::Crash(crash) => self.end(End::Crash(crash), effects),
            Action::Exit => self.leave(0, effects),
            Action::Hang => self.hung = true,
            Action::Grow(bytes) => effects.push(Effect::Grow(bytes)),
            Action::Fork(time) => effects.push(Effect::Fork(time)),
        }
    }

    fn step(&mut self, look: Look, time: Option<Duration>, words: String, now: Duration) {
        if let Some(turn) = &mut self.turn {
            turn.step = Some(Step {
                look,
                began: now,
                until: time.map(|time| now + time),
                words,
                lines: None,
            });
        }
    }

    /// Opens a dialog; the turn, if there is one, waits for its answer.
    pub(super) fn ask(
        &mut self,
        kind: dialog::Kind,
        command: &str,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let (like, cwd) = (self.setup.like, &self.setup.cwd);
        self.dialog = Some(Dialog::open(kind, like, command, cwd));
        if kind == dialog::Kind::Permission {
            let more = json!({ "tool_name": "Bash", "tool_input": { "command": command } });
            effects.push(self.call("PermissionRequest", more));
            self.notice_blocked(now);
        }
        self.ask_in_shell(kind, effects);
    }

    /// Ends the turn, and begins that of the next prompt that waits, if any.
    pub(super) fn finish(
        &mut self,
        outcome: Outcome,
        words: &str,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn.take() else { return };
        self.dialog = None;
        self.outcome = outcome;
        self.looked = false;
        let answer = turn.answer.unwrap_or_default();
        if outcome == Outcome::Done && !turn.said && !answer.is_empty() {
            self.say(&answer, true, effects);
        }
        self.say_end(outcome, words, now.saturating_sub(turn.began), now, effects);
        match outcome {
            Outcome::Done => {
                let more = json!({ "stop_hook_active": false, "last_assistant_message": answer });
                effects.push(self.call("Stop", more));
            }
            Outcome::Limited => {
                effects.push(self.call("StopFailure", json!({ "error": "rate_limit" })));
            }
            Outcome::Errored => {
                effects.push(self.call("StopFailure", json!({ "error": "server_error" })));
            }
            Outcome::Seen | Outcome::Interrupted => {}
        }
        self.notice_idle(now);
        if let Some(next) = self.queue.pop_front() {
            self.submit_draft(next, true, now, effects);
        }
        self.run_typed_ahead(now, effects);
    }

    /// Breaks the turn off, as Escape does. What waited is submitted at once.
    pub(super) fn interrupt(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let untouched = self.queue.is_empty() && self.draft.is_empty();
        let asked = self.turn.as_mut().and_then(|turn| turn.asked.take());
        let takes_back = untouched && self.setup.like == Like::Claude;
        match asked {
            // Nothing has come of it yet: the prompt goes back into the box.
            Some(asked) if takes_back && self.transcript.mark() == asked.to => {
                self.transcript.cut(asked.from);
                self.turn = None;
                self.outcome = Outcome::Interrupted;
                self.draft = asked.draft;
                self.echo(now);
            }
            _ => self.finish(Outcome::Interrupted, "", now, effects),
        }
    }
}
