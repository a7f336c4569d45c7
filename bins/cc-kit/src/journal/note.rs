//! The records that are not output: what a journal says about a pane, as JSON.
//!
//! Every text in here is a label made by [`label`]: valid UTF-8, possibly with U+FFFD where bytes were
//! lost, and otherwise as a stranger chose it. Show it through [`printable`](mod@crate::printable).

use serde::{Deserialize, Serialize};

use super::format::Kind;

/// A name of any bytes as a journal keeps it. What is not UTF-8 becomes U+FFFD and is lost.
#[must_use]
pub fn label(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One record that is not output.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Who writes about which pane, from here on.
    Start(Box<Start>),
    /// Bytes of the pane are missing here.
    Gap(Gap),
    /// The pane or what it sits in was moved or renamed.
    Moved(Place),
    /// Nothing comes any more, or not from this writer.
    End(End),
    /// The pane's size, from here on.
    Resize(Size),
    /// The program set a title.
    Title(Title),
    /// The program rang.
    Bell(Bell),
    /// The program said something to the terminal that is of use to others.
    Osc(Osc),
    /// The program ended.
    Exit(ProgramExit),
    /// Somebody marked this place.
    Marker(Marker),
    /// The bytes come from elsewhere, from here on.
    Source(SourceChange),
    /// How the pane looks, here.
    Screen(Box<Screen>),
    /// A secret was taken out, just before this.
    Redacted(Redacted),
}

impl Note {
    /// The kind of its record.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Start(_) => Kind::START,
            Self::Gap(_) => Kind::GAP,
            Self::Moved(_) => Kind::MOVED,
            Self::End(_) => Kind::END,
            Self::Resize(_) => Kind::RESIZE,
            Self::Title(_) => Kind::TITLE,
            Self::Bell(_) => Kind::BELL,
            Self::Osc(_) => Kind::OSC,
            Self::Exit(_) => Kind::EXIT,
            Self::Marker(_) => Kind::MARKER,
            Self::Source(_) => Kind::SOURCE,
            Self::Screen(_) => Kind::SCREEN,
            Self::Redacted(_) => Kind::REDACTED,
        }
    }

    /// The note in a record of this kind; `None` for a kind that is none or is not known here.
    pub(super) fn from_json(kind: Kind, json: &[u8]) -> Option<serde_json::Result<Self>> {
        Some(match kind {
            Kind::START => serde_json::from_slice(json).map(Self::Start),
            Kind::GAP => serde_json::from_slice(json).map(Self::Gap),
            Kind::MOVED => serde_json::from_slice(json).map(Self::Moved),
            Kind::END => serde_json::from_slice(json).map(Self::End),
            Kind::RESIZE => serde_json::from_slice(json).map(Self::Resize),
            Kind::TITLE => serde_json::from_slice(json).map(Self::Title),
            Kind::BELL => serde_json::from_slice(json).map(Self::Bell),
            Kind::OSC => serde_json::from_slice(json).map(Self::Osc),
            Kind::EXIT => serde_json::from_slice(json).map(Self::Exit),
            Kind::MARKER => serde_json::from_slice(json).map(Self::Marker),
            Kind::SOURCE => serde_json::from_slice(json).map(Self::Source),
            Kind::SCREEN => serde_json::from_slice(json).map(Self::Screen),
            Kind::REDACTED => serde_json::from_slice(json).map(Self::Redacted),
            _ => return None,
        })
    }

    pub(super) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Start(start) => serde_json::to_vec(start),
            Self::Gap(gap) => serde_json::to_vec(gap),
            Self::Moved(place) => serde_json::to_vec(place),
            Self::End(end) => serde_json::to_vec(end),
            Self::Resize(it) => serde_json::to_vec(it),
            Self::Title(it) => serde_json::to_vec(it),
            Self::Bell(it) => serde_json::to_vec(it),
            Self::Osc(it) => serde_json::to_vec(it),
            Self::Exit(it) => serde_json::to_vec(it),
            Self::Marker(it) => serde_json::to_vec(it),
            Self::Source(it) => serde_json::to_vec(it),
            Self::Screen(it) => serde_json::to_vec(it),
            Self::Redacted(it) => serde_json::to_vec(it),
        }
    }
}

