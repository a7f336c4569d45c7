//! The stand-in for a shell: a line at a time, a few commands of its own, nothing executed.
//!
//! | Command | Does |
//! |---|---|
//! | `echo WORDS` | prints them |
//! | `sleep N` | is busy for so many seconds |
//! | `true`, `false` | exit status 0, 1 |
//! | `lines N` | prints so many lines |
//! | `ask` | asks `Continue? [Y/n]` |
//! | `password` | asks for one, without an echo |
//! | `exit N` | ends the program with that status |
//! | anything else | prints `ok: ` and its first 40 characters |
//!
//! A step of a script goes before all of them.

use std::time::Duration;

use super::agent::Like;
use super::dialog;
use super::draft::Draft;
use super::input::Input;
use super::machine::{Effect, End, Machine, Outcome};
use super::record::Record;
use super::script::Action;

/// What stands before a line.
const PROMPT: &str = "$ ";

/// What a command does: its steps, its answer where it has one, its exit status.
struct Command {
    steps: Vec<Action>,
    says: Option<String>,
    status: u8,
}

fn command(line: &str) -> Option<Command> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let quiet = |status| Command {
        steps: Vec::new(),
        says: None,
        status,
    };
    let one = |action| Command {
        steps: vec![action],
        says: None,
        status: 0,
    };
    Some(match words.as_slice() {
        ["echo", rest @ ..] => Command {
            says: Some(rest.join(" ")),
            ..quiet(0)
        },
        ["sleep", seconds] => {
            let time = Duration::from_secs(seconds.parse().ok()?);
            one(Action::Busy(Some(time), String::new()))
        }
        ["true"] => quiet(0),
        ["false"] => quiet(1),
        ["lines", number] => one(Action::Stream {
            lines: number.parse().ok()?,
            every: Duration::ZERO,
        }),
        ["ask"] => one(Action::Dialog(dialog::Kind::Permission)),
        ["password"] => one(Action::Dialog(dialog::Kind::Login)),
        _ => return None,
    })
}

impl Machine {
    /// The steps of a line that no script speaks of. Whether it is a command of the shell.
    pub(super) fn begin_command(&mut self, bytes: &[u8], now: Duration) -> bool {
        let line = String::from_utf8_lossy(bytes);
        match command(line.trim()) {
            Some(command) => {
                self.status = command.status;
                self.begin_with(command.steps, command.says, now);
                true
            }
            None => false,
        }
    }

    /// Writes the prompt, with its marks where they are asked for.
    pub(super) fn prompt_again(&self, effects: &mut Vec<Effect>) {
        let text = if !self.setup.marks {
            PROMPT.to_owned()
        } else if self.prompts == 0 {
            format!("\x1b]133;A\x1b\\{PROMPT}\x1b]133;B\x1b\\")
        } else {
            let status = self.status;
            format!("\x1b]133;D;{status}\x1b\\\x1b]133;A\x1b\\{PROMPT}\x1b]133;B\x1b\\")
        };
        effects.push(Effect::Write(text.into_bytes()));
    }

    /// Takes a key.
    pub(super) fn shell_input(&mut self, input: Input, now: Duration, effects: &mut Vec<Effect>) {
        if self.turn.is_some() && self.dialog.is_none() {
            return self.type_ahead(input, now, effects);
        }
        let silent = self
            .dialog
            .as_ref()
            .is_some_and(|dialog| dialog.kind == dialog::Kind::Login);
        match input {
            Input::Text(bytes) | Input::Paste(bytes) => {
                if !silent {
                    effects.push(Effect::Write(echoed(&bytes)));
                }
                self.draft.push(&bytes);
                self.echo(now);
            }
            Input::Enter | Input::Newline => {
                effects.push(Effect::Write(b"\r\n".to_vec()));
                if self.dialog.is_some() {
                    self.answer_in_shell(now, effects);
                } else {
                    self.run_line(now, effects);
                }
            }
            Input::Backspace if !self.draft.is_empty() => {
                self.draft.backspace();
                if !silent {
                    effects.push(Effect::Write(b"\x08 \x08".to_vec()));
                }
            }
            Input::CtrlU => {
                self.draft = Draft::default();
                if self.dialog.is_none() {
                    effects.push(Effect::Write(b"\r\x1b[K".to_vec()));
                    self.prompt_again(effects);
                }
            }
            Input::CtrlC => self.break_off(now, effects),
            Input::CtrlD if self.draft.is_empty() => {
                effects.push(Effect::Write(b"exit\r\n".to_vec()));
                let status = self.status;
                self.leave(status, effects);
            }
            _ => {}
        }
    }

