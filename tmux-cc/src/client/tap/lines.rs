//! What is said to tmux: command lines, and the shell lines in them.
//!
//! A shell line passes through up to four readers, innermost last: tmux's parser (once for the
//! command that sets a hook, once for the hook itself, once for the command in `if-shell`), the
//! formats and `strftime` of `pipe-pane`, and `/bin/sh`. Quoting goes the other way.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::TapError;
use super::helper::TapHelper;
use super::word::{Origin, Token};
use crate::client::screen::{Backfill, Screen};
use crate::protocol::Command;
use crate::wire::{PaneId, Version, quoted};

/// The index of the tap in tmux's hooks, such as `after-new-window[7301]`.
///
/// No example: it is there for who looks at the hooks of a server.
pub const TAP_HOOK_INDEX: u32 = 7301;

/// The server option that says who holds the tap of a server.
const OWNER: &str = "@tmux_cc_tap";

/// The longest shell line: `strftime` gives up past 8,192 bytes of result.
///
/// **Source:** tmux `format.c`, `format_expand1`.
const LONGEST: usize = 4096;

/// True where a pane has a program and no pipe. One that was made without a program is no dead one
/// from 3.7 on, and its process is 0, or nothing from 3.8 on.
const FREE: &str = "#{?#{||:#{pane_pipe},#{pane_dead}},0,#{pane_pid}}";

/// What a survey asks of each pane.
const ROW: &str = "P#{pane_id} #{pane_pipe} #{pane_dead} #{pane_pid}";

/// The lines of one tap.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// `exec HELPER ARGUMENT... SOCKET`, with formats and `strftime` defused.
    shell: Vec<u8>,
    token: Token,
}

impl Lines {
    pub(super) fn new(helper: &TapHelper, socket: &Path, token: Token) -> Result<Self, TapError> {
        let mut shell = b"exec".to_vec();
        for word in helper.words().map_err(TapError::Helper)? {
            push_word(word.as_bytes(), &mut shell);
        }
        push_word(socket.as_os_str().as_bytes(), &mut shell);
        if shell.contains(&0) {
            return Err(TapError::Helper(io::ErrorKind::InvalidInput.into()));
        }
        if shell.len() > LONGEST {
            return Err(TapError::HelperTooLong {
                length: shell.len(),
            });
        }
        Ok(Self { shell, token })
    }

    /// `pipe-pane` with the helper.
    ///
    /// With `-I`, though nothing is ever written: else tmux does not look at its end, and a quiet
    /// pane whose pipe nobody holds any more looks like one with a pipe of its user's. What the
    /// helper prints would be typed into the pane, so it has nowhere to print.
    fn pipe(&self, pane: Option<PaneId>, origin: Origin) -> Vec<u8> {
        let mut shell = self.shell.clone();
        let word = self.token.word(origin);
        shell.extend_from_slice(format!(" '{word}' >/dev/null 2>&1").as_bytes());
        let mut line = b"pipe-pane -IO ".to_vec();
        if let Some(pane) = pane {
            line.extend_from_slice(format!("-t '{pane}' ").as_bytes());
        }
        // Without a NUL, which there is none of, everything can be quoted.
        line.extend(quoted(&shell).unwrap_or_default());
        line
    }

    /// The hooks of a server, and where in a pane's life each is run.
    ///
    /// From 3.8 on `pane-created` is run for every pane, those of hooks too, and at a respawn.
    /// Other versions have no hook for these.
    fn hooks(version: Version) -> impl Iterator<Item = (&'static str, Origin)> {
        let created = version.at_least(Version::new(3, 8));
        let created = created.then_some(("pane-created", Origin::Created));
        [
            ("after-new-session", Origin::Hook),
            ("after-new-window", Origin::Hook),
            ("after-split-window", Origin::Hook),
        ]
        .into_iter()
        .chain(created)
    }

    /// Sets the hooks.
    pub(super) fn install(&self, version: Version) -> Command {
        let set = |(hook, origin)| {
            let mut value = format!("if-shell -F '{FREE}' ").into_bytes();
            value.extend(quoted(&self.pipe(None, origin)).unwrap_or_default());
            Command::new("set-hook")
                .flag("-g")
                .arg(index(hook))
                .arg(value)
        };
        join(Self::hooks(version).map(set))
    }

