//! The stand-in without its terminal: what happens, and what comes of it.
//!
//! Nothing here reads a clock, a file or a terminal. Times are counted from the start of the
//! program and come in from outside.

use std::collections::VecDeque;
use std::time::Duration;

use super::agent::{Like, Setup, Size};
use super::dialog::{self, Dialog};
use super::draft::Draft;
use super::hook::Call;
use super::input::Input;
use super::record::Record;
use super::script::{Crash, Order};
use super::transcript::Transcript;
use super::turn::Turn;

/// How long an agent is idle, and how long a question stands, before it says so (claude).
const IDLE_NOTICE: Duration = Duration::from_secs(60);
const BLOCKED_NOTICE: Duration = Duration::from_secs(6);

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The program has begun.
    Start,
    /// Something was typed or pasted.
    Input(Input),
    /// Time has passed.
    Tick,
    /// The terminal has another size.
    Resize(Size),
    /// The control socket asks for something.
    Order(Order),
    /// A signal came, by number.
    Signal(i32),
}

/// Something to do outside. They are done in order, and before the next picture is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write this to the log.
    Log(Record),
    /// Run the hook with this.
    Hook(Call),
    /// Write these bytes to the terminal as they are.
    Write(Vec<u8>),
    /// Take so many bytes of memory and keep them.
    Grow(u64),
    /// Start a child that ignores SIGHUP and lives so long.
    Fork(Duration),
    /// End the program.
    End(End),
}

/// How the program ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// In order: the terminal as it was, a last word, an exit status.
    Exit {
        /// The exit status.
        status: u8,
        /// What is printed below the last picture.
        farewell: String,
    },
    /// At once, the terminal as it is.
    Crash(Crash),
}

/// What the last turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There was none yet, or somebody has looked since.
    Seen,
    Done,
    Interrupted,
    Limited,
    Errored,
}

/// A key that does something when it comes a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    CtrlC,
    CtrlD,
    Escape,
}

/// The stand-in without its terminal.
#[derive(Debug)]
pub struct Machine {
    pub(super) setup: Setup,
    pub(super) size: Size,
    pub(super) transcript: Transcript,
    pub(super) draft: Draft,
    /// What the box shows, which may be late.
    pub(super) shown: String,
    echo_due: Option<Duration>,
    pub(super) queue: VecDeque<Draft>,
    pub(super) dialog: Option<Dialog>,
    pub(super) turn: Option<Turn>,
    pub(super) outcome: Outcome,
    /// Whether a key has come since the last turn ended.
    pub(super) looked: bool,
    /// Until when it only starts.
    starts_until: Option<Duration>,
    pub(super) hung: bool,
    pub(super) ended: bool,
    /// A key that acts when it comes again, and until when.
    pub(super) again: Option<(Again, Duration)>,
    notice: Option<(&'static str, &'static str, Duration)>,
    pub(super) last_typed: Option<Duration>,
    pub(super) last_paste: Option<Duration>,
    pub(super) title: Option<String>,
    /// What the titles speak of, for the name of program or folder.
    pub(super) topic: Option<String>,
    pub(super) suggestion: String,
    /// Which of its modes is on, as shift+tab goes through them.
    pub(super) mode: usize,
    pub(super) pastes: u32,
    pub(super) prompts: u64,
    pub(super) eaten: u64,
    pub(super) lost: u64,
    pub(super) resizes: u64,
    /// The last exit status of a shell.
    pub(super) status: u8,
    /// What came while a shell was busy.
    pub(super) typed_ahead: VecDeque<Input>,
}

impl Machine {
    /// A stand-in that has not begun.
    #[must_use]
    pub fn new(setup: Setup, size: Size) -> Self {
        Self {
            transcript: Transcript::new(size.columns.into()),
            size,
            draft: Draft::default(),
            shown: String::new(),
            echo_due: None,
            queue: VecDeque::new(),
            dialog: None,
            turn: None,
            outcome: Outcome::Seen,
            looked: true,
            starts_until: Some(setup.slow_start),
            hung: false,
            ended: false,
            again: None,
            notice: None,
            last_typed: None,
            last_paste: None,
            title: None,
            topic: None,
            suggestion: String::new(),
            mode: 0,
            pastes: 0,
            prompts: 0,
            eaten: 0,
            lost: 0,
            resizes: 0,
            status: 0,
            typed_ahead: VecDeque::new(),
            setup,
        }
    }

    /// Takes what has happened at `now`, and returns what to do, in order.
    pub fn on(&mut self, event: Event, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.ended {
            return effects;
        }
        match event {
            Event::Start | Event::Tick => {}
            Event::Input(_) | Event::Resize(_) if self.hung => {}
            Event::Input(input) => self.input(input, now, &mut effects),
            Event::Resize(size) => self.resize(size),
            Event::Order(order) => self.order(order, now, &mut effects),
            Event::Signal(signal) => self.signal(signal, &mut effects),
        }
        if !self.hung && !self.ended {
            self.pass_time(now, &mut effects);
        }
        effects
    }

