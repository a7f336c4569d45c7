//! Commands, which say themselves how they ended.

use std::time::Duration;

use cc_kit::profile::State;
use cc_kit::send::Outcome as Sending;

use super::super::UNSAID;
use super::{AGENT, Act, Event, Play, SHELL, outcome};
use crate::store::{End, Step};
use crate::task::Outcome;

#[test]
fn a_command_says_itself_how_it_ended() {
    for (code, end) in [
        (
            0,
            End::Done(Outcome {
                exit: Some(0),
                ..outcome()
            }),
        ),
        (
            3,
            End::Failed(
                "exit 3".to_owned(),
                Outcome {
                    exit: Some(3),
                    ..outcome()
                },
            ),
        ),
    ] {
        let mut play = Play::running(SHELL);
        assert_eq!(play.later(9000).sees(State::Idle), []);
        assert_eq!(play.on(Event::Exited(code)), [Act::Capture]);
        let acts = play.captured();
        play.ended(&acts, end);
    }
    // Its word may come before that of the sender.
    let mut play = Play::of(SHELL);
    assert_eq!(play.on(Event::Began), [Act::Step(Step::Running)]);
    assert_eq!(play.on(Event::Exited(0)), [Act::Capture]);
    assert_eq!(play.on(Event::Sent(Sending::Delivered)), []);
}

#[test]
fn a_command_that_is_gone_without_a_word_is_looked_for() {
    let mut play = Play::running(SHELL);
    assert_eq!(play.sees(State::Idle), []);
    assert_eq!(play.later(14_999).on(Event::Tick), []);
    assert_eq!(play.later(1).on(Event::Tick), [Act::Look]);
    // It is there, stopped perhaps: it is looked for again when as long has passed.
    assert_eq!(play.on(Event::Runs(true)), []);
    assert_eq!(play.later(14_999).on(Event::Tick), []);
    assert_eq!(play.later(1).on(Event::Tick), [Act::Look]);
    // Something runs there meanwhile.
    assert_eq!(play.sees(State::Busy), []);
    assert_eq!(play.on(Event::Runs(false)), []);
    assert_eq!(play.later(60_000).on(Event::Tick), []);
    assert_eq!(play.sees(State::Idle), []);
    assert_eq!(play.course.due(), Some(play.now + Duration::from_secs(15)));
    assert_eq!(play.later(15_000).on(Event::Tick), [Act::Look]);
    // What it has left goes on otherwise, and takes the keys of whoever is next.
    let acts = play.on(Event::Runs(false));
    assert_eq!(acts.first(), Some(&Act::Reap));
    play.ended(&acts[1..], End::Uncertain(UNSAID.to_owned()));
    // What it said came first.
    let mut play = Play::running(SHELL);
    play.sees(State::Idle);
    assert_eq!(play.later(15_000).on(Event::Tick), [Act::Look]);
    assert_eq!(play.on(Event::Exited(0)), [Act::Capture]);
    assert_eq!(play.on(Event::Runs(false)), []);
    // Agents say nothing, and are not looked for.
    let mut play = Play::running(AGENT);
    play.sees(State::Idle);
    assert_eq!(play.later(60_000).on(Event::Tick), []);
}

#[test]
fn what_an_earlier_life_was_checking_is_checked_again() {
    for (manner, exit) in [(SHELL, Some(0)), (AGENT, None)] {
        let mut play = Play::with(manner, true, None);
        assert_eq!(play.course.take_up_ended(), [Act::Capture]);
        assert_eq!(play.captured(), [Act::Step(Step::Verifying), Act::Check]);
        let acts = play.on(Event::Checked(Some(0), "fine".to_owned()));
        let expected = Outcome {
            exit,
            check: Some("fine".to_owned()),
            ..outcome()
        };
        play.ended(&acts, End::Done(expected));
    }
}
