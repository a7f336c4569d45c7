//! One instance of a unit: what is to be done about it, decided from what happens to it.

use std::sync::Arc;
use std::time::Duration;

use cc_kit::hook::Hook;
use cc_kit::journal::Stamp;
use cc_kit::process::{Exit as ProcessExit, Identity};
use cc_kit::profile::{Profile, State};
use cc_kit::verdict::{Judge, Look, Verdict};
use tmux_cc::wire::{PaneId, SessionId};

use crate::config::{self, ExitStatus, Unit};
use crate::policy::Wear;
use crate::policy::restart::{self, Cause, Decision, Policy, Restart, StartLimit, Success};
use crate::program::Program;
use crate::store::Kept;
use crate::vigil::Vigil;

/// One run of its program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Which run: a number, in the pane's option `@cc_run`.
    pub(crate) number: String,
    pub(crate) session: SessionId,
    pub(crate) pane: PaneId,
    /// Its first process.
    pub(crate) process: Option<Identity>,
    pub(crate) pid: Option<u32>,
}

/// How a run was started: what a later declaration does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The tmux server that it is in.
    pub(crate) server: String,
    /// What tmux calls the program itself.
    pub(crate) own: Option<String>,
    /// As it was declared then; one that an earlier version has started does not tell.
    pub(crate) program: Option<Program>,
}

/// An instance in a pane that somebody else has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// The socket of the server that it is in.
    pub(crate) socket: String,
    /// Does anybody know how to start it again?
    pub(crate) again: bool,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It does not run, and is not to.
    Absent,
    /// It is started at that time.
    Waiting(Duration),
    /// It is started as soon as it is its turn.
    Queued,
    /// Its pane is being made.
    Making,
    /// It runs.
    Running(Run),
    /// Its process has ended, and how is not known yet for sure; at that time it counts as that.
    Ending(Run, Duration, End),
    /// It is being stopped; and started again then?
    Stopping(Option<Run>, bool),
    /// It was started too often.
    Held(String),
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exit(i32),
    Signal(i32),
    ServerLost,
    /// It hung, and was ended for that.
    Hang,
    /// It used more memory than it may, and was ended for that.
    Oom,
    /// Nobody knows how.
    Unknown,
    /// Its pane could not be made.
    NotMade,
}

impl End {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Exit(code) => format!("exit {code}"),
            Self::Signal(number) => format!("signal {number}"),
            Self::ServerLost => "server-lost".to_owned(),
            Self::Hang => "hang".to_owned(),
            Self::Oom => "oom".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::NotMade => "not-started".to_owned(),
        }
    }

    const fn cause(self) -> Cause {
        match self {
            Self::Exit(code) => Cause::Exit(code),
            Self::Signal(number) => Cause::Signal(number),
            Self::ServerLost => Cause::ServerLost,
            Self::Hang => Cause::Hang,
            Self::Oom => Cause::Oom,
            // As abnormal as can be: no signal has that number.
            Self::Unknown | Self::NotMade => Cause::Signal(0),
        }
    }
}

