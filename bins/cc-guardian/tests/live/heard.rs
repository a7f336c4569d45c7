//! What programs say of themselves in band, by way of a cc-logger that runs.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use harness::skip_if_asked;
use harness::wait;

use crate::guardian::{Guardian, PATIENCE};

/// A profile that knows nothing but what is said in band.
const TOY: &str = r#"
version = 1
agent = "toy"
checked_with = ["1"]
commands = ["sh"]
sending = { paste = "bracketed", settle = "100ms", enter = "Enter" }
keys = { interrupt = ["C-c"], exit = ["C-d"], gap = "100ms" }
hang = { after = "20m", tool_after = "60m", start_within = "1s" }

[[rule]]
id = "works"
state = "busy"
all = [{ in_band = '^state=working:app=toy\b' }]

[[rule]]
id = "asks"
state = "blocked"
all = [{ in_band = '^state=blocked:app=toy\b' }]
"#;

/// Says what it is told to say, behind an introducer.
const PROGRAM: &str = r#"while read -r said; do printf '\033]7501;%s\033\\' "$said"; done"#;

/// A cc-logger that logs the servers of a guardian, until it is dropped.
pub(crate) struct Logger(Child);

impl Logger {
    pub(crate) fn start(guardian: &Guardian) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_cc-guardian")).with_file_name("cc-logger");
        assert!(program.exists(), "build it first: cargo build -p cc-logger");
        let like = guardian.command(&[]);
        let mut command = std::process::Command::new(program);
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(["run", "--all-groups", "--sync", "never"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Passes when what a program says of itself in its output is heard while a logger runs, is evidence
/// for its state, and is believed no longer once nobody listens.
#[test]
fn what_a_program_says_in_band_is_heard_through_a_logger() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let profiles = guardian.path(".config/cc/profiles");
    fs::create_dir_all(&profiles).unwrap();
    fs::write(profiles.join("toy.toml"), TOY).unwrap();
    guardian.run(&[]);
    guardian.ok(&[
        "up",
        "--name",
        "t",
        "--profile",
        "toy",
        "--",
        "sh",
        "-c",
        PROGRAM,
    ]);
    let unit = guardian.until("t@1", "its pane", |unit| !unit["pane"].is_null());
    let socket = unit["socket"].as_str().unwrap().to_owned();
    let say = |said: &str| {
        guardian.tmux(socket.as_ref(), &["send-keys", "-t", "t@1", "-l", said]);
        guardian.tmux(socket.as_ref(), &["send-keys", "-t", "t@1", "Enter"]);
    };
    let logger = Logger::start(&guardian);
    // Nobody can know when the guardian has found it: programs repeat themselves.
    wait::until(PATIENCE, "it to be heard", || {
        say("state=working:app=toy");
        guardian.unit("t@1")["state"] == "busy"
    });
    let unit = guardian.unit("t@1");
    assert_eq!(unit["evidence"][0]["seen"], "in-band", "{unit}");
    say("state=blocked:app=toy:kind=permission");
    guardian.until_state("t@1", "blocked");
    drop(logger);
    guardian.until_state("t@1", "unknown");
}
