//! Claude Code itself, where it is installed: tests that want it are skipped aloud where it is not.
//!
//! It is started in a home of its own in which everything is answered that it asks at its first start,
//! and talks to a [`Service`](crate::messages::Service) of ours: no account is needed, and none is used.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::json;

/// A key and a token that open nothing.
const KEY: &str = "sk-ant-api03-this-opens-nothing-0123456789abcdefghij";
const TOKEN: &str = "sk-ant-oat01-this-opens-nothing-0123456789";

/// The program to test with: `TMUX_CC_TEST_CLAUDE`, or the one on the path; `None` where there is none.
///
/// # Panics
/// When one is there that does not run.
#[must_use]
pub fn program() -> Option<PathBuf> {
    let named = env::var_os("TMUX_CC_TEST_CLAUDE").map(PathBuf::from);
    let program = named.clone().unwrap_or_else(|| "claude".into());
    let probe = Command::new(&program)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    match probe {
        Ok(output) if output.status.success() => Some(program),
        Ok(output) => panic!("{} --version: {output:?}", program.display()),
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("cannot run {}: {error}", program.display()),
    }
}

/// Gives the program, or returns from the calling test with a line that says why.
#[macro_export]
macro_rules! claude_code_or_skip {
    () => {
        match $crate::claude_code::program() {
            Some(program) => program,
            None => {
                eprintln!(
                    "SKIPPED {}: Claude Code is not installed: name it in TMUX_CC_TEST_CLAUDE",
                    module_path!()
                );
                return;
            }
        }
    };
}

/// Who it believes that it is: nobody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Somebody who pays by use: limits are plain errors.
    Key,
    /// Somebody with a plan: a limit that is reached says when it is over, and a dialog opens.
    Plan,
}

/// A home for it, in which nothing is left to be asked at its first start.
#[derive(Clone, Debug)]
pub struct Home {
    program: PathBuf,
    path: PathBuf,
    login: Login,
    url: String,
}

impl Home {
    /// Furnishes one: that folder is trusted, and `url` is where the service answers.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn furnish(program: PathBuf, path: &Path, folder: &Path, login: Login, url: &str) -> Self {
        let trusted = json!({"hasTrustDialogAccepted": true,
            "hasCompletedProjectOnboarding": true, "allowedTools": []});
        let tail = KEY.get(KEY.len() - 20..).unwrap_or_default();
        let known = json!({
            "hasCompletedOnboarding": true,
            "theme": "dark",
            "customApiKeyResponses": {"approved": [tail], "rejected": []},
            "projects": {folder.to_string_lossy(): trusted},
        });
        fs::create_dir_all(path).expect("a home");
        fs::create_dir_all(folder).expect("a folder");
        fs::write(path.join(".claude.json"), known.to_string()).expect("its configuration");
        Self {
            program,
            path: path.to_owned(),
            login,
            url: url.to_owned(),
        }
    }

    /// What it is started by: argv. Nothing of an account that is set up here reaches it.
    #[must_use]
    pub fn command(&self) -> Vec<String> {
        let mut argv = vec!["env".to_owned()];
        let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let foreign = |name: &String| name.starts_with("ANTHROPIC_") || name.starts_with("CLAUDE");
        for name in names.filter(foreign) {
            argv.extend(["-u".to_owned(), name]);
        }
        let login = match self.login {
            Login::Key => format!("ANTHROPIC_API_KEY={KEY}"),
            Login::Plan => format!("CLAUDE_CODE_OAUTH_TOKEN={TOKEN}"),
        };
        argv.extend([
            format!("HOME={}", self.path.display()),
            format!("ANTHROPIC_BASE_URL={}", self.url),
            login,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1".to_owned(),
            "DISABLE_AUTOUPDATER=1".to_owned(),
            "DISABLE_TELEMETRY=1".to_owned(),
            self.program.to_string_lossy().into_owned(),
        ]);
        argv
    }
}
