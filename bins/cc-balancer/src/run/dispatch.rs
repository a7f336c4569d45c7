//! Giving tasks to who is free, and what becomes of them then.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Hand, Note, REST, Rest, Running, Serve};
use crate::attempt::course::Event as Told;
use crate::attempt::{Carried, Job, carry};
use crate::desk::now;
use crate::store::{Event, Leased, Offer};
use crate::task::{self, Fence, Kind, Task};
use crate::worker::{Eyes, Key};

/// How long a store that does not answer is left alone.
const UNWELL: Duration = Duration::from_secs(1);

impl Serve {
    /// Gives what can be given.
    pub(super) async fn dispatch(&mut self) {
        self.stale = false;
        loop {
            let keys: Vec<Key> = self.free();
            if keys.is_empty() {
                break;
            }
            let offers: Vec<Offer> = keys.iter().filter_map(|key| self.offer(key)).collect();
            let lease = self.config.lease();
            let pulled = self.store.pull(&self.host, &offers, lease, now()).await;
            let leased = match pulled {
                Ok(Some(leased)) => leased,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "nothing can be given");
                    self.due = Some(Instant::now() + UNWELL);
                    return;
                }
            };
            let Some(key) = keys.get(leased.offer).cloned() else {
                break;
            };
            self.give(&key, leased, false);
        }
        self.due = match self.store.next_due(now()).await {
            Ok(Some(at)) => {
                let left = at.duration_since(Timestamp::now());
                let left = Duration::try_from(left).unwrap_or_default();
                Some(Instant::now() + left)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%error, "the store does not say what is due");
                Some(Instant::now() + UNWELL)
            }
        };
    }

    /// When somebody is to be looked at again for something to be given.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let free = self.workers.values().filter_map(Hand::free_from);
        let now = Instant::now();
        self.due
            .into_iter()
            .chain(free.filter(|at| *at > now))
            .min()
    }

    /// Who is free, as far as is believed.
    fn free(&self) -> Vec<Key> {
        let hands = self.workers.values().filter(|hand| hand.is_free());
        hands.map(|hand| hand.worker.key.clone()).collect()
    }

    pub(super) fn offer(&self, key: &Key) -> Option<Offer> {
        let hand = self.workers.get(key)?;
        let worker = &hand.worker;
        let since = worker.belief.borrow().since;
        let idle = since.map(|since| Timestamp::now().duration_since(since));
        let idle = idle.and_then(|idle| Duration::try_from(idle).ok());
        Some(Offer {
            worker: worker.described(),
            labels: worker.labels.clone(),
            names: worker.names.clone(),
            kinds: vec![Kind::Task, Kind::Message],
            groups: worker.groups.clone(),
            affinity: hand.affinity.clone(),
            failures: hand.failures,
            idle: idle.unwrap_or_default(),
        })
    }

    /// A worker begins, or goes on with what an earlier life began.
    pub(super) fn give(&mut self, key: &Key, leased: Leased, is_taken_up: bool) {
        let Leased { task, fence, .. } = leased;
        let Some(hand) = self.workers.get_mut(key) else {
            return;
        };
        let (tell, told) = mpsc::unbounded_channel();
        let nonce = task.attempt.as_ref().map(|it| it.nonce.clone());
        let nonce = nonce.unwrap_or_default();
        hand.task = Some(task.id.clone());
        hand.rests = None;
        hand.affinity.clone_from(&task.spec.affinity);
        tracing::info!(task = %task.id, worker = hand.worker.name(), "given");
        let guarding = hand.worker.guarded.as_ref().and_then(|(guardian, _)| {
            let socket = self.home.control_of("guardian", guardian);
            self.guardians.get(&socket).map(|guardian| guardian.hands())
        });
        let job = Job {
            fence: fence.clone(),
            nonce: nonce.clone(),
            worker: hand.worker.clone(),
            guarding,
            is_taken_up,
            told,
            look: hand.eyes.as_ref().map(Eyes::teller),
            task,
        };
        let running = Running {
            fence: fence.clone(),
            nonce,
            tell,
        };
        self.running.insert(fence.task.clone(), running);
        let (tools, notes, key) = (self.tools.clone(), self.notes.clone(), key.clone());
        tokio::spawn(async move {
            let carried = carry(tools, job).await;
            let _ = notes.send(Note::Over(key, fence, carried));
        });
    }

    /// An attempt is over.
    pub(super) fn over(&mut self, key: &Key, fence: &Fence, carried: Carried) {
        if self
            .running
            .get(&fence.task)
            .is_some_and(|running| running.fence == *fence)
        {
            self.running.remove(&fence.task);
        }
        self.stale = true;
        if let Some(hand) = self.workers.get_mut(key)
            && hand.task.as_ref() == Some(&fence.task)
        {
            hand.task = None;
            // What it is doing was believed before it worked.
            if let Some(eyes) = &hand.eyes {
                eyes.news();
            }
            match &carried {
                Carried::Ended(task::State::Done) => hand.failures = 0,
                Carried::Ended(_) => hand.failures += 1,
                Carried::Held(why) => {
                    hand.rests = Some(Rest {
                        until: Instant::now() + REST,
                        why: why.clone(),
                        since: hand.worker.belief.borrow().since,
                    });
                }
                Carried::Limited(why, until) => {
                    // Where it has an account, that says until when.
                    let left = until.map(|at| at.duration_since(Timestamp::now()));
                    let left = left.and_then(|left| Duration::try_from(left).ok());
                    hand.rests = Some(Rest {
                        until: Instant::now() + left.unwrap_or_default(),
                        why: why.clone(),
                        since: None,
                    });
                }
                Carried::Lost => {}
            }
            if hand.leaves {
                self.workers.remove(key);
            }
        }
    }

    /// Something happened to a task.
    pub(super) fn stored(&mut self, event: &Event) {
        match event.kind.as_str() {
            "cancel" => {
                if let Some(running) = self.running.get(&event.task) {
                    let force = event.detail.as_deref() == Some("force");
                    let _ = running.tell.send(Told::Cancel(force));
                }
            }
            "leased" | "delivering" | "running" | "blocked" | "verifying" | "note" => {}
            _ => self.stale = true,
        }
    }

    /// A lease has run out.
    pub(super) fn lost(&mut self, fence: &Fence) {
        self.stale = true;
        if let Some(running) = self.running.get(&fence.task)
            && running.fence == *fence
        {
            let _ = running.tell.send(Told::Lost);
        }
    }

    /// Goes on with an attempt of an earlier life at that worker.
    pub(super) fn go_on(&mut self, key: &Key, task: Task, attempt: u32) {
        let fence = Fence {
            task: task.id.clone(),
            number: attempt,
        };
        let leased = Leased {
            task,
            fence,
            offer: 0,
        };
        self.give(key, leased, true);
    }
}
