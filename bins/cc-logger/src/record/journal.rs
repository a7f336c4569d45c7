//! One pane's journal: what the decider asks for, redacted and written, whatever the disk does.

mod disk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cc_kit::journal::note::{self, Bell, Gap, Lost, Note, Osc, Size, Start, Title};
use cc_kit::journal::{Position, Stamp, Writer};
use cc_kit::redact::{Hit, Redactor, Rules};
use tmux_cc::client::{PaneBytes, Screen};

use super::desk::Desk;
use super::live::{PaneName, What};
use super::syncing::Number;
use crate::facts::{Facts, News};
use disk::retire;

/// How much of one pane may stay in memory, in bytes.
const FLUSH_BYTES: u64 = 1 << 20;

/// How long a pane must be quiet for what was held back, since a secret might begin there, to be let
/// out. With the time between two looks it is less than 200 ms.
const QUIET: Duration = Duration::from_millis(120);

/// One pane's journal.
#[derive(Debug)]
pub(super) struct Journal {
    number: Number,
    home: Home,
    start: Start,
    name: Arc<PaneName>,
    size: Option<Size>,
    redactor: Option<Redactor>,
    /// By which rules; new ones are taken over when the pane is in the middle of nothing.
    rules: Option<Arc<Rules>>,
    /// When something came last, while something is held back.
    held_since: Option<Instant>,
    facts: Facts,
    /// What was heard and is not noted yet.
    news: News,
    /// Was the pane logged before, so that it was not watched in between?
    again: bool,
    /// Wall time at which the segment began.
    began: i64,
    unsynced: bool,
    syncing: bool,
    /// Does it end since we stop, so that the next run goes on in its segment?
    stopped: bool,
    scratch: Vec<u8>,
}

/// Where the records go.
#[derive(Debug)]
enum Home {
    /// Into a segment.
    Segment(Writer),
    /// Nowhere: the disk does not take them. What came since is counted.
    Nowhere {
        lost: u64,
        retry: Instant,
        /// The segment that did not take it, if it can be gone on in.
        writer: Option<Writer>,
    },
}

impl Journal {
    /// Opens a pane's journal; where that fails it is tried again.
    pub(super) fn open(
        number: Number,
        mut start: Start,
        size: Option<Size>,
        stamp: Stamp,
        desk: &Desk,
    ) -> Self {
        desk.clean(&mut start.place);
        let mut journal = Self {
            number,
            home: Home::Nowhere {
                lost: 0,
                retry: Instant::now(),
                writer: None,
            },
            name: Arc::new(name_of(&start)),
            start,
            size,
            redactor: desk.settings.rules.clone().map(Redactor::new),
            rules: desk.settings.rules.clone(),
            held_since: None,
            facts: Facts::default(),
            news: News::default(),
            again: false,
            began: stamp.wall_ns,
            unsynced: false,
            syncing: false,
            stopped: false,
            scratch: Vec::new(),
        };
        journal.settle(stamp, desk);
        journal
    }

    /// The pane's number.
    pub(super) const fn name(&self) -> &Arc<PaneName> {
        &self.name
    }

    /// Bytes in memory.
    pub(super) fn pending(&self) -> u64 {
        match &self.home {
            Home::Segment(writer) => writer.pending().bytes,
            Home::Nowhere { .. } => 0,
        }
    }

