//! What a consumer gets: batches of events.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::identity::Identity;
use super::screen::Screen;
use crate::protocol::{Block, Desync, Exit};
use crate::wire::{Decoded, Escaped, Notification, PaneId, SessionId};

/// One event, borrowed from its batch.
///
/// ```no_run
/// # async fn example(mut output: tmux_cc::client::ServerOutput) {
/// use tmux_cc::client::Event;
///
/// while let Some(batch) = output.recv().await {
///     for event in batch.iter() {
///         match event {
///             Event::Output(output) => {
///                 println!("{} at {}: {:?}", output.pane, output.offset, output.data.decode());
///             }
///             Event::Resync(resync) => {
///                 println!("{} {}: {:?} is missing", resync.pane, resync.cause, resync.loss);
///             }
///             Event::Ended(ended) => println!("{} has ended: {:?}", ended.pane, ended.why),
///             _ => {}
///         }
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A pane printed.
    Output(Output<'a>),
    /// A pane's stream begins anew; what lies between is lost.
    Resync(&'a Resync),
    /// A pane's stream has ended.
    Ended(&'a Ended),
    /// A pane has a pipe of its user's, which is left alone: it is [tapped](super::Server::tap) as
    /// soon as that is gone.
    #[cfg(feature = "tap")]
    Untapped(PaneId),
    /// Any other line that tmux sent unasked.
    Notification(Notification<'a>),
    /// A line that is no notification.
    Stray(&'a [u8]),
    /// A block that no command of ours caused.
    Unsolicited(&'a Block),
    /// The stream is not what it should be; the connection goes on.
    Desync(&'a Desync),
    /// So many notifications, strays and blocks were dropped: ask anew for what you must know.
    Lagged(u64),
    /// The client has ended; nothing follows.
    Exited(&'a Exit),
}

/// Bytes of one pane, at their place in its stream.
///
/// Example: [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output<'a> {
    /// The pane.
    pub pane: PaneId,
    /// Which unbroken stretch of its stream; a new one begins with a [`Resync`].
    pub epoch: u32,
    /// How many decoded bytes of this stretch came before.
    pub offset: u64,
    /// Milliseconds that the first of these bytes waited in the server, where tmux says.
    pub age: u64,
    /// The bytes.
    pub data: PaneBytes<'a>,
}

/// Bytes that a pane printed, as they travelled.
///
/// Whichever way they came, what they stand for is bytes of a terminal: not UTF-8 alone, cut
/// anywhere.
///
/// Example: [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaneBytes<'a> {
    /// Out of a control client: escaped in octal.
    Escaped(Escaped<'a>),
    /// Out of the pane's pipe: as the program wrote them.
    Raw(&'a [u8]),
}

impl<'a> PaneBytes<'a> {
    /// How many bytes they stand for.
    #[must_use]
    pub fn decoded_len(self) -> usize {
        match self {
            Self::Escaped(escaped) => escaped.decoded_len(),
            Self::Raw(bytes) => bytes.len(),
        }
    }

    /// Appends them to `out` as the program wrote them.
    pub fn decode_into(self, out: &mut Vec<u8>) -> Decoded {
        match self {
            Self::Escaped(escaped) => escaped.decode_into(out),
            Self::Raw(bytes) => {
                out.extend_from_slice(bytes);
                Decoded {
                    len: bytes.len(),
                    malformed: 0,
                }
            }
        }
    }

    /// As the program wrote them: borrowed where nothing is escaped, owned otherwise.
    #[must_use]
    pub fn decode(self) -> Cow<'a, [u8]> {
        match self {
            Self::Escaped(escaped) => escaped.decode(),
            Self::Raw(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// As they travelled.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Escaped(escaped) => escaped.as_bytes(),
            Self::Raw(bytes) => bytes,
        }
    }
}

/// The beginning of a new stretch of a pane's stream.
///
/// Example: [`Event`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Resync {
    /// The pane.
    pub pane: PaneId,
    /// The stretch that begins; it counts up from 0 for each pane.
    pub epoch: u32,
    /// Why.
    pub cause: Cause,
    /// What is lost before it.
    pub loss: Loss,
    /// How the pane looked just before the first byte of this stretch, where that was asked for.
    pub screen: Option<Arc<Screen>>,
}

/// Why a pane's stream is broken.
///
/// Example: [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The pane was there before we were.
    FirstSight,
    /// The consumer or the connection was too slow, and the pane was paused.
    Paused,
    /// The client that delivered the pane ended.
    Disconnected,
    /// Another client delivers the pane from now on: its window was moved or unlinked.
    Moved,
    /// The consumer was too slow, and what came was [dropped](super::Policy::Drop).
    Dropped,
    /// Only the [latest](super::Policy::Latest) screen is asked for, and this is it.
    Coalesced,
    /// The pane's pipe was closed: by a respawn of the pane (from tmux 3.8 on), or by somebody.
    #[cfg(feature = "tap")]
    PipeClosed,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstSight => "first-sight",
            Self::Paused => "paused",
            Self::Disconnected => "disconnected",
            Self::Moved => "moved",
            Self::Dropped => "dropped",
            Self::Coalesced => "coalesced",
            #[cfg(feature = "tap")]
            Self::PipeClosed => "pipe-closed",
        })
    }
}

/// How much of a stream is lost.
///
/// Example: [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// So many bytes.
    Known(u64),
    /// At least so many bytes; what the server itself dropped cannot be counted.
    Unknown {
        /// Bytes that came and were dropped here.
        at_least: u64,
    },
}

/// Why a pane's stream has ended.
///
/// Example: [`Event`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The pane is gone.
    Pane,
    /// The pane has been moved to where it is not asked for.
    Moved,
    /// Its server is, and this is what the last client was told.
    Server(Exit),
}

