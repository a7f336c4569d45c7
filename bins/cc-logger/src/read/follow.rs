//! `follow`: what panes print from now on, as it comes; like `tail -F` over all of them.
//!
//! It reads the files, so it needs no daemon and no permission but that to read; new panes and new
//! segments are picked up.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use cc_kit::exit::Failure;
use cc_kit::journal::note::Note;
use cc_kit::journal::{Entry, Reader, Stored, panes};
use cc_kit::printable::harmless;

use super::list::Found;
use super::render::Utf8;
use super::said::said;
use super::{Stop, ended, out};
use crate::cli::Follow;
use crate::config;
use crate::select::Selector;

/// How often is looked: as often as the logger writes.
const OFTEN: Duration = Duration::from_millis(100);

/// How often is looked for new panes.
const LOOKS: u32 = 10;

/// Prints until it is interrupted.
pub(crate) fn follow(follow: &Follow) -> Result<(), Failure> {
    let dir = config::directory(follow.dir.dir.as_deref())?;
    let selector = Selector::parse(&follow.selector)?;
    // A directory that is not there is a mistake, not something to be waited for.
    panes(&dir)?;
    let mut tails = Tails {
        raw: follow.raw,
        tails: HashMap::new(),
        spoke: None,
        first: true,
        lines: follow.lines,
    };
    let mut out = out();
    let mut turn = 0_u32;
    loop {
        if turn.is_multiple_of(LOOKS) {
            tails.look(&dir, &selector)?;
        }
        turn = turn.wrapping_add(1);
        match tails.print(&mut out) {
            Ok(()) => {}
            stopped => return ended(stopped),
        }
        thread::sleep(OFTEN);
    }
}

/// What is followed.
struct Tails {
    raw: bool,
    tails: HashMap<PathBuf, Tail>,
    /// Of which pane the last line was.
    spoke: Option<PathBuf>,
    /// Is this the first look? What was there before it is not printed.
    first: bool,
    /// How many lines of before.
    lines: usize,
}

/// The end of one pane's log.
struct Tail {
    name: String,
    /// The segment that is read, and how far.
    segment: PathBuf,
    at: u64,
    utf8: Utf8,
    /// The last line, as long as it is open.
    open: String,
}

impl Tails {
    fn look(&mut self, dir: &Path, selector: &Selector) -> Result<(), Failure> {
        for log in panes(dir)?.panes {
            let directory = log.directory.clone();
            let Some(newest) = log.segments.last().cloned() else {
                continue;
            };
            if self.tails.contains_key(&directory) {
                continue;
            }
            let found = Found::new(log, true);
            if !found.is_meant(selector) {
                continue;
            }
            let at = if self.first {
                end_of(&newest, self.lines)
            } else {
                0
            };
            let segment = if self.first {
                newest
            } else {
                found.segments.first().cloned().unwrap_or(newest)
            };
            let name = format!("%{} {} {}", found.pane, found.session(), found.window());
            let tail = Tail {
                name,
                segment,
                at,
                utf8: Utf8::default(),
                open: String::new(),
            };
            self.tails.insert(directory, tail);
        }
        self.first = false;
        Ok(())
    }

    fn print(&mut self, out: &mut impl Write) -> Result<(), Stop> {
        let mut directories: Vec<_> = self.tails.keys().cloned().collect();
        directories.sort();
        let several = directories.len() > 1;
        for directory in directories {
            let Some(tail) = self.tails.get_mut(&directory) else {
                continue;
            };
            let (raw, said) = tail.read()?;
            if raw.is_empty() && said.is_empty() {
                continue;
            }
            if several && !self.raw && self.spoke.as_ref() != Some(&directory) {
                writeln!(out, "==> {} <==", tail.name)?;
                self.spoke = Some(directory.clone());
            }
            if self.raw {
                out.write_all(&raw)?;
            } else {
                let mut text = tail.utf8.decode(&raw);
                text.insert_str(0, &std::mem::take(&mut tail.open));
                let (whole, open) = match text.rfind('\n') {
                    Some(at) => text.split_at(at + 1),
                    None => ("", text.as_str()),
                };
                for line in whole.lines() {
                    writeln!(out, "{}", harmless(&plain(line)))?;
                }
                tail.open = open.to_owned();
                // A prompt has no end of line, and is worth seeing.
                if tail.open.len() > 64 << 10 {
                    writeln!(out, "{}", harmless(&plain(&std::mem::take(&mut tail.open))))?;
                }
                for said in said {
                    writeln!(out, "--- {said} ---")?;
                }
            }
        }
        Ok(out.flush()?)
    }
}

