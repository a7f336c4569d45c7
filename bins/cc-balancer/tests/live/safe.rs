//! A worker hangs, is taken over by a person, or is somebody else's meanwhile, in the middle of a task: its
//! pane is made safe before the task goes on anywhere else, and nothing is typed there before that.

use std::time::{Duration, Instant};

use harness::wait;
use rustix::process::{Pid, Signal, kill_process};

use crate::floor::{Floor, PATIENCE};
use crate::nats::server::Nats;

impl Floor {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.running.as_ref().unwrap().id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    fn sessions(&self) -> String {
        self.server
            .answer(["list-sessions", "-F", "#{session_name}"])
    }

    /// Has a task tried again now, whose backoff would be a minute.
    fn again(&self, task: &str) {
        self.queue.ok(&["hold", task]);
        self.queue.ok(&["retry", task]);
    }

    /// A person whose terminal shows that session: a pane of the same server, in a session `desk`.
    pub(crate) fn person(&self, session: &str) {
        let tmux = self.server.binary().to_owned();
        let tmux = std::path::Path::new(&tmux).display().to_string();
        let socket = self.server.socket().display().to_string();
        let attach = format!("env -u TMUX {tmux} -S {socket} attach -t {session}");
        self.server.tmux([
            "new-session",
            "-d",
            "-s",
            "desk",
            "-x",
            "120",
            "-y",
            "40",
            &attach,
        ]);
        wait::until(PATIENCE, "the person to be there", || {
            let clients = self
                .server
                .answer(["list-clients", "-F", "#{client_control_mode}"]);
            clients.lines().any(|line| line == "0")
        });
    }
}

/// Passes when a worker that hangs is told to stop, and is ended before its task is tried again, elsewhere;
/// nothing is typed into it meanwhile.
#[test]
fn a_worker_that_hangs_is_ended_before_its_task_goes_on_elsewhere() {
    let floor = Floor::of(2);
    let text = "do: busy 2s\ndo: answer x";
    let task = floor.queue.add(&[text, "--timeout", "4s", "--retry", "1"]);
    let told = floor.until(&task, "running");
    let hung = floor.session_of(&told);
    floor.order(&hung, "hang");
    // What comes meanwhile is for the other.
    let others = [(); 2].map(|()| floor.queue.add(&["do: answer y"]));
    for other in &others {
        floor.until(other, "done");
    }
    wait::until(PATIENCE, "the attempt to be over", || {
        let is_there = floor.sessions().lines().any(|name| name == hung);
        let result = floor.result(&task);
        let outcome = result["attempts"][0]["outcome"].as_str().map(str::to_owned);
        assert!(!is_there || outcome.is_none(), "{result}");
        outcome.is_some_and(|it| it.starts_with("failed: it took longer than it may"))
    });
    assert_eq!(floor.prompts_of(&hung).len(), 1);
    floor.again(&task);
    floor.until(&task, "done");
    assert_eq!(floor.prompts_of(&hung).len(), 1);
    let result = floor.result(&task);
    assert_eq!(result["attempts"].as_array().unwrap().len(), 2, "{result}");
}

/// Passes when a worker that hangs for a while only is told to stop, and has its next task once it is seen
/// to have stopped.
#[test]
fn a_worker_that_hangs_for_a_while_is_stopped_before_it_has_its_next_task() {
    let floor = Floor::of(1);
    let task = floor.queue.add(&["do: busy", "--timeout", "2s"]);
    floor.until(&task, "running");
    floor.until_workers(1, "busy");
    floor.order("w1", "hang");
    let next = floor.queue.add(&["do: answer y"]);
    // Its keys wait for it: nobody need have pressed them more than once.
    let began = Instant::now();
    wait::until(PATIENCE, "it to take longer than it may", || {
        began.elapsed() > Duration::from_secs(3)
    });
    assert_eq!(floor.queue.state(&task), "running");
    assert_eq!(floor.queue.state(&next), "queued");
    floor.order("w1", "resume");
    let told = floor.until(&task, "failed");
    assert_eq!(told["why"], "it took longer than it may", "{told}");
    floor.until(&next, "done");
    let prompts = floor.prompts();
    assert_eq!(prompts.len(), 2, "{prompts:?}");
    assert!(prompts.iter().all(|prompt| !prompt.queued), "{prompts:?}");
}

