//! What a task becomes when an attempt at it ends, and when it is tried again.

use std::time::Duration;

use jiff::Timestamp;

use crate::store::End;
use crate::task::{Kind, Retry, State, Task, TaskId};

/// By how much of itself a delay may be shorter, so that not all come back at once.
const SPREAD: f64 = 0.2;

/// What comes after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// What its task is in then.
    pub state: State,
    /// Why, where that is not plain.
    pub why: Option<String>,
    /// When it can be tried again.
    pub not_before: Option<Timestamp>,
    /// Does the attempt count?
    pub counts: bool,
    /// May what it did be done twice by the next?
    pub may_repeat: bool,
    /// The attempt's outcome, in a word and more.
    pub outcome: String,
}

/// How long to wait after so many attempts that count, the last one among them. `jitter` is a number by
/// chance from 0 to 1, and makes it shorter by up to a fifth.
#[must_use]
pub fn delay(retry: &Retry, attempts: u32, jitter: f64) -> Duration {
    let times = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
    let factor = match retry.factor.is_finite() {
        true => retry.factor.max(1.0),
        false => 1.0,
    };
    // What is too long for a duration is more than the most, too.
    let at_most = |seconds: f64| {
        Duration::try_from_secs_f64(seconds).map_or(retry.most, |long| long.min(retry.most))
    };
    let long = at_most(retry.backoff.as_secs_f64() * factor.powi(times));
    let jitter = match jitter.is_finite() {
        true => jitter.clamp(0.0, 1.0),
        false => 0.0,
    };
    at_most(long.as_secs_f64() * (1.0 - SPREAD * jitter))
}

/// What becomes of a task when its attempt ends like that.
#[must_use]
pub fn next(task: &Task, end: &End, now: Timestamp, jitter: f64) -> Next {
    let outcome = words(end);
    let attempts = task.attempts.saturating_add(1);
    let retry = &task.spec.retry;
    let later = || {
        let later = delay(retry, attempts, jitter);
        Some(now.checked_add(later).unwrap_or(Timestamp::MAX))
    };
    let is_left = attempts <= retry.max;
    let (state, why, not_before) = match end {
        End::Done(_) => (State::Done, None, None),
        End::Cancelled(_) => (State::Cancelled, None, None),
        // It is not tried again: that is not wanted any more.
        _ if task.cancel.is_some() => (State::Cancelled, Some(outcome.clone()), None),
        // A message arrives, however often that takes: who gets it twice knows it by its id.
        End::Uncertain(_) | End::Lost(_) if task.spec.kind == Kind::Message => {
            (State::Queued, Some(outcome.clone()), later())
        }
        End::Failed(..) | End::Lost(_) if is_left => {
            (State::Queued, Some(outcome.clone()), later())
        }
        End::Failed(why, _) => (State::Failed, Some(why.clone()), None),
        End::Lost(_) => (State::Dead, Some(outcome.clone()), None),
        End::Returned(_, until) => (State::Queued, Some(outcome.clone()), *until),
        End::Uncertain(_) => (State::Held, Some(outcome.clone()), None),
    };
    let before = task.attempt.as_ref();
    Next {
        state,
        why,
        not_before,
        counts: !matches!(end, End::Returned(..)),
        may_repeat: match end {
            End::Lost(_) | End::Uncertain(_) => true,
            // Nothing was done since.
            End::Returned(..) => before.is_some_and(|attempt| attempt.after_lost),
            End::Done(_) | End::Failed(..) | End::Cancelled(_) => false,
        },
        outcome,
    }
}

/// Why a task cannot be begun any more, where one that must be done before it is in that state.
#[must_use]
pub fn after(before: &TaskId, state: State) -> Option<String> {
    (state.is_over() && state != State::Done).then(|| format!("after {before} is {state}"))
}

