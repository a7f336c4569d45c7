//! What goes wrong: the balancer is killed, workers die, hang, are limited, or are taken by a person.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use harness::process::Process;
use harness::wait;

use crate::floor::{Dice, Floor, PATIENCE};

/// Passes when the task of an agent that dies goes on at another, flagged.
#[test]
fn a_task_whose_worker_dies_goes_on_elsewhere() {
    let floor = Floor::of(2);
    let task = floor
        .queue
        .add(&["do: busy 3s\ndo: answer x", "--retry", "1"]);
    let told = floor.until(&task, "running");
    let session = floor.session_of(&told);
    floor.order(&session, "crash signal 9");
    wait::until(2 * PATIENCE, "it to be begun again", || {
        floor.result(&task)["attempts"].as_array().unwrap().len() == 2
            || floor.queue.json(&["why", &task, "--json"])["task"]["not_before"].is_string()
    });
    let result = floor.result(&task);
    let first = result["attempts"][0]["outcome"].as_str().unwrap();
    assert!(first.starts_with("lost"), "{result}");
    // Its backoff is a minute.
    floor.queue.ok(&["cancel", &task]);
    floor.queue.ok(&["retry", &task]);
    floor.until(&task, "done");
    let result = floor.result(&task);
    assert_eq!(result["attempts"][1]["after_lost"], true, "{result}");
    let prompts: usize = floor.prompts_of(&session).len();
    assert_eq!(prompts, 1);
}

/// Passes when a task waits while its agent asks a person, and goes on once that is answered.
#[test]
fn a_task_whose_worker_asks_is_blocked_until_it_is_answered() {
    let floor = Floor::of(1);
    let task = floor
        .queue
        .add(&["do: busy 200ms\ndo: dialog permission\ndo: busy 200ms\ndo: answer x"]);
    let told = floor.until(&task, "blocked");
    assert_eq!(told["why"], "permission", "{told}");
    floor.server.tmux(["send-keys", "-t", "w1", "Enter"]);
    floor.until(&task, "done");
    assert_eq!(floor.prompts().len(), 1);
}

/// Passes when a task whose agent is limited is returned without being counted, and its account is left
/// alone by all who work on it.
#[test]
fn a_task_whose_worker_is_limited_is_returned_and_its_account_left_alone() {
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.hire("w2", &[]);
    floor.hire("v1", &[]);
    let tables = [
        floor.table("w*", "claude", "account = \"team\""),
        floor.table("v*", "claude", "account = \"other\""),
    ];
    floor.configure(&tables.concat());
    floor.serve();
    floor.until_workers(3, "idle");
    floor.queue.ok(&["worker", "drain", "v1"]);
    let task = floor.queue.add(&["do: limit"]);
    wait::until(PATIENCE, "the account to be limited", || {
        let accounts = floor.queue.json(&["account", "ls", "--json"]);
        let accounts = accounts["accounts"].as_array().unwrap().clone();
        let mut team = accounts.iter().filter(|it| it["account"] == "team");
        team.any(|it| it["limited"] == true)
    });
    let told = floor.until(&task, "queued");
    assert_eq!(
        (&told["attempts"], &told["returned"]),
        (&0.into(), &1.into()),
        "{told}"
    );
    // It would find the limit of the other account too.
    floor.queue.ok(&["cancel", &task]);
    let next = floor.queue.add(&["do: answer y"]);
    floor.queue.ok(&["worker", "resume", "v1"]);
    floor.until(&next, "done");
    let all = floor.prompts_of("w1").len() + floor.prompts_of("w2").len();
    assert_eq!(all, 1);
}

