//! A toy tmux that reads what is transmitted and answers it, and streams that no tmux would send.
//!
//! The toy is the oracle: it knows which blocks belong to which command because it has made them.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::protocol::Spoof;

/// A line of a body.
#[derive(Clone, Debug)]
enum Body {
    Text(&'static str),
    /// A guard with a number so far off its block's own.
    Guess(&'static str, i32),
    /// The very guard of its block.
    Own(&'static str),
}

#[derive(Clone, Debug)]
struct Block {
    body: Vec<Body>,
}

/// What tmux does, from one end of its queue to the other.
#[derive(Clone, Debug)]
enum Act {
    /// A typed line: its blocks, and whether the last one fails. None: a comment.
    Line {
        blocks: Vec<Block>,
        fails: bool,
        around: Vec<Self>,
    },
    /// `wait-for` and the like: what follows runs so many turns later.
    Wait(u8),
    /// A block that nobody typed.
    Hook(Block, bool),
    Notify(&'static str),
    Stray(&'static str),
}

/// What the connection is to say, but for desyncs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Reply {
        id: u64,
        blocks: Vec<(bool, String)>,
        spoof: Option<Spoof>,
    },
    Hook(bool, String),
    Line(String),
}

/// The server and the client's process in one.
#[derive(Debug, Default)]
struct Toy {
    typed: Vec<u8>,
    /// What the next typed lines do.
    script: VecDeque<Act>,
    queue: VecDeque<String>,
    number: u32,
    frozen: u8,
    out: Vec<u8>,
    told: Vec<Told>,
    /// The reply that is being made.
    reply: Vec<(bool, String)>,
    spoof: Option<Spoof>,
    answered: u64,
}

impl Toy {
    fn begin(&mut self, flags: u32) -> String {
        self.number = self.number.wrapping_add(1 + self.number % 3);
        let time = 1_795_371_907 - u64::from(self.number.is_multiple_of(5));
        format!("{time} {} {flags}", self.number)
    }

    /// Writes a block and gives its body.
    fn write(&mut self, flags: u32, ok: bool, block: &Block) -> String {
        let guard = self.begin(flags);
        let (time, _) = guard.split_once(' ').unwrap();
        let mut body = String::new();
        for line in &block.body {
            body += &match line {
                Body::Text(text) => (*text).to_owned(),
                Body::Own(kind) => format!("%{kind} {guard}"),
                Body::Guess(kind, off) => {
                    format!(
                        "%{kind} {time} {} {flags}",
                        self.number.wrapping_add_signed(*off)
                    )
                }
            };
            body += "\n";
        }
        let end = if ok { "end" } else { "error" };
        self.out
            .extend(format!("%begin {guard}\n{body}%{end} {guard}\n").into_bytes());
        body
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Line {
                blocks,
                fails,
                around,
            } => {
                let mut around = around.iter();
                for (at, block) in blocks.iter().enumerate() {
                    let ok = !fails || at + 1 < blocks.len();
                    let body = self.write(1, ok, block);
                    self.reply.push((ok, body));
                    let owns = |line: &Body| matches!(line, Body::Own("end" | "error"));
                    let owns = block.body.iter().any(owns);
                    let guesses = block.body.iter().any(|line| !matches!(line, Body::Text(_)));
                    self.spoof = self.spoof.max(match (owns, guesses) {
                        (true, _) => Some(Spoof::Rejoined),
                        (_, true) => Some(Spoof::Lookalike),
                        _ => None,
                    });
                    if let Some(act) = around.next() {
                        self.act(act);
                    }
                }
                around.for_each(|act| self.act(act));
            }
            Act::Wait(turns) => self.frozen = *turns,
            Act::Hook(block, ok) => {
                let body = self.write(0, *ok, block);
                self.told.push(Told::Hook(*ok, body));
            }
            Act::Notify(line) | Act::Stray(line) => {
                self.out.extend_from_slice(line.as_bytes());
                self.out.push(b'\n');
                self.told.push(Told::Line((*line).to_owned()));
            }
        }
    }

    /// Reads what was typed and runs what it can.
    fn turn(&mut self, typed: &[u8]) {
        self.typed.extend_from_slice(typed);
        while let Some(at) = self.typed.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.typed.drain(..=at).collect();
            self.queue.push_back(String::from_utf8(line).unwrap());
        }
        while self.frozen == 0
            && let Some(line) = self.queue.pop_front()
        {
            if let Some(nonce) = line.strip_prefix("display-message -p ") {
                let guard = self.begin(1);
                self.out
                    .extend(format!("%begin {guard}\n{nonce}%end {guard}\n").into_bytes());
                let blocks = std::mem::take(&mut self.reply);
                let spoof = self.spoof.take();
                self.told.push(Told::Reply {
                    id: self.answered,
                    blocks,
                    spoof,
                });
                self.answered += 1;
                continue;
            }
            // What happens between two typed lines happens before the next.
            while let Some(act) = self.script.pop_front() {
                self.act(&act);
                if matches!(act, Act::Line { .. }) {
                    break;
                }
            }
        }
        self.frozen = self.frozen.saturating_sub(1);
    }
}

fn text() -> impl Strategy<Value = Body> {
    prop::sample::select(vec![
        "",
        "x",
        "  two words  ",
        "%exit",
        "%exit server exited unexpectedly",
        "%output %0 x",
        "%end 1",
        "%window-add @1",
        "f00000000000000000000000000000000-0",
        "%end 1 2 1 ",
        "%pause %0",
        "half a line%exit server exited unexpectedly",
        "\u{1b}P1000p",
        "caf\u{e9}\r",
    ])
    .prop_map(Body::Text)
}

fn guess() -> impl Strategy<Value = Body> {
    let kind = prop::sample::select(vec!["begin", "end", "error"]);
    let off = prop_oneof![-9..0, 1..9, Just(i32::MIN)];
    (kind, off).prop_map(|(kind, off)| Body::Guess(kind, off))
}

fn plain() -> impl Strategy<Value = Block> {
    vec(text(), 0..4).prop_map(|body| Block { body })
}

/// A body of guesses, and after some the very guard.
fn spoofing() -> impl Strategy<Value = Block> {
    let own = prop::sample::select(vec!["begin", "end", "error"]).prop_map(Body::Own);
    let rest = vec(prop_oneof![text(), guess(), own], 0..8);
    (vec(text(), 0..3), guess(), rest).prop_map(|(mut body, guess, rest)| {
        body.push(guess);
        body.extend(rest);
        Block { body }
    })
}

fn aside() -> impl Strategy<Value = Act> {
    prop_oneof![
        (plain(), any::<bool>()).prop_map(|(block, ok)| Act::Hook(block, ok)),
        prop::sample::select(vec![
            "%output %0 x\\033[m",
            "%window-add @1",
            "%output %7 a%exit server exited unexpectedly",
            "%extended-output %1 5 : y",
            "%pause %0",
            "%foo-bar",
            "%layout-change @0 b25d,80x24,0,0,0 b25d,80x24,0,0,0 ",
            "%output %1 %end 1 2 1",
        ])
        .prop_map(Act::Notify),
        prop::sample::select(vec![
            "",
            "hooked",
            "-: Bad file descriptor",
            "two%exit server exited unexpectedly"
        ])
        .prop_map(Act::Stray),
    ]
}

fn typed_line() -> impl Strategy<Value = Act> {
    let block = prop_oneof![3 => plain(), 1 => spoofing()];
    (vec(block, 0..4), any::<bool>(), vec(aside(), 0..3)).prop_map(|(blocks, fails, around)| {
        Act::Line {
            blocks,
            fails,
            around,
        }
    })
}

fn script() -> impl Strategy<Value = Vec<Act>> {
    vec(
        prop_oneof![4 => typed_line(), 2 => aside(), 1 => (1u8..4).prop_map(Act::Wait)],
        0..12,
    )
}

/// How a stream is cut, again and again.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![Just(1usize), 1..40usize, 1..2000usize], 1..8)
}

