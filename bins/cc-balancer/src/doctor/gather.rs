//! Finding it. Everything here only looks.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use cc_kit::ask::members;
use cc_kit::control;
use cc_kit::doctor::{Asked, ask, program, version};
use cc_kit::exit::Failure;
use cc_kit::home::Home;
use serde_json::Value;

use super::facts::{
    Configuration, Daemon, Facts, Found, Kept, Reached, Server, Store, Table, Tmux,
};
use crate::ask::ask_at;
use crate::cli;
use crate::config::{self, Config, Engine, Workers};
use crate::request::Request;
use crate::run::profiles;
use crate::store::nats::{Looked, findings, look};
use crate::store::sqlite;
use crate::worker::{listing, meant, units_at};

/// How long a NATS server is waited for.
const REACHED: Duration = Duration::from_secs(3);

/// Finds everything.
pub(super) async fn gather(doctor: &cli::Doctor) -> Result<Facts, Failure> {
    let home = Home::of("balancer", doctor.state.state.as_deref())?;
    let (configuration, config) = configuration(doctor.config.as_deref());
    let tmux = config.as_ref().map_or_else(|| "tmux".into(), Config::tmux);
    let path = program(&tmux);
    let workers = config.iter().flat_map(|config| &config.workers);
    let mut tables = Vec::new();
    for table in workers {
        tables.push(self::table(table, &home, path.as_deref()).await);
    }
    let store = home.database();
    Ok(Facts {
        tmux: Tmux {
            program: tmux.to_string_lossy().into_owned(),
            version: match &path {
                Some(path) => version(path).await,
                None => Err("there is none".to_owned()),
            },
            path: path.map(|path| path.to_string_lossy().into_owned()),
        },
        configuration,
        tables,
        daemon: daemon(&home.control()),
        store: Store {
            path: store.to_string_lossy().into_owned(),
            found: match sqlite::look(&store) {
                Ok(None) => Kept::Nothing,
                Ok(Some(health)) => Kept::There(health),
                Err(error) => Kept::Broken(error.to_string()),
            },
        },
        nats: match config.as_ref().map(|config| (&config.file.store, config)) {
            Some((Engine::Nats(url), config)) => Some(server(url, config).await),
            _ => None,
        },
    })
}

fn configuration(file: Option<&Path>) -> (Configuration, Option<Config>) {
    let usual = || config::usual_file().filter(|file| file.exists());
    let Some(file) = file.map(Path::to_owned).or_else(usual) else {
        return (Configuration::Absent, None);
    };
    let loaded = profiles().and_then(|profiles| {
        let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
        config::load(&file, &names)
    });
    match loaded {
        Ok(config) => {
            let file = file.to_string_lossy().into_owned();
            (Configuration::Right { file }, Some(config))
        }
        Err(failure) => {
            let (mistake, advice) = (failure.what(), failure.next_step().unwrap_or_default());
            (Configuration::Wrong { mistake, advice }, None)
        }
    }
}

/// Who is meant by a table.
async fn table(table: &Workers, home: &Home, tmux: Option<&Path>) -> Table {
    let means = table.wanted.to_string();
    match &table.socket {
        Some(socket) => Table {
            means,
            socket: socket.to_string_lossy().into_owned(),
            is_guardian: false,
            found: match tmux {
                Some(tmux) => panes(tmux, socket, table).await,
                None => Found::Nobody("there is no tmux to ask it with".to_owned()),
            },
        },
        None => {
            let socket = table.guardian_socket(home);
            Table {
                means,
                found: units(&socket, table).await,
                socket: socket.to_string_lossy().into_owned(),
                is_guardian: true,
            }
        }
    }
}

async fn panes(tmux: &Path, socket: &Path, table: &Workers) -> Found {
    // -N: it is not to be started by being asked.
    let arguments = ["-N", "-u", "-f", "/dev/null", "-S"].map(OsStr::new);
    let listing = listing();
    let question = ["list-panes", "-a", "-F", &listing].map(OsStr::new);
    let arguments = arguments.into_iter().chain([socket.as_os_str()]);
    match ask(tmux, arguments.chain(question)).await {
        Asked::Said {
            is_well: true, out, ..
        } => Found::Workers(meant(&out, &table.wanted)),
        Asked::Said { error, .. } => Found::Nobody(error),
        Asked::Late => Found::Nobody("it does not answer in time".to_owned()),
        Asked::Failed(error) => Found::Nobody(error),
    }
}

async fn units(socket: &Path, table: &Workers) -> Found {
    match units_at(socket).await {
        Ok(units) => {
            let means = |unit: &String| table.wanted.means_unit(unit);
            Found::Workers(units.into_iter().filter(means).collect())
        }
        Err(error) => Found::Nobody(error.to_string()),
    }
}

/// Asks the balancer which workers it has.
fn daemon(socket: &Path) -> Daemon {
    match control::connect(socket) {
        Ok(_) => {}
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::ConnectionRefused => {
                    Daemon::Absent
                }
                _ => Daemon::Silent(error.to_string()),
            };
        }
    }
    match ask_at(socket, &Request::Workers) {
        Ok(answer) => Daemon::Answers(members(&answer, "workers").cloned().collect::<Vec<Value>>()),
        Err(failure) => Daemon::Silent(failure.what()),
    }
}

async fn server(url: &str, config: &Config) -> Server {
    let reach = config.file.nats.reach(url);
    let found = match look(&reach, REACHED).await {
        Err(error) => Reached::Refused(error.to_string()),
        Ok(Looked::Nobody(why)) => Reached::Nobody { why },
        Ok(Looked::There(facts)) => Reached::There {
            findings: findings(&facts),
            facts,
        },
    };
    let url = url.to_owned();
    Server { url, found }
}