    /// What the pane printed.
    pub(super) fn output(&mut self, data: PaneBytes<'_>, stamp: Stamp, desk: &Desk) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let raw = match data {
            PaneBytes::Raw(raw) => raw,
            data => {
                // A backslash that is none of tmux's stays as it is.
                let _ = data.decode_into(&mut scratch);
                &scratch
            }
        };
        desk.counters.bytes.add(raw.len() as u64);
        let news = self.facts.hear(raw);
        self.heard(news, desk);
        self.write(raw, stamp, desk, false);
        scratch.shrink_to(64 << 10);
        self.scratch = scratch;
        if self.pending() >= FLUSH_BYTES {
            self.flush(desk);
        }
    }

    fn heard(&mut self, mut news: News, desk: &Desk) {
        if news.is_empty() {
            return;
        }
        // A title can hold a secret as well as any other text.
        if let Some(title) = &mut news.title {
            *title = desk.cleaned(title);
        }
        for (_, text) in &mut news.oscs {
            *text = desk.cleaned(text);
        }
        if desk.speaker.is_heard() {
            desk.speaker.say(&self.name, What::News(news.clone()));
        }
        self.news.add(news);
    }

    /// Puts bytes through the redactor and into the segment; `all`: holds nothing back.
    fn write(&mut self, raw: &[u8], stamp: Stamp, desk: &Desk, all: bool) {
        let writer = match &mut self.home {
            Home::Segment(writer) => writer,
            Home::Nowhere { lost, .. } => {
                *lost += raw.len() as u64;
                return;
            }
        };
        let at = writer.position();
        let is_heard = desk.speaker.is_heard();
        let mut said = None;
        let mut hits: Vec<Note> = Vec::new();
        let redactor = &mut self.redactor;
        writer.output(at, stamp, |out| {
            let before = out.len();
            match redactor {
                None => out.extend_from_slice(raw),
                Some(redactor) => {
                    let mut hit = |hit: &Hit| {
                        desk.counters.redacted(&hit.rule);
                        hits.push(Note::Redacted(note::Redacted {
                            rule: hit.rule.to_string(),
                            removed: hit.removed,
                            put: hit.put,
                        }));
                    };
                    redactor.push(raw, out, &mut hit);
                    if all {
                        redactor.flush(out, &mut hit);
                    }
                }
            }
            if is_heard {
                let kept = out.get(before..).unwrap_or_default();
                said = Some(Bytes::copy_from_slice(kept)).filter(|kept| !kept.is_empty());
            }
        });
        for hit in hits {
            say(writer, stamp, &hit);
        }
        if let Some(said) = said {
            desk.speaker.say(&self.name, What::Output(said));
        }
        let holds = self.redactor.as_ref().is_some_and(|r| r.held() > 0);
        self.held_since = holds.then(Instant::now);
    }

    /// Lets out what is held back: what comes now does not follow it.
    fn release(&mut self, stamp: Stamp, desk: &Desk) {
        if self.redactor.is_some() {
            self.write(b"", stamp, desk, true);
        }
    }

    /// Bytes are missing here, and what comes now stands in an epoch of its own.
    pub(super) fn gap(&mut self, mut gap: Gap, screen: Option<&Screen>, stamp: Stamp, desk: &Desk) {
        self.release(stamp, desk);
        self.facts.start_anew();
        self.take_rules(desk);
        if gap.cause == note::Cause::FirstSight && std::mem::take(&mut self.again) {
            gap.cause = note::Cause::NotRunning;
        }
        desk.counters.gaps.add(1);
        if let Lost::Known(bytes) = gap.lost {
            desk.counters.gap_bytes.add(bytes);
        }
        let screen = screen.map(|screen| self.screen(screen, desk));
        if let Home::Segment(writer) = &mut self.home {
            begin_epoch(writer, stamp, &Note::Gap(gap.clone()));
            if let Some(screen) = screen {
                say(writer, stamp, &Note::Screen(Box::new(screen)));
            }
        }
        desk.speaker.say(&self.name, What::Gap(gap));
    }

    fn screen(&self, screen: &Screen, desk: &Desk) -> note::Screen {
        let mut text = screen.visible.clone();
        if let Some(rules) = desk.settings.rules.clone() {
            let mut redactor = Redactor::new(rules);
            let mut out = Vec::new();
            redactor.push(&text, &mut out, &mut |hit| {
                desk.counters.redacted(&hit.rule)
            });
            redactor.flush(&mut out, &mut |hit| desk.counters.redacted(&hit.rule));
            text = out;
        }
        let lines = text.strip_suffix(b"\n").unwrap_or(&text);
        note::Screen {
            size: Size {
                cols: screen.size.0,
                rows: screen.size.1,
            },
            cursor: screen.cursor,
            alternate: screen.normal.is_some(),
            lines: lines.split(|&b| b == b'\n').map(note::label).collect(),
        }
    }

    /// Appends a note.
    pub(super) fn note(&mut self, mut note: Note, stamp: Stamp, desk: &Desk) {
        self.noted(stamp);
        match &mut note {
            Note::Moved(place) => {
                desk.clean(place);
                self.start.place.clone_from(place);
                self.name = Arc::new(name_of(&self.start));
            }
            Note::Resize(size) => self.size = Some(*size),
            Note::Source(change) => self.start.source = change.source,
            Note::Marker(marker) => marker.text = desk.cleaned(&marker.text),
            Note::End(end) => {
                self.stopped = *end == note::End::Stopped;
                self.release(stamp, desk);
            }
            _ => {}
        }
        if let Home::Segment(writer) = &mut self.home {
            say(writer, stamp, &note);
        }
    }

    /// Another unit runs in it, which a Start says.
    pub(super) fn unit(
        &mut self,
        mut place: note::Place,
        unit: Option<String>,
        stamp: Stamp,
        desk: &Desk,
    ) {
        desk.clean(&mut place);
        self.start.place = place;
        self.start.unit = unit;
        self.name = Arc::new(name_of(&self.start));
        let start = Note::Start(Box::new(self.start.clone()));
        if let Home::Segment(writer) = &mut self.home {
            // In the midst of a segment a Start always begins an epoch.
            begin_epoch(writer, stamp, &start);
        }
    }

    /// Notes what was heard since.
    fn noted(&mut self, stamp: Stamp) {
        if self.news.is_empty() {
            return;
        }
        let news = std::mem::take(&mut self.news);
        let Home::Segment(writer) = &mut self.home else {
            return;
        };
        if let Some(title) = news.title {
            say(writer, stamp, &Note::Title(Title { title }));
        }
        if news.bells > 0 {
            say(writer, stamp, &Note::Bell(Bell { times: news.bells }));
        }
        for (code, text) in news.oscs {
            say(writer, stamp, &Note::Osc(Osc { code, text }));
        }
    }

    /// What is due: looked at every tenth of a second, and every twentieth while something is held.
    pub(super) fn tick(&mut self, stamp: Stamp, desk: &Desk) {
        if self
            .held_since
            .is_some_and(|since| since.elapsed() >= QUIET)
        {
            self.release(stamp, desk);
        }
        self.renew(desk);
        self.noted(stamp);
        self.settle(stamp, desk);
        self.flush(desk);
        if let Home::Segment(writer) = &self.home
            && self.unsynced_or_output(writer)
            && desk.settings.rotation.is_due(
                writer.size(),
                self.began,
                stamp.wall_ns,
                &desk.settings.zone,
            )
        {
            self.rotate(stamp, desk);
        }
    }

    /// Goes by the rules of now, from a new beginning.
    fn take_rules(&mut self, desk: &Desk) {
        self.rules.clone_from(&desk.settings.rules);
        self.redactor = self.rules.clone().map(Redactor::new);
    }

    /// Takes over new rules, if there are any and the pane is in the middle of nothing.
    pub(super) fn renew(&mut self, desk: &Desk) {
        if self.has_old_rules(desk) && self.redactor.as_ref().is_none_or(Redactor::is_idle) {
            self.take_rules(desk);
        }
    }

    fn has_old_rules(&self, desk: &Desk) -> bool {
        match (&self.rules, &desk.settings.rules) {
            (Some(mine), Some(now)) => !Arc::ptr_eq(mine, now),
            (None, None) => false,
            _ => true,
        }
    }

    /// Did anything come since the segment began, so that another one is worth it?
    fn unsynced_or_output(&self, writer: &Writer) -> bool {
        self.unsynced || writer.size() > 1_024
    }

    /// Is something held back?
    pub(super) const fn holds(&self) -> bool {
        self.held_since.is_some()
    }

    /// Nothing more comes.
    pub(super) fn close(mut self, desk: &Desk) {
        let stamp = Stamp::now();
        self.release(stamp, desk);
        self.noted(stamp);
        if let Home::Nowhere { retry, .. } = &mut self.home {
            // The last chance to say what is missing.
            *retry = Instant::now();
            self.settle(stamp, desk);
        }
        self.flush(desk);
        desk.speaker.say(&self.name, What::Closed);
        let pack = !self.stopped;
        match self.home {
            Home::Segment(writer)
            | Home::Nowhere {
                writer: Some(writer),
                ..
            } => retire(self.number, writer, pack, desk),
            Home::Nowhere { .. } => {}
        }
    }
}

fn name_of(start: &Start) -> PaneName {
    PaneName {
        server: start.server.clone(),
        pane: start.pane,
        unit: start.unit.clone(),
        place: start.place.clone(),
    }
}

/// Appends a note where the writer stands.
fn say(writer: &mut Writer, stamp: Stamp, note: &Note) {
    // Texts are cut to size, so none is too long.
    if let Err(error) = writer.note(writer.position(), stamp, note) {
        tracing::warn!(%error, "a note was not taken");
    }
}

/// Appends a note with which an epoch begins.
fn begin_epoch(writer: &mut Writer, stamp: Stamp, note: &Note) {
    let position = Position {
        epoch: writer.position().epoch.saturating_add(1),
        offset: 0,
    };
    if let Err(error) = writer.note(position, stamp, note) {
        tracing::warn!(%error, "a note was not taken");
    }
}
