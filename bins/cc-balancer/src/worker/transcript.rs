//! What an agent wrote down of a turn itself: Claude Code's transcript, `projects/*/SESSION.jsonl` in its
//! configuration (`CLAUDE_CONFIG_DIR`, or `.claude` in its home), where `sessions/PID.json` says which
//! session a process has. Checked with 2.1.197.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use cc_kit::process::{Identity, Snapshot};
use serde_json::Value;

/// How an entry is called that closes a turn.
const OVER: &str = "turn_duration";
/// How the entry begins that a person, or a key of ours, puts in the place of the rest of a turn.
const INTERRUPTED: &str = "[Request interrupted by user";
/// The longest line that is read: an image in a prompt is longer.
const LONGEST: usize = 8 << 20;

/// A turn, as far as it is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// What the agent said, in paragraphs.
    pub(crate) text: String,
    /// Is it written down that it is over? The screen may know of that first.
    pub(crate) is_over: bool,
}

/// What is written down of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nobody knows: there is no transcript, or it cannot be read.
    Unreadable,
    /// The agent was given no such prompt.
    Nothing,
    /// This.
    Turn(Turn),
}

/// What the agent of a pane with that first process said since the prompt in which the nonce stands: in
/// that session, where its hooks tell which; else it is looked for by the processes of the pane.
pub(crate) fn told(pid: u32, session: Option<&str>, nonce: &str) -> Told {
    let Some(file) = transcript(pid, session).and_then(|file| File::open(file).ok()) else {
        return Told::Unreadable;
    };
    match turn(BufReader::new(file), nonce) {
        Ok(Some(turn)) => Told::Turn(turn),
        Ok(None) => Told::Nothing,
        Err(_) => Told::Unreadable,
    }
}

fn transcript(pid: u32, known: Option<&str>) -> Option<PathBuf> {
    let configuration = configuration(pid)?;
    let known = known.map(str::to_owned);
    let session = known.or_else(|| session(&configuration, pid))?;
    // A name of a file, from an agent.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_one = !session.is_empty() && session.bytes().all(is_name);
    file(&configuration, &session).filter(|_| is_one)
}

/// The session of the first of the processes of a pane that has one.
fn session(configuration: &Path, pid: u32) -> Option<String> {
    let sessions = configuration.join("sessions");
    let of = |pid: i64| {
        let said = fs::read(sessions.join(format!("{pid}.json"))).ok()?;
        let said: Value = serde_json::from_slice(&said).ok()?;
        Some(said.get("sessionId")?.as_str()?.to_owned())
    };
    // Mostly it is the first one, and no other need be looked for.
    of(pid.into()).or_else(|| {
        let first = Identity::of(i32::try_from(pid).ok()?).ok().flatten()?;
        let snapshot = Snapshot::take().ok()?;
        let tree = snapshot.tree(first);
        tree.iter().find_map(|it| of(it.identity.pid.into()))
    })
}

/// Where an agent keeps what it keeps.
fn configuration(pid: u32) -> Option<PathBuf> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = |name: &[u8]| {
        let mut variables = environment.split(|&byte| byte == 0);
        let found = variables.find_map(|it| it.strip_prefix(name)?.strip_prefix(b"="))?;
        Some(PathBuf::from(str::from_utf8(found).ok()?))
    };
    value(b"CLAUDE_CONFIG_DIR").or_else(|| value(b"HOME").map(|home| home.join(".claude")))
}

fn file(configuration: &Path, session: &str) -> Option<PathBuf> {
    let name = format!("{session}.jsonl");
    let projects = fs::read_dir(configuration.join("projects")).ok()?;
    projects
        .flatten()
        .map(|project| project.path().join(&name))
        .find(|file| file.is_file())
}

/// The turn whose prompt has the nonce. Entries are not in their order in the file: what was said may
/// stand before what was asked. Their times are.
fn turn(mut lines: impl io::BufRead, nonce: &str) -> io::Result<Option<Turn>> {
    let mut entries: Vec<(String, Value)> = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() > LONGEST {
            continue;
        }
        let Ok(entry) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        // What its own agents were told and said is no part of the turn.
        let is_aside = entry.get("isSidechain").and_then(Value::as_bool) == Some(true);
        if is_aside || !matches!(kind(&entry), "user" | "assistant" | "system") {
            continue;
        }
        let at = entry.get("timestamp").and_then(Value::as_str);
        let at = at.unwrap_or_default().to_owned();
        entries.push((at, entry));
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    let is_prompt = |entry: &Value| {
        let content = entry.pointer("/message/content");
        kind(entry) == "user" && texts(content).any(|text| text.contains(nonce))
    };
    let Some(at) = entries.iter().rposition(|(_, entry)| is_prompt(entry)) else {
        return Ok(None);
    };
    let mut said = Said::default();
    for (_, entry) in entries.iter().skip(at + 1) {
        said.hear(entry);
        if said.is_closed {
            break;
        }
    }
    Ok(Some(Turn {
        text: said.texts.join("\n\n"),
        is_over: said.is_over,
    }))
}

