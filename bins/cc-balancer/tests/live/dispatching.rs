//! One queue, and each task to whoever is free first: against a simulation of just that.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::{skip_if_asked, wait};
use jiff::Timestamp;
use serde_json::Value;

use crate::floor::{Dice, Floor, PATIENCE, is_full};

/// How much there is to do.
struct Scale {
    tasks: usize,
    workers: usize,
    /// The shortest task and the longest.
    lengths: (Duration, Duration),
}

impl Scale {
    fn asked_for() -> Self {
        if is_full() {
            return Self {
                tasks: 200,
                workers: 8,
                lengths: (Duration::from_secs(1), Duration::from_secs(30)),
            };
        }
        Self {
            tasks: 20,
            workers: 4,
            lengths: (Duration::from_millis(200), Duration::from_secs(3)),
        }
    }

    /// How long each task is, in the order in which they are added: most are short, a few long (Pareto
    /// with the exponent 1.1, cut off).
    fn durations(&self) -> Vec<Duration> {
        let mut dice = Dice::of(0x8_0001);
        let (least, most) = self.lengths;
        let cut = 1.0 - (least.as_secs_f64() / most.as_secs_f64()).powf(1.1);
        let mut length = || {
            let chance = dice.below(10_000) as f64 / 10_000.0;
            let length = least.div_f64((1.0 - chance * cut).powf(1.0 / 1.1));
            Duration::from_millis(u64::try_from(length.as_millis()).unwrap())
        };
        (0..self.tasks).map(|_| length()).collect()
    }
}

/// One task, as it went. Times are since it was begun to give tasks out.
#[derive(Debug)]
struct Went {
    worker: String,
    leased: Duration,
    /// When the prompt was in.
    typed: Duration,
    /// When the agent was at its end, by its script.
    over: Duration,
    /// When its worker was believed to be idle after that.
    believed: Duration,
    /// When its result was stored.
    stored: Duration,
}

/// From the end of a task to the next prompt of the same worker, part by part.
#[derive(Debug, Default)]
struct Costs {
    /// Until its end is believed.
    belief: Vec<Duration>,
    /// Until its result is stored.
    result: Vec<Duration>,
    /// Until the next task has its worker.
    lease: Vec<Duration>,
    /// Until that is typed and sent.
    typing: Vec<Duration>,
    /// From the belief to the next prompt.
    start: Vec<Duration>,
    /// All of it.
    all: Vec<Duration>,
}

/// The one that so many of a hundred are not longer than.
fn quantile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    let last = times.len().checked_sub(1).unwrap();
    times[(last * percent).div_ceil(100)]
}

impl Costs {
    /// Those of tasks that one worker had, one behind the other.
    fn add(&mut self, went: &[&Went]) {
        for pair in went.windows(2) {
            let [last, next] = pair else { continue };
            self.belief.push(last.believed.saturating_sub(last.over));
            self.result.push(last.stored.saturating_sub(last.believed));
            self.lease.push(next.leased.saturating_sub(last.stored));
            self.typing.push(next.typed.saturating_sub(next.leased));
            self.start.push(next.typed.saturating_sub(last.believed));
            self.all.push(next.typed.saturating_sub(last.over));
        }
    }

    fn print(&self) {
        for (what, times) in [
            ("end to belief", &self.belief),
            ("belief to result", &self.result),
            ("result to lease", &self.lease),
            ("lease to prompt", &self.typing),
            ("belief to prompt", &self.start),
            ("end to prompt", &self.all),
        ] {
            let [p50, p99, most] = [50, 99, 100].map(|percent| quantile(times, percent));
            println!("{what:16}: p50 {p50:?}, p99 {p99:?}, at most {most:?}");
        }
    }
}

/// How long it takes all of them when each, in order, goes to the worker that is free first. `first` goes
/// by before the first prompt of each, and `cost` between two.
fn simulated(durations: &[Duration], workers: usize, first: Duration, cost: Duration) -> Duration {
    let mut free = vec![first; workers];
    let mut end = Duration::ZERO;
    for duration in durations {
        let next = free.iter_mut().min().unwrap();
        *next += *duration;
        end = end.max(*next);
        *next += cost;
    }
    end
}

/// The moments at which each worker was believed to be idle, as the balancer logs them, in milliseconds
/// since 1970.
fn idle_verdicts(log: &str) -> BTreeMap<String, Vec<u64>> {
    let mut verdicts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in log.lines().filter(|line| line.ends_with("state=idle")) {
        let at: Timestamp = line.split(' ').next().unwrap().parse().unwrap();
        let (_, worker) = line.split_once("worker=\"").unwrap();
        let (session, _) = worker.split_once(':').unwrap();
        let at = u64::try_from(at.as_millisecond()).unwrap();
        verdicts.entry(session.to_owned()).or_default().push(at);
    }
    verdicts
}

