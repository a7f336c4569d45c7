//! Fences, leases, steps.

use std::collections::BTreeSet;
use std::slice;

use cc_balancer::store::{Step, StoreError};
use cc_balancer::task::{Fence, State, TaskId};

use super::{Check, HOST, LEASE, Rig, at, checks, done, failed, spec, tried, worker};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        a_pulled_task_has_an_attempt_that_stays,
        the_steps_of_an_attempt_are_seen,
        only_its_own_host_has_an_attempt_under_way,
        a_beat_holds_a_lease_up,
        what_is_not_held_up_is_given_up_and_the_next_is_flagged,
        what_was_not_begun_is_returned_without_a_flag,
        an_older_attempt_is_not_heard,
        an_attempt_ends_once,
        nobody_has_an_attempt_at_what_is_not_there,
        no_task_is_given_twice,
    ]
}

async fn a_pulled_task_has_an_attempt_that_stays(mut rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    let offers = [worker(1), worker(2)];
    let leased = rig.pull_for(&offers, at(5)).await.unwrap();
    let fence = Fence {
        task: id.clone(),
        number: 1,
    };
    assert_eq!((&leased.task.id, &leased.fence), (&id, &fence));
    assert_eq!(leased.task.state, State::Leased);
    let attempt = leased.task.attempt.clone().unwrap();
    assert_eq!((attempt.number, attempt.host.as_str()), (1, HOST));
    assert_eq!(attempt.worker, offers[leased.offer].worker);
    assert_eq!((attempt.leased, attempt.started), (at(5).wall, None));
    assert_eq!((attempt.ended, attempt.after_lost), (None, false));
    assert!(!attempt.nonce.is_empty());
    assert_eq!(rig.task(&id).await, leased.task);
    rig.restart().await;
    assert_eq!(rig.task(&id).await, leased.task);
    assert_eq!(
        rig.store.attempts(&id).await.unwrap(),
        slice::from_ref(&attempt)
    );
    // It goes on where it was.
    rig.step(&leased, Step::Running, at(6)).await;
    assert_eq!(rig.end(&leased, done(), at(7)).await, State::Done);
    let other = rig.add(spec("b"), at(8)).await;
    let leased = rig.pull(at(9)).await.unwrap();
    assert_eq!(leased.task.id, other);
    assert_ne!(leased.task.attempt.unwrap().nonce, attempt.nonce);
}

async fn the_steps_of_an_attempt_are_seen(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    let leased = rig.pull(at(1)).await.unwrap();
    let blocked = Step::Blocked("permission".to_owned());
    for (second, step, state, why) in [
        (2, Step::Delivering, State::Delivering, None),
        (3, Step::Running, State::Running, None),
        (4, blocked, State::Blocked, Some("permission")),
        (5, Step::Running, State::Running, None),
        (6, Step::Verifying, State::Verifying, None),
    ] {
        rig.step(&leased, step, at(second)).await;
        let task = rig.task(&id).await;
        assert_eq!((task.state, task.why.as_deref()), (state, why));
    }
    assert_eq!(
        rig.task(&id).await.attempt.unwrap().started,
        Some(at(3).wall)
    );
    let kinds = ["delivering", "running", "blocked", "running", "verifying"];
    assert_eq!(rig.kinds(&id).await[2..], kinds);
}

async fn only_its_own_host_has_an_attempt_under_way(mut rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    rig.add(spec("b"), at(1)).await;
    let leased = rig.pull(at(2)).await.unwrap();
    let there = rig.store.pull("there", &[worker(2)], LEASE, at(2)).await;
    let there = there.unwrap().unwrap();
    rig.restart().await;
    let under_way = async |rig: &Rig, host: &str| {
        let tasks = rig.store.under_way(host).await.unwrap();
        tasks.into_iter().map(|task| task.id).collect::<Vec<_>>()
    };
    assert_eq!(under_way(&rig, HOST).await, [id]);
    assert_eq!(under_way(&rig, "there").await, [there.task.id]);
    rig.end(&leased, done(), at(3)).await;
    assert_eq!(under_way(&rig, HOST).await, []);
}

async fn a_beat_holds_a_lease_up(mut rig: Rig) {
    rig.add(spec("a"), at(0)).await;
    let leased = rig.pull(at(0)).await.unwrap();
    assert_eq!(rig.store.expire(at(59)).await.unwrap(), []);
    for second in [50, 100, 150] {
        rig.store
            .beat(&leased.fence, LEASE, at(second))
            .await
            .unwrap();
    }
    assert_eq!(rig.store.expire(at(209)).await.unwrap(), []);
    rig.restart().await;
    assert_eq!(rig.store.expire(at(209)).await.unwrap(), []);
    assert_eq!(rig.store.expire(at(210)).await.unwrap(), [leased.fence]);
}

