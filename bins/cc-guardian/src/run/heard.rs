//! What a running cc-logger hears in the panes of units: what only raw bytes show.
//!
//! The guardian takes no output itself. Where a logger runs, its control socket tells what programs say
//! of themselves in band (OSC 7501, and 9;4 for progress), which is evidence; and when they ring or notify,
//! which is a reason to look at once. Where no logger runs, nothing is known of that.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_kit::config;
use cc_kit::control;
use cc_kit::places;
use cc_kit::profile::InBand;
use serde::Deserialize;
use tmux_cc::wire::PaneId;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{Daemon, Note};

/// How often is looked for a logger.
const AGAIN: Duration = Duration::from_secs(3);

/// What a logger is asked for.
const REQUEST: &[u8] = b"{\"do\":\"facts\",\"selector\":\"*\"}\n";

/// What a logger told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The body of an OSC of a pane of the server with that socket.
    Osc(String, PaneId, String),
    /// A pane rang, or asked for somebody's attention: something may stand on its screen now.
    Rang(String, PaneId),
    /// Nothing more comes of what was told so far: the logger has gone, or was too fast.
    Lost,
}

/// A line of a logger's `facts`; what is not needed of it is left out.
#[derive(Debug, Deserialize)]
struct Line {
    pane: Option<Pane>,
    osc: Option<Osc>,
    #[serde(default)]
    bells: u64,
    missed: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Pane {
    pane: String,
    socket: String,
}

#[derive(Debug, Deserialize)]
struct Osc {
    code: u32,
    text: String,
}

/// Hands on what a logger tells, whenever one runs.
pub(super) async fn listen(notes: mpsc::UnboundedSender<Note>) {
    let Some(control) = place() else { return };
    loop {
        if let Ok(true) = follow(&control, &notes).await
            && notes.send(Note::Heard(News::Lost)).is_err()
        {
            return;
        }
        sleep(AGAIN).await;
    }
}

/// The control socket of the logger that runs without a directory of its own, or with that of its
/// configuration.
fn place() -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct File {
        dir: Option<PathBuf>,
    }
    let file = places::config().map(|dir| dir.join("logger.toml"));
    let file: Option<File> = file.and_then(|file| config::read(&file).ok());
    let dir = file.and_then(|file| file.dir);
    let dir = dir.map(|dir| places::expanded(&dir));
    let dir = dir.or_else(|| places::state().map(|state| state.join("log")))?;
    Some(dir.join("control"))
}

/// Follows one logger to its end; says whether there was one.
async fn follow(control: &Path, notes: &mpsc::UnboundedSender<Note>) -> io::Result<bool> {
    let Ok(stream) = control::connect(control) else {
        return Ok(false);
    };
    stream.set_nonblocking(true)?;
    let (read, mut write) = UnixStream::from_std(stream)?.into_split();
    write.write_all(REQUEST).await?;
    tracing::info!("a logger tells what programs say of themselves");
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(news) = heard(&line)
            && notes.send(Note::Heard(news)).is_err()
        {
            break;
        }
    }
    tracing::info!("the logger has gone");
    Ok(true)
}

/// What of a line is of use.
fn heard(line: &str) -> Option<News> {
    let line: Line = serde_json::from_str(line).ok()?;
    if line.missed.is_some() {
        return Some(News::Lost);
    }
    let pane = line.pane?;
    let id = PaneId::parse(pane.pane.as_bytes())?;
    let Some(osc) = line.osc else {
        return (line.bells > 0).then_some(News::Rang(pane.socket, id));
    };
    let body = format!("{};{}", osc.code, osc.text);
    match osc.code {
        _ if InBand::default().take(&body) => Some(News::Osc(pane.socket, id, body)),
        // Notifications, but for progress that cannot be read.
        9 if osc.text.starts_with("4;") => None,
        9 | 99 | 777 => Some(News::Rang(pane.socket, id)),
        _ => None,
    }
}

impl Daemon {
    /// A logger told something.
    pub(super) fn heard(&mut self, news: News) {
        match news {
            News::Lost => {
                let names: Vec<String> = self.in_band.drain().map(|(name, _)| name).collect();
                names.iter().for_each(|name| self.look(name));
            }
            // What can be read from it is on the screen; that it repeats itself is no sign of life.
            News::Rang(socket, pane) => {
                if let Some((name, _)) = self.run_in(&socket, pane) {
                    self.look(&name);
                    self.look_later(&name);
                }
            }
            News::Osc(socket, pane, body) => {
                let Some((name, run)) = self.run_in(&socket, pane) else {
                    return;
                };
                let said = self.in_band.entry(name.clone()).or_default();
                if said.0 != run {
                    *said = (run, InBand::default());
                }
                said.1.take(&body);
                self.look(&name);
            }
        }
    }

    /// Which instance runs in that pane, and in which run.
    fn run_in(&self, socket: &str, pane: PaneId) -> Option<(String, String)> {
        let mut its = self.instances.values();
        let it = its.find(|it| {
            it.run().is_some_and(|run| run.pane == pane) && self.socket_of(it) == Path::new(socket)
        })?;
        Some((it.name.clone(), it.run()?.number.clone()))
    }

    /// What that run of an instance has said of itself, if a logger listens.
    pub(super) fn in_band(&self, name: &str, run: &str) -> Option<InBand> {
        let (of, said) = self.in_band.get(name)?;
        (of == run).then(|| said.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_of_themselves_is_taken_and_the_rest_is_not() {
        let line = |what: &str| {
            format!(
                r#"{{"v":1,"pane":{{"pane":"%3","unit":null,"session":"w","socket":"/s"}},{what}}}"#
            )
        };
        let osc = |code: u32, text: &str| {
            heard(&line(&format!(
                r#""osc":{{"code":{code},"text":"{text}"}}"#
            )))
        };
        let pane = PaneId::parse(b"%3").unwrap();
        let told = |body: &str| Some(News::Osc("/s".into(), pane, body.into()));
        assert_eq!(
            osc(7501, "state=working:app=x"),
            told("7501;state=working:app=x")
        );
        assert_eq!(osc(9, "4;1;50"), told("9;4;1;50"));
        let rang = || Some(News::Rang("/s".into(), pane));
        assert_eq!(osc(9, "a notification"), rang());
        assert_eq!(osc(777, "notify;a;b"), rang());
        assert_eq!(osc(9, "4;x"), None);
        assert_eq!(osc(133, "A"), None);
        assert_eq!(heard(&line(r#""bells":1"#)), rang());
        assert_eq!(heard(&line(r#""title":"t""#)), None);
        assert_eq!(heard(r#"{"v":1,"listening":true}"#), None);
        assert_eq!(heard(r#"{"v":1,"missed":3}"#), Some(News::Lost));
        assert_eq!(heard("nonsense"), None);
    }
}
