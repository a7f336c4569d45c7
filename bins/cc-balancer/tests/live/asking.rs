//! The built program without a balancer: what it adds is there to stay, and what is wrong is said.

use std::collections::BTreeSet;
use std::fs;

use cc_balancer::store::{SqliteStore, Store as _};
use serde_json::Value;

use crate::desk::block;
use crate::queue::Queue;

/// Passes when everything that makes no sense is one sentence, one more that says what to do, and the
/// documented exit code, and adds nothing.
#[test]
fn bad_input_is_said_with_what_to_do() {
    let queue = Queue::new();
    fs::write(queue.path("latin"), b"caf\xe9").unwrap();
    fs::write(queue.path("empty"), "\n").unwrap();
    let long = "x".repeat(200);
    let far = format!("{}h", u64::MAX / 3600);
    let table: &[(&[&str], i32, &str)] = &[
        (&["add", ""], 2, "the text is empty"),
        (&["add", "-f", "empty"], 2, "the text is empty"),
        (&["add", "-f", "missing"], 2, "missing: No such file"),
        (&["add", "-f", "latin"], 2, "latin is not UTF-8"),
        (&["add"], 2, "required"),
        (&["add", "x", "-f", "empty"], 2, "cannot be used with"),
        (&["add", "a\u{1b}[2J"], 2, "U+001B"),
        (&["add", "x", "-l", "role"], 2, "\"role\" is no label"),
        (&["add", "x", "-l", "=ci"], 2, "\"=ci\" is no label"),
        (&["add", "x", "-l", "role=a b"], 2, "\"a b\" is no label"),
        (&["add", "x", "--to", "a b"], 2, "\"a b\" is no unit"),
        (&["add", "x", "--to", "%x"], 2, "\"%x\" is no unit"),
        (
            &["add", "x", "--delay", "soon"],
            2,
            "\"soon\" is no span of time",
        ),
        (&["add", "x", "--timeout", "-1"], 2, "unexpected argument"),
        (&["add", "x", "--priority", "high"], 2, "invalid value"),
        (&["add", "x", "--retry", "1001"], 2, "too often"),
        (&["add", "x", "--key", ""], 2, "\"\" is no key"),
        (&["add", "x", "--group", &long], 2, "is no group"),
        (&["add", "x", "--after", "nope!"], 2, "\"nope!\" is no id"),
        (&["add", "x", "--after", "zzz"], 4, "there is no task zzz"),
        (
            &["add", "x", "--cwd", "missing", "--check", "true"],
            2,
            "is no directory",
        ),
        (&["add", "x", "--check"], 2, "a value is required"),
        (&["send", "x"], 2, "--to"),
        (&["send", "--to", "w", " "], 2, "the text is empty"),
        (&["result", "zzz"], 4, "there is no task zzz"),
        (&["result", "UPPER"], 2, "\"UPPER\" is no id"),
        (&["log", "zzz"], 4, "there is no task zzz"),
        (&["why", "zzz"], 4, "there is no task zzz"),
        (&["cancel", "zzz"], 4, "there is no task zzz"),
        (&["retry", "zzz"], 4, "there is no task zzz"),
        (&["hold", "!"], 2, "\"!\" is no id"),
        (&["release"], 2, "required"),
        (&["edit", "zzz"], 2, "there is nothing to change"),
        (
            &["edit", "zzz", "--priority", "1"],
            4,
            "there is no task zzz",
        ),
        (&["dead", "rm", "zzz"], 4, "there is no task zzz"),
        (&["status", "dreaming"], 2, "there is no state \"dreaming\""),
        (&["status", "size=3"], 2, "\"size\" is nothing to ask for"),
        (&["status", "last=x"], 2, "\"x\" is no number"),
        (&["status", "--watch"], 69, "No such file"),
        (&["wait", "zzz"], 4, "there is no task zzz"),
        (&["follow", "zzz"], 4, "there is no task zzz"),
        (&["run", "x"], 69, "no balancer runs"),
        (&["run", "x", "--json", "missing/x"], 2, "cannot be written"),
        (&["run", "x", "--junit", "."], 2, "cannot be written"),
        (&["run", "x", "--exit-code-from", "me"], 2, "invalid value"),
        (&["worker", "ls"], 69, "No such file"),
        (&["worker", "drain", "w"], 69, "No such file"),
        (
            &["account", "clear", "team"],
            4,
            "there is no account \"team\"",
        ),
        (&["account", "limit", "a b"], 2, "\"a b\" is no account"),
        (
            &["account", "limit", "t", "--until", "2001-01-01T00:00:00Z"],
            2,
            "that time is over",
        ),
        (
            &["account", "limit", "t", "--for", &far],
            2,
            "that is too long",
        ),
        (
            &["queue", "set-parallel", "g", "0"],
            2,
            "write a number from 1",
        ),
        (&["queue", "pause", "a\nb"], 2, "\"a\\nb\" is no group"),
        (&["backup", "empty"], 2, "is there already"),
        (
            &["migrate", "--to", "redis://x"],
            2,
            "\"redis://x\" is no store",
        ),
        (
            &["exec", "--attempt", "x", "--nonce", "n"],
            2,
            "\"x\" is no attempt",
        ),
        (&["dance"], 2, "unrecognized subcommand"),
    ];
    for (arguments, code, said) in table {
        let output = queue.ask(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
        assert!(
            error.starts_with("error: ") || error.contains("\nerror: "),
            "{arguments:?}: {error}"
        );
        assert!(
            !error.contains(['\u{1b}', '\u{0}']),
            "{arguments:?}: {error}"
        );
        let advice = error
            .lines()
            .skip_while(|line| !line.starts_with("error: "))
            .nth(1);
        assert!(
            advice.is_some(),
            "{arguments:?} says not what to do: {error}"
        );
        assert!(
            output.stdout.is_empty(),
            "{arguments:?}: {:?}",
            output.stdout
        );
    }
    assert_eq!(
        queue.json(&["status", "--json"])["tasks"],
        Value::Array(vec![])
    );
}

/// Passes when a task lives through all that can be said of it without a balancer, and says so.
#[test]
fn a_task_goes_round_without_a_balancer() {
    let queue = Queue::new();
    let output = queue.ask(&[
        "add",
        "make it",
        "-l",
        "role=ci",
        "--priority",
        "-3",
        "--json",
    ]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "no `cc-balancer serve` runs: it is queued, and begun once one does\n"
    );
    let added: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = added["task"].as_str().unwrap();
    assert_eq!(
        added,
        serde_json::json!({"v": 1, "task": id, "was_there": false})
    );
    let after = queue.add(&["then", "--after", &id[..6], "--check", "make", "-s"]);

    let status = queue.json(&["status", "queued", "-l", "role=ci", "--json"]);
    assert_eq!(status["counts"]["queued"], 2, "{status}");
    assert_eq!(status["tasks"][0]["text"], "make it");
    assert_eq!(status["tasks"][0]["priority"], -3);
    assert_eq!(status["tasks"][0]["submitter"], "tester");
    let table = queue.ok(&["status"]);
    assert!(
        table.contains("make it") && table.contains("2 queued"),
        "{table}"
    );
    let why = queue.ok(&["why", &after]);
    assert!(
        why.contains(&format!("{id} must be done, and is queued")),
        "{why}"
    );

    assert_eq!(queue.ok(&["hold", id]), format!("{id}: held\n"));
    assert_eq!(queue.state(id), "held");
    assert_eq!(queue.ok(&["release", id]), format!("{id}: released\n"));
    queue.ok(&["edit", id, "--text", "make all", "--priority", "2"]);
    let told = queue.json(&["why", id, "--json"]);
    assert_eq!(
        (&told["task"]["text"], &told["task"]["priority"]),
        (&"make all".into(), &2.into())
    );

    assert_eq!(queue.ok(&["cancel", id]), format!("{id}: cancelled\n"));
    assert_eq!(
        queue.ok(&["cancel", id]),
        format!("{id}: was over before\n")
    );
    let output = queue.ask(&["hold", id]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(&format!(
            "error: {id} is cancelled\nIt is over: `cc-balancer retry`"
        )),
        "{said}"
    );

    // What came after it cannot be done any more.
    assert_eq!(queue.state(&after), "dead");
    let dead = queue.ok(&["dead", "ls"]);
    let begins = |id: &str| dead.lines().any(|line| line.starts_with(id));
    assert!(begins(&after) && !begins(id), "{dead}");
    assert_eq!(queue.ask(&["wait", &after]).status.code(), Some(1));
    let result = queue.ask(&["result", &after]);
    assert_eq!(result.status.code(), Some(1), "{result:?}");
    assert_eq!(queue.ask(&["dead", "retry", id]).status.code(), Some(1));
    assert_eq!(queue.ok(&["retry", id]), format!("{id}: queued\n"));
    assert_eq!(
        queue.ok(&["dead", "retry", &after]),
        format!("{after}: queued\n")
    );
    queue.ok(&["cancel", id]);
    assert_eq!(
        queue.ok(&["dead", "rm", &after]),
        format!("{after}: removed\n")
    );
    assert_eq!(queue.ask(&["log", &after]).status.code(), Some(4));

    let log = queue.ok(&["log", id]);
    let kinds: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    assert_eq!(
        kinds,
        [
            "added",
            "held",
            "released",
            "edited",
            "cancelled",
            "retry",
            "cancelled"
        ],
        "{log}"
    );
}

/// Passes when a task that is added where no balancer runs is as the configuration says, the one that is
/// named or else the usual one, and not where it has a mistake.
#[test]
fn without_a_balancer_groups_say_the_same_of_their_tasks() {
    let queue = Queue::new();
    let usual = queue.path(".config/cc/balancer.toml");
    fs::create_dir_all(usual.parent().unwrap()).unwrap();
    fs::write(
        &usual,
        "version = 1\n[queue.default]\nretry = { max = 3 }\ntimeout = \"2h\"\n\
         [queue.ci]\nretry = { max = 1 }\ncheck = [\"make\", \"check\"]\n",
    )
    .unwrap();
    let named = queue.path("named.toml");
    fs::write(
        &named,
        "version = 1\n[queue.default]\nretry = { max = 9 }\n",
    )
    .unwrap();
    let told = |arguments: &[&str]| {
        let id = queue.add(arguments);
        queue.json(&["why", &id, "--json"])["task"].clone()
    };
    let task = told(&["x"]);
    assert_eq!(
        (&task["retry"], &task["timeout_s"]),
        (&3.into(), &7200.0.into())
    );
    let task = told(&["x", "--group", "ci"]);
    assert_eq!(task["retry"], 1);
    assert_eq!(task["check"], serde_json::json!(["make", "check"]));
    // What it says itself stands above that, and a group of which nothing is said is as the default one.
    let task = told(&["x", "--group", "other", "--timeout", "1s"]);
    assert_eq!(
        (&task["retry"], &task["timeout_s"]),
        (&3.into(), &1.0.into())
    );
    assert_eq!(told(&["x", "-c", named.to_str().unwrap()])["retry"], 9);
    fs::write(&usual, "version = 1\n[queue.default]\nretri = 1\n").unwrap();
    let output = queue.ask(&["add", "x"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("retri"));
}

/// Passes when what has a key is there once, and its id is told each time.
#[test]
fn a_key_is_taken_once() {
    let queue = Queue::new();
    let first = queue.add(&["a", "--key", "run 1"]);
    let again = queue.json(&["add", "b", "--key", "run 1", "--json"]);
    assert_eq!(
        (&again["task"], &again["was_there"]),
        (&first.as_str().into(), &true.into())
    );
    let send = |text: &str| queue.ok(&["send", "--to", "w@1", text, "--key", "mail", "-p"]);
    assert_eq!(send("one"), send("two"));
    let status = queue.json(&["status", "kind=message", "to=w@1", "--json"]);
    assert_eq!(status["tasks"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["tasks"][0]["text"], "one");
}

/// Passes when many who add at the same time all add, each once.
#[test]
fn those_who_add_at_the_same_time_all_add() {
    let queue = Queue::new();
    let children: Vec<_> = (0..8)
        .map(|number| queue.spawn(&["add", "-p", &format!("task {number}")]))
        .collect();
    let ids: BTreeSet<Vec<u8>> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
            output.stdout
        })
        .collect();
    assert_eq!(ids.len(), 8);
    let status = queue.json(&["status", "--json"]);
    assert_eq!(status["counts"]["queued"], 8);
}

/// Passes when groups and accounts are as they were said to be.
#[test]
fn groups_and_accounts_keep_what_is_said_of_them() {
    let queue = Queue::new();
    queue.ok(&["queue", "set-parallel", "nightly", "2"]);
    queue.ok(&["queue", "pause", "nightly"]);
    let id = queue.add(&["x", "--group", "nightly"]);
    let why = queue.json(&["why", &id, "--json"]);
    assert_eq!(why["reasons"][0]["kind"], "paused", "{why}");
    let groups = queue.json(&["queue", "ls", "--json"]);
    let nightly = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["group"] == "nightly");
    assert_eq!(
        nightly.unwrap(),
        &serde_json::json!({"group": "nightly", "parallel": 2, "paused": true, "queued": 1, "under_way": 0})
    );
    queue.ok(&["queue", "resume", "nightly"]);
    queue.ok(&["queue", "set-parallel", "nightly", "any"]);
    let table = queue.ok(&["queue", "ls"]);
    assert!(
        table.lines().any(|line| line.starts_with("nightly  any")),
        "{table}"
    );

    queue.ok(&["account", "limit", "team", "--for", "2h", "--why", "usage"]);
    queue.ok(&["account", "set-parallel", "team", "4"]);
    let accounts = queue.json(&["account", "ls", "--json"]);
    let team = &accounts["accounts"][0];
    assert_eq!(
        (&team["limited"], &team["parallel"]),
        (&true.into(), &4.into()),
        "{team}"
    );
    assert!(queue.ok(&["status"]).contains("team is limited until"));
    queue.ok(&["account", "clear", "team"]);
    assert_eq!(
        queue.json(&["account", "ls", "--json"])["accounts"][0]["limited"],
        false
    );
}

