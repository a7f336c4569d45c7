//! `run`, `wait` and `follow` against a balancer whose worker does what the test says.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Child, Output};
use std::thread;

use cc_balancer::store::{End, Step};
use cc_balancer::task::Outcome;
use serde_json::{Value, json};

use crate::desk::{Served, outcome};
use crate::queue::Queue;

fn ended(child: Child) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Passes when a task that is done gives its text, its files and 0, without secrets, to its owner alone.
#[test]
fn a_task_that_is_done_leaves_its_result() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let files = [
        "--json",
        "result.json",
        "--summary",
        "summary.md",
        "--junit",
        "junit.xml",
    ];
    let all: Vec<&str> = [
        "run",
        "do it",
        "-l",
        "role=ci",
        "--timeout",
        "45m",
        "--retry",
        "1",
    ]
    .into_iter()
    .chain(files)
    .collect();
    let child = queue.spawn(&all);
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let text = format!("line 1\n```\n# \u{1b}[31mred {token}\n");
    let leased = served.take();
    served.step(&leased, Step::Delivering);
    served.step(&leased, Step::Running);
    let outcome = Outcome {
        check: Some("12 passed".to_owned()),
        exit: Some(0),
        ..outcome(&text)
    };
    served.end(&leased, End::Done(outcome));
    let (code, stdout, stderr) = ended(child);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(
        stdout.starts_with("line 1\n```\n# \\x1b[31mred <redacted:"),
        "{stdout}"
    );

    let file = queue.path("result.json");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let result: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(!result.to_string().contains(&token), "{result}");
    let worker = json!({
        "unit": "w@1", "socket": "/nowhere", "server": "1.2", "pane": "%3", "account": null
    });
    assert_eq!(result["worker"], worker);
    let expected = json!([1, leased.task.id, "done", 1, 0, "12 passed", null]);
    let found: Vec<&Value> = ["v", "task", "state", "attempt", "exit", "check", "why"]
        .iter()
        .map(|name| &result[name])
        .collect();
    assert_eq!(json!(found), expected);
    assert!(
        result["waited_s"].is_f64() && result["ran_s"].is_f64(),
        "{result}"
    );
    assert_eq!(result["attempts"][0]["outcome"], "done");
    assert_eq!(result["attempts"].as_array().unwrap().len(), 1);
    let summary = fs::read_to_string(queue.path("summary.md")).unwrap();
    assert!(
        summary.contains("````text\nline 1\n```\n# [31mred <redacted:"),
        "{summary}"
    );
    let junit = fs::read_to_string(queue.path("junit.xml")).unwrap();
    assert!(junit.contains("failures=\"0\" errors=\"0\""), "{junit}");
    assert!(
        !junit.contains(&token) && !junit.contains('\u{1b}'),
        "{junit}"
    );
    // Nothing else is left behind.
    let names: Vec<_> = fs::read_dir(queue.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

/// Passes when a task that failed gives 1, or what its check gave where that is asked for.
#[test]
fn a_task_that_failed_gives_one_or_the_code_of_its_check() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    for (more, expected) in [(&[][..], 1), (&["--exit-code-from", "check"], 7)] {
        let all: Vec<&str> = ["run", "x", "--json", "-"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        let child = queue.spawn(&all);
        let leased = served.take();
        served.step(&leased, Step::Verifying);
        let outcome = Outcome {
            exit: Some(7),
            check: Some("1 failed".to_owned()),
            ..outcome("said done")
        };
        served.end(&leased, End::Failed("check: exit 7".to_owned(), outcome));
        let (code, stdout, stderr) = ended(child);
        assert_eq!(code, expected, "{stderr}");
        let result: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(
            (&result["state"], &result["exit"]),
            (&"failed".into(), &7.into())
        );
        assert!(stderr.contains("failed: check: exit 7"), "{stderr}");
    }
}

/// Passes when what is not over in time, or not taken in time, is cancelled, and goes on with --detach.
#[test]
fn what_takes_too_long_is_cancelled_unless_it_is_to_go_on() {
    let queue = Queue::new();
    let _served = Served::start(&queue);
    for (arguments, code, state) in [
        (&["--timeout", "50ms"][..], 124, "cancelled"),
        (&["--worker-timeout", "50ms"], 75, "cancelled"),
        (&["--timeout", "50ms", "--detach"], 124, "queued"),
        (&["--worker-timeout", "50ms", "--detach"], 75, "queued"),
    ] {
        let all: Vec<&str> = ["run", "x", "--json", "-"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let (found, stdout, stderr) = ended(queue.spawn(&all));
        assert_eq!(found, code, "{arguments:?}: {stderr}");
        let result: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(result["state"], state, "{arguments:?}");
        assert_eq!(
            stderr.contains("it goes on: `cc-balancer wait"),
            arguments.contains(&"--detach"),
            "{stderr}"
        );
    }
}

/// Passes when a worker that has the task in time is not hurried by --worker-timeout, and is told to stop
/// when all of it takes too long.
#[test]
fn a_worker_is_told_to_stop() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let child = queue.spawn(&[
        "run",
        "x",
        "--worker-timeout",
        "20s",
        "--timeout",
        "1s",
        "--json",
        "-",
    ]);
    let leased = served.take();
    // Nobody but the deadline cancels it.
    served.happens("cancel", || served.step(&leased, Step::Running));
    served.end(&leased, End::Cancelled(outcome("half of it")));
    let (code, stdout, stderr) = ended(child);
    assert_eq!(code, 124, "{stderr}");
    let result: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&result["state"], &result["text"]),
        (&"cancelled".into(), &"half of it".into())
    );
}

