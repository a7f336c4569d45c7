//! The sockets of tmux, and what their servers say.
//!
//! A server is asked by one plain client that lists and leaves, and only where the socket is ours, in a
//! directory of ours: who connects to somebody else's hands over his environment and his descriptors.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use cc_kit::process::Snapshot;

use crate::doctor::facts::{Answer, Daemon, Folder, Found, Server, Whose};

use super::rows;
use cc_kit::doctor::{Asked, ask as ask_program};

/// The sockets of the guardian's servers, and that of a plain `tmux`.
pub(super) fn find(guardian: Option<&Folder>, user: &Folder) -> Vec<Server> {
    let mut sockets: Vec<(PathBuf, Whose, &Folder)> = Vec::new();
    if let Some(folder) = guardian {
        let entries = fs::read_dir(&folder.path).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        sockets.extend(
            paths
                .into_iter()
                .map(|path| (path, Whose::Guardian, folder)),
        );
    }
    sockets.push((Path::new(&user.path).join("default"), Whose::User, user));
    let servers = sockets.into_iter().filter_map(|(path, whose, folder)| {
        // Where a link leads may be anybody's.
        let found = fs::symlink_metadata(&path).ok()?;
        if !found.file_type().is_socket() {
            return None;
        }
        let answer = Answer::NotAsked {
            why: reason_not_to(folder, found.uid())
                .unwrap_or_default()
                .to_owned(),
        };
        Some(Server {
            socket: path.to_string_lossy().into_owned(),
            whose,
            owner: found.uid(),
            mode: found.mode() & 0o777,
            answer,
        })
    });
    servers.collect()
}

fn reason_not_to(folder: &Folder, owner: u32) -> Option<&'static str> {
    let user = rustix::process::geteuid().as_raw();
    match folder.found {
        _ if owner != user => Some("it belongs to somebody else"),
        Found::Directory { owner, mode, .. } if owner == user && mode & 0o022 == 0 => None,
        _ => Some("others can put a socket of theirs in its place"),
    }
}

/// Asks those that nothing speaks against.
pub(super) async fn ask(servers: &mut [Server], tmux: Option<&Path>) {
    for server in servers {
        match (&mut server.answer, tmux) {
            (Answer::NotAsked { why }, None) if why.is_empty() => {
                why.push_str("there is no tmux to ask it with");
            }
            (Answer::NotAsked { why }, Some(tmux)) if why.is_empty() => {
                server.answer = answer(tmux, server.socket.as_ref()).await;
            }
            _ => {}
        }
    }
}

async fn answer(tmux: &Path, socket: &Path) -> Answer {
    // -N: it is not to be started by being asked.
    let arguments = ["-N", "-u", "-f", "/dev/null", "-S"].map(OsStr::new);
    let arguments = arguments.into_iter().chain([socket.as_os_str()]);
    let question = rows::QUESTION.into_iter().map(OsStr::new);
    let said = match ask_program(tmux, arguments.chain(question)).await {
        Asked::Late => return Answer::Hung,
        Asked::Failed(said) => return Answer::Refused { said },
        Asked::Said { out, error, .. } => match rows::read(&out) {
            Some(alive) => return Answer::Alive(Box::new(alive)),
            None if error.is_empty() => out,
            None => error,
        },
    };
    if ["no server running", "Connection refused", "No such file"]
        .iter()
        .any(|part| said.contains(part))
    {
        return Answer::Stale;
    }
    Answer::Refused { said }
}

/// Adds what the system knows of their processes.
pub(super) fn add_processes(servers: &mut [Server], daemon: &Daemon) {
    let Ok(processes) = Snapshot::take() else {
        return;
    };
    // Whose the clients are that a daemon has which does not say who it is cannot be known.
    let guardian = match daemon {
        Daemon::Answers { pid, .. } => *pid,
        Daemon::Silent { .. } => None,
        Daemon::Absent | Daemon::Stale => Some(0),
    };
    for server in servers {
        let Answer::Alive(alive) = &mut server.answer else {
            continue;
        };
        let process = alive.pid.and_then(|pid| processes.of_pid(pid));
        alive.memory = process.map(|process| process.rss);
        for client in &mut alive.clients {
            let process = client.pid.and_then(|pid| processes.of_pid(pid));
            let parent = process.map(|process| process.parent);
            client.is_guardian = parent.zip(guardian).map(|(parent, its)| parent == its);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::gather::folder;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_sockets_in_directories_of_ours_are_asked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let _socket = UnixListener::bind(path.join("one")).unwrap();
        std::os::unix::fs::symlink(path.join("one"), path.join("link")).unwrap();
        fs::write(path.join("file"), "").unwrap();
        let user = folder::look(&path.join("nothing"));
        for (mode, asked) in [(0o700, true), (0o755, true), (0o777, false), (0o720, false)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            let found = find(Some(&folder::look(path)), &user);
            let [one] = &found[..] else {
                panic!("{found:?}");
            };
            assert!(one.socket.ends_with("/one"));
            let Answer::NotAsked { why } = &one.answer else {
                panic!("{one:?}");
            };
            assert_eq!(why.is_empty(), asked, "{mode:o}: {why}");
        }
        let other = rustix::process::geteuid().as_raw() + 1;
        assert!(reason_not_to(&folder::look(path), other).is_some());
    }

    #[tokio::test]
    async fn what_is_no_server_is_told_from_one_that_has_gone() {
        let directory = tempfile::tempdir().unwrap();
        let tmux = directory.path().join("tmux");
        for (said, is_stale) in [
            ("no server running on /x", true),
            ("error connecting to /x (Connection refused)", true),
            ("access not allowed", false),
        ] {
            fs::write(&tmux, format!("#!/bin/sh\necho '{said}' >&2\nexit 1\n")).unwrap();
            fs::set_permissions(&tmux, fs::Permissions::from_mode(0o700)).unwrap();
            let answer = answer(&tmux, "/x".as_ref()).await;
            assert_eq!(matches!(answer, Answer::Stale), is_stale, "{answer:?}");
        }
    }
}
