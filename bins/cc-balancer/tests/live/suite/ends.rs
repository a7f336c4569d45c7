//! What becomes of a task.

use std::time::Duration;

use cc_balancer::store::{End, Leased, Step};
use cc_balancer::task::{Outcome, State, Task};

use super::{Check, Rig, at, checks, done, failed, spec, tried};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        what_is_done_has_an_outcome_that_stays,
        what_failed_is_tried_again_later_and_later_and_then_failed,
        what_is_returned_does_not_count,
        the_flag_stays_until_something_is_done_again,
        what_is_lost_and_may_not_be_tried_again_is_dead,
        what_is_uncertain_is_held_until_somebody_looks,
        what_was_cancelled_under_way_is_cancelled,
    ]
}

/// A task that is running.
async fn running(rig: &Rig, seconds: u64) -> Leased {
    let leased = rig.pull(at(seconds)).await.unwrap();
    rig.step(&leased, Step::Running, at(seconds)).await;
    leased
}

async fn what_is_done_has_an_outcome_that_stays(mut rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    assert_eq!(rig.store.outcome(&id).await.unwrap(), None);
    let leased = running(&rig, 1).await;
    let outcome = Outcome {
        text: "line\n\u{1b}[1mä\0 ".repeat(10_000),
        is_cut: true,
        exit: Some(0),
        check: Some("ok".to_owned()),
    };
    assert_eq!(
        rig.end(&leased, End::Done(outcome.clone()), at(9)).await,
        State::Done
    );
    rig.restart().await;
    assert_eq!(rig.store.outcome(&id).await.unwrap(), Some(outcome));
    let task = rig.task(&id).await;
    assert_eq!((task.state, task.why.as_deref()), (State::Done, None));
    assert_eq!((task.exit, task.ended), (Some(0), Some(at(9).wall)));
    assert_eq!((task.attempts, task.returned), (1, 0));
    let attempt = task.attempt.unwrap();
    assert_eq!(attempt.ended, Some(at(9).wall));
    assert_eq!(attempt.outcome.as_deref(), Some("done"));
    assert!(rig.pull(at(1000)).await.is_none());
}

/// Is it queued, not before so long, which may be a fifth less?
fn waits(task: &Task, from: u64, long: u64) {
    assert_eq!(task.state, State::Queued);
    let not_before = task.not_before.expect("a time");
    let waits = Duration::try_from(not_before.duration_since(at(from).wall)).unwrap();
    let long = Duration::from_secs(long);
    assert!(
        waits <= long && waits >= long.mul_f64(0.8),
        "{waits:?} of {long:?}"
    );
}

async fn what_failed_is_tried_again_later_and_later_and_then_failed(mut rig: Rig) {
    let id = rig.add(tried("a", 2), at(0)).await;
    let with = |exit| Outcome {
        text: format!("exit {exit}"),
        exit: Some(exit),
        ..Outcome::default()
    };
    let leased = running(&rig, 0).await;
    let end = End::Failed("exit 3".to_owned(), with(3));
    assert_eq!(rig.end(&leased, end, at(0)).await, State::Queued);
    let task = rig.task(&id).await;
    waits(&task, 0, 60);
    assert_eq!((task.attempts, task.ended), (1, None));
    assert_eq!(rig.store.outcome(&id).await.unwrap(), Some(with(3)));
    assert!(rig.pull(at(47)).await.is_none());
    assert_eq!(rig.store.next_due(at(1)).await.unwrap(), task.not_before);
    rig.restart().await;
    let leased = running(&rig, 60).await;
    assert!(!leased.task.attempt.as_ref().unwrap().after_lost);
    let end = End::Failed("exit 4".to_owned(), with(4));
    assert_eq!(rig.end(&leased, end, at(60)).await, State::Queued);
    waits(&rig.task(&id).await, 60, 120);
    let leased = running(&rig, 200).await;
    let end = End::Failed("exit 5".to_owned(), with(5));
    assert_eq!(rig.end(&leased, end, at(201)).await, State::Failed);
    let task = rig.task(&id).await;
    assert_eq!((task.attempts, task.exit), (3, Some(5)));
    assert_eq!(task.why.as_deref(), Some("exit 5"));
    assert_eq!(task.ended, Some(at(201).wall));
    let attempts = rig.store.attempts(&id).await.unwrap();
    let outcomes = attempts.into_iter().map(|attempt| attempt.outcome.unwrap());
    let all = ["failed: exit 3", "failed: exit 4", "failed: exit 5"];
    assert_eq!(outcomes.collect::<Vec<_>>(), all);
    assert_eq!(rig.store.outcome(&id).await.unwrap(), Some(with(5)));
    assert!(rig.pull(at(10_000)).await.is_none());
}

