//! Lines for `tokio_util::codec::Framed`: the grammar alone, without replies.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::protocol::{Command, CommandError, Limits};
use crate::wire::{GuardLine, Notification};

/// Cuts a stream into lines and writes commands: `Framed<_, ControlCodec>` is a `Stream` of
/// [`ControlLine`] and a `Sink` of [`Command`].
///
/// It has no fences and ties no reply to its command; that is what
/// [`Connection`](crate::protocol::Connection) does.
///
/// ```
/// use bytes::BytesMut;
/// use tmux_cc::client::ControlCodec;
/// use tmux_cc::wire::{Notification, WindowId};
/// use tokio_util::codec::Decoder as _;
///
/// let mut read = BytesMut::from("%window-add @1\n%window");
/// let mut codec = ControlCodec::default();
/// let line = codec.decode(&mut read)?.expect("a whole line");
/// assert_eq!(line.notification(), Notification::WindowAdd { window: WindowId(1) });
/// assert!(codec.decode(&mut read)?.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ControlCodec {
    limit: usize,
    scanned: usize,
}

impl ControlCodec {
    /// A codec for lines up to [`Limits::line`]; a longer one is an error.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limit: limits.line,
            scanned: 0,
        }
    }
}

impl Default for ControlCodec {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

/// One line of a control mode stream, without its LF.
///
/// Example: [`ControlCodec`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlLine(Bytes);

impl ControlLine {
    /// The line.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The line as a guard, where it is one.
    #[must_use]
    pub fn guard(&self) -> Option<GuardLine> {
        GuardLine::parse(&self.0)
    }

    /// The line as a notification; within a block it is body, whatever it looks like.
    #[must_use]
    pub fn notification(&self) -> Notification<'_> {
        Notification::parse(&self.0)
    }
}

impl Decoder for ControlCodec {
    type Item = ControlLine;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<ControlLine>> {
        let fresh = src.get(self.scanned..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', fresh) else {
            self.scanned = src.len();
            if src.len() > self.limit {
                return Err(io::Error::other("line is over the limit"));
            }
            return Ok(None);
        };
        let mut line = src.split_to(self.scanned + at + 1);
        line.truncate(line.len() - 1);
        self.scanned = 0;
        if line.len() > self.limit {
            return Err(io::Error::other("line is over the limit"));
        }
        Ok(Some(ControlLine(line.freeze())))
    }
}

impl Encoder<Command> for ControlCodec {
    type Error = io::Error;

    fn encode(&mut self, command: Command, dst: &mut BytesMut) -> io::Result<()> {
        let invalid = |error: CommandError| io::Error::new(io::ErrorKind::InvalidInput, error);
        dst.put_slice(command.line().map_err(invalid)?);
        dst.put_u8(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let mut codec = ControlCodec::default();
        let mut src = BytesMut::new();
        let mut lines = Vec::new();
        for byte in b"%begin 1 2 1\nx\n\n%end 1 2 1\n%exit" {
            src.put_u8(*byte);
            lines.extend(codec.decode(&mut src).unwrap());
        }
        assert_eq!(lines.len(), 4);
        assert!(lines[0].guard().is_some());
        assert!(lines[2].bytes().is_empty());
        assert_eq!(&src[..], b"%exit");
    }

    #[test]
    fn a_command_is_a_line_or_an_error() {
        let mut codec = ControlCodec::default();
        let mut dst = BytesMut::new();
        codec
            .encode(Command::new("list-panes").flag("-a"), &mut dst)
            .unwrap();
        assert!(codec.encode(Command::raw(""), &mut dst).is_err());
        assert_eq!(&dst[..], b"list-panes -a\n");
        let mut codec = ControlCodec::new(Limits::default().line(4));
        assert!(codec.decode(&mut BytesMut::from(&b"12345"[..])).is_err());
    }
}
