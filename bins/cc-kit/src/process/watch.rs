//! Waiting for a death: the kernel says it, nobody polls.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::system;
use super::{Exit, Identity};

/// That a process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Which one.
    pub identity: Identity,
    /// How, where that could be learnt.
    ///
    /// Of a child of this process it can, unless it was waited for already. Of others only while
    /// nobody has waited for them, so that it is a matter of luck: who needs it asks who knows, as
    /// tmux does with `pane_dead_status`.
    pub exit: Option<Exit>,
}

/// A watch over one process, child of ours or not.
#[derive(Debug)]
pub struct Watch {
    identity: Identity,
    handle: AsyncFd<OwnedFd>,
}

impl Watch {
    /// Begins to watch. Nothing where the process has gone, or its number is another's now; a zombie
    /// is watched, and has ended.
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) where the system has no such handles, which is
    /// all but Linux from 5.3 on; also when there are too many descriptors.
    ///
    /// # Panics
    /// Outside a tokio runtime that has IO enabled.
    pub fn open(identity: Identity) -> io::Result<Option<Self>> {
        let Some(handle) = open(identity)? else {
            return Ok(None);
        };
        #[allow(
            deprecated,
            reason = "what may be given away is a type that lies about its descriptor; this one owns it"
        )]
        let handle = AsyncFd::with_interest(handle, Interest::READABLE)?;
        Ok(Some(Self { identity, handle }))
    }

    /// Which one is watched.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// Waits for the end. Can be dropped and begun again, and asked again afterwards.
    ///
    /// # Errors
    /// When the runtime goes away.
    pub async fn ended(&self) -> io::Result<End> {
        // The readiness is left set: an end is final.
        self.handle.readable().await?.retain_ready();
        let child = system::exit_of_child(self.handle.get_ref());
        Ok(End {
            identity: self.identity,
            exit: child.or_else(|| system::exit_of_zombie(self.identity)),
        })
    }
}

/// Waits for the end of a process; one that has gone already has ended, nobody knows how.
///
/// # Errors
/// As [`Watch::open`].
///
/// # Panics
/// As [`Watch::open`].
pub async fn ended(identity: Identity) -> io::Result<End> {
    match Watch::open(identity)? {
        Some(watch) => watch.ended().await,
        None => Ok(End {
            identity,
            exit: None,
        }),
    }
}

/// A handle of that very process: what has the number when the handle is opened is looked at
/// afterwards, so that the handle can be of nobody else.
pub(super) fn open(identity: Identity) -> io::Result<Option<OwnedFd>> {
    let Some(handle) = system::open(identity.pid)? else {
        return Ok(None);
    };
    // Had it gone between the two, the number could be another's by now: then the start differs.
    let same = Identity::of(identity.pid)? == Some(identity);
    Ok(same.then_some(handle))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::process::players::Player;
    use crate::process::{Signal, send};

    const SOON: Duration = Duration::from_secs(20);

    async fn end_of(watch: &Watch) -> End {
        timeout(SOON, watch.ended()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_child_says_how_it_ended_and_can_still_be_waited_for() {
        let mut player = Player::sh("read line; exit 7");
        let watch = Watch::open(player.identity()).unwrap().unwrap();
        let early = timeout(Duration::from_millis(20), watch.ended()).await;
        assert!(early.is_err(), "{early:?}");
        player.end_input();
        let wanted = End {
            identity: player.identity(),
            exit: Some(Exit::Status(7)),
        };
        assert_eq!(end_of(&watch).await, wanted);
        assert_eq!(end_of(&watch).await, wanted);
        assert_eq!(player.child.wait().unwrap().code(), Some(7));
    }

    #[tokio::test]
    async fn a_child_that_is_killed_says_by_what() {
        let player = Player::sh("read line");
        let watch = Watch::open(player.identity()).unwrap().unwrap();
        send(player.identity(), Signal::KILL).unwrap();
        let (number, core) = (9, false);
        let exit = Some(Exit::Signal { number, core });
        assert_eq!(end_of(&watch).await.exit, exit);
    }

    #[tokio::test]
    async fn who_is_no_child_is_watched_too_and_no_status_is_made_up() {
        // The inner shell is the child of the outer one, which does not wait for it until told to.
        let mut player = Player::sh("sh -c 'read line < /dev/zero; exit 3' & echo $!; read line");
        let pid: i32 = player.line().parse().unwrap();
        let identity = Identity::of(pid).unwrap().unwrap();
        let watch = Watch::open(identity).unwrap().unwrap();
        send(identity, Signal::TERM).unwrap();
        let end = end_of(&watch).await;
        let (number, core) = (15, false);
        let wanted = Exit::Signal { number, core };
        assert!(end.exit.is_none_or(|exit| exit == wanted), "{end:?}");
        player.end_input();
    }

    #[tokio::test]
    async fn a_zombie_that_nobody_waits_for_says_how_it_ended() {
        // A stopped parent waits for nobody.
        let mut player = Player::sh("sh -c 'read line < /dev/zero' & echo $!; kill -STOP $$; wait");
        let pid: i32 = player.line().parse().unwrap();
        let identity = Identity::of(pid).unwrap().unwrap();
        player.until(|process| process.state == crate::process::State::Stopped);
        let watch = Watch::open(identity).unwrap().unwrap();
        send(identity, Signal::TERM).unwrap();
        let (number, core) = (15, false);
        let exit = Some(Exit::Signal { number, core });
        assert_eq!(end_of(&watch).await.exit, exit);
        // As a zombie it can be watched from the start.
        assert_eq!(ended(identity).await.unwrap().exit, exit);
        send(player.identity(), Signal::CONT).unwrap();
    }

    #[tokio::test]
    async fn a_number_of_another_has_ended_at_once() {
        let player = Player::sh("read line");
        let other = Identity {
            start: player.identity().start + 1,
            ..player.identity()
        };
        assert!(Watch::open(other).unwrap().is_none());
        let end = timeout(SOON, ended(other)).await.unwrap().unwrap();
        let wanted = End {
            identity: other,
            exit: None,
        };
        assert_eq!(end, wanted);
        assert!(player.identity().is_alive().unwrap());
    }
}
