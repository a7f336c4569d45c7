use super::*;
use crate::journal::live_writer;
use crate::journal::note::{Cause, Gap, Lost, Note};
use crate::journal::sample::{self, stamp};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use tempfile::TempDir;

/// A store and the directory it is in.
fn store() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("log")).unwrap();
    (directory, store)
}

fn open(store: &Store, pane: u32) -> Opened {
    store.pane(&sample::start(pane), stamp(0)).unwrap()
}

/// Opens a pane, writes some bytes, closes it; gives the segment's name.
fn write(store: &Store, pane: u32, bytes: &[u8]) -> PathBuf {
    let mut writer = open(store, pane).writer;
    let position = writer.position();
    writer.output(position, stamp(0), |buffer| buffer.extend_from_slice(bytes));
    writer.path().to_owned()
}

fn listed(store: &Store) -> Vec<PaneLog> {
    let listing = panes(store.root()).unwrap();
    assert!(listing.unreadable.is_empty(), "{:?}", listing.unreadable);
    listing.panes
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn the_layout_is_the_documented_one() {
    let (_directory, store) = store();
    let path = write(&store, 3, b"x");
    let server = sample::start(3).server;
    let key = format!(
        "1700000000-812-{:08x}",
        crc32fast::hash(b"/run/tmux/default")
    );
    let home = store.root().join(&key);
    assert_eq!(path, home.join("pane-3/00000001.ccj"));
    let text = fs::read_to_string(home.join("server.json")).unwrap();
    assert_eq!(serde_json::from_str::<Server>(&text).unwrap(), server);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 2, "a draft is left");
    let expected = PaneLog {
        key,
        server: Some(server),
        pane: 3,
        directory: home.join("pane-3"),
        segments: vec![path],
    };
    assert_eq!(listed(&store), [expected]);
}

#[test]
fn one_writer_at_a_time() {
    let (_directory, store) = store();
    let root = store.root().to_owned();
    let error = Store::open(&root).unwrap_err();
    let us = std::process::id();
    let root_shown = root.display();
    assert_eq!(
        error.to_string(),
        format!("another cc-logger (pid {us}) writes to {root_shown}")
    );
    assert_eq!(error.exit(), Exit::Store);
    assert_eq!(live_writer(&root).unwrap().unwrap().pid, Some(us));
    assert!(panes(&root).unwrap().panes.is_empty());
    drop(store);
    assert_eq!(live_writer(&root).unwrap(), None);
    Store::open(&root).unwrap();
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o720, 0o702] {
        let root = directory.path().join(format!("{mode:o}"));
        fs::DirBuilder::new().mode(0o700).create(&root).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(mode)).unwrap();
        let error = Store::open(&root).unwrap_err();
        assert!(matches!(error, StoreError::Exposed { .. }), "{error:?}");
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    }
}

#[test]
fn a_pane_goes_on_in_its_newest_segment() {
    let (_directory, store) = store();
    let first = write(&store, 3, b"one");
    let opened = open(&store, 3);
    assert_eq!(opened.writer.path(), first);
    assert_eq!(
        opened.writer.position(),
        Position {
            epoch: 1,
            offset: 0
        }
    );
    let found = opened.recovered.unwrap();
    assert_eq!((found.records, found.cut), (2, 0));
    assert!(opened.left.is_none());
    assert_eq!(
        write(&store, 4, b"another pane").parent().map(name),
        Some("pane-4")
    );
}

#[test]
fn rotation_carries_the_position_on() {
    let (_directory, store) = store();
    let start = sample::start(3);
    let mut writer = open(&store, 3).writer;
    writer.output(writer.position(), stamp(0), |buffer| {
        buffer.extend(b"12345")
    });
    writer.flush().unwrap();
    let next = store
        .next_segment(&start, writer.position(), stamp(1))
        .unwrap();
    assert_eq!(name(next.path()), "00000002.ccj");
    assert_eq!(
        next.position(),
        Position {
            epoch: 0,
            offset: 5
        }
    );
    drop((writer, next));
    let opened = open(&store, 3);
    assert_eq!(name(opened.writer.path()), "00000002.ccj");
    assert_eq!(
        opened.writer.position(),
        Position {
            epoch: 1,
            offset: 0
        }
    );
    let (summary, errors) = listed(&store)[0].summary();
    assert!(errors.is_empty());
    assert_eq!((summary.records, summary.output), (4, 5));
}

