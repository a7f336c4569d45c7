//! What is next.

use cc_balancer::store::{End, StoreError};
use cc_balancer::task::{Spec, State, TaskId};

use super::{Check, Rig, at, checks, done, failed, spec, tried, worker};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        an_empty_store_has_nothing,
        the_more_urgent_is_first_and_then_the_older,
        what_is_delayed_waits_for_its_time,
        what_comes_after_another_waits_until_that_is_done,
        what_comes_after_something_that_failed_is_dead,
        what_is_added_after_something_that_failed_is_dead_at_once,
        what_is_to_be_after_nothing_known_is_refused,
        what_comes_after_something_that_failed_can_be_tried_again_behind_it,
        what_is_begun_anew_is_waited_for_again,
        what_is_forgotten_is_waited_for_no_more,
    ]
}

/// Those that an engine need not keep to exactly.
pub(super) fn fairness() -> Vec<(&'static str, Check)> {
    checks![
        ten_minutes_of_waiting_are_worth_one_of_priority,
        what_was_delayed_ages_from_its_time_on,
        who_has_least_under_way_is_first,
    ]
}

async fn an_empty_store_has_nothing(rig: Rig) {
    assert!(rig.pull(at(0)).await.is_none());
    rig.add(spec("a"), at(0)).await;
    assert!(rig.pull_for(&[], at(0)).await.is_none());
    assert_eq!(rig.store.next_due(at(0)).await.unwrap(), None);
}

async fn the_more_urgent_is_first_and_then_the_older(mut rig: Rig) {
    let add = async |text: &str, priority, seconds| {
        let spec = Spec {
            priority,
            ..spec(text)
        };
        rig.add(spec, at(seconds)).await
    };
    add("c", 0, 0).await;
    add("d", 0, 1).await;
    add("e", -1, 2).await;
    add("a", 2, 3).await;
    add("b", 1, 4).await;
    rig.restart().await;
    assert_eq!(rig.all(at(10)).await.concat(), "abcde");
}

async fn what_is_delayed_waits_for_its_time(mut rig: Rig) {
    let later = |text: &str, seconds| Spec {
        not_before: Some(at(seconds).wall),
        priority: 9,
        ..spec(text)
    };
    rig.add(later("second", 200), at(0)).await;
    rig.add(later("first", 100), at(0)).await;
    rig.restart().await;
    assert!(rig.pull(at(99)).await.is_none());
    let due = async |rig: &Rig, seconds| rig.store.next_due(at(seconds)).await.unwrap();
    assert_eq!(due(&rig, 99).await, Some(at(100).wall));
    assert_eq!(rig.next(at(100)).await.as_deref(), Some("first"));
    assert!(rig.pull(at(100)).await.is_none());
    assert_eq!(due(&rig, 100).await, Some(at(200).wall));
    assert_eq!(rig.next(at(500)).await.as_deref(), Some("second"));
    assert_eq!(due(&rig, 500).await, None);
}

async fn what_comes_after_another_waits_until_that_is_done(mut rig: Rig) {
    let first = rig.add(tried("first", 1), at(0)).await;
    let second = rig.add(spec("second"), at(0)).await;
    let both = Spec {
        after: vec![first.clone(), second.clone(), first.clone()],
        priority: 9,
        ..spec("both")
    };
    let both = rig.add(both, at(1)).await;
    assert_eq!(rig.task(&both).await.why, Some(format!("after {first}")));
    let leased = rig.pull(at(2)).await.unwrap();
    assert_eq!(leased.task.id, first);
    // Not while it may be tried again, either.
    rig.end(&leased, failed("exit 1"), at(3)).await;
    assert_eq!(rig.next(at(4)).await.as_deref(), Some("second"));
    assert!(rig.pull(at(5)).await.is_none());
    rig.restart().await;
    let leased = rig.pull(at(1000)).await.unwrap();
    assert_eq!(leased.task.id, first);
    assert!(rig.pull(at(1001)).await.is_none());
    rig.end(&leased, done(), at(1002)).await;
    assert_eq!(rig.task(&both).await.why, None);
    assert_eq!(rig.next(at(1003)).await.as_deref(), Some("both"));
}

/// `first`, what comes after it, and what comes after that.
async fn chain(rig: &Rig) -> [TaskId; 3] {
    let first = rig.add(spec("first"), at(0)).await;
    let second = Spec {
        after: vec![first.clone()],
        ..spec("second")
    };
    let second = rig.add(second, at(0)).await;
    let third = Spec {
        after: vec![second.clone()],
        ..spec("third")
    };
    let third = rig.add(third, at(0)).await;
    rig.store.hold(&third, true, at(0)).await.unwrap();
    [first, second, third]
}

async fn what_comes_after_something_that_failed_is_dead(rig: Rig) {
    for end in [failed("exit 1"), End::Lost("gone".to_owned())] {
        let [first, second, third] = chain(&rig).await;
        let leased = rig.pull(at(1)).await.unwrap();
        let state = rig.end(&leased, end, at(2)).await;
        let task = rig.task(&second).await;
        assert_eq!((task.state, task.ended), (State::Dead, Some(at(2).wall)));
        assert_eq!(task.why, Some(format!("after {first} is {state}")));
        let task = rig.task(&third).await;
        assert_eq!(task.state, State::Dead);
        assert_eq!(task.why, Some(format!("after {second} is dead")));
        assert_eq!(rig.kinds(&second).await, ["added", "dead"]);
        assert!(rig.pull(at(3)).await.is_none());
    }
    let [first, second, third] = chain(&rig).await;
    rig.store.cancel(&first, false, at(4)).await.unwrap();
    let why = format!("after {first} is cancelled");
    assert_eq!(rig.task(&second).await.why, Some(why));
    assert_eq!(rig.state(&third).await, State::Dead);
}

