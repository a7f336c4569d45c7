//! A terminal that shows the dashboard: a pane of a tmux of its own.

use std::ffi::OsString;
use std::path::Path;
use std::{env, fs};

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::wait;

use crate::guardian::{Guardian, PATIENCE};

/// Tells how the terminal was before, and how it was left.
const SCRIPT: &str =
    r#"stty -a > "$HOME/before"; "$@"; echo "ended $?"; stty -a > "$HOME/after"; cat"#;

pub(crate) struct Terminal {
    server: Server,
}

impl Terminal {
    /// Begins to show it, in so many columns and rows.
    pub(crate) fn show(guardian: &Guardian, size: (u16, u16), variables: &[(&str, &str)]) -> Self {
        let top = guardian.command(&["top"]);
        let mut words: Vec<OsString> = vec!["env".into()];
        let mut pairs = Vec::new();
        for (name, value) in top.get_envs() {
            let mut pair = name.to_owned();
            match value {
                Some(value) => {
                    pair.push("=");
                    pair.push(value);
                    pairs.push(pair);
                }
                None => words.extend(["-u".into(), pair]),
            }
        }
        words.extend(pairs);
        let variables = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}").into());
        words.extend(variables);
        words.extend(["sh", "-c", SCRIPT, "sh"].map(Into::into));
        words.push(top.get_program().to_owned());
        words.extend(top.get_args().map(ToOwned::to_owned));
        let server = Server::empty();
        server.boot(&Boot::running(words).size(size.0, size.1));
        Self { server }
    }

    pub(crate) fn keys(&self, keys: &[&str]) {
        self.server
            .tmux(["send-keys", "-t", "main"].iter().chain(keys));
    }

    /// Types text, which may look like the name of a key.
    pub(crate) fn types(&self, text: &str) {
        self.keys(&["-l", "--", text]);
    }

    pub(crate) fn resize(&self, (columns, rows): (u16, u16)) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.server
            .tmux(["resize-window", "-t", "main", "-x", &columns, "-y", &rows]);
    }

    /// What it shows, without blanks at the ends of lines.
    pub(crate) fn screen(&self) -> String {
        lines(&self.server.answer(["capture-pane", "-p", "-t", "main"]))
    }

    /// The same with the sequences for colours.
    pub(crate) fn coloured(&self) -> String {
        self.server
            .answer(["capture-pane", "-e", "-p", "-t", "main"])
    }

    /// What tmux says of the pane.
    pub(crate) fn fact(&self, format: &str) -> String {
        self.server
            .answer(["display-message", "-p", "-t", "main", format])
    }

    /// The process of the dashboard.
    pub(crate) fn process(&self) -> Process {
        let shell: u32 = self.fact("#{pane_pid}").parse().unwrap();
        let children = format!("/proc/{shell}/task/{shell}/children");
        wait::until_some(PATIENCE, "the dashboard to run", || {
            let children = fs::read_to_string(&children).ok()?;
            Some(Process::of(
                children.split_whitespace().next()?.parse().ok()?,
            ))
        })
    }

    /// Waits until the screen is as wanted, and gives it.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::until(PATIENCE, what, || {
                last = self.screen();
                is(&last)
            });
        }));
        if let Err(panic) = found {
            eprintln!("{last}");
            std::panic::resume_unwind(panic);
        }
        last
    }

    #[track_caller]
    pub(crate) fn until_has(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is the one that is kept. `TOP_SNAPSHOTS=rewrite` keeps the one that has
    /// `mark` on it and no longer changes.
    #[track_caller]
    pub(crate) fn is_as_kept(&self, name: &str, mark: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("snapshots")
            .join(name);
        if env::var_os("TOP_SNAPSHOTS").is_some_and(|value| value == "rewrite") {
            let shown = self.until(mark, |screen| {
                screen.contains(mark) && screen == self.screen()
            });
            fs::write(&file, shown).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        if self.screen() == kept {
            return;
        }
        self.until(&format!("{name}, which is\n{kept}"), |screen| {
            screen == kept
        });
    }
}

fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    let text: String = lines.collect();
    format!("{}\n", text.trim_end())
}
