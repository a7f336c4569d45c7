//! `grep`: looks for text in what panes showed.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Mutex;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::harmless;
use regex::{Regex, RegexBuilder};
use serde_json::json;

use super::list::{Found, find};
use super::render::{Line, Look, Render};
use super::walk::walk;
use super::window::Stretch;
use super::{Stop, out};
use crate::cli::Grep;
use crate::config;
use crate::select::Selector;
use crate::shown;

/// The largest a compiled expression may be, in bytes.
const REGEX_MAX: usize = 10 << 20;

/// How much is gathered before it is handed on, in bytes.
const PIECE: usize = 32 << 10;

/// How many such pieces of one pane may wait for their turn.
const PIECES: usize = 16;

/// Prints every line that matches; exit code 1 where none does, as grep's.
pub(crate) fn grep(grep: &Grep) -> Result<Exit, Failure> {
    let stretch = grep.window.stretch()?;
    let regex = RegexBuilder::new(&grep.pattern)
        .case_insensitive(grep.ignore_case)
        .size_limit(REGEX_MAX)
        .build()
        .map_err(|error| {
            Failure::new(Exit::Usage, error).advice("Write it as a regular expression of Rust's.")
        })?;
    let selectors: Vec<_> = grep
        .pane
        .iter()
        .map(|text| Selector::parse(text))
        .collect::<Result<_, _>>()?;
    let dir = config::directory(grep.dir.dir.as_deref())?;
    let mut found = find(&dir)?;
    found.retain(|one| {
        (selectors.is_empty() || selectors.iter().any(|selector| one.is_meant(selector)))
            && overlaps(one, stretch)
    });
    let search = Search {
        regex,
        stretch,
        before: grep.before.max(grep.context),
        after: grep.after.max(grep.context),
        count: grep.count,
        json: grep.json,
    };
    match search.all(&found) {
        Ok(0) => Ok(Exit::Failed),
        Ok(_) | Err(Stop::Gone) => Ok(Exit::Success),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

fn overlaps(found: &Found, stretch: Stretch) -> bool {
    let since = stretch.since.zip(found.last);
    let until = stretch.until.zip(found.first);
    since.is_none_or(|(since, last)| last >= since)
        && until.is_none_or(|(until, first)| first <= until)
}

/// What is looked for, and how it is shown.
struct Search {
    regex: Regex,
    stretch: Stretch,
    before: usize,
    after: usize,
    count: bool,
    json: bool,
}

/// What comes of one pane.
enum Came {
    Text(String),
    Done(Result<u64, Stop>),
}

impl Search {
    /// Looks through all panes, several at a time; prints in their order. How many lines matched?
    fn all(&self, found: &[Found]) -> Result<u64, Stop> {
        let (mut todo, mut done) = (VecDeque::new(), Vec::new());
        for one in found {
            let (sender, receiver) = mpsc::sync_channel(PIECES);
            todo.push_back((one, sender));
            done.push(receiver);
        }
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let todo = Mutex::new(todo);
        let next = || todo.lock().ok().and_then(|mut todo| todo.pop_front());
        thread::scope(|scope| {
            for _ in 0..workers.min(found.len()) {
                scope.spawn(|| {
                    while let Some((one, sender)) = next() {
                        let result = self.one(one, &sender);
                        // Nobody reads any more: then there is nothing to tell.
                        let _ = sender.send(Came::Done(result));
                    }
                });
            }
            let mut out = out();
            let print = || -> Result<u64, Stop> {
                let mut matched = 0;
                for receiver in done {
                    for came in receiver {
                        match came {
                            Came::Text(text) => out.write_all(text.as_bytes())?,
                            Came::Done(result) => matched += result?,
                        }
                    }
                }
                out.flush()?;
                Ok(matched)
            };
            let printed = print();
            if printed.is_err()
                && let Ok(mut todo) = todo.lock()
            {
                todo.clear();
            }
            printed
        })
    }

    /// Looks through one pane.
    fn one(&self, found: &Found, sender: &SyncSender<Came>) -> Result<u64, Stop> {
        let mut hits = Hits {
            search: self,
            found,
            sender,
            text: String::new(),
            past: VecDeque::new(),
            left: 0,
            passed: false,
            matched: 0,
        };
        let mut render = Render::of(found, self.stretch, Look::Text);
        walk(&found.segments, self.stretch, &mut |record| {
            let at = record.stamp.wall_ns;
            let Ok(entry) = record.typed() else {
                return Ok(());
            };
            let lines = render.take(at, &entry);
            lines.into_iter().try_for_each(|line| hits.take(line))
        })?;
        render
            .finish()
            .into_iter()
            .try_for_each(|line| hits.take(line))?;
        if self.count && hits.matched > 0 {
            let _ = writeln!(hits.text, "{} {}", hits.prefix(), hits.matched);
        }
        hits.hand_on()?;
        Ok(hits.matched)
    }
}

/// What was found in one pane so far.
struct Hits<'a> {
    search: &'a Search,
    found: &'a Found,
    sender: &'a SyncSender<Came>,
    text: String,
    /// Lines before, which a match would show.
    past: VecDeque<Line>,
    /// Lines that are still shown behind a match.
    left: usize,
    /// Was a line passed over since the last that was shown?
    passed: bool,
    matched: u64,
}

impl Hits<'_> {
    fn take(&mut self, line: Line) -> Result<(), Stop> {
        if !self.search.stretch.has(line.at) {
            return Ok(());
        }
        if self.search.regex.is_match(&line.text) {
            let context = self.search.before + self.search.after > 0;
            if context && self.passed && self.matched > 0 && !self.search.count {
                self.text.push_str("--\n");
            }
            self.matched += 1;
            for past in std::mem::take(&mut self.past) {
                self.show(&past, false);
            }
            self.show(&line, true);
            self.left = self.search.after;
            self.passed = false;
        } else if self.left > 0 {
            self.left -= 1;
            self.show(&line, false);
        } else {
            self.past.push_back(line);
            if self.past.len() > self.search.before {
                self.past.pop_front();
                self.passed = true;
            }
        }
        if self.text.len() >= PIECE {
            self.hand_on()?;
        }
        Ok(())
    }

    fn show(&mut self, line: &Line, matched: bool) {
        if self.search.count {
            return;
        }
        // A string takes whatever is written to it.
        let _ = if self.search.json {
            let place = self.found.place.as_ref();
            let value = json!({
                "v": 1,
                "pane": format!("%{}", self.found.pane),
                "session": place.map(|place| &place.session),
                "unit": self.found.unit,
                "socket": self.found.socket,
                "at": shown::rfc3339(line.at),
                "text": line.text,
                "match": matched,
                "alternate": line.alternate,
            });
            writeln!(self.text, "{value}")
        } else {
            let mark = if matched { ':' } else { '-' };
            let at = shown::local(line.at);
            writeln!(
                self.text,
                "{} {at}{mark} {}",
                self.prefix(),
                harmless(&line.text)
            )
        };
    }

    fn prefix(&self) -> String {
        format!("%{} {}", self.found.pane, self.found.session())
    }

    fn hand_on(&mut self) -> Result<(), Stop> {
        if self.text.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        self.sender.send(Came::Text(text)).map_err(|_| Stop::Gone)
    }
}