    /// What removes the hooks and the claim, where they are those of this tap: words for tmux,
    /// with a `;` alone between commands.
    pub(super) fn leave_words(&self, version: Version) -> Vec<String> {
        let own = Self::hooks(version).map(|(hook, _)| {
            let hook = index(hook);
            (self.is_own(&hook), format!("set-hook -gu '{hook}'"))
        });
        let claim = (self.is_own(OWNER), format!("set-option -su {OWNER}"));
        let mut words = Vec::new();
        for (is_own, remove) in own.chain([claim]) {
            if !words.is_empty() {
                words.push(";".to_owned());
            }
            words.extend(["if-shell".to_owned(), "-F".to_owned(), is_own, remove]);
        }
        words
    }

    /// The same as one line.
    pub(super) fn leave(&self, version: Version) -> Command {
        let words = self.leave_words(version);
        let commands = words.split(|word| word == ";").map(|words| {
            let arguments = words.iter().skip(1);
            arguments.fold(Command::new("if-shell"), Command::arg)
        });
        join(commands)
    }

    fn is_own(&self, option: &str) -> String {
        format!("#{{m:*{}*,#{{{option}}}}}", self.token)
    }

    /// Claims the server for the tap behind `socket`, where nobody has or `stale` does; answers
    /// with whose it is then.
    pub(super) fn claim(&self, socket: &Path, stale: Option<&Claim>) -> Command {
        let free = match stale {
            None => format!("#{{?#{{{OWNER}}},0,1}}"),
            Some(claim) => format!("#{{m:{}-*,#{{{OWNER}}}}}", claim.token),
        };
        let mut value = format!("{}-", self.token).into_bytes();
        value.extend_from_slice(socket.as_os_str().as_bytes());
        let mut set = format!("set-option -s {OWNER} ").into_bytes();
        set.extend(quoted(&value).unwrap_or_default());
        Command::new("if-shell").flag("-F").arg(free).arg(set).then(
            Command::new("display-message")
                .flag("-p")
                .arg(format!("C#{{{OWNER}}}")),
        )
    }

    /// Asks for all panes, and whether the hooks are there.
    pub(super) fn survey(&self, version: Version) -> Command {
        let hooks: String = Self::hooks(version)
            .map(|(hook, _)| self.is_own(&index(hook)))
            .collect();
        Command::new("list-panes")
            .flag("-a")
            .option("-F", ROW)
            .then(
                Command::new("display-message")
                    .flag("-p")
                    .arg(format!("H#{{pid}} {hooks}")),
            )
    }

    /// Takes a pane, where it has a program and no pipe: what comes through the pipe follows what
    /// is captured, since the server reads nothing in between. The capture comes first, since that
    /// fails where there is no such pane any more.
    pub(super) fn take(&self, pane: PaneId, ticket: u64, backfill: Backfill) -> Command {
        let first = match backfill {
            Backfill::None => Command::new("list-panes").target(pane).option("-F", ""),
            backfill => Screen::command(pane, backfill),
        };
        first
            .then(
                Command::new("display-message")
                    .flag("-p")
                    .target(pane)
                    .arg(ROW),
            )
            .then(
                Command::new("if-shell")
                    .flag("-F")
                    .target(pane)
                    .arg(FREE)
                    .arg(self.pipe(Some(pane), Origin::Ticket(ticket))),
            )
    }
}

fn index(hook: &str) -> String {
    format!("{hook}[{TAP_HOOK_INDEX}]")
}

fn join(commands: impl IntoIterator<Item = Command>) -> Command {
    commands
        .into_iter()
        .reduce(Command::then)
        .unwrap_or_else(|| Command::new("list-sessions"))
}

/// Appends a blank and `word` for a shell, defused for formats and `strftime`.
///
/// `##` stands for `#`, but not in front of `[`: so the quote is closed and opened in between.
fn push_word(word: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b" '");
    for &byte in word {
        match byte {
            b'\'' => out.extend_from_slice(b"'\\''"),
            b'#' => out.extend_from_slice(b"##''"),
            b'%' => out.extend_from_slice(b"%%"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

/// Who holds the tap of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) token: Token,
    pub(super) socket: std::path::PathBuf,
}

impl Claim {
    /// Reads the answer to [`Lines::claim`]; `None` where nobody holds it, or it is none of ours.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let value = line.strip_prefix(b"C")?;
        let dash = value.iter().position(|&b| b == b'-')?;
        let (token, socket) = value.split_at_checked(dash)?;
        Some(Self {
            token: Token::parse(token)?,
            socket: std::ffi::OsStr::from_bytes(socket.get(1..)?).into(),
        })
    }
}

/// One pane of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) pane: PaneId,
    /// Does it have a pipe?
    pub(super) piped: bool,
    /// Has it a program that runs?
    pub(super) runs: bool,
}

