//! Ending all of a unit: also those that outlived their terminal, their parent, or their server.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Exit, Identity, Process, Sent, Signal, State, Walk, Watch, send, signal};

/// How often who is still found is killed again; those that fork faster than that stay.
const ROUNDS: u32 = 20;
/// How long a kill may take: who cannot be woken does not even die.
const KILLING: Duration = Duration::from_secs(5);

/// What marks the processes of a unit: a variable in their environment, such as
/// `CC_UNIT=w@1.NONCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The name of the variable.
    pub variable: String,
    /// Its whole value. With a part that nobody guesses, no other unit can have it by chance.
    pub value: String,
}

/// A process of a unit, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaped {
    /// Which one.
    pub identity: Identity,
    /// What it called itself: any process can say anything here.
    pub comm: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It had gone before it was asked to.
    Gone,
    /// It ended when it was asked to.
    Terminated(Option<Exit>),
    /// It did not in time, and was killed.
    Killed(Option<Exit>),
    /// It may not be ended: it was to be spared, or it is us or one we come from.
    Spared,
    /// It is there still: why.
    Stayed(String),
}

/// Ends all processes of a unit. Each is asked with `SIGTERM`, has `grace` in all to go, and is
/// killed then; who is found meanwhile is asked too. Says of each what became of it, in the order of
/// their numbers.
///
/// A unit is those with its mark and all that come from them, as
/// [`Snapshot::unit`](super::Snapshot::unit) says. Never ended are `spare`, this process, and those
/// it comes from; nor who comes from one of those and does not have the mark itself.
///
/// # Errors
/// When processes cannot be looked at, or the mark is empty. What has been sent by then stays sent.
///
/// # Panics
/// Outside a tokio runtime that has IO and time enabled.
pub async fn reap(mark: &Mark, spare: &[Identity], grace: Duration) -> io::Result<Vec<Reaped>> {
    if mark.variable.is_empty() || mark.value.is_empty() {
        let error = "a mark must have a name and a value";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    }
    let mut reaping = Reaping {
        mark,
        spare,
        fates: BTreeMap::new(),
        killed: BTreeSet::new(),
    };
    let deadline = Instant::now() + grace;
    loop {
        let found = reaping.look().await?;
        if found.is_empty() {
            return reaping.said();
        }
        if Instant::now() >= deadline {
            break;
        }
        let watches: Vec<_> = found.iter().filter_map(|p| reaping.ask(p)).collect();
        if watches.is_empty() && reaping.all_stay(&found) {
            // Nobody that is there can be ended: a longer wait changes nothing.
            break;
        }
        reaping.wait(watches, deadline).await?;
    }
    for _ in 0..ROUNDS {
        let found = reaping.look().await?;
        if found.is_empty() {
            break;
        }
        let watches: Vec<_> = found.iter().filter_map(|p| reaping.kill(p)).collect();
        let futile = watches.is_empty() && reaping.all_stay(&found);
        let deadline = Instant::now() + KILLING;
        if futile || !reaping.wait(watches, deadline).await? {
            break;
        }
    }
    reaping.said()
}

struct Reaping<'a> {
    mark: &'a Mark,
    spare: &'a [Identity],
    fates: BTreeMap<Identity, Reaped>,
    /// Who was not only asked.
    killed: BTreeSet<Identity>,
}

