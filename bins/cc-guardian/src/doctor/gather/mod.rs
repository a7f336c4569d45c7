//! Finding it. Everything here only looks.
//!
//! | Room | In it |
//! |---|---|
//! | `paths` | where a guardian would keep what it keeps |
//! | `folder` | directories |
//! | `servers` | the sockets of tmux, and what their servers say |
//! | `rows` | how they say it |
//! | `guardian` | the configuration, and the daemon |
//! | `machine` | linger, clock, limits, environment |

mod folder;
mod guardian;
mod machine;
mod paths;
mod rows;
mod servers;

use std::env;
use std::path::{Path, PathBuf};

use cc_kit::doctor::{program, version};
use jiff::Timestamp;

use super::facts::{Facts, Runtime, Tmux, Told};

use self::paths::Paths;

/// Finds everything.
pub(super) async fn gather(config: Option<&Path>, state: Option<&Path>) -> Facts {
    let paths = Paths::find(state);
    let (configuration, declared) = guardian::configuration(config, &paths);
    let path = program(&declared.tmux);
    let daemon = guardian::daemon(paths.control.as_deref());
    let user_sockets = folder::look(&paths.user_sockets);
    let guardian_sockets = paths.guardian_sockets.as_deref().map(folder::look);
    let mut servers = servers::find(guardian_sockets.as_ref(), &user_sockets);
    servers::ask(&mut servers, path.as_deref()).await;
    servers::add_processes(&mut servers, &daemon);
    Facts {
        user: rustix::process::geteuid().as_raw(),
        now: Timestamp::now().as_second(),
        tmux: Tmux {
            program: declared.tmux.to_string_lossy().into_owned(),
            version: match path.as_deref() {
                Some(path) => version(path).await.map_or_else(Told::NotKnown, Told::Known),
                None => Told::NotKnown("there is none".to_owned()),
            },
            path: path.map(|path| path.to_string_lossy().into_owned()),
        },
        user_sockets,
        guardian_sockets,
        servers,
        runtime: runtime(),
        state: paths.state.as_deref().map(folder::look),
        configuration,
        daemon,
        linger: machine::linger().await,
        synchronized: machine::synchronized().await,
        zone: machine::zone(),
        descriptors: machine::descriptors(),
        variables: machine::variables(declared.variables),
        locale: machine::locale(),
        terminal: env::var_os("TERM").map(|term| term.to_string_lossy().into_owned()),
    }
}

fn runtime() -> Runtime {
    match env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        None => Runtime::Unset,
        Some(path) if path.is_absolute() => Runtime::Set(folder::look(&path)),
        Some(path) => Runtime::Relative(path.to_string_lossy().into_owned()),
    }
}
