//! What runs in a pane.

use crate::protocol::Command;

/// What a new or respawned pane runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Program {
    /// What tmux runs by itself: the user's shell, or again what ran before.
    #[default]
    Own,
    /// One string for the user's shell.
    Shell(Vec<u8>),
    /// A program and its arguments, without a shell.
    Words(Vec<Vec<u8>>),
}

impl Program {
    pub(super) fn words<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(|word| word.as_ref().to_vec());
        Self::Words(words.collect())
    }

    /// Puts it behind a command's flags.
    ///
    /// tmux gives one word to a shell and executes several as they are. A single word becomes
    /// several therefore: a shell that has the program's name as its argument, not in its script.
    ///
    /// **Source:** tmux `spawn.c`, `spawn_pane`.
    pub(super) fn add_to(&self, command: Command) -> Command {
        match self {
            Self::Own => command,
            Self::Shell(line) if line.is_empty() => command.unfit("the shell command", "is empty"),
            Self::Shell(line) => command.flag("--").arg(line),
            Self::Words(words) => match words.as_slice() {
                [] => command.unfit("the program", "has no name"),
                [name, ..] if name.is_empty() => command.unfit("the program", "has no name"),
                [name] if name.starts_with(b"-") => {
                    command.unfit("the program", "begins with a hyphen")
                }
                [name] => {
                    let command = command.flag("--").arg("/bin/sh").flag("-c");
                    command.arg("exec \"$0\"").arg(name)
                }
                words => words.iter().fold(command.flag("--"), Command::arg),
            },
        }
    }
}

/// Adds `-e NAME=VALUE`.
pub(super) fn variable(command: Command, name: &str, value: &[u8]) -> Command {
    let pair = [name.as_bytes(), b"=", value].concat();
    let command = command.option("-e", pair);
    if name.is_empty() || name.contains('=') {
        command.unfit("the name of a variable", "is empty or holds a `=`")
    } else {
        command
    }
}

/// The methods that all commands share which make a pane.
macro_rules! pane_methods {
    () => {
        /// Runs a line of the user's shell (`default-shell`), as `sh -c` does.
        pub fn shell(mut self, line: impl AsRef<[u8]>) -> Self {
            self.program = Program::Shell(line.as_ref().to_vec());
            self
        }

        /// Runs a program with its arguments as they are, without quoting them for a shell.
        pub fn program<W: AsRef<[u8]>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
            self.program = Program::words(words);
            self
        }

        /// In that directory. A path that is not absolute counts from where the tmux client was
        /// started.
        pub fn directory(mut self, path: impl AsRef<[u8]>) -> Self {
            self.command = self.command.literal("-c", path);
            self
        }

        /// In the directory that a format gives, such as `#{pane_current_path}`.
        pub fn directory_format(mut self, format: impl AsRef<[u8]>) -> Self {
            self.command = self.command.option("-c", format);
            self
        }

        /// With a variable in its environment.
        pub fn environment(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
            self.command = variable(self.command, name, value.as_ref());
            self
        }
    };
}
pub(super) use pane_methods;

/// Declares a command that ends in a program, and what reads its answer.
macro_rules! with_program {
    ($name:ident -> $answer:ty, $read:path) => {
        impl From<$name> for $crate::protocol::Command {
            fn from(built: $name) -> Self {
                $crate::protocol::commands::Run::command(&built)
            }
        }

        impl $crate::protocol::commands::Run for $name {
            type Answer = $answer;

            fn command(&self) -> $crate::protocol::Command {
                self.program.add_to(self.command.clone())
            }

            fn answer(
                &self,
                reply: $crate::protocol::Reply,
            ) -> Result<$answer, $crate::protocol::commands::AnswerError> {
                $read(reply)
            }
        }
    };
}
pub(super) use with_program;
