//! `cat`: the log of a pane.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::Path;

use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::note::{Cause, End, Gap, Lost, Note};
use cc_kit::journal::{Entry, Reader, Tail};
use cc_kit::printable::printable;
use thiserror::Error;

use crate::cli::Cat;
use crate::list::{Found, find};
use crate::select::Selector;
use crate::shown;

#[derive(Debug, Error)]
enum CatError {
    #[error("no log of {0:?} is kept here")]
    NoMatch(String),
    #[error("{selector:?} means {} logs: {}", names.len(), names.join(" "))]
    Ambiguous {
        selector: String,
        names: Vec<String>,
    },
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
}

/// Prints what was logged of the pane that is meant.
pub(crate) fn cat(cat: &Cat) -> Result<(), Failure> {
    let selector = Selector::parse(&cat.selector)?;
    let found = choose(&selector, cat, find(&cat.dir)?)?;
    let mut out = Out {
        to: BufWriter::with_capacity(64 << 10, io::stdout().lock()),
        raw: cat.raw,
        parser: vte::Parser::new(),
        text: Text::default(),
    };
    let several = found.len() > 1;
    for found in &found {
        let printed = out.head(found, several).and_then(|()| {
            found
                .segments
                .iter()
                .try_for_each(|segment| out.segment(segment))
        });
        match printed {
            Err(Stop::Gone) => return Ok(()),
            Err(Stop::Failed(failure)) => return Err(failure),
            Ok(()) => {}
        }
    }
    match out.finish() {
        Err(Stop::Failed(failure)) => Err(failure),
        Ok(()) | Err(Stop::Gone) => Ok(()),
    }
}

/// Of several lives of one server the latest is meant; of several servers, only what was named.
fn choose(selector: &Selector, cat: &Cat, found: Vec<Found>) -> Result<Vec<Found>, Failure> {
    let mut found: Vec<_> = found
        .into_iter()
        .filter(|found| selector.matches(found))
        .collect();
    if found.is_empty() {
        return Err(
            Failure::new(Exit::Unknown, CatError::NoMatch(cat.selector.clone()))
                .advice("See `cc-logger ls` for what there is."),
        );
    }
    let before = found.len();
    // Oldest first, so the last of a socket is its latest life.
    let latest = |found: &[Found], one: &Found| {
        found
            .iter()
            .filter(|other| other.socket == one.socket && other.pane == one.pane)
            .filter_map(|other| other.server.as_ref())
            .map(|server| (server.start_time, server.pid))
            .max()
    };
    let all = found.clone();
    found.retain(|one| {
        one.server
            .as_ref()
            .map(|server| (server.start_time, server.pid))
            == latest(&all, one)
    });
    if found.len() < before {
        let voice = shown::Voice { silent: false };
        voice.say(match before - found.len() {
            1 => "the log of an earlier life of the server is left out".to_owned(),
            older => format!("{older} logs of earlier lives of the server are left out"),
        });
    }
    let sockets: std::collections::BTreeSet<_> = found.iter().map(|found| &found.socket).collect();
    if (cat.raw && found.len() > 1) || sockets.len() > 1 {
        let names = found.iter().map(Found::name).collect();
        let selector = cat.selector.clone();
        return Err(
            Failure::new(Exit::Usage, CatError::Ambiguous { selector, names })
                .advice("Name one of them."),
        );
    }
    Ok(found)
}

/// Why printing ends early.
enum Stop {
    /// Who read has gone: that is no failure.
    Gone,
    Failed(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Gone;
        }
        Self::Failed(
            Failure::new(Exit::Failed, CatError::Output(error))
                .advice("Check where standard output goes."),
        )
    }
}

/// Prints records.
struct Out<'a> {
    to: BufWriter<StdoutLock<'a>>,
    raw: bool,
    parser: vte::Parser,
    text: Text,
}

/// Text without what moves the cursor, colours or sets titles.
#[derive(Debug, Default)]
struct Text {
    bytes: Vec<u8>,
    /// Is the last line still open?
    open: bool,
}

impl Text {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.open = !text.ends_with('\n');
    }
}

