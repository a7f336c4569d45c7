//! Somebody is told of what happens to instances, on its edges.

use std::collections::HashMap;
use std::time::Duration;

use cc_kit::exit::Failure;
use cc_kit::journal::Stamp;
use cc_kit::profile::State;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::alert::{BACKOFF, Desk, Facts, Means, Now, Outcome, Post, Report, Secrets};
use crate::config::{AlertSettings, EventKind, Unit};
use crate::instance::{Instance, Phase};

/// How many reports may wait for the loop.
const REPORTS: usize = 64;

/// Who is told of what.
#[derive(Debug)]
pub(super) struct Alerts {
    desk: Desk,
    post: Post,
    /// What each instance is in, where that is worth telling.
    open: HashMap<String, EventKind>,
}

impl Alerts {
    /// Nobody is told of anything yet; what comes of messages later is reported.
    pub(super) fn new() -> Result<(Self, mpsc::Receiver<Report>), Failure> {
        let (tell, reports) = mpsc::channel(REPORTS);
        let alerts = Self {
            desk: Desk::new(Vec::new()),
            post: Post::new(Means::ours(Secrets::known([])?), &BACKOFF, tell),
            open: HashMap::new(),
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

    /// Looks for edges, and sends what is due.
    pub(super) fn step<'a>(&mut self, instances: impl Iterator<Item = &'a Instance>) {
        let now = Now::from(Stamp::now());
        for it in instances {
            let kind = kind(it);
            let before = self.open.get(&it.name).copied();
            if before == kind {
                continue;
            }
            if let Some(before) = before {
                self.desk.ends(&it.name, before, now);
                self.open.remove(&it.name);
            }
            if let Some(kind) = kind {
                let failed = it.verdict().and_then(|v| v.sub.as_deref()) != Some("exit 0");
                let on_failure = it.unit.on_failure.as_slice();
                let named = if failed { on_failure } else { &[] };
                self.desk.begins(&it.name, kind, &facts(it), named, now);
                self.open.insert(it.name.clone(), kind);
            }
        }
        for message in self.desk.due(now) {
            if let Some(settings) = self.desk.alert(&message.alert) {
                self.post.send(&message, settings);
            }
        }
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
        Phase::Waiting(_) | Phase::Absent => {
            let verdict = verdict.filter(|verdict| verdict.state == State::Dead)?;
            // Somebody wanted it so.
            (verdict.sub.as_deref() != Some("operator")).then_some(EventKind::Dead)
        }
        Phase::Making | Phase::Ending(..) | Phase::Stopping(..) => None,
    }
}

fn facts(it: &Instance) -> Facts {
    let Some(verdict) = it.verdict() else {
        return Facts::default();
    };
    let detail = match &it.phase {
        Phase::Held(why) => Some(why.clone()),
        _ => verdict
            .dialog
            .as_ref()
            .map(|dialog| dialog.question.clone()),
    };
    Facts {
        sub: verdict.sub.clone(),
        evidence: verdict.evidence.iter().map(|e| e.text.clone()).collect(),
        detail,
        since: Timestamp::from_nanosecond(verdict.since.wall_ns.into()).unwrap_or_default(),
        labels: it.unit.labels.clone(),
    }
}

/// What came of a message, in words.
pub(super) fn words(report: &Report) -> String {
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
        Outcome::Failed(error) => {
            format!("{alert} was not told ({kind}), attempt {attempt}, and will not be: {error}")
        }
    }
}
