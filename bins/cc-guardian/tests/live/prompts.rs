//! Many prompts of every shape: exact, or refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use harness::server::{Boot, Server};
use harness::{skip_if_asked, wait};
use serde_json::{Value, json};

use crate::guardian::{Dice, Guardian, PATIENCE, is_full, scaled};
use crate::sending::given;

/// Words in which something could go wrong: formats, shells, guards, keys, cues of agents, and letters
/// of all widths.
const WORDS: [&str; 30] = [
    "fix",
    "the",
    "naïve",
    "日本語",
    "🙂",
    "👩\u{200d}👩\u{200d}👧",
    "e\u{301}",
    "עברית",
    "\u{200b}",
    "\u{3000}",
    "$HOME",
    "`id`",
    "\\n",
    "\"q\"",
    "'s'",
    "#{pid}",
    "#(id)",
    "%end 1 2 3",
    "-x",
    ";",
    "~",
    "{",
    "}",
    "100%",
    "─────────",
    "│",
    "❯",
    "●",
    "esc to interrupt",
    "…",
];

fn words(dice: &mut Dice, count: usize) -> String {
    let words: Vec<&str> = (0..count).map(|_| dice.pick(&WORDS)).collect();
    words.join(" ")
}

/// The prompt of that number, of any shape; no two are the same unless they are to be.
fn prompt(dice: &mut Dice, number: usize) -> String {
    let some = |dice: &mut Dice, most: usize| {
        let count = 1 + dice.below(most);
        words(dice, count)
    };
    match dice.below(14) {
        0 => format!("{number} {}", some(dice, 6)),
        1 => {
            let lines: Vec<String> = (0..2 + dice.below(7))
                .map(|_| {
                    let count = dice.below(5);
                    words(dice, count)
                })
                .collect();
            format!("{number} {}", lines.join("\n"))
        }
        2 => format!(
            "/{} {number}",
            dice.pick(&["help", "foo bar", "compact", "x/y"])
        ),
        3 => format!("!{number} ls"),
        4 => format!("{number} {}", "x".repeat(1 + dice.below(5000))),
        5 => {
            let control = [0, 3, 4, 7, 8, 13, 21, 26, 27, 31, 127, 128, 155];
            let control = char::from(control[dice.below(control.len())]);
            format!("{number} {}{control}{}", some(dice, 2), some(dice, 2))
        }
        6 => {
            let end = dice.pick(&["  ", "\t", "\n", "\n\n", "   \n ", "\u{3000}"]);
            format!("{number} {}{end}", some(dice, 3))
        }
        7 => {
            let beginning = dice.pick(&[" ", "\n", "\t", "  \n"]);
            format!("{beginning}{number} {}", some(dice, 3))
        }
        8 => {
            let count = 100 + dice.below(2000);
            format!("{number} {}", words(dice, count))
        }
        9 => format!("{number} {}\\", some(dice, 3)),
        10 => format!("{number}\t{}\t{}", some(dice, 1), some(dice, 1)),
        11 => {
            let lines: Vec<String> = (0..10 + dice.below(50)).map(|_| some(dice, 3)).collect();
            format!("{number} {}", lines.join("\n"))
        }
        12 => "the same each time".to_owned(),
        _ => dice
            .pick(&[
                "", "  ", "\n", "y", "1", ";", "#", "~", "-", "%", "\u{feff}",
            ])
            .to_owned(),
    }
}

