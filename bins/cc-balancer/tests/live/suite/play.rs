//! Whatever is asked of a store, in whatever order: it does what the model does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cc_balancer::store::{Edit, End, Leased, Now, Offer, Query, Step, StoreError};
use cc_balancer::task::{Fence, Kind, Labels, Outcome, Spec, State, TaskId};
use harness::seeded::Seeded;
use harness::wait;

use super::model::Model;
use super::{HOST, LEASE, Place, Rig, at, labels, on_account, spec, tried, worker};

/// Which of those that may come comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The one that the policy says.
    Exact,
    /// Any.
    #[allow(dead_code, reason = "for engines that do not promise more")]
    Any,
}

/// How many things are asked.
const ASKED: u32 = 400;

/// Numbers that a seed gives.
struct Dice {
    seeded: Seeded,
    at: u64,
}

impl Dice {
    fn below(&mut self, many: usize) -> usize {
        let mut bytes = [0; 4];
        self.seeded.fill(self.at, &mut bytes);
        self.at += 4;
        u32::from_le_bytes(bytes) as usize % many
    }

    /// A small number, of whatever type.
    fn small<T: From<u8>>(&mut self, many: u8) -> T {
        let below = u8::try_from(self.below(usize::from(many)));
        T::from(below.expect("a small number"))
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// A store, the model of it, and what is known of both.
struct Play {
    rig: Rig,
    model: Model,
    dice: Dice,
    order: Order,
    seconds: u64,
    /// All attempts that there ever were.
    fences: Vec<Fence>,
}

/// Asks a store that is empty many things.
pub(crate) async fn plays(place: impl Place + 'static, seed: u64, order: Order) {
    let place = Arc::new(place);
    let store = place.open().await;
    let mut play = Play {
        rig: Rig { place, store },
        model: Model::default(),
        dice: Dice {
            seeded: Seeded::bytes(seed),
            at: 0,
        },
        order,
        seconds: 0,
        fences: Vec::new(),
    };
    eprintln!("seed {seed}");
    for n in 0..ASKED {
        play.ask().await;
        if n % 20 == 0 {
            play.compare().await;
        }
    }
    play.compare().await;
}

impl Play {
    fn now(&self) -> Now {
        at(self.seconds)
    }

    async fn ask(&mut self) {
        match self.dice.below(100) {
            0..22 => self.add().await,
            22..44 => self.pull().await,
            44..64 => self.end().await,
            64..74 => self.step().await,
            74..78 => self.cancel().await,
            78..81 => self.retry().await,
            81..84 => self.hold().await,
            84..87 => self.edit().await,
            87..89 => self.remove().await,
            89..92 => self.limit().await,
            92..94 => self.rig.restart().await,
            94..97 => self.expire().await,
            _ => {
                let far = [1, 30, 300, 1000];
                self.seconds += self.dice.pick(&far);
            }
        }
        self.seconds += u64::from(self.dice.one_in(3));
    }

    fn some_task(&mut self) -> Option<TaskId> {
        let ids: Vec<_> = self
            .model
            .tasks
            .iter()
            .map(|kept| kept.task.id.clone())
            .collect();
        (!ids.is_empty()).then(|| self.dice.pick(&ids))
    }

    fn needs(&mut self) -> Labels {
        let all: [&[(&str, &str)]; 4] = [&[], &[], &[("role", "ci")], &[("role", "dev")]];
        labels(self.dice.pick(&all))
    }

    fn offers(&mut self) -> Vec<Offer> {
        let mut offers = vec![
            worker(1),
            on_account(2, "team"),
            on_account(3, "team"),
            worker(4),
        ];
        offers[0].labels = labels(&[("role", "ci")]);
        offers[1].labels = labels(&[("role", "dev")]);
        offers[1].affinity = Some("app".to_owned());
        offers[2].kinds = vec![Kind::Message];
        offers[3].groups = vec!["b".to_owned()];
        for offer in &mut offers {
            offer.failures = self.dice.small(2);
            offer.idle = Duration::from_secs(self.dice.small(3));
        }
        let from = self.dice.below(4);
        offers.rotate_left(from);
        offers.truncate(1 + self.dice.below(4));
        offers
    }

    async fn add(&mut self) {
        let now = self.now();
        let mut new = Spec {
            group: self.dice.pick(&["a", "b"]).to_owned(),
            submitter: self.dice.pick(&["x", "y", "z"]).to_owned(),
            priority: self.dice.small(4),
            needs: self.needs(),
            ..match self.dice.one_in(2) {
                true => spec("once"),
                false => tried("more", 2),
            }
        };
        if self.dice.one_in(3) {
            new.kind = Kind::Message;
        }
        if self.dice.one_in(3) || new.kind == Kind::Message {
            new.to = Some(
                self.dice
                    .pick(&["w1", "w2", "%3", "w4", "nobody"])
                    .to_owned(),
            );
        }
        if self.dice.one_in(4) {
            new.affinity = Some("app".to_owned());
        }
        if self.dice.one_in(5) {
            let later = at(self.seconds + self.dice.below(600) as u64);
            new.not_before = Some(later.wall);
        }
        if self.dice.one_in(8) {
            new.key = Some(self.dice.below(9).to_string());
        }
        if self.dice.one_in(3) {
            new.after.extend(self.some_task());
            new.after.extend(self.some_task());
        }
        let added = self.rig.store.add(new.clone(), now).await.unwrap();
        eprintln!("add {added:?} {new:?}");
        let there = new.key.as_ref().and_then(|key| self.model.with_key(key));
        assert_eq!(added.was_there, there.is_some());
        match there {
            Some(id) => assert_eq!(added.id, id),
            None => self.model.add(added.id, new, now),
        }
    }

    async fn pull(&mut self) {
        let (offers, now) = (self.offers(), self.now());
        let due = self.rig.store.next_due(now).await.unwrap();
        let limits = self.model.accounts.values().filter_map(|(_, until)| *until);
        if limits.max().is_none_or(|until| until <= now.wall) {
            assert_eq!(due, self.model.next_due(now));
        }
        let candidates = self.model.candidates(&offers, now);
        let leased = self.rig.pull_for(&offers, now).await;
        let got = leased
            .as_ref()
            .map(|leased| (leased.task.id.clone(), leased.offer));
        eprintln!("pull {got:?} at {}", self.seconds);
        match self.order {
            Order::Exact => assert_eq!(got.as_ref(), candidates.first()),
            Order::Any => match &got {
                Some(got) => assert!(candidates.contains(got), "{candidates:?}"),
                None => assert_eq!(candidates, []),
            },
        }
        if let Some(Leased { task, fence, .. }) = leased {
            let attempt = task.attempt.expect("an attempt");
            self.model.lease(&task.id, attempt, LEASE, now);
            self.fences.push(fence);
        }
    }

    /// An attempt, mostly one that is under way.
    fn some_fence(&mut self) -> Option<Fence> {
        let holds = |fence: &&Fence| self.model.holds(fence);
        let under_way: Vec<_> = self.fences.iter().filter(holds).cloned().collect();
        match under_way.is_empty() || self.dice.one_in(8) {
            true if self.fences.is_empty() => None,
            true => Some(self.dice.pick(&self.fences)),
            false => Some(self.dice.pick(&under_way)),
        }
    }

    async fn end(&mut self) {
        let Some(fence) = self.some_fence() else {
            return;
        };
        let now = self.now();
        let outcome = Outcome {
            exit: Some(self.dice.small(3)),
            ..Outcome::default()
        };
        let end = match self.dice.below(10) {
            0..4 => End::Done(outcome),
            4..6 => End::Failed("exit".to_owned(), outcome),
            6 => {
                let later = at(self.seconds + self.dice.small::<u64>(100));
                End::Returned("limited".to_owned(), Some(later.wall))
            }
            7 => End::Lost("gone".to_owned()),
            8 => End::Uncertain("busy".to_owned()),
            _ => End::Cancelled(outcome),
        };
        let ended = self.rig.store.end(&fence, end.clone(), now).await;
        eprintln!("end {fence:?} {end:?} {ended:?}");
        match self.model.holds(&fence) {
            false => assert!(matches!(ended, Err(StoreError::Lost(of)) if of == fence)),
            true => {
                assert_eq!(ended.unwrap(), self.model.end(&fence, &end, now));
                self.take_over(&fence.task).await;
            }
        }
    }

    /// When something is tried again is by chance: no later than without it, and not much sooner.
    async fn take_over(&mut self, id: &TaskId) {
        let own = self.model.find(id).task.not_before;
        let theirs = self.rig.task(id).await.not_before;
        match (own, theirs) {
            (Some(own), Some(theirs)) => {
                let now = self.now().wall;
                let latest = own.duration_since(now).as_secs_f64();
                let real = theirs.duration_since(now).as_secs_f64();
                assert!(
                    real <= latest && real >= latest * 0.79,
                    "{real} of {latest}"
                );
            }
            _ => assert_eq!(own, theirs),
        }
        self.model.set_not_before(id, theirs);
    }

    async fn step(&mut self) {
        let Some(fence) = self.some_fence() else {
            return;
        };
        let now = self.now();
        let holds = self.model.holds(&fence);
        let answer = if self.dice.one_in(3) {
            let answer = self.beat(&fence, now).await;
            if holds {
                self.model.beat(&fence, LEASE, now);
            }
            eprintln!("beat {fence:?} {answer:?}");
            answer
        } else {
            let step = self.dice.pick(&[
                Step::Delivering,
                Step::Running,
                Step::Blocked("permission".to_owned()),
                Step::Verifying,
            ]);
            let answer = self.rig.store.step(&fence, step.clone(), now).await;
            if holds {
                self.model.step(&fence, &step);
            }
            eprintln!("step {fence:?} {step:?} {answer:?}");
            answer
        };
        match holds {
            true => answer.unwrap(),
            false => assert!(matches!(answer, Err(StoreError::Lost(of)) if of == fence)),
        }
    }

    /// Of what is far, "not now" is an answer to a beat at which one asks again, as whoever carries a task does.
    async fn beat(&self, fence: &Fence, now: Now) -> Result<(), StoreError> {
        let once = async || match self.rig.store.beat(fence, LEASE, now).await {
            Err(StoreError::Broken(_)) if self.rig.place.is_far() => None,
            answer => Some(answer),
        };
        wait::until_some_async(wait::PATIENCE, "a server that takes a beat", once).await
    }

    async fn cancel(&mut self) {
        let Some(id) = self.some_task() else {
            return;
        };
        let (force, now) = (self.dice.one_in(2), self.now());
        let cancelling = self.rig.store.cancel(&id, force, now).await.unwrap();
        eprintln!("cancel {id} {cancelling:?}");
        assert_eq!(cancelling, self.model.cancel(&id, force, now));
    }

    async fn retry(&mut self) {
        if let Some(id) = self.some_task() {
            let answer = self.rig.store.retry(&id, self.now()).await;
            let may = self.model.retry(&id);
            agree(&format!("retry {id}"), answer, may);
        }
    }

    async fn hold(&mut self) {
        if let Some(id) = self.some_task() {
            let is_held = self.dice.one_in(2);
            let is = self.model.find(&id).task.state;
            // What that says of one that is so already is left to the engine.
            if is == (if is_held { State::Held } else { State::Queued }) {
                return;
            }
            let answer = self.rig.store.hold(&id, is_held, self.now()).await;
            let may = self.model.hold(&id, is_held);
            agree(&format!("hold {id} {is_held}"), answer, may);
        }
    }

    async fn edit(&mut self) {
        if let Some(id) = self.some_task() {
            let edit = Edit {
                text: self.dice.one_in(2).then(|| "edited".to_owned()),
                priority: Some(self.dice.small(4)),
                needs: self.dice.one_in(2).then(|| self.needs()),
            };
            let answer = self.rig.store.edit(&id, edit.clone(), self.now()).await;
            let may = self.model.edit(&id, edit);
            agree(&format!("edit {id}"), answer, may);
        }
    }

    async fn remove(&mut self) {
        if let Some(id) = self.some_task() {
            let answer = self.rig.store.remove(&id, self.now()).await;
            let may = self.model.remove(&id);
            agree(&format!("remove {id}"), answer, may);
        }
    }

    async fn limit(&mut self) {
        let store = self.rig.store.clone();
        let most = self.dice.pick(&[None, None, Some(1), Some(2), Some(3)]);
        match self.dice.below(3) {
            0 => {
                let name = self.dice.pick(&["a", "b"]);
                let is_paused = self.dice.one_in(5);
                store.set_group(name, most, is_paused).await.unwrap();
                self.model.groups.insert(name.to_owned(), (most, is_paused));
                eprintln!("group {name} {most:?} {is_paused}");
            }
            1 => {
                store.set_account("team", most).await.unwrap();
                self.model.accounts.entry("team".to_owned()).or_default().0 = most;
                eprintln!("account {most:?}");
            }
            _ => {
                let until = self.dice.one_in(2).then(|| at(self.seconds + 100).wall);
                store.limit("team", until, "limited").await.unwrap();
                self.model.accounts.entry("team".to_owned()).or_default().1 = until;
                eprintln!("limit {until:?}");
            }
        }
    }

    async fn expire(&mut self) {
        let now = self.now();
        let mut gone = self.rig.store.expire(now).await.unwrap();
        eprintln!("expire {gone:?} at {}", self.seconds);
        let mut own = self.model.expire(now);
        let key = |fence: &Fence| (fence.task.clone(), fence.number);
        gone.sort_by_key(key);
        own.sort_by_key(key);
        assert_eq!(gone, own);
        for fence in own {
            self.take_over(&fence.task).await;
        }
    }

    /// Is everything as in the model?
    async fn compare(&self) {
        let mut theirs = self.rig.store.tasks(Query::default()).await.unwrap();
        theirs.reverse();
        assert_eq!(theirs.len(), self.model.tasks.len());
        let mut counts = BTreeMap::<State, u64>::new();
        for (theirs, own) in theirs.into_iter().zip(&self.model.tasks) {
            let own = &own.task;
            *counts.entry(own.state).or_default() += 1;
            assert_eq!((theirs.state, &theirs.id), (own.state, &own.id));
            let numbers = (theirs.attempts, theirs.returned);
            assert_eq!(numbers, (own.attempts, own.returned));
            assert_eq!((theirs.cancel, theirs.exit), (own.cancel, own.exit));
            assert_eq!((theirs.added, theirs.ended), (own.added, own.ended));
            assert_eq!(
                (theirs.not_before, &theirs.spec),
                (own.not_before, &own.spec)
            );
            if own.state == State::Dead {
                let after =
                    |why: &Option<String>| why.as_ref().is_some_and(|why| why.starts_with("after"));
                assert_eq!(after(&theirs.why), after(&own.why));
            }
            let number = |attempt: Option<&cc_balancer::task::Attempt>| {
                attempt.map(|attempt| attempt.number)
            };
            assert_eq!(
                number(theirs.attempt.as_ref()),
                number(own.attempt.as_ref())
            );
        }
        let mut theirs = self.rig.store.counts().await.unwrap();
        theirs.retain(|_, many| *many > 0);
        assert_eq!(theirs, counts);
        for group in self.rig.store.groups().await.unwrap() {
            assert_eq!(group, self.model.group(&group.name));
        }
        let under_way = self.rig.store.under_way(HOST).await.unwrap();
        let expected = counts.iter().filter(|(state, _)| state.is_under_way());
        let expected: u64 = expected.map(|(_, many)| many).sum();
        assert_eq!(under_way.len() as u64, expected);
    }
}

/// Was it done, where the model does it, and refused where that does?
fn agree(what: &str, answer: Result<(), StoreError>, may: bool) {
    eprintln!("{what} {answer:?}");
    match may {
        true => answer.unwrap(),
        false => assert!(matches!(answer, Err(StoreError::NotNow { .. }))),
    }
}
