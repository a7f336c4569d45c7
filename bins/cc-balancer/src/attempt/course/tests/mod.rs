//! What is decided, without a worker.

mod commands;
mod stopped;

use std::time::Duration;

use cc_kit::profile::State;
use cc_kit::send::{Outcome as Sending, Why};

use super::result::TOUCHED;
use super::*;

const AGENT: Manner = Manner {
    commands: false,
    guarded: false,
    is_message: false,
};
const SHELL: Manner = Manner {
    commands: true,
    ..AGENT
};

/// One that is played: what happens, and what is done then.
struct Play {
    course: Course,
    now: Duration,
}

impl Play {
    fn of(manner: Manner) -> Self {
        Self::with(manner, false, None)
    }

    fn with(manner: Manner, has_check: bool, timeout: Option<u64>) -> Self {
        let now = Duration::from_secs(100);
        let timeout = timeout.map(Duration::from_secs);
        let course = Course::new(manner, has_check, timeout, now);
        assert_eq!(course.begin(), [Act::Step(Step::Delivering), Act::Send]);
        Self { course, now }
    }

    /// One whose prompt is in.
    fn running(manner: Manner) -> Self {
        let mut play = Self::of(manner);
        play.is_in();
        play
    }

    fn is_in(&mut self) {
        let acts = self.on(Event::Sent(Sending::Delivered));
        let acts = match self.course.manner.commands {
            true => {
                assert_eq!(acts, []);
                self.on(Event::Began)
            }
            false => acts,
        };
        assert_eq!(acts, [Act::Step(Step::Running)]);
    }

    /// One that an earlier life was about to type.
    fn taken_up(manner: Manner) -> Self {
        let mut play = Self::of(manner);
        play.course.take_up(false, play.now);
        play
    }

    fn on(&mut self, event: Event) -> Vec<Act> {
        self.course.on(event, self.now)
    }

    fn later(&mut self, milliseconds: u64) -> &mut Self {
        self.now += Duration::from_millis(milliseconds);
        self
    }

    fn sees(&mut self, state: State) -> Vec<Act> {
        self.sees_more(state, None, false)
    }

    fn sees_more(&mut self, state: State, sub: Option<&str>, draft: bool) -> Vec<Act> {
        self.on(Event::Believed(Belief {
            state,
            sub: sub.map(str::to_owned),
            draft,
            began: self.now,
            seen: self.now,
        }))
    }

    fn finds(&mut self, stands: Stands) -> Vec<Act> {
        assert_eq!(self.sees(State::Idle), [Act::Find]);
        self.on(Event::Found(stands))
    }

    fn captured(&mut self) -> Vec<Act> {
        self.on(Event::Captured(Box::default()))
    }

    /// It is over, and nothing happens any more.
    #[track_caller]
    fn ended(&mut self, acts: &[Act], end: End) {
        assert_eq!(acts, [Act::End(end)]);
        assert!(self.course.is_over());
        assert_eq!(self.on(Event::Lost), []);
        assert_eq!(self.later(1_000_000).on(Event::Tick), []);
    }
}

fn returned(why: &str) -> End {
    End::Returned(why.to_owned(), None)
}

fn outcome() -> Outcome {
    Outcome::default()
}

#[test]
fn a_turn_is_over_when_its_worker_has_worked_and_is_idle() {
    let mut play = Play::running(AGENT);
    assert_eq!(play.later(200).sees(State::Busy), []);
    assert_eq!(play.later(200).sees(State::Idle), [Act::Capture]);
    let acts = play.captured();
    play.ended(&acts, End::Done(outcome()));
}

#[test]
fn a_turn_that_nobody_saw_is_over_when_its_worker_is_idle_well_after() {
    let mut play = Play::running(AGENT);
    assert_eq!(play.later(2900).sees(State::Idle), []);
    assert_eq!(
        play.course.due(),
        Some(play.now + Duration::from_millis(100))
    );
    assert_eq!(play.later(100).sees(State::Idle), [Act::Capture]);
}

#[test]
fn silence_ends_nothing() {
    let mut play = Play::running(AGENT);
    for state in [State::Unknown, State::Starting, State::Busy] {
        assert_eq!(play.later(3_600_000).sees(state), []);
        assert_eq!(play.on(Event::Tick), []);
    }
}

