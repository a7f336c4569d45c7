//! Workers that are Claude Code itself, where it is installed, and a service of ours that they talk to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use harness::claude_code::{Home, Login};
use harness::messages::{Refusal, Service};
use harness::{claude_code_or_skip, wait};
use jiff::Timestamp;
use serde_json::Value;

use crate::floor::{Floor, PATIENCE};

/// How wide their panes are: markers are not to be wrapped.
const SIZE: [&str; 4] = ["-x", "100", "-y", "30"];

/// So many of them, idle, and a balancer that gives them tasks; they share the account `team`.
fn staffed(program: PathBuf, login: Login, agents: usize) -> (Service, Floor) {
    let service = Service::start();
    let mut floor = Floor::new();
    let folder = floor.queue.path("work");
    let home = floor.queue.path("claude");
    let home = Home::furnish(program, &home, &folder, login, &service.url());
    for at in 1..=agents {
        let name = format!("w{at}");
        let mut all = vec!["new-session", "-d", "-s", &name];
        all.extend(SIZE);
        all.extend(["-c", folder.to_str().unwrap()]);
        let command = home.command();
        all.extend(command.iter().map(String::as_str));
        floor.server.tmux(all);
    }
    floor.configure(&floor.table("w*", "claude", "account = \"team\""));
    floor.serve();
    floor.until_workers(agents, "idle");
    (service, floor)
}

/// What one of the twenty is asked for, and what is to come of it.
fn order(at: usize) -> (String, String) {
    let mark = format!("ECHO mark-{at:02}-{}", at * 7919);
    match at % 5 {
        0 => (format!("do: say {mark}"), mark),
        1 => (
            format!("do: say {mark}\ndo: say It goes on.\ndo: over 3s\ndo: say The end."),
            format!("{mark}\n\nIt goes on.\n\nThe end."),
        ),
        2 => (
            format!(
                "Write it down:\n\n\tplease; \"whole\"\ndo: code let m = \"{mark}\";\ndo: over 1s"
            ),
            format!("```\nlet m = \"{mark}\";\n```"),
        ),
        3 => (
            format!("do: say First.\ndo: run echo {at}\ndo: say {mark}"),
            format!("First.\n\n{mark}"),
        ),
        _ => {
            let long = "naïve 日本 🙂 and more of it\n".repeat(140);
            let points: Vec<String> = (1..=40).map(|at| format!("- point {at}")).collect();
            (
                format!("{long}do: list 40\ndo: say {mark}"),
                format!("{}\n\n{mark}", points.join("\n")),
            )
        }
    }
}

/// Passes when twenty tasks over three real agents are done, each by its whole answer and nothing else,
/// and each prompt came whole and once.
#[test]
fn twenty_tasks_are_done_by_three_real_agents() {
    let program = claude_code_or_skip!();
    let (service, floor) = staffed(program, Login::Key, 3);
    let began = Instant::now();
    let mut wanted: BTreeMap<String, (String, String)> = BTreeMap::new();
    for at in 0..20 {
        let (prompt, text) = order(at);
        wanted.insert(floor.queue.add(&["--", &prompt]), (prompt, text));
    }
    let mut all = vec!["wait", "--timeout", "100s"];
    all.extend(wanted.keys().map(String::as_str));
    floor.queue.ok(&all);
    let makespan = began.elapsed();
    let prompts = service.prompts();
    assert_eq!(prompts.len(), 20, "{prompts:#?}");
    let mut costs: Vec<f64> = Vec::new();
    let mut by: BTreeMap<String, u32> = BTreeMap::new();
    for (id, (prompt, text)) in &wanted {
        let result = floor.queue.json(&["result", id, "--json"]);
        assert_eq!(result["state"], "done", "{result}");
        assert_eq!(result["text"].as_str().unwrap(), text, "{prompt}");
        assert_eq!(result["attempt"], 1, "{result}");
        let whole = format!("{}\n\n[task {id}.1 ", prompt.replace('\t', "    "));
        let came = prompts.iter().filter(|it| it.starts_with(&whole)).count();
        assert_eq!(came, 1, "{whole:?} in {prompts:#?}");
        let pane = result["worker"]["pane"].as_str().unwrap();
        *by.entry(pane.to_owned()).or_default() += 1;
        costs.push(between(&floor, id, "leased", "running"));
    }
    costs.sort_by(f64::total_cmp);
    assert_eq!(by.len(), 3, "{by:?}");
    println!(
        "20 tasks by {by:?} in {makespan:.1?}; from given to begun: median {:.2} s, most {:.2} s",
        costs[costs.len() / 2],
        costs.last().unwrap(),
    );
}