/// Passes when what the programs were given is what the receipts say, byte for byte and in order:
/// nothing is lost, nothing comes twice, and what is refused has not been written. The rate is printed.
#[test]
fn every_prompt_arrives_exactly_or_is_refused() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let (count, units) = if is_full() { (10_000, 8) } else { (300, 4) };
    let log = |unit: usize| guardian.path(&format!("given-{unit}"));
    for unit in 0..units {
        let log = log(unit);
        guardian.up(&format!("u{unit}"), 1, &["--log", log.to_str().unwrap()]);
    }
    for unit in 0..units {
        guardian.until_state(&format!("u{unit}@1"), "idle");
    }
    let tally = Mutex::new(BTreeMap::<String, usize>::new());
    let began = Instant::now();
    thread::scope(|scope| {
        for unit in 0..units {
            let (tally, guardian) = (&tally, &guardian);
            scope.spawn(move || {
                let mut dice = Dice::of(100 + unit as u64);
                let mut control = guardian.connect();
                let mut wanted: Vec<Vec<u8>> = Vec::new();
                for number in 0..count / units {
                    let text = prompt(&mut dice, number);
                    let name = format!("u{unit}@1");
                    let send = json!({"do": "send", "unit": name, "text": text, "wait_ms": 60_000});
                    let answer = control.ask(&send);
                    let outcome = answer["receipt"]["outcome"].as_str().unwrap_or("refused");
                    *tally.lock().unwrap().entry(outcome.to_owned()).or_default() += 1;
                    match outcome {
                        "delivered" => wanted.push(text.into_bytes()),
                        "refused" => assert_eq!(answer["exit"], 2, "{text:?}: {answer}"),
                        _ => panic!("{text:?}: {answer}"),
                    }
                }
                // Each is written down before anything of its turn is seen.
                let given = given(&log(unit));
                assert_eq!(given.len(), wanted.len());
                for (given, wanted) in given.iter().zip(&wanted) {
                    assert!(
                        given == wanted,
                        "wanted {:?}, given {:?}",
                        String::from_utf8_lossy(wanted),
                        String::from_utf8_lossy(given)
                    );
                }
            });
        }
    });
    let took = began.elapsed();
    let rate = count as f64 / took.as_secs_f64();
    println!(
        "{count} prompts to {units} units in {took:?}, {rate:.1} a second: {:?}",
        tally.lock()
    );
}

/// The keyboard of somebody who is attached to a unit.
struct Person {
    terminal: Server,
}

impl Person {
    fn attached(guardian: &Guardian, unit: &str) -> Self {
        let it = guardian.unit(unit);
        let tmux = harness::server::tmux_binary();
        let tmux = tmux.to_str().unwrap();
        let (socket, pane) = (it["socket"].as_str().unwrap(), it["pane"].as_str().unwrap());
        let attach = [
            "env",
            "-u",
            "TMUX",
            tmux,
            "-S",
            socket,
            "attach-session",
            "-t",
            pane,
        ];
        let terminal = Server::start_with(&Boot::running(attach));
        wait::until(PATIENCE, "the picture", || {
            terminal.answer(["capture-pane", "-p"]).contains('❯')
        });
        Self { terminal }
    }

    fn types(&self, keys: &str) {
        self.terminal.tmux(["send-keys", "-t", "=main:", keys]);
    }
}

