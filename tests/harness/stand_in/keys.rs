//! What the keys do.

use std::time::Duration;

use serde_json::json;

use super::agent::Like;
use super::claude::MODES;
use super::dialog::{self, Then};
use super::draft::Draft;
use super::input::Input;
use super::machine::{Again, Effect, Machine, Outcome};
use super::record::Record;
use super::turn::Asked;

/// Codex takes an Enter that comes so soon behind typed text for a part of a paste.
const BURST: Duration = Duration::from_millis(20);

/// How long a key waits for its second time.
const AGAIN: Duration = Duration::from_secs(2);

impl Machine {
    /// Takes what was typed or pasted.
    pub(super) fn input(&mut self, input: Input, now: Duration, effects: &mut Vec<Effect>) {
        self.looked = true;
        if self.setup.like == Like::Shell {
            return self.shell_input(input, now, effects);
        }
        if self.dialog.is_some() {
            return self.dialog_input(input, now, effects);
        }
        if self.turn.is_some() {
            let typed = match &input {
                Input::Text(bytes) | Input::Paste(bytes) => Some(bytes.clone()),
                Input::Enter => Some(b"\r".to_vec()),
                Input::Newline => Some(b"\n".to_vec()),
                _ => None,
            };
            effects.extend(typed.map(|typed| Effect::Log(Record::Meanwhile(typed))));
        }
        match input {
            Input::Text(text) => {
                self.draft.push(&text);
                self.last_typed = Some(now);
                self.echo(now);
            }
            Input::Paste(bytes) => {
                let like = self.setup.like;
                self.draft.paste(bytes, like, &mut self.pastes);
                self.last_paste = Some(now);
                self.echo(now);
            }
            Input::Enter => self.enter(now, effects),
            Input::Newline => self.new_line(now),
            Input::Backspace => {
                self.draft.backspace();
                self.echo(now);
            }
            Input::CtrlU => self.clear_draft(now),
            Input::CtrlC => self.ctrl_c(now, effects),
            Input::CtrlD => self.ctrl_d(now, effects),
            Input::Escape => self.escape(now, effects),
            Input::Tab if self.setup.like == Like::Codex && self.turn.is_some() => {
                self.enter(now, effects);
            }
            Input::BackTab => self.mode = (self.mode + 1) % MODES,
            Input::Up if self.draft.is_empty() => {
                for queued in std::mem::take(&mut self.queue) {
                    self.draft.append(queued);
                }
                self.echo(now);
            }
            Input::Tab | Input::Up | Input::Down | Input::Other(_) => {}
        }
    }

    fn enter(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let within = |since: Option<Duration>, guard: Duration| {
            since.is_some_and(|since| now.saturating_sub(since) < guard)
        };
        let like = self.setup.like;
        if within(self.last_paste, self.setup.paste_guard) {
            self.eaten += 1;
        } else if self.setup.eat_enter > 0 {
            self.setup.eat_enter -= 1;
            self.eaten += 1;
        } else if like == Like::Codex && within(self.last_typed, BURST) {
            // What comes next is still the same burst.
            self.last_typed = Some(now);
            self.new_line(now);
        } else if like == Like::Claude && self.draft.take_backslash() {
            self.new_line(now);
        } else if self.draft.bytes().trim_ascii().is_empty() {
            // An empty box submits nothing.
        } else if self.turn.is_some() || self.starting() {
            self.queue.push_back(std::mem::take(&mut self.draft));
            self.echo(now);
        } else {
            self.submit(false, now, effects);
        }
    }

    fn new_line(&mut self, now: Duration) {
        self.draft.push(b"\n");
        self.echo(now);
    }

    fn clear_draft(&mut self, now: Duration) {
        self.draft = Draft::default();
        self.echo(now);
    }

    /// Submits what stands in the box.
    pub(super) fn submit(&mut self, queued: bool, now: Duration, effects: &mut Vec<Effect>) {
        let draft = std::mem::take(&mut self.draft);
        self.echo(now);
        self.submit_draft(draft, queued, now, effects);
    }

