//! Options, those of the user's own (`@name`) too.

use super::answer::{AnswerError, Run, whole};
use super::{command, literal};
use crate::protocol::{Command, Reply, Target};
use crate::wire::{PaneId, WindowId};

/// Whose option.
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The server's.
    Server,
    /// That of all sessions, where they have none of their own.
    Sessions,
    /// A session's.
    Session(Target),
    /// That of all windows, where they have none of their own.
    Windows,
    /// A window's.
    Window(WindowId),
    /// A pane's.
    Pane(PaneId),
}

impl Scope {
    fn add_to(self, command: Command) -> Command {
        match self {
            Self::Server => command.flag("-s"),
            Self::Sessions => command.flag("-g"),
            Self::Session(session) => command.target(session),
            Self::Windows => command.flag("-g").flag("-w"),
            Self::Window(window) => command.flag("-w").target(window),
            Self::Pane(pane) => command.flag("-p").target(pane),
        }
    }
}

command! {
    /// `set-option`. The value is taken as it is; tmux checks those of its own options.
    ///
    /// The name of a built-in option may be shortened, as long as only one begins so; that of a
    /// user's option is exact.
    SetOption -> ()
}

impl SetOption {
    /// Sets an option.
    pub fn new(of: Scope, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::with(Command::new("set-option"), of, name, value.as_ref())
    }

    /// Sets it to what a format gives now (`-F`).
    pub fn format(of: Scope, name: &str, format: impl AsRef<[u8]>) -> Self {
        let command = Command::new("set-option").flag("-F");
        Self::with(command, of, name, format.as_ref())
    }

    /// Appends to a string or a list (`-a`).
    pub fn append(of: Scope, name: &str, value: impl AsRef<[u8]>) -> Self {
        let command = Command::new("set-option").flag("-a");
        Self::with(command, of, name, value.as_ref())
    }

    /// Sets it unless it is set; else tmux refuses (`-o`).
    pub fn once(of: Scope, name: &str, value: impl AsRef<[u8]>) -> Self {
        let command = Command::new("set-option").flag("-o");
        Self::with(command, of, name, value.as_ref())
    }

    fn with(command: Command, of: Scope, name: &str, value: &[u8]) -> Self {
        let command = of.add_to(command).flag("--").arg(literal(name));
        Self {
            command: command.arg(value),
        }
    }
}

command! {
    /// `set-option -u`: the option is what it is one scope above, or at first; a user's is gone.
    UnsetOption -> ()
}

impl UnsetOption {
    /// Unsets an option.
    pub fn new(of: Scope, name: &str) -> Self {
        let command = of.add_to(Command::new("set-option").flag("-u"));
        Self {
            command: command.flag("--").arg(literal(name)),
        }
    }
}

command! {
    /// `show-options -qv`: answers the value of one option, or that it is not set in that scope; of
    /// a list its lines.
    ///
    /// With tmux 3.4 and 3.5 control characters come as `\033`; see
    /// [`ReplyText`](crate::protocol::ReplyText).
    ShowOption
}

impl ShowOption {
    /// As it is set in that scope.
    pub fn new(of: Scope, name: &str) -> Self {
        Self::with(Command::new("show-options").flag("-qv"), of, name)
    }

    /// As it is in force there, also where it is set above (`-A`).
    pub fn inherited(of: Scope, name: &str) -> Self {
        let command = Command::new("show-options").flag("-qv").flag("-A");
        Self::with(command, of, name)
    }

    fn with(command: Command, of: Scope, name: &str) -> Self {
        Self {
            command: of.add_to(command).flag("--").arg(literal(name)),
        }
    }
}

impl Run for ShowOption {
    type Answer = Option<Vec<u8>>;

    fn command(&self) -> Command {
        self.command.clone()
    }

    fn answer(&self, reply: Reply) -> Result<Option<Vec<u8>>, AnswerError> {
        let reply = whole(reply)?;
        let block = reply.blocks().first();
        let set = block.filter(|block| !block.body().is_empty());
        Ok(set.map(|block| block.text().to_vec()))
    }
}