impl vte::Perform for Text {
    fn print(&mut self, shown: char) {
        let mut buffer = [0; 4];
        let shown = shown.encode_utf8(&mut buffer);
        // What a terminal would not draw, such as a change of direction, is shown as an escape.
        match &*printable(shown.as_bytes()).to_string() {
            "\\\\" => self.push(shown),
            safe => self.push(safe),
        }
    }

    fn execute(&mut self, byte: u8) {
        // A carriage return would let a line hide what stood in it before.
        match byte {
            b'\n' => self.push("\n"),
            b'\t' => self.push("\t"),
            _ => {}
        }
    }
}

impl Out<'_> {
    /// Whose log follows, where there are several.
    fn head(&mut self, found: &Found, several: bool) -> Result<(), Stop> {
        if several {
            let Found { pane, .. } = found;
            self.line(&format!(
                "==> %{pane} {} {} <==",
                found.session(),
                found.window()
            ))?;
        }
        Ok(())
    }

    fn segment(&mut self, path: &Path) -> Result<(), Stop> {
        let failed = |error| Stop::Failed(Failure::from(error));
        let mut reader = Reader::open(path).map_err(failed)?;
        while let Some(record) = reader.next_record().map_err(failed)? {
            let at = record.stamp.wall_ns;
            match record.typed() {
                Ok(Entry::Output(bytes)) if self.raw => self.to.write_all(bytes)?,
                Ok(Entry::Output(bytes)) => {
                    self.parser.advance(&mut self.text, bytes);
                    self.to.write_all(&self.text.bytes)?;
                    self.text.bytes.clear();
                }
                Ok(Entry::Note(note)) => {
                    if let Some(said) = said(&note) {
                        self.aside(&format!("--- {said} ({}) ---", shown::local(at)))?;
                    }
                }
                // Written by a later version; it is kept, and means nothing here.
                Ok(_) => {}
                Err(error) => self.aside(&format!("--- {error} ---"))?,
            }
        }
        if let Some(Tail::Torn { bytes, .. }) = reader.tail() {
            // Of a log that is being written, the last record may be on its way.
            tracing::info!(bytes, path = %path.display(), "the end of a segment is no record");
        }
        Ok(())
    }

    /// Says what is not output: between the lines of text, beside the bytes.
    fn aside(&mut self, said: &str) -> Result<(), Stop> {
        if self.raw {
            self.to.flush()?;
            let _ = writeln!(io::stderr().lock(), "{said}");
            return Ok(());
        }
        self.line(said)
    }

    fn line(&mut self, said: &str) -> Result<(), Stop> {
        if std::mem::take(&mut self.text.open) {
            self.to.write_all(b"\n")?;
        }
        writeln!(self.to, "{said}")?;
        // An escape that was cut off must not swallow what comes behind the cut.
        self.parser = vte::Parser::new();
        Ok(())
    }

    fn finish(mut self) -> Result<(), Stop> {
        Ok(self.to.flush()?)
    }
}

/// A note in words, where it is one that a reader should see.
fn said(note: &Note) -> Option<String> {
    match note {
        Note::Gap(Gap { cause, lost }) => {
            let lost = match lost {
                Lost::Known(bytes) => format!("{bytes} bytes"),
                Lost::Unknown => "an unknown number of bytes".to_owned(),
            };
            Some(format!("gap: {lost} missing, {}", why(*cause)))
        }
        Note::End(End::PaneGone) => Some("the pane is gone".to_owned()),
        Note::End(End::ServerGone { reason }) => {
            let reason = printable(reason.as_deref().unwrap_or("no reason").as_bytes());
            Some(format!("the server is gone: {reason}"))
        }
        Note::End(End::Stopped) => Some("the logger was stopped".to_owned()),
        _ => None,
    }
}

const fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::FirstSight => "from before the log began",
        Cause::Pause => "the logger was too slow",
        Cause::Overflow => "the logger's memory was full",
        Cause::Reconnect => "the connection to the server broke",
        Cause::ServerRestart => "the server was restarted",
        Cause::DeadTail => "the last output of a pane that ends may not reach us",
        Cause::SourceChange => "the pane was moved",
        Cause::NotRunning => "no logger was running",
        Cause::TornTail => "the log was cut off while it was written",
        Cause::WriteFailed => "the log could not be written",
        _ => "for a reason that this version does not know",
    }
}
