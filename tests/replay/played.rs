//! A transcript, played to a connection that sends what was sent then.

use harness::scenario::{Step, Transcript, What};
use tmux_cc::protocol::{Block, Command, Connection, Desync, Event, Limits, Nonce, ReplyError};
use tmux_cc::wire::{Notification, Version};

/// A run of one byte longer than this is shown as its length.
const RUN: usize = 40;

/// A connection to a server of this version, with the fences of the transcripts.
pub(crate) fn connection(version: &str) -> Connection {
    let nonce = Nonce::new(harness::scenario::NONCE);
    let mut conn = Connection::new(Limits::default(), nonce);
    conn.set_version(Version::parse(version.as_bytes()).expect("a directory is a version"));
    conn
}

/// The lines that were sent with a fence, as commands.
pub(crate) fn commands(transcript: &Transcript) -> impl Iterator<Item = (usize, Command)> {
    let steps = transcript.steps.iter();
    steps.filter_map(|step| match step {
        Step {
            at,
            what: What::Command(line),
        } => Some((*at, Command::raw(line))),
        _ => None,
    })
}

/// Calls `see` with every event of a transcript, sending each command when it was sent.
///
/// # Panics
///
/// When the connection would not have sent the same bytes.
pub(crate) fn play(transcript: &Transcript, version: &str, mut see: impl FnMut(&Event<'_>)) {
    let name = &transcript.name;
    let mut conn = connection(version);
    let mut drain = |conn: &mut Connection| {
        while let Some(event) = conn.poll_event() {
            see(&event);
        }
    };
    let mut from = 0;
    for (number, (at, command)) in commands(transcript).enumerate() {
        conn.receive(&transcript.stream[from..at]);
        drain(&mut conn);
        from = at;
        let id = conn.send(&command);
        let id = id.unwrap_or_else(|error| panic!("{name}: {command}: {error}"));
        assert_eq!(id.0, number as u64, "{name}: {command}");
        let line = command.line().expect("it was sent");
        let (fence, _) = Transcript::fence(number);
        let wanted = [line, b"\n", fence.as_bytes(), b"\n"].concat();
        let sent = conn.poll_transmit().unwrap_or_default();
        assert_eq!(
            sent.escape_ascii().to_string(),
            wanted.escape_ascii().to_string(),
            "{name}"
        );
    }
    conn.receive(&transcript.stream[from..]);
    conn.receive_end();
    drain(&mut conn);
}

/// The events of a transcript as text, without what differs from one recording to the next: the
/// clock and numbers of guards, the age of output and the pieces it came in.
pub(crate) fn snapshot(transcript: &Transcript, version: &str) -> String {
    let lines: Vec<&[u8]> = transcript
        .steps
        .iter()
        .filter_map(|step| match &step.what {
            What::Command(line) => Some(&line[..]),
            _ => None,
        })
        .collect();
    let mut text = Text::default();
    play(transcript, version, |event| text.event(event, &lines));
    text.end_output();
    normal(&text.said)
}

#[derive(Default)]
struct Text {
    said: String,
    /// Output of one pane in a row: what it is called, and its bytes as they travelled.
    output: Option<(String, Vec<u8>)>,
}

impl Text {
    fn event(&mut self, event: &Event<'_>, sent: &[&[u8]]) {
        let output = match event {
            Event::Notification(Notification::Output { pane, data }) => {
                Some((format!("Output {pane}"), data.as_bytes()))
            }
            Event::Notification(Notification::ExtendedOutput { pane, data, .. }) => {
                Some((format!("ExtendedOutput {pane}"), data.as_bytes()))
            }
            _ => None,
        };
        if let Some((title, data)) = output {
            if self
                .output
                .as_ref()
                .is_none_or(|(before, _)| *before != title)
            {
                self.end_output();
            }
            let (_, bytes) = self.output.get_or_insert_with(|| (title, Vec::new()));
            bytes.extend_from_slice(data);
            return;
        }
        self.end_output();
        match event {
            Event::Attached(block) => self.block("Attached", block),
            Event::Refused(block) => self.block("Refused", block),
            Event::Unsolicited(block) => self.block("Unsolicited", block),
            Event::Notification(notification) => self.line(&readable(notification)),
            Event::Stray(line) => self.line(&format!("Stray \"{}\"", shown(line))),
            Event::Reply(id, reply) => {
                let number = usize::try_from(id.0).expect("few were sent");
                self.line(&format!("Reply to: {}", shown(sent[number])));
                match reply {
                    Ok(reply) => {
                        for block in reply.blocks() {
                            self.block("   ", block);
                        }
                        if let Some(spoof) = reply.spoof() {
                            self.line(&format!("    spoof: {spoof:?}"));
                        }
                    }
                    Err(ReplyError::Disconnected(exit)) => {
                        self.line(&format!("    no reply: {exit}"));
                    }
                    Err(error) => self.line(&format!("    no reply: {error}")),
                }
            }
            Event::Desync(desync) => {
                let kind = match desync {
                    Desync::CutLine { line } => format!("CutLine \"{}\"", shown(line)),
                    // Their guards differ from one recording to the next.
                    other => {
                        let all = format!("{other:?}");
                        let end = all.find(|c: char| !c.is_ascii_alphanumeric());
                        all[..end.unwrap_or(all.len())].to_owned()
                    }
                };
                self.line(&format!("Desync {kind}"));
            }
            Event::Exited(exit) => self.line(&format!("Exited: {exit}")),
            _ => panic!("an event without a text: {event:?}"),
        }
    }

    fn block(&mut self, title: &str, block: &Block) {
        let (end, flags) = (
            if block.is_ok() { "end" } else { "error" },
            block.guard().flags,
        );
        self.line(&format!("{title} {end} {flags}"));
        for line in block.lines() {
            self.line(&format!("    | {}", shown(line)));
        }
    }

    fn end_output(&mut self) {
        if let Some((title, bytes)) = self.output.take() {
            self.line(&format!("{title} \"{}\"", shown(&bytes)));
        }
    }

    fn line(&mut self, line: &str) {
        self.said.push_str(line);
        self.said.push('\n');
    }
}

/// A notification as `Debug` has it, but with text for `[116, 101, 120, 116]` and `@0` for
/// `WindowId(0)`.
fn readable(notification: &Notification<'_>) -> String {
    let mut text = format!("{notification:?}");
    for (kind, sign) in [("PaneId(", '%'), ("WindowId(", '@'), ("SessionId(", '$')] {
        while let Some(at) = text.find(kind) {
            let end = at + text[at..].find(')').expect("a bracket that closes");
            let id = text[at + kind.len()..end].to_owned();
            text.replace_range(at..=end, &format!("{sign}{id}"));
        }
    }
    let mut from = 0;
    while let Some(at) = text[from..].find('[').map(|at| at + from) {
        let end = at + text[at..].find(']').expect("a bracket that closes");
        let bytes = text[at + 1..end]
            .split(", ")
            .filter(|number| !number.is_empty());
        let bytes: Vec<u8> = bytes.map(|byte| byte.parse().expect("a byte")).collect();
        let quoted = format!("\"{}\"", shown(&bytes));
        text.replace_range(at..=end, &quoted);
        from = at + quoted.len();
    }
    text
}

/// Bytes for a reader: UTF-8 as it is, all else escaped, a long run of one byte as its length.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        if run.len() > RUN {
            text.push_str(&format!("{{{} x {}}}", run.len(), run[..1].escape_ascii()));
        } else {
            text.push_str(&harness::scenario::escape(run));
        }
    }
    text
}

