//! What is sent: one command line.

use std::fmt;

use memchr::memchr;

use super::error::CommandError;
use super::quirks::Quirks;
use super::target::Target;
use crate::wire::{Version, check_line, quote};

/// One line for tmux: a command with its arguments, or several joined by [`then`](Self::then).
///
/// Arguments are bytes and are quoted as they are added, so they reach tmux's command as they are;
/// formats (`-F`), shell strings and key names have a meaning of their own behind that. What cannot
/// be sent (a NUL byte, an interactive command) is remembered and refused when it is sent.
///
/// ```
/// # use tmux_cc::protocol::Command;
/// let list = Command::new("list-panes").flag("-a").option("-F", "#{pane_id}");
/// assert_eq!(list.to_string(), "list-panes -a -F '#{pane_id}'");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    line: Vec<u8>,
    arguments: usize,
    refused: Option<CommandError>,
    raw: bool,
    needs: Option<Needs>,
}

/// What only some servers know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Needs {
    what: &'static str,
    since: Version,
}

/// Commands that wait for a key: a control client cannot press one, and its queue stays frozen.
///
/// **Source:** tmux `cmd-confirm-before.c`, `cmd-command-prompt.c`, `cmd-display-menu.c`.
///
/// ```
/// use tmux_cc::protocol::Interactive;
///
/// assert!(Interactive::named(b"confirm-before").is_some());
/// assert!(Interactive::named(b"list-panes").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interactive {
    /// The whole name.
    pub name: &'static str,
    /// Its alias, or the name again where it has none.
    pub alias: &'static str,
    /// The shortest abbreviation that tmux takes for it.
    shortest: usize,
}

impl Interactive {
    const ALL: [Self; 3] = [
        Self {
            name: "confirm-before",
            alias: "confirm",
            shortest: 3,
        },
        Self {
            name: "command-prompt",
            alias: "command-prompt",
            shortest: 3,
        },
        Self {
            name: "display-menu",
            alias: "menu",
            shortest: 11,
        },
    ];

    /// The interactive command that `word` names, in full, abbreviated or by alias.
    #[must_use]
    pub fn named(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|command| {
            word == command.alias.as_bytes()
                || (word.len() >= command.shortest && command.name.as_bytes().starts_with(word))
        })
    }
}

/// What tmux may put inside a command's own block, where only a reply should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// Nothing.
    Nothing,
    /// `%pause` and `%continue`: `refresh-client -A` up to 3.7c.
    Flow,
    /// `%message`: `display-message` without `-p` to the client itself, from 3.4.
    Message,
}