impl From<ProcessExit> for End {
    fn from(exit: ProcessExit) -> Self {
        match exit {
            ProcessExit::Status(code) => Self::Exit(code),
            ProcessExit::Signal { number, .. } => Self::Signal(number),
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Make a pane and start the program in it.
    Start,
    /// Nothing yet.
    Wait,
    /// Somebody is to know: it is held, for that.
    Hold(String),
}

/// One instance.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) unit: Arc<Unit>,
    pub(crate) profile: Option<Arc<Profile>>,
    pub(crate) phase: Phase,
    /// Is it to run?
    pub(crate) wanted: bool,
    pub(crate) restarts: u32,
    pub(crate) judge: Option<Judge>,
    /// What its hooks must know to be heard.
    pub(crate) token: String,
    /// The last row on its screen that says something.
    pub(crate) last_line: String,
    /// The agent's own session, by which it can be taken up again.
    pub(crate) session: Option<String>,
    /// The one that is being taken up, until its program runs.
    resumed: Option<String>,
    /// How much of a core it used of late, and its memory in bytes.
    pub(crate) usage: Option<(f64, u64)>,
    /// Where it ran last, while that pane may be there.
    pub(crate) last: Option<(SessionId, PaneId)>,
    /// The watch over the run that there is.
    pub(crate) vigil: Vigil,
    /// Where it was adopted, if it was.
    pub(crate) foreign: Option<Foreign>,
    /// What its run has used up.
    pub(crate) wear: Wear,
    /// How what runs was started, or what ran last.
    pub(crate) made: Option<Made>,
    /// Is it declared still? What is not any more goes on until somebody says `apply`.
    pub(crate) declared: bool,
    /// Is it to be forgotten once it has ended?
    pub(crate) leaves: bool,
    /// Why it is started anew as soon as it is idle.
    pub(crate) pending: Option<String>,
    /// The fields in which what runs differs from what is declared.
    pub(crate) changed: Vec<String>,
    /// What it waits for before it is started.
    pub(crate) waits: Option<String>,
    /// Has it been seen at work or ready for it, in this run?
    was_ready: bool,
    /// Did it run before it was looked at?
    was_found: bool,
    rules: restart::Rules,
    restart: Restart,
}

impl Instance {
    pub(crate) fn new(
        name: String,
        unit: Arc<Unit>,
        profile: Option<Arc<Profile>>,
        token: String,
    ) -> Self {
        Self {
            rules: rules(&unit),
            name,
            unit,
            profile,
            phase: Phase::Absent,
            wanted: false,
            restarts: 0,
            judge: None,
            token,
            last_line: String::new(),
            session: None,
            resumed: None,
            usage: None,
            last: None,
            vigil: Vigil::default(),
            foreign: None,
            wear: Wear::default(),
            made: None,
            declared: true,
            leaves: false,
            pending: None,
            changed: Vec::new(),
            waits: None,
            was_ready: false,
            was_found: false,
            restart: Restart::default(),
        }
    }

    /// The run that there is.
    pub(crate) const fn run(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Running(run) | Phase::Ending(run, ..) | Phase::Stopping(Some(run), _) => {
                Some(run)
            }
            _ => None,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }

    /// Does anybody know how to start it? Nobody does of one that was adopted without a command.
    pub(crate) fn can_start(&self) -> bool {
        self.foreign.as_ref().is_none_or(|foreign| foreign.again)
    }

    /// Was it adopted, and has ended?
    pub(crate) fn is_past(&self) -> bool {
        self.foreign.is_some() && self.phase == Phase::Absent
    }

    /// May those start that come after it? Who has been ready once is so until it ends: what it is
    /// given to do then is its own affair.
    pub(crate) fn is_ready(&self, ready: config::Ready) -> bool {
        self.is_running() && (ready == config::Ready::Running || self.was_ready)
    }

    /// What is believed of it, where it runs or has ended.
    pub(crate) fn verdict(&self) -> Option<&Verdict> {
        self.judge.as_ref().map(Judge::verdict)
    }

    /// What is remembered of it.
    pub(crate) fn kept(&self) -> Kept {
        Kept {
            wanted: self.wanted,
            restarts: self.restarts,
            session: self.session.clone().or_else(|| self.resumed.clone()),
        }
    }

    /// Does it start when the guardian does? What somebody has stopped does only with `always`.
    pub(crate) fn starts_with_the_guardian(&self, kept: &Kept) -> bool {
        kept.wanted || self.unit.restart == config::Restart::Always
    }

    /// What is to be run: with the session that it had, where it is to go on with that and its profile
    /// knows how. A session is gone on with once, unless the program tells of it again: one that
    /// cannot be taken up does not end each run to come. Where there was no run, it is tried again.
    pub(crate) fn command(&mut self) -> Vec<String> {
        let argv = &self.unit.command;
        if self.unit.resume != config::Resume::SessionId {
            return argv.clone();
        }
        let resume = self.profile.as_ref().map(|profile| profile.resume());
        self.resumed = self.session.take().or_else(|| self.resumed.take());
        resume
            .zip(self.resumed.as_ref())
            .and_then(|(resume, session)| resume.by_id(argv, session))
            .unwrap_or_else(|| argv.clone())
    }

