//! Somebody is told of what happens to instances, on its edges.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cc_kit::exit::Failure;
use cc_kit::journal::Stamp;
use cc_kit::profile::State;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::prompts::Rules;
use crate::alert::{BACKOFF, Desk, Facts, Means, Now, Outcome, Post, Remembered, Report, Secrets};
use crate::config::{AlertSettings, EventKind, Unit};
use crate::instance::{Instance, Phase};
use crate::policy::Limits;

/// How many reports may wait for the loop.
const REPORTS: usize = 64;
/// How long to wait once all attempts of a message have failed.
const LAST_WAIT: Duration = {
    let [.., last] = BACKOFF;
    last
};

/// Who is told of what.
#[derive(Debug)]
pub(super) struct Alerts {
    desk: Desk,
    post: Post,
    /// What each instance is in, where that is worth telling.
    open: HashMap<String, EventKind>,
    /// What an earlier guardian told, until it is known which alerts there are.
    before: Vec<Remembered>,
    /// Is there more to remember than is stored?
    is_news: bool,
}

impl Alerts {
    /// Nobody is told of anything yet; what comes of messages later is reported.
    pub(super) fn new() -> Result<(Self, mpsc::Receiver<Report>), Failure> {
        let (tell, reports) = mpsc::channel(REPORTS);
        let alerts = Self {
            desk: Desk::new(Vec::new()),
            post: Post::new(Means::ours(Secrets::known([])?), &BACKOFF, tell),
            open: HashMap::new(),
            before: Vec::new(),
            is_news: false,
        };
        Ok((alerts, reports))
    }

    /// These alerts hold from now on, of these units: values of their variables that are secrets are
    /// never told.
    pub(super) fn declare(
        &mut self,
        alerts: Vec<AlertSettings>,
        units: &[Unit],
    ) -> Result<(), Failure> {
        self.desk.set(alerts);
        let before = std::mem::take(&mut self.before);
        self.desk.remember(&before, Now::from(Stamp::now()));
        let environments: Vec<_> = units
            .iter()
            .filter_map(|unit| unit.environment().ok())
            .collect();
        let variables = environments.iter().flat_map(|environment| &environment.0);
        let known =
            Secrets::known(variables.map(|(name, value)| (name.as_str(), value.as_bytes())))?;
        self.post.know(known);
        Ok(())
    }

    /// Something happened to an instance that does not last.
    pub(super) fn happened(&mut self, it: &Instance, kind: EventKind, detail: &str, at: Stamp) {
        let facts = facts(it, Some(detail.to_owned()));
        self.desk.happened(&it.name, kind, &facts, Now::from(at));
    }

    /// An instance is no more.
    pub(super) fn forget(&mut self, unit: &str) {
        self.open.remove(unit);
        self.desk.gone(unit, Now::from(Stamp::now()));
    }

    /// Looks for edges, and sends what is due.
    pub(super) fn step<'a>(
        &mut self,
        instances: impl Iterator<Item = &'a Instance>,
        limits: &Limits,
        rules: &Rules,
    ) {
        let now = Now::from(Stamp::now());
        let mut unpaid = HashSet::new();
        for it in instances {
            let kind = kind(it).filter(|kind| match kind {
                // Once for all that wait together.
                EventKind::Limited | EventKind::Errored => {
                    !limits.knows(&it.name)
                        && (*kind == EventKind::Errored
                            || unpaid
                                .insert(it.unit.account.clone().unwrap_or_else(|| it.name.clone())))
                }
                EventKind::Blocked => !rules.is_quiet(it),
                _ => true,
            });
            let kind = limits.is_herald(&it.name).map_or(kind, |with| {
                let alone = with.starts_with("unit:");
                kind.or(Some(match alone {
                    true => EventKind::Errored,
                    false => EventKind::Limited,
                }))
            });
            if is_known(it) {
                self.desk.settled(&it.name, kind);
            }
            let before = self.open.get(&it.name).copied();
            if before == kind {
                continue;
            }
            self.is_news = true;
            if let Some(before) = before {
                self.desk.ends(&it.name, before, now);
                self.open.remove(&it.name);
            }
            if let Some(kind) = kind {
                let failed = it.verdict().and_then(|v| v.sub.as_deref()) != Some("exit 0");
                let on_failure = it.unit.on_failure.as_slice();
                let named = if failed { on_failure } else { &[] };
                self.desk
                    .begins(&it.name, kind, &facts(it, standing(it, limits)), named, now);
                self.open.insert(it.name.clone(), kind);
            }
        }
        for message in self.desk.due(now) {
            if let Some(settings) = self.desk.alert(&message.alert) {
                self.post.send(&message, settings);
            }
        }
    }

    /// One that seemed to hang lives: it was asked, and drew itself anew.
    pub(super) fn lives(&mut self, it: &Instance, limits: &Limits) {
        let now = Now::from(Stamp::now());
        let facts = Facts {
            detail: Some(
                "it is busy without getting on, but alive: it answered a probe".to_owned(),
            ),
            ..facts(it, standing(it, limits))
        };
        let named = it.unit.on_failure.as_slice();
        self.desk
            .begins(&it.name, EventKind::Hung, &facts, named, now);
        self.desk.ends(&it.name, EventKind::Hung, now);
        self.is_news = true;
    }

    /// An earlier guardian told this.
    pub(super) fn remember(&mut self, stored: &str) {
        match serde_json::from_str(stored) {
            Ok(before) => self.before = before,
            // Somebody may be told twice.
            Err(error) => tracing::error!(%error, "what was stored of alerts is no use"),
        }
    }

    /// Something was told, or not. Gives what came of it, in words.
    pub(super) fn reported(&mut self, report: &Report) -> String {
        let is_sent = matches!(report.outcome, Outcome::Sent(_));
        self.desk.came(&report.alert, &report.id, is_sent);
        let again = match &report.outcome {
            Outcome::Failed(wrong) if wrong.may_pass() => {
                let now = Now::from(Stamp::now());
                self.desk
                    .given_up(&report.alert, &report.id, LAST_WAIT, now)
            }
            _ => false,
        };
        self.is_news = true;
        words(report, again)
    }

    /// What was told, to be stored, where that has changed.
    pub(super) fn memory(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.is_news) {
            return None;
        }
        let memory = self.desk.memory(Now::from(Stamp::now()));
        Some(serde_json::to_string(&memory).unwrap_or_default())
    }

    /// When something may be due by itself, on the clock of stamps.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.desk.next_due(Now::from(Stamp::now()))
    }

    /// Waits for what is being sent.
    pub(super) async fn finish(self, within: Duration) {
        self.post.finish(within).await;
    }
}

