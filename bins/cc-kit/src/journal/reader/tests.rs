use super::*;
use crate::journal::format::{PAYLOAD_MAX, encode};
use crate::journal::note::{Cause, Gap, Lost};
use crate::journal::sample::{self, read, segment};
use proptest::prelude::*;
use std::io::Write;

/// How many of `records` are whole when only `length` bytes are there, and where the last one ends.
fn whole(records: &[Record<'_>], length: usize) -> (usize, u64) {
    let mut end = if length < 8 { 0 } else { 8 };
    let mut count = 0;
    for record in records {
        let next = record.at + 40 + record.payload.len() as u64;
        if next > length as u64 {
            break;
        }
        (count, end) = (count + 1, next);
    }
    (count, end)
}

#[test]
fn what_was_written_is_read() {
    let (bytes, records) = segment();
    let (got, tail) = read(&bytes);
    assert_eq!(got, records);
    assert_eq!(tail, Some(Tail::Clean));
    let typed: Vec<_> = got.iter().map(|record| record.typed().unwrap()).collect();
    let Entry::Note(Note::Start(start)) = &typed[0] else {
        panic!("no start");
    };
    assert_eq!(**start, sample::start(3));
    assert_eq!(typed[1], Entry::Output(b"h\xc3\xa9\r\n\x00\xff"));
    let gap = Gap {
        cause: Cause::Pause,
        lost: Lost::Unknown,
    };
    assert_eq!(typed[3], Entry::Note(Note::Gap(gap)));
    assert_eq!(typed[4], Entry::Unknown);
}

#[test]
fn the_tail_is_not_known_before_the_end() {
    let (bytes, _) = segment();
    let mut reader = Reader::new(bytes.as_slice(), "x").unwrap();
    assert_eq!((reader.tail(), reader.position()), (None, 8));
    reader.next_record().unwrap().unwrap();
    assert_eq!(reader.tail(), None);
}

#[test]
fn cut_anywhere_the_whole_records_are_there_and_the_rest_is_told() {
    let (bytes, records) = segment();
    for length in 0..bytes.len() {
        let (count, end) = whole(&records, length);
        let (got, tail) = read(&bytes[..length]);
        assert_eq!(got, records[..count], "{length}");
        let clean = end == length as u64 && length >= 8;
        let expected = if clean {
            Tail::Clean
        } else {
            Tail::Torn {
                at: end,
                bytes: length as u64 - end,
            }
        };
        assert_eq!(tail, Some(expected), "{length}");
    }
}

#[test]
fn no_altered_record_is_yielded_whichever_bit_flips() {
    let (bytes, records) = segment();
    for place in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[place / 8] ^= 1 << (place % 8);
        let mut reader = match Reader::new(bad.as_slice(), "x") {
            Ok(reader) => reader,
            Err(ReadError::NotAJournal { .. }) if place < 7 * 8 => continue,
            Err(ReadError::Version { .. }) if place / 8 == 7 => continue,
            Err(error) => panic!("bit {place}: {error}"),
        };
        let got: Vec<_> = reader.records().map(Result::unwrap).collect();
        let (count, _) = whole(&records, place / 8);
        assert_eq!(got, records[..count], "bit {place}");
        assert!(
            matches!(reader.tail(), Some(Tail::Torn { .. })),
            "bit {place}"
        );
    }
}

#[test]
fn zeros_behind_the_last_record_are_a_torn_tail() {
    let (mut bytes, records) = segment();
    let end = bytes.len() as u64;
    bytes.extend([0; 5000]);
    let (got, tail) = read(&bytes);
    assert_eq!(got, records);
    assert_eq!(
        tail,
        Some(Tail::Torn {
            at: end,
            bytes: 5000
        })
    );
}

#[test]
fn a_wrong_length_does_not_allocate() {
    let (bytes, _) = segment();
    for length in [PAYLOAD_MAX, PAYLOAD_MAX + 1, u32::MAX] {
        let mut bad = bytes.clone();
        bad[12..16].copy_from_slice(&length.to_le_bytes());
        let mut reader = Reader::new(bad.as_slice(), "x").unwrap();
        assert_eq!(reader.next_record().unwrap(), None);
        assert!(reader.payload.capacity() < 64 << 10);
        assert!(matches!(reader.tail(), Some(Tail::Torn { at: 8, .. })));
    }
}