impl Command {
    /// A command by its name, such as `list-panes`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let refused = match Interactive::named(name.as_bytes()) {
            Some(Interactive { name, .. }) => Some(CommandError::Interactive { name }),
            None => (!is_name).then_some(CommandError::Name),
        };
        Self {
            line: name.as_bytes().to_vec(),
            arguments: 0,
            refused,
            raw: false,
            needs: None,
        }
    }

    /// A whole line in tmux's own syntax, as a user would type it: `a ; b`, comments, blocks.
    ///
    /// It is sent as it stands. An empty line would detach the client and one with a newline would
    /// be two: both are refused.
    #[must_use]
    pub fn raw(line: impl AsRef<[u8]>) -> Self {
        let line = line.as_ref();
        let refused = match check_line(line) {
            Err(error) => Some(error.into()),
            Ok(()) => names(line)
                .iter()
                .find_map(|name| Interactive::named(name))
                .map(|command| CommandError::Interactive { name: command.name }),
        };
        Self {
            line: line.to_vec(),
            arguments: 0,
            refused,
            raw: true,
            needs: None,
        }
    }

    /// Adds a flag, such as `-a`.
    #[must_use]
    pub fn flag(self, flag: &str) -> Self {
        self.arg(flag)
    }

    /// Adds a flag and its value, such as `-F FORMAT`.
    #[must_use]
    pub fn option(self, flag: &str, value: impl AsRef<[u8]>) -> Self {
        self.arg(flag).arg(value)
    }

    /// Adds one argument, quoted so that it arrives byte for byte.
    #[must_use]
    pub fn arg(mut self, value: impl AsRef<[u8]>) -> Self {
        self.arguments += 1;
        self.line.push(b' ');
        if let Err(source) = quote(value.as_ref(), &mut self.line) {
            let position = self.arguments;
            self.refused
                .get_or_insert(CommandError::Argument { position, source });
        }
        self
    }

    /// Adds `-t` and a pane, window or session, by id or by exact name.
    #[must_use]
    pub fn target(self, target: impl Into<Target>) -> Self {
        let target = target.into();
        self.aimed(&target, target.word())
    }

    /// Adds `-t` and a place in a session: an index or a window, or nothing for any that is free.
    pub(super) fn place(self, session: &Target, place: &str) -> Self {
        let mut word = session.word();
        if !word.ends_with(b":") {
            word.push(b':');
        }
        word.extend_from_slice(place.as_bytes());
        self.aimed(session, word)
    }

    fn aimed(self, target: &Target, word: Vec<u8>) -> Self {
        let command = self.option("-t", word);
        match target.unfit() {
            Some(reason) => command.unfit("the name of a session", reason),
            None => command,
        }
    }

    /// Says that the command uses what came with tmux `since`, such as `capture-pane -T` with 3.4.
    ///
    /// A connection to an older server refuses it before a byte is sent. Of several it is the
    /// newest that counts.
    #[must_use]
    pub fn needs(mut self, what: &'static str, since: Version) -> Self {
        self.needs = newest(self.needs, Some(Needs { what, since }));
        self
    }

    /// Refuses the command for a value that tmux would take for something else.
    pub(super) fn unfit(mut self, what: &'static str, reason: &'static str) -> Self {
        self.refused
            .get_or_insert(CommandError::Unfit { what, reason });
        self
    }

    /// Puts another command behind this one on the same line: it runs only if this one succeeds.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.line.extend_from_slice(b" ; ");
        self.line.extend_from_slice(&next.line);
        self.refused = self.refused.or(next.refused);
        self.raw |= next.raw;
        self.needs = newest(self.needs, next.needs);
        self
    }

    /// Puts the line of another command in as one argument, as `if-shell` takes it.
    pub(super) fn nested(mut self, inner: Self) -> Self {
        self.refused = self.refused.or(inner.refused);
        self.needs = newest(self.needs, inner.needs);
        self.arg(inner.line)
    }

    /// Can such a server run it? One of unknown version can.
    ///
    /// # Errors
    /// [`CommandError::TooOld`].
    pub(super) fn check(&self, quirks: Quirks) -> Result<(), CommandError> {
        match (self.needs, quirks.version()) {
            (Some(Needs { what, since }), Some(server)) if !server.at_least(since) => {
                Err(CommandError::TooOld {
                    what,
                    since,
                    server,
                })
            }
            _ => Ok(()),
        }
    }

    /// The line as it is sent, without its newline, or why it cannot be sent.
    ///
    /// # Errors
    /// What [`CommandError`] names, but [`Full`](CommandError::Full) and
    /// [`Ended`](CommandError::Ended): these only a connection knows.
    pub fn line(&self) -> Result<&[u8], CommandError> {
        match &self.refused {
            Some(error) => Err(error.clone()),
            None => Ok(&self.line),
        }
    }

    /// How many commands the line names, so how many blocks tmux owes if all succeed; an alias or
    /// a sourced file makes it more.
    pub(super) fn commands(&self) -> usize {
        names(&self.line).len()
    }

    /// What tmux may put inside this command's own block.
    pub(super) fn inside(&self) -> Inside {
        let names = names(&self.line);
        // A flag may stand with others, and with its value.
        let flags = || {
            self.line
                .split(|&b| b == b' ')
                .filter(|w| w.first() == Some(&b'-'))
        };
        let has = |flag: u8| flags().any(|word| word.contains(&flag));
        let refreshes = |name: &Vec<u8>| names_command(name, b"refresh-client", b"refresh", 3);
        match &names[..] {
            [name] if names_command(name, b"display-message", b"display", 10) && !has(b'p') => {
                Inside::Message
            }
            // Which block is whose is not known, but none of these prints anything itself.
            [_, ..] if has(b'A') && names.iter().all(refreshes) => Inside::Flow,
            _ => Inside::Nothing,
        }
    }
}

fn newest(one: Option<Needs>, other: Option<Needs>) -> Option<Needs> {
    match (one, other) {
        (Some(one), Some(other)) if other.since > one.since => Some(other),
        (one, other) => one.or(other),
    }
}

