//! Eyes and hands on one pane, over control clients that take no output.

use std::time::{Duration, SystemTime};

use tmux_cc::client::{ClientError, RunError, Server};
use tmux_cc::protocol::commands::{
    AnswerError, CapturePane, DisplayMessage, Paste, Press, Run as _,
};
use tmux_cc::protocol::{Command, Reply, Spoof, Target};
use tmux_cc::wire::{PaneId, SessionId};

use crate::profile::Screen;

/// A pane of a server that is followed.
#[derive(Debug, Clone)]
pub struct Pane {
    server: Server,
    id: PaneId,
    session: SessionId,
}

/// How a pane was found, all of it at one moment. Text in it is hostile.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// What it shows.
    pub screen: Screen,
    /// `pane_title`.
    pub title: String,
    /// `pane_current_command`.
    pub command: String,
    /// `pane_pid`: its first process.
    pub pid: Option<u32>,
    /// Rows of the pane.
    pub height: u16,
    /// Has its program ended?
    pub dead: bool,
    /// Does a mode such as copy mode lie over it?
    pub in_mode: bool,
    /// How long ago a person typed whose terminal is attached to its session, to the second; `None`
    /// where none is.
    pub typed: Option<Duration>,
    /// How long ago a person pressed a key there, to the second; that a terminal was attached is no key.
    pub touched: Option<Duration>,
    /// When a person last typed in its session, in seconds of tmux's; keys of programs do not count.
    pub keyed: u64,
}

/// Why something could not be done to a pane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaneError {
    /// Nothing was done: tmux refused, or the program takes no input.
    #[error(transparent)]
    Refused(#[from] AnswerError),
    /// There is no answer: it may have been done.
    #[error(transparent)]
    NoAnswer(#[from] ClientError),
    /// Of a kind that the library has since been taught: it may have been done.
    #[error(transparent)]
    Other(RunError),
}

impl From<RunError> for PaneError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Client(error) => error.into(),
            RunError::Answer(error) => error.into(),
            error => Self::Other(error),
        }
    }
}

/// What is asked beside the screen, in one line; titles and commands stand alone, they may hold
/// anything.
const STATE: &str = "#{pane_dead},#{pane_in_mode},#{pane_pid},#{pane_width},#{pane_height},\
    #{cursor_x},#{cursor_y},#{cursor_flag},#{alternate_on},#{session_activity}";
/// The words in which a key is refused.
const TYPING: &str = "somebody is typing";

