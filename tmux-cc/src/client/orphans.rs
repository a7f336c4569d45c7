//! Control clients that a process of this library has left behind when it was killed.
//!
//! tmux notices that nobody reads them when it writes to them, and up to 3.7c one with output on
//! its way stays attached for ever, holds that output, and keeps its server from exiting
//! (tmux #5444). So each client carries in its environment who started it, and whoever follows the
//! server next ends those whose owner is no more.

use std::io;
use std::path::Path;

#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(target_os = "linux")]
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

/// How long clients that are told to end get for it: one that is stopped never does.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(2);

/// Names the owner of a control client, in its environment.
pub(super) const OWNER: &str = "TMUX_CC_OWNER";

/// This process, as no other process of this boot is called; `None` where only Linux could tell.
pub(super) fn owner() -> Option<String> {
    name(std::process::id()).ok().flatten()
}

/// Ends the clients of that server whose owner is no more, and waits until they have left: the
/// server tells all clients of each that leaves, which is nothing to attach into.
///
/// They are looked for among all processes: the server no longer lists one that is on its way out,
/// and may keep it so for ever. SIGTERM is what is safe for a server of any version while output
/// is on its way. This blocks.
#[cfg(target_os = "linux")]
pub(super) fn end(socket: &Path) {
    let mut ending = Vec::new();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for client in processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        let pid = i32::try_from(client).ok().and_then(Pid::from_raw);
        // What is looked at is what is ended, though its number were given again in between.
        let Some(Ok(held)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
            continue;
        };
        if is_for(client, socket) && is_orphan(client) {
            tracing::info!(client, "ending a control client whose owner was killed");
            let _ = pidfd_send_signal(&held, Signal::TERM);
            ending.push(held);
        }
    }
    let left = outlast(&ending, Instant::now() + PATIENCE);
    if left > 0 {
        tracing::warn!(left, "control clients whose owner was killed do not end");
    }
}

/// Waits until processes have ended, and says how many have not in time.
///
/// A client ends when the server has answered that it may, so the server knows by then.
#[cfg(target_os = "linux")]
fn outlast(processes: &[OwnedFd], until: Instant) -> usize {
    let mut waiting = Vec::from_iter(processes);
    while !waiting.is_empty() {
        let rest = until.saturating_duration_since(Instant::now());
        // Such a handle is readable once its process has ended.
        let polled = waiting.iter().map(|held| PollFd::new(held, PollFlags::IN));
        let mut polled = Vec::from_iter(polled);
        match poll(&mut polled, Timespec::try_from(rest).ok().as_ref()) {
            Ok(0) => break,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break,
        }
        let ended = Vec::from_iter(polled.iter().map(|polled| !polled.revents().is_empty()));
        let mut ended = ended.into_iter();
        waiting.retain(|_| ended.next() != Some(true));
    }
    waiting.len()
}

/// Ends nothing: only Linux tells what a process was started with.
#[cfg(not(target_os = "linux"))]
pub(super) const fn end(_socket: &Path) {}

/// Is it a client of that server, as we start them?
#[cfg(target_os = "linux")]
fn is_for(client: u32, socket: &Path) -> bool {
    let arguments = std::fs::read(format!("/proc/{client}/cmdline")).unwrap_or_default();
    let arguments: Vec<_> = arguments.split(|&b| b == 0).collect();
    let has = |wanted: [&[u8]; 2]| arguments.windows(2).any(|pair| pair == wanted);
    has([b"-S", socket.as_os_str().as_encoded_bytes()]) && has([b"-C", b"attach-session"])
}

#[cfg(target_os = "linux")]
fn is_orphan(client: u32) -> bool {
    // In another namespace the owner's number means another process, or none.
    let space = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = space("self");
    if own.is_none() || space(&client.to_string()) != own {
        return false;
    }
    // That of a stranger cannot be read.
    let environment = std::fs::read(format!("/proc/{client}/environ")).unwrap_or_default();
    let owner = environment.split(|&b| b == 0).find_map(|variable| {
        let owner = variable.strip_prefix(OWNER.as_bytes())?;
        std::str::from_utf8(owner.strip_prefix(b"=")?).ok()
    });
    // Where it does not say, it is none of ours; where nothing can be learnt, its owner may live.
    owner.is_some_and(|owner| {
        let pid = owner.split(':').next().and_then(|pid| pid.parse().ok());
        let now = pid.map(name);
        matches!(now, Some(Ok(now)) if now.as_deref() != Some(owner))
    })
}