impl Tail {
    /// What has come since: output, and what else there is to say.
    fn read(&mut self) -> Result<(Vec<u8>, Vec<String>), Stop> {
        let (mut raw, mut notes) = (Vec::new(), Vec::new());
        loop {
            let Some(mut reader) = self.reader()? else {
                // Deleted, as retention does: what comes behind it is still worth reading.
                if let Some(next) = next(&self.segment) {
                    self.segment = next;
                    self.at = 0;
                    continue;
                }
                return Ok((raw, notes));
            };
            while let Some(record) = reader.next_record()? {
                match record.typed() {
                    Ok(Entry::Output(bytes)) => raw.extend_from_slice(bytes),
                    Ok(Entry::Note(note)) if !matches!(note, Note::Moved(_)) => {
                        notes.extend(said(&note));
                    }
                    _ => {}
                }
            }
            self.at = reader.position();
            let Some(next) = next(&self.segment) else {
                return Ok((raw, notes));
            };
            // The one before may have got its last records since.
            let Some(mut reader) = self.reader()? else {
                return Ok((raw, notes));
            };
            if reader.next_record()?.is_none() {
                self.segment = next;
                self.at = 0;
            }
        }
    }

    fn reader(&self) -> Result<Option<Reader<Stored>>, Stop> {
        let mut reader = match Reader::open(&self.segment) {
            Ok(reader) => reader,
            Err(cc_kit::journal::ReadError::Open { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if self.at > reader.position() && !reader.go_to(self.at)? {
            return Ok(None);
        }
        Ok(Some(reader))
    }
}

/// The segment behind one, if it is there.
fn next(segment: &Path) -> Option<PathBuf> {
    let name = segment.file_name()?.to_str()?;
    let number: u64 = name.split_once('.')?.0.parse().ok()?;
    ["ccj", "ccj.zst"]
        .map(|extension| segment.with_file_name(format!("{:08}.{extension}", number + 1)))
        .into_iter()
        .find(|path| path.exists())
}

/// Where to begin so that about the last lines are printed: at the end, or at a record before it.
fn end_of(segment: &Path, lines: usize) -> u64 {
    let Ok(mut reader) = Reader::open(segment) else {
        return 0;
    };
    let mut begins = std::collections::VecDeque::new();
    let mut held = 0;
    while let Ok(Some(record)) = reader.next_record() {
        let is_output = matches!(record.typed(), Ok(Entry::Output(_)));
        let here = memchr::memchr_iter(b'\n', &record.payload).count();
        if !is_output {
            continue;
        }
        begins.push_back((record.at, here));
        held += here;
        while let Some((_, first)) = begins.front()
            && held - first >= lines
        {
            held -= first;
            begins.pop_front();
        }
    }
    match begins.front() {
        Some((at, _)) if lines > 0 => *at,
        _ => reader.position(),
    }
}

/// A line without what moves the cursor or colours: what follows is a stream, and no screen.
fn plain(line: &str) -> String {
    let mut text = Plain(String::new());
    vte::Parser::new().advance(&mut text, line.as_bytes());
    text.0
}

struct Plain(String);

impl vte::Perform for Plain {
    fn print(&mut self, shown: char) {
        self.0.push(shown);
    }

    fn execute(&mut self, byte: u8) {
        if byte == b'\t' {
            self.0.push_str("    ");
        }
    }
}
