//! What right files become.

use std::path::Path;
use std::time::Duration;

use super::{Folder, config};
use crate::config::{
    Backoff, Event, EventKind, ExitStatus, Isolation, LimitAction, MemoryScope, PromptAction,
    PromptKind, Ready, Restart, RestartAt, Resume, Signal, StartLimit, StopMethod, Way, WebhookUrl,
    example,
};

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn a_unit_that_says_nothing_has_the_usual_values() {
    let config = config("[unit.a]\ncommand = [\"x\"]\n");
    assert_eq!(config.server.isolation, Isolation::Group);
    assert_eq!(config.server.history_limit, 5_000);
    assert_eq!(config.server.tmux, Path::new("tmux"));
    let unit = config.unit("a").unwrap();
    assert_eq!(unit.group, "default");
    assert_eq!((unit.replicas, unit.restart), (1, Restart::OnAbnormal));
    let backoff = Backoff {
        initial: Duration::from_secs(2),
        factor: 2.0,
        max: 5 * MINUTE,
        jitter: 0.2,
        reset_after: 10 * MINUTE,
    };
    assert_eq!(unit.backoff, backoff);
    let limit = StartLimit {
        burst: 5,
        interval: 10 * MINUTE,
        action: LimitAction::Hold,
    };
    assert_eq!(unit.start_limit, limit);
    assert_eq!(unit.stop.method, StopMethod::Profile);
    assert_eq!(unit.stop.timeout, Duration::from_secs(20));
    assert_eq!(unit.stop.signal, Signal::TERM);
    assert_eq!(unit.hang_after, Some(20 * MINUTE));
    assert_eq!(unit.tool_hang_after, Some(60 * MINUTE));
    assert_eq!(unit.startup_timeout, MINUTE);
    assert_eq!(unit.start_stagger, Duration::from_secs(1));
    assert_eq!(unit.resume, Resume::No);
    assert_eq!((unit.memory.soft, unit.memory.hard), (None, None));
    assert_eq!(
        (unit.nice, &unit.cpus, unit.restart_every),
        (None, &None, None)
    );
    assert_eq!((&unit.profile, &unit.account), (&None, &None));
    assert!(unit.on_prompt.is_empty() && unit.windows.is_empty() && unit.labels.is_empty());
}

#[test]
fn the_example_is_right_and_says_what_it_means() {
    let folder = Folder::new();
    folder.write("g.toml", 0o644, example());
    let config = folder.load().unwrap();
    let coder = config.unit("coder").unwrap();
    assert_eq!(coder.instances().last().as_deref(), Some("coder@4"));
    assert_eq!(coder.profile.as_deref(), Some("claude"));
    assert_eq!(coder.cwd, folder.path());
    assert_eq!(coder.resume, Resume::SessionId);
    assert_eq!(coder.depends_on[0].ready, Ready::Running);
    assert_eq!(coder.memory.soft, Some(3_000_000_000));
    assert_eq!(coder.memory.scope, MemoryScope::Tree);
    assert_eq!(coder.restart_every.unwrap().at, RestartAt::Idle);
    assert_eq!(coder.on_prompt[1].kind, PromptKind::Permission);
    assert_eq!(coder.on_prompt[1].action, PromptAction::Accept);
    assert_eq!(coder.on_prompt[1].allow, ["cargo test*"]);
    assert_eq!(coder.windows[0].name, "shell");
    assert_eq!(coder.on_failure, ["desk"]);
    let database = config.unit("database").unwrap();
    assert_eq!(database.command[..2], ["/bin/sh", "-c"]);
    assert_eq!(database.hang_after, None);
    assert_eq!(database.stop.signal.to_string(), "SIGINT");
    let statuses = [ExitStatus::Code(143), ExitStatus::Signal(Signal::TERM)];
    assert!(database.success_exit_status.iter().eq(&statuses));
    let phone = config
        .alerts
        .iter()
        .find(|alert| alert.name == "phone")
        .unwrap();
    let to = WebhookUrl::Env("CC_WEBHOOK".to_owned());
    assert_eq!(phone.way, Way::Webhook { to });
    let (kind, after) = (EventKind::Blocked, 2 * MINUTE);
    assert_eq!(phone.events[0], Event { kind, after });
    assert_eq!(config.accounts[0].max_parallel, Some(4));
}

#[test]
fn the_example_shows_the_values_that_are_usual() {
    let shown = config(&format!(
        "{}\n[unit.x]\ncommand = [\"x\"]\n",
        untouched_defaults()
    ));
    let usual = config("[alert.desk]\ntype = \"desktop\"\n[unit.x]\ncommand = [\"x\"]\n");
    let (mut shown, usual) = (shown.units[0].clone(), &usual.units[0]);
    assert_eq!(shown.on_failure, ["desk"]);
    shown.on_failure.clear();
    shown.cwd.clone_from(&usual.cwd);
    assert_eq!(shown, *usual);
}

/// `[defaults]` of the example, and the alert that it names.
fn untouched_defaults() -> String {
    let (_, text) = example().split_once("[defaults]").unwrap();
    let (defaults, _) = text.split_once("\n\n").unwrap();
    format!("[alert.desk]\ntype = \"desktop\"\n[defaults]{defaults}")
}

