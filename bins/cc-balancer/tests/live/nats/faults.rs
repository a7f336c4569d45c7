//! What is added is done, whatever becomes of the server and of other hosts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cc_balancer::store::nats::{ConnectError, NatsStore, Options, migrate};
use cc_balancer::store::{Added, End, Leased, Now, Query, SqliteStore, Step, Store, StoreError};
use cc_balancer::task::{Outcome, State, TaskId};
use harness::{skip_if_asked, wait};
use jiff::Timestamp;

use super::server::Nats;
use super::{Host, is_full};
use crate::suite::{spec, tried, worker};

const LEASE: Duration = Duration::from_secs(60);
const QUEUE: &str = "cc";

/// A clock that begins with the test, and can be put forward.
#[derive(Clone, Copy)]
struct Clock {
    began: Instant,
    ahead: Duration,
}

impl Clock {
    fn start() -> Self {
        Self {
            began: Instant::now(),
            ahead: Duration::from_secs(1000),
        }
    }

    fn now(&self) -> Now {
        Now {
            wall: Timestamp::now(),
            steady: self.began.elapsed() + self.ahead,
        }
    }
}

async fn add(store: &impl Store, many: usize, clock: Clock) -> Vec<TaskId> {
    let mut ids = Vec::new();
    for n in 0..many {
        let added: Added = store
            .add(tried(&format!("t{n}"), 3), clock.now())
            .await
            .unwrap();
        ids.push(added.id);
    }
    ids
}

/// Takes one, and goes on with it until something is typed.
async fn begin(store: &impl Store, n: u32, clock: Clock) -> Option<Leased> {
    let host = format!("host{n}");
    let leased = store
        .pull(&host, &[worker(n)], LEASE, clock.now())
        .await
        .unwrap()?;
    step(store, &leased, Step::Delivering, clock)
        .await
        .then_some(leased)
}

