//! `play`: a log as it came, at its pace or another.

use std::io::{IsTerminal as _, Write};
use std::thread;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::Entry;
use cc_kit::journal::note::Note;

use super::list::find;
use super::render::{Look, Render};
use super::walk::walk;
use super::{Stop, ended, only, out};
use crate::cli::Play;
use crate::config;

/// Plays the log of one pane on this terminal.
///
/// What is written to the terminal is drawn by an emulator first, so nothing in a log can do more to it
/// than show text and colours.
pub(crate) fn play(play: &Play) -> Result<(), Failure> {
    if !(play.speed.is_finite() && play.speed > 0.0) {
        return Err(
            Failure::new(Exit::Usage, format!("a speed of {} is none", play.speed))
                .advice("Give a number over 0, such as --speed 4."),
        );
    }
    let stretch = play.window.stretch()?;
    let dir = config::directory(play.dir.dir.as_deref())?;
    let found = only(&play.selector, find(&dir)?)?;
    let limit = play.idle_limit.map(|cc_kit::config::Span(limit)| limit);
    let mut out = out();
    let mut render = Render::of(&found, stretch, Look::Ansi);
    let mut last: Option<u64> = None;
    let screen = std::io::stdout().is_terminal();
    let show = |render: &Render, out: &mut dyn Write| -> Result<(), Stop> {
        if screen {
            write!(out, "\x1b[H{}\x1b[J", render.screen().join("\x1b[K\r\n"))?;
        }
        Ok(out.flush()?)
    };
    let played = walk(&found.segments, stretch, &mut |record| {
        let at = record.stamp.wall_ns;
        let lines = match record.typed() {
            Ok(Entry::Output(bytes)) => render.output(at, bytes),
            Ok(Entry::Note(Note::Resize(size))) => render.resize(at, size),
            Ok(Entry::Note(Note::Gap(_))) => render.gap(),
            _ => return Ok(()),
        };
        if !stretch.has(at) {
            return Ok(());
        }
        let now = record.stamp.monotonic_ns;
        if let Some(before) = last.replace(now) {
            // Over a boot the clock begins anew.
            let passed = Duration::from_nanos(now.saturating_sub(before)).div_f64(play.speed);
            thread::sleep(limit.map_or(passed, |limit| passed.min(limit)));
        }
        if !screen {
            for line in lines {
                super::cat::print_line(&mut out, &line, Look::Ansi)?;
            }
        }
        show(&render, &mut out)
    });
    let rest = played.and_then(|()| {
        if screen {
            writeln!(out)?;
        } else {
            for line in render.finish() {
                super::cat::print_line(&mut out, &line, Look::Ansi)?;
            }
        }
        Ok(out.flush()?)
    });
    ended(rest)
}
