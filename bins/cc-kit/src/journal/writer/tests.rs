use super::*;
use crate::journal::note::{Cause, End, Gap, Lost, Start};
use crate::journal::reader::{Record, Tail};
use crate::journal::sample::{self, read, stamp};
use crate::journal::{Recovered, reader};
use proptest::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

/// A disk in memory with a size, that fails as told.
#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    place: usize,
    room: Option<usize>,
    most_at_once: Option<usize>,
    interrupt: bool,
    no_cut: bool,
    no_sync: bool,
    writes: u32,
    syncs: u32,
}

#[derive(Debug, Clone, Default)]
struct Disk(Rc<RefCell<Platter>>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut disk = self.0.borrow_mut();
        if std::mem::take(&mut disk.interrupt) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        disk.writes += 1;
        let bytes: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        let room = disk
            .room
            .map_or(usize::MAX, |room| room - disk.place.min(room));
        let most = disk.most_at_once.unwrap_or(usize::MAX);
        let taken = bytes.len().min(room).min(most);
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let place = disk.place;
        disk.bytes.resize(place, 0);
        disk.bytes.extend_from_slice(&bytes[..taken]);
        disk.place += taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(place) = to else {
            panic!("not needed")
        };
        self.0.borrow_mut().place = usize::try_from(place).unwrap();
        Ok(place)
    }
}

impl Medium for Disk {
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        if disk.no_cut {
            return Err(io::Error::other("cannot cut"));
        }
        disk.bytes.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.syncs += 1;
        if disk.no_sync {
            return Err(io::Error::other("cannot sync"));
        }
        Ok(())
    }
}

impl Disk {
    fn bytes(&self) -> Vec<u8> {
        self.0.borrow().bytes.clone()
    }
}

const HERE: Position = Position {
    epoch: 1,
    offset: 0,
};

fn start() -> Start {
    sample::start(3)
}

fn writer() -> (Disk, Writer<Disk>) {
    let disk = Disk::default();
    let writer = Writer::begin(disk.clone(), "disk".as_ref(), &start(), HERE, stamp(0)).unwrap();
    (disk, writer)
}

fn at(epoch: u32, offset: u64) -> Position {
    Position { epoch, offset }
}

fn put(writer: &mut Writer<impl Medium>, position: Position, ms: u64, bytes: &[u8]) {
    let added = writer.output(position, stamp(ms), |buffer| {
        buffer.extend_from_slice(bytes);
    });
    assert_eq!(added, bytes.len() as u64);
}

/// Position, milliseconds and payload of the output records.
fn outputs(bytes: &[u8]) -> Vec<(Position, u64, Vec<u8>)> {
    let (records, tail) = read(bytes);
    assert_eq!(tail, Some(Tail::Clean));
    records
        .into_iter()
        .filter(|record| record.kind == Kind::OUTPUT)
        .map(|record| {
            let ms = (record.stamp.monotonic_ns - stamp(0).monotonic_ns) / 1_000_000;
            (record.position, ms, record.payload.into_owned())
        })
        .collect()
}

fn gap() -> Note {
    Note::Gap(Gap {
        cause: Cause::Pause,
        lost: Lost::Known(9),
    })
}

#[test]
fn a_new_segment_begins_with_its_start_in_the_file() {
    let (disk, writer) = writer();
    let (records, tail) = read(&disk.bytes());
    assert_eq!(tail, Some(Tail::Clean));
    assert_eq!(records.len(), 1);
    let reader::Entry::Note(Note::Start(found)) = records[0].typed().unwrap() else {
        panic!("no start");
    };
    assert_eq!(*found, start());
    assert_eq!((records[0].position, records[0].stamp), (HERE, stamp(0)));
    assert_eq!(writer.size(), disk.bytes().len() as u64);
    assert_eq!(writer.position(), HERE);
    assert_eq!((disk.0.borrow().writes, disk.0.borrow().syncs), (1, 0));
}

