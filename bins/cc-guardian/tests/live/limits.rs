//! Units that share an account which runs into a limit.

use std::fs;

use harness::stand_in::Remote;
use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE, stand_in};
use crate::sending::given;

/// Three units of one account; of each it is said what happens at its prompts.
struct Team {
    guardian: Guardian,
    arguments: Vec<String>,
}

const NAMES: [&str; 3] = ["a@1", "b@1", "c@1"];

impl Team {
    fn start(scripts: [&str; 3]) -> Self {
        let mut guardian = Guardian::home();
        let config = guardian.path("units.toml");
        let told = guardian.path("told");
        let mut text = format!(
            "version = 1\n[account.team]\nafter_reset = \"2s\"\n\
             [alert.ticket]\ntype = \"exec\"\nevents = [\"limited\", \"errored\"]\ndedupe = \"1ms\"\n\
             command = [\"sh\", \"-c\", \"cat >> {}\"]\n",
            told.display()
        );
        for (name, steps) in ["a", "b", "c"].iter().zip(scripts) {
            let script = guardian.path(&format!("script-{name}.toml"));
            fs::write(&script, format!("steps = {steps}\n")).unwrap();
            text += &format!(
                "[unit.{name}]\nprofile = \"claude\"\naccount = \"team\"\n\
                 command = [{:?}, \"--like\", \"claude\", \"--script\", {script:?}, \"--log\", {:?}, \
                 \"--control\", {:?}]\n",
                stand_in(),
                guardian.path(&format!("log-{name}")),
                guardian.path(&format!("control-{name}")),
            );
        }
        fs::write(&config, text).unwrap();
        let arguments = vec!["-c".to_owned(), config.to_str().unwrap().to_owned()];
        guardian.run(&["-c", &arguments[1]]);
        guardian.ok(&["up"]);
        for unit in NAMES {
            guardian.until_state(unit, "idle");
        }
        Self {
            guardian,
            arguments,
        }
    }

    /// Gives each a prompt, by which it runs into its limit.
    fn run_into_it(&self) {
        for unit in NAMES {
            self.guardian.ok(&["send", unit, "work"]);
        }
        for unit in NAMES {
            self.guardian.until(unit, "to be limited itself", |it| {
                it["state"] == "limited" && it["sub"] == "usage"
            });
        }
    }

    fn pids(&self) -> Vec<Value> {
        let units = self.guardian.units().into_iter();
        units.map(|unit| unit["pid"].clone()).collect()
    }

    /// What a unit has been given.
    fn given(&self, unit: &str) -> Vec<String> {
        let name = unit.split('@').next().unwrap();
        let given = given(&self.guardian.path(&format!("log-{name}"))).into_iter();
        given
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .collect()
    }

    /// Waits until all work again, and gives who was told to go on, with the time and what came of it.
    fn until_over(&self) -> Vec<(String, String, String)> {
        for unit in NAMES {
            wait::until(PATIENCE, &format!("{unit} to have gone on"), || {
                self.given(unit).iter().any(|text| text == "continue")
            });
            self.guardian.until(unit, "to be idle and free", |it| {
                it["state"] == "idle" && it["limit"].is_null()
            });
        }
        self.went_on()
    }

    fn went_on(&self) -> Vec<(String, String, String)> {
        let said = self.guardian.ok(&["events", "--json", "-n", "1000"]);
        let events = said
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
        events
            .filter(|event| event["kind"] == "go-on")
            .map(|event| {
                (
                    word(&event, "unit"),
                    word(&event, "at"),
                    word(&event, "detail"),
                )
            })
            .collect()
    }

    fn alerts(&self) -> usize {
        let text = fs::read_to_string(self.guardian.path("told")).unwrap_or_default();
        serde_json::Deserializer::from_str(&text)
            .into_iter::<Value>()
            .map_while(Result::ok)
            .count()
    }
}

const LIMIT: &str = r#"["limit You've hit your session limit · try again in 12 seconds"]"#;

