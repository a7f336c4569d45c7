//! Scripts of bytes and the events they must give, in any pieces.

mod forged;
mod hostile;
mod junk;
mod limits;
mod scripts;

use super::{Command, Connection, Event, Limits, Nonce};
use crate::wire::{Notification, Version};

/// The fence's text in every test, but for the number of its command.
const FENCE: &str = "f07070707070707070707070707070707-";

/// One step of a script.
#[derive(Clone, Debug)]
enum Step {
    Send(String),
    Say(Vec<u8>),
    Version(&'static str),
    End,
}

use Step::{End, Version as Is};

fn send(line: &str) -> Step {
    Step::Send(line.to_owned())
}

/// What tmux says, a line between two bars.
///
/// `B5`, `E5` and `X5` stand for `%begin`, `%end` and `%error` of block 5, typed by us; `b5`, `e5`
/// and `x5` for those of a block that was not. `F0` is the whole fence of command 0, whose block
/// has the number 19; that of command 1 has 29. All else stands for itself.
fn say(lines: &str) -> Step {
    Step::Say(stream(lines))
}

/// The same, and the last line has no end.
fn say_cut(lines: &str) -> Step {
    let mut stream = stream(lines);
    stream.pop();
    Step::Say(stream)
}

fn stream(lines: &str) -> Vec<u8> {
    lines
        .split('|')
        .flat_map(|line| line_of(line).into_bytes())
        .collect()
}

fn line_of(line: &str) -> String {
    let Some((kind, Ok(number))) = line.split_at_checked(1).map(|(k, n)| (k, n.parse::<u32>()))
    else {
        return format!("{line}\n");
    };
    match kind {
        "B" => format!("%begin 1 {number} 1\n"),
        "E" => format!("%end 1 {number} 1\n"),
        "X" => format!("%error 1 {number} 1\n"),
        "b" => format!("%begin 1 {number} 0\n"),
        "e" => format!("%end 1 {number} 0\n"),
        "x" => format!("%error 1 {number} 0\n"),
        "F" => {
            let at = 10 * number + 19;
            format!("%begin 1 {at} 1\n{FENCE}{number}\n%end 1 {at} 1\n")
        }
        _ => format!("{line}\n"),
    }
}

/// An event in one line.
fn tell(event: &Event<'_>) -> String {
    let block = |block: &super::Block| {
        let kind = if block.is_ok() { "ok" } else { "error" };
        format!("{kind} \"{}\"", block.body().escape_ascii())
    };
    match event {
        Event::Attached(said) => format!("attached {}", block(said)),
        Event::Refused(said) => format!("refused {}", block(said)),
        Event::Unsolicited(said) => format!("unsolicited {}", block(said)),
        Event::Notification(Notification::Output { pane, data }) => {
            format!("output {pane} \"{}\"", data.as_bytes().escape_ascii())
        }
        Event::Notification(Notification::Unknown { line }) => {
            format!("unknown \"{}\"", line.escape_ascii())
        }
        Event::Notification(Notification::Exit { reason }) => {
            format!("exit \"{}\"", reason.escape_ascii())
        }
        Event::Notification(notification) => format!("{notification:?}"),
        Event::Stray(line) => format!("stray \"{}\"", line.escape_ascii()),
        Event::Reply(id, Ok(reply)) => {
            let blocks = reply
                .blocks()
                .iter()
                .map(block)
                .collect::<Vec<_>>()
                .join(", ");
            let spoof = reply
                .spoof()
                .map(|spoof| format!(" {spoof:?}"))
                .unwrap_or_default();
            format!("reply {}: {blocks}{spoof}", id.0)
        }
        Event::Reply(id, Err(error)) => format!("reply {}: {error:?}", id.0),
        Event::Desync(desync) => format!("{desync:?}"),
        Event::Exited(exit) => format!("exited {exit:?}"),
    }
}

fn new(limits: Limits) -> Connection {
    Connection::new(limits, Nonce::new([7; 16]))
}

/// Takes events until there is none.
fn drain(conn: &mut Connection, told: &mut Vec<String>) {
    while let Some(event) = conn.poll_event() {
        told.push(tell(&event));
    }
}

/// Plays a script, with what tmux says in pieces of `size`; `eager` asks for events after each.
fn play(limits: Limits, steps: &[Step], size: usize, eager: bool) -> Vec<String> {
    let mut conn = new(limits);
    let mut told = Vec::new();
    for step in steps {
        match step {
            Step::Send(line) => drop(conn.send(&Command::raw(line)).unwrap()),
            Step::Version(version) => {
                conn.set_version(Version::parse(version.as_bytes()).unwrap());
            }
            Step::Say(bytes) => {
                for piece in bytes.chunks(size) {
                    conn.receive(piece);
                    if eager {
                        drain(&mut conn, &mut told);
                    }
                }
            }
            End => conn.receive_end(),
        }
        drain(&mut conn, &mut told);
    }
    told
}

/// Asserts that a script gives these events, whatever the pieces.
#[track_caller]
fn check_within(limits: Limits, steps: &[Step], expected: &[&str]) {
    let told = play(limits, steps, usize::MAX, true);
    assert_eq!(told, expected, "{steps:?}");
    for size in [1, 2, 3, 5, 7, 16, 61] {
        for eager in [true, false] {
            assert_eq!(
                play(limits, steps, size, eager),
                expected,
                "in pieces of {size}: {steps:?}"
            );
        }
    }
}

#[track_caller]
fn check(steps: &[Step], expected: &[&str]) {
    check_within(Limits::default(), steps, expected);
}

/// The same on a connection that has attached.
#[track_caller]
fn attached(steps: &[Step], expected: &[&str]) {
    attached_within(Limits::default(), steps, expected);
}

#[track_caller]
fn attached_within(limits: Limits, steps: &[Step], expected: &[&str]) {
    let steps = [&[say("b1|e1")], steps].concat();
    check_within(limits, &steps, &[&["attached ok \"\""], expected].concat());
}
