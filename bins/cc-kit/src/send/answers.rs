//! Answers, and prompts by which a program goes on that was stopped.
#![allow(clippy::indexing_slicing, reason = "tests")]

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::profile::{Choice, Dialog, GoOn, Profiles, Reading, State};

/// A program that asks; what it shows is changed by what is pressed.
#[derive(Debug, Default)]
struct Asker {
    /// What it shows, one picture after another: a key goes on to the next.
    pictures: Mutex<Vec<Looked>>,
    pressed: Mutex<Vec<String>>,
    pasted: Mutex<Vec<String>>,
    /// Does a key do nothing?
    deaf: bool,
    /// Is the pane gone once a key was pressed?
    goes: bool,
}

fn looked(state: State, dialog: Option<u64>) -> Looked {
    Looked {
        keyed: 0,
        reading: Reading {
            state,
            sub: None,
            confidence: 0.9,
            evidence: Vec::new(),
            limit_text: None,
            go_on: None,
            draft: None,
            dialog: dialog.map(|hash| Dialog {
                hash,
                question: "?".to_owned(),
                choices: Vec::new(),
            }),
        },
        rows: Vec::new(),
        in_mode: false,
        dead: false,
        typed: None,
    }
}

impl Asker {
    fn showing(pictures: impl IntoIterator<Item = Looked>) -> Self {
        Self {
            pictures: Mutex::new(pictures.into_iter().collect()),
            ..Self::default()
        }
    }

    fn pressed(&self) -> Vec<String> {
        self.pressed.lock().unwrap().clone()
    }

    fn next(&self) {
        let mut pictures = self.pictures.lock().unwrap();
        if pictures.len() > 1 && !self.deaf {
            pictures.remove(0);
        }
    }
}

impl Hands for Asker {
    async fn look(&self) -> Result<Looked, Why> {
        if self.goes && !self.pressed().is_empty() {
            return Err(Why::Gone("no such pane".to_owned()));
        }
        Ok(self.pictures.lock().unwrap().first().cloned().unwrap())
    }

    async fn paste(&self, text: &str) -> Result<(), Why> {
        self.pasted.lock().unwrap().push(text.to_owned());
        let mut pictures = self.pictures.lock().unwrap();
        pictures[0].reading.draft = Some(text.to_owned());
        Ok(())
    }

    async fn press(&self, key: &str, _: u64) -> Result<(), Why> {
        self.press_all(&[key.to_owned()]).await
    }

    async fn press_all(&self, keys: &[String]) -> Result<(), Why> {
        self.pressed.lock().unwrap().extend_from_slice(keys);
        self.next();
        Ok(())
    }
}

fn choice(key: &str, enter: bool) -> Choice {
    Choice {
        key: key.to_owned(),
        text: "Yes".to_owned(),
        says: None,
        enter,
    }
}

async fn give(asker: &Asker, dialog: u64) -> Answered {
    let decider = Answer::new(dialog, &choice("1", false), "Enter");
    answer(decider, asker, Instant::now()).await
}