fn kind(entry: &Value) -> &str {
    entry
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What was said since a prompt.
#[derive(Debug, Default)]
struct Said {
    texts: Vec<String>,
    /// Was what was said last the end of an answer?
    is_over: bool,
    /// What comes now is of another turn.
    is_closed: bool,
}

impl Said {
    fn hear(&mut self, entry: &Value) {
        let content = entry.pointer("/message/content");
        match kind(entry) {
            "assistant" => {
                self.texts.extend(texts(content).map(str::to_owned));
                let stop = entry.pointer("/message/stop_reason");
                let stop = stop.and_then(Value::as_str);
                self.is_over = stop.is_some_and(|stop| stop != "tool_use" && stop != "pause_turn");
            }
            "user" if texts(content).any(|text| text.starts_with(INTERRUPTED)) => self.close(),
            "user" => self.is_over = false,
            "system" if entry.get("subtype").and_then(Value::as_str) == Some(OVER) => self.close(),
            _ => {}
        }
    }

    const fn close(&mut self) {
        self.is_over = true;
        self.is_closed = true;
    }
}

/// The texts of a message: it is one, or has parts of which some are.
fn texts(content: Option<&Value>) -> impl Iterator<Item = &str> {
    let whole = content.and_then(Value::as_str);
    let parts = content.and_then(Value::as_array).into_iter().flatten();
    let parts = parts.filter(|part| part.get("type").and_then(Value::as_str) == Some("text"));
    let parts = parts.filter_map(|part| part.get("text").and_then(Value::as_str));
    whole.into_iter().chain(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(entries: &[Value]) -> String {
        let lines = entries.iter().map(|entry| format!("{entry}\n"));
        lines.collect()
    }

    fn prompt(text: &str) -> Value {
        json!({"type": "user", "message": {"content": text}})
    }

    fn answer(text: &str, stop: &str) -> Value {
        let content = json!([{"type": "text", "text": text}]);
        json!({"type": "assistant", "message": {"content": content, "stop_reason": stop}})
    }

    fn found(text: &str, is_over: bool) -> Option<Turn> {
        let text = text.to_owned();
        Some(Turn { text, is_over })
    }

    #[test]
    fn a_turn_is_what_was_said_since_its_prompt() {
        let lines = concat!(
            r#"{"type":"user","message":{"content":"first [task a.1 n1]"}}"#,
            "\n",
            r#"{"type":"assistant","message":{"content":[{"type":"text","text":"one"}]}}"#,
            "\nnot JSON\n",
            r#"{"type":"user","message":{"content":[{"type":"text","text":"second [task b.1 n2]"}]}}"#,
            "\n",
            r#"{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Bash"},{"type":"text","text":"two"}],"stop_reason":"tool_use"}}"#,
            "\n",
            r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"n2"}]}}"#,
            "\n",
            r#"{"type":"user","isSidechain":true,"message":{"content":"second [task b.1 n2]"}}"#,
            "\n",
            r#"{"type":"assistant","isSidechain":true,"message":{"content":[{"type":"text","text":"aside"}]}}"#,
            "\n",
            r#"{"type":"assistant","message":{"content":[{"type":"text","text":"three"}],"stop_reason":"end_turn"}}"#,
        );
        let turn = |nonce| turn(lines.as_bytes(), nonce).unwrap();
        assert_eq!(turn("n2"), found("two\n\nthree", true));
        assert_eq!(turn("n3"), None);
        assert_eq!(
            told(std::process::id(), Some("../x"), "n"),
            Told::Unreadable
        );
    }

    #[test]
    fn a_turn_is_over_when_that_is_written_down() {
        let mut entries = vec![prompt("do it n1"), answer("one", "tool_use")];
        let turn = |entries: &[Value]| turn(lines(entries).as_bytes(), "n1").unwrap();
        assert_eq!(turn(&entries), found("one", false));
        entries.push(json!({"type": "user", "message":
            {"content": [{"type": "tool_result", "content": "x"}]}}));
        assert_eq!(turn(&entries), found("one", false));
        entries.push(answer("two", "end_turn"));
        assert_eq!(turn(&entries), found("one\n\ntwo", true));
        let closed = json!({"type": "system", "subtype": "turn_duration"});
        entries.extend([closed, prompt("a person's"), answer("three", "end_turn")]);
        assert_eq!(turn(&entries), found("one\n\ntwo", true));

        let at = |mut entry: Value, at: &str| {
            entry["timestamp"] = at.into();
            entry
        };
        let entries = [
            at(answer("one", "end_turn"), "2026-01-01T00:00:00.300Z"),
            at(prompt("n1"), "2026-01-01T00:00:00.200Z"),
            at(answer("earlier", "end_turn"), "2026-01-01T00:00:00.100Z"),
        ];
        assert_eq!(turn(&entries), found("one", true));

        let interrupted = prompt("[Request interrupted by user]");
        let entries = [
            prompt("n1"),
            interrupted,
            prompt("x"),
            answer("y", "end_turn"),
        ];
        assert_eq!(turn(&entries), found("", true));
    }
}
