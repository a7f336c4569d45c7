//! `export`: the log of a pane for other programs: recordings, a page, text.

mod cast;
mod html;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::Entry;
use cc_kit::journal::note::{Note, Size};

use super::list::{Found, find};
use super::render::{Look, Render, Utf8};
use super::said::said;
use super::walk::walk;
use super::window::Stretch;
use super::{Stop, ended, only, out};
use crate::cli::Export;
use crate::config;
use cast::{Cast, Version};
use html::Html;

/// What an export is about.
pub(super) struct About {
    pub(super) size: Size,
    /// Wall time of the beginning, nanoseconds since 1970.
    pub(super) began: i64,
    pub(super) title: String,
}

/// Writes the log of one pane.
pub(crate) fn export(export: &Export) -> Result<(), Failure> {
    let stretch = export.window.stretch()?;
    let dir = config::directory(export.dir.dir.as_deref())?;
    let found = only(&export.selector, find(&dir)?)?;
    let Some(path) = &export.output else {
        return ended(write(export, &found, stretch, &mut out()));
    };
    let unusable = |error: io::Error| {
        Failure::new(Exit::Failed, error)
            .advice("Name a file that is not there yet, where there is room.")
    };
    // What is there is not overwritten: it may be the only copy of another log.
    let file = File::options()
        .write(true)
        .create_new(true)
        // As the log itself: its owner's alone.
        .mode(0o600)
        .open(path)
        .map_err(unusable)?;
    let written = write(export, &found, stretch, &mut BufWriter::new(file));
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    ended(written)
}

fn write(
    export: &Export,
    found: &Found,
    stretch: Stretch,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    let form = export.form;
    if form.txt {
        text(found, stretch, out)?;
    } else if form.html {
        page(found, stretch, out)?;
    } else {
        let version = if form.cast2 { Version::V2 } else { Version::V3 };
        cast(found, stretch, version, out)?;
    }
    Ok(out.flush()?)
}

/// The size and the moment at the beginning of the stretch.
fn about(found: &Found, stretch: Stretch) -> Result<About, Stop> {
    let mut about = About {
        size: Size { cols: 80, rows: 24 },
        began: found.first.unwrap_or(0),
        title: format!("%{} {} {}", found.pane, found.session(), found.window()),
    };
    let mut begun = false;
    walk(&found.segments, stretch, &mut |record| {
        if begun {
            return Ok(());
        }
        if let Ok(Entry::Note(Note::Resize(size))) = record.typed() {
            about.size = size;
        } else if stretch.has(record.stamp.wall_ns)
            && matches!(record.typed(), Ok(Entry::Output(_)))
        {
            about.began = record.stamp.wall_ns;
            begun = true;
        }
        Ok(())
    })?;
    Ok(about)
}

/// Time since the beginning, on the clock that does not jump; over a boot it goes on where it was.
#[derive(Default)]
struct Passed {
    before: Option<u64>,
    passed: Duration,
}

impl Passed {
    fn at(&mut self, monotonic: u64) -> Duration {
        if let Some(before) = self.before {
            self.passed += Duration::from_nanos(monotonic.saturating_sub(before));
        }
        self.before = Some(monotonic);
        self.passed
    }
}

fn cast(
    found: &Found,
    stretch: Stretch,
    version: Version,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    let about = about(found, stretch)?;
    let mut cast = Cast::begin(out, version, &about)?;
    let mut passed = Passed::default();
    let mut utf8 = Utf8::default();
    let mut size = about.size;
    walk(&found.segments, stretch, &mut |record| {
        if !stretch.has(record.stamp.wall_ns) {
            return Ok(());
        }
        let Ok(entry) = record.typed() else {
            return Ok(());
        };
        let at = match &entry {
            Entry::Output(_) => passed.at(record.stamp.monotonic_ns),
            // What comes before the first output happened at its moment.
            _ if passed.before.is_none() => Duration::ZERO,
            _ => passed.at(record.stamp.monotonic_ns),
        };
        match entry {
            Entry::Output(bytes) => cast.output(at, &utf8.decode(bytes))?,
            Entry::Note(Note::Resize(new)) if new != size => {
                size = new;
                cast.resize(at, new)?;
            }
            Entry::Note(Note::Marker(marker)) => cast.marker(at, &marker.text)?,
            Entry::Note(Note::Exit(exit)) => cast.exit(at, exit.status)?,
            Entry::Note(note @ Note::Gap(_)) => {
                utf8 = Utf8::default();
                if let Some(said) = said(&note) {
                    cast.marker(at, &said)?;
                }
            }
            _ => {}
        }
        Ok(())
    })
}

fn page(found: &Found, stretch: Stretch, out: &mut dyn Write) -> Result<(), Stop> {
    let about = about(found, stretch)?;
    let mut page = Html::begin(out, &about)?;
    lines(found, stretch, Look::Ansi, &mut |line| match line {
        Shown::Line { text, alternate } => Ok(page.line(text, alternate)?),
        Shown::Said { at, text } => Ok(page.said(at, text)?),
    })?;
    Ok(page.end()?)
}

fn text(found: &Found, stretch: Stretch, out: &mut dyn Write) -> Result<(), Stop> {
    lines(found, stretch, Look::Text, &mut |line| {
        if let Shown::Line { text, .. } = line {
            writeln!(out, "{}", cc_kit::printable::harmless(text))?;
        }
        Ok(())
    })
}

/// What a page or a text is made of.
enum Shown<'a> {
    Line { text: &'a str, alternate: bool },
    Said { at: i64, text: &'a str },
}

fn lines(
    found: &Found,
    stretch: Stretch,
    look: Look,
    each: &mut dyn FnMut(Shown<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut render = Render::of(found, stretch, look);
    let show = |each: &mut dyn FnMut(Shown<'_>) -> Result<(), Stop>, lines| {
        let lines: Vec<super::render::Line> = lines;
        lines
            .iter()
            .filter(|line| stretch.has(line.at))
            .try_for_each(|line| {
                let (text, alternate) = (&*line.text, line.alternate);
                each(Shown::Line { text, alternate })
            })
    };
    walk(&found.segments, stretch, &mut |record| {
        let at = record.stamp.wall_ns;
        match record.typed() {
            Ok(Entry::Output(bytes)) => show(each, render.output(at, bytes)),
            Ok(Entry::Note(note)) => {
                match &note {
                    Note::Resize(size) => show(each, render.resize(at, *size))?,
                    Note::Gap(_) | Note::End(_) | Note::Exit(_) => show(each, render.gap())?,
                    _ => {}
                }
                match said(&note).filter(|_| stretch.has(at)) {
                    Some(text) => each(Shown::Said { at, text: &text }),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    })?;
    show(each, render.finish())
}
