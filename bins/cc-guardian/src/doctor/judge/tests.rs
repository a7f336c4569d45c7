//! Many facts, and what is found in them.

mod changes;

use crate::doctor::facts::{
    Alive, Answer, Client, Configuration, Daemon, Facts, Folder, Found, Pane, Runtime, Server,
    Session, Tmux, Told, Whose,
};
use cc_kit::doctor::text;
use cc_kit::doctor::{Finding, Level};

use super::judge;

use self::changes::CHANGES;

const USER: u32 = 1000;

/// A directory in which all is well.
fn folder(path: &str) -> Folder {
    Folder {
        path: path.to_owned(),
        found: directory(USER, 0o700),
    }
}

fn directory(owner: u32, mode: u32) -> Found {
    Found::Directory {
        owner,
        mode,
        is_writable: true,
        free: Some(100 << 30),
        is_volatile: Told::Known(false),
    }
}

fn server(whose: Whose, alive: Alive) -> Server {
    Server {
        socket: match whose {
            Whose::Guardian => "/run/user/1000/cc/tmux/default".to_owned(),
            Whose::User => "/tmp/tmux-1000/default".to_owned(),
        },
        whose,
        owner: USER,
        mode: 0o700,
        answer: Answer::Alive(Box::new(alive)),
    }
}

/// A server of the guardian's in which all is well.
fn alive() -> Alive {
    Alive {
        version: "3.8".to_owned(),
        pid: Some(7),
        memory: Some(8 << 20),
        sessions: vec![Session {
            id: "$1".to_owned(),
            name: "w@1".to_owned(),
            attached: 1,
            destroy_unattached: false,
        }],
        clients: vec![Client {
            name: "client-9".to_owned(),
            pid: Some(9),
            is_control: true,
            flags: vec!["attached".to_owned(), "no-output".to_owned()],
            session: "w@1".to_owned(),
            is_guardian: Some(true),
        }],
        panes: vec![Pane {
            id: "%1".to_owned(),
            session: "w@1".to_owned(),
            is_piped: false,
            remain_on_exit: true,
            history_lines: 100,
            history_limit: 5000,
            history_bytes: 100 << 10,
        }],
        ..Alive::default()
    }
}

/// Facts in which all is well.
fn well() -> Facts {
    Facts {
        user: USER,
        now: 1_800_000_000,
        tmux: Tmux {
            program: "tmux".to_owned(),
            path: Some("/usr/bin/tmux".to_owned()),
            version: Told::Known("3.8".to_owned()),
        },
        user_sockets: folder("/tmp/tmux-1000"),
        guardian_sockets: Some(folder("/run/user/1000/cc/tmux")),
        servers: vec![server(Whose::Guardian, alive())],
        runtime: Runtime::Set(folder("/run/user/1000")),
        state: Some(folder("/home/ann/.local/state/cc")),
        configuration: Configuration::Right {
            file: "/home/ann/.config/cc/guardian.toml".to_owned(),
            instances: 3,
            sockets: vec!["/run/user/1000/cc/tmux/default".to_owned()],
        },
        daemon: Daemon::Answers {
            pid: Some(5),
            instances: 3,
            running: 1,
        },
        linger: Told::Known(true),
        synchronized: Told::Known(true),
        zone: Told::Known("Europe/Berlin".to_owned()),
        descriptors: Some(1024),
        variables: Vec::new(),
        locale: Some("C.UTF-8".to_owned()),
        terminal: Some("xterm-256color".to_owned()),
    }
}

/// Changes what the guardian's server says.
fn in_server(facts: &mut Facts, change: impl FnOnce(&mut Alive)) {
    let Answer::Alive(alive) = &mut facts.servers[0].answer else {
        panic!("it lives");
    };
    change(alive);
}

fn foreign(flags: &[&str]) -> Client {
    Client {
        name: "client-8".to_owned(),
        pid: Some(8),
        is_control: true,
        flags: flags.iter().map(ToString::to_string).collect(),
        session: "w@1".to_owned(),
        is_guardian: Some(false),
    }
}

/// What is said beyond what is said when all is well.
fn beyond(facts: &Facts) -> Vec<Finding> {
    let usual = judge(&well());
    let found = judge(facts).into_iter();
    found
        .filter(|one| one.level != Level::Ok && !usual.contains(one))
        .collect()
}

#[test]
fn each_change_is_found() {
    for (change, level, topic, part) in CHANGES {
        let mut facts = well();
        change(&mut facts);
        let found = beyond(&facts);
        let is_it =
            |one: &&Finding| one.level == *level && one.topic == *topic && one.what.contains(part);
        let count = found.iter().filter(is_it).count();
        assert_eq!(count, 1, "{topic}: {part}: {found:#?}");
    }
}

#[test]
fn where_all_is_well_there_is_nothing_to_do() {
    let found = judge(&well());
    let worse: Vec<_> = found.iter().filter(|one| one.level < Level::Note).collect();
    assert!(worse.is_empty(), "{worse:#?}");
    // A guardian may have no servers, no file and no limit.
    let mut facts = well();
    facts.servers.clear();
    facts.configuration = Configuration::Absent;
    facts.descriptors = None;
    facts.guardian_sockets = None;
    facts.user_sockets.found = Found::Missing { can_be_made: true };
    facts.state.as_mut().unwrap().found = Found::Missing { can_be_made: true };
    assert!(beyond(&facts).is_empty(), "{:#?}", beyond(&facts));
    // `next-3.8` is as good as 3.8, and variables that are read are nobody's mistake.
    facts.tmux.version = Told::Known("next-3.8".to_owned());
    facts.variables = vec!["CLAUDE_CODE_RETRY_WATCHDOG".to_owned()];
    let found = beyond(&facts);
    assert!(
        !found.iter().any(|one| one.what.contains("tested")),
        "{found:#?}"
    );
    assert!(
        found.iter().all(|one| one.level == Level::Note),
        "{found:#?}"
    );
}