async fn what_is_added_after_something_that_failed_is_dead_at_once(rig: Rig) {
    let first = rig.add(spec("first"), at(0)).await;
    rig.store.cancel(&first, false, at(1)).await.unwrap();
    let second = Spec {
        after: vec![first.clone()],
        ..spec("second")
    };
    let second = rig.add(second, at(2)).await;
    let task = rig.task(&second).await;
    assert_eq!(task.state, State::Dead);
    assert_eq!(task.why, Some(format!("after {first} is cancelled")));
}

async fn what_is_to_be_after_nothing_known_is_refused(rig: Rig) {
    let nobody: TaskId = "0123456789ab".parse().unwrap();
    let wrong = Spec {
        after: vec![nobody],
        key: Some("k".to_owned()),
        ..spec("a")
    };
    let added = rig.store.add(wrong, at(0)).await;
    assert!(matches!(added, Err(StoreError::Unknown(id)) if id == "0123456789ab"));
    // And nothing of it is there.
    let right = Spec {
        key: Some("k".to_owned()),
        ..spec("a")
    };
    assert!(!rig.store.add(right, at(1)).await.unwrap().was_there);
}

async fn what_comes_after_something_that_failed_can_be_tried_again_behind_it(rig: Rig) {
    let [first, second, third] = chain(&rig).await;
    let leased = rig.pull(at(1)).await.unwrap();
    rig.end(&leased, failed("exit 1"), at(2)).await;
    let retried = rig.store.retry(&second, at(3)).await;
    assert!(matches!(
        retried,
        Err(StoreError::NotNow { task, state: State::Failed }) if task == first
    ));
    for id in [&first, &second, &third] {
        rig.store.retry(id, at(4)).await.unwrap();
    }
    assert_eq!(rig.all(at(5)).await, ["first", "second", "third"]);
}

async fn what_is_begun_anew_is_waited_for_again(mut rig: Rig) {
    let first = rig.add(spec("first"), at(0)).await;
    let second = Spec {
        after: vec![first.clone()],
        ..spec("second")
    };
    let second = rig.add(second, at(0)).await;
    rig.next(at(1)).await.unwrap();
    rig.store.retry(&first, at(2)).await.unwrap();
    rig.restart().await;
    assert_eq!(rig.task(&second).await.why, Some(format!("after {first}")));
    let leased = rig.pull(at(3)).await.unwrap();
    assert_eq!(leased.task.id, first);
    assert!(rig.pull(at(3)).await.is_none());
    rig.end(&leased, done(), at(4)).await;
    assert_eq!(rig.next(at(5)).await.as_deref(), Some("second"));
}

async fn what_is_forgotten_is_waited_for_no_more(rig: Rig) {
    let [first, second, _] = chain(&rig).await;
    rig.store.cancel(&first, false, at(1)).await.unwrap();
    rig.store.remove(&first, at(2)).await.unwrap();
    assert_eq!(rig.state(&second).await, State::Dead);
    rig.store.retry(&second, at(3)).await.unwrap();
    assert_eq!(rig.next(at(4)).await.as_deref(), Some("second"));
}

async fn ten_minutes_of_waiting_are_worth_one_of_priority(rig: Rig) {
    let minute = 60;
    let urgent = |text: &str| Spec {
        priority: 2,
        ..spec(text)
    };
    rig.add(spec("old"), at(0)).await;
    rig.add(urgent("urgent"), at(19 * minute)).await;
    assert_eq!(rig.next(at(19 * minute)).await.as_deref(), Some("urgent"));
    rig.add(urgent("urgent"), at(20 * minute)).await;
    assert_eq!(rig.next(at(20 * minute)).await.as_deref(), Some("old"));
}

async fn what_was_delayed_ages_from_its_time_on(rig: Rig) {
    let minute = 60;
    let delayed = Spec {
        not_before: Some(at(60 * minute).wall),
        ..spec("delayed")
    };
    rig.add(delayed, at(0)).await;
    rig.add(spec("later"), at(55 * minute)).await;
    assert_eq!(rig.next(at(61 * minute)).await.as_deref(), Some("later"));
    assert_eq!(rig.next(at(61 * minute)).await.as_deref(), Some("delayed"));
}

async fn who_has_least_under_way_is_first(rig: Rig) {
    let of = |submitter: &str, text: &str| Spec {
        submitter: submitter.to_owned(),
        ..spec(text)
    };
    for text in ["a1", "a2", "a3"] {
        rig.add(of("a", text), at(0)).await;
    }
    rig.add(of("b", "b1"), at(1)).await;
    rig.add(of("b", "b2"), at(1)).await;
    let offers = [worker(1)];
    let mut order = Vec::new();
    let mut under_way = Vec::new();
    for _ in 0..4 {
        let leased = rig.pull_for(&offers, at(2)).await.unwrap();
        order.push(leased.task.spec.text.clone());
        under_way.push(leased);
    }
    assert_eq!(order, ["a1", "b1", "a2", "b2"]);
    // What is over does not count.
    for leased in &under_way[..3] {
        rig.end(leased, done(), at(3)).await;
    }
    rig.add(of("b", "b3"), at(0)).await;
    assert_eq!(rig.next(at(4)).await.as_deref(), Some("a3"));
}
