//! Notes in words, for people.

use cc_kit::journal::note::{Cause, End, Lost, Note, ProgramExit, Source};
use cc_kit::printable::printable;

/// What a note says, where people want to know.
pub(crate) fn said(note: &Note) -> Option<String> {
    Some(match note {
        Note::Gap(gap) => {
            let bytes = match gap.lost {
                Lost::Known(1) => "1 byte".to_owned(),
                Lost::Known(bytes) => format!("{bytes} bytes"),
                Lost::Unknown => "an unknown number of bytes".to_owned(),
            };
            format!("gap: {bytes} missing, {}", cause(gap.cause))
        }
        Note::End(End::PaneGone) => "the pane is gone".to_owned(),
        Note::End(End::ServerGone { reason }) => match reason {
            Some(reason) => format!("the server is gone: {}", printable(reason.as_bytes())),
            None => "the server is gone".to_owned(),
        },
        Note::End(End::Stopped) => "the logger was stopped".to_owned(),
        Note::Moved(place) => format!(
            "moved to {}:{} ({}), pane {}",
            printable(place.session.as_bytes()),
            place.window_index,
            printable(place.window_name.as_bytes()),
            place.pane_index
        ),
        Note::Exit(exit) => format!("the program ended{}", how(exit)),
        Note::Marker(marker) => format!("mark: {}", printable(marker.text.as_bytes())),
        Note::Source(change) => format!("the source is {} from here on", source(change.source)),
        _ => return None,
    })
}

/// How a program ended, as far as that is known.
fn how(exit: &ProgramExit) -> String {
    match exit {
        ProgramExit {
            signal: Some(signal),
            ..
        } => format!(" by signal {}", printable(signal.as_bytes())),
        ProgramExit {
            status: Some(status),
            ..
        } => format!(" with status {status}"),
        _ => String::new(),
    }
}

/// A source in a word.
pub(crate) const fn source(source: Source) -> &'static str {
    match source {
        Source::Control => "control",
        Source::Tap => "tap",
        _ => "another",
    }
}

const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::FirstSight => "from before the log began",
        Cause::Pause => "since the pane printed faster than it could be read",
        Cause::Overflow => "since the logger's buffers were full",
        Cause::Reconnect => "since the connection was lost",
        Cause::ServerRestart => "since the server was another one",
        Cause::DeadTail => "possibly the last the program printed, which tmux drops",
        Cause::SourceChange => "since another client delivers the pane",
        Cause::NotRunning => "since no logger was running",
        Cause::TornTail => "since the logger was killed",
        Cause::WriteFailed => "since the disk did not take them",
        Cause::PipeClosed => "since the pane's pipe was closed, as by a respawn",
        _ => "for a reason that is not known here",
    }
}
