use super::super::clock::Stamp;
use super::super::format::Position;
use super::super::sample;
use super::super::writer::Writer;
use super::*;

/// A segment of `records` outputs of 1,000 bytes, 10 ms apart, and its bytes.
fn segment(directory: &Path, records: u64) -> (PathBuf, Vec<u8>) {
    let path = directory.join("00000001.ccj");
    let mut writer = Writer::create(
        &path,
        &sample::start(3),
        Position::default(),
        sample::stamp(0),
    )
    .unwrap();
    for n in 0..records {
        let at = writer.position();
        let mut line = format!("{n:0>998}\r\n").into_bytes();
        writer.output(at, sample::stamp(n * 10), |out| out.append(&mut line));
    }
    writer.flush().unwrap();
    drop(writer);
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

const SMALL: Packing = Packing {
    level: 3,
    frame: 10_000,
};

fn read(mut reader: Reader<Stored>) -> Vec<Stamp> {
    let records: Vec<_> = reader.records().map(|r| r.unwrap().stamp).collect();
    assert_eq!(reader.tail(), Some(Tail::Clean));
    records
}

#[test]
fn what_was_packed_is_the_same_bytes_to_us_and_to_zstd() {
    let directory = tempfile::tempdir().unwrap();
    let (path, bytes) = segment(directory.path(), 95);
    let plain = read(Reader::open(&path).unwrap());
    let summary = Summary::open(&path).unwrap();
    let packed = pack(&path, SMALL).unwrap().unwrap();
    assert!(!path.exists());
    assert_eq!(packed.file_name().unwrap(), "00000001.ccj.zst");
    let mut unpacked = Vec::new();
    let mut zstd = Decoder::new(File::open(&packed).unwrap()).unwrap();
    zstd.read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, bytes);
    assert_eq!(read(Reader::open(&packed).unwrap()), plain);
    // Also under the name that a listing of a moment ago had.
    assert_eq!(read(Reader::open(&path).unwrap()), plain);
    assert_eq!(Summary::open(&packed).unwrap(), summary);
    assert_eq!(Summary::open(&path).unwrap(), summary);
}

#[test]
fn the_index_leads_to_any_moment() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = segment(directory.path(), 95);
    let all = read(Reader::open(&path).unwrap());
    let packed = pack(&path, SMALL).unwrap().unwrap();
    let index = index(&packed).unwrap().unwrap();
    assert!((9..12).contains(&index.frames.len()), "{:?}", index.frames);
    assert_eq!(index.frames.iter().map(|f| f.lines).sum::<u64>(), 95);
    for (n, frame) in index.frames.iter().enumerate() {
        let from = Reader::open_frame(&packed, &index, n).unwrap();
        let rest = read(from);
        assert_eq!(rest.first().unwrap().wall_ns, frame.first);
        assert_eq!(rest[..], all[all.len() - rest.len()..]);
    }
    assert_eq!(index.between(None, None), 0..index.frames.len());
    let late = sample::stamp(800).wall_ns;
    let from = index.between(Some(late), None).start;
    assert!(index.frames[from].last >= late && index.frames[from - 1].last < late);
    let after = sample::stamp(100_000).wall_ns;
    assert_eq!(index.between(Some(after), None), 0..0);
}

#[test]
fn a_torn_segment_and_one_without_records_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (path, bytes) = segment(directory.path(), 5);
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(pack(&path, SMALL).unwrap(), None);
    assert_eq!(fs::read(&path).unwrap().len(), bytes.len() - 3);
    fs::write(&path, MAGIC).unwrap();
    assert_eq!(pack(&path, SMALL).unwrap(), None);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_without_an_index_is_read_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let (path, bytes) = segment(directory.path(), 5);
    let packed = directory.path().join("00000002.ccj.zst");
    fs::write(&packed, zstd::encode_all(&bytes[..], 1).unwrap()).unwrap();
    assert_eq!(index(&packed).unwrap(), None);
    assert_eq!(
        read(Reader::open(&packed).unwrap()),
        read(Reader::open(&path).unwrap())
    );
    assert_eq!(
        Summary::open(&packed).unwrap(),
        Summary::open(&path).unwrap()
    );
}
