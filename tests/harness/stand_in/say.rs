//! What a stand-in says: the blocks of its transcript, in the shape of the program it looks like.

use std::time::Duration;

use super::agent::Like;
use super::machine::{Effect, Machine, Outcome};

/// What is said when a limit is reached and the script has no words for it.
const CLAUDE_LIMIT: &str = "You've hit your session limit · resets 3pm (Europe/Berlin)";
const CODEX_LIMIT: &str = "You’ve hit your usage limit. Upgrade to Pro \
    (https://chatgpt.com/explore/pro) or try again at 9:30 PM.";

/// The same for an error.
const CLAUDE_ERROR: &str = "API Error: Repeated 529 Overloaded errors";
const CODEX_ERROR: &str = "stream disconnected before completion: the connection was closed";

/// The words of done lines, a prompt after the other.
const DONE: [&str; 4] = ["Worked", "Crunched", "Sautéed", "Brewed"];

/// A time as it stands in busy rows and done lines: `12s`, `1m 52s`, `2h 3m 4s`.
pub(super) fn spent(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m {seconds}s"),
        _ => format!("{hours}h {minutes}m {seconds}s"),
    }
}

/// The time of day in UTC.
fn clock(unix: u64) -> String {
    format!("{:02}:{:02}", unix / 3600 % 24, unix / 60 % 60)
}

impl Machine {
    pub(super) fn greet_claude(&mut self) {
        let cwd = self.setup.cwd.clone();
        self.transcript
            .say("Claude Code v2.1.197", " ▐▛███▜▌   ", "");
        self.transcript
            .say("Stand-in · API Usage Billing", "▝▜█████▛▘  ", "");
        self.transcript.say(&cwd, "  ▘▘ ▝▝    ", "           ");
        self.transcript.say("\n", "", "");
        if self.setup.resumed {
            self.transcript.gap();
            self.transcript
                .mutter("Session resumed", "  ⎿ \u{a0}", "     ");
        }
    }

    pub(super) fn greet_codex(&mut self) {
        let cwd = self.setup.cwd.clone();
        self.transcript
            .say(">_ OpenAI Codex (v0.169.0)", "  ", "  ");
        self.transcript.gap();
        self.transcript
            .say("mock-1 medium   /model to change", "  model:     ", "  ");
        self.transcript.say(&cwd, "  directory: ", "  ");
        if self.setup.resumed {
            self.transcript.gap();
            self.transcript.mutter("Session resumed", "• ", "  ");
        }
    }

    /// The prompt, as the transcript repeats it.
    pub(super) fn say_prompt(&mut self, shown: &str) {
        let first = if self.setup.like == Like::Codex {
            "› "
        } else {
            "❯ "
        };
        self.transcript.gap();
        self.transcript.say(shown, first, "  ");
    }

    /// A part of an answer; `first` when nothing of it stands there yet.
    pub(super) fn say(&mut self, text: &str, first: bool, effects: &mut Vec<Effect>) {
        let mark = match self.setup.like {
            Like::Shell => return effects.push(Effect::Write(line(text))),
            _ if !first => "  ",
            Like::Claude => "● ",
            Like::Codex => "• ",
        };
        if first {
            self.transcript.gap();
        }
        self.transcript.say(text, mark, "  ");
    }

    /// A tool begins.
    pub(super) fn say_tool(&mut self, command: &str, effects: &mut Vec<Effect>) {
        match self.setup.like {
            Like::Claude => self.say(&format!("Bash({command})"), true, effects),
            // Its row is drawn while it runs, and stays once it has run.
            Like::Codex | Like::Shell => {}
        }
    }

    /// A tool has ended.
    pub(super) fn say_tool_done(&mut self, effects: &mut Vec<Effect>) {
        match self.setup.like {
            Like::Claude => self.transcript.mutter("(No output)", "  ⎿ \u{a0}", "     "),
            Like::Codex => {
                self.say("Ran a command", true, effects);
                self.transcript.mutter("(no output)", "  └ ", "    ");
            }
            Like::Shell => {}
        }
    }

    /// The end of a turn that took so long; `words` for the usual ones.
    pub(super) fn say_end(
        &mut self,
        outcome: Outcome,
        words: &str,
        took: Duration,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let or = |usual: &'static str| if words.is_empty() { usual } else { words };
        match self.setup.like {
            Like::Claude => {
                let (text, took) = match outcome {
                    Outcome::Limited => (or(CLAUDE_LIMIT), Duration::ZERO),
                    Outcome::Errored => (or(CLAUDE_ERROR), Duration::ZERO),
                    Outcome::Interrupted => {
                        let text = "Interrupted · What should Claude do instead?";
                        return self.transcript.mutter(text, "  ⎿ \u{a0}", "     ");
                    }
                    Outcome::Seen | Outcome::Done => ("", took),
                };
                match outcome {
                    // Which of the two shapes it has depends on what has failed.
                    Outcome::Errored => self.say(text, true, effects),
                    Outcome::Limited => self.transcript.say(text, "  ⎿ \u{a0}", "     "),
                    _ => {}
                }
                self.transcript.gap();
                let which = usize::try_from(self.prompts).unwrap_or(0).saturating_sub(1);
                let verb = DONE.get(which % DONE.len()).copied().unwrap_or_default();
                let done = format!("{verb} for {}", spent(took));
                self.transcript.mutter(&done, "✻ ", "  ");
            }
            Like::Codex => {
                let text = match outcome {
                    Outcome::Limited => or(CODEX_LIMIT),
                    Outcome::Errored => or(CODEX_ERROR),
                    Outcome::Interrupted => {
                        "Conversation interrupted - use /feedback if something went wrong"
                    }
                    Outcome::Seen | Outcome::Done => {
                        let time = if took < Duration::from_secs(1) {
                            "<1s".to_owned()
                        } else {
                            spent(took)
                        };
                        let at = clock(self.setup.started + now.as_secs());
                        let done = format!("Worked for {time} • {at}");
                        self.transcript.gap();
                        return self.transcript.mutter(&done, "  ", "  ");
                    }
                };
                self.transcript.gap();
                self.transcript.say(text, "■ ", "  ");
            }
            Like::Shell => {
                match outcome {
                    Outcome::Limited => self.fail("limit reached", words, effects),
                    Outcome::Errored => self.fail("no answer", words, effects),
                    Outcome::Interrupted => self.status = 130,
                    Outcome::Seen | Outcome::Done => {}
                }
                self.prompt_again(effects);
            }
        }
    }

    fn fail(&mut self, usual: &str, words: &str, effects: &mut Vec<Effect>) {
        self.status = 1;
        let words = if words.is_empty() { usual } else { words };
        effects.push(Effect::Write(line(words)));
    }
}

/// Text as a program prints it to a raw terminal, its last line ended.
pub(super) fn line(text: &str) -> Vec<u8> {
    let mut text = text.replace('\n', "\r\n");
    text.push_str("\r\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_the_agents_do() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (112, "1m 52s"), (3723, "1h 2m 3s")] {
            assert_eq!(spent(Duration::from_secs(seconds)), text);
        }
        assert_eq!(clock(19 * 3600 + 25 * 60 + 86_400), "19:25");
    }
}