impl Row {
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let mut fields = line.strip_prefix(b"P")?.split(|&b| b == b' ');
        let pane = PaneId::parse(fields.next()?)?;
        let piped = fields.next()? == b"1";
        let dead = fields.next()? == b"1";
        let pid = fields.next()?;
        Some(Self {
            pane,
            piped,
            runs: !dead && !matches!(pid, b"" | b"0"),
        })
    }
}

/// What a survey has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) rows: Vec<Row>,
    /// The process of the server.
    pub(super) server: u32,
    /// Are all the hooks there?
    pub(super) hooked: bool,
}

impl Survey {
    /// Reads the answer to [`Lines::survey`].
    pub(super) fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let (mut rows, mut last) = (Vec::new(), None);
        for line in lines {
            rows.extend(Row::read(line));
            last = Some(line);
        }
        let last = str::from_utf8(last?.strip_prefix(b"H")?).ok()?;
        let (server, hooks) = last.split_once(' ')?;
        Some(Self {
            rows,
            server: server.parse().ok()?,
            hooked: hooks.bytes().all(|b| b == b'1'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        let helper = TapHelper::new("/odd path/it's #{x} %H;$y").arg("#[z");
        let token = Token::parse(&[b'a'; 32]).unwrap();
        Lines::new(&helper, Path::new("/run/s"), token).unwrap()
    }

    #[test]
    fn a_path_is_nothing_but_a_path_to_the_shell_and_to_formats() {
        let shell = String::from_utf8(lines().shell).unwrap();
        assert_eq!(
            shell,
            r"exec '/odd path/it'\''s ##''{x} %%H;$y' '##''[z' '/run/s'"
        );
    }

    #[test]
    fn a_helper_that_no_format_could_hold_is_refused() {
        let helper = TapHelper::new("/x").arg("y".repeat(LONGEST));
        let token = Token::parse(&[b'a'; 32]).unwrap();
        let refused = Lines::new(&helper, Path::new("/run/s"), token);
        assert!(matches!(refused, Err(TapError::HelperTooLong { .. })));
        let refused = Lines::new(&TapHelper::new("/a\0b"), Path::new("/run/s"), token);
        assert!(matches!(refused, Err(TapError::Helper(_))));
    }

    #[test]
    fn every_line_can_be_sent() {
        let lines = lines();
        let claim = Claim::read(b"Caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-/run/with-dash").unwrap();
        assert_eq!(claim.socket, Path::new("/run/with-dash"));
        let (old, new) = (Version::new(3, 2), Version::new(3, 8));
        for line in [
            lines.install(old),
            lines.install(new),
            lines.leave(new),
            lines.survey(new),
            lines.claim(Path::new("/run/s"), None),
            lines.claim(Path::new("/run/s"), Some(&claim)),
            lines.take(PaneId(3), 4, Backfill::None),
            lines.take(PaneId(3), 4, Backfill::Screen),
        ] {
            assert!(line.line().is_ok(), "{line}");
        }
        assert!(!lines.install(old).to_string().contains("pane-created"));
        assert!(lines.install(new).to_string().contains("pane-created"));
        assert_eq!(Claim::read(b"C"), None);
        assert_eq!(Claim::read(b"Csomething-else"), None);
    }

    #[test]
    fn a_survey_is_read() {
        let text = b"P%0 1 0 17\nP%1 0 1 18\nP%2 0 0 0\nP%3 0 0 \nP%4 0 0 9\nH4711 111";
        let survey = Survey::read(text.split(|&b| b == b'\n')).unwrap();
        let row = |pane, piped, runs| Row {
            pane: PaneId(pane),
            piped,
            runs,
        };
        assert_eq!(
            survey.rows,
            [
                row(0, true, true),
                row(1, false, false),
                row(2, false, false),
                row(3, false, false),
                row(4, false, true)
            ]
        );
        assert_eq!((survey.server, survey.hooked), (4711, true));
        let unhooked = Survey::read([&b"H1 101"[..]].into_iter()).unwrap();
        assert!(!unhooked.hooked);
        assert_eq!(Survey::read([&b"P%0 1 0 17"[..]].into_iter()), None);
    }
}
