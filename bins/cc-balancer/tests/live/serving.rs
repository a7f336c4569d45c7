//! `serve`: tasks reach workers that are free, once, and what comes of them is theirs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use harness::wait;
use serde_json::Value;

use crate::floor::{Floor, PATIENCE, built};

/// Passes when a task is typed once into an idle agent, and its result is the text of its turn alone.
#[test]
fn a_task_is_typed_once_and_its_result_is_its_turn() {
    let floor = Floor::of(1);
    let first = floor.queue.add(&["do: answer one"]);
    let second = floor.queue.add(&["do: busy 300ms\ndo: answer two"]);
    floor.until(&second, "done");
    assert_eq!(floor.result(&first)["text"], "● one\n\n✻ Worked for 0s");
    let result = floor.result(&second);
    assert!(
        result["text"].as_str().unwrap().starts_with("● two"),
        "{result}"
    );
    assert_eq!(result["attempt"], 1);
    let prompts = floor.prompts();
    assert_eq!(prompts.len(), 2, "{prompts:?}");
    assert!(
        prompts[0].text.starts_with("do: answer one\n\n[task "),
        "{prompts:?}"
    );
    assert!(prompts.iter().all(|prompt| !prompt.queued));
    let kinds: Vec<String> = floor
        .events(&first)
        .iter()
        .map(|event| event["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["added", "leased", "delivering", "running", "done"]);
}

/// Passes when a shell runs a command, and the task ends as that does, with what it printed.
#[test]
fn a_shell_runs_a_command_and_its_exit_code_is_the_tasks() {
    let mut floor = Floor::new();
    floor.shell("sh");
    floor.configure(&floor.table("sh", "shell", ""));
    floor.serve();
    floor.until_workers(1, "idle");
    let quoted = "printf '%s\\n' \"it's;\" '$HOME' 'a\tb' && exit 0";
    let good = floor.queue.add(&[quoted]);
    let bad = floor.queue.add(&["echo no; exit 7"]);
    floor.until(&bad, "failed");
    let result = floor.result(&good);
    // A tab is one in a capture of 3.8, and what it looks like in older ones.
    let text = result["text"].as_str().unwrap().replace('\t', "       ");
    assert_eq!(text, "it's;\n$HOME\na       b");
    let result = floor.result(&bad);
    assert_eq!(result["exit"], 7);
    assert_eq!(result["text"], "no");
    assert_eq!(result["why"], "exit 7");
}

/// Passes when nothing is typed into a worker that is busy or asks, however long tasks wait, and the
/// worker that is free has them all.
#[test]
fn nothing_is_typed_into_who_is_not_idle() {
    let floor = Floor::of(3);
    floor.order("w1", "busy");
    floor.order("w2", "dialog permission");
    floor.until_workers(1, "busy");
    floor.until_workers(1, "blocked");
    let ids: Vec<String> = (0..5)
        .map(|at| {
            floor
                .queue
                .add(&[&format!("do: busy 400ms\ndo: answer {at}")])
        })
        .collect();
    for id in &ids {
        floor.until(id, "done");
    }
    assert_eq!(floor.prompts_of("w1"), []);
    assert_eq!(floor.prompts_of("w2"), []);
    let texts: BTreeSet<String> = floor
        .prompts_of("w3")
        .into_iter()
        .map(|it| it.text)
        .collect();
    assert_eq!(texts.len(), 5);
    let why = floor
        .queue
        .ok(&["why", &floor.queue.add(&["-l", "role=none", "x"])]);
    for said in ["w1", "is busy", "is blocked (permission)", "role"] {
        assert!(why.contains(said), "{said}: {why}");
    }
}

/// Passes when a check decides what is done: a success whose check fails is none.
#[test]
fn a_success_whose_check_fails_is_failed() {
    let floor = Floor::of(1);
    let flag = floor.queue.path("flag");
    let flag = flag.to_str().unwrap();
    let task = floor
        .queue
        .add(&["do: answer sure", "--check", "test", "-e", flag]);
    let told = floor.until(&task, "failed");
    assert_eq!(told["exit"], 1, "{told}");
    assert!(
        floor.result(&task)["text"]
            .as_str()
            .unwrap()
            .contains("sure")
    );
    fs::write(flag, "").unwrap();
    floor.queue.ok(&["retry", &task]);
    floor.until(&task, "done");
}

/// Passes when a task that is wanted no more is stopped in its worker, which takes the next then.
#[test]
fn a_task_that_is_cancelled_is_stopped() {
    let floor = Floor::of(1);
    let task = floor.queue.add(&["do: busy"]);
    floor.until(&task, "running");
    floor.until_workers(1, "busy");
    floor.queue.ok(&["cancel", &task]);
    floor.until(&task, "cancelled");
    let next = floor.queue.add(&["do: answer next"]);
    floor.until(&next, "done");
    assert_eq!(floor.prompts().len(), 2);
}

/// Passes when an attempt that takes too long is stopped and failed, and tried again as often as may be.
#[test]
fn an_attempt_that_takes_too_long_is_stopped() {
    let floor = Floor::of(1);
    let task = floor.queue.add(&["do: busy", "--timeout", "2s"]);
    let told = floor.until(&task, "failed");
    assert_eq!(told["why"], "it took longer than it may", "{told}");
    floor.until_workers(1, "idle");
    assert_eq!(floor.prompts().len(), 1);
}

/// Passes when a worker that is drained is given nothing, also by the next balancer, until it is resumed.
#[test]
fn who_is_drained_is_given_nothing() {
    let mut floor = Floor::of(2);
    floor.queue.ok(&["worker", "drain", "w1"]);
    floor.kill();
    floor.serve();
    floor.until_workers(2, "idle");
    let ids = [(); 3].map(|()| floor.queue.add(&["do: busy 400ms\ndo: answer x"]));
    for id in &ids {
        floor.until(id, "done");
    }
    assert_eq!(floor.prompts_of("w1"), []);
    floor.queue.ok(&["worker", "drain", "w2"]);
    floor.queue.ok(&["worker", "resume", "w1"]);
    let last = floor.queue.add(&["do: busy 400ms\ndo: answer x"]);
    floor.until(&last, "done");
    assert_eq!(floor.prompts_of("w1").len(), 1);
}

/// Passes when a second balancer on the same state is refused, and the first goes on.
#[test]
fn a_second_balancer_is_refused() {
    let floor = Floor::of(1);
    let config = floor.queue.path("balancer.toml");
    let second = floor.queue.ask(&["serve", "-c", config.to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(7), "{second:?}");
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("a balancer runs already"), "{said}");
    let task = floor.queue.add(&["do: answer x"]);
    floor.until(&task, "done");
}

/// Passes when messages arrive in order in the pane of their recipient, each with its id, while it may
/// take them.
#[test]
fn messages_arrive_in_order() {
    let floor = Floor::of(2);
    floor.order("w2", "busy");
    floor.until_workers(1, "busy");
    let ids: Vec<String> = (0..4)
        .map(|at| {
            let said = floor
                .queue
                .json(&["send", "--to", "w2", "--json", &format!("hello {at}")]);
            said["task"].as_str().unwrap().to_owned()
        })
        .collect();
    floor.order("w2", "idle");
    wait::until(PATIENCE, "all messages to arrive", || {
        floor.prompts_of("w2").len() == 4
    });
    for (at, (prompt, id)) in floor.prompts_of("w2").iter().zip(&ids).enumerate() {
        assert!(
            prompt.text.starts_with(&format!("hello {at}\n")),
            "{prompt:?}"
        );
        assert!(prompt.text.contains(id.as_str()), "{prompt:?}");
        assert!(!prompt.queued, "{prompt:?}");
    }
    assert_eq!(floor.prompts_of("w1"), []);
}

/// Passes when a text of which the pane has only the end says so, and is whole where a log of the pane is
/// kept.
#[test]
fn a_text_that_is_longer_than_the_history_is_cut_or_comes_from_the_log() {
    let mut floor = Floor::new();
    floor
        .server
        .tmux(["set-option", "-g", "history-limit", "100"]);
    floor.shell("sh");
    floor.configure(&floor.table("sh", "shell", ""));
    floor.serve();
    floor.until_workers(1, "idle");
    let long = "seq 3000";
    let cut = floor.queue.add(&[long]);
    floor.until(&cut, "done");
    let result = floor.result(&cut);
    assert_eq!(result["is_cut"], true);
    let text = result["text"].as_str().unwrap();
    assert!(text.ends_with("\n2999\n3000"), "{text}");
    let said = floor.queue.ask(&["result", &cut]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("only its end"));

    let logger = Logger::of(&floor);
    let whole = floor.queue.add(&[long]);
    floor.until(&whole, "done");
    let result = floor.result(&whole);
    assert_eq!(result["attempt"], 1, "{}", floor.queue.ok(&["log", &whole]));
    let rows: Vec<String> = (1..=3000).map(|row| row.to_string()).collect();
    assert_eq!(result["text"].as_str().unwrap(), rows.join("\n"));
    assert_eq!(result["is_cut"], false);
    drop(logger);
}

/// Passes when the text of a command has all that it printed, though tmux reads that only behind its end.
#[test]
fn what_a_command_printed_is_whole_though_tmux_reads_it_later() {
    let mut floor = Floor::new();
    floor.shell("sh");
    floor.configure(&floor.table("sh", "shell", ""));
    floor.serve();
    floor.until_workers(1, "idle");
    let server = floor.server.pid();
    for _ in 0..5 {
        let task = floor.queue.add(&[&format!(
            "seq 100; kill -STOP {server}; (sleep 0.3; kill -CONT {server}) & seq 101 300"
        )]);
        floor.until(&task, "done");

        let rows: Vec<String> = (1..=300).map(|row| row.to_string()).collect();
        assert_eq!(
            floor.result(&task)["text"].as_str().unwrap(),
            rows.join("\n")
        );
    }
}

/// A cc-logger on the server of a floor, in its home.
struct Logger(Child);

impl Logger {
    fn of(floor: &Floor) -> Self {
        let program = |arguments: &[&str]| {
            let mut command = floor.queue.program(&built("cc-logger"));
            command.args(arguments);
            command
        };
        let socket = floor.server.socket().display().to_string();
        let tmux = Path::new(floor.server.binary()).display().to_string();
        let mut run = program(&["run", "-S", &socket, "--tmux", &tmux]);
        let log = fs::File::create(floor.queue.path("logger.log")).unwrap();
        let logger = Self(run.stderr(log).stdout(Stdio::null()).spawn().unwrap());
        wait::until(PATIENCE, "the logger to have the shell", || {
            let listed = program(&["ls", "--json"]).output().unwrap();
            let listed: Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
            let panes = listed["panes"].as_array().cloned().unwrap_or_default();
            panes.iter().filter(|it| it["state"] == "live").count() == 2
        });
        logger
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
