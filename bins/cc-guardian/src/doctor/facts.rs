//! What was found, as plain data. Texts are as they were read: who prints them escapes them.

use serde::Serialize;

/// Everything that is judged.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Facts {
    /// Who looks: the number of the user.
    pub(super) user: u32,
    /// Seconds since 1970, by the clock of the machine.
    pub(super) now: i64,
    pub(super) tmux: Tmux,
    /// `/tmp/tmux-UID`, where tmux itself puts its sockets.
    pub(super) user_sockets: Folder,
    /// Where the guardian puts those of its servers; `None` without a home.
    pub(super) guardian_sockets: Option<Folder>,
    pub(super) servers: Vec<Server>,
    pub(super) runtime: Runtime,
    /// `None` without a home.
    pub(super) state: Option<Folder>,
    pub(super) configuration: Configuration,
    pub(super) daemon: Daemon,
    /// Does what the user runs outlive the logout?
    pub(super) linger: Told<bool>,
    /// Is the clock kept right by others?
    pub(super) synchronized: Told<bool>,
    /// The name of the time zone.
    pub(super) zone: Told<String>,
    /// How many files a process may have open; `None`: any number.
    pub(super) descriptors: Option<u64>,
    /// The names of variables that begin with `CLAUDE_`, ours and those of units.
    pub(super) variables: Vec<String>,
    /// What says the character set: the first of `LC_ALL`, `LC_CTYPE`, `LANG` that is not empty.
    pub(super) locale: Option<String>,
    /// `TERM`.
    pub(super) terminal: Option<String>,
}

/// An answer, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Told<T> {
    Known(T),
    NotKnown(String),
}

/// The program that would be started.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tmux {
    /// As the configuration names it.
    pub(super) program: String,
    /// Where that is; `None`: nowhere.
    pub(super) path: Option<String>,
    /// What it says to `-V`, without the word `tmux`.
    pub(super) version: Told<String>,
}

/// A directory.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Folder {
    pub(super) path: String,
    pub(super) found: Found,
}

/// What is at the path of a directory.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Found {
    /// Nothing; could it be made?
    Missing { can_be_made: bool },
    /// Something else than a directory.
    Other,
    /// It cannot be looked at.
    Closed { why: String },
    Directory {
        owner: u32,
        /// The permissions alone.
        mode: u32,
        /// May we make files in it?
        is_writable: bool,
        /// How much room is left, in bytes.
        free: Option<u64>,
        /// Is it kept in memory only, and gone after a reboot?
        is_volatile: Told<bool>,
    },
}

/// A socket at which a tmux server is or was.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Server {
    pub(super) socket: String,
    pub(super) whose: Whose,
    pub(super) owner: u32,
    /// The permissions alone.
    pub(super) mode: u32,
    pub(super) answer: Answer,
}

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Whose {
    /// The guardian made it.
    Guardian,
    /// The one that a plain `tmux` speaks to.
    User,
}

/// What a server says.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    Alive(Box<Alive>),
    /// Nobody listens any more.
    Stale,
    /// It does not answer in time.
    Hung,
    /// It answers, but not what was asked.
    Refused {
        said: String,
    },
    /// It was better not to ask.
    NotAsked {
        why: String,
    },
}

/// A server that answers.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Alive {
    pub(super) version: String,
    pub(super) pid: Option<i32>,
    pub(super) exit_empty: bool,
    pub(super) exit_unattached: bool,
    /// Its resident memory in bytes, where that can be known.
    pub(super) memory: Option<u64>,
    pub(super) sessions: Vec<Session>,
    pub(super) clients: Vec<Client>,
    pub(super) panes: Vec<Pane>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) name: String,
    /// How many clients are attached.
    pub(super) attached: u32,
    pub(super) destroy_unattached: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) pid: Option<i32>,
    pub(super) is_control: bool,
    pub(super) flags: Vec<String>,
    /// The name of its session.
    pub(super) session: String,
    /// Is it the guardian's own? `None`: not known.
    pub(super) is_guardian: Option<bool>,
}

impl Client {
    pub(super) fn has(&self, flag: &str) -> bool {
        let mut names = self.flags.iter().map(|flag| flag.split('=').next());
        names.any(|name| name == Some(flag))
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Pane {
    pub(super) id: String,
    /// The name of its session.
    pub(super) session: String,
    /// Is its one pipe taken?
    pub(super) is_piped: bool,
    pub(super) remain_on_exit: bool,
    pub(super) history_lines: u64,
    pub(super) history_limit: u64,
    pub(super) history_bytes: u64,
}

/// `XDG_RUNTIME_DIR`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Runtime {
    Unset,
    /// It is no absolute path, so it does not count.
    Relative(String),
    Set(Folder),
}

/// The file that declares the units.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Configuration {
    /// There is none.
    Absent,
    Right {
        file: String,
        /// How many instances it declares.
        instances: usize,
        /// The sockets of the servers that they would have.
        sockets: Vec<String>,
    },
    Wrong {
        file: String,
        mistakes: Vec<String>,
    },
}

/// The guardian that may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Daemon {
    Absent,
    /// Its socket is there, and nobody listens.
    Stale,
    /// It cannot be reached, or does not answer.
    Silent {
        why: String,
    },
    Answers {
        pid: Option<i32>,
        /// How many instances it has.
        instances: usize,
        /// How many of them are in a pane.
        running: usize,
    },
}