#[test]
fn a_length_over_the_limit_is_damage_even_with_the_right_checksum() {
    let mut header = encode(Kind::OUTPUT, Position::default(), Stamp::default(), b"").unwrap();
    header[4..8].copy_from_slice(&(PAYLOAD_MAX + 1).to_le_bytes());
    let payload = vec![0; PAYLOAD_MAX as usize + 1];
    let crc = checksum(&header, &payload);
    header[..4].copy_from_slice(&crc.to_le_bytes());
    let bytes = [&MAGIC[..], &header, &payload].concat();
    assert_eq!(read(&bytes).0, []);
}

#[test]
fn a_piece_is_no_record_even_when_the_checksum_fits_the_piece() {
    let mut header = encode(Kind::OUTPUT, Position::default(), Stamp::default(), b"").unwrap();
    header[4..8].copy_from_slice(&10_u32.to_le_bytes());
    let crc = checksum(&header, b"four");
    header[..4].copy_from_slice(&crc.to_le_bytes());
    let (records, tail) = read(&[&MAGIC[..], &header, b"four"].concat());
    assert_eq!(records, []);
    assert_eq!(tail, Some(Tail::Torn { at: 8, bytes: 44 }));
}

#[test]
fn what_is_no_journal_is_refused() {
    let open = |bytes: &'static [u8]| Reader::new(bytes, "x").map(|reader| reader.tail());
    assert!(matches!(
        open(b"{\"v\":1}\n and more"),
        Err(ReadError::NotAJournal { .. })
    ));
    assert!(matches!(open(b"tex"), Err(ReadError::NotAJournal { .. })));
    assert!(matches!(
        open(b"\x89CCJ\r\n\x1a\x02"),
        Err(ReadError::Version { found: 2, .. })
    ));
    // A copy in text mode.
    assert!(matches!(
        open(b"\x89CCJ\n\x1a\x01........"),
        Err(ReadError::NotAJournal { .. })
    ));
    let missing = Reader::open("/nonexistent/00000001.ccj".as_ref()).unwrap_err();
    assert_eq!(missing.to_string(), "cannot open /nonexistent/00000001.ccj");
    assert_eq!(missing.exit(), Exit::Store);
}

#[test]
fn flags_that_are_not_known_make_a_record_unknown() {
    let mut header = encode(Kind::OUTPUT, Position::default(), Stamp::default(), b"zz").unwrap();
    header[9] = 1;
    let crc = checksum(&header, b"zz");
    header[..4].copy_from_slice(&crc.to_le_bytes());
    let bytes = [&MAGIC[..], &header, b"zz"].concat();
    let (records, tail) = read(&bytes);
    assert_eq!(tail, Some(Tail::Clean));
    assert_eq!(records[0].typed().unwrap(), Entry::Unknown);
    assert_eq!(&*records[0].payload, b"zz");
}

#[test]
fn json_that_is_none_is_an_error_of_that_record_alone() {
    let header = encode(Kind::GAP, Position::default(), Stamp::default(), b"{").unwrap();
    let bytes = [&MAGIC[..], &header, b"{"].concat();
    let (records, tail) = read(&bytes);
    assert_eq!(tail, Some(Tail::Clean));
    let error = records[0].typed().unwrap_err();
    assert_eq!((error.at, error.kind), (8, Kind::GAP));
    assert_eq!(
        error.to_string(),
        "record of kind 3 at byte 8 cannot be understood"
    );
}

#[test]
fn reading_can_go_on_where_it_ended() {
    let (bytes, records) = segment();
    let half = usize::try_from(records[4].at).unwrap() + 7;
    let mut reader = Reader::new(&bytes[..half], "x").unwrap();
    assert_eq!(reader.records().count(), 4);
    let position = reader.position();
    let rest = &bytes[usize::try_from(position).unwrap()..];
    let mut reader = Reader::at(rest, "x", position);
    let got: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(got, records[4..]);
}

