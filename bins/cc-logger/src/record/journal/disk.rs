//! Where a journal's records go: segments that are begun, flushed, synced and closed, and what becomes
//! of it when the disk does not take them.

use std::time::{Duration, Instant};

use cc_kit::journal::note::{self, Gap, Lost, Note};
use cc_kit::journal::{Stamp, WriteError, Writer};

use super::super::desk::Desk;
use super::super::live::What;
use super::super::settings::Sync;
use super::super::syncing::{Closed, Number};
use super::{Home, Journal, begin_epoch, say};

/// How often it is tried again to write after a failure.
const AGAIN: Duration = Duration::from_secs(1);

impl Journal {
    /// Looks for a place to write to.
    pub(in super::super) fn settle(&mut self, stamp: Stamp, desk: &Desk) {
        let Home::Nowhere {
            lost,
            retry,
            writer,
        } = &mut self.home
        else {
            return;
        };
        if Instant::now() < *retry {
            return;
        }
        *retry = Instant::now() + AGAIN;
        let lost = *lost;
        let mut writer = match writer.take() {
            Some(mut found) => {
                if let Err(error) = found.flush() {
                    desk.failed(&error);
                    *writer = Some(found);
                    return;
                }
                found
            }
            None => {
                // Its tail, if it has one, was said to be lost when it became so.
                match desk.store.pane(&self.start, stamp) {
                    Ok(opened) => {
                        if let Some(left) = opened.left {
                            tracing::warn!(%left, "left a segment as it is, and began another");
                        }
                        self.again = opened.again;
                        let mut writer = opened.writer;
                        if opened.recovered.is_some_and(|found| found.cut > 0) {
                            let gap = Gap {
                                cause: note::Cause::TornTail,
                                lost: Lost::Unknown,
                            };
                            say(&mut writer, stamp, &Note::Gap(gap));
                        }
                        desk.open.add(writer.path());
                        self.began = stamp.wall_ns;
                        if let Some(size) = self.size {
                            say(&mut writer, stamp, &Note::Resize(size));
                        }
                        writer
                    }
                    Err(error) => {
                        desk.failed(&error);
                        return;
                    }
                }
            }
        };
        desk.recovered();
        if lost > 0 {
            desk.counters.gaps.add(1);
            desk.counters.gap_bytes.add(lost);
            let gap = Gap {
                cause: note::Cause::WriteFailed,
                lost: Lost::Known(lost),
            };
            begin_epoch(&mut writer, stamp, &Note::Gap(gap.clone()));
            desk.speaker.say(&self.name, What::Gap(gap));
        }
        self.unsynced = true;
        self.home = Home::Segment(writer);
    }

    pub(in super::super) fn flush(&mut self, desk: &Desk) {
        let Home::Segment(writer) = &mut self.home else {
            return;
        };
        if writer.pending().bytes == 0 {
            return;
        }
        match writer.flush() {
            Ok(()) => {
                self.unsynced = true;
                if desk.settings.sync == Sync::Always {
                    self.sync(desk);
                }
            }
            Err(error) => {
                desk.failed(&error);
                let lost = writer.discard();
                self.lose(lost);
            }
        }
    }

    /// The disk does not take what is written: from now on it is counted.
    fn lose(&mut self, lost: u64) {
        let nowhere = Home::Nowhere {
            lost,
            retry: Instant::now() + AGAIN,
            writer: None,
        };
        if let Home::Segment(mine) = std::mem::replace(&mut self.home, nowhere)
            && let Home::Nowhere { writer, .. } = &mut self.home
        {
            *writer = Some(mine);
        }
    }

    /// Has what was flushed brought to the disk.
    pub(in super::super) fn sync(&mut self, desk: &Desk) {
        if !self.unsynced || self.syncing {
            return;
        }
        let Home::Segment(writer) = &mut self.home else {
            return;
        };
        match writer.unsynced() {
            Ok(unsynced) => {
                self.syncing = desk.syncing.sync(self.number, unsynced, None);
                self.unsynced = !self.syncing;
            }
            Err(error) => desk.failed(&error),
        }
    }

    /// It has come to the disk, or not: then it goes on in a new segment.
    pub(in super::super) fn synced(
        &mut self,
        failed: Option<&WriteError>,
        stamp: Stamp,
        desk: &Desk,
    ) {
        self.syncing = false;
        let Some(error) = failed else {
            return;
        };
        desk.failed(error);
        if let Home::Segment(writer) = &mut self.home {
            writer.distrust();
            self.rotate(stamp, desk);
        }
    }

    /// Goes on in a new segment, without a hole.
    pub(in super::super) fn rotate(&mut self, stamp: Stamp, desk: &Desk) {
        self.flush(desk);
        let Home::Segment(writer) = &mut self.home else {
            return;
        };
        let position = writer.position();
        let next = match desk.store.next_segment(&self.start, position, stamp) {
            Ok(next) => next,
            Err(error) => {
                // The old one goes on, or fails by itself.
                desk.failed(&error);
                return;
            }
        };
        let old = std::mem::replace(writer, next);
        if let Some(size) = self.size {
            say(writer, stamp, &Note::Resize(size));
        }
        desk.open.add(writer.path());
        self.began = stamp.wall_ns;
        self.unsynced = true;
        desk.recovered();
        retire(self.number, old, true, desk);
    }
}

/// Brings a segment to the disk that is written no more, and has it packed where nobody goes on in it.
pub(super) fn retire(number: Number, mut writer: Writer, pack: bool, desk: &Desk) {
    let path = writer.path().to_owned();
    let unsynced = writer.unsynced();
    drop(writer);
    desk.open.remove(&path);
    match unsynced {
        Ok(unsynced) => {
            let closed = Some(Closed { path, pack });
            desk.syncing.sync(number, unsynced, closed);
        }
        Err(error) => tracing::warn!(%error, "a closed segment may not be on the disk"),
    }
}
