//! Tasks come, are found, and go.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use cc_balancer::store::{Query, StoreError};
use cc_balancer::task::{Kind, Retry, Spec, State, TaskId};

use super::{Check, Rig, at, checks, done, failed, labels, message, spec, worker};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        an_added_task_is_there_after_a_restart_as_it_was_given,
        a_store_that_was_not_closed_has_it_too,
        a_task_is_found_by_the_beginning_of_its_id,
        of_two_with_the_same_key_there_is_the_first,
        what_is_asked_for_is_found_the_newest_first,
        each_state_is_counted,
        what_is_over_can_be_forgotten_and_nothing_else,
        what_was_over_before_a_moment_is_tidied_away,
        what_happens_is_told_and_kept,
        many_at_once_are_all_added,
        a_closed_store_does_nothing_more,
    ]
}

async fn an_added_task_is_there_after_a_restart_as_it_was_given(mut rig: Rig) {
    let before = rig.add(spec("before"), at(0)).await;
    let given = Spec {
        text: "line\nä \u{1b}[31m \0 \"'; DROP TABLE task".to_owned(),
        needs: labels(&[("role", "ci"), ("repo", "a b")]),
        to: Some("coder@1".to_owned()),
        group: "ci".to_owned(),
        priority: -7,
        submitter: "somebody".to_owned(),
        key: Some("k".to_owned()),
        after: vec![before],
        not_before: Some(at(100).wall),
        timeout: Some(Duration::from_millis(1500)),
        retry: Retry {
            max: 3,
            ..Retry::default()
        },
        check: Some(vec!["./check".to_owned(), "a b".to_owned()]),
        cwd: Some(PathBuf::from("/src")),
        affinity: Some("app".to_owned()),
        ..spec("")
    };
    let added = rig.store.add(given.clone(), at(5)).await.unwrap();
    assert!(!added.was_there);
    let first = rig.task(&added.id).await;
    rig.restart().await;
    let task = rig.task(&added.id).await;
    assert_eq!(task, first);
    assert_eq!((task.id, task.spec), (added.id, given));
    assert_eq!((task.state, task.added), (State::Queued, at(5).wall));
    assert_eq!(task.not_before, Some(at(100).wall));
    assert_eq!((task.attempts, task.returned), (0, 0));
    assert_eq!((task.attempt, task.cancel), (None, None));
    assert_eq!((task.ended, task.exit), (None, None));
}

async fn a_store_that_was_not_closed_has_it_too(rig: Rig) {
    let id = rig.add(spec("a"), at(0)).await;
    let Rig { place, store } = rig;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.task(id.as_str()).await.unwrap().spec, spec("a"));
}

async fn a_task_is_found_by_the_beginning_of_its_id(rig: Rig) {
    // Of more tasks than there are letters, two begin alike.
    let mut firsts = BTreeSet::new();
    let mut shared = None;
    let mut last = rig.add(spec("first"), at(0)).await;
    for _ in 0..33 {
        let first = last.as_str()[..1].to_owned();
        if !firsts.insert(first.clone()) {
            shared = Some(first);
        }
        last = rig.add(spec("more"), at(0)).await;
    }
    let shared = shared.unwrap();
    let found = rig.store.task(&shared).await;
    assert!(matches!(found, Err(StoreError::Ambiguous(of)) if of == shared));
    assert_eq!(rig.task(&last).await.id, last);
    assert_eq!(rig.store.task(&last.as_str()[..11]).await.unwrap().id, last);
    let nobody: TaskId = "0123456789ab".parse().unwrap();
    for unknown in [nobody.as_str(), "", "u", "%", "0123456789abc"] {
        let found = rig.store.task(unknown).await;
        assert!(matches!(found, Err(StoreError::Unknown(_))), "{unknown:?}");
    }
    assert!(matches!(
        rig.store.events(&nobody).await,
        Err(StoreError::Unknown(_))
    ));
    assert!(matches!(
        rig.store.outcome(&nobody).await,
        Err(StoreError::Unknown(_))
    ));
    assert!(matches!(
        rig.store.attempts(&nobody).await,
        Err(StoreError::Unknown(_))
    ));
}