/// Who writes about which pane: the first record of every segment and of every time one is opened.
///
/// `{"journal":1,"boot_id":"..","server":{..},"pane":3,"unit":"coder@1","session":"work",`
/// `"window_index":0,"window_name":"sh","pane_index":1,"source":"tap","logger":"0.1.0"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Version of the format, [`VERSION`](super::format::VERSION).
    pub journal: u8,
    /// The boot that monotonic times belong to, where the system tells: [`boot_id`](super::clock::boot_id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// The server that the pane belongs to.
    pub server: Server,
    /// The number in tmux's `%3`.
    pub pane: u32,
    /// What cc-guardian calls what runs in the pane, if it runs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where the pane is.
    #[serde(flatten)]
    pub place: Place,
    /// Where the bytes come from.
    pub source: Source,
    /// Version of the writing program.
    pub logger: String,
}

impl Start {
    /// Whether records under both belong to one pane of one server life, on one clock.
    #[must_use]
    pub fn same_pane(&self, other: &Self) -> bool {
        self.server.key() == other.server.key()
            && self.pane == other.pane
            && self.boot_id == other.boot_id
    }
}

/// One life of a tmux server. Pane numbers are used again by the next one.
///
/// `{"pid":812,"start_time":1700000000,"socket":"/run/user/1000/tmux-1000/default","version":"3.5a"}`
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Server {
    /// tmux's `pid`.
    pub pid: u32,
    /// tmux's `start_time`, seconds since 1970.
    pub start_time: i64,
    /// tmux's `socket_path`, as a label.
    pub socket: String,
    /// tmux's `version`.
    pub version: String,
}

impl Server {
    /// The name of its folder in a store: `<start_time>-<pid>-<CRC-32 of the socket label>`.
    #[must_use]
    pub fn key(&self) -> String {
        let socket = crc32fast::hash(self.socket.as_bytes());
        format!("{}-{}-{socket:08x}", self.start_time, self.pid)
    }
}

/// Where a pane's bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// `%output` of a control client.
    Control,
    /// The pane's pipe.
    Tap,
    /// One that a later version knows.
    #[serde(other)]
    Other,
}

/// Where a pane is; the payload of a Moved record.
///
/// `{"session":"work","window_index":0,"window_name":"sh","pane_index":1}`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// tmux's `session_name`.
    pub session: String,
    /// tmux's `window_index`.
    pub window_index: u32,
    /// tmux's `window_name`.
    pub window_name: String,
    /// tmux's `pane_index`.
    pub pane_index: u32,
}

/// Bytes of the pane are missing before this record.
///
/// `{"cause":"pause","lost":"unknown"}` or `{"cause":"overflow","lost":{"known":4096}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub cause: Cause,
    /// How much of the pane's bytes.
    pub lost: Lost,
}

/// Why bytes are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// What the pane printed before the writer first saw it.
    FirstSight,
    /// tmux paused the pane since we were too slow.
    Pause,
    /// Our own buffers were full.
    Overflow,
    /// The connection to the server broke and came back.
    Reconnect,
    /// The server was another one after it.
    ServerRestart,
    /// The last bytes of a pane whose program ended.
    DeadTail,
    /// The bytes come from another source now.
    SourceChange,
    /// No writer ran, from the record before on.
    NotRunning,
    /// The end of the segment was torn and had to be cut.
    TornTail,
    /// The journal could not be written: disk full, quota, limit.
    WriteFailed,
    /// The program ended and another was started in the pane, and the pane's pipe went with the first.
    PipeClosed,
    /// One that a later version knows.
    #[serde(other)]
    Other,
}

/// How many bytes of the pane are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    /// So many.
    Known(u64),
    /// Nobody can tell.
    Unknown,
}

/// Why nothing follows.
///
/// `{"why":"pane-gone"}`, `{"why":"server-gone","reason":"killed"}` or `{"why":"stopped"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum End {
    /// tmux has the pane no more.
    PaneGone,
    /// The server is gone, and so is the pane.
    ServerGone {
        /// As the server or the connection said it, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The writer was told to stop; the pane may well live on.
    Stopped,
    /// One that a later version knows.
    #[serde(other)]
    Other,
}

mod said;