/// The text without the lengths of names that the recorder has put others in place of.
fn normal(text: &str) -> String {
    let mut said = String::new();
    let mut rest = text;
    let placeholders = [
        ("client-", "client-", char::is_numeric as fn(char) -> bool),
        ("/dev/pts/", "/dev/pts/", char::is_numeric),
        ("/xxxxxx", "/home", |c| c == 'x'),
    ];
    while let Some((at, found, new, more)) = placeholders
        .iter()
        .filter_map(|(old, new, more)| Some((rest.find(old)?, old, new, more)))
        .min_by_key(|(at, ..)| *at)
    {
        said.push_str(&rest[..at]);
        said.push_str(new);
        rest = &rest[at + found.len()..];
        let tail = rest.trim_start_matches(more);
        // `client-1111`: the number of the client, as often as its process number was long.
        if *new != "/home" {
            said.push_str(&rest[..(rest.len() - tail.len()).min(1)]);
        }
        rest = tail;
    }
    said.push_str(rest);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_run_lose_their_length() {
        assert_eq!(
            normal("a client-2222 b client-detached /xxxxxxxxxx/f /dev/pts/00 client-33\n"),
            "a client-2 b client-detached /home/f /dev/pts/0 client-3\n"
        );
    }

    #[test]
    fn notifications_are_readable() {
        let line = b"%session-changed $12 h\xc3\xa9 []";
        assert_eq!(
            readable(&Notification::parse(line)),
            r#"SessionChanged { session: $12, name: "h\xc3\xa9 []" }"#
        );
    }
}
