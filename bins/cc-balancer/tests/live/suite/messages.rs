//! Messages arrive in the order in which they were added.

use cc_balancer::store::{End, Step};
use cc_balancer::task::{Kind, Spec, State};

use super::{Check, Rig, at, checks, done, failed, message, spec, tried, worker};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        messages_to_one_come_in_the_order_they_were_added,
        one_that_is_stuck_holds_up_those_behind_it_and_nobody_else,
        one_that_waits_for_its_time_holds_up_those_behind_it,
        one_that_is_over_holds_up_nobody,
        one_that_is_uncertain_comes_again_before_the_others,
        one_whose_lease_is_lost_comes_again_before_the_others,
        one_that_is_begun_anew_is_before_the_others_again,
        messages_for_anybody_have_no_order,
        nothing_behind_another_is_due,
    ]
}

async fn messages_to_one_come_in_the_order_they_were_added(mut rig: Rig) {
    for n in 0..10 {
        let urgent = Spec {
            priority: n,
            submitter: format!("s{}", n % 3),
            group: format!("g{}", n % 2),
            ..message(&n.to_string(), "w1")
        };
        rig.add(urgent, at(0)).await;
    }
    rig.restart().await;
    for n in 0..10 {
        let leased = rig.pull(at(1)).await.unwrap();
        assert_eq!(leased.task.spec.text, n.to_string());
        assert!(rig.pull(at(1)).await.is_none());
        rig.end(&leased, done(), at(1)).await;
    }
}

async fn one_that_is_stuck_holds_up_those_behind_it_and_nobody_else(rig: Rig) {
    let stuck = rig.add(message("stuck", "w1"), at(0)).await;
    rig.add(message("behind", "w1"), at(0)).await;
    rig.store.hold(&stuck, true, at(1)).await.unwrap();
    assert!(rig.pull(at(1)).await.is_none());
    // By another name it is another recipient, and tasks have no such order.
    rig.add(message("by pane", "%1"), at(2)).await;
    let task = Spec {
        to: Some("w1".to_owned()),
        ..spec("task")
    };
    rig.add(task, at(2)).await;
    let mut all = rig.all(at(3)).await;
    all.sort();
    assert_eq!(all, ["by pane", "task"]);
    rig.store.hold(&stuck, false, at(4)).await.unwrap();
    let leased = rig.pull(at(5)).await.unwrap();
    assert_eq!(leased.task.id, stuck);
    rig.step(&leased, Step::Delivering, at(5)).await;
    assert!(rig.pull(at(6)).await.is_none());
    rig.end(&leased, done(), at(7)).await;
    assert_eq!(rig.next(at(8)).await.as_deref(), Some("behind"));
}

async fn one_that_waits_for_its_time_holds_up_those_behind_it(rig: Rig) {
    let later = Spec {
        not_before: Some(at(100).wall),
        ..message("later", "w1")
    };
    rig.add(later, at(0)).await;
    let task = rig.add(tried("task", 1), at(0)).await;
    let after = Spec {
        after: vec![task],
        ..message("after", "w2")
    };
    rig.add(after, at(0)).await;
    rig.add(message("behind later", "w1"), at(0)).await;
    rig.add(message("behind after", "w2"), at(0)).await;
    assert_eq!(rig.store.next_due(at(1)).await.unwrap(), Some(at(100).wall));
    let both = [worker(1), worker(2)];
    let leased = rig.pull_for(&both, at(2)).await.unwrap();
    assert_eq!(leased.task.spec.text, "task");
    assert!(rig.pull_for(&both, at(3)).await.is_none());
    rig.end(&leased, done(), at(4)).await;
    for (second, text) in [
        (5, "after"),
        (6, "behind after"),
        (100, "later"),
        (101, "behind later"),
    ] {
        let leased = rig.pull_for(&both, at(second)).await.unwrap();
        assert_eq!(leased.task.spec.text, text);
        rig.end(&leased, done(), at(second)).await;
    }
}

