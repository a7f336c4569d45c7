//! What people are shown: `ls`, `status`, `why`, profiles, completions and man pages.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;

use harness::skip_if_asked;
use harness::stand_in::Remote;
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE, stand_in};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Passes when `status` counts everybody, says who needs somebody and why, and its exit code says so
/// too; of all units and of one.
#[test]
fn status_says_who_needs_somebody() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let nothing = guardian.ok(&["status"]);
    assert!(nothing.contains("There are no units"), "{nothing}");
    let control = guardian.path("control");
    guardian.up("w", 1, &["--control", control.to_str().unwrap()]);
    guardian.up("v", 2, &[]);
    for unit in ["w@1", "v@1", "v@2"] {
        guardian.until_state(unit, "idle");
    }
    let well = guardian.ok(&["status"]);
    assert!(well.contains("3 units: ○ 3 idle"), "{well}");
    assert!(well.contains("guardian: cc-guardian "), "{well}");
    assert!(
        well.contains("server ") && well.contains("tmux 3."),
        "{well}"
    );
    Remote::connect(&control)
        .unwrap()
        .order("dialog permission")
        .unwrap();
    guardian.until_state("w@1", "blocked");
    let needed = guardian.ask(&["status"]);
    assert_eq!(needed.status.code(), Some(3), "{needed:?}");
    let text = String::from_utf8(needed.stdout).unwrap();
    assert!(
        text.contains("needs somebody:") && text.contains("? blocked  w@1"),
        "{text}"
    );
    let needed = guardian.ask(&["status", "--json"]);
    assert_eq!(needed.status.code(), Some(3), "{needed:?}");
    let told = json(str::from_utf8(&needed.stdout).unwrap());
    assert_eq!(told["v"], 1);
    assert_eq!(told["units"], 3);
    assert_eq!(told["counts"], json(r#"{"blocked":1,"idle":2}"#));
    assert_eq!(told["attention"][0]["unit"], "w@1");
    assert_eq!(told["attention"][0]["sub"], "permission");
    assert_eq!(told["attention"].as_array().unwrap().len(), 1);
    assert!(told["guardian"]["pid"].is_u64(), "{told}");
    assert_eq!(told["servers"][0]["units"], 3);
    assert!(told["servers"][0]["pid"].is_u64(), "{told}");
    let one = guardian.ask(&["status", "w@1"]);
    assert_eq!(one.status.code(), Some(3), "{one:?}");
    let one = String::from_utf8(one.stdout).unwrap();
    assert!(one.contains("question") && one.contains("pane"), "{one}");
    assert!(one.contains("cc-guardian answer w@1 1|2"), "{one}");
    // The same screen, read anew.
    let read = json(&guardian.ok(&["explain", "w@1", "--json"]));
    assert_eq!(read["state"], "blocked", "{read}");
    assert_eq!(
        read["dialog"]["hash"],
        guardian.unit("w@1")["question"]["hash"]
    );
    let read = guardian.ok(&["explain", "w@1"]);
    assert!(read.starts_with("blocked (permission), sure to"), "{read}");
    assert_eq!(guardian.ask(&["explain", "nobody"]).status.code(), Some(4));
    for wrong in [&["explain"][..], &["explain", "w@1", "--profile", "claude"]] {
        assert_eq!(guardian.ask(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let others = guardian.ok(&["status", "v"]);
    assert!(others.starts_with("2 units: ○ 2 idle"), "{others}");
    assert_eq!(guardian.ask(&["status", "nobody"]).status.code(), Some(4));
}

/// Passes when `ls` lists those that are asked for, and says what is wrong with a question.
#[test]
fn ls_lists_whom_it_is_asked_for() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let file = guardian.path("units.toml");
    let program = stand_in();
    let text = format!(
        "version = 1\n\
         [unit.w]\ncommand = [\"{program}\", \"--like\", \"claude\"]\nprofile = \"claude\"\n\
         replicas = 2\nlabels = {{ role = \"worker\" }}\n\
         [unit.s]\ncommand = [\"sleep\", \"1000\"]\nlabels = {{ role = \"other\" }}\n"
    );
    fs::write(&file, text).unwrap();
    guardian.ok(&["up", "-c", file.to_str().unwrap()]);
    guardian.until_state("w@1", "idle");
    guardian.until_state("w@2", "idle");
    let listed = |arguments: &[&str]| -> Vec<String> {
        let said = guardian.ok(&[&["ls", "--json"], arguments].concat());
        let units = json(&said)["units"].as_array().unwrap().clone();
        let names = units
            .iter()
            .map(|unit| unit["unit"].as_str().unwrap().to_owned());
        names.collect()
    };
    assert_eq!(listed(&[]), ["s@1", "w@1", "w@2"]);
    assert_eq!(listed(&["w"]), ["w@1", "w@2"]);
    assert_eq!(listed(&["-l", "role=worker"]), ["w@1", "w@2"]);
    assert_eq!(listed(&["-l", "role=other"]), ["s@1"]);
    assert_eq!(listed(&["--in", "idle,busy", "-l", "role"]), ["w@1", "w@2"]);
    let pane = guardian.unit("w@2")["pane"].as_str().unwrap().to_owned();
    assert!(listed(&[&pane]).contains(&"w@2".to_owned()));
    let table = guardian.ok(&["ls", "w@1"]);
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(
        table.starts_with("UNIT") && table.contains("FOR"),
        "{table}"
    );
    assert_eq!(guardian.ask(&["ls", "x"]).status.code(), Some(4));
    let wrong = guardian.ask(&["ls", "--in", "dreaming"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        said.contains("dreaming") && said.contains("blocked, "),
        "{said}"
    );
}

struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Passes when `ls --watch` and `why --watch` tell a change by themselves, a line each as JSON, and end
/// with the guardian.
#[test]
fn what_is_watched_goes_on_as_things_change() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    guardian.up("w", 1, &[]);
    guardian.until_state("w@1", "idle");
    let watched = |arguments: &[&str]| {
        let mut command = guardian.command(&[arguments, &["--watch", "--json"]].concat());
        let mut watching = Watching(command.stdout(Stdio::piped()).spawn().unwrap());
        let lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
        let (tell, told) = mpsc::channel();
        // A line that does not come is to fail the test, and not to stop it.
        thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .try_for_each(|line| tell.send(line))
        });
        let next = move || json(&told.recv_timeout(PATIENCE).expect("a line"));
        (watching, next)
    };
    let (mut listing, listed) = watched(&["ls"]);
    let (mut asking, why) = watched(&["why", "w@1"]);
    assert_eq!(listed()["units"][0]["state"], "idle");
    assert_eq!(why()["unit"]["state"], "idle");
    guardian.ok(&["stop", "w@1", "--now"]);
    while !listed()["units"][0]["pane"].is_null() {}
    while !why()["unit"]["pane"].is_null() {}
    guardian.kill();
    assert_eq!(listing.0.wait().unwrap().code(), Some(69));
    assert_eq!(asking.0.wait().unwrap().code(), Some(69));
}

/// Passes when a profile of one's own takes the place of one that comes with the program, wherever
/// profiles are used, and a mistake in one is said with its file and line wherever it would be used.
#[test]
fn profiles_of_ones_own_win() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let dir = guardian.path(".config/cc/profiles");
    fs::create_dir_all(&dir).unwrap();
    let shell = guardian.ok(&["profile", "show", "shell"]);
    let own = shell.replacen("version = 2", "version = 77", 1);
    assert_ne!(own, shell);
    fs::write(dir.join("mine.toml"), &own).unwrap();
    let listed = guardian.ok(&["profile", "ls"]);
    let line = |name: &str| {
        listed
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(line("shell").contains("version 77"), "{listed}");
    assert!(
        line("shell").contains(".config/cc/profiles/mine.toml"),
        "{listed}"
    );
    assert!(
        line("claude").contains("comes with the program"),
        "{listed}"
    );
    let screen = guardian.path("screen");
    fs::write(&screen, "$ \n").unwrap();
    let screen = screen.to_str().unwrap();
    let explain = ["explain", "--profile", "shell", "--file", screen, "--json"];
    assert_eq!(json(&guardian.ok(&explain))["profile_version"], 77);
    let other = own.replace("agent = \"shell\"", "agent = \"other\"");
    fs::write(dir.join("other.toml"), other).unwrap();
    guardian.run(&[]);
    guardian.ok(&["up", "--name", "o", "--profile", "other", "--", "sh"]);
    assert_eq!(guardian.unit("o@1")["profile"], "other");
    // One that comes later is taken by `up`; so is a mistake in one, and nothing is started then.
    let third = own.replace("agent = \"shell\"", "agent = \"third\"");
    fs::write(dir.join("third.toml"), third).unwrap();
    guardian.ok(&["up", "--name", "p", "--profile", "third", "--", "sh"]);
    fs::write(dir.join("wrong.toml"), "version = 1\nagent = \"x y\"\n").unwrap();
    let wrong = guardian.ask(&["up", "--name", "q", "--", "sh"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("wrong.toml:"), "{said}");
    assert_eq!(guardian.units().len(), 2);
    guardian.kill();
    for command in [
        &explain[..],
        &["profile", "ls"],
        &["profile", "check", screen],
        &["run"],
    ] {
        let wrong = guardian.ask(command);
        assert_eq!(wrong.status.code(), Some(2), "{command:?}: {wrong:?}");
        let said = String::from_utf8(wrong.stderr).unwrap();
        assert!(said.contains("wrong.toml:"), "{command:?}: {said}");
    }
    fs::remove_file(dir.join("wrong.toml")).unwrap();
}

/// Passes when the screen of a unit becomes a file that `profile check` takes once the truth is filled
/// in, and not before; without secrets, and never in place of another file.
#[test]
fn a_screen_is_recorded_for_profiles() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let control = guardian.path("control");
    guardian.up("w", 1, &["--control", control.to_str().unwrap()]);
    let unit = guardian.until_state("w@1", "idle");
    let file = guardian.path("idle.txt");
    let path = file.to_str().unwrap();
    guardian.ok(&[
        "profile",
        "record",
        "w@1",
        "--program-version",
        "0.1",
        "-o",
        path,
    ]);
    let again = guardian.ask(&["profile", "record", "w@1", "-o", path]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    let early = guardian.ask(&["profile", "check", path]);
    assert_eq!(early.status.code(), Some(2), "{early:?}");
    let said = String::from_utf8(early.stderr).unwrap();
    assert!(said.contains("idle.txt:4"), "{said}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("version = \"0.1\"") && text.contains("as idle"),
        "{text}"
    );
    fs::write(&file, text.replace("\"?\"", "\"idle\"")).unwrap();
    let right = guardian.ok(&["profile", "check", path]);
    assert!(right.contains("1 of 1 right"), "{right}");
    fs::write(&file, text.replace("\"?\"", "\"busy\"")).unwrap();
    let wrong = guardian.ask(&["profile", "check", path]);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let said = String::from_utf8(wrong.stdout).unwrap();
    assert!(said.contains("is busy, read as idle"), "{said}");
    let (pane, socket) = (
        unit["pane"].as_str().unwrap(),
        unit["socket"].as_str().unwrap(),
    );
    let by_pane = guardian.ok(&[
        "profile",
        "record",
        pane,
        "-S",
        socket,
        "--profile",
        "claude",
    ]);
    assert!(by_pane.contains("as idle"), "{by_pane}");
    assert_eq!(
        guardian.ask(&["profile", "record", "x@1"]).status.code(),
        Some(4)
    );
    let gone = guardian.ask(&["profile", "record", "%99", "-S", socket]);
    assert_eq!(gone.status.code(), Some(4), "{gone:?}");
    assert_eq!(
        guardian.ask(&["profile", "record", pane]).status.code(),
        Some(2)
    );
}

/// Passes when each shell gets its completions, and every verb its man page.
#[test]
fn completions_and_man_pages_are_made() {
    let guardian = Guardian::home();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = guardian.ok(&["completions", shell]);
        assert!(
            text.contains("cc-guardian") && text.contains("doctor"),
            "{shell}: {text}"
        );
    }
    let page = guardian.ok(&["man"]);
    assert!(
        page.contains(".TH cc-guardian 1") && page.contains("Exit codes"),
        "{page}"
    );
    let dir = guardian.path("man");
    guardian.ok(&["man", "-o", dir.to_str().unwrap()]);
    for page in [
        "cc-guardian.1",
        "cc-guardian-send.1",
        "cc-guardian-profile-record.1",
    ] {
        assert!(Path::new(&dir).join(page).exists(), "{page}");
    }
    assert_eq!(
        guardian.ask(&["completions", "cobol"]).status.code(),
        Some(2)
    );
}
