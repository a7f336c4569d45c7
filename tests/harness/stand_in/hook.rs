//! Hooks: a command of the test's, told of events as Claude's hooks are.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::agent::Setup;

/// How long the end of the program waits for hooks that still run.
const FAREWELL: Duration = Duration::from_secs(5);

/// One event for the hook.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The JSON that the command reads.
    pub body: Value,
}

impl Call {
    /// An event with its own fields and those that all have.
    #[must_use]
    pub fn new(event: &'static str, setup: &Setup, more: Value) -> Self {
        let mut body = json!({
            "hook_event_name": event,
            "session_id": setup.session,
            "transcript_path": format!("{}/{}.jsonl", setup.cwd, setup.session),
            "cwd": setup.cwd,
            "permission_mode": "default",
        });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        Self { body }
    }

    /// The name of the event.
    #[must_use]
    pub fn event(&self) -> &str {
        let name = self.body.get("hook_event_name");
        name.and_then(Value::as_str).unwrap_or_default()
    }
}

/// Runs the hook, one event after the other, beside the program.
#[derive(Debug)]
pub struct Hooks {
    calls: Option<mpsc::Sender<Call>>,
    done: mpsc::Receiver<()>,
}

impl Hooks {
    /// A hook of these words: one is a line for `sh -c`, as in Claude's settings; several are a
    /// program and its arguments; none is no hook.
    #[must_use]
    pub fn new(words: Vec<String>) -> Self {
        let (calls, events) = mpsc::channel::<Call>();
        let (finished, done) = mpsc::channel();
        if words.is_empty() {
            return Self { calls: None, done };
        }
        thread::spawn(move || {
            for call in events {
                // A hook that cannot be run is the test's own affair, and no reason to stop.
                let _ = run(&words, &call);
            }
            let _ = finished.send(());
        });
        Self {
            calls: Some(calls),
            done,
        }
    }

    /// Runs it for an event, after those before.
    pub fn call(&self, call: Call) {
        if let Some(calls) = &self.calls {
            let _ = calls.send(call);
        }
    }

    /// Waits until all are done, but not for ever.
    pub fn finish(mut self) {
        if self.calls.take().is_some() {
            let _ = self.done.recv_timeout(FAREWELL);
        }
    }
}

fn run(words: &[String], call: &Call) -> io::Result<()> {
    let mut command = match words {
        [line] => {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]);
            shell
        }
        [program, rest @ ..] => {
            let mut command = Command::new(program);
            command.args(rest);
            command
        }
        [] => return Ok(()),
    };
    // The screen is the agent's: what a hook prints is not seen.
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook need not read.
        let _ = stdin.write_all(call.body.to_string().as_bytes());
    }
    child.wait().map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::agent::Like;
    use super::*;

    #[test]
    fn a_hook_reads_every_event_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let line = format!("cat >> '{0}'; echo >> '{0}'", seen.display());
        let hooks = Hooks::new(vec![line]);
        let setup = Setup::new(Like::Claude);
        for number in 0..5 {
            hooks.call(Call::new("Stop", &setup, json!({ "number": number })));
        }
        hooks.finish();
        let text = std::fs::read_to_string(seen).unwrap();
        let bodies: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let numbers: Vec<_> = bodies.iter().map(|body| body["number"].clone()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        assert_eq!(bodies[0]["hook_event_name"], "Stop");
        assert_eq!(bodies[0]["session_id"], setup.session);
    }

    #[test]
    fn no_words_are_no_hook() {
        let hooks = Hooks::new(Vec::new());
        hooks.call(Call::new("Stop", &Setup::new(Like::Claude), json!({})));
        hooks.finish();
    }
}
