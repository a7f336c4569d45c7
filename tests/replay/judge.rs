//! A connection and the toy tmux it talks to: is what it says what the toy means?
//!
//! The fuzz target `connection` has this file as a module too: the scripts are made differently,
//! what must hold is the same.

use tmux_cc::protocol::{Command, Connection, Event, Limits, Nonce, Spoof};
use tmux_cc::wire::Notification;

use crate::toy::{Act, Forged, Told, Toy};

/// How a script is played.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The sizes of the pieces in which bytes arrive, again and again.
    pub(crate) sizes: Vec<usize>,
    /// Are events taken after every piece, not only when all has arrived?
    pub(crate) eager: bool,
    /// How many commands are sent before the toy's next turn.
    pub(crate) burst: usize,
    /// Where the toy's numbers begin.
    pub(crate) number: u32,
    /// What the fences are made of.
    pub(crate) nonce: [u8; 16],
}

/// What the toy has written.
pub(crate) struct Played {
    pub(crate) stream: Vec<u8>,
    /// How many commands it answers.
    pub(crate) commands: usize,
}

/// What an event says, but for a desync.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Reply {
        id: u64,
        blocks: Vec<(bool, Vec<u8>)>,
        spoof: Option<Spoof>,
    },
    Hook(bool, Vec<u8>),
    /// A notification or a stray line, in words.
    Line(String),
    /// What no toy causes.
    Other(String),
}

impl Heard {
    /// `None` for a desync: that is what forging must cause.
    fn of(event: &Event<'_>) -> Option<Self> {
        Some(match event {
            Event::Reply(id, Ok(reply)) => Self::Reply {
                id: id.0,
                blocks: reply
                    .blocks()
                    .iter()
                    .map(|block| (block.is_ok(), block.body().to_vec()))
                    .collect(),
                spoof: reply.spoof(),
            },
            Event::Unsolicited(block) => Self::Hook(block.is_ok(), block.body().to_vec()),
            Event::Notification(_) | Event::Stray(_) => Self::Line(format!("{event:?}")),
            Event::Desync(_) => return None,
            other => Self::Other(format!("{other:?}")),
        })
    }

    /// What must be heard where the toy means this.
    fn wanted(told: &Told) -> Self {
        match told {
            Told::Reply {
                line,
                blocks,
                forged,
                ..
            } => Self::Reply {
                id: *line,
                blocks: blocks.clone(),
                spoof: match forged {
                    Forged::Nothing => None,
                    Forged::Lookalike => Some(Spoof::Lookalike),
                    Forged::Own => Some(Spoof::Rejoined),
                },
            },
            Told::Hook(ok, body) => Self::Hook(*ok, body.clone()),
            Told::Line(line) if line.starts_with(b"%") => Self::Line(format!(
                "{:?}",
                Event::Notification(Notification::parse(line))
            )),
            Told::Line(line) => Self::Line(format!("{:?}", Event::Stray(line))),
        }
    }

    const fn is_broken(&self) -> bool {
        matches!(
            self,
            Self::Reply {
                spoof: Some(Spoof::Broken),
                ..
            }
        )
    }
}

