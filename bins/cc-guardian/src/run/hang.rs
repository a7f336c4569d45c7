//! What is done about instances that seem to hang, rung by rung.

use std::time::Duration;

use cc_kit::lease::{Lease, Taken};
use cc_kit::pane::Pane;
use tmux_cc::protocol::Command;
use tokio::time::sleep;

use super::{Daemon, GRACE, Note, process};
use crate::instance::{End, Phase};
use crate::policy::ladder::{Action, Order};

/// Two changes of a size within a quarter of a second reach a program as one, which is none (tmux
/// 3.3a to 3.8, `window_pane_send_resize`).
const BETWEEN: Duration = Duration::from_millis(400);

impl Daemon {
    /// tmux tells that something was printed, or that a cursor moved.
    pub(super) fn printed(&mut self, name: &str, value: &[u8]) {
        let now = self.now();
        // The rest of it changes with the width too.
        let activity = value.split(|&byte| byte == b' ').next();
        if let (Some(it), Some(activity)) = (self.instances.get_mut(name), activity) {
            it.vigil.printed(activity, now);
        }
    }

    /// Decides about everybody that runs.
    pub(super) fn watch_over(&mut self) {
        let now = self.now();
        let mut orders = Vec::new();
        let mut news = Vec::new();
        for it in self.instances.values_mut() {
            if !it.is_running() {
                continue;
            }
            let verdict = it.judge.as_ref().map(|judge| judge.verdict());
            let (Some(profile), Some(verdict)) = (&it.profile, verdict) else {
                continue;
            };
            let order = it.vigil.step(&it.unit, profile, verdict, now);
            news.extend(
                it.vigil
                    .news()
                    .into_iter()
                    .map(|word| (it.name.clone(), word)),
            );
            orders.extend(order.map(|order| (it.name.clone(), order)));
        }
        for (name, word) in news {
            self.record(&name, "rung", Some(word));
        }
        for (name, order) in orders {
            self.obey(&name, order);
        }
    }

    fn obey(&mut self, name: &str, order: Order) {
        match order.action {
            Action::Probe => self.probe(name),
            Action::Alert => {
                if let Some(it) = self.instances.get(name) {
                    self.alerts.lives(it, &self.limits);
                }
            }
            Action::Interrupt => self.press(name, |keys| keys.interrupt.clone()),
            Action::Exit => self.press(name, |keys| keys.exit.clone()),
            Action::Terminate => self.signal(name, GRACE),
            Action::Kill => self.signal(name, Duration::ZERO),
            Action::NewPane => self.ended(name, End::Hang),
        }
    }

    /// Makes its pane a column narrower, and as wide as before: who lives draws anew.
    fn probe(&mut self, name: &str) {
        let Some((pane, run)) = self.running(name) else {
            return;
        };
        if let Some(it) = self.instances.get_mut(name) {
            it.vigil.probing(true);
        }
        let (notes, name) = (self.notes.clone(), name.to_owned());
        tokio::spawn(async move {
            if let Err(error) = resize(&pane).await {
                tracing::warn!(%error, name, "a pane cannot be probed");
            }
            let _ = notes.send(Note::Probed(name, run));
        });
    }

    pub(super) fn probed(&mut self, name: &str, run: &str) {
        if let Some(it) = self.instances.get_mut(name)
            && matches!(&it.phase, Phase::Running(of) if of.number == run)
        {
            it.vigil.probing(false);
        }
    }

    /// Presses keys, unless somebody else writes there: then the rung stays without an answer.
    fn press(&self, name: &str, which: impl Fn(&cc_kit::profile::Keys) -> Vec<String>) {
        let Some((pane, _)) = self.running(name) else {
            return;
        };
        let keys = self.instances.get(name).and_then(|it| it.profile.as_ref());
        let Some((keys, gap)) = keys.map(|profile| (which(profile.keys()), profile.keys().gap()))
        else {
            return;
        };
        let Some(place) = Self::place_of(&pane) else {
            return;
        };
        let leases = self.places.leases();
        tokio::spawn(async move {
            let lease = Lease::take(&leases, place, "cc-guardian");
            if !matches!(lease, Ok(Taken::Ours(_))) {
                return;
            }
            for key in keys {
                let _ = pane.press(&key).await;
                sleep(gap).await;
            }
        });
    }

    /// Ends its processes: asked, and killed after that time.
    fn signal(&self, name: &str, grace: Duration) {
        let mark = self.mark(name);
        tokio::spawn(async move {
            if let Err(error) = process::reap(&mark, grace).await {
                tracing::warn!(%error, "a unit that hangs cannot be ended");
            }
        });
    }

    /// The pane of one that runs, and which run that is.
    fn running(&self, name: &str) -> Option<(Pane, String)> {
        let it = self.instances.get(name)?;
        let run = it.run()?.number.clone();
        Some((self.pane_of(it)?, run))
    }
}

async fn resize(pane: &Pane) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let ask = Command::new("display-message").flag("-p").target(pane.id());
    let reply = pane.server().command(ask.arg("#{window_width}")).await?;
    let width = reply.lines().next().map(String::from_utf8_lossy);
    let width: u32 = width.unwrap_or_default().trim().parse()?;
    let size = |width: u32| {
        let resize = Command::new("resize-window").target(pane.id());
        resize.option("-x", width.to_string())
    };
    pane.server()
        .command(size(width.saturating_sub(1).max(1)))
        .await?;
    sleep(BETWEEN).await;
    pane.server().command(size(width)).await?;
    // Such a window no longer follows the terminals that show it, unless it is told to.
    let follow = Command::new("set-option")
        .flag("-w")
        .flag("-u")
        .target(pane.id());
    pane.server().command(follow.arg("window-size")).await?;
    Ok(())
}
