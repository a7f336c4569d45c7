//! What came of a task, for whoever reads it: people, files, CI.
//!
//! Secrets are taken out here once more, since logs of CI are read by many; what strangers printed cannot
//! break out of Markdown, XML or a terminal.

mod file;
mod junit;
mod markdown;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::harmless;
use cc_kit::redact::{Key, Rules, redacted};
use cc_kit::stdout::print;
use serde_json::Value;

use crate::ask::say;

/// Members that hold what strangers printed.
const STRANGE: [&str; 4] = ["text", "check", "why", "outcome"];
/// How the names of variables end that hold secrets.
const SECRET: [&str; 6] = [
    "_TOKEN",
    "_KEY",
    "_SECRET",
    "_PASSWORD",
    "_PASSWD",
    "_CREDENTIALS",
];

/// A result without secrets.
#[derive(Debug)]
pub(crate) struct Report(Value);

impl Report {
    /// Of what a balancer answered.
    pub(crate) fn of(mut answer: Value) -> Result<Self, Failure> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| Failure::new(Exit::Failed, error))?;
        let mut rules = Rules::builder();
        for (name, value) in env::vars_os() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
                continue;
            };
            if SECRET.iter().any(|end| name.to_uppercase().ends_with(end)) {
                rules = rules.value(name, value.as_bytes());
            }
        }
        let rules = rules.build(Key::new(key));
        let rules = rules.map_err(|error| Failure::new(Exit::Failed, error))?;
        redact(&mut answer, &Arc::new(rules));
        Ok(Self(answer))
    }

    /// As it is written to files.
    pub(crate) const fn value(&self) -> &Value {
        &self.0
    }

    /// The exit code of its command or check, where that is one of a failure.
    pub(crate) fn exit(&self) -> Option<u8> {
        let code = self.0.get("exit").and_then(Value::as_u64)?;
        u8::try_from(code).ok().filter(|code| *code != 0)
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name).and_then(Value::as_f64)
    }

    /// Prints its text.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        print(&lines(self.text("text")))?;
        if self.0.get("is_cut") == Some(&Value::Bool(true)) {
            say("this is only its end: the rest was longer than is kept, or no longer in the pane");
        }
        Ok(())
    }
}

/// Text of several lines that only ever draws.
fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.lines() {
        for (index, part) in line.split('\t').enumerate() {
            if index > 0 {
                out.push('\t');
            }
            out.push_str(&harmless(part).to_string());
        }
        out.push('\n');
    }
    out
}

fn redact(value: &mut Value, rules: &Arc<Rules>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(text) if STRANGE.contains(&name.as_str()) => {
                        *text = redacted(rules, text);
                    }
                    member => redact(member, rules),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| redact(member, rules)),
        _ => {}
    }
}

/// Where a result goes.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    /// As JSON; `-`: to standard output.
    pub(crate) json: Option<PathBuf>,
    /// Appended as Markdown.
    pub(crate) summary: Option<PathBuf>,
    /// As JUnit XML.
    pub(crate) junit: Option<PathBuf>,
}

impl Outputs {
    /// Can they be written? Known before anything is begun.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for path in [&self.json, &self.summary, &self.junit]
            .into_iter()
            .flatten()
        {
            if path.as_os_str() != "-" && !file::directory_of(path).is_dir() || path.is_dir() {
                let error = format!("{} cannot be written", path.display());
                return Err(Failure::new(Exit::Usage, error)
                    .advice("Name a file in a directory that is there."));
            }
        }
        Ok(())
    }

    /// Does the JSON take the place of the text?
    pub(crate) fn json_is_stdout(&self) -> bool {
        self.json
            .as_ref()
            .is_some_and(|path| path.as_os_str() == "-")
    }

    /// Writes them all; what is wrong with one holds up no other.
    pub(crate) fn write(&self, report: &Report) -> Result<(), Failure> {
        let json = self.json.as_ref().map(|path| match self.json_is_stdout() {
            true => print(&format!("{}\n", report.value())),
            false => said(path, file::replace(path, &format!("{}\n", report.value()))),
        });
        let summary = self
            .summary
            .as_ref()
            .map(|path| said(path, file::append(path, &markdown::summary(report))));
        let junit = self
            .junit
            .as_ref()
            .map(|path| said(path, file::replace(path, &junit::xml(report))));
        for done in [json, summary, junit].into_iter().flatten() {
            done?;
        }
        Ok(())
    }
}

fn said(path: &Path, done: std::io::Result<()>) -> Result<(), Failure> {
    done.map_err(|error| {
        Failure::new(Exit::Failed, format!("{}: {error}", path.display()))
            .advice("The result is kept: `cc-balancer result` prints it.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_taken_out_of_what_strangers_printed() {
        let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
        let answer = json!({
            "v": 1, "task": "0a", "text": format!("token {token} end"), "check": token,
            "attempts": [{"outcome": format!("failed: {token}")}],
        });
        let report = Report::of(answer).unwrap();
        let text = report.value().to_string();
        assert!(!text.contains(&token), "{text}");
        assert_eq!(text.matches("<redacted:").count(), 3, "{text}");
        assert!(report.text("text").ends_with(" end"), "{text}");
        assert_eq!(report.text("task"), "0a");
    }

    #[test]
    fn text_for_a_terminal_only_draws() {
        assert_eq!(lines("a\tb\n\u{1b}[2Jc\\d"), "a\tb\n\\x1b[2Jc\\d\n");
        assert_eq!(lines(""), "");
    }
}