#[test]
fn the_guardians_own_clients_and_those_of_people_are_nothing_to_worry_about() {
    let mut facts = well();
    in_server(&mut facts, |alive| {
        alive.clients.push(Client {
            is_control: false,
            ..foreign(&["attached", "focused"])
        });
        alive.clients[0].flags = vec!["attached".to_owned()];
    });
    assert!(beyond(&facts).is_empty(), "{:#?}", beyond(&facts));
}

#[test]
fn a_client_that_takes_output_is_dangerous_up_to_3_7c() {
    for (version, part) in [
        ("3.3a", "and takes output."),
        ("3.7c", "and takes output."),
        ("strange", "and takes output."),
        ("3.8", "without pause-after."),
    ] {
        let mut facts = well();
        in_server(&mut facts, |alive| {
            alive.version = version.to_owned();
            alive.clients.push(foreign(&["attached"]));
        });
        let found = beyond(&facts);
        let client = found.iter().find(|one| one.topic == "client").unwrap();
        assert!(client.what.ends_with(part), "{version}: {client:?}");
    }
}

#[test]
fn a_session_that_nobody_is_attached_to_may_have_ended_by_the_look() {
    let mut facts = well();
    facts.servers[0].whose = Whose::User;
    in_server(&mut facts, |alive| {
        alive.sessions[0].destroy_unattached = true;
        alive.sessions[0].attached = 0;
    });
    let found = beyond(&facts);
    assert_eq!(
        (found.len(), found[0].level),
        (1, Level::Problem),
        "{found:#?}"
    );
    assert!(found[0].why.contains("this look"));
}

#[test]
fn a_fault_is_said_once_however_many_servers_have_it() {
    let mut facts = well();
    facts.tmux.version = Told::Known("3.5a".to_owned());
    in_server(&mut facts, |alive| alive.version = "3.5a".to_owned());
    let again = facts.servers[0].clone();
    facts.servers.push(again);
    let found = judge(&facts);
    let respawn = found.iter().filter(|one| one.what.contains("Respawning"));
    assert_eq!(respawn.count(), 1);
}

/// All facts of the table at once, with texts that would drive a terminal.
fn hostile() -> Vec<Facts> {
    const EVIL: &str = "\u{1b}]0;x\u{7}\n\u{9b}2J\u{202e}'; rm -rf ~ #\\";
    let evil = || EVIL.to_owned();
    let mut facts = well();
    facts.servers[0].socket.push_str(EVIL);
    facts.servers[0].mode = 0o777;
    facts.zone = Told::NotKnown(evil());
    facts.linger = Told::NotKnown(evil());
    facts.synchronized = Told::NotKnown(evil());
    facts.locale = Some(evil());
    facts.terminal = Some(evil());
    facts.runtime = Runtime::Relative(evil());
    facts.state = Some(folder(EVIL));
    facts.tmux.version = Told::Known(evil());
    facts.tmux.path = Some(evil());
    facts.daemon = Daemon::Silent { why: evil() };
    facts.configuration = Configuration::Wrong {
        file: evil(),
        mistakes: vec![evil()],
    };
    in_server(&mut facts, |alive| {
        alive.version = evil();
        alive.exit_empty = true;
        alive.exit_unattached = true;
        alive.sessions[0].name = evil();
        alive.sessions[0].destroy_unattached = true;
        alive.panes[0].session = evil();
        alive.panes[0].is_piped = true;
        alive.panes[0].remain_on_exit = false;
        let mut client = foreign(&[EVIL]);
        client.name = evil();
        client.session = evil();
        alive.clients.push(client);
    });
    let mut others = facts.clone();
    others.tmux.version = Told::NotKnown(evil());
    others.servers[0].answer = Answer::Refused { said: evil() };
    vec![facts, others]
}

#[test]
fn every_finding_is_sentences_that_drive_no_terminal() {
    let changed = CHANGES.iter().map(|(change, ..)| {
        let mut facts = well();
        change(&mut facts);
        facts
    });
    for facts in changed.chain(hostile()) {
        let findings = judge(&facts);
        assert!(findings.is_sorted_by_key(|finding| finding.level));
        for one in &findings {
            let is_ok = one.level == Level::Ok;
            assert_eq!(
                (one.why.is_empty(), one.next.is_empty()),
                (is_ok, is_ok),
                "{one:?}"
            );
            for said in [&one.what, &one.why, &one.next] {
                assert!(said.is_empty() || said.ends_with('.'), "{one:?}");
                assert!(!said.contains(char::is_control), "{one:?}");
                assert!(!said.contains('\u{202e}'), "{one:?}");
            }
            // What can be typed has no text of strangers in it.
            assert!(!one.next.contains("rm -rf"), "{one:?}");
        }
        let text = text(&findings);
        assert!(!text.replace('\n', "").contains(char::is_control), "{text}");
    }
}