pub use said::{Bell, Marker, Osc, ProgramExit, Redacted, Screen, Size, SourceChange, Title};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample;

    fn json(note: &Note) -> String {
        String::from_utf8(note.to_json().unwrap()).unwrap()
    }

    #[test]
    fn the_json_is_the_documented_one() {
        let gap = |cause, lost| Note::Gap(Gap { cause, lost });
        let table = [
            (
                Note::Start(Box::new(sample::start(3))),
                r#"{"journal":1,"boot_id":"boot","server":{"pid":812,"start_time":1700000000,"socket":"/run/tmux/default","version":"3.5a"},"pane":3,"unit":"coder@1","session":"work","window_index":0,"window_name":"sh","pane_index":1,"source":"tap","logger":"0.1.0"}"#,
            ),
            (
                gap(Cause::FirstSight, Lost::Unknown),
                r#"{"cause":"first-sight","lost":"unknown"}"#,
            ),
            (
                gap(Cause::Overflow, Lost::Known(4096)),
                r#"{"cause":"overflow","lost":{"known":4096}}"#,
            ),
            (
                Note::Moved(sample::start(3).place),
                r#"{"session":"work","window_index":0,"window_name":"sh","pane_index":1}"#,
            ),
            (Note::End(End::PaneGone), r#"{"why":"pane-gone"}"#),
            (
                Note::End(End::ServerGone {
                    reason: Some("killed".into()),
                }),
                r#"{"why":"server-gone","reason":"killed"}"#,
            ),
            (Note::End(End::Stopped), r#"{"why":"stopped"}"#),
        ];
        for (note, text) in table {
            assert_eq!(json(&note), text);
            let back = Note::from_json(note.kind(), text.as_bytes()).unwrap();
            assert_eq!(back.unwrap(), note);
        }
    }

    #[test]
    fn what_a_later_version_adds_does_not_break_this_one() {
        let read = |kind, text: &str| {
            Note::from_json(kind, text.as_bytes())
                .map(|note| note.unwrap_or_else(|error| panic!("{text}: {error}")))
        };
        assert_eq!(
            read(
                Kind::GAP,
                r#"{"cause":"eclipse","lost":"unknown","moon":[1]}"#
            ),
            Some(Note::Gap(Gap {
                cause: Cause::Other,
                lost: Lost::Unknown
            }))
        );
        assert_eq!(
            read(Kind::END, r#"{"why":"eclipse","reason":{"moon":1}}"#),
            Some(Note::End(End::Other))
        );
        assert_eq!(
            read(Kind::END, r#"{"why":"server-gone"}"#),
            Some(Note::End(End::ServerGone { reason: None }))
        );
        let text = r#"{"journal":1,"server":{"pid":1,"start_time":2,"socket":"s","version":"4","colour":"blue"},"pane":9,"session":"a","window_index":1,"window_name":"b","pane_index":0,"source":"satellite","logger":"9","tags":{"x":1}}"#;
        let Some(Note::Start(start)) = read(Kind::START, text) else {
            panic!("no start")
        };
        assert_eq!((start.pane, start.source), (9, Source::Other));
        assert_eq!((start.boot_id, start.unit), (None, None));
        assert_eq!(read(Kind::new(63).unwrap(), "{}"), None);
    }

    #[test]
    fn a_label_of_any_bytes_is_kept_readable() {
        let name = label(b"a\xff\x1b[2J\"\n\xc3\xa9");
        assert_eq!(name, "a\u{fffd}\u{1b}[2J\"\n\u{e9}");
        let mut start = sample::start(1);
        start.place.session = name;
        let note = Note::Start(Box::new(start));
        let text = json(&note);
        assert!(!text.contains(char::is_control), "{text}");
        let back = Note::from_json(Kind::START, text.as_bytes()).unwrap();
        assert_eq!(back.unwrap(), note);
    }

    #[test]
    fn two_lives_of_a_server_have_two_names() {
        let server = sample::start(0).server;
        assert_eq!(
            server.key(),
            format!(
                "1700000000-812-{:08x}",
                crc32fast::hash(b"/run/tmux/default")
            )
        );
        for other in [
            Server {
                pid: 813,
                ..server.clone()
            },
            Server {
                start_time: 1_700_000_001,
                ..server.clone()
            },
            Server {
                socket: "/run/tmux/ci".into(),
                ..server.clone()
            },
        ] {
            assert_ne!(other.key(), server.key());
        }
    }
}