/// The end of a pane's stream.
///
/// Example: [`Event`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ended {
    /// The pane.
    pub pane: PaneId,
    /// The stretch that ended.
    pub epoch: u32,
    /// How many decoded bytes it had.
    pub offset: u64,
    /// What is lost behind them: up to 3.8 control mode drops the tail of a pane that ends.
    pub loss: Loss,
    /// Why.
    pub why: Ending,
}

/// The events of one read, in order.
///
/// A batch shares the buffer it was read into: keep what you need for long, not the batch.
///
/// Example: [`Event`].
#[derive(Debug)]
pub struct Batch {
    pub(super) server: Option<Arc<Identity>>,
    pub(super) session: Option<SessionId>,
    pub(super) chunk: Bytes,
    pub(super) items: Vec<Item>,
    /// What it keeps alive, in bytes.
    pub(super) weight: usize,
}

#[derive(Debug)]
pub(super) enum Item {
    Output {
        pane: PaneId,
        epoch: u32,
        offset: u64,
        age: u64,
        data: Data,
        /// Is it not escaped?
        raw: bool,
    },
    Line(Data),
    Resync(Box<Resync>),
    Ended(Box<Ended>),
    #[cfg(feature = "tap")]
    Untapped(PaneId),
    Block(Box<Block>),
    Desync(Box<Desync>),
    Lagged(u64),
    Exited(Box<Exit>),
}

impl Item {
    /// What it keeps alive beside itself and the batch's chunk, in bytes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Output {
                data: Data::Own(own),
                ..
            }
            | Self::Line(Data::Own(own)) => own.len(),
            Self::Block(block) => size_of::<Block>() + block.body().len(),
            Self::Resync(resync) => {
                let screen = resync.screen.as_deref().map_or(0, Screen::weight);
                size_of::<Resync>() + screen
            }
            _ => 0,
        }
    }
}

/// Where a payload is: in the batch's chunk, nearly always.
#[derive(Debug)]
pub(super) enum Data {
    Chunk(Range<usize>),
    Own(Box<[u8]>),
}

impl Data {
    /// Finds `bytes` in `chunk`, where they were borrowed from it, or copies them.
    pub(super) fn of(bytes: &[u8], chunk: &Bytes) -> Self {
        let start = bytes.as_ptr().addr().wrapping_sub(chunk.as_ptr().addr());
        match start.checked_add(bytes.len()) {
            Some(end) if end <= chunk.len() => Self::Chunk(start..end),
            _ => Self::Own(bytes.into()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Chunk(range) => range.len(),
            Self::Own(bytes) => bytes.len(),
        }
    }

    fn bytes<'a>(&'a self, chunk: &'a Bytes) -> &'a [u8] {
        match self {
            Self::Chunk(range) => chunk.get(range.clone()).unwrap_or_default(),
            Self::Own(bytes) => bytes,
        }
    }
}

impl Batch {
    pub(super) fn new(
        server: Option<Arc<Identity>>,
        session: Option<SessionId>,
        chunk: Bytes,
        items: Vec<Item>,
    ) -> Self {
        let own: usize = items.iter().map(Item::weight).sum();
        Self {
            server,
            session,
            weight: chunk.len() + size_of_val(&items[..]) + own,
            chunk,
            items,
        }
    }

    /// The server it came from; `None` from a client of [`Attach`](super::Attach) alone.
    #[must_use]
    pub fn server(&self) -> Option<&Arc<Identity>> {
        self.server.as_ref()
    }

    /// The session whose client read it; `None` where no client did, and from a client of
    /// [`Attach`](super::Attach) alone.
    #[must_use]
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The events, in order.
    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        self.items.iter().map(|item| match item {
            Item::Output {
                pane,
                epoch,
                offset,
                age,
                data,
                raw,
            } => Event::Output(Output {
                pane: *pane,
                epoch: *epoch,
                offset: *offset,
                age: *age,
                data: if *raw {
                    PaneBytes::Raw(data.bytes(&self.chunk))
                } else {
                    PaneBytes::Escaped(Escaped::new(data.bytes(&self.chunk)))
                },
            }),
            Item::Line(data) => {
                let line = data.bytes(&self.chunk);
                if line.first() == Some(&b'%') {
                    Event::Notification(Notification::parse(line))
                } else {
                    Event::Stray(line)
                }
            }
            Item::Resync(resync) => Event::Resync(resync),
            Item::Ended(ended) => Event::Ended(ended),
            #[cfg(feature = "tap")]
            Item::Untapped(pane) => Event::Untapped(*pane),
            Item::Block(block) => Event::Unsolicited(block),
            Item::Desync(desync) => Event::Desync(desync),
            Item::Lagged(count) => Event::Lagged(*count),
            Item::Exited(exit) => Event::Exited(exit),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_found_in_its_chunk_or_copied() {
        let chunk = Bytes::from_static(b"%output %0 abc\n");
        assert!(
            matches!(Data::of(&chunk[11..14], &chunk), Data::Chunk(range) if range == (11..14))
        );
        assert!(matches!(Data::of(&chunk[..], &chunk), Data::Chunk(range) if range == (0..15)));
        let own = b"abc".to_vec();
        assert!(matches!(Data::of(&own, &chunk), Data::Own(_)));
        assert_eq!(Data::of(&own, &chunk).bytes(&chunk), b"abc");
    }
}
