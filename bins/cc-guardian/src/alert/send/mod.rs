//! The senders: each tries once to tell, and says what came of it.
//!
//! | Room | In it |
//! |---|---|
//! | `exec` | a program, without a shell |
//! | `webhook` | an HTTP POST |
//! | `desktop` | a notification on the desktop, by the program that shows them |
//! | `wrong` | what may go wrong, and whether to try again |

mod desktop;
mod exec;
mod webhook;
mod wrong;

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::letter::{Letter, Secrets};
use crate::config::{Way, WebhookUrl};

pub use self::wrong::SendError;

/// How much of what a program or a server says is kept, in bytes and then in characters.
const SAID: usize = 2048;
const SHOWN: usize = 400;

/// What senders need of the world.
#[derive(Clone)]
pub struct Means {
    environment: BTreeMap<OsString, OsString>,
    /// What is not told, nor repeated when a program or a server says it.
    pub secrets: Secrets,
    /// How long a program may take; then its process group is killed.
    pub program_limit: Duration,
    /// How long a server may take, all in all.
    pub server_limit: Duration,
}

impl Means {
    /// Those of this process.
    #[must_use]
    pub fn ours(secrets: Secrets) -> Self {
        Self::with(env::vars_os(), secrets)
    }

    /// Those of another environment: `PATH` is looked in, and a variable may have a URL.
    #[must_use]
    pub fn with(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        secrets: Secrets,
    ) -> Self {
        Self {
            secrets,
            environment: environment.into_iter().collect(),
            program_limit: Duration::from_secs(30),
            server_limit: Duration::from_secs(20),
        }
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        let value = self.environment.get(OsStr::new(name))?;
        Some(value)
            .filter(|value| !value.is_empty())
            .map(AsRef::as_ref)
    }

    /// What was said, in one line that can be shown.
    fn shown(&self, said: &[u8]) -> String {
        let said = String::from_utf8_lossy(said.trim_ascii());
        self.secrets.clean(&said, SHOWN)
    }

    /// The program of that name in `PATH`.
    fn program(&self, name: &str) -> Option<PathBuf> {
        env::split_paths(self.variable("PATH")?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    }
}

impl std::fmt::Debug for Means {
    /// The environment is not shown: there are secrets in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Means")
            .field("program_limit", &self.program_limit)
            .field("server_limit", &self.server_limit)
            .finish_non_exhaustive()
    }
}

/// Something was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    /// The HTTP status, where there is one.
    pub status: Option<u16>,
    /// The beginning of what the program said, in one line that can be shown.
    pub said: String,
}

/// Tries once to tell.
///
/// # Errors
/// When it was not told, or nobody knows.
pub async fn send(letter: &Letter, way: &Way, means: &Means) -> Result<Sent, SendError> {
    match way {
        Way::Exec { command } => exec::send(letter, command, means).await,
        Way::Desktop => desktop::send(letter, means).await,
        Way::Webhook { to } => webhook::send(letter, &url(to, means)?, means).await,
    }
}

fn url(to: &WebhookUrl, means: &Means) -> Result<String, SendError> {
    let url = match to {
        WebhookUrl::Url(url) => url.clone(),
        WebhookUrl::Env(name) => {
            let value = means.variable(name).and_then(OsStr::to_str);
            let value = value.ok_or_else(|| SendError::NoVariable(name.clone()))?;
            value.trim().to_owned()
        }
    };
    match crate::config::wrong_url(&url) {
        None => Ok(url),
        Some(why) => Err(SendError::Url(why)),
    }
}

#[cfg(test)]
pub(super) mod tests;