    /// Submits a draft: it is logged first, and only then does anything of it show.
    pub(super) fn submit_draft(
        &mut self,
        draft: Draft,
        queued: bool,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let bytes = draft.bytes();
        self.prompts += 1;
        self.again = None;
        self.suggestion.clear();
        effects.push(Effect::Log(Record::Prompt {
            n: self.prompts,
            bytes: bytes.clone(),
            queued,
        }));
        let from = self.transcript.mark();
        if self.setup.like != Like::Shell {
            self.say_prompt(&draft.shown());
            match bytes.trim_ascii() {
                b"/exit" | b"/quit" => return self.leave(0, effects),
                b"/clear" => return self.transcript.clear(),
                _ => {}
            }
        }
        let more = json!({ "prompt": String::from_utf8_lossy(&bytes) });
        effects.push(self.call("UserPromptSubmit", more));
        let to = self.transcript.mark();
        self.begin(&bytes, now);
        if let Some(turn) = &mut self.turn {
            turn.asked = Some(Asked { draft, from, to });
        }
    }

    fn ctrl_c(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if !self.draft.is_empty() {
            self.clear_draft(now);
        } else if self.turn.is_some() {
            self.interrupt(now, effects);
        } else if self.setup.like == Like::Codex || self.came_again(Again::CtrlC, now) {
            self.leave(0, effects);
        }
    }

    fn ctrl_d(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if !self.draft.is_empty() {
            return;
        }
        let leaves = match self.setup.like {
            Like::Codex => self.turn.is_none(),
            Like::Claude | Like::Shell => self.came_again(Again::CtrlD, now),
        };
        if leaves {
            self.leave(0, effects);
        }
    }

    fn escape(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if self.turn.is_some() {
            self.interrupt(now, effects);
        } else if self.came_again(Again::Escape, now) && self.setup.like == Like::Claude {
            if self.draft.is_empty() {
                self.ask(dialog::Kind::Menu, "", now, effects);
            } else {
                self.clear_draft(now);
            }
        }
    }

    /// Whether a key came a second time; if not, that is awaited from now on.
    fn came_again(&mut self, key: Again, now: Duration) -> bool {
        if self.again.take().is_some_and(|(first, _)| first == key) {
            return true;
        }
        self.again = Some((key, now + AGAIN));
        false
    }

    fn dialog_input(&mut self, input: Input, now: Duration, effects: &mut Vec<Effect>) {
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        match input {
            Input::Text(text) => self.type_into_dialog(&text, now, effects),
            Input::Paste(bytes) => self.lose(bytes, effects),
            Input::Enter => {
                let selected = dialog.selected;
                self.pick(selected, now, effects);
            }
            Input::Escape | Input::CtrlC => {
                let careful = dialog.escaped();
                self.pick(careful, now, effects);
            }
            Input::Up => dialog.step(false),
            Input::Down | Input::Tab => dialog.step(true),
            _ => {}
        }
    }

    /// A character that is an answer gives it, and what follows is typed into what comes next.
    fn type_into_dialog(&mut self, text: &[u8], now: Duration, effects: &mut Vec<Effect>) {
        let Some(dialog) = &self.dialog else { return };
        let answers = |byte: &u8| dialog.typed(char::from(*byte));
        let found = text
            .iter()
            .enumerate()
            .find_map(|(at, byte)| answers(byte).map(|answer| (at, answer)));
        let Some((at, answer)) = found else {
            return self.lose(text.to_vec(), effects);
        };
        self.lose(text.get(..at).unwrap_or_default().to_vec(), effects);
        self.pick(answer, now, effects);
        let rest = text.get(at + 1..).unwrap_or_default().to_vec();
        if !rest.is_empty() && !self.ended {
            self.input(Input::Text(rest), now, effects);
        }
    }

    fn lose(&mut self, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        if !bytes.is_empty() {
            self.lost += bytes.len() as u64;
            effects.push(Effect::Log(Record::Lost(bytes)));
        }
    }

    /// Gives an answer to the dialog.
    pub(super) fn pick(&mut self, at: usize, now: Duration, effects: &mut Vec<Effect>) {
        let Some(dialog) = self.dialog.take() else {
            return;
        };
        self.no_notice();
        effects.push(Effect::Log(Record::Answer {
            dialog: dialog.kind.name(),
            answer: at + 1,
        }));
        match dialog.sheet.choices.get(at).map(|choice| choice.then) {
            Some(Then::Quit) => self.leave(1, effects),
            Some(Then::Stop) => self.finish(Outcome::Interrupted, "", now, effects),
            _ if dialog.kind == dialog::Kind::Trust && self.turn.is_none() => {
                self.greet(now, effects);
            }
            _ => {}
        }
    }
}
