//! Hosts that do what there is, and the clock they have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cc_balancer::store::nats::NatsStore;
use cc_balancer::store::{Added, End, Leased, Now, Step, Store, StoreError};
use cc_balancer::task::{Outcome, State, TaskId};
use jiff::Timestamp;

use super::Host;
use super::server::Nats;
use crate::floor::is_full;
use crate::suite::{tried, worker};

pub(super) const LEASE: Duration = Duration::from_secs(60);
pub(super) const QUEUE: &str = "cc";

/// Two hosts of one queue on that server.
pub(super) fn two_hosts(nats: &Nats) -> [Host; 2] {
    ["a", "b"].map(|name| Host::new(&nats.url(), QUEUE, name))
}

/// A clock that begins with the test, and can be put forward.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
    pub(super) ahead: Duration,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            began: Instant::now(),
            ahead: Duration::from_secs(1000),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            wall: Timestamp::now(),
            steady: self.began.elapsed() + self.ahead,
        }
    }
}

pub(super) async fn add(store: &impl Store, many: usize, clock: Clock) -> Vec<TaskId> {
    let mut ids = Vec::new();
    for n in 0..many {
        let added: Added = store
            .add(tried(&format!("t{n}"), 3), clock.now())
            .await
            .unwrap();
        ids.push(added.id);
    }
    ids
}

/// Takes one, and goes on with it until something is typed.
pub(super) async fn begin(store: &impl Store, n: u32, clock: Clock) -> Option<Leased> {
    let host = format!("host{n}");
    let leased = store
        .pull(&host, &[worker(n)], LEASE, clock.now())
        .await
        .unwrap()?;
    step(store, &leased, Step::Delivering, clock)
        .await
        .then_some(leased)
}

/// `false`: it is somebody else's.
pub(super) async fn step(store: &impl Store, leased: &Leased, step: Step, clock: Clock) -> bool {
    loop {
        match store.step(&leased.fence, step.clone(), clock.now()).await {
            Ok(()) => return true,
            Err(StoreError::Lost(_)) => return false,
            Err(StoreError::Broken(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Ends it; `false`: it is somebody else's.
pub(super) async fn end(store: &impl Store, leased: &Leased, by: &str, clock: Clock) -> bool {
    let outcome = Outcome {
        text: format!("{} by {by}", leased.task.spec.text),
        ..Outcome::default()
    };
    loop {
        let end = End::Done(outcome.clone());
        match store.end(&leased.fence, end, clock.now()).await {
            Ok(state) => return state == State::Done,
            Err(StoreError::Lost(_)) => return false,
            Err(StoreError::Broken(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Does what comes until all of these are done; says how often each was begun here.
pub(super) async fn work(
    store: Arc<NatsStore>,
    n: u32,
    ids: Vec<TaskId>,
    clock: Clock,
) -> BTreeMap<TaskId, u32> {
    let mut begun = BTreeMap::new();
    let by = format!("host{n}");
    let began = Instant::now();
    loop {
        let counts = || store.counts();
        let is_stuck = began.elapsed() > Duration::from_secs(if is_full() { 600 } else { 30 });
        assert!(!is_stuck, "not all are done: {:?}", counts().await);
        if let Some(leased) = begin(&*store, n, clock).await {
            *begun.entry(leased.task.id.clone()).or_default() += 1;
            tokio::task::yield_now().await;
            end(&*store, &leased, &by, clock).await;
        } else if all_done(&*store, &ids).await {
            return begun;
        } else {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub(super) async fn all_done(store: &impl Store, ids: &[TaskId]) -> bool {
    for id in ids {
        match store.task(id.as_str()).await {
            Ok(task) if task.state == State::Done => {}
            _ => return false,
        }
    }
    true
}

pub(super) async fn state_of(store: &impl Store, id: &TaskId) -> Option<State> {
    store.task(id.as_str()).await.ok().map(|task| task.state)
}

pub(super) fn many() -> usize {
    if is_full() { 2000 } else { 40 }
}