impl Pane {
    /// The pane of that id, in that session.
    #[must_use]
    pub const fn new(server: Server, session: SessionId, id: PaneId) -> Self {
        Self {
            server,
            id,
            session,
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> PaneId {
        self.id
    }

    /// Its server.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Looks at it: the screen and what is known beside it, as they are at one moment.
    ///
    /// # Errors
    /// When it is gone, or nobody answers.
    pub async fn look(&self) -> Result<Sighting, PaneError> {
        let say = |format: &str| Command::from(DisplayMessage::of(self.id, format));
        let clients = Command::new("list-clients")
            .option(
                "-F",
                "#{client_control_mode} #{client_activity} #{client_created}",
            )
            .target(self.id);
        let line = say(STATE)
            .then(say("#{pane_title}"))
            .then(say("#{pane_current_command}"))
            .then(clients)
            .then(CapturePane::new(self.id).command());
        let reply = self.command(line).await?;
        let reply = reply.ok().map_err(AnswerError::from)?;
        if reply.spoof() == Some(Spoof::Broken) {
            return Err(AnswerError::Forged.into());
        }
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        read(&reply, now).ok_or_else(|| {
            let printed = reply.text().to_vec();
            AnswerError::Unreadable { printed }.into()
        })
    }

    /// Pastes text, in brackets where the program has asked for them: byte for byte, or nothing.
    ///
    /// # Errors
    /// [`PaneError::Refused`]: nothing was written.
    pub async fn paste(&self, text: &str) -> Result<(), PaneError> {
        let client = self.client().ok_or(ClientError::Detached)?;
        Ok(client.paste(&Paste::new(self.id, text)).await?)
    }

    /// Presses one key, which reaches the program or nobody.
    ///
    /// # Errors
    /// [`PaneError::Refused`]: it was not pressed.
    pub async fn press(&self, key: &str) -> Result<(), PaneError> {
        let client = self.client().ok_or(ClientError::Detached)?;
        Ok(client.run(Press::new(self.id, [key])).await?)
    }

    /// Presses keys one behind the other, in one go: all of them reach the program or none does.
    ///
    /// # Errors
    /// [`PaneError::Refused`]: none was pressed.
    pub async fn press_all(&self, keys: &[String]) -> Result<(), PaneError> {
        let client = self.client().ok_or(ClientError::Detached)?;
        let keys = keys.iter().map(String::as_str);
        Ok(client.run(Press::new(self.id, keys)).await?)
    }

    /// Presses one key, unless a person has typed since the pane was found `keyed` at: that is decided
    /// where the key is pressed, so that nothing comes between. Gives whether it was pressed.
    ///
    /// # Errors
    /// [`PaneError::Refused`]: it was not pressed.
    pub async fn press_unless_typed(&self, key: &str, keyed: u64) -> Result<bool, PaneError> {
        let press = Press::new(self.id, [key]);
        let command = press.command();
        let line = command.line().map_err(ClientError::from)?;
        // There is no such session, and so the line fails with these words.
        let refuse = Command::new("has-session").target(Target::session(TYPING));
        let refuse = refuse.line().map_err(ClientError::from)?.to_vec();
        let unless = Command::new("if-shell")
            .flag("-F")
            .target(self.id)
            .arg(format!("#{{==:#{{session_activity}},{keyed}}}"))
            .arg(line)
            .arg(refuse);
        let reply = self.command(unless).await?;
        match press.answer(reply) {
            Ok(()) => Ok(true),
            Err(AnswerError::Failed(failed)) if failed.message().ends_with(TYPING.as_bytes()) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn command(&self, command: Command) -> Result<Reply, ClientError> {
        match self.client() {
            Some(client) => client.command(command).await,
            None => Err(ClientError::Detached),
        }
    }

    /// That of the session in which it was found, where that is still there.
    fn client(&self) -> Option<tmux_cc::client::Client> {
        let own = self.server.client(self.session);
        own.or_else(|| self.server.any_client())
    }
}

fn read(reply: &Reply, now: Duration) -> Option<Sighting> {
    let [state, title, command, clients, screen] = reply.blocks() else {
        return None;
    };
    let mut fields = state.text().split(|&b| b == b',');
    let mut field = || str::from_utf8(fields.next()?).ok();
    let dead = field()? == "1";
    let in_mode = !matches!(field()?, "0" | "");
    let pid = field()?.parse().ok();
    let (width, height) = (field()?.parse().ok()?, field()?.parse().ok()?);
    let cursor = (field()?.parse().ok()?, field()?.parse().ok()?);
    let (visible, alternate) = (field()? == "1", field()? == "1");
    let keyed = field()?.parse().ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let people = clients.lines().filter_map(|line| {
        let mut words = str::from_utf8(line).ok()?.split(' ');
        let control = words.next()?;
        let mut seconds = || Some(Duration::from_secs(words.next()?.parse().ok()?));
        let (activity, created) = (seconds()?, seconds()?);
        (control == "0").then(|| (now.saturating_sub(activity), activity > created))
    });
    let people: Vec<_> = people.collect();
    let typed = people.iter().map(|(ago, _)| *ago).min();
    let keys = people.iter().filter(|(_, is_key)| *is_key);
    let touched = keys.map(|(ago, _)| *ago).min();
    let rows = screen.lines().map(text).collect();
    Some(Sighting {
        screen: Screen {
            rows,
            width,
            cursor: Some(cursor),
            cursor_visible: Some(visible),
            alternate,
        },
        title: text(title.text()),
        command: text(command.text()),
        pid,
        height,
        dead,
        in_mode,
        typed,
        touched,
        keyed,
    })
}