#[test]
fn a_check_decides() {
    for (code, expected) in [
        (
            Some(0),
            End::Done(Outcome {
                check: Some("said".into()),
                ..outcome()
            }),
        ),
        (
            Some(2),
            End::Failed(
                "its check says 2".to_owned(),
                Outcome {
                    check: Some("said".into()),
                    exit: Some(2),
                    ..outcome()
                },
            ),
        ),
        (
            None,
            End::Failed(
                "its check cannot be run".to_owned(),
                Outcome {
                    check: Some("said".into()),
                    ..outcome()
                },
            ),
        ),
    ] {
        let mut play = Play::with(AGENT, true, None);
        play.is_in();
        play.sees(State::Busy);
        assert_eq!(play.sees(State::Idle), [Act::Capture]);
        assert_eq!(play.captured(), [Act::Step(Step::Verifying), Act::Check]);
        let acts = play.on(Event::Checked(code, "said".to_owned()));
        play.ended(&acts, expected);
    }
}

#[test]
fn nothing_was_typed_or_nobody_knows() {
    let mut play = Play::of(AGENT);
    let acts = play.on(Event::Sent(Sending::Held(Why::InMode)));
    play.ended(&acts, returned(&Why::InMode.to_string()));
    // It may have been: its turn may show itself yet.
    let mut play = Play::of(AGENT);
    assert_eq!(play.on(Event::Sent(Sending::Uncertain(Why::NoEcho))), []);
    assert_eq!(
        play.later(2000).sees(State::Busy),
        [Act::Step(Step::Running)]
    );
    assert_eq!(play.sees(State::Idle), [Act::Capture]);
    let mut play = Play::of(AGENT);
    play.on(Event::Sent(Sending::Uncertain(Why::NoEcho)));
    assert_eq!(play.later(5000).sees(State::Idle), []);
    assert_eq!(play.later(4999).on(Event::Tick), []);
    let acts = play.later(1).on(Event::Tick);
    play.ended(&acts, End::Uncertain(Why::NoEcho.to_string()));
}

#[test]
fn a_message_is_done_when_it_has_arrived() {
    let message = Manner {
        is_message: true,
        ..AGENT
    };
    for manner in [
        message,
        Manner {
            commands: true,
            ..message
        },
    ] {
        let mut play = Play::of(manner);
        let acts = play.on(Event::Sent(Sending::Delivered));
        play.ended(&acts, End::Done(outcome()));
    }
    let mut play = Play::taken_up(message);
    let acts = play.finds(Stands::Sent);
    play.ended(&acts, End::Done(outcome()));
}

#[test]
fn who_is_blocked_goes_on_once_that_is_over() {
    let mut play = Play::running(AGENT);
    play.sees(State::Busy);
    let blocked = |sub: &str| [Act::Step(Step::Blocked(sub.to_owned()))];
    let asks = play.sees_more(State::Blocked, Some("permission"), false);
    assert_eq!(asks, blocked("permission"));
    // It is said once.
    let asks = play.sees_more(State::Blocked, Some("permission"), false);
    assert_eq!(asks, []);
    assert_eq!(play.sees(State::Hung), blocked("hung"));
    assert_eq!(play.sees(State::Busy), [Act::Step(Step::Running)]);
    assert_eq!(play.sees_more(State::Blocked, None, false), blocked("asks"));
    // It was answered, and nobody saw what it did then.
    let acts = play.sees(State::Idle);
    assert_eq!(acts, [Act::Step(Step::Running), Act::Capture]);
}

#[test]
fn who_is_limited_gives_its_task_back() {
    for (state, sub, why) in [
        (State::Limited, "usage", "limited: usage"),
        (State::Errored, "auth", "auth"),
        (State::Errored, "billing", "billing"),
    ] {
        let mut play = Play::running(AGENT);
        play.sees(State::Busy);
        let acts = play.sees_more(state, Some(sub), false);
        let end = Act::End(returned(why));
        assert_eq!(acts, [Act::Limit(sub.to_owned()), end]);
        // A guardian makes it go on by itself.
        let mut play = Play::running(Manner {
            guarded: true,
            ..AGENT
        });
        let acts = play.later(1).sees_more(state, Some(sub), false);
        assert!(
            matches!(acts[..], [Act::Step(Step::Blocked(_))]),
            "{acts:?}"
        );
    }
    let mut play = Play::running(AGENT);
    let acts = play
        .later(1)
        .sees_more(State::Errored, Some("overloaded"), false);
    assert_eq!(acts, [Act::Capture]);
    let acts = play.captured();
    let why = "the agent says: overloaded".to_owned();
    play.ended(&acts, End::Failed(why, outcome()));
}