impl Reaping<'_> {
    /// All of the unit that run now and may be ended.
    async fn look(&mut self) -> io::Result<Vec<Process>> {
        let found = self.look_once().await?;
        if !found.is_empty() {
            return Ok(found);
        }
        // One that starts another and ends while all are looked at can hide it, where the other got
        // a smaller number: nobody is there only if nobody is there twice.
        self.look_once().await
    }

    async fn look_once(&mut self) -> io::Result<Vec<Process>> {
        let variable = self.mark.variable.clone();
        // All environments are read anew: nobody is to be missed, nor taken for another.
        let look = tokio::task::spawn_blocking(move || Walk::new(&variable).take());
        let snapshot = look.await.map_err(io::Error::other)??;
        let own = rustix::process::getpid().as_raw_nonzero().get();
        let mut spare = snapshot.line(own);
        spare.extend(self.spare);
        for marked in snapshot.marked(&self.mark.value) {
            if let Some(process) = snapshot.get(marked).filter(|_| spare.contains(&marked)) {
                self.note(process, Fate::Spared);
            }
        }
        let unit = snapshot.unit(&self.mark.value, &spare).into_iter();
        let alive = unit.filter(|process| !process.state.has_ended());
        Ok(alive.cloned().collect())
    }

    /// Asks one to go, unless that was done; the watch over it, where there is something to wait for.
    fn ask(&mut self, process: &Process) -> Option<Watch> {
        if self.fates.contains_key(&process.identity) {
            return Watch::open(process.identity).ok().flatten();
        }
        self.send(process, signal::terminate)
    }

    fn kill(&mut self, process: &Process) -> Option<Watch> {
        let watch = self.send(process, |whom, _| send(whom, Signal::KILL));
        if watch.is_some() {
            self.killed.insert(process.identity);
        }
        watch
    }

    fn send(
        &mut self,
        process: &Process,
        send: impl FnOnce(Identity, State) -> io::Result<Sent>,
    ) -> Option<Watch> {
        // Watched before it is sent, so that how it ends can be learnt.
        let (watch, sent) = match Watch::open(process.identity) {
            Ok(Some(watch)) => (Some(watch), send(process.identity, process.state)),
            Ok(None) => (None, Ok(Sent::Gone)),
            Err(error) => (None, Err(error)),
        };
        let fate = match sent {
            Ok(Sent::Sent) => {
                self.note(process, Fate::Stayed("it has not ended".to_owned()));
                return watch;
            }
            Ok(Sent::Gone) => self.ended(process.identity, None),
            Ok(Sent::Refused(_)) => Fate::Spared,
            Err(error) => Fate::Stayed(error.to_string()),
        };
        self.note(process, fate);
        None
    }

    /// What ended a process that has ended.
    fn ended(&self, identity: Identity, exit: Option<Exit>) -> Fate {
        if self.killed.contains(&identity) {
            Fate::Killed(exit)
        } else if self.fates.contains_key(&identity) {
            Fate::Terminated(exit)
        } else {
            Fate::Gone
        }
    }

    fn all_stay(&self, found: &[Process]) -> bool {
        found.iter().all(|process| {
            let reaped = self.fates.get(&process.identity);
            reaped.is_some_and(|reaped| matches!(reaped.fate, Fate::Stayed(_)))
        })
    }

    /// Waits until all have ended, or it is too late; whether all have.
    async fn wait(&mut self, watches: Vec<Watch>, deadline: Instant) -> io::Result<bool> {
        let mut all = true;
        for watch in watches {
            // Those behind one that takes all the time have had the same time: what has ended by
            // the deadline is said even so.
            match timeout_at(deadline, watch.ended()).await {
                Ok(end) => {
                    let end = end?;
                    let fate = self.ended(end.identity, end.exit);
                    if let Some(reaped) = self.fates.get_mut(&end.identity) {
                        reaped.fate = fate;
                    }
                }
                Err(_) => all = false,
            }
        }
        Ok(all)
    }

    fn note(&mut self, process: &Process, fate: Fate) {
        let identity = process.identity;
        let reaped = Reaped {
            identity,
            comm: process.comm.clone(),
            fate,
        };
        self.fates.insert(identity, reaped);
    }

    /// What became of each. Who has ended since somebody last looked has ended too.
    fn said(mut self) -> io::Result<Vec<Reaped>> {
        let stayed = self
            .fates
            .values()
            .filter(|r| matches!(r.fate, Fate::Stayed(_)));
        let stayed: Vec<_> = stayed.map(|reaped| reaped.identity).collect();
        for identity in stayed {
            if !identity.is_alive()? {
                let fate = self.ended(identity, None);
                self.fates
                    .entry(identity)
                    .and_modify(|reaped| reaped.fate = fate);
            }
        }
        Ok(self.fates.into_values().collect())
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::players::Player;

    fn mark(player: &Player) -> Mark {
        Mark {
            variable: Player::VARIABLE.to_owned(),
            value: player.mark.clone(),
        }
    }

    fn fates(reaped: &[Reaped]) -> BTreeMap<i32, &Fate> {
        let fates = reaped.iter().map(|r| (r.identity.pid, &r.fate));
        fates.collect()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn who_goes_when_asked_is_not_killed() {
        let player = Player::sh("read line");
        let reaped = reap(&mark(&player), &[], LONG).await.unwrap();
        let (number, core) = (15, false);
        let fate = Fate::Terminated(Some(Exit::Signal { number, core }));
        let wanted = Reaped {
            identity: player.identity(),
            comm: "sh".to_owned(),
            fate,
        };
        assert_eq!(reaped, [wanted]);
    }

    #[tokio::test]
    async fn who_does_not_listen_is_killed_after_the_grace_and_orphans_too() {
        let mut player = Player::sh(
            "(trap '' TERM HUP; setsid sh -c 'echo $$; exec sleep 1000' &) ; \
             sh -c 'echo $$; exec sleep 1000'",
        );
        let (one, other): (i32, i32) = (
            player.line().parse().unwrap(),
            player.line().parse().unwrap(),
        );
        let grace = Duration::from_millis(300);
        let begun = Instant::now();
        let reaped = reap(&mark(&player), &[], grace).await.unwrap();
        assert!(begun.elapsed() >= grace);
        let fates = fates(&reaped);
        let killed: Vec<_> = fates
            .iter()
            .filter(|(_, fate)| matches!(fate, Fate::Killed(_)))
            .collect();
        assert_eq!(killed.len(), 1, "{reaped:?}");
        assert!(fates.contains_key(&one) && fates.contains_key(&other));
        assert_eq!(fates.len(), 3);
        for reaped in &reaped {
            assert!(!reaped.identity.is_alive().unwrap());
        }
    }

    #[tokio::test]
    async fn a_stopped_process_goes_when_asked() {
        let player = Player::sh("kill -STOP $$");
        player.until(|process| process.state == State::Stopped);
        let reaped = reap(&mark(&player), &[], LONG).await.unwrap();
        assert!(
            matches!(&reaped[..], [one] if matches!(one.fate, Fate::Terminated(_))),
            "{reaped:?}"
        );
    }

    #[tokio::test]
    async fn one_that_starts_another_when_it_is_asked_leaves_nobody() {
        let mut player = Player::sh(
            "trap '(setsid sleep 1000 &) ; exit 0' TERM; echo ready; while :; do sleep 0.1; done",
        );
        assert_eq!(player.line(), "ready");
        let reaped = reap(&mark(&player), &[], LONG).await.unwrap();
        assert!(reaped.len() >= 2, "{reaped:?}");
        let left = Walk::new(Player::VARIABLE).take().unwrap();
        let left = left.unit(&player.mark, &[]);
        let left: Vec<_> = left.iter().filter(|p| !p.state.has_ended()).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn who_is_to_be_spared_is() {
        let mut player = Player::sh("sh -c 'echo $$; exec sleep 1000'; read line");
        let inner: i32 = player.line().parse().unwrap();
        let spare = [player.identity()];
        let reaped = reap(&mark(&player), &spare, LONG).await.unwrap();
        let fates = fates(&reaped);
        assert_eq!(fates[&player.identity().pid], &Fate::Spared);
        assert!(matches!(fates[&inner], Fate::Terminated(_)));
        assert!(player.identity().is_alive().unwrap());
    }

    #[test]
    fn who_ends_after_the_last_look_has_ended() {
        let mut player = Player::sh("read line");
        let process = super::super::system::process(player.identity().pid);
        let process = process.unwrap().unwrap();
        let said = |alive: bool, killed: bool| {
            let mut reaping = Reaping {
                mark: &mark(&player),
                spare: &[],
                fates: BTreeMap::new(),
                killed: BTreeSet::new(),
            };
            reaping.note(&process, Fate::Stayed(String::new()));
            if killed {
                reaping.killed.insert(process.identity);
            }
            assert_eq!(process.identity.is_alive().unwrap(), alive);
            reaping.said().unwrap().remove(0).fate
        };
        assert_eq!(said(true, true), Fate::Stayed(String::new()));
        send(process.identity, Signal::KILL).unwrap();
        player.until_zombie();
        assert_eq!(said(false, false), Fate::Terminated(None));
        assert_eq!(said(false, true), Fate::Killed(None));
        player.child.wait().unwrap();
    }

    #[tokio::test]
    async fn a_unit_of_nobody_is_nothing_and_an_empty_mark_is_no_mark() {
        let mut mark = Mark {
            variable: Player::VARIABLE.to_owned(),
            value: format!("nobody.{}", std::process::id()),
        };
        assert_eq!(reap(&mark, &[], LONG).await.unwrap(), []);
        mark.value.clear();
        let error = reap(&mark, &[], LONG).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
