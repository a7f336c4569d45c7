//! What becomes of clients and streams: counted, and said as events of `tracing`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::AttachError;
use super::events::{Cause, Loss, Resync};
use super::identity::Attached;
use crate::protocol::{Desync, Exit};
use crate::wire::{PaneId, SessionId};

/// The target of every event below.
const TARGET: &str = "tmux_cc::health";

/// How often what has happened, to one client or to all clients of a [`Server`](super::Server).
///
/// Each count that goes up is also an event of `tracing` with the target `tmux_cc::health`, the
/// field `socket`, and these:
///
/// | `event` | level | fields | counted in |
/// |---|---|---|---|
/// | `attach` | info | `session`, `client`, `output` | `attached` |
/// | `detach` | info | `session`, `client`, `output`, `exit` | `detached` |
/// | `reconnect` | info | `session`, `output` | `reconnected` |
/// | `attach-failed` | info | `output`, `error` | `failed` |
/// | `pause` | debug | `pane` | `paused` |
/// | `gap` | info | `pane`, `epoch`, `cause`, `at_least` | `gaps`, `lost` |
/// | `desync` | warn | `desync` | `desyncs` |
/// | `lag` | warn | `missed` | `lagged` |
///
/// `client` is tmux's name for it, `session` and `pane` are ids, `output` says whether the client
/// takes output. Text of tmux or of a pane in `exit` and `error` is escaped;
/// `desync` is the event as it is written for debugging.
///
/// Each number only grows. They are read one after another: a sum over two of them may be off by
/// what happened in between.
///
/// ```no_run
/// # fn example(server: tmux_cc::client::Server) {
/// let health = server.health();
/// println!("{} gaps, at least {} bytes lost", health.gaps, health.lost);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Health {
    /// Control clients that were attached.
    pub attached: u64,
    /// Of these, how many have ended, in order or not.
    pub detached: u64,
    /// How many were attached in place of one that had ended.
    pub reconnected: u64,
    /// Attempts to attach that have failed.
    pub failed: u64,
    /// How often tmux has paused a pane, on its own or because the consumer was too slow.
    pub paused: u64,
    /// How often a pane's stream has broken off: each [`Resync`] but those of
    /// [`Cause::FirstSight`].
    pub gaps: u64,
    /// Decoded bytes that came and were dropped in those gaps; what tmux dropped itself cannot be
    /// counted.
    pub lost: u64,
    /// How often a control stream was not what it should be: each
    /// [`Event::Desync`](super::Event::Desync).
    pub desyncs: u64,
    /// Notifications, strays and blocks that were dropped because nobody took them: the sum of
    /// [`Event::Lagged`](super::Event::Lagged).
    pub lagged: u64,
}

/// Counts for [`Health`].
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Of the server; empty where its clients come over a transport of the caller's.
    socket: PathBuf,
    attached: AtomicU64,
    detached: AtomicU64,
    reconnected: AtomicU64,
    failed: AtomicU64,
    paused: AtomicU64,
    gaps: AtomicU64,
    lost: AtomicU64,
    desyncs: AtomicU64,
    lagged: AtomicU64,
}

fn add(count: &AtomicU64, more: u64) {
    // Nothing is decided by these numbers, so their order does not matter.
    count.fetch_add(more, Ordering::Relaxed);
}

/// An event about the server of a meter.
macro_rules! say {
    ($meter:expr, $level:ident, $event:literal, $($field:tt)*) => {
        tracing::$level!(
            target: TARGET,
            event = $event,
            socket = %$meter.socket.display(),
            $($field)*
        )
    };
}

impl Meter {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            ..Self::default()
        }
    }

    pub(super) fn read(&self) -> Health {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Health {
            attached: read(&self.attached),
            detached: read(&self.detached),
            reconnected: read(&self.reconnected),
            failed: read(&self.failed),
            paused: read(&self.paused),
            gaps: read(&self.gaps),
            lost: read(&self.lost),
            desyncs: read(&self.desyncs),
            lagged: read(&self.lagged),
        }
    }

    pub(super) fn attached(&self, client: &Attached, output: bool) {
        add(&self.attached, 1);
        let (session, name) = (client.session, client.client_name.escape_ascii());
        say!(self, info, "attach", %session, client = %name, output, "attached");
    }

    pub(super) fn detached(&self, client: &Attached, output: bool, exit: &Exit) {
        add(&self.detached, 1);
        let (session, name) = (client.session, client.client_name.escape_ascii());
        say!(self, info, "detach", %session, client = %name, output, %exit, "detached");
    }

    pub(super) fn reconnected(&self, session: SessionId, output: bool) {
        add(&self.reconnected, 1);
        say!(self, info, "reconnect", %session, output, "attached again");
    }

    pub(super) fn failed(&self, output: bool, error: &AttachError) {
        add(&self.failed, 1);
        say!(self, info, "attach-failed", output, %error, "cannot attach");
    }

    pub(super) fn paused(&self, pane: PaneId) {
        add(&self.paused, 1);
        say!(self, debug, "pause", %pane, "paused");
    }

    /// A pane's stream begins anew; at first sight that is no gap.
    pub(super) fn resync(&self, resync: &Resync) {
        let Resync {
            pane,
            epoch,
            cause,
            loss,
            ..
        } = *resync;
        if cause == Cause::FirstSight {
            return;
        }
        let (Loss::Known(at_least) | Loss::Unknown { at_least }) = loss;
        add(&self.gaps, 1);
        add(&self.lost, at_least);
        say!(self, info, "gap", %pane, epoch, %cause, at_least, "gap");
    }

    pub(super) fn desync(&self, desync: &Desync) {
        add(&self.desyncs, 1);
        say!(
            self,
            warn,
            "desync",
            ?desync,
            "control stream is not what it should be"
        );
    }

    pub(super) fn lagged(&self, missed: u64) {
        add(&self.lagged, missed);
        say!(
            self,
            warn,
            "lag",
            missed,
            "events were dropped: nobody took them"
        );
    }
}
