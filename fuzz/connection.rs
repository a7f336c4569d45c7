//! One connection: with a toy tmux that knows what is right, and with bytes that no tmux sends.

use std::iter::repeat_n;

use tmux_cc::protocol::{Command, Connection, Event, Limits, Nonce};
use tmux_cc::wire::{DCS, Notification, ST, Version, escape_into};

use crate::bytes::{Bytes, hash};
use crate::judge::{self, Way, ends_well, pieces};
use crate::memory;
use crate::toy::{Act, Body, Kind, Line, is_guard};

/// A script for the toy tmux, or a raw stream: the first byte says which.
pub fn connection(input: &[u8]) {
    let (mode, rest) = input.split_first().unwrap_or((&0, &[]));
    if mode & 1 == 1 {
        with_a_toy(rest);
    } else {
        hostile(rest);
    }
}

/// Every reply reaches its command with the bodies that the toy has made.
fn with_a_toy(input: &[u8]) {
    // Fences and numbers must be such that no input can have guessed them.
    let hash = hash(input);
    let mut input = Bytes(input);
    let check = input.below(4);
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&hash.to_be_bytes());
    nonce[8..].copy_from_slice(&hash.rotate_left(17).to_le_bytes());
    let way = Way {
        sizes: input.sizes(),
        eager: input.flag(),
        burst: usize::from(input.below(5)) + 1,
        number: if hash & 1 == 1 {
            u32::MAX - 20
        } else {
            (hash >> 32) as u32
        },
        nonce,
    };
    let mut script = Vec::new();
    while !input.is_empty() && script.len() < 60 {
        script.push(match input.below(8) {
            0..4 => Act::Line {
                blocks: (0..input.below(4)).map(|_| body(&mut input)).collect(),
                fails: input.flag(),
                around: (0..input.below(3)).map(|_| aside(&mut input)).collect(),
            },
            4 => Act::Wait(1 + input.below(3)),
            _ => aside(&mut input),
        });
    }
    let played = judge::replies_reach_their_commands(&script, &way);
    match check {
        0 => judge::any_pieces_say_the_same(&played.stream, played.commands, &way),
        1 => judge::the_end_may_come_anywhere(&played, hash as usize >> 3, &way),
        _ => {}
    }
}

/// Something that nobody typed.
fn aside(input: &mut Bytes<'_>) -> Act {
    let mut line = match input.below(6) {
        0 => {
            let mut body = body(input);
            for line in &mut body {
                // A hook's block that holds its own guard ends there: only a fence knows better.
                if matches!(line, Line::Own(_) | Line::Guess(_, 0)) {
                    *line = Line::Guess(Kind::End, -1);
                }
            }
            return Act::Hook(body, input.flag());
        }
        1 => text(input),
        2 => [b"%window-renamed @0 ", &text(input)[..]].concat(),
        3 => {
            let mut line = b"%output %1 ".to_vec();
            escape_into(input.some(), &mut line);
            line
        }
        4 => [&text(input)[..], b"%exit server exited unexpectedly"].concat(),
        _ => input.one(&LINES).to_vec(),
    };
    // What would be a guard, or the end of a terminal's stream, is made something else.
    if is_guard(&line) || line == ST {
        line.push(b'.');
    }
    Act::Say(line)
}

fn body(input: &mut Bytes<'_>) -> Body {
    (0..input.below(7))
        .map(|_| match input.below(8) {
            0..2 => Line::Text(text(input)),
            2 => Line::Text(input.one(&LINES).to_vec()),
            3 => Line::Text(vec![input.byte() | 0x20; usize::from(input.byte()) * 20]),
            4 => Line::Own(input.one(&Kind::ALL)),
            _ => Line::Guess(input.one(&Kind::ALL), i32::from(input.byte().cast_signed())),
        })
        .collect()
}

/// The words of somebody else, on one line.
fn text(input: &mut Bytes<'_>) -> Vec<u8> {
    let mut text = input.some().to_vec();
    for byte in &mut text {
        if *byte == b'\n' {
            *byte = b' ';
        }
    }
    text
}

const LINES: [&[u8]; 12] = [
    b"",
    b"%exit",
    b"%exit too far behind",
    b"%exit server exited unexpectedly",
    b"%output %0 x\\033[m",
    b"%output %0 a%exit server exited unexpectedly",
    b"%extended-output %1 5 : y",
    b"%layout-change @0 b25d,80x24,0,0,0 b25d,80x24,0,0,0 ",
    b"%pause %0",
    b"%foo-bar baz",
    b"\x1bP1000p",
    b"-: Bad file descriptor",
];