/// Passes when a worker that still shows a limit takes tasks again once that is over, and so does one
/// that waits because its group was held.
#[test]
fn a_worker_that_was_limited_takes_tasks_again_once_that_is_over() {
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.configure(&floor.table("w*", "claude", "account = \"team\""));
    floor.serve();
    floor.until_workers(1, "idle");
    let task = floor.queue.add(&["do: limit"]);
    floor.until_workers(1, "limited");
    let told = floor.until(&task, "queued");
    assert_eq!(told["returned"], 1, "{told}");
    floor.queue.ok(&["cancel", &task]);
    let next = floor.queue.add(&["do: answer y"]);
    let why = floor.queue.ok(&["why", &next]);
    assert!(why.contains("the account team is limited until"), "{why}");
    assert_eq!(floor.workers()[0]["state"], "limited");
    floor.queue.ok(&["account", "clear", "team"]);
    floor.until(&next, "done");
    floor.queue.ok(&["queue", "pause", "default"]);
    let last = floor.queue.add(&["do: answer z"]);
    floor.queue.ok(&["queue", "resume", "default"]);
    floor.until(&last, "done");
    assert_eq!(floor.prompts().len(), 3);
}

/// Passes when a turn that a person ends with a key is not taken for one that was carried through.
#[test]
fn a_turn_that_a_person_ends_is_not_done() {
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.configure(&floor.table("w*", "claude", ""));
    floor.serve();
    floor.until_workers(1, "idle");
    floor.person("w1");
    // Whoever has just come may be about to type.
    let task = floor.queue.add(&["do: busy"]);
    floor.until(&task, "running");
    floor.until_workers(1, "busy");
    floor.server.tmux(["send-keys", "-t", "desk", "Escape"]);
    let told = floor.until(&task, "held");
    let why = told["why"].as_str().unwrap();
    assert!(why.contains("a person pressed a key"), "{told}");
}

/// Passes when messages of several writers to several readers arrive in the order in which each was added
/// to its recipient, each at least once and always with the same id, though the balancer is killed and
/// started again all the time.
#[test]
fn messages_keep_their_order_though_the_balancer_is_killed() {
    let mut floor = Floor::of(5);
    let mut dice = Dice::of(0x8_0008);
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for round in 0..6 {
        std::thread::scope(|scope| {
            let queue = &floor.queue;
            let writers: Vec<_> = (0..5)
                .map(|writer| {
                    scope.spawn(move || {
                        let to = format!("w{}", 1 + (writer + round) % 5);
                        let text = format!("from {writer} in round {round}");
                        let said = queue.json(&["send", "--to", &to, "--json", &text]);
                        (to, said["task"].as_str().unwrap().to_owned())
                    })
                })
                .collect();
            for writer in writers {
                let (to, id) = writer.join().unwrap();
                sent.entry(to).or_default().push(id);
            }
        });
        sleep(dice.moment(Duration::from_millis(1500)));
        floor.kill();
        floor.serve();
    }
    for (to, ids) in &sent {
        for id in ids {
            wait::until(2 * PATIENCE, &format!("{id} to arrive at {to}"), || {
                floor.queue.state(id) == "done"
            });
        }
        let prompts = floor.prompts_of(to);
        let arrived: Vec<&String> = prompts
            .iter()
            .filter_map(|prompt| ids.iter().find(|id| prompt.text.contains(id.as_str())))
            .collect();
        assert_eq!(arrived.len(), prompts.len(), "{prompts:?}");
        // Once each, but for repetitions: then the order is that of the first of each.
        let mut first: Vec<&String> = Vec::new();
        for id in arrived {
            if !first.contains(&id) {
                first.push(id);
            }
        }
        assert_eq!(first, ids.iter().collect::<Vec<_>>(), "{to}");
    }
}

/// Passes when a balancer and another program that write to one pane never write into each other: who has
/// the lease of the pane is waited for.
#[test]
fn two_programs_never_write_to_a_pane_at_once() {
    let floor = Floor::of(1);
    let lease = floor.lease_of(&floor.workers()[0]);
    let task = floor.queue.add(&["do: answer x"]);
    wait::until(PATIENCE, "it to be held back", || {
        let why = floor.queue.ok(&["why", &task]);
        why.contains("took nothing a moment ago: a test writes to the pane")
    });
    assert_eq!(floor.prompts(), []);
    drop(lease);
    floor.until(&task, "done");
    assert_eq!(floor.prompts().len(), 1);
}