    /// It is declared otherwise from now on; what runs is not disturbed by that.
    pub(crate) fn redeclare(&mut self, unit: Arc<Unit>, profile: Option<Arc<Profile>>) {
        self.rules = rules(&unit);
        self.unit = unit;
        self.profile = profile;
        self.declared = true;
        self.leaves = false;
    }

    /// Is it time to start it anew, where that waits for it to be idle? What somebody has typed and not
    /// sent would be lost.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_running()
            && self.vigil.state().is_none()
            && self
                .verdict()
                .is_some_and(|v| v.state == State::Idle && v.draft.is_none())
    }

    /// It is to run.
    pub(crate) fn up(&mut self, now: Duration) -> Act {
        if !self.can_start() {
            return Act::Wait;
        }
        self.wanted = true;
        match &mut self.phase {
            Phase::Absent | Phase::Held(_) => {
                self.restart.released(now);
                self.phase = Phase::Queued;
                Act::Start
            }
            Phase::Stopping(_, again) => {
                *again = true;
                Act::Wait
            }
            _ => Act::Wait,
        }
    }

    /// It is its turn: its pane is being made.
    pub(crate) fn making(&mut self) {
        self.waits = None;
        self.phase = Phase::Making;
    }

    /// Its pane is there, and its program runs.
    pub(crate) fn started(&mut self, run: Run, now: Duration, at: Stamp) {
        self.restart.started(now);
        self.resumed = None;
        let within = self.unit.startup_timeout;
        self.last = Some((run.session, run.pane));
        self.last_line.clear();
        self.judge = Some(Judge::new(at, within));
        (self.was_ready, self.was_found) = (false, false);
        self.pending = None;
        self.changed.clear();
        self.vigil = Vigil::default();
        self.wear = Wear::default();
        self.phase = Phase::Running(run);
    }

    /// It was found running.
    pub(crate) fn adopted(&mut self, run: Run, now: Duration, at: Stamp) {
        self.wanted = true;
        self.restart.started(now);
        self.last = Some((run.session, run.pane));
        self.judge = Some(Judge::adopted(at));
        (self.was_ready, self.was_found) = (false, true);
        self.vigil = Vigil::default();
        self.wear = Wear::default();
        self.phase = Phase::Running(run);
    }

    /// It was held before, for that reason.
    pub(crate) fn held(&mut self, why: String) {
        self.wanted = true;
        self.phase = Phase::Held(why);
    }

    /// It had ended before, in those words.
    pub(crate) fn was(&mut self, end: &str, at: Stamp) {
        let mut judge = Judge::adopted(at);
        judge.died(end, at);
        self.judge = Some(judge);
    }

    /// Its process is gone; unless more is known by `until`, it ended in that way.
    pub(crate) fn gone(&mut self, until: Duration, else_: End) {
        if let Phase::Running(run) = &self.phase {
            self.phase = Phase::Ending(run.clone(), until, else_);
        }
    }

    /// It has ended, in that way.
    pub(crate) fn ended(&mut self, end: End, now: Duration, at: Stamp, dice: f64) -> Act {
        self.usage = None;
        self.pending = None;
        self.changed.clear();
        self.vigil.ended(now);
        let end = match end {
            End::Exit(_) | End::Signal(_) | End::Unknown if self.wear.is_ended() => End::Oom,
            End::Exit(_) | End::Signal(_) | End::Unknown if self.vigil.is_hung() => End::Hang,
            end => end,
        };
        if end == End::ServerLost {
            self.last = None;
        }
        if let Some(judge) = &mut self.judge {
            judge.died(&end.words(), at);
        }
        match self.restart.ended(&self.rules, end.cause(), now, dice) {
            _ if !self.wanted => {
                self.phase = Phase::Absent;
                Act::Wait
            }
            Decision::Restart { after } => {
                self.restarts += 1;
                self.phase = Phase::Waiting(now + after);
                Act::Wait
            }
            Decision::Stay(_) => {
                self.wanted = false;
                self.phase = Phase::Absent;
                Act::Wait
            }
            Decision::Hold { first, .. } => {
                let reason = format!(
                    "started {} times within {:?}, the last ended with {}",
                    self.unit.start_limit.burst,
                    self.unit.start_limit.interval,
                    end.words()
                );
                self.phase = Phase::Held(reason.clone());
                if first { Act::Hold(reason) } else { Act::Wait }
            }
        }
    }