/// Seconds between two things that happened to a task.
fn between(floor: &Floor, id: &str, from: &str, to: &str) -> f64 {
    let events = floor.events(id);
    let at = |kind: &str| -> Timestamp {
        let event = events.iter().find(|event| event["kind"] == kind).unwrap();
        event["at"].as_str().unwrap().parse().unwrap()
    };
    at(to).duration_since(at(from)).as_secs_f64()
}

fn ends(floor: &Floor, id: &str, state: &str) -> Value {
    floor.until(id, state);
    floor.result(id)
}

/// Passes when a task whose real agent asks waits for a person, and goes on with the answer.
#[test]
fn a_real_agent_that_asks_blocks_its_task_until_it_is_answered() {
    let program = claude_code_or_skip!();
    let (_service, floor) = staffed(program, Login::Key, 1);
    let task = floor
        .queue
        .add(&["do: say First.\ndo: run touch made\ndo: say It is made."]);
    let told = floor.until(&task, "blocked");
    assert_eq!(told["why"], "permission", "{told}");
    let why = floor.queue.ok(&["why", &task]);
    assert!(why.contains("waits for a person: permission"), "{why}");
    assert!(!floor.queue.path("work/made").exists());
    floor.server.tmux(["send-keys", "-t", "w1", "1"]);
    let result = ends(&floor, &task, "done");
    assert_eq!(result["text"], "First.\n\nIt is made.", "{result}");
    assert!(floor.queue.path("work/made").exists());
}

/// Passes when a real agent is idle, its box empty, after its task is cancelled: in the middle of an
/// answer, and before the first word of one, when it puts the prompt back into its box.
#[test]
fn a_real_agent_is_idle_after_a_cancel_and_takes_the_next() {
    let program = claude_code_or_skip!();
    let (service, floor) = staffed(program, Login::Key, 1);
    let early = floor.queue.add(&["do: wait\ndo: say never"]);
    wait::until(PATIENCE, "the prompt to come", || {
        service.prompts().len() == 1
    });
    floor.queue.ok(&["cancel", &early]);
    let result = ends(&floor, &early, "cancelled");
    assert_eq!(result["text"], "", "{result}");

    let late = floor
        .queue
        .add(&["do: say So far.\ndo: say More\ndo: wait\ndo: say never"]);
    wait::until(PATIENCE, "the answer to begin", || {
        floor
            .server
            .answer(["capture-pane", "-p", "-t", "w1"])
            .contains("● So far.")
    });
    floor.queue.ok(&["cancel", &late]);
    let result = ends(&floor, &late, "cancelled");
    let text = result["text"].as_str().unwrap();
    assert!(
        text.contains("So far.") && !text.contains("never"),
        "{result}"
    );

    let next = floor.queue.add(&["do: say Next."]);
    let result = ends(&floor, &next, "done");
    assert_eq!(result["text"], "Next.", "{result}");
    let last = service.prompts().pop().unwrap();
    assert!(last.starts_with("do: say Next.\n\n[task "), "{last}");
}

/// Passes when a prompt that a real agent takes for a command of its own that does not exist is not
/// done, one that it would run is refused, and other marks at the beginning are no matter.
#[test]
fn a_prompt_is_no_command_of_a_real_agent() {
    let program = claude_code_or_skip!();
    let (service, floor) = staffed(program, Login::Key, 1);
    let unknown = floor.queue.add(&["--", "/no-such-command with words"]);
    let told = floor.until(&unknown, "held");
    let why = told["why"].as_str().unwrap();
    assert!(why.contains("never seen to work"), "{told}");
    let runs = floor.queue.add(&["--", "!touch run"]);
    floor.until(&runs, "failed");
    for text in ["#note it", "@nofile is what", "- a list;", "? what"] {
        let task = floor.queue.add(&["--", text]);
        let result = ends(&floor, &task, "done");
        assert_eq!(result["text"], format!("heard: {text}"), "{result}");
    }
    assert_eq!(service.prompts().len(), 4);
    assert!(!floor.queue.path("work/run").exists());
}

/// Refuses without being asked again: the agent gives up at once.
fn refusal(status: u16, kind: &str, message: &str) -> Refusal {
    Refusal {
        status,
        kind: kind.to_owned(),
        message: message.to_owned(),
        headers: vec![("x-should-retry".to_owned(), "false".to_owned())],
    }
}

