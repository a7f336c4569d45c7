//! What every store promises, as checks that know nothing of any engine.
//!
//! An engine gives a [`Place`] for each check, which is empty and can be opened again. Its checks are
//! in topics: one that does not promise the exact order leaves out [`Topic::Fairness`], and plays
//! against the model with [`Order::Any`]. Time is told, never waited for.

mod adding;
mod choosing;
mod ends;
mod leases;
mod limits;
mod messages;
mod model;
mod order;
mod play;
mod wanting;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cc_balancer::store::{End, Leased, Now, Offer, Step, Store, StoreError};
use cc_balancer::task::{Kind, Labels, Outcome, Retry, Spec, State, Task, TaskId, Worker};
use jiff::Timestamp;

pub(crate) use play::{Order, plays};

/// Something that comes later.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where one store is.
pub(crate) trait Place: Send + Sync {
    /// Opens it: empty the first time, and later with what was in it.
    fn open(&self) -> Later<'_, Arc<dyn Store>>;

    /// Does it answer a beat that its server is not reached in this moment?
    fn is_far(&self) -> bool {
        false
    }
}

/// Gives all topics to a macro, each behind the name of the test that an engine has of it.
macro_rules! topics {
    ($each:ident) => {
        $each! {
            what_is_added_stays: Adding,
            tasks_come_in_their_order: Order,
            nobody_starves_or_crowds_out_others: Fairness,
            each_worker_gets_what_it_may_have: Choosing,
            one_attempt_at_a_time_holds_a_task: Leases,
            an_attempt_ends_in_every_way: Ends,
            somebody_may_change_their_mind: Wanting,
            groups_and_accounts_have_their_limits: Limits,
            messages_arrive_in_order: Messages,
        }
    };
}
pub(crate) use topics;

macro_rules! listed {
    ($($name:ident: $topic:ident,)*) => {
        &[$(Topic::$topic),*]
    };
}

/// What checks are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Tasks come, are found, and go.
    Adding,
    /// By priority, by time, after each other.
    Order,
    /// By age, and by who has least under way.
    Fairness,
    /// Who gets a task.
    Choosing,
    /// Fences, leases, steps.
    Leases,
    /// What becomes of a task.
    Ends,
    /// Cancel, hold, retry, edit.
    Wanting,
    /// Groups and accounts.
    Limits,
    /// Messages in their order.
    Messages,
}

impl Topic {
    pub(crate) const ALL: &[Self] = topics!(listed);

    fn checks(self) -> Vec<(&'static str, Check)> {
        match self {
            Self::Adding => adding::checks(),
            Self::Order => order::checks(),
            Self::Fairness => order::fairness(),
            Self::Choosing => choosing::checks(),
            Self::Leases => leases::checks(),
            Self::Ends => ends::checks(),
            Self::Wanting => wanting::checks(),
            Self::Limits => limits::checks(),
            Self::Messages => messages::checks(),
        }
    }
}

/// One check.
type Check = fn(Rig) -> Later<'static, ()>;

/// Checks by their names.
macro_rules! checks {
    ($($name:ident,)*) => {
        vec![$((stringify!($name), (|rig| Box::pin($name(rig))) as crate::suite::Check),)*]
    };
}
use checks;

/// Does a store do what is promised, as far as those topics go? Each check has a place of its own.
pub(crate) async fn conforms<P: Place + 'static>(make: impl AsyncFn() -> P, topics: &[Topic]) {
    for topic in topics {
        for (name, check) in topic.checks() {
            // The last one that is named is the one that failed.
            eprintln!("{topic:?}: {name}");
            let place = Arc::new(make().await);
            let store = place.open().await;
            check(Rig { place, store }).await;
        }
    }
}

/// A store to check.
struct Rig {
    place: Arc<dyn Place>,
    store: Arc<dyn Store>,
}

/// How long leases are here.
const LEASE: Duration = Duration::from_secs(60);
/// Whose attempts are these?
const HOST: &str = "here";

impl Rig {
    /// Ends it and opens it again.
    async fn restart(&mut self) {
        self.store.close().await.unwrap();
        self.store = self.place.open().await;
    }

    async fn add(&self, spec: Spec, now: Now) -> TaskId {
        self.store.add(spec, now).await.unwrap().id
    }