fn pieces<'a>(stream: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = stream;
    let mut sizes = sizes.iter().cycle();
    std::iter::from_fn(move || {
        let (piece, tail) = rest.split_at(rest.len().min(*sizes.next()?));
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

/// What an event says in the words of the toy; `None` for a desync that forging must cause.
fn in_its_words(event: &Event<'_>) -> Option<Told> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Some(match event {
        Event::Reply(id, reply) => {
            let Ok(reply) = reply else {
                return Some(Told::Line(tell(event)));
            };
            let blocks = reply
                .blocks()
                .iter()
                .map(|b| (b.is_ok(), text(b.body())))
                .collect();
            Told::Reply {
                id: id.0,
                blocks,
                spoof: reply.spoof(),
            }
        }
        Event::Unsolicited(block) => Told::Hook(block.is_ok(), text(block.body())),
        Event::Stray(line) => Told::Line(text(line)),
        Event::Notification(Notification::Output { pane, data }) => {
            Told::Line(format!("%output {pane} {}", text(data.as_bytes())))
        }
        Event::Notification(Notification::ExtendedOutput { pane, age, data }) => Told::Line(
            format!("%extended-output {pane} {age} : {}", text(data.as_bytes())),
        ),
        Event::Notification(Notification::WindowAdd { window }) => {
            Told::Line(format!("%window-add {window}"))
        }
        Event::Notification(Notification::Pause { pane }) => Told::Line(format!("%pause {pane}")),
        Event::Notification(Notification::Unknown { line }) => Told::Line(text(line)),
        Event::Notification(Notification::LayoutChange {
            window,
            layout,
            visible,
            flags,
        }) => Told::Line(format!(
            "%layout-change {window} {} {} {}",
            text(layout),
            text(visible),
            text(flags)
        )),
        Event::Desync(_) => return None,
        other => Told::Line(tell(other)),
    })
}

