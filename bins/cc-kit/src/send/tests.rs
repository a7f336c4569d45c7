#![allow(clippy::indexing_slicing, reason = "tests")]

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::printable::printable;
use crate::profile::{Profiles, Reading, Sending, State};

/// How a program of a test takes what is written to it.
#[derive(Debug, Clone)]
struct Manners {
    /// How long until a paste is on the screen.
    echo: Duration,
    /// Enter that comes so soon behind a paste is eaten.
    guard: Duration,
    /// So many times Enter is eaten whatever comes.
    eats: u32,
    /// How long a turn takes.
    turn: Duration,
    /// Does it show what it was given?
    shows: bool,
    /// What somebody types into the box right behind the paste.
    human: &'static str,
    /// What somebody types right behind Enter.
    writes_on: &'static str,
    /// Does somebody type at the moment when Enter is pressed?
    typed_at_enter: bool,
    /// Is the paste lost, as with a dialog that nobody saw?
    loses: bool,
    /// What it folds a paste to.
    folds: bool,
    /// Does what was sent stay where it stood?
    keeps: bool,
}

const PLAIN: Manners = Manners {
    echo: Duration::from_millis(30),
    guard: Duration::ZERO,
    eats: 0,
    turn: Duration::from_secs(2),
    shows: true,
    human: "",
    writes_on: "",
    typed_at_enter: false,
    loses: false,
    folds: false,
    keeps: false,
};

/// A program that is written to.
#[derive(Debug)]
struct Program {
    manners: Manners,
    state: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    draft: String,
    pasted: Option<Instant>,
    enters: u32,
    submitted: Vec<String>,
    turn: Option<Instant>,
    pastes: u32,
    keyed: u64,
}

impl Program {
    fn new(manners: Manners) -> Self {
        Self {
            manners,
            state: Mutex::default(),
        }
    }

    fn submitted(&self) -> Vec<String> {
        self.state.lock().unwrap().submitted.clone()
    }
}

impl Hands for Program {
    async fn look(&self) -> Result<Looked, Why> {
        let inside = self.state.lock().unwrap();
        let manners = &self.manners;
        let drawn = inside.pasted.is_none_or(|at| at.elapsed() >= manners.echo);
        let draft = Some(inside.draft.clone()).filter(|draft| drawn && !draft.is_empty());
        let draft = draft.map(|draft| match manners.folds {
            true => "[Pasted text #1 +3 lines]".to_owned(),
            // Readings are printable.
            false => printable(draft.replace('\n', " ").as_bytes()).to_string(),
        });
        let busy = inside.turn.is_some_and(|at| at.elapsed() < manners.turn);
        let mut rows = vec![format!("{} turns", inside.submitted.len())];
        if manners.shows {
            rows.extend(inside.submitted.last().cloned());
        }
        rows.extend(draft.clone());
        Ok(Looked {
            reading: Reading {
                state: if busy { State::Busy } else { State::Idle },
                sub: None,
                confidence: 0.9,
                evidence: Vec::new(),
                limit_text: None,
                go_on: None,
                draft,
                dialog: None,
            },
            rows,
            in_mode: false,
            dead: false,
            typed: None,
            keyed: inside.keyed,
        })
    }

    async fn paste(&self, text: &str) -> Result<(), Why> {
        let mut inside = self.state.lock().unwrap();
        inside.pasted = Some(Instant::now());
        inside.pastes += 1;
        if !self.manners.loses {
            inside.draft += text;
            inside.draft += self.manners.human;
        }
        Ok(())
    }

    async fn press_all(&self, keys: &[String]) -> Result<(), Why> {
        panic!("nothing is answered here: {keys:?}");
    }