#[test]
fn output_that_joins_becomes_one_record_and_one_write() {
    let (disk, mut writer) = writer();
    put(&mut writer, at(1, 0), 5, b"one ");
    put(&mut writer, at(1, 4), 9, b"two ");
    put(&mut writer, at(1, 8), 14, b"three");
    assert_eq!(writer.position(), at(1, 13));
    let pending = Pending {
        bytes: 53,
        output: 13,
    };
    assert_eq!(writer.pending(), pending);
    let before = disk.0.borrow().writes;
    writer.flush().unwrap();
    writer.flush().unwrap();
    assert_eq!(disk.0.borrow().writes, before + 1);
    assert_eq!(writer.pending(), Pending::default());
    assert_eq!(writer.size(), disk.bytes().len() as u64);
    let expected = (at(1, 0), 5, b"one two three".to_vec());
    assert_eq!(outputs(&disk.bytes()), [expected]);
}

#[test]
fn output_that_does_not_join_becomes_a_record_of_its_own_in_the_same_write() {
    let (disk, mut writer) = writer();
    put(&mut writer, at(1, 0), 0, b"a");
    put(&mut writer, at(1, 1), 10, b"later");
    put(&mut writer, at(1, 9), 11, b"hole");
    put(&mut writer, at(2, 13), 12, b"epoch");
    writer.note(at(2, 18), stamp(12), &gap()).unwrap();
    put(&mut writer, at(2, 18), 12, b"note between");
    let before = disk.0.borrow().writes;
    writer.flush().unwrap();
    assert_eq!(disk.0.borrow().writes, before + 1);
    let expected = [
        (at(1, 0), 0, b"a".to_vec()),
        (at(1, 1), 10, b"later".to_vec()),
        (at(1, 9), 11, b"hole".to_vec()),
        (at(2, 13), 12, b"epoch".to_vec()),
        (at(2, 18), 12, b"note between".to_vec()),
    ];
    assert_eq!(outputs(&disk.bytes()), expected);
    let kinds: Vec<_> = read(&disk.bytes())
        .0
        .iter()
        .map(|r| r.kind.number())
        .collect();
    assert_eq!(kinds, [1, 2, 2, 2, 2, 3, 2]);
}

#[test]
fn nothing_appended_is_nothing_recorded() {
    let (disk, mut writer) = writer();
    let before = disk.bytes();
    assert_eq!(writer.output(at(1, 0), stamp(1), |_| {}), 0);
    assert_eq!(writer.pending(), Pending::default());
    writer.flush().unwrap();
    assert_eq!(disk.bytes(), before);
}

#[test]
fn a_flood_is_cut_into_records() {
    let (disk, mut writer) = writer();
    let flood: Vec<u8> = (0..=250).cycle().take(5 << 20).collect();
    put(&mut writer, at(1, 0), 0, &flood);
    put(&mut writer, at(1, flood.len() as u64), 0, b"tail");
    writer.flush().unwrap();
    let mut next = 0;
    let mut all = Vec::new();
    for (position, _, payload) in outputs(&disk.bytes()) {
        assert_eq!(position, at(1, next));
        assert!(payload.len() <= OUTPUT_MAX);
        next += payload.len() as u64;
        all.extend(payload);
    }
    assert!(all.strip_suffix(b"tail") == Some(&flood));
    assert!(writer.sealed.capacity() + writer.payload.capacity() <= 2 * KEEP_BUFFER);
}

#[test]
fn small_pieces_stop_joining_at_the_size_of_a_record() {
    let (disk, mut writer) = writer();
    for n in 0..9 {
        put(&mut writer, at(1, n * 32768), 0, &[7; 32768]);
    }
    writer.flush().unwrap();
    let sizes: Vec<_> = outputs(&disk.bytes()).iter().map(|o| o.2.len()).collect();
    assert_eq!(sizes, [GATHER_BYTES, 32768]);
}

