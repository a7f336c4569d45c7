use super::*;
use crate::journal::Writer;
use crate::journal::format::encode;
use crate::journal::sample::{self, segment};
use proptest::prelude::*;
use std::io::Cursor;

fn summary(bytes: &[u8]) -> Summary {
    Summary::scan(Cursor::new(bytes), "x".as_ref()).unwrap()
}

#[test]
fn a_summary_agrees_with_the_records() {
    let (bytes, records) = segment();
    let got = summary(&bytes);
    let expected = Summary {
        bytes: bytes.len() as u64,
        records: 8,
        output: 11,
        gaps: 1,
        lost: 0,
        uncounted: 1,
        redacted: 0,
        torn: 0,
        not_understood: 0,
        first: Some(records[0].stamp),
        last: Some(records[7].stamp),
        position: records[7].end(),
        start: Some(sample::start(3)),
        place: Some(Place {
            session: "play".into(),
            window_name: "vi".into(),
            ..sample::start(3).place
        }),
        source: Some(Source::Tap),
        size: None,
        exit: None,
        ended: Some(End::PaneGone),
        tail: Tail::Clean,
    };
    assert_eq!(got, expected);
}

#[test]
fn a_pane_that_started_again_has_not_ended() {
    let (bytes, _) = segment();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("00000001.ccj");
    std::fs::write(&path, &bytes).unwrap();
    drop(Writer::open(&path, &sample::start(3), 0, sample::stamp(9)).unwrap());
    let got = Summary::open(&path).unwrap();
    assert_eq!((got.records, got.ended), (9, None));
    assert_eq!(got.place, Some(sample::start(3).place));
}

#[test]
fn cut_anywhere_it_agrees_with_the_reader() {
    let (bytes, _) = segment();
    for length in 0..=bytes.len() {
        let part = &bytes[..length];
        let (records, tail) = sample::read(part);
        let got = summary(part);
        assert_eq!(got.records, records.len() as u64, "{length}");
        assert_eq!(Some(got.tail), tail, "{length}");
        assert_eq!(got.torn, u64::from(got.tail != Tail::Clean));
        assert_eq!(got.last, records.last().map(|record| record.stamp));
    }
}

#[test]
fn output_is_passed_over() {
    /// Counts what is read.
    struct Counted(Cursor<Vec<u8>>, u64);
    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let got = self.0.read(buffer)?;
            self.1 += got as u64;
            Ok(got)
        }
    }
    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }
    let (mut bytes, _) = segment();
    let payload = vec![7; 1 << 20];
    let header = encode(
        Kind::OUTPUT,
        Position::default(),
        sample::stamp(0),
        &payload,
    )
    .unwrap();
    for _ in 0..8 {
        bytes.extend(header);
        bytes.extend(&payload);
    }
    let mut counted = Counted(Cursor::new(bytes), 0);
    let got = Summary::scan(&mut counted, "x".as_ref()).unwrap();
    assert_eq!(got.output, 11 + (8 << 20));
    assert!(counted.1 < 256 << 10, "{} bytes read", counted.1);
}

#[test]
fn a_note_with_a_wrong_checksum_ends_it() {
    let (mut bytes, records) = segment();
    let gap = usize::try_from(records[3].at).unwrap();
    bytes[gap + 45] ^= 1;
    let got = summary(&bytes);
    assert_eq!((got.records, got.gaps, got.torn), (3, 0, 1));
}

#[test]
fn segments_add_up() {
    let (bytes, records) = segment();
    let half = usize::try_from(records[3].at).unwrap();
    let mut all = Summary::empty();
    all.extend(summary(&bytes[..half]));
    assert_eq!(all.ended, None);
    all.extend(summary(&bytes));
    all.extend(summary(b"\x89CC"));
    assert_eq!((all.records, all.output, all.gaps), (11, 18, 1));
    assert_eq!((all.torn, all.tail), (1, Tail::Torn { at: 0, bytes: 3 }));
    assert_eq!(all.first, Some(records[0].stamp));
    assert_eq!(all.last, Some(records[7].stamp));
    assert_eq!(all.ended, Some(End::PaneGone));
    assert!(all.start.is_some());
    assert_eq!(all.place.unwrap().session, "play");
}

proptest! {
    #[test]
    fn any_bytes_are_scanned_without_a_panic(mut body in proptest::collection::vec(any::<u8>(), 0..500), place: prop::sample::Index) {
        let _ = Summary::scan(Cursor::new(&body), "x".as_ref());
        let (mut bytes, _) = segment();
        let cut = place.index(bytes.len());
        bytes.truncate(cut);
        bytes.append(&mut body);
        let _ = Summary::scan(Cursor::new(&bytes), "x".as_ref());
    }
}