/// Is it known what it is in, and not only that nothing is known of it yet?
fn is_known(it: &Instance) -> bool {
    let verdict = it.verdict().map(|verdict| verdict.state);
    match &it.phase {
        Phase::Running(_) => !matches!(verdict, None | Some(State::Unknown | State::Starting)),
        Phase::Making | Phase::Ending(..) | Phase::Stopping(..) => false,
        Phase::Absent | Phase::Queued | Phase::Waiting(_) | Phase::Held(_) => verdict.is_some(),
    }
}

/// What an instance is in that may be worth telling.
fn kind(it: &Instance) -> Option<EventKind> {
    let verdict = it.verdict();
    match &it.phase {
        Phase::Held(_) => Some(EventKind::Held),
        Phase::Running(_) if it.vigil.state() == Some(State::Hung) => Some(EventKind::Hung),
        Phase::Running(_) => match verdict?.state {
            State::Blocked => Some(EventKind::Blocked),
            State::Limited => Some(EventKind::Limited),
            State::Errored => Some(EventKind::Errored),
            State::Hung => Some(EventKind::Hung),
            _ => None,
        },
        Phase::Waiting(_) | Phase::Queued | Phase::Absent => {
            let verdict = verdict.filter(|verdict| verdict.state == State::Dead)?;
            // Somebody wanted it so.
            (verdict.sub.as_deref() != Some("operator")).then_some(EventKind::Dead)
        }
        Phase::Making | Phase::Ending(..) | Phase::Stopping(..) => None,
    }
}

/// What it is in, in words.
fn standing(it: &Instance, limits: &Limits) -> Option<String> {
    let verdict = it.verdict()?;
    match &it.phase {
        Phase::Held(why) => Some(why.clone()),
        _ => limits.is_herald(&it.name).map_or_else(
            || Some(verdict.dialog.as_ref()?.question.clone()),
            |with| Some(waits(with, &it.name, limits)),
        ),
    }
}

fn facts(it: &Instance, detail: Option<String>) -> Facts {
    let Some(verdict) = it.verdict() else {
        return Facts {
            detail,
            ..Facts::default()
        };
    };
    Facts {
        sub: verdict.sub.clone(),
        evidence: verdict.evidence.iter().map(|e| e.text.clone()).collect(),
        detail,
        since: Timestamp::from_nanosecond(verdict.since.wall_ns.into()).unwrap_or_default(),
        labels: it.unit.labels.clone(),
    }
}

/// With what it waits, in words.
fn waits(with: &str, unit: &str, limits: &Limits) -> String {
    let wait = limits.wait(unit, Timestamp::now());
    let reset = wait.and_then(|wait| wait.reset);
    let until = reset.map_or_else(
        || "until nobody knows when".to_owned(),
        |at| format!("until {at}"),
    );
    match with.starts_with("unit:") {
        true => "it is told to go on from time to time".to_owned(),
        false => format!("{with} is limited {until}; all of it go on then by themselves"),
    }
}

/// What came of a message, in words; is what it tells of told again while it lasts?
fn words(report: &Report, again: bool) -> String {
    let Report {
        alert,
        kind,
        attempt,
        ..
    } = report;
    match &report.outcome {
        Outcome::Sent(_) => format!("{alert} was told ({kind})"),
        Outcome::Again(error, wait) => {
            format!("{alert} was not told ({kind}), attempt {attempt}: {error}; again in {wait:?}")
        }
        Outcome::Failed(error) if again => {
            format!(
                "{alert} was not told ({kind}), attempt {attempt}: {error}; again in {LAST_WAIT:?} \
                 if it lasts"
            )
        }
        Outcome::Failed(error) => {
            format!("{alert} was not told ({kind}), attempt {attempt}, and will not be: {error}")
        }
    }
}