async fn of_two_with_the_same_key_there_is_the_first(mut rig: Rig) {
    let keyed = |text: &str| Spec {
        key: Some("run 7".to_owned()),
        ..spec(text)
    };
    let adds = (0..8).map(|n| {
        let store = rig.store.clone();
        let spec = keyed(&n.to_string());
        tokio::spawn(async move { store.add(spec, at(0)).await.unwrap() })
    });
    let mut all = Vec::new();
    for add in adds.collect::<Vec<_>>() {
        all.push(add.await.unwrap());
    }
    let ids: BTreeSet<_> = all.iter().map(|added| added.id.clone()).collect();
    assert_eq!(ids.len(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|added| !added.was_there).count(), 1);
    rig.restart().await;
    let again = rig.store.add(keyed("again"), at(1)).await.unwrap();
    assert!(again.was_there && ids.contains(&again.id));
    // One that is over is there still.
    let leased = rig.pull(at(2)).await.unwrap();
    rig.end(&leased, done(), at(3)).await;
    assert!(
        rig.store
            .add(keyed("again"), at(4))
            .await
            .unwrap()
            .was_there
    );
    let other = Spec {
        key: Some("run 8".to_owned()),
        ..spec("other")
    };
    assert!(!rig.store.add(other, at(5)).await.unwrap().was_there);
}

async fn what_is_asked_for_is_found_the_newest_first(rig: Rig) {
    let in_ci = Spec {
        group: "ci".to_owned(),
        needs: labels(&[("role", "ci"), ("repo", "app")]),
        ..spec("a")
    };
    rig.add(in_ci, at(0)).await;
    let to_coder = Spec {
        to: Some("coder".to_owned()),
        needs: labels(&[("role", "ci")]),
        ..spec("b")
    };
    rig.add(to_coder, at(1)).await;
    rig.add(message("c", "coder"), at(2)).await;
    let held = rig.add(spec("d"), at(3)).await;
    rig.store.hold(&held, true, at(4)).await.unwrap();
    let texts = async |query: Query| {
        let tasks = rig.store.tasks(query).await.unwrap();
        let texts = tasks.into_iter().map(|task| task.spec.text);
        texts.collect::<Vec<_>>().concat()
    };
    let all = Query::default;
    assert_eq!(texts(all()).await, "dcba");
    assert_eq!(texts(Query { most: 2, ..all() }).await, "dc");
    let states = |states: &[State]| Query {
        states: states.to_vec(),
        ..all()
    };
    assert_eq!(texts(states(&[State::Held])).await, "d");
    assert_eq!(texts(states(&[State::Queued, State::Done])).await, "cba");
    assert_eq!(texts(states(&[State::Done])).await, "");
    let needs = |pairs| Query {
        needs: labels(pairs),
        ..all()
    };
    assert_eq!(texts(needs(&[("role", "ci")])).await, "ba");
    assert_eq!(texts(needs(&[("role", "ci"), ("repo", "app")])).await, "a");
    assert_eq!(texts(needs(&[("role", "other")])).await, "");
    let group = Some("ci".to_owned());
    assert_eq!(texts(Query { group, ..all() }).await, "a");
    let to = || Some("coder".to_owned());
    assert_eq!(texts(Query { to: to(), ..all() }).await, "cb");
    let kind = Some(Kind::Task);
    let most = 1;
    let query = Query {
        to: to(),
        kind,
        most,
        ..all()
    };
    assert_eq!(texts(query).await, "b");
}

async fn each_state_is_counted(mut rig: Rig) {
    assert!(rig.store.counts().await.unwrap().values().all(|n| *n == 0));
    for text in ["a", "b", "c", "d"] {
        rig.add(spec(text), at(0)).await;
    }
    let later = Spec {
        not_before: Some(at(1000).wall),
        ..spec("later")
    };
    let later = rig.add(later, at(0)).await;
    let leased = rig.pull(at(1)).await.unwrap();
    rig.end(&leased, failed("exit 1"), at(2)).await;
    rig.pull(at(3)).await.unwrap();
    let expected = [(State::Queued, 3), (State::Leased, 1), (State::Failed, 1)];
    let counted = async |rig: &Rig| {
        let mut counts = rig.store.counts().await.unwrap();
        counts.retain(|_, n| *n > 0);
        counts
    };
    assert_eq!(counted(&rig).await, expected.into());
    rig.restart().await;
    assert_eq!(counted(&rig).await, expected.into());
    rig.store.hold(&later, true, at(4)).await.unwrap();
    rig.store.remove(&leased.task.id, at(4)).await.unwrap();
    let expected = [(State::Queued, 2), (State::Held, 1), (State::Leased, 1)];
    assert_eq!(counted(&rig).await, expected.into());
}

