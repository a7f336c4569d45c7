//! When a handshake may begin, and when a client may leave.
//!
//! Up to 3.6 a server crashes when it tells all control clients of something while one of them is
//! in its handshake (`control-notify.c`, fixed for tmux #5004): seen with 3.3a, 335 of 1500
//! handshakes while sessions were made and killed all the time. So there is one handshake at a
//! time, none while a client of ours leaves, which all are told of, and none while the server has
//! just had something to tell. What a stranger does within the fraction of a millisecond that a
//! handshake takes is out of our hands.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{
    Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use tokio::time::{Instant, sleep_until};

use crate::protocol::{Quirk, Quirks};

/// How long a server must have been quiet before a handshake is begun.
const QUIET: Duration = Duration::from_millis(100);

/// How long at least, with a server that is never as quiet as that.
const LULL: Duration = Duration::from_millis(20);

/// After how long a lull will do.
const LONG: Duration = Duration::from_secs(10);

/// The turn to shake hands, for as long as it is kept.
pub(super) type Turn<'a> = (RwLockWriteGuard<'a, ()>, AsyncMutexGuard<'a, ()>);

/// What the keepers of one life share to that end.
#[derive(Debug)]
pub(super) struct Calm {
    /// Handshakes begin in the order in which they were asked for.
    queue: AsyncMutex<()>,
    /// Handshakes have it for themselves, clients that leave share it.
    gate: RwLock<()>,
    /// When the server last had something to tell all control clients; `None` where it may.
    stirred: Option<Mutex<Instant>>,
}

impl Calm {
    /// For a server that has just been found.
    pub(super) fn new(quirks: Quirks) -> Self {
        Self {
            queue: AsyncMutex::new(()),
            gate: RwLock::new(()),
            stirred: quirks
                .has(Quirk::HandshakeDropCrash)
                .then(|| Mutex::new(Instant::now())),
        }
    }

    /// The server has something to tell all control clients.
    pub(super) fn stir(&self) {
        if let Some(stirred) = &self.stirred {
            *stirred.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    /// Waits until a handshake may begin; to be kept until it is over.
    ///
    /// A server that is never quiet is never attached to: better late than a dead server. Who
    /// waits for quiet keeps nobody else from anything.
    pub(super) async fn handshake(&self) -> Turn<'_> {
        let began = Instant::now();
        let queue = self.queue.lock().await;
        let mut said = false;
        loop {
            while let Some(calm) = self.not_before(began) {
                if Instant::now() >= began + LONG && !std::mem::replace(&mut said, true) {
                    tracing::warn!("this server is too busy to be attached to safely; waiting");
                }
                sleep_until(calm).await;
            }
            let gate = self.gate.write().await;
            // One that left may have stirred the server.
            if self.not_before(began).is_none() {
                return (gate, queue);
            }
        }
    }

    /// Until when the server is not quiet enough; `None` when it is.
    fn not_before(&self, began: Instant) -> Option<Instant> {
        let stirred = self.stirred.as_ref()?;
        let stirred = *stirred.lock().unwrap_or_else(PoisonError::into_inner);
        let calm = (stirred + QUIET).min((began + LONG).max(stirred + LULL));
        (calm > Instant::now()).then_some(calm)
    }

    /// Waits until a client may leave; to be kept until it has.
    pub(super) async fn leave(&self) -> Option<RwLockReadGuard<'_, ()>> {
        match self.stirred {
            Some(_) => Some(self.gate.read().await),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::wire::Version;

    fn calm(version: Version) -> Arc<Calm> {
        Arc::new(Calm::new(Quirks::of(version)))
    }

    const FRAIL: Version = Version::new(3, 6);
    const SOUND: Version = Version::new(3, 7);

    /// How long a handshake waits with a server that stirs every so often, for at most a minute.
    async fn wait(version: Version, every: Option<Duration>) -> Option<Duration> {
        let calm = calm(version);
        let stirring = Arc::clone(&calm);
        let stirs = tokio::spawn(async move {
            while let Some(every) = every {
                stirring.stir();
                sleep(every).await;
            }
        });
        tokio::task::yield_now().await;
        let began = Instant::now();
        let waited = timeout(Duration::from_secs(60), calm.handshake()).await;
        stirs.abort();
        waited.is_ok().then(|| began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_waits_for_a_quiet_server() {
        let ms = Duration::from_millis;
        assert_eq!(wait(FRAIL, None).await, Some(ms(100)));
        assert_eq!(wait(FRAIL, Some(ms(200))).await, Some(ms(100)));
        // Never as quiet as that: a lull will do, after a while.
        let waited = wait(FRAIL, Some(ms(50))).await.unwrap();
        assert!((LONG..LONG + ms(100)).contains(&waited), "{waited:?}");
        // Never quiet at all.
        assert_eq!(wait(FRAIL, Some(ms(10))).await, None);
        // Nothing to wait for.
        assert_eq!(wait(SOUND, Some(ms(10))).await, Some(ms(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn handshakes_come_in_the_order_they_were_asked_for() {
        let calm = calm(FRAIL);
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for n in 0..8 {
            let (calm, done) = (Arc::clone(&calm), done.clone());
            tokio::spawn(async move {
                // Each is asked for at a time of its own, all before the first may begin.
                sleep(Duration::from_millis(n)).await;
                let turn = calm.handshake().await;
                let _ = done.send(n);
                calm.stir();
                drop(turn);
            });
        }
        for n in 0..8 {
            assert_eq!(order.recv().await, Some(n));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_quiet_keeps_nobody_from_leaving() {
        let calm = calm(FRAIL);
        let stirring = Arc::clone(&calm);
        let stirs = tokio::spawn(async move {
            loop {
                stirring.stir();
                sleep(Duration::from_millis(10)).await;
            }
        });
        let waiting = Arc::clone(&calm);
        let waiter = tokio::spawn(async move { drop(waiting.handshake().await) });
        sleep(Duration::from_secs(1)).await;
        let left = timeout(Duration::from_secs(1), calm.leave()).await;
        assert!(left.is_ok() && !waiter.is_finished());
        stirs.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_leaves_during_a_handshake() {
        let calm = calm(FRAIL);
        let soon = Duration::from_secs(1);
        let handshake = calm.handshake().await;
        assert!(timeout(soon, calm.leave()).await.is_err());
        drop(handshake);
        let leaving = (calm.leave().await, calm.leave().await);
        assert!(leaving.0.is_some() && leaving.1.is_some());
        assert!(timeout(soon, calm.handshake()).await.is_err());
        drop(leaving);
        assert!(timeout(soon, calm.handshake()).await.is_ok());
    }
}