/// Passes when what a person types at any moment of a prompt's way is never sent together with it:
/// the prompt waits, or is not sent, and the receipt says why. The program shows late what is typed, so
/// that its screen does not give the person away.
#[test]
fn nobody_who_types_is_glued_to_a_prompt() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let units = 4;
    let log = |unit: usize| guardian.path(&format!("given-{unit}"));
    for unit in 0..units {
        let log = log(unit);
        let arguments = ["--log", log.to_str().unwrap(), "--slow-echo", "300ms"];
        guardian.up(&format!("u{unit}"), 1, &arguments);
    }
    for unit in 0..units {
        guardian.until_state(&format!("u{unit}@1"), "idle");
    }
    let tally = Mutex::new(BTreeMap::<String, usize>::new());
    thread::scope(|scope| {
        for unit in 0..units {
            let (tally, guardian) = (&tally, &guardian);
            scope.spawn(move || {
                let name = format!("u{unit}@1");
                let person = Person::attached(guardian, &name);
                let mut dice = Dice::of(500 + unit as u64);
                let mut control = guardian.connect();
                for round in 0..scaled(40) {
                    let before = given(&log(unit)).len();
                    let text = format!("prompt {round}.");
                    // Who has typed a moment ago is waited for.
                    let send = json!({"do": "send", "unit": name, "text": text, "wait_ms": 30_000});
                    control.say(&send);
                    wait::until(PATIENCE, "it to be on its way", || {
                        shows(guardian, &name, &text) || given(&log(unit)).len() > before
                    });
                    // The moment is what is tried, not what is waited for.
                    thread::sleep(dice.moment(Duration::from_millis(300)));
                    person.types("z");
                    let answer = control.next().unwrap();
                    let outcome = answer["receipt"]["outcome"].as_str().unwrap();
                    let why = answer["receipt"]["reason"]["why"]
                        .as_str()
                        .unwrap_or_default();
                    let said = format!("{outcome} {why}");
                    *tally
                        .lock()
                        .unwrap()
                        .entry(said.trim().to_owned())
                        .or_default() += 1;
                    let now = given(&log(unit));
                    if outcome == "delivered" {
                        assert_eq!(now.len(), before + 1, "{answer}");
                    } else {
                        assert_eq!(outcome, "uncertain", "{answer}");
                        assert!(why == "human-typing" || why == "glued", "{answer}");
                        assert_eq!(now.len(), before, "{answer}");
                    }
                    assert!(now.iter().all(|prompt| !prompt.contains(&b'z')), "{answer}");
                    guardian.until(&name, "what was typed", |unit| {
                        unit["state"] == "idle" && !unit["draft"].is_null()
                    });
                    person.types("C-u");
                    guardian.until(&name, "an empty box", |unit| unit["draft"].is_null());
                }
            });
        }
    });
    println!("{:?}", tally.lock().unwrap());
}

/// Does the pane of a unit show that now?
fn shows(guardian: &Guardian, unit: &str, text: &str) -> bool {
    let it = guardian.unit(unit);
    let (Some(socket), Some(pane)) = (it["socket"].as_str(), it["pane"].as_str()) else {
        return false;
    };
    let shown = guardian.tmux(Path::new(socket), &["capture-pane", "-p", "-t", pane]);
    shown.contains(text)
}

/// Passes when keys that another program types are heard of too, as soon as they show: nothing is
/// written beside them, and what was written already is not sent with them.
#[test]
fn keys_of_programs_are_not_glued_either() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let log = guardian.path("given");
    let control = guardian.path("agent");
    let (log_text, control) = (log.to_str().unwrap(), control.to_str().unwrap());
    guardian.up("w", 1, &["--log", log_text, "--control", control]);
    let it = guardian.until_state("w@1", "idle");
    let socket = Path::new(it["socket"].as_str().unwrap());
    let pane = it["pane"].as_str().unwrap();
    let types = |keys: &str| guardian.tmux(socket, &["send-keys", "-t", pane, keys]);
    types("mine");
    guardian.until("w@1", "what was typed", |unit| unit["draft"] == "mine");
    let held = guardian.ask(&["send", "w@1", "prompt", "--json"]);
    assert_eq!(held.status.code(), Some(3), "{held:?}");
    let held: Value = serde_json::from_slice(&held.stdout).unwrap();
    assert_eq!(held["receipt"]["outcome"], "held");
    assert_eq!(held["receipt"]["reason"]["why"], "draft");
    types("C-u");
    guardian.until("w@1", "an empty box", |unit| unit["draft"].is_null());
    for round in 0..scaled(60) {
        let send = format!("prompt {round}");
        thread::scope(|scope| {
            let sending =
                scope.spawn(|| guardian.ask(&["send", "w@1", &send, "--wait", "idle", "--json"]));
            while !guardian
                .tmux(socket, &["capture-pane", "-p", "-t", pane])
                .contains("❯\u{a0}prompt")
            {
                assert!(!sending.is_finished(), "it was sent before it was seen");
            }
            types("mine");
            let said = sending.join().unwrap();
            assert_eq!(said.status.code(), Some(8), "{said:?}");
            let said: Value = serde_json::from_slice(&said.stdout).unwrap();
            assert_eq!(said["receipt"]["reason"]["why"], "glued");
        });
        types("C-u");
        guardian.until("w@1", "an empty box", |unit| {
            unit["draft"].is_null() && unit["state"] == "idle"
        });
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "");
}
