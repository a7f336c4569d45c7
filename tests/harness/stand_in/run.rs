//! The program around the machine: it waits, feeds it what comes, does what it says, paints.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::low_level;

use super::agent::{Like, Setup, Size};
use super::control::Control;
use super::hook::Hooks;
use super::input::{Input, Parser};
use super::machine::{Effect, End, Event, Machine};
use super::paint::Painter;
use super::record::Log;
use super::script::{Crash, Order};
use super::signals::{Signal, stubborn_child};
use super::terminal::Terminal;

/// How long an Escape waits for what might follow it.
const ESCAPE: Duration = Duration::from_millis(50);

/// While more is there to be read, pictures come no faster.
const PICTURE: Duration = Duration::from_millis(30);

/// What it is told besides the setup of the machine.
#[derive(Debug)]
pub struct Options {
    /// See there.
    pub setup: Setup,
    /// Where prompts are logged.
    pub log: Option<PathBuf>,
    /// Where it listens.
    pub control: Option<PathBuf>,
    /// The words of the hook's command.
    pub hook: Vec<String>,
    /// Whether a shell has pastes marked.
    pub bracketed: bool,
    /// How long it lives without its terminal, where SIGHUP does not end it.
    pub orphan_for: Duration,
}

/// One stand-in that runs.
#[derive(Debug)]
struct Program {
    began: Instant,
    machine: Machine,
    painter: Painter,
    parser: Parser,
    terminal: Terminal,
    /// Whether the other end of the terminal is there.
    has_terminal: bool,
    log: Log,
    hooks: Hooks,
    control: Option<Control>,
    children: Vec<Child>,
    memory: Vec<Vec<u8>>,
    escape_at: Option<Duration>,
    painted_at: Duration,
    painted_hung: bool,
    orphan_at: Option<Duration>,
    like: Like,
    options: Rest,
}

/// What of the options is needed later.
#[derive(Debug)]
struct Rest {
    bracketed: bool,
    orphan_for: Duration,
    ignores_hup: bool,
}

/// Runs a stand-in until it ends, and returns its exit status.
///
/// # Errors
/// When it cannot begin: no terminal, no log, no socket.
pub fn run(options: Options) -> io::Result<u8> {
    let signals = [SIGWINCH, SIGHUP, SIGINT, SIGTERM].map(Signal::register);
    let mut signals = signals.into_iter().collect::<io::Result<Vec<_>>>()?;
    let terminal = Terminal::open()?;
    let size = terminal.size().ok_or(ErrorKind::BrokenPipe)?;
    let mut program = Program {
        began: Instant::now(),
        painter: Painter::new(size),
        parser: Parser::default(),
        terminal,
        has_terminal: true,
        log: Log::open(options.log.as_deref())?,
        hooks: Hooks::new(options.hook),
        control: options.control.as_deref().map(Control::bind).transpose()?,
        children: Vec::new(),
        memory: Vec::new(),
        escape_at: None,
        painted_at: Duration::ZERO,
        painted_hung: false,
        orphan_at: None,
        like: options.setup.like,
        options: Rest {
            bracketed: options.bracketed,
            orphan_for: options.orphan_for,
            ignores_hup: options.setup.ignored.contains(&SIGHUP),
        },
        machine: Machine::new(options.setup, size),
    };
    let mut end = program.handle(Event::Start);
    loop {
        if let Some(end) = end {
            return program.end(end);
        }
        program.paint(false);
        let readable = program.wait(&signals)?;
        end = program.step(&mut signals, readable);
    }
}

impl Program {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn reads(&self) -> bool {
        self.has_terminal && self.machine.reads()
    }

