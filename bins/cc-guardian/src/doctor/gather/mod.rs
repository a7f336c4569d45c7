//! Finding it. Everything here only looks.
//!
//! | Room | In it |
//! |---|---|
//! | `paths` | where a guardian would keep what it keeps |
//! | `folder` | directories |
//! | `asked` | programs that are asked something, with a deadline |
//! | `servers` | the sockets of tmux, and what their servers say |
//! | `rows` | how they say it |
//! | `guardian` | the configuration, and the daemon |
//! | `machine` | linger, clock, limits, environment |

mod asked;
mod folder;
mod guardian;
mod machine;
mod paths;
mod rows;
mod servers;

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::Access;

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
            version: version(path.as_deref()).await,
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

/// Where a program is, as it is looked for when it is started.
fn program(name: &Path) -> Option<PathBuf> {
    let can_be_run =
        |path: &Path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok();
    if name.components().count() > 1 {
        return can_be_run(name).then(|| name.to_owned());
    }
    let path = env::var_os("PATH")?;
    let mut found = env::split_paths(&path).map(|directory| directory.join(name));
    found.find(|path| can_be_run(path))
}

/// What a tmux says of itself.
async fn version(tmux: Option<&Path>) -> Told<String> {
    let Some(tmux) = tmux else {
        return Told::NotKnown("there is none".to_owned());
    };
    match asked::ask(tmux, [OsStr::new("-V")]).await {
        asked::Asked::Said { error, is_well, .. } if !is_well => Told::NotKnown(error),
        asked::Asked::Said { out, .. } => {
            let said = out.trim();
            Told::Known(said.strip_prefix("tmux ").unwrap_or(said).to_owned())
        }
        asked::Asked::Late => Told::NotKnown("it does not answer".to_owned()),
        asked::Asked::Failed(error) => Told::NotKnown(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_what_can_be_run() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tmux");
        assert_eq!(program(&file), None);
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert_eq!(program(&file), None);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&file, mode).unwrap();
        assert_eq!(program(&file), Some(file));
        assert_eq!(program("no-such-program-anywhere".as_ref()), None);
        assert!(program("sh".as_ref()).unwrap().is_absolute());
        assert_eq!(program(directory.path()), None);
    }
}