/// Runs a script: the toy answers, in turns, what the connection transmits.
///
/// Gives what came from the wire, what the toy says it means, and what was told.
fn run(
    script: &[Act],
    turns: usize,
    sizes: &[usize],
    eager: bool,
) -> (Vec<u8>, Vec<Told>, Vec<Told>) {
    let lines = script
        .iter()
        .filter(|act| matches!(act, Act::Line { .. }))
        .count();
    let mut toy = Toy {
        script: script.iter().cloned().collect(),
        number: u32::MAX - 20,
        ..Toy::default()
    };
    let mut conn = new(Limits::default());
    let guard = toy.begin(0);
    conn.receive(format!("%begin {guard}\n%end {guard}\n").as_bytes());
    assert!(matches!(conn.poll_event(), Some(Event::Attached(_))));
    let (mut stream, mut told, mut sent) = (Vec::new(), Vec::new(), 0);
    while sent < lines || conn.pending() > 0 {
        for _ in 0..turns.min(lines - sent) {
            conn.send(&Command::raw(format!("run {sent}"))).unwrap();
            sent += 1;
        }
        toy.turn(&conn.poll_transmit().unwrap_or_default());
        let out = std::mem::take(&mut toy.out);
        for piece in pieces(&out, sizes) {
            conn.receive(piece);
            while eager && let Some(event) = conn.poll_event() {
                told.extend(in_its_words(&event));
            }
        }
        while let Some(event) = conn.poll_event() {
            told.extend(in_its_words(&event));
        }
        stream.extend(out);
    }
    // What looks like the last line is one only when more has come.
    conn.receive(b"%output %9 last\n");
    stream.extend_from_slice(b"%output %9 last\n");
    toy.told.push(Told::Line("%output %9 last".to_owned()));
    while let Some(event) = conn.poll_event() {
        told.extend(in_its_words(&event));
    }
    (stream, toy.told, told)
}

