//! `doctor`: what is found, how bad it is, and the exit code that says so.

use std::fs;
use std::os::unix::net::UnixListener;
use std::thread;

use serde_json::Value;

use crate::floor::Floor;
use crate::queue::Queue;

/// What it says, and its exit code.
fn doctor(queue: &Queue) -> (Value, Option<i32>) {
    let config = queue.path("balancer.toml");
    let output = queue.ask(&["doctor", "-c", config.to_str().unwrap(), "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(told["v"], 1);
    (told, output.status.code())
}

/// The levels and sentences of one topic.
fn of<'a>(told: &'a Value, topic: &str) -> Vec<(&'a str, &'a str)> {
    let findings = told["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["topic"] == topic)
        .map(|finding| {
            let word = |name: &str| finding[name].as_str().unwrap();
            (word("level"), word("what"))
        })
        .collect()
}

/// Passes when all is well where it is, and a pattern that matches nothing is said, with its table.
#[test]
fn what_runs_is_found_and_what_is_meant_by_nothing_is_said() {
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.hire("w2", &[]);
    let tables = [
        floor.table("w*", "claude", ""),
        floor.table("nobody-*", "claude", ""),
        "[[worker]]\nsocket = \"/no/such/socket\"\nsession = \"w*\"\nprofile = \"claude\"\n"
            .to_owned(),
        "[[worker]]\nunit = \"coder\"\n".to_owned(),
    ];
    floor.configure(&tables.concat());
    // Nothing was begun: nothing is made by looking.
    let state = floor.queue.path("state");
    let (told, exit) = doctor(&floor.queue);
    assert_eq!(exit, Some(0), "{told}");
    assert_eq!(of(&told, "balancer"), [("note", "None runs.")]);
    assert!(of(&told, "store")[0].1.ends_with("is not there yet."));
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0);

    floor.serve();
    floor.until_workers(2, "idle");
    floor.queue.add(&["--to", "nobody", "x"]);
    let (told, exit) = doctor(&floor.queue);
    assert_eq!(exit, Some(0), "{told}");
    let socket = floor.server.socket().display();
    let workers = of(&told, "workers");
    let (level, what) = workers.last().unwrap();
    let found = format!("[[worker]] number 1 (session \"w*\"): 2 workers at {socket}: w1:%");
    assert!(*level == "ok" && what.starts_with(&found), "{what}");
    let wrong: Vec<&str> = workers[..3]
        .iter()
        .map(|(level, what)| {
            assert_eq!(*level, "warning");
            *what
        })
        .collect();
    let nothing =
        format!("[[worker]] number 2 (session \"nobody-*\") matches nothing at {socket}.");
    assert_eq!(wrong[0], nothing);
    assert!(wrong[1].starts_with("[[worker]] number 3 (session \"w*\"): no tmux server answers"));
    assert!(wrong[2].starts_with("[[worker]] number 4 (unit \"coder\"): no guardian answers"));
    assert_eq!(of(&told, "balancer"), [("ok", "It runs, with 2 workers.")]);
    let (level, what) = of(&told, "store")[0];
    assert!(
        level == "ok" && what.contains("journal_mode wal, synchronous full"),
        "{what}"
    );
    assert!(
        of(&told, "tmux")[0].1.contains(&floor.server.version()),
        "{told}"
    );
    let config = floor.queue.path("balancer.toml");
    let said = floor.queue.ok(&["doctor", "-c", config.to_str().unwrap()]);
    assert!(
        said.starts_with("WARNINGS\n  workers: [[worker]] number 2"),
        "{said}"
    );
    assert!(
        said.ends_with("0 problems, 3 warnings, 0 notes, 5 fine.\n"),
        "{said}"
    );
}

/// Passes when each problem has its exit code: 7 before 2 before 69.
#[test]
fn the_exit_code_is_that_of_the_worst_problem() {
    let queue = Queue::new();
    let config = queue.path("balancer.toml");
    fs::write(&config, "version = 1\ntmux = \"/no/tmux\"\n").unwrap();
    let (told, exit) = doctor(&queue);
    assert_eq!(
        (exit, of(&told, "tmux")[0].0),
        (Some(1), "problem"),
        "{told}"
    );

    // Somebody listens who is no balancer.
    fs::create_dir_all(queue.path("run/cc")).unwrap();
    let listener = UnixListener::bind(queue.socket()).unwrap();
    let answering = thread::spawn(move || {
        use std::io::{BufRead as _, BufReader, Write as _};
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            // Who closes before it was asked is not heard.
            let _ = BufReader::new(&stream).read_line(&mut String::new());
            let _ = stream.write_all(b"{\"error\":\"who is that?\",\"exit\":1}\n");
        }
    });
    let (told, exit) = doctor(&queue);
    answering.join().unwrap();
    assert_eq!(exit, Some(69), "{told}");
    assert!(
        of(&told, "balancer")[0].1.contains("who is that?"),
        "{told}"
    );

    fs::write(&config, "version = 1\nleese = \"1s\"\n").unwrap();
    let (told, exit) = doctor(&queue);
    assert_eq!(exit, Some(2), "{told}");
    let (level, what) = of(&told, "configuration")[0];
    assert!(
        level == "problem" && what.contains("unknown field `leese`"),
        "{what}"
    );

    let id = queue.add(&["x"]);
    let file = queue.path("state/balancer.db");
    let whole = fs::read(&file).unwrap();
    for damage in [&b"nothing that can be read"[..], &whole[..whole.len() / 2]] {
        fs::write(&file, damage).unwrap();
        let (told, exit) = doctor(&queue);
        assert_eq!(exit, Some(7), "{told}");
        assert_eq!(of(&told, "store")[0].0, "problem", "{told}");
        assert_eq!(fs::read(&file).unwrap(), damage, "it was changed");
    }
    fs::write(&file, whole).unwrap();
    assert_eq!(queue.state(&id), "queued");
}