/// Passes when a person who writes to an agent in the middle of a task has it for themselves: the task
/// waits, since nobody knows whose turn it was that ended, and others go to who is free.
#[test]
fn a_worker_that_a_person_takes_over_is_left_to_them() {
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.hire("w2", &[]);
    floor.configure(&floor.table("w*", "claude", ""));
    floor.serve();
    floor.until_workers(2, "idle");
    floor.queue.ok(&["worker", "drain", "w2"]);
    let task = floor.queue.add(&["do: busy\ndo: answer x"]);
    floor.until(&task, "running");
    floor.until_workers(1, "busy");
    floor.person("w1");
    floor
        .server
        .tmux(["send-keys", "-t", "desk", "-l", "do: busy"]);
    wait::until(PATIENCE, "it to be seen", || {
        let mut events = floor.events(&task).into_iter();
        events.any(|event| event["detail"] == "a person writes there")
    });
    floor.server.tmux(["send-keys", "-t", "desk", "Enter"]);
    // The first turn ends, and that of the person begins.
    floor.remote("w1").until_prompts(1).unwrap();
    floor.order("w1", "idle");
    floor.queue.ok(&["worker", "resume", "w2"]);
    let others = [(); 2].map(|()| floor.queue.add(&["do: answer y"]));
    for other in &others {
        floor.until(other, "done");
    }
    wait::until(PATIENCE, "the person's turn to begin", || {
        floor.prompts_of("w1").len() == 2
    });
    floor.remote("w1").until("busy").unwrap();
    floor.order("w1", "idle");
    let told = floor.until(&task, "held");
    let why = told["why"].as_str().unwrap();
    assert!(why.starts_with("uncertain: a person"), "{told}");
    let texts: Vec<String> = floor
        .prompts_of("w1")
        .into_iter()
        .map(|prompt| prompt.text)
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert_eq!(texts[1], "do: busy");
}

/// Passes when what a balancer has under way is its own still though it was stopped, or away, for longer
/// than its lease: nobody else can have begun it.
#[test]
fn a_balancer_that_was_away_for_longer_than_a_lease_goes_on_with_its_tasks() {
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    let table = floor.table("w*", "claude", "");
    floor.configure(&format!("lease = \"1s\"\n{table}"));
    floor.serve();
    floor.until_workers(1, "idle");
    let run_out = || {
        let began = Instant::now();
        wait::until(PATIENCE, "the lease to run out", || {
            began.elapsed() > Duration::from_secs(2)
        });
    };
    let first = floor.queue.add(&["do: busy\ndo: answer x"]);
    floor.until(&first, "running");
    floor.signal(Signal::STOP);
    run_out();
    floor.signal(Signal::CONT);
    let second = floor.queue.add(&["do: busy\ndo: answer y"]);
    floor.order("w1", "idle");
    floor.until(&first, "done");
    floor.until(&second, "running");
    floor.kill();
    floor.order("w1", "idle");
    run_out();
    floor.serve();
    floor.until(&second, "done");
    for task in [&first, &second] {
        let result = floor.result(task);
        assert_eq!(result["attempts"].as_array().unwrap().len(), 1, "{result}");
    }
    assert_eq!(floor.prompts().len(), 2);
}

/// Passes when a balancer that comes back finds its task with another host: it stops its own worker, whose
/// turn is nobody's now, before it gives that anything else.
#[test]
fn a_worker_whose_task_is_another_hosts_now_is_stopped_first() {
    harness::skip_if_asked!();
    let nats = Nats::start();
    let hosts = [(); 2].map(|()| {
        let mut floor = Floor::new();
        floor.hire("w1", &[]);
        let table = floor.table("w*", "claude", "");
        let url = nats.url();
        floor.configure(&format!("store = \"{url}\"\nlease = \"2s\"\n{table}"));
        floor
    });
    let [mut here, mut there] = hosts;
    here.serve();
    here.until_workers(1, "idle");
    let task = here
        .queue
        .add(&["do: busy 4s\ndo: answer x", "--retry", "1"]);
    here.until(&task, "running");
    here.order("w1", "busy");
    there.serve();
    there.until_workers(1, "idle");
    there.until(&task, "running");
    here.signal(Signal::STOP);
    wait::until(PATIENCE, "its lease to run out", || {
        let result = there.result(&task);
        let outcome = result["attempts"][0]["outcome"].as_str();
        outcome.is_some_and(|it| it.starts_with("lost"))
    });
    there.again(&task);
    there.until(&task, "running");
    // That it is still at work is of no use to anybody.
    assert_eq!(here.remote("w1").state().unwrap().state, "busy");
    here.signal(Signal::CONT);
    here.remote("w1").until("idle").unwrap();
    there.until(&task, "done");
    here.until(&task, "done");
    let result = here.result(&task);
    assert_eq!(result["attempts"][1]["after_lost"], true, "{result}");
    assert_eq!((here.prompts().len(), there.prompts().len()), (1, 1));
    // It is of use again.
    there.queue.ok(&["worker", "drain", "w1"]);
    let next = here.queue.add(&["do: answer y"]);
    here.until(&next, "done");
    assert_eq!(here.prompts().len(), 2);
}