/// All that a stream is said to be, every command sent before it.
fn replay(stream: &[u8], commands: usize, sizes: &[usize], eager: bool) -> Vec<String> {
    let mut conn = new(Limits::default());
    let mut told = Vec::new();
    conn.receive(b"%begin 1 1 0\n%end 1 1 0\n");
    for _ in 0..commands {
        conn.send(&Command::raw("run")).unwrap();
    }
    for piece in pieces(stream, sizes) {
        conn.receive(piece);
        if eager {
            drain(&mut conn, &mut told);
        }
    }
    conn.receive_end();
    drain(&mut conn, &mut told);
    told
}

/// Is every command answered once, in order, and is the end the last word?
fn ends_well(told: &[String], commands: usize) {
    let ids = told
        .iter()
        .filter_map(|line| line.strip_prefix("reply ")?.split(':').next());
    assert!(ids.eq((0..commands).map(|id| id.to_string())), "{told:?}");
    assert_eq!(
        told.iter().position(|line| line.starts_with("exited ")),
        Some(told.len() - 1)
    );
}

fn is_reply(told: &&Told) -> bool {
    matches!(told, Told::Reply { .. })
}

fn is_broken(told: &Told) -> bool {
    matches!(
        told,
        Told::Reply {
            spoof: Some(Spoof::Broken),
            ..
        }
    )
}

/// Do two blocks of a line hold guesses?
fn may_be_uncertain(act: &Act) -> bool {
    let spoofs = |block: &&Block| block.body.iter().any(|line| !matches!(line, Body::Text(_)));
    matches!(act, Act::Line { blocks, .. } if blocks.iter().filter(spoofs).count() > 1)
}

fn lines_of(script: &[Act]) -> usize {
    script
        .iter()
        .filter(|act| matches!(act, Act::Line { .. }))
        .count()
}

/// A piece of a stream that no tmux would send.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "%begin ",
        "%end ",
        "%error ",
        "1 11 1",
        "1 12 1",
        "1 11 0",
        "1 19 1",
        "\n",
        "\n",
        "\n",
        " ",
        "%",
        "%exit",
        "%exit server exited unexpectedly",
        "%output %0 ",
        "\\0",
        "\\01",
        "\\",
        "%extended-output %0 5 : ",
        "f07070707070707070707070707070707-",
        "0",
        "1",
        "2",
        "\r\n",
        "\x1bP1000p",
        "\x1b\\",
        "%pause %0\n",
        "%begin 1 1 0\n%end 1 1 0\n",
        "%begin 1 11 1\n",
        "%end 1 11 1\n",
        "%begin 1 12 1\n",
        "%end 1 12 1\n",
        "%begin 1 11 0\n",
        "%end 1 11 0\n",
        "%error 1 11 1\n",
        "%window-add @1\n",
        "%begin 1 19 1\nf07070707070707070707070707070707-0\n%end 1 19 1\n",
        "%begin 1 29 1\nf07070707070707070707070707070707-1\n%end 1 29 1\n",
        "%begin 1 11 1\nf07070707070707070707070707070707-2\n%end 1 11 1\n",
        "%begin 1 39 0\nf07070707070707070707070707070707-3\n%end 1 39 0\n",
        "a long line that is over every limit of this test, which is not hard to be for any line\n",
    ]);
    prop_oneof![
        20 => token.prop_map(|token| token.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..20),
    ]
}

/// One turn of junk: what is said, and whether a command is sent behind it.
fn junk_turns() -> impl Strategy<Value = Vec<(Vec<u8>, bool)>> {
    vec(
        (
            vec(junk(), 0..12).prop_map(|parts| parts.concat()),
            any::<bool>(),
        ),
        0..10,
    )
}

fn small() -> impl Strategy<Value = Limits> {
    let line = prop_oneof![Just(4 << 20), 40..120usize];
    let reply = prop_oneof![Just(16 << 20), 0..400usize];
    (line, reply).prop_map(|(line, reply)| Limits::default().line(line).reply(reply).pending(3))
}