#[test]
fn tables_are_filled_up_field_by_field_and_lists_are_replaced() {
    let config = config(
        r#"
[defaults]
backoff = { initial = "5s", max = "1m" }
stop = { method = "signal", signal = "INT" }
memory = { soft = "1G" }
env = { A = "1", B = "1" }
labels = { role = "x" }
on_failure = ["p"]
success_exit_status = [1]
[alert.p]
type = "desktop"
[unit.a]
command = ["x"]
backoff.initial = "10s"
stop.timeout = "1s"
memory.hard = 2000000000
env = { B = "${A}", C = "2" }
labels = { repo = "y" }
on_failure = []
success_exit_status = [2]
"#,
    );
    let unit = config.unit("a").unwrap();
    assert_eq!(unit.backoff.initial, Duration::from_secs(10));
    assert_eq!((unit.backoff.max, unit.backoff.factor), (MINUTE, 2.0));
    assert_eq!(unit.stop.signal.to_string(), "SIGINT");
    assert_eq!(unit.stop.timeout, Duration::from_secs(1));
    assert_eq!(unit.memory.soft, Some(1_000_000_000));
    assert_eq!(unit.memory.hard, Some(2_000_000_000));
    let env: Vec<_> = unit
        .env
        .0
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(env, ["A=1", "B=${A}", "C=2"]);
    assert_eq!(unit.labels.len(), 2);
    assert!(unit.on_failure.is_empty());
    assert!(unit.success_exit_status.iter().eq(&[ExitStatus::Code(2)]));
}

#[test]
fn a_profile_is_found_by_the_program_unless_one_is_said() {
    let config = config(
        r#"
[unit.a]
command = ["/usr/local/bin/codex", "--full-auto"]
[unit.b]
command = ["codex"]
profile = "shell"
[unit.c]
command = "codex"
shell = true
"#,
    );
    let profiles: Vec<_> = config
        .units
        .iter()
        .map(|unit| unit.profile.as_deref())
        .collect();
    assert_eq!(profiles, [Some("codex"), Some("shell"), None]);
}

#[test]
fn nobody_waits_for_a_unit_to_be_idle_that_is_never_seen_idle() {
    let config = config(
        r#"
[unit.a]
command = ["x"]
depends_on = ["b", "c", { unit = "b", ready = "running" }]
[unit.b]
command = ["codex"]
[unit.c]
command = ["x"]
"#,
    );
    let ready: Vec<_> = config.units[0]
        .depends_on
        .iter()
        .map(|need| need.ready)
        .collect();
    assert_eq!(ready, [Ready::Idle, Ready::Running, Ready::Running]);
}

#[test]
fn a_server_is_named_by_what_it_is_isolated_by() {
    for (isolation, name) in [("shared", "shared"), ("group", "g"), ("unit", "a")] {
        let config = config(&format!(
            "[server]\nisolation = \"{isolation}\"\n[unit.a]\ncommand = [\"x\"]\ngroup = \"g\"\n"
        ));
        assert_eq!(config.server.server_of(&config.units[0]), name);
    }
}

#[test]
fn variables_of_later_files_win_and_the_units_own_win_over_all() {
    let folder = Folder::new();
    folder.write("a.env", 0o600, "A=a\nB=a\nC=a\n");
    folder.write("b.env", 0o600, "B=b\nC=b\n");
    folder.write(
        "g.toml",
        0o600,
        "version = 1\n[defaults]\nenv_file = \"a.env\"\n\
         [unit.a]\ncommand = [\"x\"]\nenv_file = [\"b.env\"]\nenv.C = \"c\"\n",
    );
    let config = folder.load().unwrap();
    let unit = config.unit("a").unwrap();
    let environment = unit.environment().unwrap();
    let said: Vec<_> = environment
        .0
        .iter()
        .map(|(name, value)| format!("{name}{value}"))
        .collect();
    assert_eq!(said, ["Aa", "Bb", "Cc"]);
    assert_eq!(format!("{environment:?}"), r#"{"A", "B", "C"}"#);
    folder.write("b.env", 0o640, "B=b\n");
    let mistakes = unit.environment().unwrap_err();
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].what, "others can use it (mode 0640)");
}

#[test]
fn windows_start_where_the_unit_does_unless_they_say() {
    let config = config(
        r#"
[unit.a]
command = ["x"]
cwd = "/"
windows = [{ name = "one" }, { name = "two", command = "htop | cat", shell = true, cwd = "~" }]
"#,
    );
    let windows = &config.unit("a").unwrap().windows;
    assert_eq!(
        (windows[0].cwd.as_path(), windows[0].command.len()),
        (Path::new("/"), 0)
    );
    assert_ne!(windows[1].cwd, Path::new("/"));
    assert_eq!(windows[1].command, ["/bin/sh", "-c", "htop | cat"]);
}

#[test]
fn a_secret_is_not_in_what_is_printed_for_debugging() {
    let config = config(
        "[unit.a]\ncommand = [\"x\"]\nenv.KEY = \"hunter2\"\n\
         [alert.a]\ntype = \"webhook\"\nurl = \"https://example.org/hunter2\"\n",
    );
    let printed = format!("{config:?}");
    assert!(printed.contains("KEY"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
}
