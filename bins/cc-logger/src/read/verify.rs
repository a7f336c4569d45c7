//! `verify`: is every record whole, does every byte join the one before, and what is missing?

use std::fmt::Write as _;
use std::path::Path;

use cc_kit::exit::{Exit, Failure, chain};
use cc_kit::journal::note::{Lost, Note};
use cc_kit::journal::{Entry, Kind, Position, ReadError, Reader, Tail, live_writer, panes};
use cc_kit::printable::printable;
use cc_kit::stdout::print;
use serde_json::{Value, json};

use super::list::Found;
use crate::cli::Verify;
use crate::config;
use crate::select::Selector;

/// What was found in one pane's log.
#[derive(Debug, Default)]
struct Report {
    segments: u64,
    records: u64,
    bytes: u64,
    gaps: u64,
    lost: u64,
    uncounted: u64,
    redacted: u64,
    /// The monotonic clock went back within one boot.
    clock_back: u64,
    /// What is wrong.
    faults: Vec<String>,
}

/// Looks at every record; exit code 7 where something is wrong.
pub(crate) fn verify(verify: &Verify) -> Result<Exit, Failure> {
    let dir = config::directory(verify.dir.dir.as_deref())?;
    let selector = verify
        .selector
        .as_deref()
        .map(Selector::parse)
        .transpose()?;
    let listing = panes(&dir)?;
    let live = live_writer(&dir).ok().flatten().is_some();
    let mut sound = listing.unreadable.is_empty();
    for error in listing.unreadable {
        let _ = Failure::from(error).report();
    }
    let mut text = String::new();
    let mut rows = Vec::new();
    for log in listing.panes {
        let found = Found::new(log, live);
        if selector
            .as_ref()
            .is_some_and(|selector| !found.is_meant(selector))
        {
            continue;
        }
        let report = Report::of(&found, live);
        sound &= report.faults.is_empty();
        if verify.json {
            rows.push(report.json(&found));
        } else {
            report.tell(&found, &mut text);
        }
    }
    if verify.json {
        text = format!("{}\n", json!({"v": 1, "sound": sound, "panes": rows}));
    }
    print(&text)?;
    Ok(if sound { Exit::Success } else { Exit::Store })
}

impl Report {
    fn of(found: &Found, live: bool) -> Self {
        let mut report = Self::default();
        let mut at: Option<Position> = None;
        let mut clock: Option<(Option<String>, u64)> = None;
        let last = found.segments.len().saturating_sub(1);
        for (index, path) in found.segments.iter().enumerate() {
            // The newest segment of a running writer may for a moment end in the midst of a record.
            let open = live && index == last;
            if let Err(error) = report.segment(path, open, &mut at, &mut clock) {
                report.faults.push(chain(&error));
            }
        }
        report
    }

    fn segment(
        &mut self,
        path: &Path,
        open: bool,
        at: &mut Option<Position>,
        clock: &mut Option<(Option<String>, u64)>,
    ) -> Result<(), ReadError> {
        self.segments += 1;
        let name = path.display().to_string();
        let mut reader = Reader::open(path)?;
        while let Some(record) = reader.next_record()? {
            self.records += 1;
            self.position(&record.position, record.kind, at, &name, record.at);
            *at = Some(record.end());
            match record.typed() {
                Ok(Entry::Output(bytes)) => self.bytes += bytes.len() as u64,
                Ok(Entry::Note(Note::Gap(gap))) => {
                    self.gaps += 1;
                    match gap.lost {
                        Lost::Known(bytes) => self.lost += bytes,
                        Lost::Unknown => self.uncounted += 1,
                    }
                }
                Ok(Entry::Note(Note::Redacted(_))) => self.redacted += 1,
                Ok(Entry::Note(Note::Start(start))) => {
                    // Another boot has another clock.
                    if clock
                        .as_ref()
                        .is_some_and(|(boot, _)| *boot != start.boot_id)
                    {
                        *clock = None;
                    }
                    let begun = clock.as_ref().map_or(0, |(_, at)| *at);
                    *clock = Some((start.boot_id, begun));
                }
                Ok(_) => {}
                Err(error) => self.faults.push(format!("{name}: {error}")),
            }
            if let Some((_, before)) = clock {
                // Output has the time of its first byte, so a note about its last may come "before".
                self.clock_back += u64::from(record.stamp.monotonic_ns < *before);
                *before = (*before).max(record.stamp.monotonic_ns);
            }
        }
        match reader.tail() {
            Some(Tail::Torn { at, bytes }) if !open => {
                self.faults.push(format!(
                    "{name}: {bytes} bytes from byte {at} on are no record"
                ));
            }
            _ => {}
        }
        Ok(())
    }

    /// Does a record join the one before?
    fn position(
        &mut self,
        position: &Position,
        kind: Kind,
        at: &Option<Position>,
        name: &str,
        byte: u64,
    ) {
        let Some(before) = at else {
            return;
        };
        let joins = position == before;
        // An epoch begins with a gap, or where a writer began again.
        let begins = position.epoch > before.epoch
            && position.offset == 0
            && (kind == Kind::GAP || kind == Kind::START);
        if !joins && !begins {
            self.faults.push(format!(
                "{name}: the record at byte {byte} stands at {}:{} and not at {}:{}",
                position.epoch, position.offset, before.epoch, before.offset
            ));
        }
    }

    fn json(&self, found: &Found) -> Value {
        json!({
            "pane": format!("%{}", found.pane),
            "socket": found.socket,
            "segments": self.segments,
            "records": self.records,
            "bytes": self.bytes,
            "gaps": self.gaps,
            "gap_bytes": self.lost,
            "gaps_of_unknown_size": self.uncounted,
            "redacted": self.redacted,
            "clock_back": self.clock_back,
            "faults": self.faults,
        })
    }

    fn tell(&self, found: &Found, text: &mut String) {
        let verdict = if self.faults.is_empty() {
            "sound"
        } else {
            "DAMAGED"
        };
        let _ = writeln!(
            text,
            "{}: {verdict}: {} bytes in {} records of {} segments; {} gaps ({} bytes, {} of unknown \
             size); {} secrets taken out",
            found.name(),
            self.bytes,
            self.records,
            self.segments,
            self.gaps,
            self.lost,
            self.uncounted,
            self.redacted,
        );
        for fault in &self.faults {
            let _ = writeln!(text, "  {}", printable(fault.as_bytes()));
        }
    }
}
