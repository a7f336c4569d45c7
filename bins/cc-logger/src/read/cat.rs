//! `cat`: the log of a pane.

use std::io::{self, BufWriter, StdoutLock, Write};

use cc_kit::exit::Failure;
use cc_kit::journal::note::Note;
use cc_kit::journal::{Entry, Record};
use cc_kit::printable::harmless;

use super::list::{Found, find};
use super::render::{Line, Look, Render};
use super::said::said;
use super::walk::walk;
use super::window::Stretch;
use super::{Stop, ambiguous, choose, ended, out};
use crate::cli::Cat;
use crate::config;
use crate::shown;

/// Prints what was logged of the pane that is meant.
pub(crate) fn cat(cat: &Cat) -> Result<(), Failure> {
    let stretch = cat.window.stretch()?;
    let dir = config::directory(cat.dir.dir.as_deref())?;
    let found = choose(&cat.selector, find(&dir)?)?;
    let sockets: std::collections::BTreeSet<_> = found.iter().map(|found| &found.socket).collect();
    if (cat.raw && found.len() > 1) || sockets.len() > 1 {
        return Err(ambiguous(&cat.selector, &found));
    }
    let mut out = out();
    let several = found.len() > 1;
    let printed = found.iter().try_for_each(|found| {
        if several {
            head(&mut out, found)?;
        }
        let look = if cat.ansi { Look::Ansi } else { Look::Text };
        if cat.raw {
            raw(&mut out, found, stretch)
        } else {
            rendered(&mut out, found, stretch, look)
        }
    });
    ended(printed.and_then(|()| Ok(out.flush()?)))
}

/// Whose log follows.
fn head(out: &mut impl Write, found: &Found) -> Result<(), Stop> {
    let Found { pane, .. } = found;
    writeln!(
        out,
        "==> %{pane} {} {} <==",
        found.session(),
        found.window()
    )?;
    Ok(())
}

/// The bytes as the pane printed them; what else there is goes to standard error.
fn raw(
    out: &mut BufWriter<StdoutLock<'static>>,
    found: &Found,
    stretch: Stretch,
) -> Result<(), Stop> {
    walk(&found.segments, stretch, &mut |record| {
        if !stretch.has(record.stamp.wall_ns) {
            return Ok(());
        }
        match record.typed() {
            Ok(Entry::Output(bytes)) => out.write_all(bytes)?,
            Ok(Entry::Note(note)) => {
                if let Some(aside) = aside(&note, record) {
                    out.flush()?;
                    let _ = writeln!(io::stderr().lock(), "{aside}");
                }
            }
            // Written by a later version; it is kept, and means nothing here.
            Ok(_) => {}
            Err(error) => {
                let _ = writeln!(io::stderr().lock(), "--- {error} ---");
            }
        }
        Ok(())
    })
}

fn aside(note: &Note, record: &Record<'_>) -> Option<String> {
    let said = said(note)?;
    Some(format!(
        "--- {said} ({}) ---",
        shown::local(record.stamp.wall_ns)
    ))
}

/// What the pane showed, line by line.
fn rendered(out: &mut impl Write, found: &Found, stretch: Stretch, look: Look) -> Result<(), Stop> {
    let mut render = Render::of(found, stretch, look);
    let print = |out: &mut dyn Write, lines: Vec<Line>| -> Result<(), Stop> {
        for line in lines {
            if stretch.has(line.at) {
                print_line(out, &line, look)?;
            }
        }
        Ok(())
    };
    walk(&found.segments, stretch, &mut |record| {
        let at = record.stamp.wall_ns;
        match record.typed() {
            Ok(Entry::Output(bytes)) => print(out, render.output(at, bytes))?,
            Ok(Entry::Note(note)) => {
                match &note {
                    Note::Resize(size) => print(out, render.resize(at, *size))?,
                    Note::Gap(_) => print(out, render.gap())?,
                    _ => {}
                }
                if let Some(aside) = aside(&note, record).filter(|_| stretch.has(at)) {
                    if matches!(note, Note::End(_) | Note::Exit(_)) {
                        print(out, render.gap())?;
                    }
                    writeln!(out, "{aside}")?;
                }
            }
            Ok(_) => {}
            Err(error) => writeln!(out, "--- {error} ---")?,
        }
        Ok(())
    })?;
    print(out, render.finish())
}

/// Prints a line so that a terminal only ever draws it.
pub(crate) fn print_line(out: &mut dyn Write, line: &Line, look: Look) -> Result<(), Stop> {
    match look {
        Look::Text => writeln!(out, "{}", harmless(&line.text))?,
        // The escape sequences in it are our own; what else could do harm is shown.
        Look::Ansi => {
            let mut first = true;
            for part in line.text.split('\x1b') {
                if first {
                    write!(out, "{}", harmless(part))?;
                } else {
                    write!(out, "\x1b{}", harmless(part))?;
                }
                first = false;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}