#[test]
fn what_cannot_be_gone_on_in_is_left_and_a_new_segment_made() {
    let (_directory, store) = store();
    let path = write(&store, 3, b"one");
    write(&store, 3, b"two");
    write(&store, 3, b"three");
    let good = fs::read(&path).unwrap();
    // Behind this byte there are good records.
    let mut damaged = good.clone();
    damaged[60] ^= 1;
    let mut newer = good;
    newer[7] = 2;
    for (n, bad) in [damaged, newer, b"not a journal".to_vec()]
        .into_iter()
        .enumerate()
    {
        let newest = listed(&store)[0].segments.last().unwrap().clone();
        let before = fs::read(&newest).unwrap();
        fs::write(&newest, &bad).unwrap();
        let opened = open(&store, 3);
        assert_eq!(name(opened.writer.path()), format!("{:08}.ccj", n + 2));
        assert!(opened.left.is_some() && opened.recovered.is_none());
        assert_eq!(fs::read(&newest).unwrap(), bad);
        drop(opened);
        fs::write(&newest, before).unwrap();
    }
}

#[test]
fn another_boot_makes_a_new_segment_in_a_later_epoch() {
    let (_directory, store) = store();
    write(&store, 3, b"one");
    let start = Start {
        boot_id: Some("another".into()),
        ..sample::start(3)
    };
    let opened = store.pane(&start, stamp(0)).unwrap();
    assert_eq!(name(opened.writer.path()), "00000002.ccj");
    assert_eq!(
        opened.writer.position(),
        Position {
            epoch: 1,
            offset: 0
        }
    );
    assert!(matches!(opened.left, Some(OpenError::OtherPane { .. })));
}

#[test]
fn a_segment_that_holds_nothing_yet_is_begun_again() {
    let magic = crate::journal::format::MAGIC;
    for content in [
        &b""[..],
        &magic[..3],
        &magic,
        b"\x89CCJ\r\n\x1a\x01half a rec",
    ] {
        let (_directory, store) = store();
        write(&store, 3, b"o");
        let first = write(&store, 3, b"ne");
        let second = first.with_file_name("00000002.ccj");
        fs::write(&second, content).unwrap();
        // Readers bear it.
        let log = &listed(&store)[0];
        assert_eq!(log.segments, [first, second.clone()]);
        let (summary, errors) = log.summary();
        assert!(errors.is_empty());
        assert_eq!((summary.records, summary.output), (4, 3));
        // The writer goes on in it, after the epoch of the one before.
        let opened = open(&store, 3);
        assert_eq!(opened.writer.path(), second);
        assert_eq!(
            opened.writer.position(),
            Position {
                epoch: 2,
                offset: 0
            }
        );
        assert!(opened.recovered.is_none() && opened.left.is_none());
        drop(opened);
        let (summary, _) = listed(&store)[0].summary();
        assert_eq!(
            (summary.records, summary.tail),
            (5, crate::journal::Tail::Clean)
        );
    }
}

