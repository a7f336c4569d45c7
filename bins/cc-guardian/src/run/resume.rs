//! Going on with what a guardian before us was doing when it ended.

use cc_kit::exit::Failure;
use cc_kit::journal::Stamp;

use super::{Daemon, stored};
use crate::instance::{Phase, Run};

/// The detail of a `stopping` that waits for nobody.
pub(super) const NOW: &str = "now";

impl Daemon {
    /// Goes on with a stop that was under way, and leaves alone what was over before.
    pub(super) fn resume(&mut self, name: &str, wanted: bool) -> Result<(), Failure> {
        let stood = self.store.stood(name).map_err(stored)?;
        let Some(it) = self.instances.get_mut(name) else {
            return Ok(());
        };
        match stood {
            Some((kind, detail)) if kind == "stopping" => {
                self.stop(name, wanted, detail == NOW);
            }
            Some((kind, detail)) if kind == "hold" && it.phase == Phase::Absent => it.held(detail),
            Some((kind, detail)) if kind == "end" && it.phase == Phase::Absent => {
                it.was(&detail, Stamp::now());
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes up a pane whose program has ended: while nobody watched, or before.
    pub(super) fn adopt_dead(&mut self, name: &str, run: Run) {
        let stood = self.store.stood(name).ok().flatten();
        let stood = stood.as_ref().map(|(kind, _)| kind.as_str());
        let now = self.now();
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        if matches!(stood, Some("end" | "hold" | "stop")) {
            it.last = Some((run.session, run.pane));
            return;
        }
        it.adopted(run.clone(), now, Stamp::now());
        // One that is being stopped goes on so.
        if stood != Some("stopping") {
            self.gone(name, &run.number, None);
        }
    }
}