pub(crate) fn pieces<'a>(
    stream: &'a [u8],
    sizes: &'a [usize],
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let mut rest = stream;
    let mut sizes = sizes.iter().cycle();
    std::iter::from_fn(move || {
        let size = sizes.next().map_or(rest.len(), |size| *size.max(&1));
        let (piece, tail) = rest.split_at(rest.len().min(size));
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Plays a script: the toy answers, in turns, what the connection transmits.
///
/// # Panics
/// Where a reply does not reach its command with exactly the bodies that the toy has made, or
/// where anything else is not said as it was meant.
pub(crate) fn replies_reach_their_commands(script: &[Act], way: &Way) -> Played {
    let is_line = |act: &&Act| matches!(act, Act::Line { .. });
    let commands = script.iter().filter(is_line).count();
    let mut toy = Toy::new(script.iter().cloned()).numbered_from(way.number);
    let mut conn = Connection::new(Limits::default(), Nonce::new(way.nonce));
    toy.greet();
    conn.receive(&toy.take_output());
    assert!(matches!(conn.poll_event(), Some(Event::Attached(_))));

    let (mut stream, mut heard, mut sent) = (Vec::new(), Vec::new(), 0);
    let mut hear = |conn: &mut Connection, bytes: &[u8]| {
        stream.extend_from_slice(bytes);
        for piece in pieces(bytes, &way.sizes) {
            conn.receive(piece);
            while way.eager
                && let Some(event) = conn.poll_event()
            {
                heard.extend(Heard::of(&event));
            }
        }
        while let Some(event) = conn.poll_event() {
            heard.extend(Heard::of(&event));
        }
    };
    while sent < commands || conn.pending() > 0 {
        for _ in 0..way.burst.max(1).min(commands - sent) {
            let id = conn.send(&Command::raw(format!("run {sent}")));
            assert_eq!(id.map(|id| id.0), Ok(sent as u64));
            sent += 1;
        }
        toy.turn(&conn.poll_transmit().unwrap_or_default());
        hear(&mut conn, &toy.take_output());
    }
    toy.idle();
    hear(&mut conn, &toy.take_output());
    // What looks like the last line of all is only said when more has come.
    let last = b"%output %9 last\n";
    hear(&mut conn, last);
    let mut told = toy.told().to_vec();
    told.push(Told::Line(b"%output %9 last".to_vec()));

    judge(&heard, &told);
    Played { stream, commands }
}

fn judge(heard: &[Heard], told: &[Told]) {
    let wanted: Vec<_> = told.iter().map(Heard::wanted).collect();
    let replies = heard.iter().filter(|heard| is_reply(heard));
    let lines = told.iter().zip(&wanted);
    let mut lost = false;
    let mut answered = 0;
    let meant = lines.filter(|(_, wanted)| is_reply(wanted));
    for (heard, (told, wanted)) in replies.zip(meant) {
        answered += 1;
        let Told::Reply {
            forged,
            uncertain,
            lucky,
            ..
        } = told
        else {
            continue;
        };
        match (heard, wanted) {
            (Heard::Reply { id, .. }, Heard::Reply { id: wanted_id, .. })
                if *lucky || *uncertain && heard.is_broken() =>
            {
                // It may be wrong, but says so.
                assert!(heard.is_broken(), "{heard:?} is taken for {wanted:?}");
                assert_eq!(id, wanted_id);
                lost = true;
            }
            (
                Heard::Reply { id, blocks, .. },
                Heard::Reply {
                    id: wanted_id,
                    blocks: wanted,
                    ..
                },
            ) if *forged == Forged::Own && heard.is_broken() => {
                // Of guesses that come close enough, the worst is thought.
                assert_eq!((id, blocks), (wanted_id, wanted));
            }
            _ => assert_eq!(heard, wanted),
        }
    }
    assert_eq!(
        answered,
        wanted.iter().filter(|wanted| is_reply(wanted)).count(),
        "commands without a reply"
    );
    if !lost {
        // Each reply has been compared; here it must only stand in its place.
        let same = |heard: &Heard, wanted: &Heard| {
            heard == wanted || (is_reply(heard) && is_reply(wanted))
        };
        let pairs = heard.iter().zip(&wanted);
        for (at, (heard, wanted)) in pairs.enumerate() {
            assert!(same(heard, wanted), "{at}: {heard:?} is not {wanted:?}");
        }
        assert_eq!(heard.len(), wanted.len());
    }
}

const fn is_reply(heard: &Heard) -> bool {
    matches!(heard, Heard::Reply { .. })
}

/// All that a stream is said to mean, every command sent before it.
pub(crate) fn replay(stream: &[u8], commands: usize, way: &Way) -> Vec<String> {
    let mut conn = Connection::new(Limits::default(), Nonce::new(way.nonce));
    let mut said = Vec::new();
    let mut drain = |conn: &mut Connection| {
        while let Some(event) = conn.poll_event() {
            said.push(format!("{event:?}"));
        }
    };
    conn.receive(b"%begin 1 1 0\n%end 1 1 0\n");
    for _ in 0..commands {
        let id = conn.send(&Command::raw("run"));
        assert!(id.is_ok(), "{id:?}");
    }
    for piece in pieces(stream, &way.sizes) {
        conn.receive(piece);
        if way.eager {
            drain(&mut conn);
        }
    }
    conn.receive_end();
    drain(&mut conn);
    said
}

/// The same in one piece.
pub(crate) fn replay_whole(stream: &[u8], commands: usize, way: &Way) -> Vec<String> {
    let whole = Way {
        sizes: vec![usize::MAX],
        eager: true,
        ..way.clone()
    };
    replay(stream, commands, &whole)
}

/// Any pieces say the same, every command is answered once and in order, and the end is the last
/// word.
///
/// # Panics
/// Where that does not hold.
pub(crate) fn any_pieces_say_the_same(stream: &[u8], commands: usize, way: &Way) {
    let whole = replay_whole(stream, commands, way);
    ends_well(&whole, commands);
    assert_eq!(replay(stream, commands, way), whole);
    let bytes = Way {
        sizes: vec![1],
        ..way.clone()
    };
    assert_eq!(replay(stream, commands, &bytes), whole, "byte by byte");
}

/// A stream may end at any byte, and say why or not: what was answered by then stays as it is.
///
/// # Panics
/// Where what is said then depends on the pieces, or a reply is another one than without the end.
pub(crate) fn the_end_may_come_anywhere(played: &Played, cut: usize, way: &Way) {
    let whole = replay_whole(&played.stream, played.commands, way);
    let cut = &played.stream[..cut % (played.stream.len() + 1)];
    for end in ["", "%exit\n", "%exit server exited unexpectedly\n"] {
        let cut = [cut, end.as_bytes()].concat();
        any_pieces_say_the_same(&cut, played.commands, way);
        let said = replay_whole(&cut, played.commands, way);
        let last = said.last().map(String::as_str).unwrap_or_default();
        let died = end.len() > "%exit\n".len();
        assert!(!died || last.starts_with("Exited(Reason("), "{said:?}");
        // A clean end may itself be the success of the command that was not answered yet.
        if last != "Exited(Detached)" {
            let is_answer = |event: &&String| event.starts_with("Reply(") && event.contains("Ok(");
            for answer in said.iter().filter(is_answer) {
                assert!(whole.contains(answer), "{answer} is not in {whole:?}");
            }
        }
    }
}

/// Is every command answered once, in order, and is the end the last word?
pub(crate) fn ends_well(said: &[String], commands: usize) {
    let ids = said
        .iter()
        .filter_map(|event| event.strip_prefix("Reply(CommandId(")?.split(')').next());
    let wanted = (0..commands).map(|id| id.to_string());
    assert!(ids.eq(wanted), "{said:?}");
    let end = said.iter().position(|event| event.starts_with("Exited("));
    assert_eq!(end, Some(said.len() - 1), "{said:?}");
}
