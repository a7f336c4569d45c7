//! Groups and accounts.

use cc_balancer::store::{Account, Group};
use cc_balancer::task::Spec;
use jiff::Timestamp;

use super::{Check, Rig, at, checks, done, on_account, spec, worker};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        no_more_of_a_group_are_under_way_than_may_be,
        nothing_of_a_paused_group_is_begun,
        no_more_are_under_way_on_an_account_than_may_be,
        nothing_is_begun_on_a_limited_account,
        a_limit_until_the_last_of_all_moments_can_be_kept_and_cleared,
        what_was_said_of_groups_and_accounts_stays,
    ]
}

fn in_group(group: &str, text: &str) -> Spec {
    Spec {
        group: group.to_owned(),
        ..spec(text)
    }
}

async fn no_more_of_a_group_are_under_way_than_may_be(rig: Rig) {
    rig.store.set_group("ci", Some(2), false).await.unwrap();
    for text in ["a", "b", "c"] {
        rig.add(in_group("ci", text), at(0)).await;
    }
    let first = rig.pull(at(1)).await.unwrap();
    rig.pull(at(1)).await.unwrap();
    assert!(rig.pull(at(1)).await.is_none());
    // Others go on.
    rig.add(in_group("other", "d"), at(2)).await;
    assert_eq!(rig.next(at(2)).await.as_deref(), Some("d"));
    rig.end(&first, done(), at(3)).await;
    assert_eq!(rig.pull(at(4)).await.unwrap().task.spec.text, "c");
    rig.add(in_group("ci", "e"), at(5)).await;
    assert!(rig.pull(at(5)).await.is_none());
    rig.store.set_group("ci", None, false).await.unwrap();
    assert_eq!(rig.pull(at(6)).await.unwrap().task.spec.text, "e");
}

async fn nothing_of_a_paused_group_is_begun(rig: Rig) {
    rig.add(in_group("ci", "a"), at(0)).await;
    let leased = rig.pull(at(0)).await.unwrap();
    rig.add(in_group("ci", "b"), at(0)).await;
    rig.store.set_group("ci", None, true).await.unwrap();
    assert!(rig.pull(at(1)).await.is_none());
    // What is under way goes on.
    rig.end(&leased, done(), at(2)).await;
    assert!(rig.pull(at(3)).await.is_none());
    rig.store.set_group("ci", None, false).await.unwrap();
    assert_eq!(rig.next(at(4)).await.as_deref(), Some("b"));
}

async fn no_more_are_under_way_on_an_account_than_may_be(rig: Rig) {
    rig.store.set_account("team", Some(1)).await.unwrap();
    for text in ["a", "b", "c"] {
        rig.add(spec(text), at(0)).await;
    }
    let team = |number| on_account(number, "team");
    let first = rig.pull_for(&[team(1)], at(1)).await.unwrap();
    assert!(rig.pull_for(&[team(2)], at(1)).await.is_none());
    // Whoever is on another, or on none.
    let offers = [team(2), on_account(3, "other")];
    assert_eq!(rig.pull_for(&offers, at(2)).await.unwrap().offer, 1);
    let offers = [team(2), worker(4)];
    assert_eq!(rig.pull_for(&offers, at(2)).await.unwrap().offer, 1);
    rig.add(spec("d"), at(3)).await;
    assert!(rig.pull_for(&[team(2)], at(3)).await.is_none());
    rig.end(&first, done(), at(4)).await;
    assert!(rig.pull_for(&[team(2)], at(5)).await.is_some());
}

async fn nothing_is_begun_on_a_limited_account(rig: Rig) {
    rig.add(spec("a"), at(0)).await;
    let until = Some(at(100).wall);
    rig.store
        .limit("team", until, "5-hour limit")
        .await
        .unwrap();
    let team = [on_account(1, "team")];
    assert!(rig.pull_for(&team, at(99)).await.is_none());
    assert_eq!(rig.store.next_due(at(50)).await.unwrap(), until);
    assert!(rig.pull_for(&team, at(100)).await.is_some());
    rig.add(spec("b"), at(101)).await;
    rig.store
        .limit("team", Some(at(1_000_000).wall), "")
        .await
        .unwrap();
    assert!(rig.pull_for(&team, at(102)).await.is_none());
    rig.store.limit("team", None, "").await.unwrap();
    assert!(rig.pull_for(&team, at(103)).await.is_some());
}

async fn a_limit_until_the_last_of_all_moments_can_be_kept_and_cleared(mut rig: Rig) {
    rig.add(spec("a"), at(0)).await;
    let team = [on_account(1, "team")];
    let last = Timestamp::MAX;
    rig.store.limit("team", Some(last), "bill").await.unwrap();
    rig.restart().await;
    let accounts = rig.store.accounts().await.unwrap();
    let until = accounts[0].limited_until.unwrap();
    assert!(last.duration_since(until).as_secs() < 1, "{until}");
    assert!(rig.pull_for(&team, at(1)).await.is_none());
    // Nor is a task lost that is to be begun then.
    let never = Spec {
        not_before: Some(last),
        ..spec("never")
    };
    let never = rig.add(never, at(1)).await;
    rig.restart().await;
    assert!(rig.task(&never).await.not_before > Some(at(1_000_000_000).wall));
    rig.store.limit("team", None, "").await.unwrap();
    let leased = rig.pull_for(&team, at(2)).await.unwrap();
    assert_eq!(leased.task.spec.text, "a");
    assert!(rig.pull_for(&team, at(3)).await.is_none());
}

async fn what_was_said_of_groups_and_accounts_stays(mut rig: Rig) {
    rig.store.set_group("ci", Some(2), true).await.unwrap();
    rig.store.set_account("team", Some(3)).await.unwrap();
    let until = Some(at(100).wall);
    rig.store
        .limit("team", until, "5-hour limit")
        .await
        .unwrap();
    rig.add(in_group("other", "a"), at(0)).await;
    rig.add(in_group("other", "b"), at(0)).await;
    rig.pull_for(&[on_account(1, "new")], at(1)).await.unwrap();
    rig.restart().await;
    let group = |name: &str, parallel, is_paused, queued, under_way| Group {
        name: name.to_owned(),
        parallel,
        is_paused,
        queued,
        under_way,
    };
    let mut groups = rig.store.groups().await.unwrap();
    groups.sort_by(|left, right| left.name.cmp(&right.name));
    let expected = [
        group("ci", Some(2), true, 0, 0),
        group("other", None, false, 1, 1),
    ];
    assert_eq!(groups, expected);
    let mut accounts = rig.store.accounts().await.unwrap();
    accounts.sort_by(|left, right| left.name.cmp(&right.name));
    let team = Account {
        name: "team".to_owned(),
        parallel: Some(3),
        limited_until: until,
        why: Some("5-hour limit".to_owned()),
        under_way: 0,
    };
    let new = Account {
        name: "new".to_owned(),
        parallel: None,
        limited_until: None,
        why: None,
        under_way: 1,
    };
    assert_eq!(accounts, [new, team]);
}