/// Passes when nobody is started anew, one goes first, not before the reset, and the others when it
/// works; and when one alert tells of it all.
#[test]
fn one_goes_first_after_the_reset_and_then_the_others() {
    skip_if_asked!();
    let team = Team::start([LIMIT; 3]);
    let pids = team.pids();
    team.run_into_it();
    let unit = team.guardian.unit("b@1");
    let reset = unit["reset"].as_str().expect("it is known when").to_owned();
    assert_eq!(unit["limit"]["with"], "team", "{unit}");
    let why = team.guardian.ok(&["why", "b@1"]);
    assert!(
        why.contains("it waits with team for the end of a limit"),
        "{why}"
    );
    let refused = team.guardian.ask(&["send", "c@1", "more"]);
    assert_eq!(refused.status.code(), Some(6), "{refused:?}");
    let went = team.until_over();
    let first: Vec<_> = went
        .iter()
        .filter(|(_, _, said)| said.starts_with("first: "))
        .collect();
    assert_eq!((went.len(), first.len()), (3, 1), "{went:?}");
    assert_eq!(went[0], *first[0], "{went:?}");
    assert!(
        went.iter().all(|(_, at, _)| *at > reset),
        "{reset}: {went:?}"
    );
    for unit in NAMES {
        assert_eq!(team.given(unit), ["work", "continue"]);
        assert_eq!(team.guardian.unit(unit)["restarts"], 0);
    }
    assert_eq!(team.pids(), pids);
    assert_eq!(team.alerts(), 1);
}

/// Passes when the first is limited once more, and the others wait for it all the same; and when the
/// guardian is killed while they wait, and the next one goes on from there.
#[test]
fn who_is_refused_waits_anew_and_so_do_the_others_also_with_another_guardian() {
    skip_if_asked!();
    let twice = r#"["limit You've hit your session limit · try again in 12 seconds",
        ["busy 300ms", "limit You've hit your session limit · try again in 9 seconds"]]"#;
    let late = r#"["limit You've hit your session limit · try again in 90 seconds"]"#;
    let mut team = Team::start([twice, late, late]);
    team.run_into_it();
    let pids = team.pids();
    team.guardian.kill();
    let arguments: Vec<String> = team.arguments.clone();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    team.guardian.run(&arguments);
    wait::until(PATIENCE, "the first to be told", || {
        !team.went_on().is_empty()
    });
    team.guardian.until("a@1", "to be limited once more", |_| {
        let events = team.guardian.events("a@1");
        let said = |event: &Value| {
            event["detail"]
                .as_str()
                .unwrap_or_default()
                .starts_with("once more: ")
        };
        events.iter().any(said)
    });
    let others = || ["b@1", "c@1"].map(|unit| team.given(unit).len());
    assert_eq!(others(), [1, 1]);
    let went = team.until_over();
    let units: Vec<_> = went.iter().map(|(unit, ..)| unit.as_str()).collect();
    assert_eq!(units, ["a@1", "a@1", "b@1", "c@1"], "{went:?}");
    assert_eq!(team.given("a@1"), ["work", "continue", "continue"]);
    assert_eq!(others(), [2, 2]);
    assert_eq!(team.pids(), pids);
    assert_eq!(team.alerts(), 1);
}

/// Passes when an idle unit of an account that is limited is shown so, and is given nothing; and is
/// again when a human has one of them work.
#[test]
fn nothing_is_begun_with_an_account_that_is_limited() {
    skip_if_asked!();
    let late = r#"["limit You've hit your session limit · try again in 2 hours", "busy 1h"]"#;
    let mut team = Team::start([late, "[]", "[]"]);
    team.guardian.ok(&["send", "a@1", "work"]);
    team.guardian.until_state("a@1", "limited");
    let idle = team.guardian.until_state("b@1", "limited");
    assert_eq!(idle["sub"], "account", "{idle}");
    let refused = team.guardian.ask(&["send", "b@1", "more"]);
    assert_eq!(refused.status.code(), Some(6), "{refused:?}");
    // The next guardian knows that too.
    team.guardian.kill();
    team.guardian.run(&[]);
    team.guardian.until_state("b@1", "limited");
    let refused = team.guardian.ask(&["send", "b@1", "more"]);
    assert_eq!(refused.status.code(), Some(6), "{refused:?}");
    assert!(team.given("b@1").is_empty());
    team.guardian.until_state("a@1", "limited");
    // Somebody has bought more, and types.
    let socket = idle["socket"].as_str().unwrap();
    let pane = team.guardian.unit("a@1")["pane"]
        .as_str()
        .unwrap()
        .to_owned();
    for keys in [["-l", "go"], ["--", "Enter"]] {
        let mut words = vec!["send-keys", "-t", &pane];
        words.extend(keys);
        team.guardian.tmux(socket.as_ref(), &words);
        wait::until(PATIENCE, "it to be taken", || {
            team.given("a@1").len() == 2 || team.guardian.unit("a@1")["draft"] == "go"
        });
    }
    let mut agent = Remote::connect(&team.guardian.path("control-a")).unwrap();
    team.guardian.until_state("a@1", "busy");
    agent.order("idle").unwrap();
    team.guardian.until_state("b@1", "idle");
    team.guardian.ok(&["send", "b@1", "more"]);
    assert_eq!(team.given("b@1"), ["more"]);
    assert!(team.went_on().is_empty());
}
