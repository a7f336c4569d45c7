#![allow(clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use super::*;
use crate::hook::Hook;
use crate::profile::{Reading, Seen};

fn at(millis: u64) -> Stamp {
    Stamp {
        monotonic_ns: millis * 1_000_000,
        wall_ns: 0,
    }
}

fn reading(state: State, confidence: f32) -> Reading {
    Reading {
        state,
        sub: None,
        confidence,
        evidence: vec![Evidence::new("rule", Seen::Screen, "text")],
        limit_text: None,
        go_on: None,
        draft: None,
        dialog: None,
    }
}

/// A judge, driven by what is seen at which millisecond.
struct Watched(Judge);

impl Watched {
    fn starting() -> Self {
        Self(Judge::new(at(0), Duration::from_secs(60)))
    }

    fn busy_by_hook(millis: u64) -> Self {
        let mut it = Self::starting();
        it.hook("UserPromptSubmit", millis);
        it
    }

    fn look(&mut self, state: State, confidence: f32, millis: u64) -> State {
        let look = Look {
            reading: reading(state, confidence),
            quiet: true,
        };
        self.0.look(look, at(millis));
        self.0.verdict().state
    }

    fn hook(&mut self, event: &str, millis: u64) -> State {
        let hook = format!(r#"{{"hook_event_name":"{event}","error":"rate_limit"}}"#);
        self.0
            .hook(&Hook::parse(hook.as_bytes()).unwrap(), at(millis));
        self.0.verdict().state
    }
}

#[test]
fn idle_is_believed_only_after_a_while_and_busy_at_once() {
    let mut it = Watched::starting();
    assert_eq!(it.look(State::Idle, 0.9, 1000), State::Starting);
    assert_eq!(it.0.next_look(), Some(Duration::from_millis(2500)));
    assert_eq!(it.look(State::Idle, 0.9, 2499), State::Starting);
    assert_eq!(it.look(State::Idle, 0.9, 2500), State::Idle);
    assert_eq!(it.look(State::Busy, 0.6, 2600), State::Busy);
    // Two sources agree.
    assert_eq!(it.look(State::Idle, 0.85, 3000), State::Busy);
    assert_eq!(it.look(State::Idle, 0.85, 3400), State::Idle);
    // One alone.
    assert_eq!(it.look(State::Busy, 0.6, 4000), State::Busy);
    assert_eq!(it.look(State::Idle, 0.6, 5000), State::Busy);
    assert_eq!(it.look(State::Idle, 0.6, 6500), State::Idle);
    assert_eq!(it.0.verdict().since, at(6500));
}

#[test]
fn a_glimpse_of_idle_between_two_of_busy_is_not_believed() {
    let mut it = Watched::starting();
    it.look(State::Busy, 0.9, 1000);
    for millis in (2000..20_000).step_by(300) {
        assert_eq!(it.look(State::Idle, 0.9, millis), State::Busy);
        assert_eq!(it.look(State::Busy, 0.9, millis + 150), State::Busy);
    }
}

#[test]
fn what_is_not_known_is_never_idle() {
    let mut it = Watched::starting();
    assert_eq!(it.look(State::Unknown, 0.0, 1000), State::Starting);
    assert_eq!(it.look(State::Unknown, 0.0, 59_000), State::Starting);
    assert_eq!(it.look(State::Unknown, 0.0, 60_000), State::Unknown);
    let mut it = Watched::starting();
    it.look(State::Busy, 0.9, 1000);
    assert_eq!(it.look(State::Unknown, 0.0, 2000), State::Busy);
    assert_eq!(it.look(State::Unknown, 0.0, 5000), State::Unknown);
}

#[test]
fn who_shows_nothing_in_time_is_unknown_and_says_why() {
    let mut it = Watched::starting();
    it.0.tick(at(59_999));
    assert_eq!(it.0.verdict().state, State::Starting);
    it.0.tick(at(60_000));
    let verdict = it.0.verdict();
    assert_eq!(verdict.state, State::Unknown);
    assert_eq!(verdict.sub.as_deref(), Some("startup-timeout"));
}

#[test]
fn a_hook_is_believed_over_a_screen() {
    let mut it = Watched::busy_by_hook(1000);
    assert_eq!(it.0.verdict().state, State::Busy);
    assert_eq!(it.look(State::Idle, 0.95, 1100), State::Busy);
    assert_eq!(it.look(State::Idle, 0.95, 3000), State::Busy);
    // The screen has agreed for a while.
    assert_eq!(it.hook("Stop", 3100), State::Idle);
    let evidence = &it.0.verdict().evidence;
    assert_eq!(
        (evidence[0].seen, evidence[0].rule.as_str()),
        (Seen::Hook, "Stop")
    );
}

#[test]
fn a_screen_that_asks_is_believed_over_hooks_that_say_working() {
    let mut it = Watched::busy_by_hook(1000);
    assert_eq!(it.look(State::Blocked, 0.85, 2000), State::Blocked);
    assert_eq!(it.look(State::Busy, 0.85, 9000), State::Busy);
    // Drawn once, and gone by the next look: too short to be a dialog.
    assert_eq!(it.look(State::Blocked, 0.6, 9100), State::Busy);
    assert_eq!(it.look(State::Busy, 0.6, 9400), State::Busy);
    assert_eq!(it.look(State::Blocked, 0.6, 9500), State::Busy);
    assert_eq!(it.look(State::Blocked, 0.6, 9900), State::Blocked);
}

#[test]
fn a_parked_prompt_is_believed_when_the_hook_has_gone_missing() {
    let mut it = Watched::busy_by_hook(1000);
    assert_eq!(it.look(State::Idle, 0.95, 2000), State::Busy);
    assert_eq!(it.look(State::Idle, 0.95, 6999), State::Busy);
    assert_eq!(it.look(State::Idle, 0.95, 7000), State::Idle);
    // Not while its processes work.
    let mut it = Watched::busy_by_hook(1000);
    for millis in (2000..100_000).step_by(1000) {
        let look = Look {
            reading: reading(State::Idle, 0.95),
            quiet: false,
        };
        it.0.look(look, at(millis));
        assert_eq!(it.0.verdict().state, State::Busy);
    }
}

#[test]
fn a_dialog_that_a_hook_told_of_ends_when_the_screen_shows_no_more_of_it() {
    let mut it = Watched::busy_by_hook(1000);
    assert_eq!(it.hook("PermissionRequest", 2000), State::Blocked);
    // Not drawn yet.
    assert_eq!(it.look(State::Busy, 0.9, 2100), State::Blocked);
    assert_eq!(it.look(State::Busy, 0.9, 3500), State::Busy);
}

#[test]
fn a_limit_holds_until_it_works_again() {
    let mut it = Watched::busy_by_hook(1000);
    assert_eq!(it.hook("StopFailure", 2000), State::Limited);
    assert_eq!(it.0.verdict().sub.as_deref(), Some("usage"));
    assert_eq!(it.look(State::Idle, 0.95, 60_000), State::Limited);
    assert_eq!(it.look(State::Idle, 0.95, 90_000), State::Limited);
    assert_eq!(it.hook("UserPromptSubmit", 91_000), State::Busy);
    // By the screen alone it must stand for a while.
    let mut it = Watched::starting();
    it.look(State::Busy, 0.9, 0);
    assert_eq!(it.look(State::Limited, 0.6, 1000), State::Busy);
    assert_eq!(it.look(State::Limited, 0.6, 2500), State::Limited);
}

#[test]
fn a_death_ends_everything() {
    let mut it = Watched::busy_by_hook(1000);
    it.0.died("exit 7", at(2000));
    let verdict = it.0.verdict();
    assert_eq!(verdict.state, State::Dead);
    assert_eq!(verdict.sub.as_deref(), Some("exit 7"));
    it.0.tick(at(100_000));
    assert_eq!(it.0.verdict().state, State::Dead);
    assert_eq!(it.0.next_look(), None);
}

#[test]
fn nobody_is_without_evidence() {
    let rules = |judge: &Judge| -> Vec<String> {
        let evidence = judge.verdict().evidence.iter();
        evidence.map(|evidence| evidence.rule.clone()).collect()
    };
    let mut it = Watched::starting();
    assert_eq!(rules(&it.0), ["started"]);
    let mut nothing = reading(State::Unknown, 0.0);
    nothing.evidence.clear();
    let look = Look {
        reading: nothing,
        quiet: true,
    };
    it.0.look(look, at(100));
    assert_eq!(rules(&it.0), ["no-rule"]);
    it.0.tick(at(60_000));
    assert_eq!(it.0.verdict().state, State::Unknown);
    assert_eq!(rules(&it.0), ["no-rule"]);
    let mut unseen = Watched::starting();
    unseen.0.tick(at(60_000));
    assert_eq!(rules(&unseen.0), ["startup-timeout"]);
    assert_eq!(rules(&Judge::adopted(at(0))), ["adopted"]);
}

#[test]
fn who_was_there_before_is_unknown_until_looked_at() {
    let mut judge = Judge::adopted(at(0));
    assert_eq!(judge.verdict().state, State::Unknown);
    let look = |state| Look {
        reading: reading(state, 0.9),
        quiet: true,
    };
    judge.look(look(State::Idle), at(10));
    assert_eq!(judge.verdict().state, State::Unknown);
    judge.look(look(State::Idle), at(410));
    assert_eq!(judge.verdict().state, State::Idle);
}
