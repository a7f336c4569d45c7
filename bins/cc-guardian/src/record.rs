//! `profile record`: the screen of a pane as a fixture, to be held against profiles later.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use cc_kit::exit::{Exit, Failure};
use cc_kit::profile::{Profile, Profiles, Screen, Sight};
use cc_kit::redact::{Key, Rules, redacted};
use cc_kit::stdout::print;
use serde_json::Value;

use crate::ask::{self, PATIENCE};
use crate::cli;
use crate::look::named;
use crate::request::Request;

/// What stands for the host's name, which is nobody's business.
const HOST: &str = "box";

/// What is asked of tmux beside title, command and screen.
const FACTS: &str = "#{pane_width},#{pane_height},#{cursor_x},#{cursor_y},#{cursor_flag},\
    #{alternate_on},#{pane_dead}";

/// Writes the screen of a unit or a pane as a fixture, without secrets and without the truth.
pub(crate) fn record(profiles: &Profiles, record: &cli::ProfileRecord) -> Result<Exit, Failure> {
    let of = find(record)?;
    let caught = Caught::take(&of)?;
    let rules = Rules::builder()
        .build(key()?)
        .map_err(|e| Failure::new(Exit::Failed, e))?;
    let caught = caught.without_secrets(&Arc::new(rules));
    let name = record.profile.clone().or(of.profile).or_else(|| {
        let mut by_name = profiles
            .iter()
            .filter(|profile| profile.is_command(&caught.command));
        Some(by_name.next()?.name().to_owned())
    });
    let Some(name) = name else {
        let error = format!("no profile knows the program {:?}", caught.command);
        return Err(Failure::new(Exit::Usage, error).advice("Name one with --profile."));
    };
    let profile = named(profiles, &name)?;
    let caught = caught.told_of(profile);
    let text = caught.fixture(profile, &record.program_version);
    let Some(file) = &record.output else {
        print(&text)?;
        return Ok(Exit::Success);
    };
    let made = OpenOptions::new().write(true).create_new(true).open(file);
    made.and_then(|mut made| made.write_all(text.as_bytes()))
        .map_err(|error| {
            Failure::new(Exit::Usage, format!("{}: {error}", file.display()))
                .advice("Name a file that is not there yet.")
        })?;
    let _ = writeln!(
        io::stderr(),
        "Read {0} before you share it, and fill in its state; then `cc-guardian profile check {0}`.",
        file.display()
    );
    Ok(Exit::Success)
}

fn key() -> Result<Key, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::new(Exit::Failed, error))?;
    Ok(Key::new(bytes))
}

/// Whose screen.
#[derive(Debug)]
struct Of {
    socket: PathBuf,
    pane: String,
    profile: Option<String>,
}