    async fn task(&self, id: &TaskId) -> Task {
        self.store.task(id.as_str()).await.unwrap()
    }

    async fn state(&self, id: &TaskId) -> State {
        self.task(id).await.state
    }

    async fn pull_for(&self, offers: &[Offer], now: Now) -> Option<Leased> {
        self.store.pull(HOST, offers, LEASE, now).await.unwrap()
    }

    /// For a worker that takes anything.
    async fn pull(&self, now: Now) -> Option<Leased> {
        self.pull_for(&[worker(1)], now).await
    }

    /// The text of what is next, which is done at once.
    async fn next(&self, now: Now) -> Option<String> {
        let leased = self.pull(now).await?;
        self.end(&leased, done(), now).await;
        Some(leased.task.spec.text)
    }

    /// The texts of all that comes.
    async fn all(&self, now: Now) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(text) = self.next(now).await {
            all.push(text);
        }
        all
    }

    async fn end(&self, leased: &Leased, end: End, now: Now) -> State {
        self.store.end(&leased.fence, end, now).await.unwrap()
    }

    async fn step(&self, leased: &Leased, step: Step, now: Now) {
        self.store.step(&leased.fence, step, now).await.unwrap();
    }

    /// Is an attempt heard no more?
    async fn is_lost(&self, leased: &Leased, now: Now) -> bool {
        let beat = self.store.beat(&leased.fence, LEASE, now).await;
        let step = self.store.step(&leased.fence, Step::Running, now).await;
        let end = self.store.end(&leased.fence, done(), now).await;
        let lost = [beat.err(), step.err(), end.err()];
        let fence = &leased.fence;
        let is_lost =
            |error: &Option<StoreError>| matches!(error, Some(StoreError::Lost(of)) if of == fence);
        lost.iter().all(is_lost)
    }

    /// The kinds of all that happened to a task.
    async fn kinds(&self, id: &TaskId) -> Vec<String> {
        let events = self.store.events(id).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}

/// So many seconds after the first moment, on both clocks.
pub(crate) fn at(seconds: u64) -> Now {
    // A fixed time of day; leases are on the other clock.
    let first = Timestamp::from_second(1_790_000_000).unwrap();
    Now {
        wall: first + Duration::from_secs(seconds),
        steady: Duration::from_secs(100_000 + seconds),
    }
}

pub(crate) fn spec(text: &str) -> Spec {
    Spec {
        text: text.to_owned(),
        kind: Kind::Task,
        needs: Labels::new(),
        to: None,
        group: "default".to_owned(),
        priority: 0,
        submitter: "me".to_owned(),
        key: None,
        after: Vec::new(),
        not_before: None,
        timeout: None,
        retry: Retry::default(),
        check: None,
        cwd: None,
        affinity: None,
    }
}

/// That is tried again so often, after a minute.
pub(crate) fn tried(text: &str, max: u32) -> Spec {
    let retry = Retry {
        max,
        backoff: Duration::from_secs(60),
        factor: 2.0,
        most: Duration::from_secs(3600),
    };
    Spec {
        retry,
        ..spec(text)
    }
}

fn message(text: &str, to: &str) -> Spec {
    Spec {
        kind: Kind::Message,
        to: Some(to.to_owned()),
        ..spec(text)
    }
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// The unit `wN` in the pane `%N`, which takes all.
pub(crate) fn worker(number: u32) -> Offer {
    let (unit, pane) = (format!("w{number}"), format!("%{number}"));
    Offer {
        worker: Worker {
            unit: Some(unit.clone()),
            socket: "/run/cc/tmux/default".to_owned(),
            server: "77.1234".to_owned(),
            pane: pane.clone(),
            account: None,
        },
        labels: Labels::new(),
        names: vec![unit, pane],
        kinds: vec![Kind::Task, Kind::Message],
        groups: Vec::new(),
        affinity: None,
        failures: 0,
        idle: Duration::from_secs(1),
    }
}

fn on_account(number: u32, account: &str) -> Offer {
    let mut offer = worker(number);
    offer.worker.account = Some(account.to_owned());
    offer
}

fn done() -> End {
    End::Done(Outcome::default())
}

fn failed(why: &str) -> End {
    End::Failed(why.to_owned(), Outcome::default())
}
