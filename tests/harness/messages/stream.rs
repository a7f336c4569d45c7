//! An answer as the API has it.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::turn::Part;

/// How many characters come at once.
const CHUNK: usize = 12;

/// A name that nothing else has: what has the name of something earlier is taken for a part of it.
fn fresh(kind: &str) -> String {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    let number = GIVEN.fetch_add(1, Ordering::Relaxed);
    format!("{kind}_{number:024}")
}

/// Pieces of a text, in their order.
pub(super) fn chunks(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text
        .char_indices()
        .step_by(CHUNK)
        .map(|(at, _)| at)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(from, to)| text.get(*from..to))
        .collect()
}

fn usage() -> Value {
    json!({"input_tokens": 100, "output_tokens": 10,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0})
}

fn message(model: &str, content: &Value, stop: &Value) -> Value {
    json!({"id": fresh("msg"), "type": "message", "role": "assistant", "model": model,
        "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage()})
}

fn tool(command: &str) -> Value {
    json!({"command": command, "description": "Run it"})
}

fn stop(parts: &[Part]) -> &'static str {
    match parts.iter().any(|part| matches!(part, Part::Run(_))) {
        true => "tool_use",
        false => "end_turn",
    }
}

/// An answer in one.
pub(super) fn whole(model: &str, parts: &[Part]) -> Value {
    let content = parts.iter().filter_map(|part| match part {
        Part::Text(text, _) => Some(json!({"type": "text", "text": text})),
        Part::Run(command) => {
            Some(json!({"type": "tool_use", "id": fresh("toolu"), "name": "Bash", "input": tool(command)}))
        }
        Part::Wait => None,
    });
    message(model, &content.collect(), &stop(parts).into())
}

/// An answer in events.
pub(super) struct Events<'a> {
    to: &'a TcpStream,
    index: usize,
    is_open: bool,
}

impl<'a> Events<'a> {
    /// Begins it.
    pub(super) fn begin(to: &'a TcpStream, model: &str) -> io::Result<Self> {
        let mut events = Self {
            to,
            index: 0,
            is_open: false,
        };
        let message = message(model, &json!([]), &Value::Null);
        events.write("message_start", &json!({"message": message}))?;
        Ok(events)
    }

    fn write(&mut self, kind: &str, more: &Value) -> io::Result<()> {
        let mut data = more.clone();
        data["type"] = kind.into();
        write!(self.to, "event: {kind}\ndata: {data}\n\n")
    }

    fn block(&mut self, kind: &str, more: &Value) -> io::Result<()> {
        let mut data = more.clone();
        data["index"] = self.index.into();
        self.write(kind, &data)
    }

    fn open(&mut self, block: &Value) -> io::Result<()> {
        self.close()?;
        self.is_open = true;
        self.block("content_block_start", &json!({"content_block": block}))
    }

    fn close(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_open) {
            self.block("content_block_stop", &json!({}))?;
            self.index += 1;
        }
        Ok(())
    }

    /// Texts from here on go into the block that is open, or into a new one.
    pub(super) fn open_text(&mut self) -> io::Result<()> {
        match self.is_open {
            true => Ok(()),
            false => self.open(&json!({"type": "text", "text": ""})),
        }
    }

    /// More of a text.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        let delta = json!({"delta": {"type": "text_delta", "text": text}});
        self.block("content_block_delta", &delta)
    }

    /// Says that it is still there.
    pub(super) fn ping(&mut self) -> io::Result<()> {
        self.write("ping", &json!({}))
    }

    /// Uses the agent's shell.
    pub(super) fn tool(&mut self, command: &str) -> io::Result<()> {
        self.open(&json!({"type": "tool_use", "id": fresh("toolu"), "name": "Bash", "input": {}}))?;
        let input = tool(command).to_string();
        let delta = json!({"delta": {"type": "input_json_delta", "partial_json": input}});
        self.block("content_block_delta", &delta)?;
        self.close()
    }

    /// Ends it.
    pub(super) fn end(mut self, parts: &[Part]) -> io::Result<()> {
        self.close()?;
        let delta = json!({"delta": {"stop_reason": stop(parts), "stop_sequence": null},
            "usage": usage()});
        self.write("message_delta", &delta)?;
        self.write("message_stop", &json!({}))
    }
}
