//! What a stand-in is told to do: the one-line language of scripts and of the control socket.
//!
//! | Line | What happens |
//! |---|---|
//! | `busy [3s] [TEXT]` | works; TEXT stands in the busy row for the usual word |
//! | `tool [3s] [COMMAND]` | works, with the tool's row on the screen |
//! | `stream 200 lines [every 10ms]` | prints so many lines of an answer |
//! | `quiet [1h]` | works, and only the title moves |
//! | `retry [3s] [TEXT]` | works, with the row of an agent that tries again |
//! | `dialog permission` | asks: also `question`, `plan`, `trust`, `login`, `menu`, `exit` |
//! | `answer TEXT` | what it answers in this turn, for `ok: ...` |
//! | `print TEXT` | puts text on the screen, as an agent that was asked to say so |
//! | `raw TEXT` | the bytes as they are, past the screen |
//! | `title [TEXT]` | the whole title, until the next `title` without text |
//! | `topic [TEXT]` | what titles speak of, for the program's or the folder's name |
//! | `suggest [TEXT]` | dim text in the empty box that nobody typed |
//! | `bell` | rings |
//! | `limit [TEXT]` | ends the turn: the limit is reached |
//! | `error [TEXT]` | ends the turn: the model cannot be had |
//! | `crash exit 7`, `crash signal 9` | ends the program, the terminal as it is |
//! | `exit` | ends the program as `/exit` does |
//! | `hang` | neither reads nor draws nor hears of a new size, until `resume` |
//! | `grow 50MB` | takes memory, and keeps it |
//! | `fork [60s]` | starts a child that ignores SIGHUP and lives so long |
//!
//! A time that is left out means until told otherwise. TEXT goes to the end of the line; in
//! double quotes `\n`, `\t`, `\e`, `\a`, `\xNN`, `\"` and `\\` are read as in C.
//!
//! A script is what happens at the first prompt, at the second and so on, each one line or a list
//! of lines; a prompt behind the last works 50 ms and answers `ok: ` and its first 40 characters.
//! It is TOML, or JSON with a step a line where the name ends in `.jsonl`:
//!
//! ```toml
//! steps = ["busy 3s", ["busy 1s", "dialog permission", "answer done"], "crash exit 7"]
//! ```

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::dialog;
use super::words;

/// How long a forked child lives when nothing else is said.
const FORKED: Duration = Duration::from_secs(60);

/// How fast lines come when nothing else is said.
const PACE: Duration = Duration::from_millis(10);

/// One thing to do. See the module for the lines that these are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table of the module has a row for each")]
pub enum Action {
    Busy(Option<Duration>, String),
    Tool(Option<Duration>, String),
    Stream { lines: u32, every: Duration },
    Quiet(Option<Duration>),
    Retry(Option<Duration>, String),
    Dialog(dialog::Kind),
    Answer(String),
    Print(String),
    Raw(Vec<u8>),
    Title(String),
    Topic(String),
    Suggest(String),
    Bell,
    Limit(String),
    Error(String),
    Crash(Crash),
    Exit,
    Hang,
    Grow(u64),
    Fork(Duration),
}

/// How the program ends when it crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// With an exit status.
    Exit(u8),
    /// By a signal that it sends itself, by number.
    Signal(i32),
}

/// What the control socket may ask for: every [`Action`], at once, and these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `...`: do this now.
    Do(Action),
    /// `idle`: end the turn as if it were done, and close the dialog.
    Idle,
    /// `resume`: hang no longer.
    Resume,
    /// `state?`: say how things are, as JSON.
    State,
    /// `await STATE` or `await prompts N`: the same, as soon as it is so.
    Await(Until),
}

/// What an `await` waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// The state has this name.
    State(String),
    /// So many prompts were submitted, or more.
    Prompts(u64),
}

/// A line that is none of the language.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    /// Its first word is not known.
    #[error("{0:?} is nothing that can be done")]
    Word(String),
    /// What follows the first word makes no sense there.
    #[error("{1:?} is not what follows {0:?}")]
    Rest(&'static str, String),
}

