//! Guardians that are killed at any moment.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use harness::{skip_if_asked, wait};
use serde_json::{Value, json};

use crate::guardian::{Dice, Guardian, PATIENCE, scaled, stand_in};
use crate::sending::given;

const UNITS: [&str; 4] = ["v@1", "w@1", "w@2", "w@3"];
/// How long after something was begun the guardian is killed at most.
const WITHIN: Duration = Duration::from_millis(600);

/// What the guardian is doing when it is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Nothing,
    Starting,
    StartingAgain,
    Sending,
    Stopping,
    StoppingAtOnce,
    Restarting,
    RestartingAtOnce,
}

const DOING: [&Doing; 8] = [
    &Doing::Nothing,
    &Doing::Starting,
    &Doing::StartingAgain,
    &Doing::Sending,
    &Doing::Stopping,
    &Doing::StoppingAtOnce,
    &Doing::Restarting,
    &Doing::RestartingAtOnce,
];

fn log(guardian: &Guardian, unit: &str) -> std::path::PathBuf {
    guardian.path(&format!("given-{}", &unit[..1]))
}

fn home() -> Guardian {
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let unit = |name: &str, replicas: u8| {
        format!(
            "[unit.{name}]\ncommand = [{:?}, \"--like\", \"claude\", \"--log\", {:?}]\n\
             profile = \"claude\"\nreplicas = {replicas}\nrestart = \"unless-stopped\"\n\
             backoff = {{ initial = \"10ms\", max = \"10ms\", jitter = 0.0 }}\n\
             start_limit = {{ burst = 10000, interval = \"1h\" }}\n",
            stand_in(),
            log(&guardian, name),
        )
    };
    let text = format!("version = 1\n{}{}", unit("v", 1), unit("w", 3));
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian
}

/// Waits until every unit is idle; their pids.
fn settled(guardian: &Guardian, when: &str) -> BTreeMap<String, u64> {
    wait::until_some(PATIENCE, when, || {
        let units = guardian.units();
        let pids = units.iter().filter(|unit| unit["state"] == "idle");
        let pids = pids
            .filter_map(|unit| Some((unit["unit"].as_str()?.to_owned(), unit["pid"].as_u64()?)));
        let pids: BTreeMap<_, _> = pids.collect();
        (pids.len() == UNITS.len()).then_some(pids)
    })
}

fn begin(guardian: &Guardian, doing: Doing, unit: &str, text: &str) {
    let mut control = guardian.connect();
    let mut order = |what: &str, now: bool| {
        let answer = control.ask(&json!({"do": what, "unit": unit, "now": now}));
        assert!(answer["error"].is_null(), "{answer}");
    };
    match doing {
        Doing::Nothing => {}
        Doing::Starting => {
            order("stop", true);
            guardian.until(unit, "to be gone", |unit| unit["pane"].is_null());
            let answer = control.ask(&json!({"do": "start", "unit": unit}));
            assert!(answer["error"].is_null(), "{answer}");
        }
        Doing::StartingAgain => guardian.process_of(unit).kill().unwrap(),
        Doing::Sending => {
            control.say(&json!({"do": "send", "unit": unit, "text": text, "wait_ms": 5000}));
            // What comes of it is waited for apart.
        }
        Doing::Stopping => order("stop", false),
        Doing::StoppingAtOnce => order("stop", true),
        Doing::Restarting => order("restart", false),
        Doing::RestartingAtOnce => order("restart", true),
    }
}

/// How often a prompt was taken by the program of that log.
fn taken(log: &Path, text: &str) -> usize {
    let prompts = given(log).into_iter();
    let found = prompts.filter(|prompt| String::from_utf8_lossy(prompt).contains(text));
    found.count()
}