/// Passes when SIGINT and SIGTERM cancel the task and end with 130 and 143; the file is written still.
#[test]
fn a_signal_cancels_the_task() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    for (which, code, more, state) in [
        (rustix::process::Signal::INT, 130, None, "cancelled"),
        (rustix::process::Signal::TERM, 143, None, "cancelled"),
        (
            rustix::process::Signal::TERM,
            143,
            Some("--detach"),
            "running",
        ),
    ] {
        let all: Vec<&str> = ["run", "x", "--json", "r.json"]
            .into_iter()
            .chain(more)
            .collect();
        let child = queue.spawn(&all);
        let leased = served.take();
        let act = || {
            served.step(&leased, Step::Running);
            signal(&child, which);
        };
        if more.is_none() {
            served.happens("cancel", act);
            served.end(&leased, End::Cancelled(outcome("")));
        } else {
            act();
        }
        let (found, _, stderr) = ended(child);
        assert_eq!(found, code, "{stderr}");
        let result: Value =
            serde_json::from_slice(&fs::read(queue.path("r.json")).unwrap()).unwrap();
        assert_eq!(result["state"], state, "{stderr}");
    }
}

/// Passes when what needs a person, is uncertain, or is limited ends `run` with a code of its own, and
/// what a person can see to is left for them.
#[test]
fn what_nobody_can_wait_for_has_codes_of_its_own() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let run = |more: &[&str]| {
        let all: Vec<&str> = ["run", "x", "--json", "-"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        let child = queue.spawn(&all);
        (child, served.take())
    };
    let state = |stdout: &str| serde_json::from_str::<Value>(stdout).unwrap()["state"].clone();

    let (child, leased) = run(&[]);
    served.step(&leased, Step::Blocked("permission".to_owned()));
    let (code, stdout, stderr) = ended(child);
    assert_eq!((code, state(&stdout)), (3, "blocked".into()), "{stderr}");
    assert!(
        stderr.contains("blocked: permission; see to it"),
        "{stderr}"
    );
    served.end(&leased, End::Cancelled(outcome("")));

    let (child, leased) = run(&[]);
    served.step(&leased, Step::Delivering);
    served.end(&leased, End::Uncertain("no echo".to_owned()));
    let (code, stdout, stderr) = ended(child);
    assert_eq!((code, state(&stdout)), (8, "held".into()), "{stderr}");

    let (child, leased) = run(&["--no-wait"]);
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    served.end(
        &leased,
        End::Returned("limited until noon".to_owned(), Some(later)),
    );
    let (code, stdout, stderr) = ended(child);
    assert_eq!((code, state(&stdout)), (6, "cancelled".into()), "{stderr}");

    let (child, leased) = run(&["--on-blocked", "wait"]);
    served.step(&leased, Step::Blocked("permission".to_owned()));
    served.step(&leased, Step::Running);
    served.end(&leased, End::Done(outcome("")));
    assert_eq!(ended(child).0, 0);
}

/// Passes when a limit from before ends `run --no-wait` at once.
#[test]
fn a_limit_from_before_is_known() {
    let queue = Queue::new();
    let limited = json!({"reasons": [{"kind": "limited", "text": "all accounts are limited"}]});
    let _served = Served::scripted(&queue, Box::new(move |_| limited.clone()));
    let (code, _, stderr) = ended(queue.spawn(&["run", "x", "--no-wait"]));
    assert_eq!(code, 6, "{stderr}");
}

/// Passes when waiting goes on over a balancer that ends and comes back.
#[test]
fn waiting_outlives_the_balancer() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let mut child = queue.spawn(&["run", "x"]);
    let leased = served.take();
    served.step(&leased, Step::Running);
    drop(served);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "the balancer has gone: waiting for it to come back\n");
    let served = Served::start(&queue);
    served.end(&leased, End::Done(outcome("after all")));
    let (code, stdout, _) = ended(child);
    assert_eq!((code, stdout.as_str()), (0, "after all\n"));
}