async fn what_is_not_held_up_is_given_up_and_the_next_is_flagged(rig: Rig) {
    for step in [
        Step::Delivering,
        Step::Running,
        Step::Blocked("a person".to_owned()),
        Step::Verifying,
    ] {
        let id = rig.add(tried("a", 1), at(0)).await;
        let leased = rig.pull(at(0)).await.unwrap();
        rig.step(&leased, step, at(1)).await;
        let gone = rig.store.expire(at(60)).await.unwrap();
        assert_eq!(gone, slice::from_ref(&leased.fence));
        let task = rig.task(&id).await;
        assert_eq!((task.state, task.attempts), (State::Queued, 1));
        let attempt = task.attempt.unwrap();
        assert_eq!(attempt.ended, Some(at(60).wall));
        assert!(attempt.outcome.unwrap().starts_with("lost: "));
        assert!(rig.kinds(&id).await.contains(&"expired".to_owned()));
        assert!(rig.is_lost(&leased, at(61)).await);
        let again = rig.pull(at(1000)).await.unwrap();
        assert_eq!((&again.task.id, again.fence.number), (&id, 2));
        assert!(again.task.attempt.as_ref().unwrap().after_lost);
        // As often as it may, and no more.
        rig.step(&again, Step::Running, at(1001)).await;
        assert_eq!(rig.store.expire(at(1061)).await.unwrap(), [again.fence]);
        assert_eq!(rig.state(&id).await, State::Dead);
    }
}

async fn what_was_not_begun_is_returned_without_a_flag(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    let leased = rig.pull(at(0)).await.unwrap();
    let gone = rig.store.expire(at(60)).await.unwrap();
    assert_eq!(gone, slice::from_ref(&leased.fence));
    let task = rig.task(&id).await;
    assert_eq!(
        (task.state, task.attempts, task.returned),
        (State::Queued, 0, 1)
    );
    assert!(rig.is_lost(&leased, at(61)).await);
    let again = rig.pull(at(62)).await.unwrap();
    assert_eq!(again.fence.number, 2);
    assert!(!again.task.attempt.unwrap().after_lost);
}

async fn an_older_attempt_is_not_heard(mut rig: Rig) {
    let id = rig.add(tried("a", 5), at(0)).await;
    let first = rig.pull(at(0)).await.unwrap();
    rig.step(&first, Step::Running, at(1)).await;
    rig.end(&first, failed("exit 1"), at(2)).await;
    assert!(rig.is_lost(&first, at(3)).await);
    let second = rig.pull(at(1000)).await.unwrap();
    rig.restart().await;
    let before = rig.task(&id).await;
    assert!(rig.is_lost(&first, at(1001)).await);
    assert_eq!(rig.task(&id).await, before);
    // Nor one that is not there yet.
    let mut third = second.clone();
    third.fence.number += 1;
    assert!(rig.is_lost(&third, at(1002)).await);
    assert_eq!(rig.end(&second, done(), at(1003)).await, State::Done);
    let numbers = rig.store.attempts(&id).await.unwrap();
    let numbers: Vec<_> = numbers.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2]);
}

async fn an_attempt_ends_once(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    let leased = rig.pull(at(0)).await.unwrap();
    let ends = (0..8).map(|_| {
        let (store, fence) = (rig.store.clone(), leased.fence.clone());
        tokio::spawn(async move { store.end(&fence, done(), at(1)).await })
    });
    let mut heard = 0;
    for end in ends.collect::<Vec<_>>() {
        match end.await.unwrap() {
            Ok(state) => {
                assert_eq!(state, State::Done);
                heard += 1;
            }
            Err(error) => assert!(matches!(error, StoreError::Lost(_)), "{error}"),
        }
    }
    assert_eq!(heard, 1);
    assert_eq!(rig.task(&id).await.attempts, 1);
}

async fn nobody_has_an_attempt_at_what_is_not_there(rig: Rig) {
    rig.add(spec("a"), at(0)).await;
    let mut leased = rig.pull(at(0)).await.unwrap();
    leased.fence.task = "0123456789ab".parse().unwrap();
    assert!(rig.is_lost(&leased, at(1)).await);
}

async fn no_task_is_given_twice(rig: Rig) {
    const TASKS: usize = 100;
    for n in 0..TASKS {
        rig.add(spec(&n.to_string()), at(0)).await;
    }
    let pullers = (1..=8).map(|n| {
        let store = rig.store.clone();
        tokio::spawn(async move {
            let mut mine: Vec<TaskId> = Vec::new();
            let offers = [worker(n)];
            while let Some(leased) = store.pull(HOST, &offers, LEASE, at(1)).await.unwrap() {
                mine.push(leased.task.id);
                // Others get their turn.
                tokio::task::yield_now().await;
            }
            mine
        })
    });
    let mut all = Vec::new();
    for puller in pullers.collect::<Vec<_>>() {
        all.extend(puller.await.unwrap());
    }
    assert_eq!(all.len(), TASKS);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), TASKS);
}