    async fn press(&self, key: &str, keyed: u64) -> Result<(), Why> {
        assert_eq!(key, "Enter");
        let mut inside = self.state.lock().unwrap();
        if self.manners.typed_at_enter {
            inside.keyed += 1;
            inside.draft += "x";
        }
        if inside.keyed != keyed {
            return Err(Why::HumanTyping);
        }
        inside.enters += 1;
        let soon = inside
            .pasted
            .is_some_and(|at| at.elapsed() < self.manners.echo + self.manners.guard);
        if soon || inside.enters <= self.manners.eats {
            return Ok(());
        }
        let draft = match self.manners.keeps {
            true => inside.draft.clone(),
            false => std::mem::take(&mut inside.draft),
        };
        if !draft.is_empty() {
            inside.submitted.push(draft);
            inside.draft += self.manners.writes_on;
            inside.turn = Some(Instant::now());
        }
        Ok(())
    }
}

fn sending() -> Sending {
    Profiles::builtin().get("claude").unwrap().sending().clone()
}

async fn send(program: &Program, text: &str, patience: Duration) -> Receipt {
    let (_keep, hooks) = mpsc::unbounded_channel();
    let prompt = Prompt::new(text.as_bytes()).unwrap();
    let delivery = Delivery::new(prompt, &sending(), patience, Duration::ZERO);
    deliver(delivery, "Enter", program, hooks, Instant::now()).await
}

#[tokio::test(start_paused = true)]
async fn a_prompt_arrives_once() {
    let program = Program::new(PLAIN);
    let receipt = send(&program, "fix the\ntests; \\ now", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Delivered);
    assert_eq!(receipt.stage, Some(Stage::Started));
    assert_eq!(program.submitted(), ["fix the\ntests; \\ now"]);
    assert_eq!(receipt.enters, 1);
}

#[tokio::test(start_paused = true)]
async fn who_eats_enter_gets_another() {
    let guarded = Manners {
        guard: Duration::from_millis(90),
        ..PLAIN
    };
    let program = Program::new(guarded);
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!((receipt.outcome, receipt.enters), (Outcome::Delivered, 1));
    for eats in 1..=2 {
        let program = Program::new(Manners { eats, ..PLAIN });
        let receipt = send(&program, "one", Duration::ZERO).await;
        assert_eq!(receipt.outcome, Outcome::Delivered);
        assert_eq!(receipt.enters, eats + 1);
        assert_eq!(program.submitted(), ["one"]);
    }
    let program = Program::new(Manners { eats: 9, ..PLAIN });
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Uncertain(Why::Stuck));
    assert_eq!((receipt.enters, receipt.stage), (3, Some(Stage::Pasted)));
}