    /// Is it time to start it?
    pub(crate) fn due(&mut self, now: Duration) -> Act {
        match self.phase {
            Phase::Waiting(at) if at <= now => {
                self.phase = Phase::Queued;
                Act::Start
            }
            _ => Act::Wait,
        }
    }

    /// When something is to be done about it by itself.
    pub(crate) fn wake(&self) -> Option<Duration> {
        match self.phase {
            Phase::Waiting(at) | Phase::Ending(_, at, _) => Some(at),
            Phase::Running(_) => self.judge.as_ref().and_then(Judge::next_look),
            _ => None,
        }
    }

    /// It is to be stopped; and started again then? Gives whether there is anything to stop.
    pub(crate) fn stop(&mut self, again: bool) -> bool {
        self.wanted = again;
        self.pending = None;
        let run = match &self.phase {
            Phase::Running(run) | Phase::Ending(run, ..) => Some(run.clone()),
            Phase::Stopping(..) => {
                if let Phase::Stopping(_, then) = &mut self.phase {
                    *then = again;
                }
                return false;
            }
            Phase::Making => None,
            Phase::Absent | Phase::Waiting(_) | Phase::Queued | Phase::Held(_) => {
                self.waits = None;
                self.phase = Phase::Absent;
                return false;
            }
        };
        self.phase = Phase::Stopping(run, again);
        true
    }

    /// It has been stopped. Gives what is next.
    pub(crate) fn stopped(&mut self, now: Duration, at: Stamp) -> Act {
        self.usage = None;
        self.changed.clear();
        let again = matches!(self.phase, Phase::Stopping(_, true));
        // What was adopted is started again where it was.
        if !again && self.foreign.is_none() {
            self.last = None;
        }
        self.restart.ended(&self.rules, Cause::Operator, now, 0.5);
        if let Some(judge) = &mut self.judge {
            judge.died("operator", at);
        }
        self.phase = Phase::Absent;
        if again { self.up(now) } else { Act::Wait }
    }

    pub(crate) fn looked(&mut self, look: Look, at: Stamp) {
        if let (Phase::Running(_), Some(judge)) = (&self.phase, &mut self.judge) {
            judge.look(look, at);
        }
        self.settle_readiness();
    }

    pub(crate) fn hooked(&mut self, hook: &Hook, at: Stamp) {
        if let Some(session) = &hook.session {
            self.session = Some(session.clone());
        }
        if let (Phase::Running(_), Some(judge)) = (&self.phase, &mut self.judge) {
            judge.hook(hook, at);
        }
        self.settle_readiness();
    }

    fn settle_readiness(&mut self) {
        // One that was found at work had been ready before.
        self.was_ready |= match self.verdict().map(|verdict| verdict.state) {
            Some(State::Idle) => true,
            Some(State::Busy) => self.was_found,
            _ => false,
        };
    }
}

fn rules(unit: &Unit) -> restart::Rules {
    restart::Rules {
        policy: match unit.restart {
            config::Restart::No => Policy::No,
            config::Restart::OnFailure => Policy::OnFailure,
            config::Restart::OnAbnormal => Policy::OnAbnormal,
            config::Restart::Always => Policy::Always,
            config::Restart::UnlessStopped => Policy::UnlessStopped,
        },
        success_exit_status: unit
            .success_exit_status
            .iter()
            .map(|status| match status {
                ExitStatus::Code(code) => Success::Code(i32::from(*code)),
                ExitStatus::Signal(signal) => Success::Signal(signal.number()),
            })
            .collect(),
        backoff: unit.backoff,
        start_limit: StartLimit {
            burst: usize::try_from(unit.start_limit.burst).unwrap_or(usize::MAX),
            interval: unit.start_limit.interval,
        },
    }
}

#[cfg(test)]
mod tests;