#[test]
fn a_payload_that_is_too_long_is_refused_and_nothing_else_is_touched() {
    let (disk, mut writer) = writer();
    put(&mut writer, at(1, 0), 0, b"before");
    let long = vec![0; PAYLOAD_MAX as usize + 1];
    let error = writer
        .append(Kind::OUTPUT, at(1, 6), stamp(0), &long)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a payload of 16777217 bytes is too long for disk"
    );
    assert_eq!(writer.position(), at(1, 6));
    writer.flush().unwrap();
    assert_eq!(outputs(&disk.bytes()).len(), 1);
}

#[test]
fn short_and_interrupted_writes_change_nothing() {
    let (disk, mut writer) = writer();
    put(&mut writer, at(1, 0), 0, b"first");
    writer.note(at(1, 5), stamp(1), &gap()).unwrap();
    put(&mut writer, at(1, 5), 2, b"second");
    disk.0.borrow_mut().interrupt = true;
    disk.0.borrow_mut().most_at_once = Some(3);
    writer.flush().unwrap();
    let expected = [
        (at(1, 0), 0, b"first".to_vec()),
        (at(1, 5), 2, b"second".to_vec()),
    ];
    assert_eq!(outputs(&disk.bytes()), expected);
}

/// Three records to gather: sealed output, a note, and output that is still open.
fn gather(writer: &mut Writer<Disk>) {
    put(writer, at(1, 0), 0, b"first");
    writer.note(at(1, 5), stamp(1), &gap()).unwrap();
    put(writer, at(1, 5), 2, b"second");
}

#[test]
fn a_disk_that_is_full_at_any_byte_costs_nothing() {
    let (whole, mut undisturbed) = writer();
    let begin = whole.bytes().len();
    gather(&mut undisturbed);
    put(&mut undisturbed, at(1, 11), 30, b"third");
    undisturbed.flush().unwrap();
    let whole = whole.bytes();
    for room in begin..whole.len() {
        for most_at_once in [None, Some(7)] {
            let (disk, mut writer) = writer();
            disk.0.borrow_mut().room = Some(room);
            disk.0.borrow_mut().most_at_once = most_at_once;
            gather(&mut writer);
            let gathered = writer.pending();
            let before = writer.size();
            match writer.flush() {
                Ok(()) => assert!(before + gathered.bytes <= room as u64),
                Err(error) => {
                    let WriteError::Write {
                        unwritten,
                        source,
                        path,
                    } = error
                    else {
                        panic!("{error:?}");
                    };
                    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
                    assert_eq!(path, Path::new("disk"));
                    assert_eq!(unwritten, writer.pending().bytes);
                    assert_eq!(unwritten, before + gathered.bytes - writer.size());
                }
            }
            let file = disk.bytes();
            assert_eq!(file, whole[..file.len()], "room {room}");
            assert_eq!(file.len() as u64, writer.size());
            let (records, tail) = read(&file);
            assert_eq!(tail, Some(Tail::Clean), "room {room}");
            let kept: u64 = records
                .iter()
                .filter(|r| r.kind == Kind::OUTPUT)
                .map(|r| r.payload.len() as u64)
                .sum();
            assert_eq!(
                kept + writer.pending().output,
                gathered.output,
                "room {room}"
            );
            // It goes on, still full; then there is room.
            put(&mut writer, at(1, 11), 30, b"third");
            let _ = writer.flush();
            disk.0.borrow_mut().room = None;
            writer.flush().unwrap();
            assert_eq!(disk.bytes(), whole, "room {room}");
        }
    }
}

