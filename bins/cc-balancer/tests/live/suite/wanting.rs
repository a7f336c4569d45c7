//! Somebody changes their mind.

use cc_balancer::store::{Cancelling, Edit, End, Step, StoreError};
use cc_balancer::task::{State, TaskId};

use super::{Check, Rig, at, checks, done, failed, labels, spec, tried};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        what_waits_is_cancelled_at_once,
        what_is_under_way_is_told_of_it,
        what_is_to_be_cancelled_is_not_tried_again,
        what_is_over_is_not_cancelled,
        what_is_held_is_not_begun_until_it_is_released,
        what_waits_can_be_edited,
        what_is_over_can_be_begun_anew,
        what_waits_or_is_under_way_cannot_be_begun_anew,
        nothing_is_wanted_of_what_is_not_there,
    ]
}

async fn what_waits_is_cancelled_at_once(mut rig: Rig) {
    let queued = rig.add(spec("queued"), at(0)).await;
    let held = rig.add(spec("held"), at(0)).await;
    rig.store.hold(&held, true, at(0)).await.unwrap();
    for id in [&queued, &held] {
        let cancelling = rig.store.cancel(id, false, at(1)).await.unwrap();
        assert_eq!(cancelling, Cancelling::Cancelled);
        let task = rig.task(id).await;
        assert_eq!(
            (task.state, task.ended),
            (State::Cancelled, Some(at(1).wall))
        );
        assert_eq!(rig.kinds(id).await.last().unwrap(), "cancelled");
    }
    rig.restart().await;
    assert!(rig.pull(at(2)).await.is_none());
}

async fn what_is_under_way_is_told_of_it(mut rig: Rig) {
    for step in [
        None,
        Some(Step::Delivering),
        Some(Step::Running),
        Some(Step::Blocked(String::new())),
        Some(Step::Verifying),
    ] {
        let id = rig.add(spec("a"), at(0)).await;
        let leased = rig.pull(at(0)).await.unwrap();
        if let Some(step) = step {
            rig.step(&leased, step, at(0)).await;
        }
        let state = rig.state(&id).await;
        let mut changes = rig.store.changes();
        let cancel = async |force| rig.store.cancel(&id, force, at(1)).await.unwrap();
        assert_eq!(cancel(false).await, Cancelling::Asked);
        assert_eq!(changes.recv().await.unwrap().kind, "cancel");
        let task = rig.task(&id).await;
        assert_eq!((task.state, task.cancel), (state, Some(false)));
        // Force is not taken back.
        assert_eq!(cancel(true).await, Cancelling::Asked);
        assert_eq!(cancel(false).await, Cancelling::Asked);
        rig.restart().await;
        assert_eq!(rig.task(&id).await.cancel, Some(true));
        rig.store
            .beat(&leased.fence, super::LEASE, at(2))
            .await
            .unwrap();
        let end = End::Cancelled(cc_balancer::task::Outcome::default());
        assert_eq!(rig.end(&leased, end, at(3)).await, State::Cancelled);
    }
}

async fn what_is_to_be_cancelled_is_not_tried_again(rig: Rig) {
    for (end, state) in [
        (failed("exit 1"), State::Cancelled),
        (End::Lost("gone".to_owned()), State::Cancelled),
        (End::Returned("limited".to_owned(), None), State::Cancelled),
        (End::Uncertain("?".to_owned()), State::Cancelled),
        (done(), State::Done),
    ] {
        rig.add(tried("a", 9), at(0)).await;
        let leased = rig.pull(at(0)).await.unwrap();
        let id = &leased.task.id;
        rig.store.cancel(id, false, at(1)).await.unwrap();
        assert_eq!(rig.end(&leased, end, at(2)).await, state);
    }
    let id = rig.add(tried("a", 9), at(0)).await;
    let leased = rig.pull(at(0)).await.unwrap();
    rig.step(&leased, Step::Running, at(0)).await;
    rig.store.cancel(&id, false, at(1)).await.unwrap();
    rig.store.expire(at(60)).await.unwrap();
    assert_eq!(rig.state(&id).await, State::Cancelled);
}

async fn what_is_over_is_not_cancelled(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    rig.next(at(0)).await.unwrap();
    let cancelling = rig.store.cancel(&id, true, at(1)).await.unwrap();
    assert_eq!(cancelling, Cancelling::Over);
    let task = rig.task(&id).await;
    assert_eq!((task.state, task.cancel), (State::Done, None));
}

