//! A toy tmux for control mode: reads command lines, writes what a server and its client's process
//! would, byte for byte, and says what that means.
//!
//! It is an oracle: it knows which blocks belong to which line because it has made them. What it
//! does is scripted, an [`Act`] at a time, since tests want the strange days: hooks between the
//! blocks of one line, commands that freeze the queue, and bodies written by somebody who guesses
//! at guards.
//!
//! The same file is a module of `fuzz/`, so it has no dependencies.

use std::collections::VecDeque;

/// The three lines around a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `%begin`
    Begin,
    /// `%end`
    End,
    /// `%error`
    Error,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Begin, Self::End, Self::Error];

    const fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
            Self::Error => "error",
        }
    }
}

/// A line of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// As it stands, without its LF.
    Text(Vec<u8>),
    /// A guard with a number so far off its block's own.
    Guess(Kind, i32),
    /// The very guard of its block.
    Own(Kind),
}

/// The lines between two guards.
pub type Body = Vec<Line>;

/// What a tmux does, from one end of its queue to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A typed line: its blocks, and whether the last one fails. No block: a comment.
    Line {
        /// What it prints, a body for each block.
        blocks: Vec<Body>,
        /// Does the last block end in `%error`?
        fails: bool,
        /// What happens behind the first block, the second, and so on.
        around: Vec<Self>,
    },
    /// `wait-for` and the like: what follows runs so many turns later.
    Wait(u8),
    /// A block that nobody typed, and whether it succeeds. Its body must not hold its own guard:
    /// nothing could tell where such a block ends.
    Hook(Body, bool),
    /// A line outside any block: a notification, or what something printed. It must not be a
    /// guard, since nothing could tell that it is none.
    Say(Vec<u8>),
}

/// How far somebody came who wrote guards into a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forged {
    /// No line of it is a guard.
    Nothing,
    /// Lines that are guards, none of them one that would close its block.
    Lookalike,
    /// One that would.
    Own,
}

/// What the bytes mean, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The typed line `line`, counted from 0, has run and its fence has been printed.
    Reply {
        /// Which line.
        line: u64,
        /// Its blocks: did it succeed, and what it printed.
        blocks: Vec<(bool, Vec<u8>)>,
        /// The worst that its bodies hold.
        forged: Forged,
        /// Do two blocks up to its fence hold guesses, or does one hold the end of an earlier one and then
        /// its own beginning? Then where one ends may be beyond knowing.
        uncertain: bool,
        /// Does it hold a guard that closes its block, and no guess before it that would make
        /// anybody suspicious? Then its end is missed, which can only be noticed later.
        lucky: bool,
    },
    /// A block that nobody typed.
    Hook(bool, Vec<u8>),
    /// A line outside any block.
    Line(Vec<u8>),
}

/// The server and the client's process in one.
#[derive(Debug)]
pub struct Toy {
    script: VecDeque<Act>,
    /// What was typed of a line that has no end yet.
    typed: Vec<u8>,
    queue: VecDeque<Vec<u8>>,
    number: u32,
    frozen: u8,
    out: Vec<u8>,
    told: Vec<Told>,
    answered: u64,
    /// The reply that is being made.
    blocks: Vec<(bool, Vec<u8>)>,
    forged: Forged,
    /// The guards of the reply's blocks.
    guards: Vec<String>,
    /// Blocks with guesses since the last fence.
    guessing: usize,
    /// Does one hold the end of an earlier block, and behind it its own beginning?
    ambiguous: bool,
    lucky: bool,
}

impl Toy {
    /// A server that does what `script` says, an act or more for each typed line.
    pub fn new(script: impl IntoIterator<Item = Act>) -> Self {
        Self {
            script: script.into_iter().collect(),
            typed: Vec::new(),
            queue: VecDeque::new(),
            number: 0,
            frozen: 0,
            out: Vec::new(),
            told: Vec::new(),
            answered: 0,
            blocks: Vec::new(),
            forged: Forged::Nothing,
            guards: Vec::new(),
            guessing: 0,
            ambiguous: false,
            lucky: false,
        }
    }

