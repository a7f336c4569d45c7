//! The end of a stream: orderly, or in the middle of anything.

use super::{Connection, Phase, Ready};
use crate::protocol::event::{Desync, Event};
use crate::protocol::exit::Exit;
use crate::protocol::reply::ReplyError;
use crate::wire::Notification;

/// What the client process prints when its server dies; it can stand glued to a line that the
/// server had written half of.
///
/// **Source:** tmux `client.c`, `client_exit_message`.
pub(super) const SERVER_DIED: &[u8] = b"%exit server exited unexpectedly";

impl Connection {
    /// The input has ended and every whole line has been gone through.
    pub(super) fn finish(&mut self) {
        if let Some(doubted) = self.doubted.take() {
            self.release(doubted, true);
            return;
        }
        if let Some(long) = self.input.take_skipped() {
            self.take_long_line(long);
            return;
        }
        let rest = self.input.take_rest();
        if let Some(open) = self.open.take() {
            // The server broke off within a reply: what the client process printed after it looks
            // like a part of the body.
            let body = open.body.get(open.last_line..).unwrap_or_default();
            let last = if rest.is_empty() {
                body.strip_suffix(b"\n").unwrap_or(body)
            } else {
                &rest
            };
            self.exit = exit_at_end(last);
        } else if !rest.is_empty() {
            if let Some(reason) = self.exit.take() {
                self.desync(Desync::FalseExit { reason });
            }
            if let Some(glued) = self.glued.replace(rest) {
                self.ready.push_back(Ready::Line(glued));
            }
        }
        if let Some(line) = self.glued.take() {
            let mut head = &line[..];
            if let Some(reason) = exit_at_end(&line) {
                self.exit = Some(reason);
                head = line.strip_suffix(SERVER_DIED).unwrap_or_default();
            }
            self.take_cut_line(head);
        }
        let exit = self
            .exit
            .take()
            .map_or(Exit::Eof, |reason| Exit::said(&reason));
        while let Some(entry) = self.pending.pop() {
            // Only the oldest can have blocks: the others have not run.
            let done = exit == Exit::Detached && entry.is_complete();
            let (id, result) = (
                entry.id,
                if done {
                    entry.finish(self.limits.reply)
                } else {
                    Err(ReplyError::Disconnected(exit.clone()))
                },
            );
            self.ready.push_back(Ready::Event(Event::Reply(id, result)));
        }
        self.phase = Phase::Exited;
        self.ready.push_back(Ready::Event(Event::Exited(exit)));
    }

    /// The start of a line whose end never came. Of output, what came is as good as any: a pane
    /// printed it. Of anything else, half a line would be a lie.
    fn take_cut_line(&mut self, line: &[u8]) {
        match Notification::parse(line) {
            Notification::Output { data, .. } | Notification::ExtendedOutput { data, .. } => {
                let (_, cut) = data.split_cut_escape();
                let whole = line.strip_suffix(cut).unwrap_or(line);
                self.ready.push_back(Ready::Line(whole.to_vec()));
            }
            _ if line.is_empty() => {}
            _ => self.desync(Desync::CutLine {
                line: line.to_vec(),
            }),
        }
    }
}

/// The reason of an `%exit` that is, or ends, the last line of a stream.
pub(super) fn exit_at_end(line: &[u8]) -> Option<Vec<u8>> {
    let from = if line.ends_with(SERVER_DIED) {
        line.len() - SERVER_DIED.len()
    } else {
        0
    };
    match Notification::parse(line.get(from..).unwrap_or_default()) {
        Notification::Exit { reason } => Some(reason.to_vec()),
        _ => None,
    }
}