    fn run_line(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let line = self.draft.bytes();
        let words = String::from_utf8_lossy(&line).into_owned();
        if words.trim().is_empty() {
            self.draft = Draft::default();
            return self.prompt_again(effects);
        }
        if self.setup.marks {
            effects.push(Effect::Write(b"\x1b]133;C\x1b\\".to_vec()));
        }
        self.status = 0;
        self.submit(false, now, effects);
        let mut words = words.split_whitespace();
        if words.next() == Some("exit") {
            let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            let farewell = String::new();
            self.end(End::Exit { status, farewell }, effects);
        }
    }

    fn type_ahead(&mut self, input: Input, now: Duration, effects: &mut Vec<Effect>) {
        match input {
            Input::CtrlC => self.break_off(now, effects),
            input => {
                // The terminal shows at once what nobody reads yet.
                match &input {
                    Input::Text(bytes) | Input::Paste(bytes) => {
                        effects.push(Effect::Write(echoed(bytes)));
                    }
                    Input::Enter | Input::Newline => {
                        effects.push(Effect::Write(b"\r\n".to_vec()));
                    }
                    _ => {}
                }
                self.typed_ahead.push_back(input);
            }
        }
    }

    fn break_off(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        effects.push(Effect::Write(b"^C\r\n".to_vec()));
        self.typed_ahead.clear();
        self.draft = Draft::default();
        self.dialog = None;
        if self.turn.is_some() {
            self.finish(Outcome::Interrupted, "", now, effects);
        } else {
            self.status = 130;
            self.prompt_again(effects);
        }
    }

    /// Reads what came while a command ran, up to the next one.
    pub(super) fn run_typed_ahead(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        while self.turn.is_none()
            && !self.ended
            && let Some(input) = self.typed_ahead.pop_front()
        {
            self.shell_input(input, now, effects);
        }
    }

    /// Writes the question of a dialog that has just opened.
    pub(super) fn ask_in_shell(&self, kind: dialog::Kind, effects: &mut Vec<Effect>) {
        if self.setup.like != Like::Shell {
            return;
        }
        let text = match kind {
            dialog::Kind::Login => "Password: ",
            dialog::Kind::Trust => "Are you sure you want to continue connecting (yes/no)? ",
            _ => "Continue? [Y/n] ",
        };
        effects.push(Effect::Write(text.into()));
    }

    fn answer_in_shell(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let answer = std::mem::take(&mut self.draft).bytes();
        let Some(dialog) = &self.dialog else { return };
        let yes = matches!(answer.first(), None | Some(b'y' | b'Y'));
        if yes || dialog.kind == dialog::Kind::Login {
            self.pick(0, now, effects);
        } else {
            effects.push(Effect::Log(Record::Answer {
                dialog: dialog.kind.name(),
                answer: 2,
            }));
            self.dialog = None;
            self.status = 1;
            if let Some(turn) = &mut self.turn {
                turn.drop_rest();
            }
        }
    }
}

/// Text as a terminal echoes it.
fn echoed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\n' | b'\r' => out.extend_from_slice(b"\r\n"),
            0x1b => out.extend_from_slice(b"^["),
            byte => out.push(*byte),
        }
    }
    out
}