#[test]
fn half_a_write_that_cannot_be_taken_back_stops_everything_until_it_can() {
    let (disk, mut writer) = writer();
    let before = writer.size();
    {
        let mut disk = disk.0.borrow_mut();
        disk.room = Some(usize::try_from(before).unwrap() + 50);
        disk.no_cut = true;
    }
    gather(&mut writer);
    assert!(matches!(writer.flush(), Err(WriteError::Write { .. })));
    let torn = disk.bytes();
    assert!(torn.len() as u64 > writer.size());
    assert_eq!(read(&torn).1.map(|tail| tail == Tail::Clean), Some(false));
    disk.0.borrow_mut().room = None;
    let error = writer.flush().unwrap_err();
    let unwritten = writer.pending().bytes;
    assert_eq!(
        error.to_string(),
        format!("cannot take back a partial write to disk, {unwritten} bytes not written")
    );
    assert_eq!(disk.bytes(), torn);
    assert_eq!(writer.discard(), 6);
    assert!(writer.flush().is_err());
    disk.0.borrow_mut().no_cut = false;
    writer.flush().unwrap();
    assert_eq!(read(&disk.bytes()).1, Some(Tail::Clean));
    assert_eq!(disk.bytes().len() as u64, writer.size());
}

#[test]
fn half_a_write_is_not_called_good_when_nothing_is_left_to_write() {
    let (disk, mut writer) = writer();
    disk.0.borrow_mut().room = Some(disk.bytes().len() + 1);
    disk.0.borrow_mut().no_cut = true;
    put(&mut writer, at(1, 0), 0, b"lost");
    assert!(writer.flush().is_err());
    assert_eq!(writer.discard(), 4);
    assert_eq!(writer.pending(), Pending::default());
    assert!(matches!(writer.flush(), Err(WriteError::TakeBack { .. })));
    disk.0.borrow_mut().no_cut = false;
    writer.flush().unwrap();
    assert_eq!(read(&disk.bytes()).1, Some(Tail::Clean));
}

#[test]
fn what_is_pending_can_be_given_up() {
    let (disk, mut writer) = writer();
    disk.0.borrow_mut().room = Some(disk.bytes().len());
    gather(&mut writer);
    assert!(writer.flush().is_err());
    assert_eq!(writer.discard(), 11);
    assert_eq!(writer.pending().output, 0);
    disk.0.borrow_mut().room = None;
    put(&mut writer, at(2, 0), 9, b"again");
    writer.flush().unwrap();
    let kinds: Vec<_> = read(&disk.bytes())
        .0
        .iter()
        .map(|r| r.kind.number())
        .collect();
    assert_eq!(kinds, [1, 2]);
}

#[test]
fn after_a_failed_sync_no_later_one_is_believed() {
    let (disk, mut writer) = writer();
    disk.0.borrow_mut().no_sync = true;
    assert!(matches!(writer.sync(), Err(WriteError::Sync { .. })));
    disk.0.borrow_mut().no_sync = false;
    assert!(matches!(writer.sync(), Err(WriteError::Unsynced { .. })));
    put(&mut writer, at(1, 0), 0, b"still logged");
    writer.flush().unwrap();
    assert_eq!(outputs(&disk.bytes()).len(), 1);
}

#[test]
fn a_segment_that_cannot_begin_says_so() {
    let disk = Disk::default();
    disk.0.borrow_mut().room = Some(100);
    let error = Writer::begin(disk.clone(), "disk".as_ref(), &start(), HERE, stamp(0)).unwrap_err();
    assert!(matches!(error, WriteError::Write { .. }), "{error:?}");
    // The magic fitted, the Start did not.
    assert_eq!(disk.bytes(), MAGIC);
    // Nor is it tried again when the writer is gone.
    assert_eq!(disk.0.borrow().writes, 2);
}

#[test]
fn dropping_a_writer_flushes_it() {
    let (disk, mut writer) = writer();
    put(&mut writer, at(1, 0), 0, b"last words");
    drop(writer);
    assert_eq!(outputs(&disk.bytes()).len(), 1);
}

fn reopen(path: &Path) -> (Writer, Recovered) {
    Writer::open(path, &start(), 0, stamp(100)).unwrap()
}