async fn one_that_is_over_holds_up_nobody(rig: Rig) {
    let cancelled = rig.add(message("cancelled", "w1"), at(0)).await;
    rig.add(message("failed", "w1"), at(0)).await;
    rig.add(message("last", "w1"), at(0)).await;
    rig.store.cancel(&cancelled, false, at(1)).await.unwrap();
    let leased = rig.pull(at(2)).await.unwrap();
    assert_eq!(
        rig.end(&leased, failed("no pane"), at(2)).await,
        State::Failed
    );
    assert_eq!(rig.next(at(3)).await.as_deref(), Some("last"));
}

async fn one_that_is_uncertain_comes_again_before_the_others(mut rig: Rig) {
    let first = rig.add(message("first", "w1"), at(0)).await;
    rig.add(message("second", "w1"), at(0)).await;
    for n in 0..3 {
        let later = 10_000 * n;
        let leased = rig.pull(at(later)).await.unwrap();
        assert_eq!(leased.task.id, first);
        assert_eq!(leased.task.attempt.as_ref().unwrap().after_lost, n > 0);
        rig.step(&leased, Step::Delivering, at(later)).await;
        let uncertain = End::Uncertain("the pane is busy".to_owned());
        assert_eq!(rig.end(&leased, uncertain, at(later)).await, State::Queued);
        rig.restart().await;
    }
    assert_eq!(rig.next(at(90_000)).await.as_deref(), Some("first"));
    assert_eq!(rig.next(at(90_000)).await.as_deref(), Some("second"));
}

async fn one_whose_lease_is_lost_comes_again_before_the_others(mut rig: Rig) {
    let first = rig.add(message("first", "w1"), at(0)).await;
    rig.add(message("second", "w1"), at(0)).await;
    // No try is left to either of them: a message arrives all the same.
    for n in 0..3 {
        let later = 10_000 * n;
        let leased = rig.pull(at(later)).await.unwrap();
        assert_eq!(leased.task.id, first);
        assert_eq!(leased.task.attempt.as_ref().unwrap().after_lost, n > 0);
        rig.step(&leased, Step::Delivering, at(later)).await;
        match n {
            0 => {
                let lost = End::Lost("its worker is gone".to_owned());
                assert_eq!(rig.end(&leased, lost, at(later)).await, State::Queued);
            }
            _ => {
                let gone = rig.store.expire(at(later + 60)).await.unwrap();
                assert_eq!(gone, [leased.fence]);
                assert_eq!(rig.state(&first).await, State::Queued);
            }
        }
        rig.restart().await;
    }
    assert_eq!(rig.next(at(90_000)).await.as_deref(), Some("first"));
    assert_eq!(rig.next(at(90_000)).await.as_deref(), Some("second"));
}

async fn one_that_is_begun_anew_is_before_the_others_again(rig: Rig) {
    let first = rig.add(message("first", "w1"), at(0)).await;
    rig.add(message("second", "w1"), at(0)).await;
    assert_eq!(rig.next(at(1)).await.as_deref(), Some("first"));
    rig.store.retry(&first, at(2)).await.unwrap();
    assert_eq!(rig.all(at(3)).await, ["first", "second"]);
}

async fn messages_for_anybody_have_no_order(rig: Rig) {
    for (text, priority) in [("first", 0), ("second", 1)] {
        let anybody = Spec {
            kind: Kind::Message,
            priority,
            ..spec(text)
        };
        rig.add(anybody, at(0)).await;
    }
    let leased = rig.pull(at(1)).await.unwrap();
    assert_eq!(leased.task.spec.text, "second");
    assert!(rig.pull(at(1)).await.is_some());
}

async fn nothing_behind_another_is_due(rig: Rig) {
    let first = rig.add(message("first", "w1"), at(0)).await;
    rig.store.hold(&first, true, at(0)).await.unwrap();
    let later = Spec {
        not_before: Some(at(100).wall),
        ..message("later", "w1")
    };
    rig.add(later, at(0)).await;
    assert_eq!(rig.store.next_due(at(1)).await.unwrap(), None);
}