#[tokio::test(start_paused = true)]
async fn a_dialog_is_answered_once_and_seen_to_go() {
    let asker = Asker::showing([looked(State::Blocked, Some(7)), looked(State::Busy, None)]);
    assert_eq!(give(&asker, 7).await, Answered::Answered);
    assert_eq!(asker.pressed(), ["1"]);
    // Another question behind it is another one's.
    let asker = Asker::showing([
        looked(State::Blocked, Some(7)),
        looked(State::Blocked, Some(8)),
    ]);
    assert_eq!(give(&asker, 7).await, Answered::Answered);
    assert_eq!(asker.pressed(), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_is_ended_where_the_profile_says_so() {
    let asker = Asker::showing([looked(State::Blocked, Some(7)), looked(State::Busy, None)]);
    let decider = Answer::new(7, &choice("y", true), "C-m");
    let answered = answer(decider, &asker, Instant::now()).await;
    assert_eq!(answered, Answered::Answered);
    assert_eq!(asker.pressed(), ["y", "C-m"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_pressed_into_anything_else() {
    for (look, why) in [
        (looked(State::Idle, None), Why::NoDialog),
        (looked(State::Blocked, Some(8)), Why::OtherDialog),
        (
            Looked {
                dead: true,
                ..looked(State::Blocked, Some(7))
            },
            Why::Dead,
        ),
        (
            Looked {
                in_mode: true,
                ..looked(State::Blocked, Some(7))
            },
            Why::InMode,
        ),
        (
            Looked {
                typed: Some(Duration::from_secs(9)),
                ..looked(State::Blocked, Some(7))
            },
            Why::HumanTyping,
        ),
    ] {
        let asker = Asker::showing([look]);
        assert_eq!(give(&asker, 7).await, Answered::Held(why));
        assert_eq!(asker.pressed(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dialog_that_stays_or_vanishes_with_its_pane_is_not_answered() {
    let asker = Asker {
        deaf: true,
        ..Asker::showing([looked(State::Blocked, Some(7)), looked(State::Busy, None)])
    };
    assert_eq!(give(&asker, 7).await, Answered::Held(Why::StillAsks));
    assert_eq!(asker.pressed(), ["1"], "once");
    let asker = Asker {
        goes: true,
        ..Asker::showing([looked(State::Blocked, Some(7))])
    };
    let gone = Why::Gone("no such pane".to_owned());
    assert_eq!(give(&asker, 7).await, Answered::Uncertain(gone));
}

fn limited(prompt: &str) -> Looked {
    let mut look = looked(State::Limited, None);
    look.reading.go_on = Some(GoOn {
        choice: None,
        prompt: Some(prompt.to_owned()),
    });
    look
}

async fn go_on(asker: &Asker) -> Outcome {
    let sending = Profiles::builtin().get("claude").unwrap().sending().clone();
    let prompt = Prompt::new(b"continue").unwrap();
    let delivery = Delivery::going_on(prompt, &sending, Duration::ZERO);
    let (_nobody, hooks) = mpsc::unbounded_channel();
    deliver(delivery, "Enter", asker, hooks, Instant::now())
        .await
        .outcome
}

#[tokio::test(start_paused = true)]
async fn who_is_limited_is_told_to_go_on() {
    let mut busy = looked(State::Busy, None);
    busy.rows = vec!["Working".to_owned()];
    let asker = Asker::showing([limited("continue"), busy]);
    assert_eq!(go_on(&asker).await, Outcome::Delivered);
    assert_eq!(*asker.pasted.lock().unwrap(), ["continue"]);
    assert_eq!(asker.pressed(), ["Enter"]);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_to_go_on_opens_no_other_gate() {
    let mut draft = limited("continue");
    draft.reading.draft = Some("mine".to_owned());
    let mut dialog = limited("continue");
    dialog.reading.dialog = looked(State::Blocked, Some(7)).reading.dialog;
    let mut by_itself = limited("continue");
    by_itself.reading.go_on = None;
    for look in [
        draft,
        dialog,
        by_itself,
        limited("another"),
        looked(State::Blocked, Some(7)),
        looked(State::Busy, None),
        looked(State::Unknown, None),
    ] {
        let asker = Asker::showing([look.clone()]);
        let outcome = go_on(&asker).await;
        assert!(matches!(outcome, Outcome::Held(_)), "{look:?}: {outcome:?}");
        assert!(asker.pasted.lock().unwrap().is_empty());
        assert_eq!(asker.pressed(), [""; 0]);
    }
    // And no other prompt is written to one that is limited.
    let sending = Profiles::builtin().get("claude").unwrap().sending().clone();
    let prompt = Prompt::new(b"continue").unwrap();
    let plain = Delivery::new(prompt, &sending, Duration::ZERO, Duration::ZERO);
    let asker = Asker::showing([limited("continue")]);
    let (_nobody, hooks) = mpsc::unbounded_channel();
    let receipt = deliver(plain, "Enter", &asker, hooks, Instant::now()).await;
    let limited = Why::NotIdle("limited".to_owned());
    assert_eq!(receipt.outcome, Outcome::Held(limited));
}

#[tokio::test(start_paused = true)]
async fn something_new_is_begun_where_what_stopped_the_last_turn_is_still_shown() {
    let sending = Profiles::builtin().get("claude").unwrap().sending().clone();
    let past = async |asker: &Asker| {
        let prompt = Prompt::new(b"something new").unwrap();
        let delivery = Delivery::past_stop(prompt, &sending, Duration::ZERO);
        let (_nobody, hooks) = mpsc::unbounded_channel();
        let receipt = deliver(delivery, "Enter", asker, hooks, Instant::now()).await;
        receipt.outcome
    };
    let mut busy = looked(State::Busy, None);
    busy.rows = vec!["Working".to_owned()];
    let asker = Asker::showing([limited("continue"), busy]);
    assert_eq!(past(&asker).await, Outcome::Delivered);
    assert_eq!(*asker.pasted.lock().unwrap(), ["something new"]);
    // A dialog is to be answered first, and what is not over by a prompt is not begun anew by one.
    let mut dialog = limited("continue");
    dialog.reading.dialog = looked(State::Blocked, Some(7)).reading.dialog;
    let mut for_ever = limited("continue");
    for_ever.reading.go_on = None;
    for look in [dialog, for_ever, looked(State::Busy, None)] {
        let asker = Asker::showing([look.clone()]);
        let outcome = past(&asker).await;
        assert!(matches!(outcome, Outcome::Held(_)), "{look:?}: {outcome:?}");
    }
}