/// Does `word` name the command, in full, abbreviated to `shortest` bytes or by its alias?
fn names_command(word: &[u8], name: &[u8], alias: &[u8], shortest: usize) -> bool {
    word == alias || (word.len() >= shortest && name.starts_with(word))
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.line))
    }
}

/// The name of each command on a line, without its quotes; of those in a `{}` block none.
///
/// It follows tmux's lexer (`cmd-parse.y`) as far as finding where commands begin needs: quotes,
/// escapes, `{}` blocks, comments and `NAME=value`, which is no command.
fn names(line: &[u8]) -> Vec<Vec<u8>> {
    let (mut names, mut named, mut depth, mut rest) = (Vec::new(), false, 0usize, line);
    while let Some((&first, behind)) = rest.split_first() {
        match first {
            b' ' | b'\t' => {}
            b'#' => break,
            b';' => named &= depth > 0,
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {
                let (word, behind) = cut_word(rest);
                if !named && !is_assignment(&word) {
                    names.push(word);
                    named = true;
                }
                rest = behind;
                continue;
            }
        }
        rest = behind;
    }
    names
}

/// The word at the start of `rest` as tmux reads it, and what follows it. A quote that is left
/// open ends with the line, as it does for tmux.
fn cut_word(mut rest: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut word, mut quote) = (Vec::new(), None);
    while let Some((&byte, mut behind)) = rest.split_first() {
        match (quote, byte) {
            (None, b' ' | b'\t' | b';' | b'}') => break,
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if byte == open => quote = None,
            (None | Some(b'"'), b'\\') => {
                let escaped;
                (escaped, behind) = cut_escape(behind);
                word.push(escaped);
            }
            _ => word.push(byte),
        }
        rest = behind;
    }
    // The string of a word ends at a NUL.
    let end = memchr(0, &word).unwrap_or(word.len());
    word.truncate(end);
    (word, rest)
}

/// The byte that an escape stands for, behind its backslash, and what follows it. What no name of
/// a command can hold (`\n`, `\u`) comes out as something else that it cannot hold.
fn cut_escape(rest: &[u8]) -> (u8, &[u8]) {
    let digit = |byte: u8| byte - b'0';
    match *rest {
        [
            a @ b'0'..=b'3',
            b @ b'0'..=b'7',
            c @ b'0'..=b'7',
            ref rest @ ..,
        ] => (digit(a) << 6 | digit(b) << 3 | digit(c), rest),
        [
            b'a' | b'b' | b'e' | b'f' | b'n' | b'r' | b's' | b't' | b'v' | b'u' | b'U',
            ref rest @ ..,
        ] => (b' ', rest),
        [byte, ref rest @ ..] => (byte, rest),
        [] => (b' ', rest),
    }
}

