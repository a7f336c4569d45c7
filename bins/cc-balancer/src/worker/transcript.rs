//! What an agent wrote down of a turn itself: Claude Code's transcript, `projects/*/SESSION.jsonl` in its
//! configuration (`CLAUDE_CONFIG_DIR`, or `.claude` in its home). Checked with 2.1.197.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The longest line that is read: an image in a prompt is longer.
const LONGEST: usize = 8 << 20;

/// What the agent of that process said, in that session, since the prompt in which the nonce stands;
/// `None` where that cannot be read.
pub(crate) fn said(pid: u32, session: &str, nonce: &str) -> Option<String> {
    // A name of a file, from an agent.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if session.is_empty() || !session.bytes().all(is_name) {
        return None;
    }
    let file = file(&configuration(pid)?, session)?;
    turn(BufReader::new(File::open(file).ok()?), nonce)
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

fn turn(mut lines: impl std::io::BufRead, nonce: &str) -> Option<String> {
    let mut said: Option<Vec<String>> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            break;
        }
        if line.len() > LONGEST {
            continue;
        }
        let Ok(entry) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        let kind = entry.get("type").and_then(Value::as_str);
        let content = entry.pointer("/message/content");
        match kind {
            Some("user") if texts(content).any(|text| text.contains(nonce)) => {
                said = Some(Vec::new());
            }
            Some("assistant") => {
                if let Some(said) = &mut said {
                    said.extend(texts(content).map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    said.filter(|said| !said.is_empty())
        .map(|said| said.join("\n\n"))
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
    use super::*;

    #[test]
    fn a_turn_is_what_was_said_since_its_prompt() {
        let lines = concat!(
            r#"{"type":"user","message":{"content":"first [task a.1 n1]"}}"#,
            "\n",
            r#"{"type":"assistant","message":{"content":[{"type":"text","text":"one"}]}}"#,
            "\nnot JSON\n",
            r#"{"type":"user","message":{"content":[{"type":"text","text":"second [task b.1 n2]"}]}}"#,
            "\n",
            r#"{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Bash"},{"type":"text","text":"two"}]}}"#,
            "\n",
            r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"n2"}]}}"#,
            "\n",
            r#"{"type":"assistant","message":{"content":[{"type":"text","text":"three"}]}}"#,
        );
        let turn = |nonce| turn(lines.as_bytes(), nonce);
        assert_eq!(turn("n2").as_deref(), Some("two\n\nthree"));
        assert_eq!(turn("n3"), None);
        assert_eq!(said(1, "../x", "n"), None);
    }
}
