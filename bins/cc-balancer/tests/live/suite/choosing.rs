//! Who gets a task.

use std::time::Duration;

use cc_balancer::store::Offer;
use cc_balancer::task::{Kind, Spec};

use super::{Check, Rig, at, checks, labels, message, spec, worker};

pub(super) fn checks() -> Vec<(&'static str, Check)> {
    checks![
        only_a_worker_with_all_labels_gets_it,
        only_who_is_meant_gets_it,
        a_worker_gets_only_the_kinds_that_it_takes,
        a_worker_gets_only_of_the_groups_that_it_serves,
        what_nobody_may_have_holds_nobody_up,
        the_same_affinity_goes_to_the_same_worker,
        of_equal_ones_who_failed_less_and_then_who_was_idle_longer,
    ]
}

fn labelled(number: u32, pairs: &[(&str, &str)]) -> Offer {
    Offer {
        labels: labels(pairs),
        ..worker(number)
    }
}

async fn only_a_worker_with_all_labels_gets_it(rig: Rig) {
    let needs = labels(&[("role", "ci"), ("repo", "app")]);
    let id = rig.add(Spec { needs, ..spec("a") }, at(0)).await;
    let wrong = [
        labelled(1, &[]),
        labelled(2, &[("role", "ci")]),
        labelled(3, &[("role", "ci"), ("repo", "other")]),
    ];
    assert!(rig.pull_for(&wrong, at(1)).await.is_none());
    let right = labelled(4, &[("repo", "app"), ("role", "ci"), ("more", "x")]);
    let offers: Vec<_> = wrong.into_iter().chain([right]).collect();
    let leased = rig.pull_for(&offers, at(2)).await.unwrap();
    assert_eq!((leased.task.id, leased.offer), (id, 3));
    assert_eq!(leased.task.attempt.unwrap().worker, offers[3].worker);
}

async fn only_who_is_meant_gets_it(rig: Rig) {
    for to in ["w2", "%3", "w4@1"] {
        let to = Some(to.to_owned());
        rig.add(Spec { to, ..spec("a") }, at(0)).await;
    }
    assert!(rig.pull_for(&[worker(1), worker(4)], at(1)).await.is_none());
    let mut fourth = worker(4);
    fourth.names.push("w4@1".to_owned());
    for offer in [worker(2), worker(3), fourth] {
        let leased = rig
            .pull_for(&[worker(1), offer.clone()], at(1))
            .await
            .unwrap();
        assert_eq!(leased.offer, 1);
        assert!(rig.pull_for(&[offer], at(1)).await.is_none());
    }
}

async fn a_worker_gets_only_the_kinds_that_it_takes(rig: Rig) {
    rig.add(spec("task"), at(0)).await;
    rig.add(message("message", "w1"), at(0)).await;
    let takes = |kinds: &[Kind]| Offer {
        kinds: kinds.to_vec(),
        ..worker(1)
    };
    assert!(rig.pull_for(&[takes(&[])], at(1)).await.is_none());
    let leased = rig
        .pull_for(&[takes(&[Kind::Message])], at(1))
        .await
        .unwrap();
    assert_eq!(leased.task.spec.text, "message");
    assert!(
        rig.pull_for(&[takes(&[Kind::Message])], at(1))
            .await
            .is_none()
    );
    let leased = rig.pull_for(&[takes(&[Kind::Task])], at(1)).await.unwrap();
    assert_eq!(leased.task.spec.text, "task");
}

async fn a_worker_gets_only_of_the_groups_that_it_serves(rig: Rig) {
    let group = "ci".to_owned();
    rig.add(Spec { group, ..spec("a") }, at(0)).await;
    let serves = |groups: &[&str]| Offer {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..worker(1)
    };
    assert!(
        rig.pull_for(&[serves(&["other", "c"])], at(1))
            .await
            .is_none()
    );
    assert!(
        rig.pull_for(&[serves(&["other", "ci"])], at(1))
            .await
            .is_some()
    );
}

async fn what_nobody_may_have_holds_nobody_up(rig: Rig) {
    let needs = labels(&[("role", "nobody")]);
    for _ in 0..20 {
        let stuck = Spec {
            needs: needs.clone(),
            priority: 9,
            ..spec("stuck")
        };
        rig.add(stuck, at(0)).await;
    }
    rig.add(spec("free"), at(1)).await;
    assert_eq!(rig.next(at(2)).await.as_deref(), Some("free"));
}

async fn the_same_affinity_goes_to_the_same_worker(rig: Rig) {
    let affinity = |affinity: &str| Some(affinity.to_owned());
    let did = |number, last: &str| Offer {
        affinity: affinity(last),
        ..worker(number)
    };
    let mut offers = [did(1, "other"), did(2, "app"), did(3, "other")];
    offers[1].failures = 5;
    offers[1].idle = Duration::ZERO;
    let wants = Spec {
        affinity: affinity("app"),
        ..spec("a")
    };
    rig.add(wants.clone(), at(0)).await;
    assert_eq!(rig.pull_for(&offers, at(1)).await.unwrap().offer, 1);
    // Where that one is not free, another.
    rig.add(wants, at(2)).await;
    assert_eq!(rig.pull_for(&offers[2..], at(3)).await.unwrap().offer, 0);
}

async fn of_equal_ones_who_failed_less_and_then_who_was_idle_longer(rig: Rig) {
    let idle = |number, failures, seconds| Offer {
        failures,
        idle: Duration::from_secs(seconds),
        ..worker(number)
    };
    let offers = [idle(1, 1, 90), idle(2, 0, 5), idle(3, 0, 7), idle(4, 0, 6)];
    rig.add(spec("a"), at(0)).await;
    assert_eq!(rig.pull_for(&offers, at(1)).await.unwrap().offer, 2);
    rig.add(spec("b"), at(2)).await;
    assert_eq!(rig.pull_for(&offers[..2], at(3)).await.unwrap().offer, 1);
}