#[test]
fn what_strangers_left_is_not_listed_and_not_touched() {
    let (_directory, store) = store();
    let path = write(&store, 3, b"x");
    let pane = path.parent().unwrap();
    let server = pane.parent().unwrap();
    let root = store.root();
    for file in [
        root.join("notes.txt"),
        root.join("1-2-0000000g"),
        server.join("pane-9"),
        pane.join("1.ccj"),
        pane.join("00000009.ccj~"),
        pane.join("00000009.ccjournal"),
        pane.join("+0000009.ccj"),
    ] {
        fs::write(file, "theirs").unwrap();
    }
    for directory in [
        root.join("1700000000-99-00000000"),
        server.join("pane-5"),
        pane.join("00000009.ccj"),
    ] {
        fs::create_dir(directory).unwrap();
    }
    // With a segment inside, so that only the name is wrong.
    for directory in [
        root.join("lost+found/pane-1"),
        root.join("01-2-00000000/pane-1"),
        root.join("1-2-000000001/pane-1"),
        root.join("1-2-0000zzzz/pane-1"),
        server.join("pane-03"),
        server.join("pane-x"),
        server.join("pane-4294967296"),
    ] {
        fs::create_dir_all(&directory).unwrap();
        fs::copy(&path, directory.join("00000001.ccj")).unwrap();
    }
    std::os::unix::fs::symlink(&path, pane.join("00000008.ccj")).unwrap();
    std::os::unix::fs::symlink(pane, server.join("pane-7")).unwrap();
    #[cfg(target_os = "linux")]
    rustix::fs::mknodat(
        rustix::fs::CWD,
        pane.join("00000007.ccj"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let logs = listed(&store);
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].segments, [path]);
    assert_eq!(name(open(&store, 3).writer.path()), "00000001.ccj");
}

#[test]
fn a_half_made_or_broken_server_json_is_made_up_for() {
    let (_directory, store) = store();
    let path = write(&store, 3, b"x");
    let description = path.parent().unwrap().with_file_name("server.json");
    fs::write(&description, "{\"pid\":81").unwrap();
    assert_eq!(listed(&store)[0].server, None);
    fs::remove_file(&description).unwrap();
    assert_eq!(listed(&store)[0].server, None);
    fs::write(description.with_file_name("server.json.new"), "{").unwrap();
    write(&store, 3, b"y");
    assert_eq!(listed(&store)[0].server, Some(sample::start(3).server));
}

#[test]
fn panes_come_in_the_order_of_servers_and_numbers() {
    let (_directory, store) = store();
    let mut expected = vec![(-5, 2), (200, 1)];
    expected.extend((0..30).map(|pane| (1000, pane)));
    for &(start_time, pane) in expected.iter().rev() {
        let mut start = sample::start(pane);
        start.server.start_time = start_time;
        store.pane(&start, stamp(0)).unwrap();
    }
    let order: Vec<_> = listed(&store)
        .into_iter()
        .map(|log| (log.server.unwrap().start_time, log.pane))
        .collect();
    assert_eq!(order, expected);
}

#[test]
fn numbers_of_compressed_segments_are_taken() {
    let (_directory, store) = store();
    let path = write(&store, 3, b"x");
    fs::write(path.with_file_name("00000004.ccj.zst"), "compressed").unwrap();
    let opened = open(&store, 3);
    assert_eq!(name(opened.writer.path()), "00000005.ccj");
    assert_eq!(opened.writer.position().epoch, 1);
    assert!(opened.left.is_none());
}

#[test]
fn a_store_that_is_not_there_cannot_be_listed() {
    let error = panes("/nonexistent/log".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "cannot list /nonexistent/log");
    assert!(live_writer("/nonexistent/log".as_ref()).unwrap().is_none());
}

#[test]
fn the_summary_of_a_pane_names_what_it_could_not_read() {
    let (_directory, store) = store();
    let path = write(&store, 3, b"one");
    let mut second = store
        .next_segment(
            &sample::start(3),
            Position {
                epoch: 1,
                offset: 0,
            },
            stamp(1),
        )
        .unwrap();
    let gap = Note::Gap(Gap {
        cause: Cause::NotRunning,
        lost: Lost::Unknown,
    });
    second.note(second.position(), stamp(1), &gap).unwrap();
    drop(second);
    fs::write(&path, "gone bad").unwrap();
    let (summary, errors) = listed(&store)[0].summary();
    assert_eq!((summary.records, summary.gaps), (2, 1));
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].to_string(),
        format!("{} is no journal", path.display())
    );
}