/// What happens to a connection.
enum Op {
    Say(Vec<u8>),
    Send(&'static str),
    Version(&'static str),
    /// What was said last comes again and again.
    Again(usize),
}

/// No bytes make it panic or grow, and what it says of them does not depend on the pieces.
fn hostile(input: &[u8]) {
    let seldom = hash(input).is_multiple_of(16);
    let mut input = Bytes(input);
    let line = [4 << 20, 4 << 20, 40, 120][usize::from(input.below(4))];
    let reply = [16 << 20, 16 << 20, 0, 200, 400, 5000][usize::from(input.below(6))];
    let limits = Limits::default().line(line).reply(reply).pending(4);
    let sizes = input.sizes();
    let eager = input.flag();
    let ops = ops(input.0);

    let whole = hear(limits, &ops, &[usize::MAX], true);
    ends_well(&whole.said, whole.sent);
    for (sizes, eager) in [(&sizes[..], eager), (&[1], true)] {
        let heard = hear(limits, &ops, sizes, eager);
        assert_eq!((heard.said, heard.sent), (whole.said.clone(), whole.sent));
    }
    whole.is_kept();
    // A flood takes as long as a hundred inputs: one in sixteen has to do.
    if seldom && ops.iter().any(|op| matches!(op, Op::Again(_))) {
        does_not_grow(limits, &ops, &sizes);
    }
}

/// Raw bytes, but that a NUL and a low number are something else than bytes.
fn ops(input: &[u8]) -> Vec<Op> {
    let (mut ops, mut said) = (Vec::new(), Vec::new());
    let mut bytes = input.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != 0 {
            said.push(byte);
            continue;
        }
        let op = match bytes.next() {
            Some(1) => Op::Send("list-panes"),
            Some(2) => Op::Send("refresh-client -A '%0:pause'"),
            Some(3) => Op::Send("a ; b ; c"),
            Some(4) => Op::Send("display-message hello"),
            Some(5) => Op::Version("3.3a"),
            Some(6) => Op::Version("3.8"),
            Some(7) => Op::Again(usize::from(bytes.next().unwrap_or(0)) + 1),
            other => {
                said.push(0);
                said.extend(other);
                continue;
            }
        };
        ops.push(Op::Say(std::mem::take(&mut said)));
        ops.push(op);
    }
    ops.push(Op::Say(said));
    ops
}

/// What a connection has said, and what it was told.
struct Heard {
    said: Vec<String>,
    /// How many commands it has taken.
    sent: usize,
    /// Every line that it did not understand.
    unknown: Vec<Vec<u8>>,
    stream: Vec<u8>,
}

/// The nonce is known: there are fences in the dictionary.
fn fresh(limits: Limits) -> Connection {
    Connection::new(limits, Nonce::new([7; 16]))
}

/// How much repeating may make of an input where all of it is compared.
const COMPARED: usize = 4 << 10;

fn hear(limits: Limits, ops: &[Op], sizes: &[usize], eager: bool) -> Heard {
    let mut conn = fresh(limits);
    let mut heard = Heard {
        said: Vec::new(),
        sent: 0,
        unknown: Vec::new(),
        stream: Vec::new(),
    };
    let mut last: &[u8] = &[];
    for op in ops {
        match op {
            Op::Say(bytes) => {
                heard.say(&mut conn, bytes, sizes, eager);
                last = bytes;
            }
            Op::Again(times) => {
                let room = COMPARED.saturating_sub(heard.stream.len()) / last.len().max(1);
                let again = last.repeat(room.min(*times));
                heard.say(&mut conn, &again, sizes, eager);
            }
            Op::Send(line) => {
                let sent = conn.send(&Command::raw(line));
                if let Ok(id) = sent {
                    assert_eq!(id.0, heard.sent as u64);
                    heard.sent += 1;
                }
                let _ = conn.poll_transmit();
            }
            Op::Version(version) => {
                conn.set_version(Version::parse(version.as_bytes()).expect("a version"));
            }
        }
    }
    conn.receive_end();
    heard.drain(&mut conn);
    assert!(conn.poll_event().is_none());
    assert!(conn.send(&Command::raw("late")).is_err());
    heard
}

impl Heard {
    fn say(&mut self, conn: &mut Connection, bytes: &[u8], sizes: &[usize], eager: bool) {
        self.stream.extend_from_slice(bytes);
        for piece in pieces(bytes, sizes) {
            conn.receive(piece);
            if eager {
                self.drain(conn);
            }
        }
        self.drain(conn);
    }

    fn drain(&mut self, conn: &mut Connection) {
        while let Some(event) = conn.poll_event() {
            self.said.push(format!("{event:?}"));
            if let Event::Stray(line) | Event::Notification(Notification::Unknown { line }) = event
            {
                self.unknown.push(line.to_vec());
            }
        }
    }

    /// What is not understood is there to the byte, in its order: a line of the stream each.
    fn is_kept(&self) {
        let stream = self.stream.strip_prefix(DCS);
        let crlf = stream.is_some();
        let mut lines = stream
            .unwrap_or(&self.stream)
            .split(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").filter(|_| crlf).unwrap_or(line));
        for kept in &self.unknown {
            assert!(
                lines.any(|line| line == kept),
                "nobody said {}",
                kept.escape_ascii()
            );
        }
    }
}

/// How much a repeated piece is made of where only memory is looked at.
const FLOOD: usize = 384 << 10;

/// What is asked of memory beside the limits: a buffer for reads, twice, and the small things.
const SLACK: usize = 256 << 10;

fn does_not_grow(limits: Limits, ops: &[Op], sizes: &[usize]) {
    let mut flooded = false;
    let largest = sizes.iter().copied().max().unwrap_or(1).max(4096);
    // A line of a dozen bytes that is doubted is remembered with a dozen words.
    let bound = 16 * limits.reply + 4 * limits.line + 4 * largest + SLACK;
    let before = memory::in_use();
    let mut conn = fresh(limits);
    let mut last: &[u8] = &[];
    for op in ops {
        match op {
            Op::Say(bytes) => {
                feed(&mut conn, bytes);
                last = bytes;
            }
            Op::Again(_) if flooded || last.is_empty() => {}
            Op::Again(_) => {
                flooded = true;
                let times = (largest / last.len()).max(1);
                let piece = last.repeat(times);
                let before = before + piece.len();
                for piece in repeat_n(&piece, FLOOD / piece.len()) {
                    feed(&mut conn, piece);
                    let held = memory::in_use().saturating_sub(before);
                    assert!(held <= bound, "{held} bytes held, over {bound}");
                }
            }
            Op::Send(line) => drop(conn.send(&Command::raw(line))),
            Op::Version(_) => {}
        }
    }
}

fn feed(conn: &mut Connection, bytes: &[u8]) {
    conn.receive(bytes);
    while conn.poll_event().is_some() {}
    let _ = conn.poll_transmit();
}