/// What is said of junk; also that it holds within bounds.
fn play_junk(
    limits: Limits,
    turns: &[(Vec<u8>, bool)],
    sizes: &[usize],
    eager: bool,
) -> (Vec<String>, usize) {
    let mut conn = new(limits);
    let (mut told, mut sent) = (Vec::new(), 0);
    for (said, send) in turns {
        for piece in pieces(said, sizes) {
            conn.receive(piece);
            if eager {
                drain(&mut conn, &mut told);
            }
        }
        drain(&mut conn, &mut told);
        let refresh = Command::raw("refresh-client -A '%0:pause'");
        sent += usize::from(*send && conn.send(&refresh).is_ok());
        let bound = limits
            .reply
            .saturating_mul(4)
            .saturating_add(limits.line)
            .saturating_add(64 << 10);
        assert!(conn.held() < bound, "{} bytes", conn.held());
        let _ = conn.poll_transmit();
    }
    conn.receive_end();
    drain(&mut conn, &mut told);
    (told, sent)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_reply_reaches_its_command(
        script in script(), turns in 1..5usize, sizes in sizes(), eager in any::<bool>(),
    ) {
        let (_, expected, told) = run(&script, turns, &sizes, eager);
        if told.iter().any(is_broken) && script.iter().any(may_be_uncertain) {
            // Where two blocks of a line spoof together it may be wrong, but says so.
            for (told, expected) in told.iter().filter(is_reply).zip(expected.iter().filter(is_reply)) {
                prop_assert!(is_broken(told) || told == expected, "{:?} is not {:?}", told, expected);
            }
        } else {
            let certain = told.iter().cloned().map(|told| match told {
                // Of guesses that come close enough, the worst is thought.
                Told::Reply { id, blocks, spoof: Some(Spoof::Broken) } => {
                    Told::Reply { id, blocks, spoof: Some(Spoof::Rejoined) }
                }
                told => told,
            });
            prop_assert_eq!(certain.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn any_chunking_gives_the_same_events(script in script(), sizes in sizes(), eager in any::<bool>()) {
        let (stream, ..) = run(&script, usize::MAX, &[usize::MAX], true);
        let commands = lines_of(&script);
        let whole = replay(&stream, commands, &[usize::MAX], true);
        ends_well(&whole, commands);
        prop_assert_eq!(replay(&stream, commands, &sizes, eager), &whole[..]);
        prop_assert_eq!(replay(&stream, commands, &[1], eager), whole);
    }

    #[test]
    fn the_end_may_come_at_any_byte(script in script(), cut in any::<Index>(), sizes in sizes()) {
        let (stream, ..) = run(&script, usize::MAX, &[usize::MAX], true);
        let commands = lines_of(&script);
        let cut = &stream[..cut.index(stream.len() + 1)];
        for end in ["", "%exit\n", "%exit server exited unexpectedly\n"] {
            let cut = [cut, end.as_bytes()].concat();
            let told = replay(&cut, commands, &sizes, true);
            ends_well(&told, commands);
            prop_assert_eq!(replay(&cut, commands, &[usize::MAX], false), &told[..]);
            if end.len() > 10 {
                prop_assert!(told.last().unwrap().starts_with("exited Reason"), "{:?}", told);
            }
        }
    }

    #[test]
    fn junk_is_told_the_same_in_any_pieces(
        limits in small(), turns in junk_turns(), sizes in sizes(), eager in any::<bool>(),
    ) {
        let (whole, commands) = play_junk(limits, &turns, &[usize::MAX], true);
        ends_well(&whole, commands);
        prop_assert_eq!(play_junk(limits, &turns, &sizes, eager), (whole.clone(), commands));
        prop_assert_eq!(play_junk(limits, &turns, &[1], true), (whole, commands));
    }
}