async fn what_is_returned_does_not_count(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    for n in 0..5 {
        let leased = rig.pull(at(100 * n)).await.unwrap();
        let until = at(100 * n + 50).wall;
        let end = End::Returned("limited".to_owned(), Some(until));
        assert_eq!(rig.end(&leased, end, at(100 * n + 1)).await, State::Queued);
        let task = rig.task(&id).await;
        assert_eq!((task.attempts, u64::from(task.returned)), (0, n + 1));
        assert_eq!(task.not_before, Some(until));
        assert!(rig.pull(at(100 * n + 49)).await.is_none());
    }
    // Without a time: at once.
    let leased = rig.pull(at(1000)).await.unwrap();
    rig.end(&leased, End::Returned("gone".to_owned(), None), at(1000))
        .await;
    let leased = rig.pull(at(1000)).await.unwrap();
    assert!(!leased.task.attempt.as_ref().unwrap().after_lost);
    assert_eq!(
        rig.end(&leased, failed("exit 1"), at(1001)).await,
        State::Failed
    );
}

async fn the_flag_stays_until_something_is_done_again(rig: Rig) {
    let id = rig.add(tried("a", 9), at(0)).await;
    let flag = async |seconds| {
        let leased = running(&rig, seconds).await;
        let flag = leased.task.attempt.as_ref().unwrap().after_lost;
        (leased, flag)
    };
    let (leased, is_flagged) = flag(0).await;
    assert!(!is_flagged);
    rig.end(&leased, End::Lost("gone".to_owned()), at(0)).await;
    let (leased, is_flagged) = flag(10_000).await;
    assert!(is_flagged);
    // Nothing was done since.
    rig.end(
        &leased,
        End::Returned("limited".to_owned(), None),
        at(10_000),
    )
    .await;
    let (leased, is_flagged) = flag(20_000).await;
    assert!(is_flagged);
    rig.end(&leased, failed("exit 1"), at(20_000)).await;
    let (leased, is_flagged) = flag(30_000).await;
    assert!(!is_flagged);
    rig.end(&leased, done(), at(30_000)).await;
    let flags = rig.store.attempts(&id).await.unwrap();
    let flags: Vec<_> = flags.iter().map(|attempt| attempt.after_lost).collect();
    assert_eq!(flags, [false, true, true, false]);
}

async fn what_is_lost_and_may_not_be_tried_again_is_dead(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    let leased = running(&rig, 0).await;
    assert_eq!(
        rig.end(&leased, End::Lost("gone".to_owned()), at(1)).await,
        State::Dead
    );
    let task = rig.task(&id).await;
    assert_eq!(task.why.as_deref(), Some("lost: gone"));
    assert_eq!(task.ended, Some(at(1).wall));
    assert_eq!(rig.store.outcome(&id).await.unwrap(), None);
    assert_eq!(rig.kinds(&id).await[3..], ["lost", "dead"]);
}

async fn what_is_uncertain_is_held_until_somebody_looks(mut rig: Rig) {
    let id = rig.add(tried("a", 9), at(0)).await;
    let leased = rig.pull(at(0)).await.unwrap();
    rig.step(&leased, Step::Delivering, at(0)).await;
    let uncertain = End::Uncertain("the pane went".to_owned());
    assert_eq!(rig.end(&leased, uncertain, at(1)).await, State::Held);
    rig.restart().await;
    let task = rig.task(&id).await;
    assert_eq!(task.why.as_deref(), Some("uncertain: the pane went"));
    assert!(rig.pull(at(100_000)).await.is_none());
    rig.store.hold(&id, false, at(100_001)).await.unwrap();
    let leased = rig.pull(at(100_002)).await.unwrap();
    assert!(leased.task.attempt.unwrap().after_lost);
}

async fn what_was_cancelled_under_way_is_cancelled(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    let leased = running(&rig, 0).await;
    let outcome = Outcome {
        text: "as far as it came".to_owned(),
        ..Outcome::default()
    };
    let end = End::Cancelled(outcome.clone());
    assert_eq!(rig.end(&leased, end, at(1)).await, State::Cancelled);
    assert_eq!(rig.store.outcome(&id).await.unwrap(), Some(outcome));
    let task = rig.task(&id).await;
    assert_eq!(task.ended, Some(at(1).wall));
    assert_eq!(task.attempt.unwrap().outcome.as_deref(), Some("cancelled"));
}