fn at_of(event: &Value) -> u64 {
    let at: Timestamp = event["at"].as_str().unwrap().parse().unwrap();
    u64::try_from(at.as_millisecond()).unwrap()
}

/// How each of these went, in their order.
fn went(floor: &Floor, tasks: &[(String, Duration)], workers: &[String], zero: u64) -> Vec<Went> {
    let since = |at: u64| Duration::from_millis(at.saturating_sub(zero));
    let verdicts = idle_verdicts(&floor.logged());
    let mut typed = BTreeMap::new();
    for worker in workers {
        for prompt in floor.prompts_of(worker) {
            let (_, mark) = prompt.text.split_once("[task ").unwrap();
            let (id, _) = mark.split_once('.').unwrap();
            let before = typed.insert(id.to_owned(), (worker.clone(), prompt.at));
            assert_eq!(before, None, "{id} was typed twice");
        }
    }
    let one = |(id, duration): &(String, Duration)| {
        let (worker, typed) = typed
            .get(id)
            .unwrap_or_else(|| panic!("{id} was not typed"));
        let events = floor.events(id);
        let at = |kind| at_of(events.iter().find(|event| event["kind"] == kind).unwrap());
        // Of one that was never seen to work it is believed late, and then at once.
        let done = at("done");
        let mut verdicts = verdicts[worker]
            .iter()
            .filter(|at| (typed..=&done).contains(at));
        let believed = verdicts.next().unwrap_or(&done);
        Went {
            worker: worker.clone(),
            leased: since(at("leased")),
            typed: since(*typed),
            over: since(*typed) + *duration,
            believed: since(*believed),
            stored: since(done),
        }
    };
    tasks.iter().map(one).collect()
}

/// Passes when tasks of uneven lengths are given out in their order, each to a worker that is free, no
/// worker is passed over, and nothing is ever typed into one that works or asks. At full scale also when
/// all of it takes no more than 5 % longer than a simulation of one queue with the measured (median) cost
/// of giving out a task, and 99 of 100 tasks start within a second of the belief that their worker is idle.
#[test]
fn tasks_of_uneven_lengths_go_to_whoever_is_free_first() {
    skip_if_asked!();
    let scale = Scale::asked_for();
    let durations = scale.durations();
    let workers: Vec<String> = (1..=scale.workers).map(|at| format!("w{at}")).collect();
    let mut floor = Floor::new();
    for worker in &workers {
        floor.hire(worker, &[]);
    }
    // Two more that could have any task, and never may.
    let others = ["w-asks", "w-works"];
    for other in others {
        floor.hire(other, &[]);
    }
    floor.order("w-asks", "dialog permission");
    floor.order("w-works", "busy");
    floor.configure(&floor.table("w*", "claude", ""));
    floor.serve();
    floor.until_workers(scale.workers, "idle");
    floor.until_workers(1, "blocked");
    floor.until_workers(1, "busy");

    floor.queue.ok(&["queue", "pause", "default"]);
    let tasks: Vec<(String, Duration)> = durations
        .iter()
        .map(|duration| {
            let text = format!("do: busy {}ms", duration.as_millis());
            (floor.queue.add(&[&text]), *duration)
        })
        .collect();
    let zero = Timestamp::now().as_millisecond();
    floor.queue.ok(&["queue", "resume", "default"]);
    for (id, duration) in &tasks {
        wait::until(PATIENCE + *duration, &format!("{id} to be done"), || {
            floor.queue.state(id) == "done"
        });
    }

    let went = went(&floor, &tasks, &workers, u64::try_from(zero).unwrap());
    assert!(went.iter().all(|it| it.typed < it.stored), "{went:?}");
    for worker in workers.iter().map(String::as_str).chain(others) {
        let records = floor.records_of(worker);
        let prompts = floor.prompts_of(worker);
        assert_eq!(
            records.len(),
            prompts.len(),
            "typed at a bad time: {records:?}"
        );
        assert!(prompts.iter().all(|prompt| !prompt.queued), "{prompts:?}");
        assert!(
            !others.contains(&worker) || prompts.is_empty(),
            "{prompts:?}"
        );
    }
    assert!(went.is_sorted_by_key(|it| it.leased), "{went:?}");
    let mut costs = Costs::default();
    for worker in &workers {
        let own: Vec<&Went> = went.iter().filter(|it| it.worker == *worker).collect();
        for pair in own.windows(2) {
            // All others may have been free for longer, once.
            let between = |it: &&Went| it.leased > pair[0].stored && it.leased < pair[1].leased;
            let passed = went.iter().filter(between).count();
            assert!(passed < scale.workers, "{worker} was passed over: {pair:?}");
        }
        costs.add(&own);
    }

    costs.print();
    let firsts: Vec<Duration> = workers
        .iter()
        .filter_map(|worker| went.iter().find(|it| it.worker == *worker))
        .map(|it| it.typed)
        .collect();
    let (first, cost) = (quantile(&firsts, 50), quantile(&costs.all, 50));
    let expected = simulated(&durations, scale.workers, first, cost);
    let took = went.iter().map(|it| it.over).max().unwrap();
    let least = simulated(&durations, scale.workers, Duration::ZERO, Duration::ZERO);
    let ratio = took.as_secs_f64() / expected.as_secs_f64();
    println!(
        "{} tasks, {} workers: {took:?}; simulated with {first:?} first and {cost:?} between: {expected:?}; ratio {ratio:.3}; without any cost {least:?}",
        scale.tasks, scale.workers
    );
    if is_full() {
        assert!(ratio <= 1.05, "{took:?} instead of {expected:?}");
        assert!(
            quantile(&costs.start, 99) <= Duration::from_secs(1),
            "{:?}",
            costs.start
        );
    }

    // They could have had one.
    let last = others.map(|other| {
        floor.order(other, "idle");
        floor.queue.add(&["do: busy 300ms", "--to", other])
    });
    for (other, task) in others.iter().zip(last) {
        floor.until(&task, "done");
        assert_eq!(floor.prompts_of(other).len(), 1);
    }
}