#[test]
fn cut_at_any_byte_a_segment_opens_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("00000001.ccj");
    let (bytes, records) = sample::segment();
    for length in 0..=bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let whole: Vec<_> = records
            .iter()
            .filter(|r| r.at + 40 + r.payload.len() as u64 <= length as u64)
            .cloned()
            .collect();
        let end = whole
            .last()
            .map_or(0, |r| r.at + 40 + r.payload.len() as u64);
        let (mut writer, found) = reopen(&path);
        assert_eq!(found.records, whole.len() as u64, "{length}");
        let kept = end.max(if length < 8 { 0 } else { 8 });
        assert_eq!(found.cut, length as u64 - kept, "{length}");
        let epoch = if whole.is_empty() {
            0
        } else {
            assert_eq!(found.position, whole.last().unwrap().end());
            assert_eq!(found.last, Some(whole.last().unwrap().stamp));
            assert_eq!(found.start, Some(start()));
            3
        };
        let over = (length == bytes.len()).then_some(End::PaneGone);
        assert_eq!(found.ended, over);
        assert_eq!(writer.position(), at(epoch, 0));
        put(&mut writer, at(epoch, 0), 101, b"goes on");
        drop(writer);
        let (got, tail) = read(&fs::read(&path).unwrap());
        assert_eq!(tail, Some(Tail::Clean), "{length}");
        assert_eq!(got[..whole.len()], whole, "{length}");
        let kinds: Vec<_> = got[whole.len()..].iter().map(|r| r.kind).collect();
        assert_eq!(kinds, [Kind::START, Kind::OUTPUT], "{length}");
        assert!(
            got[whole.len()..]
                .iter()
                .all(|r| r.position == at(epoch, 0))
        );
    }
}

#[test]
fn a_tail_longer_than_what_is_written_over_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("00000001.ccj");
    let (mut bytes, records) = sample::segment();
    let end = bytes.len() as u64;
    let long = [b'x'; 100_000];
    bytes.extend(encode(Kind::OUTPUT, HERE, stamp(9), &long).unwrap());
    bytes.extend(&long[..70_000]);
    fs::write(&path, &bytes).unwrap();
    let (writer, found) = reopen(&path);
    assert_eq!((found.records, found.cut), (8, 70_040));
    let file = fs::read(&path).unwrap();
    assert_eq!(file.len() as u64, writer.size());
    assert_eq!(file[..bytes.len() - 70_040], bytes[..bytes.len() - 70_040]);
    let (got, tail) = read(&file);
    assert_eq!((got.len(), tail), (records.len() + 1, Some(Tail::Clean)));
    assert_eq!(got.last().unwrap().at, end);
}

#[test]
fn damage_with_good_records_behind_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("00000001.ccj");
    let (bytes, records) = sample::segment();
    let last = records.last().unwrap().at;
    for place in 8..bytes.len() {
        let mut bad = bytes.clone();
        bad[place] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        match Writer::open(&path, &start(), 0, stamp(0)) {
            Err(OpenError::Damaged { at, .. }) => {
                assert!(at <= place as u64 && (place as u64) < last);
                assert_eq!(fs::read(&path).unwrap(), bad, "{place}");
            }
            Ok(_) => assert!(place as u64 >= last, "{place}"),
            Err(error) => panic!("{place}: {error}"),
        }
    }
}

#[test]
fn a_segment_of_another_pane_or_boot_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("00000001.ccj");
    let (bytes, _) = sample::segment();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let other_boot = Start {
        boot_id: Some("another".into()),
        ..start()
    };
    for other in [sample::start(4), other_boot] {
        let error = Writer::open(&path, &other, 0, stamp(0)).unwrap_err();
        assert!(matches!(error, OpenError::OtherPane { .. }), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes[..bytes.len() - 1]);
    }
}