/// Passes when what is worked on in a session that is called otherwise meanwhile is seen to its end, and its
/// worker is given nothing more.
#[test]
fn a_task_in_a_session_that_is_renamed_is_seen_to_its_end() {
    let floor = Floor::of(1);
    let task = floor.queue.add(&["do: busy 4s\ndo: answer x"]);
    let told = floor.until(&task, "running");
    let session = floor.session_of(&told);
    floor
        .server
        .tmux(["rename-session", "-t", &session, "elsewhere"]);
    floor.until(&task, "done");
    let result = floor.result(&task);
    assert_eq!(result["attempt"], 1, "{result}");
    assert!(result["text"].as_str().unwrap().contains('x'), "{result}");
    floor.until_workers(0, "idle");
    wait::until(PATIENCE, "nobody to work here", || {
        floor.workers().is_empty()
    });
}

/// Passes when a worker whose window is moved to another session, with which its own ends, works on.
#[test]
fn a_worker_whose_session_ends_without_it_works_on() {
    let floor = Floor::of(1);
    floor.server.tmux(["new-session", "-d", "-s", "w-more"]);
    floor
        .server
        .tmux(["move-window", "-s", "=w1:", "-t", "=w-more:"]);
    wait::until(PATIENCE, "its session to be the other one", || {
        floor.workers().iter().all(|it| it["session"] == "w-more")
    });
    let task = floor.queue.add(&["do: busy 500ms\ndo: answer x"]);
    floor.until(&task, "done");
    assert_eq!(floor.prompts().len(), 1);
}

/// Passes when a shell's command goes on while the balancer is killed, and its end reaches the next one.
#[test]
fn a_command_goes_on_while_the_balancer_is_killed() {
    let mut floor = Floor::new();
    floor.shell("sh");
    floor.configure(&floor.table("sh", "shell", ""));
    floor.serve();
    floor.until_workers(1, "idle");
    let task = floor
        .queue
        .add(&["echo $$; read line; echo got $line; exit 5"]);
    floor.until(&task, "running");
    let pid = wait::until_some(PATIENCE, "its process", || {
        let shown = floor.server.answer(["capture-pane", "-p", "-t", "sh"]);
        shown
            .lines()
            .find_map(|line| line.trim().parse::<u32>().ok())
    });
    floor.kill();
    floor
        .server
        .tmux(["send-keys", "-t", "sh", "hello", "Enter"]);
    wait::until(PATIENCE, "the command to end", || !Process::of(pid).alive());
    floor.serve();
    floor.until(&task, "failed");
    let result = floor.result(&task);
    assert_eq!(result["exit"], 5, "{result}");
    assert!(
        result["text"].as_str().unwrap().contains("got hello"),
        "{result}"
    );
    assert_eq!(result["attempt"], 1);
}

/// Passes when a command that cannot say how it ended, since what runs it was killed, is held and not begun
/// again, and its shell takes the next one.
#[test]
fn a_command_whose_runner_is_killed_is_held() {
    let mut floor = Floor::new();
    floor.shell("sh");
    floor.configure(&floor.table("sh", "shell", ""));
    floor.serve();
    floor.until_workers(1, "idle");
    let task = floor.queue.add(&["echo $PPID; read line"]);
    floor.until(&task, "running");
    let pid = wait::until_some(PATIENCE, "its process", || {
        let shown = floor.server.answer(["capture-pane", "-p", "-t", "sh"]);
        let mut lines = shown.lines();
        lines.find_map(|line| line.trim().parse::<i32>().ok())
    });
    let runner = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(runner, rustix::process::Signal::KILL).unwrap();
    let held = floor.until(&task, "held");
    let why = "its command is gone, and did not say how it ended";
    assert!(held.to_string().contains(why), "{held}");
    let next = floor.queue.add(&["exit 3"]);
    floor.until(&next, "failed");
}
