//! What a worker still shows of what stopped its last turn, and what is no turn at all.

use std::time::Duration;

use cc_kit::profile::State;
use cc_kit::send::Outcome as Sending;

use super::{AGENT, Act, Belief, Captured, Course, Event};
use crate::store::{End, Step};
use crate::task::Outcome;

const fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Believed on a look at that time, and since another.
fn believed(state: State, began: u64, seen: u64) -> Event {
    Event::Believed(Belief {
        state,
        sub: None,
        draft: false,
        began: at(began),
        seen: at(seen),
    })
}

/// An attempt whose prompt is in at 1 s.
fn sent() -> Course {
    let mut course = Course::new(AGENT, false, None, at(0));
    assert_eq!(course.begin(), [Act::Step(Step::Delivering), Act::Send]);
    let acts = course.on(Event::Sent(Sending::Delivered), at(1000));
    assert_eq!(acts, [Act::Step(Step::Running)]);
    course
}

fn captured(text: &str) -> Captured {
    Captured {
        outcome: Outcome {
            text: text.to_owned(),
            ..Outcome::default()
        },
        ..Captured::default()
    }
}

#[test]
fn what_stopped_the_turn_before_does_not_stop_this_one() {
    for state in [State::Limited, State::Errored] {
        let mut course = sent();
        // It is still believed on a look that has the prompt already.
        assert_eq!(course.on(believed(state, 500, 1100), at(1100)), []);
        assert_eq!(course.on(believed(State::Busy, 1200, 1200), at(1200)), []);
        let acts = course.on(believed(State::Idle, 2000, 2000), at(2000));
        assert_eq!(acts, [Act::Capture], "{state}");
    }
    // A new one does, and so does an old one that is still shown well after the prompt was in.
    for (began, seen) in [(1200, 1200), (500, 4100)] {
        let mut course = sent();
        let acts = course.on(believed(State::Limited, began, seen), at(seen));
        assert_eq!(acts.first(), Some(&Act::Limit("limited".to_owned())));
    }
}

#[test]
fn silence_of_who_was_never_seen_to_work_is_no_turn() {
    let mut course = sent();
    let idle = believed(State::Idle, 500, 4100);
    assert_eq!(course.on(idle.clone(), at(4100)), [Act::Capture]);
    let acts = course.on(Event::Captured(Box::new(captured(""))), at(4100));
    assert!(matches!(acts.as_slice(), [Act::End(End::Uncertain(_))]));

    let mut course = sent();
    course.on(idle.clone(), at(4100));
    let acts = course.on(Event::Captured(Box::new(captured("said"))), at(4100));
    assert!(matches!(acts.as_slice(), [Act::End(End::Done(_))]));

    // It worked; for the prompt only if it has written that down, where it writes such things down.
    for (is_absent, text, is_done) in [(false, "", true), (true, "", false), (true, "said", true)] {
        let mut course = sent();
        course.on(believed(State::Busy, 1200, 1200), at(1200));
        course.on(idle.clone(), at(4100));
        let captured = Captured {
            is_absent,
            ..captured(text)
        };
        let acts = course.on(Event::Captured(Box::new(captured)), at(4100));
        match acts.as_slice() {
            [Act::End(End::Done(_))] => assert!(is_done),
            [Act::End(End::Uncertain(_))] => assert!(!is_done),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn who_ends_a_turn_in_words_of_its_own_is_safe() {
    for state in [State::Idle, State::Limited, State::Errored] {
        let mut course = sent();
        assert_eq!(course.on(Event::Cancel(false), at(2000)), [Act::Interrupt]);
        assert_eq!(course.on(believed(state, 500, 1900), at(2100)), []);
        let acts = course.on(believed(state, 2200, 2200), at(2200));
        assert_eq!(acts, [Act::Clear, Act::Capture], "{state}");
    }
}
