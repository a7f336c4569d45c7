//! Looking at a pane of which no guardian speaks.

use std::sync::Arc;
use std::time::Duration;

use cc_kit::journal::Stamp;
use cc_kit::pane::{Pane, PaneError};
use cc_kit::profile::{Profile, Sight};
use cc_kit::verdict::{Judge, Look};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{Belief, steady};

/// tmux tells what changes once a second, and by whole seconds: what is drawn in the second of such a
/// word is told by none.
const UNTOLD: Duration = Duration::from_millis(1100);
/// How long it is waited where nobody answers.
const AGAIN: Duration = Duration::from_millis(200);
/// The least time between two looks.
const REST: Duration = Duration::from_millis(30);

/// One who looks at a pane, until it is dropped.
#[derive(Debug)]
pub(crate) struct Eyes {
    pub(crate) belief: watch::Receiver<Belief>,
    news: Arc<Notify>,
    looking: JoinHandle<()>,
}

impl Eyes {
    /// Begins to look. The pane's program is read by that profile; `own` is what tmux calls it where the
    /// profile need not know the name.
    pub(crate) fn open(
        pane: Pane,
        profile: Arc<Profile>,
        host: Arc<str>,
        own: Option<String>,
    ) -> Self {
        let (tell, belief) = watch::channel(Belief::unknown());
        let news = Arc::new(Notify::new());
        let looker = Looker {
            pane,
            profile,
            host,
            own,
            judge: Judge::adopted(Stamp::now()),
            tell,
        };
        let looking = tokio::spawn(looker.look_on(Arc::clone(&news)));
        news.notify_one();
        Self {
            belief,
            news,
            looking,
        }
    }

    /// Something has happened there.
    pub(crate) fn news(&self) {
        self.news.notify_one();
    }

    /// Who else may say that something has happened there.
    pub(crate) fn teller(&self) -> Arc<Notify> {
        Arc::clone(&self.news)
    }
}

impl Drop for Eyes {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

struct Looker {
    pane: Pane,
    profile: Arc<Profile>,
    host: Arc<str>,
    own: Option<String>,
    judge: Judge,
    tell: watch::Sender<Belief>,
}

impl Looker {
    async fn look_on(mut self, news: Arc<Notify>) {
        // Once more when nothing has come of it for as long as something may be untold.
        let mut later = None;
        loop {
            match self.look().await {
                Ok(()) => {}
                Err(PaneError::NoAnswer(_)) => {
                    sleep(AGAIN).await;
                    continue;
                }
                Err(error) => {
                    tracing::debug!(%error, pane = %self.pane.id(), "cannot be looked at");
                }
            }
            let now = Instant::now();
            let judged = self.judge.next_look();
            let judged = judged.map(|due| now + due.saturating_sub(steady()));
            let due = judged.into_iter().chain(later.take()).min();
            let waited = match due {
                Some(due) => timeout_at(due, news.notified()).await.is_ok(),
                None => {
                    news.notified().await;
                    true
                }
            };
            if waited {
                later = Some(Instant::now() + UNTOLD);
            } else if let Some(due) = due {
                sleep_until(due).await;
            }
            sleep(REST).await;
        }
    }

    async fn look(&mut self) -> Result<(), PaneError> {
        let found = self.pane.look().await?;
        let now = Stamp::now();
        let sight = Sight {
            screen: Some(&found.screen),
            title: &found.title,
            host: &self.host,
            command: self
                .profile
                .command_told(&found.command, self.own.as_deref()),
            in_band: None,
        };
        let reading = self.profile.read(&sight);
        if found.dead {
            self.judge.died("", now);
        } else {
            self.judge.look(
                Look {
                    reading,
                    quiet: true,
                },
                now,
            );
        }
        let verdict = self.judge.verdict();
        let belief = Belief {
            state: verdict.state,
            sub: verdict.sub.clone(),
            since: Timestamp::from_nanosecond(verdict.since.wall_ns.into()).ok(),
            steady: Duration::from_nanos(verdict.since.monotonic_ns),
            seen: Duration::from_nanos(now.monotonic_ns),
            draft: verdict.draft.is_some(),
            session: None,
            limit: verdict.limit_text.clone(),
            goes_on: verdict.go_on.as_ref().is_some_and(|it| it.prompt.is_some()),
        };
        let _ = self.tell.send(belief);
        Ok(())
    }
}