/// A script that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadScript {
    /// Its file cannot be read.
    #[error("the script cannot be read")]
    Read(#[from] io::Error),
    /// It is not TOML of this shape.
    #[error("the script is not as it should be")]
    Toml(#[from] toml::de::Error),
    /// A line of it is not JSON of this shape.
    #[error("the script is not as it should be")]
    Json(#[from] serde_json::Error),
    /// A line of it says nothing.
    #[error("the script has a bad line")]
    Line(#[from] BadLine),
}

impl Action {
    /// What the lines of a prompt order that begin with `do: `; `None` where none does, or one of them
    /// says nothing.
    #[must_use]
    pub fn ordered(prompt: &[u8]) -> Option<Vec<Self>> {
        let text = String::from_utf8_lossy(prompt).replace('\r', "\n");
        let lines = text.lines().filter_map(|line| line.strip_prefix("do: "));
        let actions: Vec<Self> = lines
            .map(|line| Self::parse(line).ok())
            .collect::<Option<_>>()?;
        (!actions.is_empty()).then_some(actions)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// When it is none of the lines of the module.
    pub fn parse(line: &str) -> Result<Self, BadLine> {
        let (word, rest) = words::split(line);
        match word {
            "busy" => timed("busy", rest, Self::Busy),
            "tool" => timed("tool", rest, Self::Tool),
            "retry" => timed("retry", rest, Self::Retry),
            "quiet" => timed("quiet", rest, |time, text| {
                text.is_empty().then_some(Self::Quiet(time))
            })?
            .ok_or_else(|| bad("quiet", rest)),
            "stream" => stream(rest).ok_or_else(|| bad("stream", rest)),
            "dialog" => dialog::Kind::parse(rest)
                .map(Self::Dialog)
                .ok_or_else(|| bad("dialog", rest)),
            "answer" => text("answer", rest).map(Self::Answer),
            "print" => text("print", rest).map(Self::Print),
            "raw" => words::text(rest)
                .map(Self::Raw)
                .ok_or_else(|| bad("raw", rest)),
            "title" => text("title", rest).map(Self::Title),
            "topic" => text("topic", rest).map(Self::Topic),
            "suggest" => text("suggest", rest).map(Self::Suggest),
            "limit" => text("limit", rest).map(Self::Limit),
            "error" => text("error", rest).map(Self::Error),
            "crash" => crash(rest)
                .map(Self::Crash)
                .ok_or_else(|| bad("crash", rest)),
            "grow" => words::size(rest)
                .map(Self::Grow)
                .ok_or_else(|| bad("grow", rest)),
            "fork" if rest.is_empty() => Ok(Self::Fork(FORKED)),
            "fork" => words::duration(rest)
                .map(Self::Fork)
                .ok_or_else(|| bad("fork", rest)),
            "bell" => alone("bell", rest, Self::Bell),
            "exit" => alone("exit", rest, Self::Exit),
            "hang" => alone("hang", rest, Self::Hang),
            _ => Err(BadLine::Word(word.to_owned())),
        }
    }
}

impl Order {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is neither an [`Action`] nor one of these.
    pub fn parse(line: &str) -> Result<Self, BadLine> {
        let (word, rest) = words::split(line);
        match word {
            "idle" => alone("idle", rest, Self::Idle),
            "resume" => alone("resume", rest, Self::Resume),
            "state?" => alone("state?", rest, Self::State),
            "await" => until(rest)
                .map(Self::Await)
                .ok_or_else(|| bad("await", rest)),
            _ => Action::parse(line).map(Self::Do),
        }
    }
}

fn bad(word: &'static str, rest: &str) -> BadLine {
    BadLine::Rest(word, rest.to_owned())
}

fn alone<T>(word: &'static str, rest: &str, it: T) -> Result<T, BadLine> {
    rest.is_empty().then_some(it).ok_or_else(|| bad(word, rest))
}

fn text(word: &'static str, rest: &str) -> Result<String, BadLine> {
    let bytes = words::text(rest).ok_or_else(|| bad(word, rest))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A time, which may be missing, then text, which may be missing.
fn timed<T>(
    word: &'static str,
    rest: &str,
    make: impl FnOnce(Option<Duration>, String) -> T,
) -> Result<T, BadLine> {
    let (first, behind) = words::split(rest);
    let time = words::duration(first);
    let words = if time.is_some() { behind } else { rest };
    Ok(make(time, text(word, words)?))
}

fn stream(rest: &str) -> Option<Action> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (lines, every) = match words.as_slice() {
        [lines, "lines"] => (lines, PACE),
        [lines, "lines", "every", pace] => (lines, words::duration(pace)?),
        _ => return None,
    };
    let lines = lines.parse().ok()?;
    Some(Action::Stream { lines, every })
}

fn crash(rest: &str) -> Option<Crash> {
    let (how, number) = words::split(rest);
    match how {
        "exit" => number.parse().ok().map(Crash::Exit),
        "signal" => number
            .parse()
            .ok()
            .filter(|number| (1..=64).contains(number))
            .map(Crash::Signal),
        _ => None,
    }
}

fn until(rest: &str) -> Option<Until> {
    let (what, number) = words::split(rest);
    if what == "prompts" {
        return number.parse().ok().map(Until::Prompts);
    }
    let states = ["starting", "idle", "busy", "blocked", "limited", "errored"];
    (states.contains(&what) && number.is_empty()).then(|| Until::State(what.to_owned()))
}

/// What to do at the prompts to come, in order.
#[derive(Clone, Debug, Default)]
pub struct Script {
    steps: VecDeque<Vec<Action>>,
}

/// One line, or several for one prompt.
#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    steps: Vec<Step>,
}

impl Script {
    /// Reads a script from its file; the name says which of the two forms it has.
    ///
    /// # Errors
    /// When it cannot be read, or is no script.
    pub fn load(path: &Path) -> Result<Self, BadScript> {
        let text = std::fs::read_to_string(path)?;
        if path.extension().is_some_and(|name| name == "jsonl") {
            Self::from_json_lines(&text)
        } else {
            Self::from_toml(&text)
        }
    }

    /// Reads `steps = [...]`.
    ///
    /// # Errors
    /// When it is no script.
    pub fn from_toml(text: &str) -> Result<Self, BadScript> {
        Self::of(toml::from_str::<Steps>(text)?.steps)
    }

    /// Reads a step a line; empty lines are none.
    ///
    /// # Errors
    /// When it is no script.
    pub fn from_json_lines(text: &str) -> Result<Self, BadScript> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let steps: Result<Vec<Step>, _> = lines.map(serde_json::from_str).collect();
        Self::of(steps?)
    }

    fn of(steps: Vec<Step>) -> Result<Self, BadScript> {
        let read = |step| match step {
            Step::One(line) => Action::parse(&line).map(|action| vec![action]),
            Step::Several(lines) => lines.iter().map(|line| Action::parse(line)).collect(),
        };
        let steps: Result<_, BadLine> = steps.into_iter().map(read).collect();
        Ok(Self { steps: steps? })
    }

    /// What to do at the next prompt; `None` behind the end.
    pub(super) fn next(&mut self) -> Option<Vec<Action>> {
        self.steps.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Action {
        Action::parse(line).unwrap()
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let second = Some(Duration::from_secs(1));
        for (line, action) in [
            ("busy", Action::Busy(None, String::new())),
            ("busy 1s", Action::Busy(second, String::new())),
            ("busy Compacting", Action::Busy(None, "Compacting".into())),
            ("tool 1s ls -l", Action::Tool(second, "ls -l".into())),
            ("quiet 1s", Action::Quiet(second)),
            ("retry 1s \"a\\nb\"", Action::Retry(second, "a\nb".into())),
            (
                "stream 3 lines",
                Action::Stream {
                    lines: 3,
                    every: PACE,
                },
            ),
            (
                "stream 3 lines every 1s",
                Action::Stream {
                    lines: 3,
                    every: Duration::from_secs(1),
                },
            ),
            ("dialog plan", Action::Dialog(dialog::Kind::Plan)),
            ("answer  a  b ", Action::Answer("a  b".into())),
            ("raw \"\\e]0;x\\a\"", Action::Raw(b"\x1b]0;x\x07".to_vec())),
            ("title", Action::Title(String::new())),
            ("crash exit 7", Action::Crash(Crash::Exit(7))),
            ("crash signal 9", Action::Crash(Crash::Signal(9))),
            ("grow 50MB", Action::Grow(50_000_000)),
            ("fork", Action::Fork(FORKED)),
            ("fork 1s", Action::Fork(Duration::from_secs(1))),
            ("hang", Action::Hang),
        ] {
            assert_eq!(parse(line), action, "{line}");
        }
    }

    #[test]
    fn a_line_that_says_nothing_is_refused() {
        for line in [
            "",
            "dance",
            "stream lines",
            "dialog dance",
            "crash",
            "crash exit 256",
            "crash signal 0",
            "quiet 1s now",
            "grow",
            "fork 3",
            "hang 3s",
            "print \"open",
            "state?",
        ] {
            assert!(Action::parse(line).is_err(), "{line}");
        }
        assert!(Order::parse("await dinner").is_err());
        assert!(Order::parse("idle now").is_err());
    }

    #[test]
    fn orders_are_actions_and_a_few_more() {
        assert_eq!(Order::parse("state?").unwrap(), Order::State);
        assert_eq!(
            Order::parse("await prompts 3").unwrap(),
            Order::Await(Until::Prompts(3))
        );
        assert_eq!(Order::parse("bell").unwrap(), Order::Do(Action::Bell));
    }

    #[test]
    fn both_forms_of_a_script_say_the_same() {
        let toml = "steps = [\"busy\", [\"bell\", \"hang\"]]";
        let json = "\"busy\"\n\n[\"bell\", \"hang\"]\n";
        for mut script in [
            Script::from_toml(toml).unwrap(),
            Script::from_json_lines(json).unwrap(),
        ] {
            assert_eq!(script.next(), Some(vec![Action::Busy(None, String::new())]));
            assert_eq!(script.next(), Some(vec![Action::Bell, Action::Hang]));
            assert_eq!(script.next(), None);
        }
        assert!(Script::from_toml("steps = [\"dance\"]").is_err());
        assert!(Script::from_toml("stops = []").is_err());
    }
}
