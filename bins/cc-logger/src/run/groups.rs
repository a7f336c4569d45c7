//! The servers of a guardian, which come and go.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::time::Duration;

use cc_kit::places;
use tmux_cc::client::Socket;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often is looked for new ones.
const OFTEN: Duration = Duration::from_secs(1);

/// The servers that are followed because a guardian made them.
#[derive(Debug)]
pub(super) struct Groups {
    directory: Option<PathBuf>,
    known: HashSet<PathBuf>,
    clock: Option<Interval>,
}

impl Groups {
    pub(super) fn new(wanted: bool) -> Self {
        let directory = places::group_sockets().filter(|_| wanted);
        let clock = directory.is_some().then(|| {
            let mut clock = interval(OFTEN);
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            clock
        });
        Self {
            directory,
            known: HashSet::new(),
            clock,
        }
    }

    /// Waits until it is time to look.
    pub(super) async fn due(&mut self) {
        match &mut self.clock {
            Some(clock) => {
                clock.tick().await;
            }
            None => std::future::pending().await,
        }
    }

    /// Those that are not followed yet.
    pub(super) fn new_ones(&mut self) -> Vec<Socket> {
        let entries = self
            .directory
            .iter()
            .filter_map(|dir| fs::read_dir(dir).ok());
        let mut found: Vec<_> = entries
            .flatten()
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        found.retain(|path| self.known.insert(path.clone()));
        found.into_iter().map(Socket::Path).collect()
    }
}