fn find(record: &cli::ProfileRecord) -> Result<Of, Failure> {
    if record.of.starts_with('%') {
        // `SOCKET,PID,SESSION`
        let here = env::var("TMUX").ok();
        let here = here.and_then(|here| Some(PathBuf::from(here.rsplitn(3, ',').nth(2)?)));
        let socket = record.socket.clone().or(here);
        return Ok(Of {
            socket: socket.ok_or_else(|| {
                Failure::new(Exit::Usage, "we are in no tmux")
                    .advice("Name the server of the pane: -S SOCKET.")
            })?,
            pane: record.of.clone(),
            profile: None,
        });
    }
    let places = ask::places(&record.state)?;
    let answer = ask::ask(
        &places,
        &Request::Why {
            unit: record.of.clone(),
        },
        PATIENCE,
    )?;
    let text = |name| {
        answer
            .pointer(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    match (text("/unit/socket"), text("/unit/pane")) {
        (Some(socket), Some(pane)) => Ok(Of {
            socket: socket.into(),
            pane,
            profile: text("/unit/profile"),
        }),
        _ => Err(
            Failure::new(Exit::Failed, format!("{} does not run", record.of))
                .advice(format!("Start it: `cc-guardian start {}`.", record.of)),
        ),
    }
}

/// What a pane looked like, all of it at one moment.
#[derive(Debug)]
struct Caught {
    screen: Screen,
    height: u16,
    title: String,
    command: String,
    /// What the pane was started with, as tmux writes it down.
    start: String,
}

impl Caught {
    fn take(of: &Of) -> Result<Self, Failure> {
        let say = |format| ["display-message", "-p", "-t", &of.pane, format, ";"];
        let mut tmux = Command::new("tmux");
        tmux.arg("-u").arg("-S").arg(&of.socket).args(say(FACTS));
        tmux.args(say("#{pane_title}"))
            .args(say("#{pane_current_command}"))
            .args(say("#{pane_start_command}"));
        tmux.args(["capture-pane", "-p", "-t", &of.pane])
            .env_remove("TMUX");
        let output = tmux.output().map_err(|error| {
            Failure::new(Exit::Unreachable, error).advice("Is tmux on the path?")
        })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr)
                .trim_end()
                .to_owned();
            return Err(Failure::new(Exit::Unknown, said)
                .advice("Check the pane and its server: `tmux -S SOCKET list-panes -a`."));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        Self::read(&said).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("{} cannot be read", of.pane))
                .advice("It may have gone; tmux 3.2 or later is needed.")
        })
    }

    fn read(said: &str) -> Option<Self> {
        let mut lines = said.lines();
        let facts = lines.next()?;
        let (title, command, start) = (lines.next()?, lines.next()?, lines.next()?);
        let mut facts = facts.split(',').map(|fact| fact.parse::<u16>().ok());
        let mut fact = || facts.next().flatten();
        let (width, height) = (fact()?, fact()?);
        let cursor = Some((fact()?, fact()?));
        let (visible, alternate, dead) = (fact()? == 1, fact()? == 1, fact());
        if dead == Some(1) {
            return None;
        }
        Some(Self {
            screen: Screen {
                rows: lines.map(str::to_owned).collect(),
                width,
                cursor,
                cursor_visible: Some(visible),
                alternate,
            },
            height,
            title: title.to_owned(),
            command: command.to_owned(),
            start: start.to_owned(),
        })
    }

    fn without_secrets(self, rules: &Arc<Rules>) -> Self {
        let safe = |text: &str| redacted(rules, text);
        // A secret may go over several rows.
        let rows = safe(&self.screen.rows.join("\n"));
        let rows = rows.lines().map(str::to_owned).collect();
        let host = rustix::system::uname();
        let title = match self.title.trim() == host.nodename().to_string_lossy() {
            true => HOST.to_owned(),
            false => safe(&self.title),
        };
        Self {
            screen: Screen {
                rows,
                ..self.screen
            },
            title,
            ..self
        }
    }

    /// As a profile is told of it: not by the name of a wrapper that the pane was started with.
    fn told_of(self, profile: &Profile) -> Self {
        let words = self.start.split_whitespace();
        let mut names = words.map(|word| word.trim_matches('"').rsplit('/').next());
        let own = names.any(|name| name == Some(&self.command));
        let own = own.then(|| self.command.clone());
        let command = profile
            .command_told(&self.command, own.as_deref())
            .to_owned();
        Self { command, ..self }
    }

    fn fixture(&self, profile: &Profile, version: &str) -> String {
        let reading = profile.read(&Sight {
            screen: Some(&self.screen),
            title: &self.title,
            host: HOST,
            command: &self.command,
            in_band: None,
        });
        let (x, y) = self.screen.cursor.unwrap_or_default();
        let sub = reading.sub.map(|sub| format!(" ({sub})"));
        let rows = self.screen.rows.join("\n");
        format!(
            "+++\n\
             # Fill in the truth: what it was doing, and sub = \"..\" where that matters.\n\
             # Version {} of the profile reads it as {}{}, sure to {:.2}.\n\
             state = \"?\"\n\
             profile = {}\n\
             version = {}\n\
             source = \"recorded\"\n\
             title = {}\n\
             host = {}\n\
             command = {}\n\
             size = [{}, {}]\n\
             cursor = [{x}, {y}]\n\
             cursor_visible = {}\n\
             alternate = {}\n\
             +++\n\
             {}\n",
            profile.version(),
            reading.state,
            sub.unwrap_or_default(),
            reading.confidence,
            quoted(profile.name()),
            quoted(version),
            quoted(&self.title),
            quoted(HOST),
            quoted(&self.command),
            self.screen.width,
            self.height,
            self.screen.cursor_visible.unwrap_or(true),
            self.screen.alternate,
            rows.trim_end_matches('\n'),
        )
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().filter(|char| !char.is_control()).collect();
    Value::from(plain).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cc_kit::profile::State;
    use cc_kit::profile::fixture::Fixture;
    use std::path::Path;

    const SAID: &str = "80,24,2,20,1,0,0\n✳ a \"title\"\\\nclaude\nclaude --x\nhello\n\n  key ghp_0123456789abcdefghijABCDEFGHIJ012345\n❯ \n\n\n";

    fn recorded() -> String {
        let rules = Arc::new(Rules::builder().build(Key::new([7; 32])).unwrap());
        let caught = Caught::read(SAID).unwrap().without_secrets(&rules);
        caught.fixture(Profiles::builtin().get("claude").unwrap(), "2.1.197")
    }

    #[test]
    fn what_is_recorded_is_a_fixture_once_the_truth_is_filled_in() {
        let text = recorded();
        let path = Path::new("a.txt");
        let error = Fixture::parse(path, &text).unwrap_err().to_string();
        assert!(error.contains("a.txt:4") && error.contains('?'), "{error}");
        let filled = text.replace("\"?\"", "\"idle\"");
        let fixture = Fixture::parse(path, &filled).unwrap();
        assert_eq!(fixture.head.state, State::Idle);
        assert_eq!(fixture.head.version, "2.1.197");
        assert_eq!(fixture.head.title, "✳ a \"title\"\\");
        assert_eq!(fixture.head.size, (80, 24));
        assert_eq!(fixture.screen.cursor, Some((2, 20)));
        assert_eq!(fixture.screen.rows[0], "hello");
        assert_eq!(fixture.screen.rows[3], "❯ ");
    }

    #[test]
    fn secrets_are_not_recorded() {
        let text = recorded();
        assert!(!text.contains("ghp_0123"), "{text}");
        assert!(text.contains("<redacted:"), "{text}");
    }

    #[test]
    fn the_name_of_the_host_is_not_recorded() {
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let said = SAID.replace("✳ a \"title\"\\", &host);
        let rules = Arc::new(Rules::builder().build(Key::new([7; 32])).unwrap());
        let caught = Caught::read(&said).unwrap().without_secrets(&rules);
        assert_eq!(caught.title, HOST);
    }

    #[test]
    fn a_wrapper_that_the_pane_was_started_with_is_not_another_program() {
        let profiles = Profiles::builtin();
        let profile = profiles.get("claude").unwrap();
        let told = |command: &str| {
            let said = format!("80,24,0,0,1,0,0\nt\n{command}\n/usr/bin/env -- \"/a b/wrap\" -x\n");
            Caught::read(&said).unwrap().told_of(profile).command
        };
        assert_eq!(told("wrap"), "");
        assert_eq!(told("claude"), "claude");
        assert_eq!(told("vim"), "vim");
    }

    #[test]
    fn a_pane_whose_program_has_ended_is_not_read() {
        assert!(Caught::read("80,24,2,20,1,0,1\nt\nc\nc\n").is_none());
        assert!(Caught::read("").is_none());
    }
}