/// Passes when what a paused queue, a parallelism or a limit kept back is given out once a person says so,
/// though nothing else happens.
#[test]
fn what_was_kept_back_is_given_out_once_it_may_be() {
    skip_if_asked!();
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.hire("w2", &[]);
    floor.configure(&floor.table("w*", "claude", "account = \"team\""));
    floor.serve();
    floor.until_workers(2, "idle");
    let changes = [
        (
            ["queue", "pause", "default"],
            ["queue", "resume", "default"],
        ),
        (["account", "limit", "team"], ["account", "clear", "team"]),
    ];
    for (keeps, lets) in changes {
        floor.queue.ok(&keeps);
        let task = floor.queue.add(&["do: busy 300ms"]);
        floor.queue.ok(&lets);
        floor.until(&task, "done");
    }
    floor.queue.ok(&["queue", "set-parallel", "default", "1"]);
    let first = floor.queue.add(&["do: busy"]);
    floor.until(&first, "running");
    let second = floor.queue.add(&["do: busy 300ms"]);
    floor.queue.ok(&["queue", "set-parallel", "default", "2"]);
    floor.until(&second, "done");
    floor.until(&first, "running");
}

/// Passes when a shell is given one command behind the other, and none is brought back because the prompt
/// of the shell was not there yet.
#[test]
fn a_shell_has_its_next_command_as_soon_as_it_shows_its_prompt() {
    skip_if_asked!();
    let mut floor = Floor::new();
    floor.shell("sh");
    floor.configure(&floor.table("sh", "shell", ""));
    floor.serve();
    floor.until_workers(1, "idle");
    let tasks: Vec<String> = (0..8).map(|_| floor.queue.add(&["true"])).collect();
    for task in &tasks {
        floor.until(task, "done");
        let events = floor.events(task);
        assert!(
            events.iter().all(|it| it["kind"] != "returned"),
            "{events:?}"
        );
    }
}

/// Passes when a worker that took nothing is left alone only as long as nothing of it changes.
#[test]
fn a_worker_rests_until_something_of_it_changes() {
    skip_if_asked!();
    let floor = Floor::of(1);
    let lease = floor.lease_of(&floor.workers()[0]);
    let task = floor.queue.add(&["do: busy 300ms"]);
    let rests = || floor.workers()[0]["rests"].clone();
    wait::until(PATIENCE, "the worker to rest", || rests().is_string());
    floor.order("w1", "busy");
    wait::until(PATIENCE, "the worker to be busy", || {
        let worker = &floor.workers()[0];
        worker["state"] == "busy"
    });
    assert_eq!(rests(), Value::Null);
    drop(lease);
    floor.order("w1", "idle");
    floor.until(&task, "done");
}