async fn what_is_held_is_not_begun_until_it_is_released(mut rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    rig.store.hold(&id, true, at(1)).await.unwrap();
    rig.restart().await;
    assert_eq!(rig.state(&id).await, State::Held);
    assert!(rig.pull(at(2)).await.is_none());
    rig.store.hold(&id, false, at(3)).await.unwrap();
    let leased = rig.pull(at(4)).await.unwrap();
    for (is_held, state) in [(true, State::Leased), (false, State::Leased)] {
        refused(rig.store.hold(&id, is_held, at(5)).await, &id, state);
    }
    rig.end(&leased, done(), at(6)).await;
    refused(rig.store.hold(&id, true, at(7)).await, &id, State::Done);
    assert_eq!(rig.kinds(&id).await[..3], ["added", "held", "released"]);
}

fn refused(answer: Result<(), StoreError>, id: &TaskId, expected: State) {
    match answer {
        Err(StoreError::NotNow { task, state }) => assert_eq!((&task, state), (id, expected)),
        other => panic!("{other:?}"),
    }
}

async fn what_waits_can_be_edited(mut rig: Rig) {
    rig.add(spec("first"), at(0)).await;
    let id = rig.add(spec("second"), at(0)).await;
    let urgent = Edit {
        text: Some("edited".to_owned()),
        priority: Some(5),
        needs: None,
    };
    rig.store.edit(&id, urgent.clone(), at(1)).await.unwrap();
    rig.restart().await;
    let task = rig.task(&id).await;
    assert_eq!((task.spec.text.as_str(), task.spec.priority), ("edited", 5));
    let needs = Edit {
        needs: Some(labels(&[("role", "ci")])),
        ..Edit::default()
    };
    rig.store.edit(&id, needs, at(2)).await.unwrap();
    // It is not for that worker any more.
    assert_eq!(rig.next(at(3)).await.as_deref(), Some("first"));
    assert!(rig.pull(at(3)).await.is_none());
    rig.store.hold(&id, true, at(4)).await.unwrap();
    let needs = Edit {
        needs: Some(labels(&[])),
        ..Edit::default()
    };
    rig.store.edit(&id, needs, at(4)).await.unwrap();
    assert_eq!(rig.state(&id).await, State::Held);
    rig.store.hold(&id, false, at(5)).await.unwrap();
    let leased = rig.pull(at(6)).await.unwrap();
    assert_eq!(leased.task.spec.text, "edited");
    refused(
        rig.store.edit(&id, urgent.clone(), at(7)).await,
        &id,
        State::Leased,
    );
    rig.end(&leased, done(), at(8)).await;
    refused(rig.store.edit(&id, urgent, at(9)).await, &id, State::Done);
    assert!(rig.kinds(&id).await.contains(&"edited".to_owned()));
}

async fn what_is_over_can_be_begun_anew(mut rig: Rig) {
    for end in [done(), failed("exit 1"), End::Lost("gone".to_owned())] {
        let id = rig.add(spec("a"), at(0)).await;
        let first = rig.pull(at(0)).await.unwrap();
        rig.store.cancel(&id, false, at(0)).await.unwrap();
        rig.end(&first, end, at(1)).await;
        rig.store.retry(&id, at(2)).await.unwrap();
        rig.restart().await;
        let task = rig.task(&id).await;
        assert_eq!((task.state, task.why), (State::Queued, None));
        assert_eq!((task.attempts, task.returned), (0, 0));
        assert_eq!((task.cancel, task.ended, task.exit), (None, None, None));
        let again = rig.pull(at(3)).await.unwrap();
        assert_eq!(again.fence.number, 2);
        assert!(rig.is_lost(&first, at(4)).await);
        assert_eq!(rig.end(&again, done(), at(5)).await, State::Done);
        assert_eq!(rig.store.attempts(&id).await.unwrap().len(), 2);
    }
    let id = rig.add(spec("a"), at(0)).await;
    rig.store.hold(&id, true, at(1)).await.unwrap();
    rig.store.retry(&id, at(2)).await.unwrap();
    assert_eq!(rig.state(&id).await, State::Queued);
    assert_eq!(rig.kinds(&id).await, ["added", "held", "retry"]);
}

async fn what_waits_or_is_under_way_cannot_be_begun_anew(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    refused(rig.store.retry(&id, at(1)).await, &id, State::Queued);
    rig.pull(at(2)).await.unwrap();
    refused(rig.store.retry(&id, at(3)).await, &id, State::Leased);
}

async fn nothing_is_wanted_of_what_is_not_there(rig: Rig) {
    let id: TaskId = "0123456789ab".parse().unwrap();
    let store = &rig.store;
    for error in [
        store.cancel(&id, false, at(0)).await.err(),
        store.retry(&id, at(0)).await.err(),
        store.hold(&id, true, at(0)).await.err(),
        store.edit(&id, Edit::default(), at(0)).await.err(),
        store.remove(&id, at(0)).await.err(),
    ] {
        assert!(matches!(error, Some(StoreError::Unknown(_))), "{error:?}");
    }
}