/// Passes when a copy holds what there is.
#[test]
fn a_copy_is_a_store() {
    let queue = Queue::new();
    let id = queue.add(&["x"]);
    queue.ok(&["backup", "copy.db"]);
    let copy = SqliteStore::open(&queue.path("copy.db")).unwrap();
    assert_eq!(block(copy.task(&id)).unwrap().spec.text, "x");
}

/// Passes when members of JSON answers are those that are documented: scripts read them.
#[test]
fn json_has_the_members_that_scripts_read() {
    let queue = Queue::new();
    let id = queue.add(&["x", "--check", "true"]);
    let members =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let status = queue.json(&["status", "--json"]);
    assert_eq!(
        members(&status),
        ["accounts", "counts", "groups", "tasks", "v"]
    );
    assert_eq!(
        members(&status["tasks"][0]),
        [
            "added",
            "affinity",
            "after",
            "attempt",
            "attempts",
            "cancel",
            "check",
            "cwd",
            "ended",
            "exit",
            "group",
            "key",
            "kind",
            "needs",
            "not_before",
            "priority",
            "retry",
            "returned",
            "state",
            "submitter",
            "task",
            "text",
            "timeout_s",
            "to",
            "why"
        ]
    );
    let result = queue.ask(&["result", &id, "--json"]);
    assert_eq!(result.status.code(), Some(1), "it waits");
    let result: Value = serde_json::from_slice(&result.stdout).unwrap();
    assert_eq!(
        members(&result),
        [
            "attempt", "attempts", "check", "exit", "is_cut", "ran_s", "state", "task", "text",
            "v", "waited_s", "why", "worker"
        ]
    );
    let log = queue.json(&["log", &id, "--json"]);
    assert_eq!(members(&log), ["events", "task", "v"]);
    assert_eq!(
        members(&log["events"][0]),
        ["at", "attempt", "detail", "kind", "task"]
    );
    let why = queue.json(&["why", &id, "--json"]);
    assert_eq!(members(&why), ["events", "reasons", "task", "v"]);
    let cancel = queue.json(&["cancel", &id, "--json"]);
    assert_eq!(
        cancel,
        serde_json::json!({"v": 1, "tasks": [{"task": id, "did": "cancelled"}]})
    );
}

/// Passes when every verb tells of itself.
#[test]
fn completions_and_pages_are_printed() {
    let queue = Queue::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = queue.command(&["completions", shell]).output().unwrap();
        assert!(
            output.status.success() && output.stdout.len() > 1000,
            "{output:?}"
        );
    }
    let output = queue.command(&["man", "-o", "pages"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let pages = fs::read_dir(queue.path("pages")).unwrap();
    let pages: BTreeSet<String> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        pages.contains("cc-balancer-run.1") && !pages.contains("cc-balancer-exec.1"),
        "{pages:?}"
    );
}

/// Passes when a store that cannot be used is exit code 7, and is left as it is.
#[test]
fn a_store_that_cannot_be_used_is_said() {
    let queue = Queue::new();
    let file = queue.path("state/balancer.db");
    fs::write(
        &file,
        "no database at all, but text that is long enough to be looked at",
    )
    .unwrap();
    let before = fs::read(&file).unwrap();
    let output = queue.ask(&["add", "x"]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert_eq!(fs::read(&file).unwrap(), before);
}