#[test]
fn behind_damage_reading_can_go_on() {
    let (bytes, records) = segment();
    for place in 8..bytes.len() {
        let mut bad = bytes.clone();
        bad[place] ^= 0x40;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bad).unwrap();
        let mut reader = Reader::open(file.path()).unwrap();
        let mut got: Vec<_> = reader.records().map(Result::unwrap).collect();
        let torn = reader.position();
        let skipped = reader.skip_damage().unwrap();
        let next = records.iter().find(|record| record.at > place as u64);
        assert_eq!(skipped, next.map(|record| record.at - torn), "{place}");
        got.extend(reader.records().map(Result::unwrap));
        let good = |record: &&Record<'_>| {
            let bytes = record.at..record.at + 40 + record.payload.len() as u64;
            !bytes.contains(&(place as u64))
        };
        assert!(got.iter().eq(records.iter().filter(good)), "{place}");
    }
}

/// Gives one byte at a time, with an interruption before each, and fails at the end if told to.
struct Drip<'a> {
    bytes: &'a [u8],
    interrupt: bool,
    fail: bool,
}

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() && self.fail {
            return Err(io::Error::other("bad sector"));
        }
        let one = buffer.len().min(1);
        self.bytes.read(&mut buffer[..one])
    }
}

fn drip(bytes: &[u8], fail: bool) -> Reader<Drip<'_>> {
    let drip = Drip {
        bytes,
        interrupt: false,
        fail,
    };
    Reader::new(drip, "disk").unwrap()
}

#[test]
fn short_and_interrupted_reads_change_nothing() {
    let (bytes, records) = segment();
    let mut reader = drip(&bytes, false);
    let got: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(got, records);
    assert_eq!(reader.tail(), Some(Tail::Clean));
}

#[test]
fn a_failing_disk_is_not_an_end() {
    let (bytes, records) = segment();
    let mut reader = drip(&bytes[..bytes.len() - 1], true);
    let got: Vec<_> = reader.records().collect();
    assert_eq!(got.len(), records.len());
    let error = got.into_iter().next_back().unwrap().unwrap_err();
    let at = records.last().unwrap().at;
    assert_eq!(error.to_string(), format!("cannot read disk at byte {at}"));
    assert_eq!(reader.tail(), None);
    assert_eq!(reader.next_record().unwrap(), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(magic: bool, body in proptest::collection::vec(any::<u8>(), 0..500)) {
        let mut bytes = if magic { MAGIC.to_vec() } else { Vec::new() };
        bytes.extend(body);
        if let Ok(mut reader) = Reader::new(bytes.as_slice(), "x") {
            while let Some(record) = reader.next_record().unwrap() {
                let _ = record.typed();
            }
            prop_assert!(reader.tail().is_some());
        }
    }

    #[test]
    fn a_payload_of_any_bytes_is_typed_without_a_panic(kind in 1_u8.., flags: u8, payload in proptest::collection::vec(any::<u8>(), 0..100)) {
        let record = Record { at: 0, kind: Kind::new(kind).unwrap(), flags, position: Position::default(), stamp: Stamp::default(), payload: payload.into() };
        let _ = record.typed();
    }

    #[test]
    fn records_of_any_content_come_back(list in proptest::collection::vec((1_u8.., any::<(u32, u64, u64, i64)>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..20)) {
        let mut bytes = MAGIC.to_vec();
        for (kind, (epoch, offset, monotonic_ns, wall_ns), payload) in &list {
            let position = Position { epoch: *epoch, offset: *offset };
            let stamp = Stamp { monotonic_ns: *monotonic_ns, wall_ns: *wall_ns };
            bytes.extend(encode(Kind::new(*kind).unwrap(), position, stamp, payload).unwrap());
            bytes.extend(payload);
        }
        let (got, tail) = read(&bytes);
        let got: Vec<_> = got
            .into_iter()
            .map(|r| (r.kind.number(), (r.position.epoch, r.position.offset, r.stamp.monotonic_ns, r.stamp.wall_ns), r.payload.into_owned()))
            .collect();
        prop_assert_eq!(got, list);
        prop_assert_eq!(tail, Some(Tail::Clean));
    }
}
