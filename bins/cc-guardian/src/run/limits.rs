//! Who waits for the end of a limit is told to go on when it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cc_kit::journal::Stamp;
use cc_kit::profile::{GoOn, State};
use cc_kit::send::{Answered, Delivery, Hands as _, Outcome, Prompt, Why, deliver};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::reply::Hands;
use super::{Daemon, Note};
use crate::config::Account;
use crate::instance::Instance;
use crate::listing;
use crate::policy::limits::{Came, News, Order, Seen};

/// Under which name all of it is stored.
const STORED: &str = "limits";

impl Daemon {
    /// Takes up the waits of the guardian before this one.
    pub(super) fn remember_limits(&mut self) {
        let stored = self.store.kept(STORED).ok().flatten();
        if let Some(stored) = stored {
            match serde_json::from_str(&stored) {
                Ok(limits) => self.limits = limits,
                // Whoever is limited is seen to be so again.
                Err(error) => tracing::error!(%error, "what was stored of limits is no use"),
            }
        }
    }

    /// These accounts are declared.
    pub(super) fn declare_accounts(&mut self, accounts: &[Account]) {
        for account in accounts {
            let most = account.max_parallel.map(usize::from);
            self.limits.at_most(&account.name, most);
            if let Some(wait) = account.after_reset {
                let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
                self.limits.settle(&account.name, wait);
            }
        }
    }

    /// Sees who is limited, and tells those to go on whose time has come.
    pub(super) fn step_limits(&mut self) {
        let (now, steady) = (Zoned::now(), steady());
        let at = now.timestamp();
        let mut news = Vec::new();
        for it in self.instances.values() {
            let state = shown(it);
            let stopped = matches!(state, State::Limited | State::Errored);
            if stopped || self.limits.knows(&it.name) {
                let account = account(it);
                let verdict = it.verdict();
                let seen = Seen {
                    unit: &it.name,
                    account: &account,
                    state,
                    sub: verdict.and_then(|verdict| verdict.sub.as_deref()),
                    lasted: verdict.map_or(Duration::ZERO, |verdict| {
                        steady.saturating_sub(Duration::from_nanos(verdict.since.monotonic_ns))
                    }),
                    text: verdict.and_then(|verdict| verdict.limit_text.as_deref()),
                    goes_on: verdict.is_some_and(|verdict| verdict.go_on.is_some()),
                };
                news.extend(self.limits.observe(&seen, &now));
            }
        }
        self.limits.busy(self.busy());
        let instances = &self.instances;
        let gone = self.limits.retain(|unit| instances.contains_key(unit), at);
        let orders = self.limits.due(at);
        let is_news = gone || !news.is_empty() || !orders.is_empty();
        self.close_accounts();
        self.tell_limits(news);
        if is_news {
            // Before anybody is told: a guardian that is killed now tells nobody twice.
            self.keep_limits();
        }
        for order in orders {
            self.go_on(&order);
        }
    }

    /// Who is busy, of accounts where that counts.
    fn busy(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut busy: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for it in self.instances.values() {
            if let Some(account) = &it.unit.account
                && self.limits.counts(account)
                && shown(it) == State::Busy
            {
                let of = busy.entry(account.clone()).or_default();
                of.insert(it.name.clone());
            }
        }
        busy
    }

    fn tell_limits(&self, news: Vec<News>) {
        for News { unit, words } in news {
            self.record(&unit, "limit", Some(words));
        }
    }

    fn keep_limits(&self) {
        let stored = serde_json::to_string(&self.limits).unwrap_or_default();
        if let Err(error) = self.store.keep(STORED, &stored) {
            tracing::error!(%error, "limits cannot be kept");
        }
        self.changed.send_modify(|count| *count += 1);
    }

    /// Says with which accounts nothing is to be begun.
    fn close_accounts(&self) {
        let units = self.instances.values();
        let accounts = units.filter_map(|it| it.unit.account.as_ref());
        let closed: BTreeSet<String> = accounts
            .filter(|account| self.limits.is_closed(account))
            .cloned()
            .collect();
        self.closed.send_if_modified(|before| {
            let other = *before != closed;
            *before = closed;
            other
        });
    }

    /// When there may be something to do by itself.
    pub(super) fn limits_due(&self) -> Option<Instant> {
        let at = Timestamp::now();
        let wake = self.limits.next_wake(at)?;
        // A clock that is set is noticed within this time.
        let most = SignedDuration::from_mins(1);
        let wait = wake.duration_since(at).clamp(SignedDuration::ZERO, most);
        Some(Instant::now() + Duration::try_from(wait).unwrap_or_default())
    }