/// Passes when `wait` waits for all of them, cancels nothing, and ends as the first that is not done.
#[test]
fn wait_is_for_all_and_cancels_nothing() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let (one, two) = (queue.add(&["one"]), queue.add(&["two"]));
    let output = queue.ask(&["wait", &one, &two, "--timeout", "50ms"]);
    assert_eq!(output.status.code(), Some(124), "{output:?}");
    assert_eq!(
        (queue.state(&one), queue.state(&two)),
        ("queued".into(), "queued".into())
    );
    let child = queue.spawn(&["wait", &one[..8], &two]);
    served.done("");
    let leased = served.take();
    served.end(&leased, End::Failed("exit 3".to_owned(), outcome("")));
    let (code, stdout, stderr) = ended(child);
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(stdout, format!("{one}: done\n{two}: failed: exit 3\n"));
    drop(served);
    // Nobody need run for what is over.
    assert_eq!(queue.ask(&["wait", &one]).status.code(), Some(0));
    assert_eq!(queue.ask(&["wait", &one, &two]).status.code(), Some(1));
    let three = queue.add(&["three"]);
    assert_eq!(queue.ask(&["wait", &three]).status.code(), Some(69));
    assert_eq!(queue.ask(&["follow", &three]).status.code(), Some(69));
}

/// Passes when `follow` shows each event once, the last one too, whenever it began.
#[test]
fn follow_shows_each_event_once() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let id = queue.add(&["x"]);
    let mut child = queue.spawn(&["follow", &id]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut kind = || {
        let line = lines.next()?.unwrap();
        let words: Vec<&str> = line
            .split_whitespace()
            .filter(|word| !word.starts_with('#'))
            .collect();
        Some(words[2].to_owned())
    };
    assert_eq!(kind().as_deref(), Some("added"));
    let leased = served.take();
    served.step(&leased, Step::Running);
    served.end(&leased, End::Lost("its server is gone".to_owned()));
    let rest: Vec<String> = std::iter::from_fn(&mut kind).collect();
    assert_eq!(rest, ["leased", "running", "lost", "dead"]);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// Passes when `status --watch` says how all is as soon as something changes.
#[test]
fn status_is_watched() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let mut child = queue.spawn(&["status", "--watch", "--json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["counts"], json!({}));
    let id = queue.add(&["x"]);
    assert_eq!(next()["tasks"][0]["task"], id.as_str());
    served.done("");
    while next()["tasks"][0]["state"] != "done" {}
    drop(served);
    assert_eq!(child.wait().unwrap().code(), Some(69));
}

/// Passes when many who wait at once are all told.
#[test]
fn many_may_wait_at_once() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let children: Vec<Child> = (0..10)
        .map(|number| queue.spawn(&["run", &number.to_string()]))
        .collect();
    thread::scope(|scope| {
        scope.spawn(|| (0..10).for_each(|_| served.done("well")));
        for child in children {
            let (code, stdout, stderr) = ended(child);
            assert_eq!((code, stdout.as_str()), (0, "well\n"), "{stderr}");
        }
    });
}

/// Passes when `run --ensure` has the guardian start that unit first, gives the task to it, and adds
/// nothing where the guardian does not.
#[test]
fn a_unit_is_started_first() {
    let queue = Queue::new();
    let served = Served::start(&queue);
    let output = queue.ask(&["run", "x", "--ensure", "w@1"]);
    assert_eq!(output.status.code(), Some(69), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("cc-guardian up"),
        "{output:?}"
    );

    let socket = queue.socket();
    let name = socket.file_name().unwrap().to_str().unwrap();
    let socket = socket.with_file_name(name.replace("balancer", "guardian"));
    let guardian = UnixListener::bind(socket).unwrap();
    let answer = |said: &str| {
        let (mut stream, _) = guardian.accept().unwrap();
        let mut asked = String::new();
        BufReader::new(stream.try_clone().unwrap())
            .read_line(&mut asked)
            .unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        serde_json::from_str::<Value>(&asked).unwrap()
    };
    let child = queue.spawn(&["run", "x", "--ensure", "v"]);
    answer("{\"v\":1,\"error\":\"there is no unit \\\"v\\\"\",\"exit\":4}\n");
    let (code, _, stderr) = ended(child);
    assert_eq!(code, 4, "{stderr}");
    assert!(
        stderr.contains("there is no unit \"v\"") && stderr.contains("cc-guardian ls"),
        "{stderr}"
    );
    assert_eq!(queue.json(&["status", "--json"])["tasks"], json!([]));

    let child = queue.spawn(&["run", "x", "--ensure", "w@1"]);
    assert_eq!(answer("{\"v\":1}\n"), json!({"do": "start", "unit": "w@1"}));
    let leased = served.take();
    assert_eq!(leased.task.spec.to.as_deref(), Some("w@1"));
    served.end(&leased, End::Done(outcome("well")));
    assert_eq!(ended(child).0, 0);
}