    /// The same with its count of queued items at `number`; it wraps as tmux's does.
    #[must_use]
    pub fn numbered_from(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    /// Writes the block of the command that attached. It is not told.
    pub fn greet(&mut self) {
        let guard = self.guard(0);
        self.write(&guard, true, b"");
    }

    /// Takes what was typed, in any pieces, and runs what it can: one turn.
    pub fn turn(&mut self, typed: &[u8]) {
        self.typed.extend_from_slice(typed);
        while let Some(at) = self.typed.iter().position(|&byte| byte == b'\n') {
            let rest = self.typed.split_off(at + 1);
            let mut line = std::mem::replace(&mut self.typed, rest);
            line.pop();
            self.queue.push_back(line);
        }
        while self.frozen == 0
            && let Some(line) = self.queue.pop_front()
        {
            match line.strip_prefix(b"display-message -p ") {
                Some(nonce) => self.fence(nonce),
                None => self.run_to_line(),
            }
        }
        self.frozen = self.frozen.saturating_sub(1);
    }

    /// Does what is left of the script, up to where it waits for a line to be typed.
    pub fn idle(&mut self) {
        while let Some(act) = self
            .script
            .pop_front_if(|act| !matches!(act, Act::Line { .. }))
        {
            self.act(&act);
        }
    }

    /// What was written since this was last asked.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// What all that was written means.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// What happens between two typed lines happens before the next.
    fn run_to_line(&mut self) {
        while let Some(act) = self.script.pop_front() {
            self.act(&act);
            if matches!(act, Act::Line { .. }) {
                return;
            }
        }
    }

    fn fence(&mut self, nonce: &[u8]) {
        let guard = self.guard(1);
        self.write(&guard, true, &[nonce, b"\n"].concat());
        self.guards.clear();
        let ambiguous = std::mem::take(&mut self.ambiguous);
        self.told.push(Told::Reply {
            line: self.answered,
            blocks: std::mem::take(&mut self.blocks),
            forged: std::mem::replace(&mut self.forged, Forged::Nothing),
            uncertain: std::mem::take(&mut self.guessing) > 1 || ambiguous,
            lucky: std::mem::take(&mut self.lucky),
        });
        self.answered += 1;
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Line {
                blocks,
                fails,
                around,
            } => {
                let mut around = around.iter();
                for (at, body) in blocks.iter().enumerate() {
                    let ok = !fails || at + 1 < blocks.len();
                    let (body, forged) = self.block(1, ok, body);
                    self.blocks.push((ok, body));
                    self.forged = self.forged.max(forged);
                    if let Some(act) = around.next() {
                        self.act(act);
                    }
                }
                around.for_each(|act| self.act(act));
            }
            Act::Wait(turns) => self.frozen = *turns,
            Act::Hook(body, ok) => {
                let (body, forged) = self.block(0, *ok, body);
                assert!(forged < Forged::Own, "a hook that holds its own guard");
                self.told.push(Told::Hook(*ok, body));
            }
            Act::Say(line) => {
                assert!(!is_guard(line), "a guard outside any block");
                self.out.extend_from_slice(line);
                self.out.push(b'\n');
                self.told.push(Told::Line(line.clone()));
            }
        }
    }

    /// The guard of the next block: its number rises with gaps, its time may step back.
    fn guard(&mut self, flags: u32) -> String {
        self.number = self.number.wrapping_add(1 + self.number % 3);
        let time = 1_795_371_907 - u64::from(self.number.is_multiple_of(5));
        format!("{time} {} {flags}", self.number)
    }

    /// Writes a block and gives its body, and what is forged in it.
    fn block(&mut self, flags: u32, ok: bool, body: &[Line]) -> (Vec<u8>, Forged) {
        let guard = self.guard(flags);
        let (time, _) = guard.split_once(' ').expect("three fields");
        let (mut text, mut forged, mut ended) = (Vec::new(), Forged::Nothing, false);
        for line in body {
            let line = match line {
                Line::Text(text) => text.clone(),
                Line::Own(kind) => format!("%{} {guard}", kind.name()).into_bytes(),
                Line::Guess(kind, off) => {
                    let number = self.number.wrapping_add_signed(*off);
                    format!("%{} {time} {number} {flags}", kind.name()).into_bytes()
                }
            };
            assert!(!line.contains(&b'\n'), "a line with a newline in it");
            self.lucky |= self.guessing == 0 && forged == Forged::Nothing && closes(&line, &guard);
            forged = forged.max(if closes(&line, &guard) {
                Forged::Own
            } else if is_guard(&line) {
                Forged::Lookalike
            } else {
                Forged::Nothing
            });
            ended |= self.guards.iter().any(|earlier| closes(&line, earlier));
            self.ambiguous |= ended && line == format!("%begin {guard}").as_bytes();
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        if flags == 1 {
            self.guards.push(guard.clone());
        }
        self.guessing += usize::from(forged > Forged::Nothing);
        self.write(&guard, ok, &text);
        (text, forged)
    }

    fn write(&mut self, guard: &str, ok: bool, body: &[u8]) {
        let end = if ok { Kind::End } else { Kind::Error };
        for part in [
            format!("%begin {guard}\n").as_bytes(),
            body,
            format!("%{} {guard}\n", end.name()).as_bytes(),
        ] {
            self.out.extend_from_slice(part);
        }
    }
}

fn closes(line: &[u8], guard: &str) -> bool {
    [Kind::End, Kind::Error]
        .iter()
        .any(|kind| line == format!("%{} {guard}", kind.name()).as_bytes())
}

/// Is a line a guard to the letter, whosever it is?
#[must_use]
pub fn is_guard(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let as_printed = |field: &str, max: u64| {
        field
            .parse::<u64>()
            .is_ok_and(|number| number <= max && number.to_string() == field)
    };
    let small = u64::from(u32::MAX);
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["%begin" | "%end" | "%error", time, number, flags] => {
            as_printed(time, u64::MAX) && as_printed(number, small) && as_printed(flags, small)
        }
        _ => false,
    }
}