/// Passes when tasks whose real agents are limited are returned, and their workers, which still show
/// the limit then, take them again once it is over; whatever service it is that limits.
#[test]
fn real_agents_that_were_limited_work_again_once_that_is_over() {
    let program = claude_code_or_skip!();
    for login in [Login::Key, Login::Plan] {
        let (service, floor) = staffed(program.clone(), login, 1);
        let mut limit = refusal(
            429,
            "rate_limit_error",
            "This would exceed your rate limit.",
        );
        let reset = Timestamp::now().as_second() + 2 * 3600;
        for (name, value) in [
            ("anthropic-ratelimit-unified-status", "rejected"),
            (
                "anthropic-ratelimit-unified-representative-claim",
                "five_hour",
            ),
            ("anthropic-ratelimit-unified-reset", &reset.to_string()),
        ] {
            limit.headers.push((name.to_owned(), value.to_owned()));
        }
        service.refuse(Some(limit));
        let task = floor.queue.add(&["do: say At last."]);
        let account = wait::until_some(PATIENCE, "the account to be limited", || {
            let accounts = floor.queue.json(&["account", "ls", "--json"]);
            let account = accounts["accounts"][0].clone();
            (account["limited"] == true).then_some(account)
        });
        let told = floor.until(&task, "queued");
        assert_eq!(told["returned"], 1, "{told}");
        assert_eq!(told["attempts"], 0, "{told}");
        if login == Login::Plan {
            // It said the minute in which it ends, and so it is not over before the next one.
            let until: Timestamp = account["until"].as_str().unwrap().parse().unwrap();
            let off = until.as_second() - reset;
            assert!((0..=61).contains(&off), "{account}");
        }
        service.refuse(None);
        floor.queue.ok(&["account", "clear", "team"]);
        let result = ends(&floor, &task, "done");
        assert_eq!(result["text"], "At last.", "{result}");
        let last = service.prompts().pop().unwrap();
        assert!(last.starts_with("do: say At last.\n\n[task "), "{last}");
    }
}

/// Passes when a real agent that tries again by itself is taken for busy.
#[test]
fn a_real_agent_that_tries_again_is_busy() {
    let program = claude_code_or_skip!();
    let (service, floor) = staffed(program, Login::Key, 1);
    let overloaded = Refusal {
        headers: Vec::new(),
        ..refusal(529, "overloaded_error", "Overloaded")
    };
    service.refuse(Some(overloaded));
    let task = floor.queue.add(&["do: say In the end."]);
    wait::until(PATIENCE, "it to say that it tries again", || {
        let shown = floor.server.answer(["capture-pane", "-p", "-t", "w1"]);
        shown.contains("etrying in")
    });
    floor.until_workers(1, "busy");
    service.refuse(None);
    let result = ends(&floor, &task, "done");
    assert_eq!(result["text"], "In the end.", "{result}");
}

/// Passes when a task whose real agent is killed is lost, said so, and done by another.
#[test]
fn the_task_of_a_real_agent_that_is_killed_goes_on_elsewhere() {
    let program = claude_code_or_skip!();
    let (service, floor) = staffed(program, Login::Key, 2);
    let task = floor
        .queue
        .add(&["do: say So far.\ndo: wait\ndo: say Done."]);
    wait::until(PATIENCE, "the prompt to come", || {
        service.prompts().len() == 1
    });
    let told = floor.until(&task, "running");
    let pane = told["attempt"]["worker"]["pane"]
        .as_str()
        .unwrap()
        .to_owned();
    let pid = floor
        .server
        .answer(["display-message", "-p", "-t", &pane, "#{pane_pid}"]);
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait::until(PATIENCE, "it to be lost", || {
        let attempts = floor.result(&task)["attempts"].clone();
        attempts[0]["outcome"]
            .as_str()
            .is_some_and(|how| how.starts_with("lost"))
    });
    floor.queue.ok(&["cancel", &task]);
    floor.queue.ok(&["retry", &task]);
    wait::until(PATIENCE, "the prompt to come again", || {
        service.prompts().len() == 2
    });
    service.release();
    let result = ends(&floor, &task, "done");
    assert_eq!(result["text"], "So far.\n\nDone.", "{result}");
    assert_ne!(result["worker"]["pane"], pane, "{result}");
    assert_eq!(result["attempts"][1]["after_lost"], true, "{result}");
}

/// Passes when a real agent whose turn failed takes the next task when that may be over.
#[test]
fn a_real_agent_whose_turn_failed_is_not_lost_for_ever() {
    let program = claude_code_or_skip!();
    let (service, floor) = staffed(program, Login::Key, 1);
    service.refuse(Some(refusal(500, "api_error", "Internal server error")));
    let task = floor.queue.add(&["do: say never", "--retry", "0"]);
    floor.until(&task, "failed");
    floor.until_workers(1, "errored");
    service.refuse(None);
    let next = floor.queue.add(&["do: say Next."]);
    let why = floor.queue.ok(&["why", &next]);
    assert!(why.contains("is errored (server)"), "{why}");
    // A person may know better than to wait.
    floor
        .server
        .tmux(["send-keys", "-t", "w1", "do: say Go.", "Enter"]);
    let result = ends(&floor, &next, "done");
    assert_eq!(result["text"], "Next.", "{result}");
}