fn words(end: &End) -> String {
    match end {
        End::Done(_) => "done".to_owned(),
        End::Cancelled(_) => "cancelled".to_owned(),
        End::Failed(why, _) => format!("failed: {why}"),
        End::Returned(why, _) => format!("returned: {why}"),
        End::Lost(why) => format!("lost: {why}"),
        End::Uncertain(why) => format!("uncertain: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::task::{Attempt, Outcome, Spec, Worker};

    fn task(max: u32, attempts: u32) -> Task {
        let spec: Spec = serde_json::from_value(serde_json::json!({
            "text": "make", "group": "default", "submitter": "me"
        }))
        .unwrap();
        let retry = Retry {
            max,
            ..Retry::default()
        };
        Task {
            id: TaskId::by_chance().unwrap(),
            spec: Spec { retry, ..spec },
            state: State::Running,
            why: None,
            added: Timestamp::UNIX_EPOCH,
            not_before: None,
            attempts,
            returned: 0,
            attempt: None,
            cancel: None,
            ended: None,
            exit: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn state(task: &Task, end: &End) -> State {
        next(task, end, at(0), 0.0).state
    }

    #[test]
    fn a_delay_grows_until_it_is_the_most() {
        let retry = Retry::default();
        let minutes = |attempts, jitter| delay(&retry, attempts, jitter).as_secs_f64() / 60.0;
        assert_eq!(
            [1, 2, 3, 4, 5].map(|n| minutes(n, 0.0)),
            [1.0, 3.0, 9.0, 27.0, 30.0]
        );
        assert_eq!([1, 5].map(|n| minutes(n, 1.0)), [0.8, 24.0]);
        assert_eq!(minutes(u32::MAX, 0.0), 30.0);
    }

    #[test]
    fn what_failed_is_tried_again_while_tries_are_left() {
        let failed = End::Failed("exit 3".to_owned(), Outcome::default());
        let first = next(&task(2, 0), &failed, at(100), 0.0);
        assert_eq!(
            (first.state, first.not_before),
            (State::Queued, Some(at(160)))
        );
        assert_eq!((first.counts, first.may_repeat), (true, false));
        let second = next(&task(2, 1), &failed, at(100), 0.0);
        assert_eq!(
            (second.state, second.not_before),
            (State::Queued, Some(at(280)))
        );
        let last = next(&task(2, 2), &failed, at(100), 0.0);
        assert_eq!((last.state, last.not_before), (State::Failed, None));
        assert_eq!(last.why.as_deref(), Some("exit 3"));
        assert_eq!(last.outcome, "failed: exit 3");
    }

    #[test]
    fn what_is_lost_is_tried_again_flagged_else_dead() {
        let lost = End::Lost("its worker is gone".to_owned());
        let first = next(&task(1, 0), &lost, at(0), 0.0);
        assert_eq!((first.state, first.may_repeat), (State::Queued, true));
        let last = next(&task(1, 1), &lost, at(0), 0.0);
        assert_eq!(last.state, State::Dead);
        assert_eq!(last.why.as_deref(), Some("lost: its worker is gone"));
    }

    #[test]
    fn what_is_returned_does_not_count_and_keeps_the_flag() {
        let returned = End::Returned("limited".to_owned(), Some(at(500)));
        let mut task = task(0, 0);
        let back = next(&task, &returned, at(0), 0.0);
        assert_eq!(
            (back.state, back.not_before),
            (State::Queued, Some(at(500)))
        );
        assert_eq!((back.counts, back.may_repeat), (false, false));
        task.attempt = Some(Attempt {
            number: 2,
            nonce: String::new(),
            host: String::new(),
            worker: Worker {
                unit: None,
                socket: String::new(),
                server: String::new(),
                pane: "%1".to_owned(),
                account: None,
            },
            leased: at(0),
            started: None,
            ended: None,
            outcome: None,
            after_lost: true,
        });
        assert!(next(&task, &returned, at(0), 0.0).may_repeat);
    }

    #[test]
    fn a_message_that_is_lost_comes_again_whatever_tries_are_left() {
        let mut task = task(0, 0);
        task.spec.kind = Kind::Message;
        let lost = End::Lost("its worker is gone".to_owned());
        let again = next(&task, &lost, at(100), 0.0);
        assert_eq!(
            (again.state, again.not_before),
            (State::Queued, Some(at(160)))
        );
        assert_eq!((again.counts, again.may_repeat), (true, true));
        let failed = End::Failed("there is no such unit".to_owned(), Outcome::default());
        assert_eq!(state(&task, &failed), State::Failed);
        task.cancel = Some(false);
        assert_eq!(state(&task, &lost), State::Cancelled);
    }

    #[test]
    fn what_is_uncertain_is_held_and_a_message_comes_again() {
        let uncertain = End::Uncertain("the pane is busy".to_owned());
        let mut task = task(0, 0);
        let held = next(&task, &uncertain, at(0), 0.0);
        assert_eq!((held.state, held.may_repeat), (State::Held, true));
        assert_eq!(held.why.as_deref(), Some("uncertain: the pane is busy"));
        task.spec.kind = Kind::Message;
        task.attempts = 7;
        assert_eq!(state(&task, &uncertain), State::Queued);
    }

    #[test]
    fn what_is_to_be_cancelled_is_not_tried_again_but_may_be_done() {
        let mut task = task(9, 0);
        task.cancel = Some(false);
        let outcome = Outcome::default;
        assert_eq!(state(&task, &End::Done(outcome())), State::Done);
        for end in [
            End::Failed(String::new(), outcome()),
            End::Lost(String::new()),
            End::Returned(String::new(), None),
            End::Uncertain(String::new()),
            End::Cancelled(outcome()),
        ] {
            assert_eq!(state(&task, &end), State::Cancelled, "{end:?}");
        }
    }

    #[test]
    fn only_what_ended_otherwise_than_done_stops_what_comes_after_it() {
        let id: TaskId = "0123456789ab".parse().unwrap();
        let stops = State::ALL.map(|state| after(&id, state));
        let stops: Vec<_> = stops.into_iter().flatten().collect();
        let why = |state| format!("after 0123456789ab is {state}");
        assert_eq!(stops, ["failed", "cancelled", "dead"].map(why));
    }

    proptest! {
        #[test]
        fn a_delay_is_never_longer_than_the_most(
            backoff in 0_u64..1 << 40, factor in any::<f64>(), most in 0_u64..1 << 40,
            attempts in any::<u32>(), jitter in any::<f64>(),
        ) {
            let (backoff, most) = (Duration::from_secs(backoff), Duration::from_secs(most));
            let retry = Retry { max: 1, backoff, factor, most };
            prop_assert!(delay(&retry, attempts, jitter) <= most);
        }
    }
}