async fn what_is_over_can_be_forgotten_and_nothing_else(mut rig: Rig) {
    let keyed = Spec {
        key: Some("k".to_owned()),
        ..spec("a")
    };
    let id = rig.add(keyed.clone(), at(0)).await;
    let refused = async |state| {
        let removed = rig.store.remove(&id, at(1)).await;
        assert!(matches!(
            removed,
            Err(StoreError::NotNow { task, state: of }) if task == id && of == state
        ));
    };
    refused(State::Queued).await;
    rig.store.hold(&id, true, at(1)).await.unwrap();
    refused(State::Held).await;
    rig.store.hold(&id, false, at(1)).await.unwrap();
    let leased = rig.pull(at(2)).await.unwrap();
    refused(State::Leased).await;
    rig.end(&leased, done(), at(3)).await;
    let follows = Spec {
        after: vec![id.clone()],
        ..spec("follows")
    };
    let follows = rig.add(follows, at(3)).await;
    rig.store.remove(&id, at(4)).await.unwrap();
    rig.restart().await;
    let found = rig.store.task(id.as_str()).await;
    assert!(matches!(found, Err(StoreError::Unknown(_))));
    let removed = rig.store.remove(&id, at(5)).await;
    assert!(matches!(removed, Err(StoreError::Unknown(_))));
    assert!(rig.is_lost(&leased, at(5)).await);
    // Its key is free, and what came after it comes.
    assert!(!rig.store.add(keyed, at(6)).await.unwrap().was_there);
    assert_eq!(rig.pull(at(7)).await.unwrap().task.id, follows);
}

async fn what_was_over_before_a_moment_is_tidied_away(rig: Rig) {
    for n in 0..3 {
        rig.add(spec(&n.to_string()), at(0)).await;
        let leased = rig.pull(at(10 * n)).await.unwrap();
        rig.end(&leased, done(), at(10 * n)).await;
    }
    let waits = rig.add(spec("waits"), at(0)).await;
    assert_eq!(rig.store.tidy(at(20).wall).await.unwrap(), 2);
    assert_eq!(rig.store.tidy(at(20).wall).await.unwrap(), 0);
    let left = rig.store.tasks(Query::default()).await.unwrap();
    let left: Vec<_> = left.into_iter().map(|task| task.spec.text).collect();
    assert_eq!(left, ["waits", "2"]);
    assert_eq!(rig.store.tidy(at(1000).wall).await.unwrap(), 1);
    assert_eq!(rig.state(&waits).await, State::Queued);
}

async fn what_happens_is_told_and_kept(mut rig: Rig) {
    let mut changes = rig.store.changes();
    let id = rig.add(spec("a"), at(0)).await;
    rig.store.note(&id, "seen".to_owned(), at(1)).await.unwrap();
    let leased = rig.pull(at(2)).await.unwrap();
    rig.end(&leased, failed("exit 3"), at(3)).await;
    let mut told = Vec::new();
    while told.len() < 4 {
        let told_of = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await;
        told.push(told_of.expect("an event in time").unwrap());
    }
    let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["added", "note", "leased", "failed"]);
    let attempts: Vec<_> = told.iter().map(|event| event.attempt).collect();
    assert_eq!(attempts, [None, None, Some(1), Some(1)]);
    assert_eq!(told[1].detail.as_deref(), Some("seen"));
    assert_eq!(told[3].detail.as_deref(), Some("exit 3"));
    assert!(told.iter().all(|event| event.task == id));
    assert_eq!(told[3].at, at(3).wall);
    assert_eq!(rig.store.events(&id).await.unwrap(), told);
    rig.restart().await;
    assert_eq!(rig.store.events(&id).await.unwrap(), told);
    let nobody: TaskId = "0123456789ab".parse().unwrap();
    let noted = rig.store.note(&nobody, String::new(), at(4)).await;
    assert!(matches!(noted, Err(StoreError::Unknown(_))));
}

async fn many_at_once_are_all_added(mut rig: Rig) {
    let adds = (0..200_u32).map(|n| {
        let store = rig.store.clone();
        tokio::spawn(async move { store.add(spec(&n.to_string()), at(0)).await.unwrap().id })
    });
    let mut ids = BTreeSet::new();
    for add in adds.collect::<Vec<_>>() {
        ids.insert(add.await.unwrap());
    }
    assert_eq!(ids.len(), 200);
    rig.restart().await;
    let there = rig.store.tasks(Query::default()).await.unwrap();
    assert_eq!(
        there
            .into_iter()
            .map(|task| task.id)
            .collect::<BTreeSet<_>>(),
        ids
    );
}

async fn a_closed_store_does_nothing_more(rig: Rig) {
    rig.store.close().await.unwrap();
    let offers = [worker(1)];
    assert!(rig.store.add(spec("a"), at(0)).await.is_err());
    assert!(
        rig.store
            .pull("here", &offers, super::LEASE, at(0))
            .await
            .is_err()
    );
    rig.store.close().await.unwrap();
}
