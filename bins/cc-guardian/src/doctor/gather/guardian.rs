//! The configuration, and the daemon.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_kit::control;
use cc_kit::profile::Profiles;
use serde_json::Value;

use crate::config;
use crate::doctor::facts::{Configuration, Daemon};
use crate::request::Request;

use super::paths::Paths;

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const LONGEST: u64 = 64 << 20;

/// What the configuration says that is needed to look further.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) tmux: PathBuf,
    /// The names of the variables of units.
    pub(super) variables: Vec<String>,
}

/// Reads the file that was given, or the usual one where there is one.
pub(super) fn configuration(given: Option<&Path>, paths: &Paths) -> (Configuration, Declared) {
    let mut declared = Declared {
        tmux: "tmux".into(),
        variables: Vec::new(),
    };
    let usual = || config::usual_file().filter(|file| file.exists());
    let Some(file) = given.map(Path::to_owned).or_else(usual) else {
        return (Configuration::Absent, declared);
    };
    let profiles = match Profiles::usual() {
        Ok(profiles) => profiles,
        Err(error) => {
            let file = file.to_string_lossy().into_owned();
            let mistakes = vec![error.to_string()];
            return (Configuration::Wrong { file, mistakes }, declared);
        }
    };
    let names: Vec<&str> = profiles.iter().map(|profile| profile.name()).collect();
    let name = file.to_string_lossy().into_owned();
    let config = match config::load(&file, &names) {
        Ok(config) => config,
        Err(mistakes) => {
            let mistakes = mistakes.iter().map(ToString::to_string).collect();
            return (
                Configuration::Wrong {
                    file: name,
                    mistakes,
                },
                declared,
            );
        }
    };
    let units = config.units.iter();
    let variables = units.clone().flat_map(|unit| unit.env.0.keys().cloned());
    declared.variables = variables.collect();
    let mut servers: Vec<_> = units
        .clone()
        .map(|unit| config.server.server_of(unit))
        .collect();
    servers.sort_unstable();
    servers.dedup();
    let folder = paths.guardian_sockets.as_deref();
    let sockets = folder.into_iter().flat_map(|folder| {
        let sockets = servers.iter().map(|server| folder.join(server));
        sockets.map(|socket| socket.to_string_lossy().into_owned())
    });
    let right = Configuration::Right {
        file: name,
        instances: units.map(|unit| usize::from(unit.replicas)).sum(),
        sockets: sockets.collect(),
    };
    declared.tmux = config.server.tmux;
    (right, declared)
}

/// Asks the daemon what it has.
pub(super) fn daemon(control: Option<&Path>) -> Daemon {
    let Some(control) = control else {
        return Daemon::Absent;
    };
    let stream = match control::connect(control) {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Daemon::Absent,
                ErrorKind::ConnectionRefused => Daemon::Stale,
                _ => Daemon::Silent {
                    why: error.to_string(),
                },
            };
        }
    };
    match listing(&stream) {
        Ok(listing) => {
            let units = listing.get("units").and_then(Value::as_array);
            let units = units.map_or(&[][..], Vec::as_slice);
            let runs = |unit: &&Value| unit.get("pane").is_some_and(|pane| !pane.is_null());
            Daemon::Answers {
                pid: peer(&stream),
                instances: units.len(),
                running: units.iter().filter(runs).count(),
            }
        }
        Err(error) => Daemon::Silent {
            why: error.to_string(),
        },
    }
}

fn listing(stream: &UnixStream) -> io::Result<Value> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(&Request::Ls)?;
    line.push(b'\n');
    let mut out = stream;
    out.write_all(&line)?;
    let mut said = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut said)?;
    Ok(serde_json::from_str(&said)?)
}

/// The process at the other end.
#[cfg(target_os = "linux")]
fn peer(stream: &UnixStream) -> Option<i32> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    Some(peer.pid.as_raw_nonzero().get())
}

#[cfg(not(target_os = "linux"))]
fn peer(_: &UnixStream) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_daemon_is_there_or_gone_or_silent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c");
        assert_eq!(daemon(Some(&path)), Daemon::Absent);
        assert_eq!(daemon(None), Daemon::Absent);
        assert_eq!(daemon(Some("/dev/null/c".as_ref())), Daemon::Absent);
        let listener = UnixListener::bind(&path).unwrap();
        let answering = std::thread::spawn(move || {
            for answer in [
                "{\"v\":1,\"units\":[{\"pane\":\"%1\"},{\"pane\":null}]}\n",
                "nonsense\n",
                "",
            ] {
                let (stream, _) = listener.accept().unwrap();
                let mut line = String::new();
                BufReader::new(&stream).read_line(&mut line).unwrap();
                assert_eq!(line, "{\"do\":\"ls\"}\n");
                (&stream).write_all(answer.as_bytes()).unwrap();
            }
        });
        let found = daemon(Some(&path));
        let Daemon::Answers {
            instances, running, ..
        } = found
        else {
            panic!("{found:?}");
        };
        assert_eq!((instances, running), (2, 1));
        for _ in 0..2 {
            assert!(matches!(daemon(Some(&path)), Daemon::Silent { .. }));
        }
        answering.join().unwrap();
        assert_eq!(daemon(Some(&path)), Daemon::Stale);
    }
}