#[test]
fn a_writer_that_comes_back_stands_in_a_later_epoch() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("00000001.ccj");
    let mut writer = Writer::create(&path, &start(), at(7, 40), stamp(0)).unwrap();
    put(&mut writer, at(7, 40), 0, b"x");
    writer
        .note(at(7, 41), stamp(1), &Note::End(End::Stopped))
        .unwrap();
    drop(writer);
    let (writer, found) = reopen(&path);
    assert_eq!(found.position, at(7, 41));
    assert_eq!(found.ended, Some(End::Stopped));
    assert_eq!(writer.position(), at(8, 0));
    drop(writer);
    let (writer, found) = Writer::open(&path, &start(), 20, stamp(2)).unwrap();
    assert_eq!((found.ended, found.cut), (None, 0));
    assert_eq!(writer.position(), at(20, 0));
}

#[test]
fn a_segment_is_created_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("00000001.ccj");
    fs::write(&path, "somebody's").unwrap();
    let error = Writer::create(&path, &start(), HERE, stamp(0)).unwrap_err();
    assert!(matches!(error, OpenError::Create { .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), b"somebody's");
    assert!(matches!(
        Writer::open(&path, &start(), 0, stamp(0)),
        Err(OpenError::Read(reader::ReadError::NotAJournal { .. }))
    ));
    assert_eq!(fs::read(&path).unwrap(), b"somebody's");
}

/// What a logger may do, in any order.
#[derive(Debug, Clone)]
enum Step {
    Output { bytes: Vec<u8>, after_ms: u64 },
    NewEpoch,
    Note,
    Room(Option<usize>),
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (proptest::collection::vec(any::<u8>(), 0..300), 0_u64..20)
            .prop_map(|(bytes, after_ms)| Step::Output { bytes, after_ms }),
        1 => Just(Step::NewEpoch),
        1 => Just(Step::Note),
        2 => proptest::option::of(0_usize..1000).prop_map(Step::Room),
        3 => Just(Step::Flush),
    ]
}

proptest! {
    #[test]
    fn whatever_fails_every_byte_is_in_the_file_or_pending(steps in proptest::collection::vec(step(), 0..60)) {
        let (disk, mut writer) = writer();
        let mut model: Vec<(u32, Vec<u8>)> = vec![(1, Vec::new())];
        let (mut ms, mut notes) = (0, 0);
        for step in steps {
            let position = writer.position();
            match step {
                Step::Output { bytes, after_ms } => {
                    ms += after_ms;
                    put(&mut writer, position, ms, &bytes);
                    model.last_mut().unwrap().1.extend(bytes);
                }
                Step::NewEpoch => {
                    let epoch = position.epoch + 1;
                    writer.note(at(epoch, 0), stamp(ms), &gap()).unwrap();
                    notes += 1;
                    model.push((epoch, Vec::new()));
                }
                Step::Note => {
                    writer.note(position, stamp(ms), &gap()).unwrap();
                    notes += 1;
                }
                Step::Room(more) => {
                    let used = disk.bytes().len();
                    disk.0.borrow_mut().room = more.map(|more| used + more);
                }
                Step::Flush => {
                    let _ = writer.flush();
                }
            }
            let (_, tail) = read(&disk.bytes());
            prop_assert_eq!(tail, Some(Tail::Clean));
            prop_assert_eq!(disk.bytes().len() as u64, writer.size());
        }
        disk.0.borrow_mut().room = None;
        writer.flush().unwrap();
        let (records, _) = read(&disk.bytes());
        let count = |kind| records.iter().filter(|r: &&Record<'_>| r.kind == kind).count();
        prop_assert_eq!(count(Kind::GAP), notes);
        for (epoch, bytes) in model {
            let mut found = Vec::new();
            for record in records.iter().filter(|r| r.kind == Kind::OUTPUT && r.position.epoch == epoch) {
                prop_assert_eq!(record.position.offset, found.len() as u64);
                found.extend_from_slice(&record.payload);
            }
            prop_assert_eq!(found, bytes);
        }
    }
}
