//! What tests write about.

use std::borrow::Cow;

use super::clock::Stamp;
use super::format::{Kind, MAGIC, Position, VERSION, encode};
use super::note::{Cause, End, Gap, Lost, Note, Place, Server, Source, Start};
use super::reader::{Reader, Record, Tail};

pub(super) fn start(pane: u32) -> Start {
    Start {
        journal: VERSION,
        boot_id: Some("boot".into()),
        server: Server {
            pid: 812,
            start_time: 1_700_000_000,
            socket: "/run/tmux/default".into(),
            version: "3.5a".into(),
        },
        pane,
        unit: Some("coder@1".into()),
        place: Place {
            session: "work".into(),
            window_index: 0,
            window_name: "sh".into(),
            pane_index: 1,
        },
        source: Source::Tap,
        logger: "0.1.0".into(),
    }
}

/// A moment `ms` after a made-up beginning.
pub(super) fn stamp(ms: u64) -> Stamp {
    Stamp {
        monotonic_ns: 5_000_000_000 + ms * 1_000_000,
        wall_ns: 1_700_000_000_000_000_000 + i64::try_from(ms).unwrap() * 1_000_000,
    }
}

/// A segment with a record of every kind, and what is in it.
pub(super) fn segment() -> (Vec<u8>, Vec<Record<'static>>) {
    let json = |note: Note| (note.kind(), note.to_json().unwrap());
    let payloads = [
        json(Note::Start(Box::new(start(3)))),
        (Kind::OUTPUT, b"h\xc3\xa9\r\n\x00\xff".to_vec()),
        (Kind::OUTPUT, vec![]),
        json(Note::Gap(Gap {
            cause: Cause::Pause,
            lost: Lost::Unknown,
        })),
        (Kind::new(63).unwrap(), b"from the future".to_vec()),
        json(Note::Moved(Place {
            session: "play".into(),
            window_name: "vi".into(),
            ..start(3).place
        })),
        (Kind::OUTPUT, b"more".to_vec()),
        json(Note::End(End::PaneGone)),
    ];
    let mut bytes = MAGIC.to_vec();
    let mut records = Vec::new();
    let mut position = Position {
        epoch: 2,
        offset: 70,
    };
    for (n, (kind, payload)) in payloads.into_iter().enumerate() {
        let stamp = stamp(n as u64);
        let at = bytes.len() as u64;
        bytes.extend(encode(kind, position, stamp, &payload).unwrap());
        bytes.extend(&payload);
        let record = Record {
            at,
            kind,
            flags: 0,
            position,
            stamp,
            payload: Cow::Owned(payload),
        };
        position = record.end();
        records.push(record);
    }
    (bytes, records)
}

/// All records of a segment, and how it ends.
pub(super) fn read(bytes: &[u8]) -> (Vec<Record<'static>>, Option<Tail>) {
    let mut reader = Reader::new(bytes, "sample").unwrap();
    let records = reader.records().map(Result::unwrap).collect();
    (records, reader.tail())
}