/// `false`: it is somebody else's.
async fn step(store: &impl Store, leased: &Leased, step: Step, clock: Clock) -> bool {
    loop {
        match store.step(&leased.fence, step.clone(), clock.now()).await {
            Ok(()) => return true,
            Err(StoreError::Lost(_)) => return false,
            Err(StoreError::Broken(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Ends it; `false`: it is somebody else's.
async fn end(store: &impl Store, leased: &Leased, by: &str, clock: Clock) -> bool {
    let outcome = Outcome {
        text: format!("{} by {by}", leased.task.spec.text),
        ..Outcome::default()
    };
    loop {
        let end = End::Done(outcome.clone());
        match store.end(&leased.fence, end, clock.now()).await {
            Ok(state) => return state == State::Done,
            Err(StoreError::Lost(_)) => return false,
            Err(StoreError::Broken(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Does what comes until all of these are done; says how often each was begun here.
async fn work(
    store: Arc<NatsStore>,
    n: u32,
    ids: Vec<TaskId>,
    clock: Clock,
) -> BTreeMap<TaskId, u32> {
    let mut begun = BTreeMap::new();
    let by = format!("host{n}");
    let began = Instant::now();
    loop {
        let counts = || store.counts();
        let is_stuck = began.elapsed() > Duration::from_secs(if is_full() { 600 } else { 30 });
        assert!(!is_stuck, "not all are done: {:?}", counts().await);
        if let Some(leased) = begin(&*store, n, clock).await {
            *begun.entry(leased.task.id.clone()).or_default() += 1;
            tokio::task::yield_now().await;
            end(&*store, &leased, &by, clock).await;
        } else if all_done(&*store, &ids).await {
            return begun;
        } else {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn all_done(store: &impl Store, ids: &[TaskId]) -> bool {
    for id in ids {
        match store.task(id.as_str()).await {
            Ok(task) if task.state == State::Done => {}
            _ => return false,
        }
    }
    true
}

async fn state_of(store: &impl Store, id: &TaskId) -> Option<State> {
    store.task(id.as_str()).await.ok().map(|task| task.state)
}

fn many() -> usize {
    if is_full() { 2000 } else { 40 }
}

#[tokio::test]
async fn tasks_of_two_hosts_are_each_done_once() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let (a, b) = (hosts[0].ready().await, hosts[1].ready().await);
    let mut ids = add(&*a, many() / 2, clock).await;
    ids.extend(add(&*b, many() / 2, clock).await);
    let began = Instant::now();
    let works = [(&a, 1), (&b, 2)]
        .map(|(store, n)| tokio::spawn(work(Arc::clone(store), n, ids.clone(), clock)));
    let mut begun: Vec<BTreeMap<TaskId, u32>> = Vec::new();
    for work in works {
        begun.push(work.await.unwrap());
    }
    for id in &ids {
        let times: u32 = begun.iter().filter_map(|begun| begun.get(id)).sum();
        assert_eq!(times, 1, "{id}");
        for store in [&a, &b] {
            let attempts = store.attempts(id).await.unwrap();
            assert_eq!(attempts.len(), 1);
            assert!(!attempts[0].after_lost);
            let outcome = store.outcome(id).await.unwrap().unwrap();
            assert!(outcome.text.ends_with(&attempts[0].host), "{outcome:?}");
            let kinds: Vec<_> = store.events(id).await.unwrap();
            let kinds: Vec<_> = kinds.iter().map(|event| event.kind.as_str()).collect();
            assert_eq!(kinds, ["added", "leased", "delivering", "done"]);
        }
    }
    let each: Vec<_> = begun.iter().map(BTreeMap::len).collect();
    eprintln!("{} tasks in {:?}, {each:?}", ids.len(), began.elapsed());
}

#[tokio::test]
async fn what_a_host_had_that_is_gone_is_done_by_another_and_flagged() {
    skip_if_asked!();
    let nats = Nats::start();
    let mut clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let (a, b) = (hosts[0].ready().await, hosts[1].ready().await);
    let ids = add(&*a, 6, clock).await;
    let mut had = Vec::new();
    // It may take a moment until b has heard of them.
    wait::until_async(wait::PATIENCE, "b to have three", async || {
        had.extend(begin(&*b, 4, clock).await);
        had.len() == 3
    })
    .await;
    let had: Vec<_> = had.into_iter().map(|leased| leased.task.id).collect();
    wait::until_async(wait::PATIENCE, "a to hear of it", async || {
        let counts = a.counts().await.unwrap();
        counts.get(&State::Delivering) == Some(&3)
    })
    .await;
    drop(b);
    // Nothing is given up while the lease is good, nor for half as long again.
    assert_eq!(a.expire(clock.now()).await.unwrap(), []);
    for seconds in [59, 30] {
        clock.ahead += Duration::from_secs(seconds);
        assert_eq!(a.expire(clock.now()).await.unwrap(), []);
    }
    clock.ahead += Duration::from_secs(2);
    let gone = a.expire(clock.now()).await.unwrap();
    let mut given_up: Vec<_> = gone.iter().map(|fence| fence.task.clone()).collect();
    given_up.sort();
    let mut sorted = had.clone();
    sorted.sort();
    assert_eq!(given_up, sorted);
    for id in &had {
        a.retry_now(id, clock).await;
    }
    let begun = work(Arc::clone(&a), 9, ids.clone(), clock).await;
    assert_eq!(begun.len(), 6);
    for id in &ids {
        let attempts = a.attempts(id).await.unwrap();
        let last = attempts.last().unwrap();
        assert_eq!(last.after_lost, had.contains(id));
        assert_eq!(attempts.len(), 1 + usize::from(had.contains(id)));
    }
    // Who comes back is not heard any more.
    let b = hosts[1].ready().await;
    for id in &had {
        let fence = cc_balancer::task::Fence {
            task: id.clone(),
            number: 1,
        };
        let end = b
            .end(&fence, End::Done(Outcome::default()), clock.now())
            .await;
        assert!(matches!(end, Err(StoreError::Lost(_))), "{end:?}");
        let beat = b.beat(&fence, LEASE, clock.now()).await;
        assert!(matches!(beat, Err(StoreError::Lost(_))), "{beat:?}");
    }
    assert_eq!(b.under_way("host1").await.unwrap(), []);
}

#[tokio::test]
async fn what_one_host_has_just_added_is_known_to_whoever_is_asked() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let (a, b) = (hosts[0].ready().await, hosts[1].ready().await);
    for n in 0..50 {
        let text = format!("t{n}");
        let id = a.add(spec(&text), clock.now()).await.unwrap().id;
        let found = b.task(id.as_str()).await.unwrap();
        assert_eq!((&found.id, &found.spec.text), (&id, &text));
    }
    let nobody: TaskId = "0123456789ab".parse().unwrap();
    let unknown = b.task(nobody.as_str()).await;
    assert!(
        matches!(unknown, Err(StoreError::Unknown(_))),
        "{unknown:?}"
    );
}

trait Waiting {
    /// Puts one that waits for its backoff in front.
    async fn retry_now(&self, id: &TaskId, clock: Clock);
}

impl Waiting for NatsStore {
    async fn retry_now(&self, id: &TaskId, clock: Clock) {
        self.hold(id, true, clock.now()).await.unwrap();
        self.retry(id, clock.now()).await.unwrap();
    }
}

#[tokio::test]
async fn beats_are_heard_on_other_hosts() {
    skip_if_asked!();
    let nats = Nats::start();
    let mut clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let (a, b) = (hosts[0].ready().await, hosts[1].ready().await);
    add(&*a, 1, clock).await;
    let leased = begin(&*a, 1, clock).await.unwrap();
    wait::until_async(wait::PATIENCE, "b to hear of it", async || {
        b.counts().await.unwrap().get(&State::Delivering) == Some(&1)
    })
    .await;
    for _ in 0..5 {
        assert_eq!(b.expire(clock.now()).await.unwrap(), []);
        clock.ahead += Duration::from_secs(50);
        a.beat(&leased.fence, LEASE, clock.now()).await.unwrap();
    }
    assert_eq!(a.expire(clock.now()).await.unwrap(), []);
    assert!(end(&*a, &leased, "a", clock).await);
}

#[tokio::test]
async fn nothing_is_lost_when_the_server_loses_everything() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let (a, b) = (hosts[0].ready().await, hosts[1].ready().await);
    let mut ids = add(&*a, many() / 2, clock).await;
    // One that is under way when it happens goes on.
    let kept = begin(&*a, 7, clock).await.unwrap();
    let works = [(&a, 1), (&b, 2)].map(|(store, n)| {
        let ids: Vec<_> = ids
            .iter()
            .filter(|id| **id != kept.task.id)
            .cloned()
            .collect();
        tokio::spawn(work(Arc::clone(store), n, ids, clock))
    });
    wait::until_async(wait::PATIENCE, "some to be done", async || {
        let counts = a.counts().await.unwrap();
        counts.get(&State::Done).is_some_and(|done| *done > 3)
    })
    .await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    for bucket in ["cc_task", "cc_result", "cc_lease", "cc_flag"] {
        jetstream
            .delete_stream(format!("KV_{bucket}"))
            .await
            .unwrap();
    }
    ids.extend(add(&*b, many() / 2, clock).await);
    let began = Instant::now();
    let mut begun: BTreeMap<TaskId, u32> = BTreeMap::new();
    for work in works {
        for (id, times) in work.await.unwrap() {
            *begun.entry(id).or_default() += times;
        }
    }
    assert!(end(&*a, &kept, "a", clock).await, "its lease was lost");
    let rest = work(Arc::clone(&a), 3, ids.clone(), clock).await;
    for (id, times) in rest {
        *begun.entry(id).or_default() += times;
    }
    for id in ids.iter().filter(|id| **id != kept.task.id) {
        assert_eq!(begun.get(id), Some(&1), "{id}");
    }
    wait::until_async(wait::PATIENCE, "both to know all", async || {
        all_done(&*a, &ids).await && all_done(&*b, &ids).await
    })
    .await;
    eprintln!(
        "{} tasks, all done {:?} after it",
        ids.len(),
        began.elapsed()
    );
    // What is purged and not deleted is noticed too.
    let more = add(&*a, 5, clock).await;
    wait::until_async(wait::PATIENCE, "b to hear of them", async || {
        b.counts().await.unwrap().get(&State::Queued) == Some(&5)
    })
    .await;
    let stream = jetstream.get_stream("KV_cc_task").await.unwrap();
    stream.purge().await.unwrap();
    let done = work(Arc::clone(&b), 4, more.clone(), clock).await;
    assert_eq!(done.len(), 5);
}

#[tokio::test]
async fn tasks_are_added_while_the_server_is_away() {
    skip_if_asked!();
    let mut nats = Nats::later();
    let clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let a = hosts[0].connect().await;
    let ids = add(&*a, 10, clock).await;
    assert_eq!(a.unpublished().await.unwrap(), 10);
    assert_eq!(begin(&*a, 1, clock).await, None);
    // Not even who added them needs to be there all the time.
    a.close().await.unwrap();
    drop(a);
    let a = hosts[0].connect().await;
    nats.run();
    wait::until_async(wait::PATIENCE, "all to be there", async || {
        a.unpublished().await.unwrap() == 0
    })
    .await;
    let b = hosts[1].ready().await;
    let done = work(Arc::clone(&b), 2, ids.clone(), clock).await;
    assert_eq!(done.len(), 10);
    wait::until_async(wait::PATIENCE, "a to hear of it", async || {
        all_done(&*a, &ids).await
    })
    .await;
    // It goes, and comes again with what it kept.
    nats.kill();
    wait::until_async(wait::PATIENCE, "a to see it", async || !a.is_connected()).await;
    let more = add(&*a, 10, clock).await;
    assert_eq!(begin(&*a, 1, clock).await, None);
    nats.run();
    let done = work(Arc::clone(&b), 2, more.clone(), clock).await;
    assert_eq!(done.len(), 10);
    wait::until_async(wait::PATIENCE, "a to hear of it", async || {
        all_done(&*a, &more).await
    })
    .await;
    let last = a.outcome(&more[9]).await.unwrap();
    assert_eq!(last.unwrap().text, "t9 by host2");
}

#[tokio::test]
async fn who_does_not_reach_the_server_has_no_lease_for_longer_than_it_is() {
    skip_if_asked!();
    let mut nats = Nats::start();
    let mut clock = Clock::start();
    let host = Host::new(&nats.url(), QUEUE, "a");
    let a = host.ready().await;
    let ids = add(&*a, 1, clock).await;
    let leased = begin(&*a, 1, clock).await.unwrap();
    nats.kill();
    wait::until_async(wait::PATIENCE, "a to see it", async || !a.is_connected()).await;
    let beat = a.beat(&leased.fence, LEASE, clock.now()).await;
    assert!(matches!(beat, Err(StoreError::Broken(_))), "{beat:?}");
    assert_eq!(a.expire(clock.now()).await.unwrap(), []);
    assert_eq!(state_of(&*a, &ids[0]).await, Some(State::Delivering));
    clock.ahead += LEASE;
    assert_eq!(
        a.expire(clock.now()).await.unwrap(),
        std::slice::from_ref(&leased.fence)
    );
    nats.run();
    wait::until_async(wait::PATIENCE, "the server to hear of it", async || {
        a.hold(&ids[0], true, clock.now()).await.is_ok()
    })
    .await;
    a.retry(&ids[0], clock.now()).await.unwrap();
    wait::until_async(wait::PATIENCE, "it to be begun", async || {
        let again = begin(&*a, 1, clock).await;
        again.is_some_and(|leased| leased.task.attempt.unwrap().after_lost)
    })
    .await;
}

#[tokio::test]
async fn what_is_said_of_groups_and_accounts_holds_on_all_hosts() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let (a, b) = (hosts[0].ready().await, hosts[1].ready().await);
    a.set_group("default", Some(1), false).await.unwrap();
    a.set_account("team", Some(3)).await.unwrap();
    let until = Timestamp::now() + Duration::from_secs(600);
    a.limit("team", Some(until), "429").await.unwrap();
    let ids = add(&*a, 2, clock).await;
    let first = begin(&*a, 1, clock).await.unwrap();
    wait::until_async(wait::PATIENCE, "b to hear of it", async || {
        let groups = b.groups().await.unwrap();
        let accounts = b.accounts().await.unwrap();
        let is_full = |(parallel, under_way)| parallel == Some(1) && under_way == 1;
        groups
            .iter()
            .any(|group| is_full((group.parallel, group.under_way)))
            && accounts
                .iter()
                .any(|account| (account.parallel, account.why.as_deref()) == (Some(3), Some("429")))
    })
    .await;
    assert_eq!(begin(&*b, 2, clock).await, None);
    assert!(end(&*a, &first, "a", clock).await);
    wait::until_async(wait::PATIENCE, "b to have the other", async || {
        begin(&*b, 2, clock).await.is_some()
    })
    .await;
    // A host that comes later knows it too, and so does one after the server has lost it.
    let c = Host::new(&nats.url(), QUEUE, "c");
    let c = c.ready().await;
    wait::until_async(wait::PATIENCE, "c to know it", async || {
        c.groups()
            .await
            .unwrap()
            .iter()
            .any(|group| group.parallel == Some(1))
    })
    .await;
    // Whoever has it is told that it is not wanted.
    let asked = a.cancel(&ids[1], false, clock.now()).await.unwrap();
    assert_eq!(asked, cc_balancer::store::Cancelling::Asked);
    wait::until_async(wait::PATIENCE, "b to be told", async || {
        b.task(ids[1].as_str()).await.unwrap().cancel == Some(false)
    })
    .await;
}

#[tokio::test]
async fn what_waits_in_a_file_moves_to_a_server_once() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let host = Host::new(&nats.url(), QUEUE, "a");
    {
        let local = SqliteStore::open(&host.path).unwrap();
        add(&local, 5, clock).await;
        local.close().await.unwrap();
    }
    for _ in 0..2 {
        let moved = migrate(host.options(), wait::PATIENCE).await.unwrap();
        assert_eq!(moved.tasks, 5);
    }
    let b = Host::new(&nats.url(), QUEUE, "b").ready().await;
    let all = b.tasks(Query::default()).await.unwrap();
    assert_eq!(
        all.iter()
            .map(|task| task.spec.text.as_str())
            .rev()
            .collect::<Vec<_>>(),
        ["t0", "t1", "t2", "t3", "t4"]
    );
    assert_eq!(b.facts().replicas, Some(1));
}

#[tokio::test]
async fn plain_text_does_not_leave_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let local = SqliteStore::open(&dir.path().join("tasks.db")).unwrap();
    let error = NatsStore::connect(Options::new("nats://192.0.2.1:4222", local, "a")).await;
    let error = error.unwrap_err();
    assert!(matches!(error, ConnectError::Plain(_)));
    assert_eq!(
        error.to_string(),
        "192.0.2.1 is on another machine and its address does not ask for TLS: say tls://, or allow \
         plain text with `insecure`"
    );
}

#[tokio::test]
async fn what_is_too_large_for_the_server_is_refused_at_once() {
    skip_if_asked!();
    let nats = Nats::start();
    let host = Host::new(&nats.url(), QUEUE, "a");
    let a = host.ready().await;
    let clock = Clock::start();
    let large = spec(&"x".repeat(1 << 20));
    let error = a.add(large, clock.now()).await.unwrap_err();
    assert!(error.to_string().contains("max_payload"), "{error}");
    a.add(spec(&"x".repeat(300_000)), clock.now())
        .await
        .unwrap();
    let mut leased = None;
    wait::until_async(wait::PATIENCE, "it to be begun", async || {
        leased = begin(&*a, 1, clock).await;
        leased.is_some()
    })
    .await;
    let leased = leased.unwrap();
    let outcome = Outcome {
        text: "y".repeat(3 << 20),
        ..Outcome::default()
    };
    a.end(&leased.fence, End::Done(outcome.clone()), clock.now())
        .await
        .unwrap();
    assert_eq!(a.outcome(&leased.task.id).await.unwrap(), Some(outcome));
    let b = Host::new(&nats.url(), QUEUE, "b").ready().await;
    let there = b.outcome(&leased.task.id).await.unwrap().unwrap();
    assert!(there.is_cut && there.text.len() > 400_000);
}

#[tokio::test]
async fn of_two_with_the_same_key_one_is_done_wherever_they_were_added() {
    skip_if_asked!();
    let mut nats = Nats::later();
    let clock = Clock::start();
    let hosts = [
        Host::new(&nats.url(), QUEUE, "a"),
        Host::new(&nats.url(), QUEUE, "b"),
    ];
    let (a, b) = (hosts[0].connect().await, hosts[1].connect().await);
    let mut keyed = spec("once");
    keyed.key = Some("run 7".to_owned());
    let mut ids = Vec::new();
    for store in [&a, &b] {
        let added = store.add(keyed.clone(), clock.now()).await.unwrap();
        assert!(!added.was_there);
        ids.push(added.id);
    }
    nats.run();
    for store in [&a, &b] {
        wait::until_async(wait::PATIENCE, "one to be cancelled", async || {
            let counts = store.counts().await.unwrap();
            counts.get(&State::Cancelled) == Some(&1) && counts.get(&State::Queued) == Some(&1)
        })
        .await;
    }
    let again = b.add(keyed, clock.now()).await.unwrap();
    assert!(again.was_there && ids.contains(&again.id));
}
