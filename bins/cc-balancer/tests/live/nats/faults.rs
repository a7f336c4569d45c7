//! What is added is done, whatever becomes of the server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::Context;
use cc_balancer::store::nats::{ConnectError, NatsStore, Options, migrate};
use cc_balancer::store::{End, Leased, Query, SqliteStore, Store, StoreError};
use cc_balancer::task::{Outcome, State, TaskId};
use harness::{skip_if_asked, wait};

use super::Host;
use super::server::Nats;
use super::work::{
    Clock, LEASE, QUEUE, add, all_done, begin, end, many, state_of, two_hosts, work,
};
use crate::suite::spec;

/// Deletes all that it keeps.
async fn loses_everything(nats: &Nats) -> Context {
    let client = async_nats::connect(nats.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    for bucket in ["cc_task", "cc_result", "cc_lease", "cc_flag"] {
        jetstream
            .delete_stream(format!("KV_{bucket}"))
            .await
            .unwrap();
    }
    jetstream
}

/// Waits until one can be begun, and says whether it may be done twice.
async fn begun(store: &NatsStore, n: u32, clock: Clock) -> (Leased, bool) {
    let mut leased = None;
    wait::until_async(wait::PATIENCE, "something to be begun", async || {
        leased = begin(store, n, clock).await;
        leased.is_some()
    })
    .await;
    let leased = leased.unwrap();
    let attempt = leased.task.attempt.clone().unwrap();
    (leased, attempt.after_lost)
}

#[tokio::test]
async fn what_a_host_may_have_begun_that_is_gone_when_all_is_lost_is_flagged() {
    skip_if_asked!();
    let nats = Nats::start();
    let mut clock = Clock::start();
    let hosts = two_hosts(&nats);
    let mut options = hosts[0].options();
    options.settling = Duration::from_secs(1);
    let a = NatsStore::connect(options).await.unwrap();
    let b = hosts[1].ready().await;
    let ids = add(&a, 2, clock).await;
    let (first, _) = begun(&b, 1, clock).await;
    wait::until_async(wait::PATIENCE, "a to hear of it", async || {
        state_of(&a, &first.task.id).await == Some(State::Delivering)
    })
    .await;
    drop(b);
    loses_everything(&nats).await;
    let later = add(&a, 1, clock).await;
    // The first one is b's still, and nobody knows of the second.
    let (second, is_flagged) = begun(&a, 2, clock).await;
    assert_eq!((&second.task.id, is_flagged), (&ids[1], true));
    let (third, is_flagged) = begun(&a, 3, clock).await;
    assert_eq!((&third.task.id, is_flagged), (&later[0], false));
    assert_eq!(first.task.id, ids[0]);
    assert_eq!(a.expire(clock.now()).await.unwrap(), []);
    assert_eq!(begin(&a, 4, clock).await, None);
    clock.ahead += LEASE / 2;
    for leased in [&second, &third] {
        a.beat(&leased.fence, 2 * LEASE, clock.now()).await.unwrap();
    }
    clock.ahead += LEASE;
    wait::until_async(wait::PATIENCE, "it to be given up", async || {
        a.expire(clock.now()).await.unwrap() == std::slice::from_ref(&first.fence)
    })
    .await;
    // It is not waited for until its time has come.
    a.hold(&ids[0], true, clock.now()).await.unwrap();
    a.retry(&ids[0], clock.now()).await.unwrap();
    let (again, is_flagged) = begun(&a, 1, clock).await;
    assert_eq!((&again.task.id, is_flagged), (&ids[0], true));
}

#[tokio::test]
async fn who_has_not_heard_that_all_is_lost_begins_nothing_that_another_has() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = two_hosts(&nats);
    let a = hosts[0].options();
    let a = NatsStore::connect(Options {
        settling: Duration::from_millis(200),
        ..a
    })
    .await
    .unwrap();
    // It looks when it starts, and then only when something fails.
    let b = NatsStore::connect(Options {
        every: Duration::from_secs(3600),
        ..hosts[1].options()
    })
    .await
    .unwrap();
    let ids = add(&a, 1, clock).await;
    wait::until_async(wait::PATIENCE, "b to hear of it", async || {
        state_of(&b, &ids[0]).await == Some(State::Queued)
    })
    .await;
    // So often that the bucket counts as far in its next life.
    for is_held in [true, false] {
        a.hold(&ids[0], is_held, clock.now()).await.unwrap();
    }
    loses_everything(&nats).await;
    let (leased, _) = begun(&a, 1, clock).await;
    assert_eq!(leased.task.id, ids[0]);
    for _ in 0..3 {
        assert_eq!(begin(&b, 2, clock).await, None);
    }
    assert!(end(&a, &leased, "a", clock).await, "its lease was lost");
    wait::until_async(wait::PATIENCE, "b to hear of it", async || {
        all_done(&b, &ids).await
    })
    .await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_server_loses_everything() {
    skip_if_asked!();
    let nats = Nats::start();
    let clock = Clock::start();
    let hosts = two_hosts(&nats);
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
    let jetstream = loses_everything(&nats).await;
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
    let hosts = two_hosts(&nats);
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
async fn an_end_that_the_server_did_not_take_is_asked_again_while_the_lease_is_good() {
    skip_if_asked!();
    let mut nats = Nats::start();
    let clock = Clock::start();
    let host = Host::new(&nats.url(), QUEUE, "a");
    let a = host.ready().await;
    add(&*a, 1, clock).await;
    let (leased, _) = begun(&a, 1, clock).await;
    nats.kill();
    wait::until_async(wait::PATIENCE, "a to see it", async || !a.is_connected()).await;
    // It is waited for, which need not take long here.
    tokio::time::pause();
    let done = End::Done(Outcome::default());
    let ended = a.end(&leased.fence, done, clock.now()).await;
    tokio::time::resume();
    assert!(matches!(ended, Err(StoreError::Broken(_))), "{ended:?}");
    assert_eq!(a.expire(clock.now()).await.unwrap(), []);
    nats.run();
    assert!(end(&*a, &leased, "a", clock).await, "its lease was lost");
    assert_eq!(a.attempts(&leased.task.id).await.unwrap().len(), 1);
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
         plain text with --insecure"
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
async fn what_grew_too_large_for_the_server_is_held_and_what_is_behind_it_begun() {
    skip_if_asked!();
    let nats = Nats::start();
    let host = Host::new(&nats.url(), QUEUE, "a");
    let a = host.ready().await;
    let clock = Clock::start();
    let first = a.add(spec(&"x".repeat(500_000)), clock.now()).await;
    let first = first.unwrap().id;
    let behind = a.add(spec("behind"), clock.now()).await.unwrap().id;
    wait::until_async(wait::PATIENCE, "both to be there", async || {
        a.unpublished().await.unwrap() == 0
    })
    .await;
    // As much as there is room for, so that there is none for an attempt.
    for size in [200_000, 20_000, 2000, 200, 20] {
        while a.note(&first, "y".repeat(size), clock.now()).await.is_ok() {}
    }
    let (leased, _) = begun(&a, 1, clock).await;
    assert_eq!(leased.task.id, behind);
    assert_eq!(state_of(&*a, &first).await, Some(State::Held));
}