/// A process and when it was started, in ticks since the boot, since numbers are given again;
/// `None` if there is none.
#[cfg(target_os = "linux")]
fn name(pid: u32) -> io::Result<Option<String>> {
    let gone = |error: &io::Error| {
        error.kind() == io::ErrorKind::NotFound
            || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
    };
    let stat = match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    // The second field is a name that may hold anything; the third is the state, the 22nd the
    // start.
    let read = || {
        let mut behind_name = stat.rsplit_once(") ")?.1.split(' ');
        Some((behind_name.next()?, behind_name.nth(18)?))
    };
    let (state, start) = read().ok_or(io::ErrorKind::InvalidData)?;
    // A zombie does nothing any more.
    Ok((state != "Z").then(|| format!("{pid}:{start}")))
}

#[cfg(not(target_os = "linux"))]
const fn name(_pid: u32) -> io::Result<Option<String>> {
    Ok(None)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_named_until_it_ends() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let named = |id| name(id).unwrap();
        assert!(named(child.id()).is_some());
        assert_eq!(named(child.id()), named(child.id()));
        assert_ne!(named(child.id()), owner());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(named(child.id()), None);
    }

    #[test]
    fn clients_that_are_told_to_end_are_waited_for() {
        let owner = owner().unwrap();
        // No server is there, and no other test looks for its clients.
        let socket = Path::new("/nowhere").join(&owner);
        let began = Instant::now();
        let mut clients = Vec::new();
        // They take a moment to end, and say when they are ready to be told to.
        for _ in 0..3 {
            let mut client = std::process::Command::new("sh")
                .args([
                    "-c",
                    "trap 'sleep 0.3; exit 7' TERM; echo; for n in $(seq 200); do sleep 0.05; done",
                ])
                .args(["tmux", "-S"])
                .arg(&socket)
                .args(["-C", "attach-session"])
                .env(OWNER, format!("{owner}0"))
                .stdin(std::process::Stdio::null())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let mut ready = [0];
            let said = client.stdout.as_mut().unwrap();
            io::Read::read_exact(said, &mut ready).unwrap();
            clients.push(client);
        }
        end(&socket);
        let ended = clients.iter_mut().map(|client| client.try_wait().unwrap());
        let codes = Vec::from_iter(ended.map(|status| status.and_then(|it| it.code())));
        for client in &mut clients {
            let _ = client.kill();
            let _ = client.wait();
        }
        assert_eq!(codes, [Some(7); 3]);
        assert!(began.elapsed() < PATIENCE * 5);
    }

    #[test]
    fn a_process_that_does_not_end_is_not_waited_for_for_ever() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        let held = [pidfd_open(pid, PidfdFlags::empty()).unwrap()];
        let soon = Duration::from_millis(50);
        assert_eq!(outlast(&held, Instant::now() + soon), 1);
        drop(child.stdin.take());
        assert_eq!(outlast(&held, Instant::now() + PATIENCE), 0);
        child.wait().unwrap();
    }

    #[test]
    fn a_client_without_its_owner_is_an_orphan() {
        let owned_by = |owner: Option<&str>| {
            let mut program = std::process::Command::new("cat");
            program
                .env_remove(OWNER)
                .stdin(std::process::Stdio::piped());
            program.envs(owner.map(|owner| (OWNER, owner)));
            let mut child = program.spawn().unwrap();
            // It is there a moment before what it was started with is.
            let began = Instant::now();
            let environ = format!("/proc/{}/environ", child.id());
            while std::fs::read(&environ).unwrap().is_empty() {
                assert!(began.elapsed().as_secs() < 10, "no environment");
                std::thread::yield_now();
            }
            let orphan = is_orphan(child.id());
            assert!(!is_for(child.id(), Path::new("/nowhere")));
            drop(child.stdin.take());
            child.wait().unwrap();
            orphan
        };
        let own = owner().unwrap();
        assert!(!owned_by(Some(&own)));
        // The same number, another start.
        assert!(owned_by(Some(&format!("{own}0"))));
        assert!(!owned_by(None));
        assert!(!owned_by(Some("whoever")));
    }
}