#[test]
fn a_worker_that_is_gone_has_lost_its_task() {
    let mut play = Play::running(AGENT);
    let acts = play.sees_more(State::Dead, Some("signal 9"), false);
    play.ended(
        &acts,
        End::Lost("its program has ended: signal 9".to_owned()),
    );
    // It may come back in another pane.
    let mut play = Play::running(AGENT);
    assert_eq!(play.on(Event::Gone("its pane is gone".to_owned())), []);
    assert_eq!(play.later(1999).on(Event::Tick), []);
    let acts = play.later(1).on(Event::Tick);
    play.ended(&acts, End::Lost("its pane is gone".to_owned()));
    let mut play = Play::running(AGENT);
    play.on(Event::Gone("its pane is gone".to_owned()));
    play.later(1000).sees(State::Busy);
    assert_eq!(play.later(5000).on(Event::Tick), []);
}

#[test]
fn what_is_cancelled_is_stopped_then_ended() {
    let mut play = Play::running(AGENT);
    play.sees(State::Busy);
    assert_eq!(play.on(Event::Cancel(false)), [Act::Interrupt]);
    // What was seen before it was told says nothing.
    assert_eq!(play.sees(State::Idle), []);
    assert_eq!(play.later(5_000).on(Event::Tick), [Act::Interrupt]);
    assert_eq!(play.later(9_999).on(Event::Tick), []);
    assert_eq!(play.later(1).on(Event::Tick), [Act::Kill]);
    let acts = play.later(10_000).on(Event::Tick);
    assert!(matches!(acts[..], [Act::Note(_)]), "{acts:?}");
    let acts = play.sees(State::Dead);
    assert_eq!(acts, [Act::Clear, Act::Capture]);
    let acts = play.captured();
    play.ended(&acts, End::Cancelled(outcome()));
    // By force at once, and once.
    let mut play = Play::running(AGENT);
    assert_eq!(play.on(Event::Cancel(true)), [Act::Kill]);
    assert_eq!(play.on(Event::Cancel(true)), []);
    let mut play = Play::running(AGENT);
    play.on(Event::Cancel(false));
    assert_eq!(play.on(Event::Cancel(true)), [Act::Kill]);
    assert_eq!(play.later(1).sees(State::Idle), [Act::Clear, Act::Capture]);
}

#[test]
fn what_is_being_typed_is_not_broken_off() {
    let mut play = Play::of(AGENT);
    assert_eq!(play.on(Event::Cancel(true)), []);
    let acts = play.on(Event::Sent(Sending::Delivered));
    assert_eq!(acts, [Act::Step(Step::Running), Act::Kill]);
    let mut play = Play::of(AGENT);
    assert_eq!(play.on(Event::Lost), []);
    // Nothing that is seen meanwhile says that it is safe.
    assert_eq!(play.later(500).sees(State::Idle), []);
    let acts = play.on(Event::Sent(Sending::Uncertain(Why::NoEcho)));
    assert_eq!(acts, [Act::Interrupt]);
    // Where nothing was typed there is nothing to be stopped.
    let mut play = Play::of(AGENT);
    play.on(Event::Lost);
    let acts = play.on(Event::Sent(Sending::Held(Why::InMode)));
    assert_eq!(acts, [Act::Leave]);
    assert!(play.course.is_over());
}

#[test]
fn what_takes_too_long_is_made_safe_before_it_is_failed() {
    let mut play = Play::with(AGENT, false, Some(60));
    play.is_in();
    play.sees(State::Busy);
    assert_eq!(play.course.due(), Some(play.now + Duration::from_secs(60)));
    assert_eq!(play.later(59_999).on(Event::Tick), []);
    assert_eq!(play.later(1).on(Event::Tick), [Act::Interrupt]);
    assert_eq!(play.later(100).sees(State::Busy), []);
    assert_eq!(
        play.later(100).sees(State::Idle),
        [Act::Clear, Act::Capture]
    );
    let acts = play.captured();
    let why = "it took longer than it may".to_owned();
    play.ended(&acts, End::Failed(why, outcome()));
}

#[test]
fn what_is_somebody_elses_is_made_safe_and_nobody_is_told() {
    for before in [None, Some(Event::Cancel(false))] {
        let mut play = Play::running(AGENT);
        play.sees(State::Busy);
        let acts = before.map(|event| play.on(event));
        let more = play.on(Event::Lost);
        assert_eq!(acts.unwrap_or(more), [Act::Interrupt]);
        let acts = play.later(100).sees(State::Idle);
        assert_eq!(acts, [Act::Clear, Act::Leave]);
        assert!(play.course.is_over());
    }
    let mut play = Play::running(AGENT);
    play.sees(State::Busy);
    play.sees(State::Idle);
    assert_eq!(play.on(Event::Lost), [Act::Leave]);
}