/// `NAME=value` at the start of a command sets a variable of the server and is no command.
fn is_assignment(word: &[u8]) -> bool {
    word.iter().position(|&b| b == b'=').is_some_and(|at| {
        at > 0
            && !word.first().is_some_and(u8::is_ascii_digit)
            && word
                .iter()
                .take(at)
                .all(|&b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::PaneId;

    fn names_of(line: &str) -> Vec<String> {
        names(line.as_bytes())
            .into_iter()
            .map(|name| String::from_utf8(name).unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_built_quoted() {
        let command = Command::new("set-option")
            .flag("-g")
            .option("@x", "a b;")
            .arg("it's");
        assert_eq!(command.line().unwrap(), b"set-option -g @x 'a b;' \"it's\"");
        let command = Command::new("kill-pane").target(PaneId(7));
        assert_eq!(command.line().unwrap(), b"kill-pane -t '%7'");
        let both = Command::new("a").then(Command::new("b").flag("-x"));
        assert_eq!(both.line().unwrap(), b"a ; b -x");
        assert_eq!(both.commands(), 2);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_reason() {
        let nul = Command::new("set-option").flag("-g").arg("@x").arg("a\0b");
        assert!(matches!(
            nul.line(),
            Err(CommandError::Argument { position: 3, .. })
        ));
        for name in ["", "List", "a b", "-x", "a;b", "new\n"] {
            assert_eq!(
                Command::new(name).line(),
                Err(CommandError::Name),
                "{name:?}"
            );
        }
        for line in ["", "   ", "a\nb", "a\0b"] {
            assert!(
                matches!(Command::raw(line).line(), Err(CommandError::Line(_))),
                "{line:?}"
            );
        }
        let joined = Command::new("list-panes").then(Command::new("set-option").arg("\0"));
        assert!(joined.line().is_err());
    }

    #[test]
    fn what_an_older_server_lacks_is_refused() {
        let on = |text: &str| Quirks::of(Version::parse(text.as_bytes()).unwrap());
        let old = Command::new("a").needs("a -x", Version::new(3, 3));
        let new = Command::new("b").needs("b -y", Version::new(3, 6));
        for command in [
            old.clone().then(new.clone()),
            new.clone().then(old.clone()),
            old.clone().nested(new.clone()),
        ] {
            assert_eq!(command.check(on("3.6")), Ok(()));
            assert_eq!(command.check(on("next-3.8")), Ok(()));
            let error = command.check(on("3.5a")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "b -y came with tmux 3.6; the server is 3.5a"
            );
        }
        assert_eq!(old.check(on("3.3a")), Ok(()));
        assert_eq!(new.check(Quirks::default()), Ok(()));
    }

    #[test]
    fn interactive_commands_are_refused_by_any_name() {
        for line in [
            "confirm-before kill-server",
            "confirm -p x y",
            "command-prompt",
            "comm",
            "menu",
            "display-men -x 0",
            "list-panes ; command-prompt",
            "A=b confirm-before x",
            "\"A\"=b confirm-before x",
            "'confirm-before' x",
            "\"confirm\"-before x",
            "\"com",
            "c\\onfirm x",
            "\\143onfirm x",
            "confirm\\000 x",
            "list-panes x{ ; confirm x",
        ] {
            let refused = Command::raw(line);
            assert!(
                matches!(refused.line(), Err(CommandError::Interactive { .. })),
                "{line:?}"
            );
        }
        assert!(Command::new("command-prompt").line().is_err());
        for line in [
            "display-message -p menu",
            "set -g @x 'a ; menu'",
            "display-m x",
            "copy-mode",
        ] {
            assert!(Command::raw(line).line().is_ok(), "{line:?}");
        }
    }

    #[test]
    fn the_names_on_a_line() {
        for (line, expected) in [
            ("a", &["a"][..]),
            ("a ; b;c;", &["a", "b", "c"]),
            ("a 'x ; y' \"z ; \\\" ;\" ; b", &["a", "b"]),
            ("a x\\; y ; b", &["a", "b"]),
            ("if-shell -F 1 { a ; b } ; c", &["if-shell", "c"]),
            ("# nothing", &[]),
            ("a # ; b", &["a"]),
            ("a x#y ; b", &["a", "b"]),
            ("a x{ ; b", &["a", "b"]),
            ("a { { b } ; c } ; d", &["a", "d"]),
            ("a''b\"c\"'d e'\\f\\\\\\061", &["abcd e \\1"]),
            ("A=b", &[]),
            ("A=b c", &["c"]),
            ("  ", &[]),
            ("a 'open ; b", &["a"]),
            ("a \\", &["a"]),
        ] {
            assert_eq!(names_of(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_may_stand_inside_a_block() {
        for (line, inside) in [
            ("refresh-client -A '%0:pause'", Inside::Flow),
            ("refresh -A '%0:pause'", Inside::Flow),
            ("refresh-client -A'%0:pause'", Inside::Flow),
            (
                "refresh-client -A '%0:pause' ; refresh -A '%1:pause'",
                Inside::Flow,
            ),
            (
                "refresh-client -A '%0:pause' ; show-buffer",
                Inside::Nothing,
            ),
            ("ref -t c -A '%0:pause'", Inside::Flow),
            ("refresh-client -B x", Inside::Nothing),
            (
                "capture-pane -p ; refresh-client -A '%0:pause'",
                Inside::Nothing,
            ),
            ("display-message hello", Inside::Message),
            ("display hello", Inside::Message),
            ("display-message -p hello", Inside::Nothing),
            ("display-message -pt %0 hello", Inside::Nothing),
            ("capture-pane -p", Inside::Nothing),
        ] {
            assert_eq!(Command::raw(line).inside(), inside, "{line:?}");
        }
    }
}
