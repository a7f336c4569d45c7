//! What a program says of its own command line: completions for shells, and man pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::exit::{Exit, Failure};
use crate::stdout::print;

/// For which shell.
#[derive(Debug, Clone, Copy, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Where man pages go.
#[derive(Debug, Clone, Args)]
pub struct Man {
    /// Write the page of every verb into that directory too, made if it is not there [default: the
    /// page of the program, to standard output].
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

impl Completions {
    /// Prints what the shell is to read.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader that has gone is none.
    pub fn print(&self, mut command: Command) -> Result<(), Failure> {
        let name = command.get_name().to_owned();
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut text);
        print(&text)
    }
}

impl Man {
    /// Prints the page of a program, or writes all of them.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn print(&self, mut command: Command) -> Result<(), Failure> {
        command.build();
        match &self.output {
            None => print(&page(&command)?),
            Some(dir) => {
                fs::create_dir_all(dir).map_err(|error| unwritten(dir, &error))?;
                write_pages(dir, &command)
            }
        }
    }
}

/// The pages of a command and of all verbs under it, as `NAME-VERB.1`.
fn write_pages(dir: &Path, command: &Command) -> Result<(), Failure> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let file = dir.join(format!("{name}.1"));
    fs::write(&file, page(command)?).map_err(|error| unwritten(&file, &error))?;
    let verbs = command.get_subcommands();
    let verbs = verbs.filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    for verb in verbs {
        write_pages(dir, verb)?;
    }
    Ok(())
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    Ok(page)
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("{}: {error}", path.display()))
        .advice("Name a directory that you may write to.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn command() -> Command {
        let inner = Command::new("ls")
            .about("List them")
            .arg(Arg::new("json").long("json"));
        Command::new("prog")
            .about("A program")
            .subcommand(inner)
            .subcommand(Command::new("secret").hide(true))
    }

    #[test]
    fn every_verb_that_is_shown_has_a_page() {
        let dir = tempfile::tempdir().unwrap();
        let pages = dir.path().join("new");
        Man {
            output: Some(pages.clone()),
        }
        .print(command())
        .unwrap();
        let found = fs::read_dir(pages).unwrap();
        let mut found: Vec<_> = found
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, ["prog-ls.1", "prog.1"]);
    }

    #[test]
    fn a_page_that_cannot_be_written_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let output = Some(file.path().join("x"));
        let failure = Man { output }.print(command()).unwrap_err();
        assert_eq!(failure.exit(), Exit::Failed);
    }

    #[test]
    fn a_page_tells_of_its_arguments() {
        let mut command = command();
        command.build();
        let ls = command.find_subcommand("ls").unwrap();
        let text = String::from_utf8(page(ls).unwrap()).unwrap();
        assert!(
            text.contains("json") && text.contains("List them"),
            "{text}"
        );
    }
}