#[test]
fn what_a_person_ends_or_takes_over_is_not_done() {
    let mut play = Play::running(AGENT);
    play.sees(State::Busy);
    play.sees(State::Idle);
    let acts = play.on(Event::Captured(Box::new(Captured {
        is_touched: true,
        ..Captured::default()
    })));
    play.ended(&acts, End::Uncertain(TOUCHED.to_owned()));
    // What was written while it worked was sent off.
    let mut play = Play::running(AGENT);
    let note = Act::Note(WRITES.to_owned());
    assert_eq!(play.sees_more(State::Busy, None, true), [note]);
    assert_eq!(play.sees_more(State::Busy, None, true), []);
    assert_eq!(play.later(60_000).sees(State::Busy), []);
    let acts = play.sees(State::Idle);
    play.ended(&acts, End::Uncertain(TAKEN.to_owned()));
    // It stands there still: the turn was the task's.
    let mut play = Play::running(AGENT);
    play.sees_more(State::Busy, None, true);
    let acts = play.sees_more(State::Idle, None, true);
    assert_eq!(acts, [Act::Capture]);
    // What a person does there is not stopped.
    let mut play = Play::with(AGENT, false, Some(60));
    play.is_in();
    play.sees_more(State::Busy, None, true);
    let acts = play.later(60_000).on(Event::Tick);
    let why = format!("{TAKEN}, and it took longer than it may");
    play.ended(&acts, End::Uncertain(why));
}

#[test]
fn what_an_earlier_life_was_about_to_type_is_looked_for() {
    // It was sent off.
    let mut play = Play::taken_up(AGENT);
    assert_eq!(play.finds(Stands::Sent), [Act::Step(Step::Running)]);
    assert_eq!(play.later(3000).sees(State::Idle), [Act::Capture]);
    let mut play = Play::taken_up(AGENT);
    assert_eq!(play.sees(State::Busy), [Act::Step(Step::Running)]);
    assert_eq!(play.sees(State::Idle), [Act::Capture]);
    // It is not there; but what has just been typed may not be drawn yet.
    let mut play = Play::taken_up(AGENT);
    assert_eq!(play.later(2999).finds(Stands::Nowhere), []);
    let acts = play.later(1).finds(Stands::Nowhere);
    play.ended(
        &acts,
        returned("the balancer ended before anything was typed"),
    );
    // It was not sent off.
    let mut play = Play::taken_up(AGENT);
    assert_eq!(play.finds(Stands::InBox), []);
    assert_eq!(play.later(3000).finds(Stands::InBox), [Act::Clear]);
    assert_eq!(play.later(2999).finds(Stands::Nowhere), []);
    let acts = play.later(1).finds(Stands::Nowhere);
    play.ended(&acts, returned("the balancer ended before it was sent off"));
    // It was, just as it was taken out.
    let mut play = Play::taken_up(AGENT);
    play.later(3000).finds(Stands::InBox);
    assert_eq!(play.finds(Stands::Sent), [Act::Step(Step::Running)]);
    // Nobody can say.
    let mut play = Play::taken_up(AGENT);
    assert_eq!(play.later(9999).finds(Stands::Unsure), []);
    let acts = play.later(1).on(Event::Tick);
    let why = "the balancer ended while it was typed".to_owned();
    play.ended(&acts, End::Uncertain(why));
}

#[test]
fn a_command_line_of_an_earlier_life_runs_if_something_does() {
    let mut play = Play::taken_up(SHELL);
    assert_eq!(play.sees(State::Busy), [Act::Find]);
    let acts = play.on(Event::Found(Stands::Sent));
    assert_eq!(acts, [Act::Step(Step::Running)]);
    assert_eq!(play.on(Event::Exited(0)), [Act::Capture]);
    let mut play = Play::taken_up(SHELL);
    assert_eq!(play.later(3000).finds(Stands::Sent), []);
    assert_eq!(play.on(Event::Began), [Act::Step(Step::Running)]);
}

#[test]
fn a_short_turn_is_looked_at_often_and_a_long_one_seldom() {
    let waits = Play::of(AGENT);
    assert_eq!(waits.course.looks_every(waits.now), None);
    let mut play = Play::running(AGENT);
    for (later, every) in [
        (0, Some(OFTEN)),
        (2000, Some(OFTEN)),
        (6000, Some(Duration::from_millis(500))),
        (8000, None),
        (3_600_000, None),
    ] {
        play.later(later);
        assert_eq!(play.course.looks_every(play.now), every, "{later}");
    }
    let command = Play::running(SHELL);
    assert_eq!(command.course.looks_every(command.now), None);
}
