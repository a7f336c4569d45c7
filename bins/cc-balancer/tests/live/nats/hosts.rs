//! Hosts that share a queue: each task is done once, by one of them, and what is said of them all holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cc_balancer::store::nats::NatsStore;
use cc_balancer::store::{End, Store, StoreError};
use cc_balancer::task::{Outcome, State, TaskId};
use harness::{skip_if_asked, wait};
use jiff::Timestamp;

use super::Host;
use super::server::Nats;
use super::work::{Clock, LEASE, QUEUE, add, begin, end, many, two_hosts, work};
use crate::suite::spec;

#[tokio::test]
async fn tasks_of_two_hosts_are_each_done_once() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = two_hosts(&nats);
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
    let hosts = two_hosts(&nats);
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
    let hosts = two_hosts(&nats);
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
async fn what_is_said_of_groups_and_accounts_holds_on_all_hosts() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = two_hosts(&nats);
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
async fn of_two_with_the_same_key_one_is_done_wherever_they_were_added() {
    skip_if_asked!();
    let mut nats = Nats::later();
    let clock = Clock::start();
    let hosts = two_hosts(&nats);
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

#[tokio::test]
async fn who_has_claimed_a_key_and_is_not_there_yet_is_waited_for() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let a = Host::new(&nats.url(), QUEUE, "a").ready().await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let flags = jetstream.get_key_value("cc_flag").await.unwrap();
    let hash = blake3::hash(b"run 7").to_hex();
    let key = format!("key.{}", &hash[..32]);
    flags.put(&key, "0123456789ab".into()).await.unwrap();
    let mut keyed = spec("once");
    keyed.key = Some("run 7".to_owned());
    let added = a.add(keyed, clock.now()).await.unwrap();
    for _ in 0..10 {
        assert_eq!(begin(&*a, 1, clock).await, None);
    }
    assert_eq!(a.unpublished().await.unwrap(), 1);
    flags.delete(&key).await.unwrap();
    let mut leased = None;
    wait::until_async(wait::PATIENCE, "it to be begun", async || {
        leased = begin(&*a, 1, clock).await;
        leased.is_some()
    })
    .await;
    assert_eq!(leased.unwrap().task.id, added.id);
}

#[tokio::test]
async fn what_came_after_what_is_removed_is_begun_by_a_host_that_comes_later() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = two_hosts(&nats);
    let a = hosts[0].ready().await;
    let first = a.add(spec("first"), clock.now()).await.unwrap().id;
    let mut next = spec("next");
    next.after = vec![first.clone()];
    let next = a.add(next, clock.now()).await.unwrap().id;
    let mut leased = None;
    wait::until_async(wait::PATIENCE, "the first to be begun", async || {
        leased = begin(&*a, 1, clock).await;
        leased.is_some()
    })
    .await;
    assert!(end(&*a, &leased.unwrap(), "a", clock).await);
    a.remove(&first, clock.now()).await.unwrap();
    assert_eq!(a.unpublished().await.unwrap(), 0);
    let b = hosts[1].ready().await;
    let mut leased = None;
    wait::until_async(wait::PATIENCE, "the next to be begun", async || {
        leased = begin(&*b, 2, clock).await;
        leased.is_some()
    })
    .await;
    assert_eq!(leased.unwrap().task.id, next);
}

#[tokio::test]
async fn what_one_host_has_just_added_is_known_to_whoever_is_asked() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = two_hosts(&nats);
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