    /// Tells one to go on.
    fn go_on(&mut self, order: &Order) {
        let verdict = self.instances.get(&order.unit).and_then(Instance::verdict);
        let go_on = verdict.and_then(|verdict| verdict.go_on.clone());
        let (unit, first) = (order.unit.clone(), order.first);
        let notes = self.notes.clone();
        let over = move |came: Came, words: String| {
            let words = match first {
                true => format!("first: {words}"),
                false => words,
            };
            let _ = notes.send(Note::WentOn(unit, came, words));
        };
        if go_on.is_none() {
            over(Came::ByItself, "goes on by itself".to_owned());
            return;
        }
        match self.hands(&order.unit) {
            Ok(hands) => {
                tokio::spawn(async move {
                    let (came, words) = match hands.alone(going_on(&hands)).await {
                        Ok(went) => went,
                        Err(why) => held(&why),
                    };
                    over(came, words);
                });
            }
            Err(refused) => {
                let error = refused.get("error").and_then(Value::as_str);
                over(Came::Held, error.unwrap_or_default().to_owned());
            }
        }
    }

    /// One has been told to go on, or not.
    pub(super) fn went_on(&mut self, unit: &str, came: Came, words: String) {
        let at = Timestamp::now();
        let news = self.limits.came(unit, came, at);
        self.record(unit, "go-on", Some(words));
        self.tell_limits(news.into_iter().collect());
        self.keep_limits();
        self.look(unit);
    }

    /// One instance, as it is listed.
    pub(super) fn shown(&self, it: &Instance) -> Value {
        let mut told = listing::unit(it, &self.socket_of(it).to_string_lossy());
        let at = Timestamp::now();
        let waits = self.limits.wait(&it.name, at);
        let closed = || self.limits.closed(it.unit.account.as_deref()?, at);
        let (own, wait) = (waits.is_some(), waits.or_else(closed));
        if let Some(map) = told.as_object_mut() {
            let is_idle = map.get("state").and_then(Value::as_str) == Some(State::Idle.name());
            if let Some(wait) = &wait {
                if !own && is_idle {
                    // Nothing is begun with an account that is limited.
                    map.insert("state".to_owned(), State::Limited.name().into());
                    map.insert("sub".to_owned(), "account".into());
                }
                let reset = wait.reset.map(|reset| reset.to_string());
                map.insert("reset".to_owned(), reset.into());
            }
            let limit = serde_json::to_value(wait).unwrap_or_default();
            map.insert("limit".to_owned(), limit);
        }
        told
    }
}

/// Whose limits it shares. Those that declare none share the first one that goes on with all of their
/// profile, and nothing more.
fn account(it: &Instance) -> String {
    let declared = it.unit.account.clone();
    let profile = it.unit.profile.as_deref().unwrap_or_default();
    declared.unwrap_or_else(|| format!("profile:{profile}"))
}

fn shown(it: &Instance) -> State {
    match it.verdict() {
        Some(verdict) if it.is_running() => verdict.state,
        _ => State::Dead,
    }
}

fn steady() -> Duration {
    Duration::from_nanos(Stamp::now().monotonic_ns)
}

fn held(why: &Why) -> (Came, String) {
    (Came::Held, format!("held, {why}"))
}

/// Has a program go on, where it still shows what it was stopped by.
async fn going_on(hands: &Hands) -> (Came, String) {
    let look = match hands.reader.look().await {
        Ok(look) => look,
        Err(why) => return held(&why),
    };
    let Some(GoOn { choice, prompt }) = look.reading.go_on else {
        return held(&Why::NotIdle(look.reading.state.to_string()));
    };
    if let Some(choice) = choice {
        let Some(asked) = look.reading.dialog else {
            return held(&Why::NoDialog);
        };
        let words = format!("answered {:?}", choice.text);
        match (hands.give(asked.hash, &choice).await, &prompt) {
            (Answered::Answered, Some(_)) => {}
            (Answered::Answered, None) => return (Came::Told, words),
            (Answered::Held(why), _) => return held(&why),
            (Answered::Uncertain(why), _) => {
                return (Came::Told, format!("perhaps {words}, {why}"));
            }
        }
    }
    let prompt = prompt.unwrap_or_default();
    let sending = hands.reader.profile.sending();
    let prompt = match Prompt::new(prompt.as_bytes()) {
        Ok(prompt) if prompt.fits(sending).is_ok() => prompt,
        _ => {
            return held(&Why::Refused(
                "its profile's words are no prompt".to_owned(),
            ));
        }
    };
    let words = format!("{:?}", prompt.text());
    let began = Instant::now();
    let delivery = Delivery::going_on(prompt, sending, Duration::ZERO);
    let (_nobody, hooks) = mpsc::unbounded_channel();
    let receipt = deliver(delivery, &hands.enter, &hands.reader, hooks, began).await;
    match receipt.outcome {
        Outcome::Delivered => (Came::Told, format!("told {words}")),
        Outcome::Held(why) => held(&why),
        Outcome::Uncertain(why) => (Came::Told, format!("perhaps told {words}, {why}")),
    }
}