    /// When time alone will change something, at the latest; `None` when only events do.
    #[must_use]
    pub fn wakes(&self, now: Duration) -> Option<Duration> {
        if self.hung || self.ended {
            return None;
        }
        let known = [
            self.starts_until,
            self.echo_due,
            self.again.map(|(_, until)| until),
            self.notice.map(|(_, _, at)| at),
            self.turn.as_ref().and_then(Turn::wakes),
            self.next_frame(now),
        ];
        known.into_iter().flatten().min()
    }

    /// Whether it reads what is typed: not while it starts (codex does), not while it hangs.
    #[must_use]
    pub fn reads(&self) -> bool {
        !self.hung && (self.starts_until.is_none() || self.setup.like == Like::Codex)
    }

    /// Whether it hangs: no picture of it is drawn then.
    #[must_use]
    pub fn hung(&self) -> bool {
        self.hung
    }

    /// Whether it only starts.
    pub(super) fn starting(&self) -> bool {
        self.starts_until.is_some()
    }

    fn pass_time(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if self.starts_until.is_some_and(|until| until <= now) {
            self.starts_until = None;
            if self.setup.trust && self.setup.like != Like::Shell {
                self.ask(dialog::Kind::Trust, "", now, effects);
            } else {
                self.greet(now, effects);
            }
        }
        self.advance(now, effects);
        if self.echo_due.is_some_and(|due| due <= now) {
            self.echo_due = None;
            self.shown = self.draft.shown();
        }
        if self.again.is_some_and(|(_, until)| until <= now) {
            self.again = None;
        }
        if let Some((kind, message, at)) = self.notice
            && at <= now
        {
            self.notice = None;
            let more = serde_json::json!({ "notification_type": kind, "message": message });
            effects.push(self.call("Notification", more));
        }
    }

    /// It stands: the session begins.
    pub(super) fn greet(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let source = if self.setup.resumed {
            "resume"
        } else {
            "startup"
        };
        let more = serde_json::json!({ "source": source, "model": "stand-in" });
        effects.push(self.call("SessionStart", more));
        match self.setup.like {
            Like::Claude => self.greet_claude(),
            Like::Codex => self.greet_codex(),
            Like::Shell => self.prompt_again(effects),
        }
        if let Some(prompt) = self.setup.prompt.take() {
            self.draft.push(prompt.as_bytes());
            self.submit(false, now, effects);
        } else if let Some(early) = self.queue.pop_front() {
            self.submit_draft(early, true, now, effects);
        }
    }

    fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        self.resizes += 1;
        if size.columns != self.size.columns {
            self.transcript.rewrap(size.columns.into());
        }
        self.size = size;
    }

    fn signal(&mut self, signal: i32, effects: &mut Vec<Effect>) {
        if self.setup.ignored.contains(&signal) {
            return;
        }
        if self.hung {
            // Nobody is there to end in order; the signal does what it does by default.
            self.end(End::Crash(Crash::Signal(signal)), effects);
        } else {
            let status = u8::try_from(signal).map_or(u8::MAX, |signal| signal.saturating_add(128));
            self.leave(status, effects);
        }
    }

    /// Ends in order.
    pub(super) fn leave(&mut self, status: u8, effects: &mut Vec<Effect>) {
        let session = &self.setup.session;
        let farewell = match self.setup.like {
            Like::Claude => {
                format!("Resume this session with: claude --resume {session}")
            }
            Like::Codex => format!("To continue this session, run codex resume {session}"),
            Like::Shell => String::new(),
        };
        effects.push(self.call("SessionEnd", serde_json::json!({ "reason": "other" })));
        self.end(End::Exit { status, farewell }, effects);
    }

    /// Ends, and says what is lost by it.
    pub(super) fn end(&mut self, end: End, effects: &mut Vec<Effect>) {
        self.ended = true;
        for queued in self.queue.drain(..) {
            effects.push(Effect::Log(Record::Queued(queued.bytes())));
        }
        if !self.draft.is_empty() {
            effects.push(Effect::Log(Record::Draft(self.draft.bytes())));
        }
        effects.push(Effect::End(end));
    }

    /// The draft has changed: the box shows it, now or later.
    pub(super) fn echo(&mut self, now: Duration) {
        if self.setup.slow_echo.is_zero() {
            self.shown = self.draft.shown();
        } else {
            self.echo_due.get_or_insert(now + self.setup.slow_echo);
        }
    }

    /// The call of the hook for an event, with what every event has.
    pub(super) fn call(&self, event: &'static str, more: serde_json::Value) -> Effect {
        Effect::Hook(Call::new(event, &self.setup, more))
    }

    /// It says so after a while of being idle.
    pub(super) fn notice_idle(&mut self, now: Duration) {
        let words = "Claude is waiting for your input";
        self.notice = Some(("idle_prompt", words, now + IDLE_NOTICE));
    }

    /// It says so when a question is not answered for a while.
    pub(super) fn notice_blocked(&mut self, now: Duration) {
        let words = "Claude needs your permission to use Bash";
        self.notice = Some(("permission_prompt", words, now + BLOCKED_NOTICE));
    }

    /// There is nothing to say any more.
    pub(super) fn no_notice(&mut self) {
        self.notice = None;
    }
}

#[cfg(test)]
mod tests;
