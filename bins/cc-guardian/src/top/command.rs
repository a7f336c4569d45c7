//! What can be said in words behind `:`. The keys say the same.

/// One thing to do, mostly to the unit that is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Attach {
        read_only: bool,
    },
    Peek,
    Logs,
    Restart,
    Stop,
    /// Without text: it is asked for.
    Send(Option<String>),
    /// Without an answer: it is asked for.
    Answer(Option<String>),
    Describe,
    Explain,
    Filter(String),
    Help,
    Quit,
}

/// What is wrong with a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    #[error("no command is called {0}: see ?")]
    Unknown(String),
    #[error("{0} may mean {1}")]
    Ambiguous(String, String),
    #[error("{0} takes nothing behind it")]
    Surplus(&'static str),
}

/// The words, with what they do; the help shows the same.
pub(super) const WORDS: [(&str, &str); 14] = [
    ("attach", "go to the pane; attach -r only watches"),
    ("peek", "show the pane beside the list"),
    ("logs", "what the pane printed"),
    ("restart", "restart the unit"),
    ("stop", "stop the unit"),
    ("send", "type a text into the pane and submit it"),
    (
        "answer",
        "answer the open dialog: yes, no, a number or a text",
    ),
    ("yes", "answer yes"),
    ("no", "answer no"),
    ("describe", "all that is known of the unit"),
    ("explain", "why it is believed to be in its state"),
    ("filter", "show only some units"),
    ("help", "the keys and commands"),
    ("quit", "leave"),
];

impl Command {
    /// Reads a command; the beginning of its word will do where no other begins so. None for a blank
    /// line.
    pub(super) fn parse(line: &str) -> Result<Option<Self>, CommandError> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        if word.is_empty() {
            return Ok(None);
        }
        let word = full(word)?;
        let alone = |command| {
            if rest.is_empty() {
                Ok(command)
            } else {
                Err(CommandError::Surplus(word))
            }
        };
        let command = match word {
            "attach" if rest == "-r" => Self::Attach { read_only: true },
            "attach" => alone(Self::Attach { read_only: false })?,
            "peek" => alone(Self::Peek)?,
            "logs" => alone(Self::Logs)?,
            "restart" => alone(Self::Restart)?,
            "stop" => alone(Self::Stop)?,
            "send" => Self::Send(Some(rest.to_owned()).filter(|text| !text.is_empty())),
            "answer" => Self::Answer(Some(rest.to_owned()).filter(|text| !text.is_empty())),
            "describe" => alone(Self::Describe)?,
            "explain" => alone(Self::Explain)?,
            "filter" => Self::Filter(rest.to_owned()),
            "help" => alone(Self::Help)?,
            "quit" => alone(Self::Quit)?,
            answer => alone(Self::Answer(Some(answer.to_owned())))?,
        };
        Ok(Some(command))
    }
}

/// The word that is meant.
fn full(word: &str) -> Result<&'static str, CommandError> {
    let begun: Vec<_> = WORDS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| name.starts_with(word))
        .collect();
    match begun.as_slice() {
        [] => Err(CommandError::Unknown(word.to_owned())),
        [name] => Ok(name),
        several => several
            .iter()
            .find(|name| **name == word)
            .copied()
            .ok_or_else(|| CommandError::Ambiguous(word.to_owned(), several.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_what_they_say() {
        let table = [
            ("attach", Command::Attach { read_only: false }),
            ("attach -r", Command::Attach { read_only: true }),
            ("  res  ", Command::Restart),
            ("q", Command::Quit),
            ("send  two words ", Command::Send(Some("two words".into()))),
            ("send", Command::Send(None)),
            ("answer 2", Command::Answer(Some("2".into()))),
            ("answer", Command::Answer(None)),
            ("yes", Command::Answer(Some("yes".into()))),
            ("no", Command::Answer(Some("no".into()))),
            ("filter state:idle", Command::Filter("state:idle".into())),
            ("filter", Command::Filter(String::new())),
        ];
        for (line, command) in table {
            assert_eq!(Command::parse(line), Ok(Some(command)), "{line}");
        }
        assert_eq!(Command::parse("  "), Ok(None));
    }

    #[test]
    fn every_word_is_a_command() {
        for (word, _) in WORDS {
            assert!(Command::parse(word).unwrap().is_some(), "{word}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let ambiguous = CommandError::Ambiguous("s".into(), "stop, send".into());
        assert_eq!(Command::parse("s"), Err(ambiguous));
        assert_eq!(
            Command::parse("fly"),
            Err(CommandError::Unknown("fly".into()))
        );
        assert_eq!(
            Command::parse("stop w@1"),
            Err(CommandError::Surplus("stop"))
        );
    }
}
