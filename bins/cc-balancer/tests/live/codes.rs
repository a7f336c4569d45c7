//! `run` as a CI job has it, against a balancer with workers: what became of the task, as an exit code.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;
use std::thread;

use harness::{skip_if_asked, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::floor::{Floor, PATIENCE};

/// A step of a job that has ended.
struct Step {
    code: i32,
    stderr: String,
    /// The result file.
    result: Value,
}

impl Step {
    /// Its exit code and the state of its task.
    fn ended(&self) -> (i32, &str) {
        (self.code, self.result["state"].as_str().unwrap())
    }
}

/// Where the result goes of a task for that worker.
fn file(to: &str) -> String {
    format!("result-{to}.json")
}

/// `run` of that prompt at that worker.
fn begin(floor: &Floor, to: &str, prompt: &str, more: &[&str]) -> Child {
    let file = file(to);
    let mut all = vec!["run", prompt, "--to", to, "--json", &file];
    all.extend(more);
    floor.queue.spawn(&all)
}

fn end(floor: &Floor, to: &str, child: Child) -> Step {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let result = fs::read(floor.queue.path(&file(to))).unwrap_or_else(|_| panic!("{to}: {stderr}"));
    Step {
        code: output.status.code().unwrap(),
        stderr,
        result: serde_json::from_slice(&result).unwrap(),
    }
}

fn run(floor: &Floor, to: &str, prompt: &str, more: &[&str]) -> Step {
    end(floor, to, begin(floor, to, prompt, more))
}

/// A step whose process is sent that signal while its agent works.
fn stopped(floor: &Floor, to: &str, signal: Signal) -> Step {
    let child = begin(floor, to, "do: busy", &[]);
    wait::until(PATIENCE, "the task to run", || {
        let tasks = floor.queue.json(&["status", "--json"])["tasks"].clone();
        let mut own = tasks.as_array().unwrap().iter();
        own.any(|task| task["to"] == to && task["state"] == "running")
    });
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
    end(floor, to, child)
}

/// Is nothing left of the task in that worker's pane?
fn is_free(floor: &Floor, worker: &str) {
    let report = floor.remote(worker).until("idle").unwrap();
    assert_eq!(report.draft, "", "{worker}");
}

/// Passes when each end that a task can have gives `run` the exit code of the documentation, with real
/// workers: 0, 1, 3, 6, 8, 75, 124, 130 and 143; when a task that is given up is cancelled in its pane; and
/// when the file has the whole result, for its owner alone, and no secret.
#[test]
fn each_end_of_a_task_gives_its_exit_code() {
    skip_if_asked!();
    let mut floor = Floor::new();
    for name in ["w-done", "w-asks", "w-slow", "w-int", "w-term", "v-spent"] {
        floor.hire(name, &[]);
    }
    // What is pasted into it does not show.
    floor.hire("w-deaf", &["--slow-echo", "1h"]);
    floor.shell("sh");
    let tables = [
        floor.table("w-*", "claude", ""),
        floor.table("v-*", "claude", "account = \"team\""),
        floor.table("sh", "shell", ""),
    ];
    floor.configure(&tables.concat());
    floor.serve();
    floor.until_workers(8, "idle");
    let floor = &floor;
    thread::scope(|scope| {
        scope.spawn(|| a_task_that_is_done(floor));
        scope.spawn(|| {
            let step = run(floor, "sh", "echo half; exit 7", &[]);
            assert_eq!(step.ended(), (1, "failed"), "{}", step.stderr);
            assert_eq!(
                (&step.result["exit"], &step.result["text"]),
                (&json!(7), &json!("half"))
            );
            let more = ["--exit-code-from", "check", "--check", "sh", "-c", "exit 9"];
            let step = run(floor, "sh", "echo all", &more);
            assert_eq!(step.ended(), (9, "failed"), "{}", step.stderr);
        });
        scope.spawn(|| {
            let step = run(floor, "w-asks", "do: dialog permission", &[]);
            assert_eq!(step.ended(), (3, "blocked"), "{}", step.stderr);
            assert!(step.stderr.contains("see to it"), "{}", step.stderr);
        });
        scope.spawn(|| {
            let step = run(floor, "v-spent", "do: limit", &["--no-wait"]);
            assert_eq!(step.ended(), (6, "cancelled"), "{}", step.stderr);
            // It is known from before, and so nothing is typed.
            let step = run(floor, "v-spent", "do: answer x", &["--no-wait"]);
            assert_eq!(step.ended(), (6, "cancelled"), "{}", step.stderr);
            assert_eq!(floor.prompts_of("v-spent").len(), 1);
        });
        scope.spawn(|| {
            let step = run(floor, "w-deaf", "do: answer x", &[]);
            assert_eq!(step.ended(), (8, "held"), "{}", step.stderr);
        });
        scope.spawn(|| {
            let step = run(floor, "nobody", "x", &["--worker-timeout", "300ms"]);
            assert_eq!(step.ended(), (75, "cancelled"), "{}", step.stderr);
        });
        scope.spawn(|| {
            let step = run(floor, "w-slow", "do: busy", &["--timeout", "3s"]);
            assert_eq!(step.code, 124, "{}", step.stderr);
            is_free(floor, "w-slow");
        });
        for (worker, signal, code) in [("w-int", Signal::INT, 130), ("w-term", Signal::TERM, 143)] {
            scope.spawn(move || {
                let step = stopped(floor, worker, signal);
                assert_eq!(step.ended(), (code, "cancelled"), "{}", step.stderr);
                is_free(floor, worker);
            });
        }
    });
}

fn a_task_that_is_done(floor: &Floor) {
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    // The agent says it, the prompt does not.
    let prompt = format!("do: answer \"begun\\n\\x67{}\\nended\"", &token[1..]);
    let step = run(floor, "w-done", &prompt, &["--summary", "summary.md"]);
    assert_eq!(step.ended(), (0, "done"), "{}", step.stderr);
    let text = step.result["text"].as_str().unwrap();
    assert!(text.contains("begun") && text.contains("ended"), "{text}");
    assert!(text.contains("<redacted:"), "{text}");
    assert!(!step.result.to_string().contains(&token), "{text}");
    let summary = fs::read_to_string(floor.queue.path("summary.md")).unwrap();
    assert!(
        summary.contains("<redacted:") && !summary.contains(&token),
        "{summary}"
    );
    let mode = fs::metadata(floor.queue.path(&file("w-done"))).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let whole = [
        "v", "task", "state", "why", "worker", "attempt", "text", "is_cut", "exit", "check",
        "waited_s", "ran_s", "attempts",
    ];
    let mut names: Vec<&str> = step
        .result
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_by_key(|name| whole.iter().position(|of| of == name));
    assert_eq!(names, whole);
    assert!(
        step.result["worker"]["pane"]
            .as_str()
            .unwrap()
            .starts_with('%')
    );
    assert!(
        step.result["ran_s"].as_f64().unwrap() > 0.0,
        "{}",
        step.result
    );
}

/// Passes when a step that is stopped while the balancer is away cancels its task all the same, and ends with
/// its own code and its result.
#[test]
fn a_step_that_is_stopped_while_the_balancer_is_away_cancels_its_task() {
    skip_if_asked!();
    let mut floor = Floor::new();
    floor.configure(&floor.table("w-*", "claude", ""));
    floor.serve();
    let child = begin(&floor, "nobody", "x", &[]);
    wait::until(PATIENCE, "the task to be there", || {
        let tasks = floor.queue.json(&["status", "--json"])["tasks"].clone();
        tasks.as_array().unwrap().len() == 1
    });
    floor.kill();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let step = end(&floor, "nobody", child);
    assert_eq!(step.ended(), (143, "cancelled"), "{}", step.stderr);
}
