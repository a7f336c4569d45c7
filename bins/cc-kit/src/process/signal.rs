//! Signals that hit who is meant, or nobody.

use std::io;

use rustix::process::Signal;

use super::{Identity, State, system, watch};

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was sent; whether anything comes of it is for the process to say.
    Sent,
    /// There is nobody any more: it has ended, or the number is another's now.
    Gone,
    /// It is not sent, whoever asks.
    Refused(Refused),
}

/// Whom no signal is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Pid 1, on which all others rest; 0 and below, which mean groups.
    NotOne,
    /// This process.
    Own,
}

/// Sends a signal to that very process. A number that is used again is never hit: the signal goes by
/// a handle, and the start time is compared once the handle is open.
///
/// # Errors
/// [`PermissionDenied`](io::ErrorKind::PermissionDenied) when it is another user's;
/// [`Unsupported`](io::ErrorKind::Unsupported) where the system has no such handles.
pub fn send(to: Identity, signal: Signal) -> io::Result<Sent> {
    if let Some(why) = refused(to) {
        return Ok(Sent::Refused(why));
    }
    let Some(handle) = watch::open(to)? else {
        return Ok(Sent::Gone);
    };
    // A zombie takes any signal, to no effect.
    if !to.is_alive()? {
        return Ok(Sent::Gone);
    }
    Ok(if system::send(&handle, signal)? {
        Sent::Sent
    } else {
        Sent::Gone
    })
}

/// Sends a signal to each of them, as [`send`] does; one that fails keeps no other from its own.
pub fn kill_tree(
    members: impl IntoIterator<Item = Identity>,
    signal: Signal,
) -> Vec<(Identity, io::Result<Sent>)> {
    let members = members.into_iter();
    members
        .map(|member| (member, send(member, signal)))
        .collect()
}

/// Ends a process that may stand still: a stopped one does not see any signal but the last.
pub(super) fn terminate(whom: Identity, state: State) -> io::Result<Sent> {
    let sent = send(whom, Signal::TERM)?;
    if sent == Sent::Sent && state == State::Stopped {
        send(whom, Signal::CONT)?;
    }
    Ok(sent)
}

fn refused(to: Identity) -> Option<Refused> {
    if to.pid <= 1 {
        return Some(Refused::NotOne);
    }
    let own = rustix::process::getpid().as_raw_nonzero().get();
    (to.pid == own).then_some(Refused::Own)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::players::Player;

    #[test]
    fn a_number_with_another_start_is_not_hit() {
        let player = Player::sh("read line");
        let identity = player.identity();
        for start in [0, identity.start - 1, identity.start + 1, u64::MAX] {
            let other = Identity { start, ..identity };
            assert_eq!(send(other, Signal::KILL).unwrap(), Sent::Gone);
        }
        assert!(identity.is_alive().unwrap());
    }

    #[test]
    fn nobody_that_others_rest_on_is_hit() {
        let own = Identity::own().unwrap();
        let refused = Sent::Refused(Refused::Own);
        assert_eq!(send(own, Signal::KILL).unwrap(), refused);
        for pid in [1, 0, -1, i32::MIN] {
            let init = Identity::of(pid).unwrap();
            let init = init.unwrap_or(Identity { pid, start: 0 });
            let refused = Sent::Refused(Refused::NotOne);
            assert_eq!(send(init, Signal::KILL).unwrap(), refused);
        }
    }

    #[test]
    fn a_zombie_is_gone() {
        let mut player = Player::sh("read line");
        player.end_input();
        player.until_zombie();
        assert_eq!(send(player.identity(), Signal::KILL).unwrap(), Sent::Gone);
    }

    #[test]
    fn each_member_gets_its_signal() {
        let mut players = [Player::sh("read line"), Player::sh("read line")];
        let gone = Identity {
            start: 0,
            ..players[0].identity()
        };
        let members = [players[0].identity(), gone, players[1].identity()];
        let sent = kill_tree(members, Signal::KILL);
        let sent: Vec<_> = sent.into_iter().map(|(_, sent)| sent.unwrap()).collect();
        assert_eq!(sent, [Sent::Sent, Sent::Gone, Sent::Sent]);
        for player in &mut players {
            assert!(!player.child.wait().unwrap().success());
        }
    }
}