    /// Waits for anything to happen; whether the terminal can be read.
    fn wait(&self, signals: &[Signal]) -> io::Result<bool> {
        let now = self.now();
        let wakes = [self.machine.wakes(now), self.escape_at, self.orphan_at];
        let until = wakes.into_iter().flatten().min();
        let timeout = until.map(|at| at.saturating_sub(now)).map(timespec);
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        if self.reads() {
            fds.push(PollFd::from_borrowed_fd(
                self.terminal.input(),
                PollFlags::IN,
            ));
        }
        let others = signals.iter().map(|signal| signal.waits_on());
        let others = others.chain(self.control.iter().flat_map(Control::waits_on));
        fds.extend(others.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let first = fds.first().filter(|_| self.reads());
        Ok(first.is_some_and(|fd| !fd.revents().is_empty()))
    }

    /// Takes all that has come. Once the machine has ended nothing more is taken.
    fn step(&mut self, signals: &mut [Signal], readable: bool) -> Option<End> {
        for signal in signals {
            if signal.came() {
                let end = self.signal(signal.number());
                if end.is_some() {
                    return end;
                }
            }
        }
        let end = self.obey();
        if end.is_some() {
            return end;
        }
        if !self.has_terminal {
            let end = self.lose_terminal();
            if end.is_some() {
                return end;
            }
        }
        if readable && self.reads() {
            let end = self.read();
            if end.is_some() {
                return end;
            }
        }
        let now = self.now();
        if self.escape_at.is_some_and(|at| at <= now) {
            self.escape_at = None;
            let mut inputs = Vec::new();
            self.parser.flush(&mut inputs);
            let end = self.feed(inputs);
            if end.is_some() {
                return end;
            }
        }
        if self.orphan_at.is_some_and(|at| at <= now) {
            self.orphan_at = None;
            if self.terminal.size().is_none() {
                return Some(End::Crash(Crash::Signal(SIGHUP)));
            }
        }
        self.handle(Event::Tick)
    }

    fn signal(&mut self, number: i32) -> Option<End> {
        if number == SIGWINCH {
            let size = self.terminal.size().filter(|_| !self.machine.hung())?;
            return self.resize(size);
        }
        if number == SIGHUP && self.options.ignores_hup {
            self.orphaned();
        }
        self.handle(Event::Signal(number))
    }

    fn resize(&mut self, size: Size) -> Option<End> {
        self.painter.resize(size);
        self.handle(Event::Resize(size))
    }

    /// The terminal may be gone: it does not live without one for ever.
    fn orphaned(&mut self) {
        let until = self.now() + self.options.orphan_for;
        self.orphan_at.get_or_insert(until);
    }

    /// The terminal is gone, which most programs are told by SIGHUP.
    fn lose_terminal(&mut self) -> Option<End> {
        if self.options.ignores_hup {
            self.orphaned();
            return None;
        }
        self.handle(Event::Signal(SIGHUP))
    }

    fn read(&mut self) -> Option<End> {
        let bytes = match self.terminal.read() {
            Ok(bytes) if !bytes.is_empty() => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => return None,
            Ok(_) | Err(_) => {
                self.has_terminal = false;
                return self.lose_terminal();
            }
        };
        let mut inputs = Vec::new();
        self.parser.feed(&bytes, &mut inputs);
        self.escape_at = self.parser.waits().then(|| self.now() + ESCAPE);
        self.feed(inputs)
    }

    fn feed(&mut self, inputs: Vec<Input>) -> Option<End> {
        inputs
            .into_iter()
            .find_map(|input| self.handle(Event::Input(input)))
    }

    /// Does what the control socket asks for, and answers.
    fn obey(&mut self) -> Option<End> {
        let lines = self.control.as_mut().map(Control::lines)?;
        for (peer, line) in lines {
            let mut end = None;
            let answer = match Order::parse(&line) {
                Err(error) => format!("error: {error}"),
                Ok(Order::State) => self.report(),
                Ok(Order::Await(until)) => {
                    if let Some(control) = &mut self.control {
                        control.awaits(peer, until);
                    }
                    self.settle();
                    continue;
                }
                Ok(order) => {
                    let resumes = order == Order::Resume;
                    end = self.handle(Event::Order(order));
                    if resumes
                        && end.is_none()
                        && let Some(size) = self.terminal.size()
                    {
                        end = self.resize(size);
                    }
                    self.paint(true);
                    "ok".to_owned()
                }
            };
            if let Some(control) = &mut self.control {
                control.answer(peer, &answer);
            }
            if end.is_some() {
                return end;
            }
        }
        None
    }

    fn settle(&mut self) {
        let Some(control) = &mut self.control else {
            return;
        };
        let settled = control.settled(|until| self.machine.is(until));
        if settled.is_empty() {
            return;
        }
        self.paint(true);
        let report = self.report();
        for peer in settled {
            if let Some(control) = &mut self.control {
                control.answer(peer, &report);
            }
        }
    }

    fn report(&mut self) -> String {
        let mut report = self.machine.report(self.now());
        report.pid = std::process::id();
        report.terminal = self.has_terminal;
        self.children
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        report.children = self.children.iter().map(Child::id).collect();
        serde_json::to_string(&report).unwrap_or_default()
    }

    /// Feeds the machine, and does what it says.
    fn handle(&mut self, event: Event) -> Option<End> {
        let now = self.now();
        if self.machine.reads() && !self.terminal.taken() {
            self.take_terminal();
        }
        let effects = self.machine.on(event, now);
        if self.machine.reads() && !self.terminal.taken() {
            self.take_terminal();
        }
        for effect in effects {
            match effect {
                Effect::Log(record) => {
                    // A log that cannot be written must not look like a prompt that never came.
                    if let Err(error) = self.log.write(&record, unix_millis()) {
                        eprintln!("stand-in-agent: the log cannot be written: {error}\r");
                        return Some(End::Crash(Crash::Exit(2)));
                    }
                }
                Effect::Hook(call) => self.hooks.call(call),
                Effect::Write(bytes) => {
                    if self.has_terminal && self.terminal.write(&bytes).is_err() {
                        self.has_terminal = false;
                    }
                }
                Effect::Grow(bytes) => {
                    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                    // Not zeroes, which the kernel would not have to give.
                    self.memory.push(vec![1; bytes]);
                }
                Effect::Fork(time) => self.children.extend(stubborn_child(time)),
                Effect::End(end) => return Some(end),
            }
        }
        self.settle();
        None
    }

    fn take_terminal(&mut self) {
        if self
            .terminal
            .take(self.like, self.options.bracketed)
            .is_err()
        {
            self.has_terminal = false;
        }
    }

    /// Paints what is different. While more is there to be read that can wait, unless `now`.
    fn paint(&mut self, now: bool) {
        let hung = self.machine.hung();
        if !self.has_terminal || (hung && self.painted_hung) {
            return;
        }
        let at = self.now();
        let soon = at.saturating_sub(self.painted_at) < PICTURE;
        if soon && !now && self.reads() && self.terminal.has_more() {
            return;
        }
        let Some(picture) = self.machine.draw(self.painter.wants(), at) else {
            return;
        };
        let mut bytes = Vec::new();
        self.painter.paint(&picture, &mut bytes);
        self.painted_at = at;
        self.painted_hung = hung;
        if !bytes.is_empty() && self.terminal.write(&bytes).is_err() {
            self.has_terminal = false;
        }
    }

    /// Ends the program: in order, or as a crash does.
    fn end(mut self, end: End) -> io::Result<u8> {
        match end {
            End::Exit { status, farewell } => {
                let mut bytes = Vec::new();
                if self.like == Like::Claude && self.terminal.taken() {
                    self.painter.leave(&mut bytes);
                    let _ = self.terminal.write(&bytes);
                }
                self.terminal.give_back();
                if !farewell.is_empty() {
                    let _ = self.terminal.write(format!("\r{farewell}\r\n").as_bytes());
                }
                self.hooks.finish();
                Ok(status)
            }
            End::Crash(Crash::Exit(status)) => std::process::exit(status.into()),
            End::Crash(Crash::Signal(number)) => {
                // What we handle otherwise has to do again what it does by default.
                if [SIGHUP, SIGINT, SIGTERM].contains(&number) {
                    low_level::emulate_default_handler(number)?;
                } else {
                    low_level::raise(number)?;
                }
                // A signal that does not end a program, such as SIGCHLD.
                Ok(1)
            }
        }
    }
}

fn timespec(time: Duration) -> Timespec {
    // A little more than asked for, so that it is over when we wake up.
    let time = time + Duration::from_micros(100);
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