/// Passes when a guardian that is killed at random moments, whatever it is doing, comes back alone and
/// goes on: nobody else is disturbed, nobody runs twice, no prompt is typed twice, and who was to stop
/// stops.
#[cfg(target_os = "linux")]
#[test]
fn it_may_be_killed_at_any_moment() {
    skip_if_asked!();
    let mut guardian = home();
    let mut dice = Dice::of(7);
    let mut open = 0;
    for round in 0..scaled(200) {
        let before = settled(&guardian, &format!("all to be idle before round {round}"));
        // In turn, so that each comes however few there are.
        let doing = *DOING[round % DOING.len()];
        let unit = dice.pick(&UNITS);
        let text = format!("prompt {round} of many, {}", "x".repeat(dice.below(60)));
        let moment = dice.moment(WITHIN);
        let said = format!("round {round}, {doing:?} {unit}, killed after {moment:?}");
        begin(&guardian, doing, unit, &text);
        // The moment is what is tried, not what is waited for.
        thread::sleep(moment);
        guardian.kill();
        guardian.run(&[]);
        assert_eq!(guardian.ask(&["run"]).status.code(), Some(7), "{said}");
        let stops = matches!(doing, Doing::Stopping | Doing::StoppingAtOnce);
        if stops {
            wait::until(PATIENCE, &format!("{said}: it to stop"), || {
                guardian.unit(unit)["pane"].is_null() && guardian.processes_of(unit).is_empty()
            });
            guardian.ok(&["start", unit]);
        }
        let now = settled(&guardian, &said);
        for name in UNITS {
            let of_another = doing == Doing::Nothing || doing == Doing::Sending || name != unit;
            assert!(
                !of_another || before[name] == now[name],
                "{said}: {name} was disturbed"
            );
            let processes = guardian.processes_of(name);
            assert_eq!(
                processes.len(),
                1,
                "{said}: {name} is there as {processes:?}"
            );
            assert_eq!(u64::from(processes[0]), now[name], "{said}");
        }
        let socket = guardian.unit(unit)["socket"].clone();
        let socket = Path::new(socket.as_str().unwrap());
        let panes = guardian.tmux(socket, &["list-panes", "-a", "-F", "#{session_name}"]);
        let mut panes: Vec<_> = panes.lines().collect();
        panes.sort_unstable();
        assert_eq!(panes, UNITS, "{said}");
        if doing != Doing::Sending {
            continue;
        }
        let times = taken(&log(&guardian, unit), &text);
        assert!(times <= 1, "{said}: it was taken {times} times");
        let it = guardian.unit(unit);
        if it["draft"].is_null() {
            continue;
        }
        // It was written and not sent, and nobody sends it behind our back.
        open += 1;
        assert_eq!(times, 0, "{said}: {it}");
        let pane = it["pane"].as_str().unwrap().to_owned();
        guardian.tmux(socket, &["send-keys", "-t", &pane, "C-u"]);
        guardian.until(unit, "an empty box", |unit| unit["draft"].is_null());
        let receipt = guardian.ok(&["send", unit, &text, "--wait", "idle", "--json"]);
        let receipt: Value = serde_json::from_str(&receipt).unwrap();
        assert_eq!(receipt["receipt"]["outcome"], "delivered", "{said}");
        assert_eq!(taken(&log(&guardian, unit), &text), 1, "{said}");
    }
    println!("{open} prompts were left in the box");
}

/// Passes when who asks for a prompt to be sent is told that it is uncertain, where the guardian is
/// killed meanwhile.
#[test]
fn a_prompt_of_a_killed_guardian_is_uncertain() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    guardian.up("w", 1, &["--slow-echo", "1h"]);
    guardian.until_state("w@1", "idle");
    let sending = guardian.command(&["send", "w@1", "hello", "--wait", "idle"]);
    let sending = { sending }
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let socket = guardian.unit("w@1")["socket"].clone();
    let socket = Path::new(socket.as_str().unwrap());
    let leases = guardian.path("run/cc/lease");
    wait::until(PATIENCE, "it to be begun", || {
        fs::read_dir(&leases).is_ok_and(|mut leases| leases.next().is_some())
    });
    guardian.kill();
    let output = sending.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    assert!(guardian.tmux(socket, &["list-sessions"]).contains("w@1"));
    guardian.run(&[]);
    guardian.until_state("w@1", "idle");
}

/// Passes when a unit that is held, or has ended by itself, stays so with the next guardian.
#[test]
fn what_was_over_stays_over_with_the_next_guardian() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    // The first of them lasts: an end while our client shakes hands can end tmux 3.3a.
    let lasts = |name: &str| format!("[ -e {name} ] || {{ touch {name}; sleep 3; }}; exit 7");
    let text = format!(
        "version = 1\n[unit.w]\ncommand = [\"sh\", \"-c\", {:?}]\nprofile = \"shell\"\n\
         restart = \"unless-stopped\"\nbackoff = {{ initial = \"10ms\", max = \"20ms\" }}\n\
         start_limit = {{ burst = 3, interval = \"1h\" }}\n\
         [unit.o]\ncommand = [\"sh\", \"-c\", {:?}]\nprofile = \"shell\"\nrestart = \"no\"\n",
        lasts("ran-w"),
        lasts("ran-o"),
    );
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian.until_state("w@1", "held");
    guardian.until("o@1", "to have ended", |unit| unit["sub"] == "exit 7");
    let known = |guardian: &Guardian| {
        let mut known = Vec::new();
        for unit in ["w@1", "o@1"] {
            let events = guardian.events(unit);
            let kinds = events.iter().map(|event| event["kind"].clone());
            known.extend(kinds.filter(|kind| kind == "start" || kind == "end" || kind == "hold"));
        }
        known
    };
    let before = known(&guardian);
    let held = guardian.unit("w@1")["held"].clone();
    for _ in 0..3 {
        guardian.kill();
        guardian.run(&[]);
        let unit = guardian.until_state("w@1", "held");
        assert_eq!(unit["held"], held);
        let unit = guardian.unit("o@1");
        assert_eq!(
            (&unit["state"], &unit["sub"]),
            (&"dead".into(), &"exit 7".into())
        );
        assert_eq!(known(&guardian), before);
    }
    // Who says that it may go on is heard.
    guardian.ok(&["start", "w@1"]);
    guardian.until("w@1", "to be held again", |unit| {
        unit["state"] == "held" && known(&guardian).len() > before.len() + 3
    });
}