#[tokio::test(start_paused = true)]
async fn who_works_gets_no_other_enter_that_would_answer_what_it_asks() {
    let program = Program::new(Manners {
        keeps: true,
        turn: Duration::from_secs(60),
        ..PLAIN
    });
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Uncertain(Why::Stuck));
    assert_eq!(receipt.enters, 1);
    assert_eq!(program.submitted(), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_seen_is_not_sent() {
    let lost = Manners {
        loses: true,
        ..PLAIN
    };
    let program = Program::new(lost);
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Uncertain(Why::NoEcho));
    let inside = program.state.lock().unwrap();
    assert_eq!((inside.enters, inside.pastes), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_typed_is_never_glued_to_it() {
    let human = Manners {
        human: " and mine",
        ..PLAIN
    };
    let program = Program::new(human);
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Uncertain(Why::Glued));
    assert_eq!(program.submitted(), [""; 0]);
    // Nothing is written where a draft stands already.
    let receipt = send(&program, "two", Duration::from_secs(3)).await;
    assert_eq!(receipt.outcome, Outcome::Held(Why::Draft));
    assert_eq!(program.state.lock().unwrap().pastes, 1);
}

#[tokio::test(start_paused = true)]
async fn who_writes_on_behind_enter_hides_nothing() {
    for turn in [Duration::ZERO, Duration::from_secs(60)] {
        let program = Program::new(Manners {
            writes_on: "mine",
            turn,
            ..PLAIN
        });
        let receipt = send(&program, "one", Duration::ZERO).await;
        assert_eq!((receipt.outcome, receipt.enters), (Outcome::Delivered, 1));
        assert_eq!(program.submitted(), ["one"]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_types_at_the_moment_of_enter_is_heard() {
    let program = Program::new(Manners {
        typed_at_enter: true,
        ..PLAIN
    });
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Uncertain(Why::HumanTyping));
    assert_eq!(receipt.stage, Some(Stage::Pasted));
    assert_eq!(program.submitted(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_types_what_does_not_show_is_heard_before_enter() {
    let program = Program::new(PLAIN);
    let prompt = Prompt::new(b"one").unwrap();
    let mut delivery = Delivery::new(prompt, &sending(), Duration::ZERO, Duration::ZERO);
    let look = Event::Looked(Box::new(program.look().await.unwrap()));
    assert_eq!(delivery.on(look, Duration::ZERO), Act::Paste);
    program.paste("one").await.unwrap();
    delivery.on(Event::Pasted(Ok(())), Duration::ZERO);
    tokio::time::sleep(PLAIN.echo).await;
    let look = || async { Event::Looked(Box::new(program.look().await.unwrap())) };
    assert!(matches!(
        delivery.on(look().await, PLAIN.echo),
        Act::Wait(_)
    ));
    program.state.lock().unwrap().keyed += 1;
    delivery.on(Event::Waited, PLAIN.echo);
    let act = delivery.on(look().await, PLAIN.echo);
    assert_eq!(act, Act::Done(Outcome::Uncertain(Why::HumanTyping)));
}

#[tokio::test(start_paused = true)]
async fn it_is_waited_for_until_it_is_idle() {
    let program = Program::new(PLAIN);
    send(&program, "one", Duration::ZERO).await;
    let receipt = send(&program, "two", Duration::ZERO).await;
    let busy = Why::NotIdle("busy".to_owned());
    assert_eq!(receipt.outcome, Outcome::Held(busy));
    let receipt = send(&program, "two", Duration::from_secs(10)).await;
    assert_eq!(receipt.outcome, Outcome::Delivered);
    assert_eq!(program.submitted(), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_over_at_once_is_confirmed_by_what_it_shows() {
    let quick = Manners {
        turn: Duration::ZERO,
        ..PLAIN
    };
    let program = Program::new(quick.clone());
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Delivered);
    // And is uncertain where nothing shows.
    let program = Program::new(Manners {
        shows: false,
        ..quick
    });
    let receipt = send(&program, "one", Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Uncertain(Why::NotConfirmed));
    assert_eq!(receipt.stage, Some(Stage::Submitted));
    assert_eq!(program.submitted(), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_confirms() {
    let program = Program::new(Manners {
        turn: Duration::ZERO,
        shows: false,
        ..PLAIN
    });
    let (tell, hooks) = mpsc::unbounded_channel();
    tell.send("another".to_owned()).unwrap();
    let prompt = Prompt::new(b"one").unwrap();
    let delivery = Delivery::new(prompt, &sending(), Duration::ZERO, Duration::ZERO);
    let delivered = deliver(delivery, "Enter", &program, hooks, Instant::now());
    let told = async {
        while program.submitted().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tell.send("one".to_owned()).unwrap();
        std::future::pending::<()>().await;
    };
    let receipt = tokio::select! {
        receipt = delivered => receipt,
        () = told => unreachable!(),
    };
    assert_eq!(receipt.outcome, Outcome::Delivered);
}

#[tokio::test(start_paused = true)]
async fn long_text_is_known_by_what_it_is_folded_to() {
    let program = Program::new(Manners {
        folds: true,
        ..PLAIN
    });
    let text = "line\n".repeat(500);
    let receipt = send(&program, text.trim_end(), Duration::ZERO).await;
    assert_eq!(receipt.outcome, Outcome::Delivered);
    assert_eq!(program.submitted(), [text.trim_end()]);
}

#[test]
fn a_receipt_reads_as_json() {
    let receipt = Receipt {
        outcome: Outcome::Uncertain(Why::NoEcho),
        stage: Some(Stage::Pasted),
        times: vec![(Stage::Accepted, 3)],
        enters: 0,
    };
    assert_eq!(
        serde_json::to_string(&receipt).unwrap(),
        r#"{"outcome":"uncertain","reason":{"why":"no-echo"},"stage":"pasted","times":[["accepted",3]],"enters":0}"#
    );
}
