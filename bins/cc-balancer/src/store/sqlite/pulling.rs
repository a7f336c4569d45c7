//! Which task is next, and for whom.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::super::{Leased, Now, Offer, StoreError};
use super::limiting::UnderWay;
use super::row::{damaged, micros, parsed, some_timestamp};
use super::writer::Work;
use crate::policy::{self, Candidate, Wanted};
use crate::task::{Fence, Kind, Labels, TaskId};

// The planner knows nothing of how many tasks are in which state, so it is told the index.

/// Marks those whose time has come.
const PROMOTE: &str = "
    UPDATE task INDEXED BY task_due SET ready = 1
    WHERE state = 'queued' AND waits = 0 AND ready = 0 AND recipient IS NULL
        AND not_before <= ?1";
/// The lanes that have something.
const LANES: &str = "
    SELECT lane.id, lane.grp, lane.needs, lane.recipient, lane.kind, lane.submitter
    FROM tally JOIN lane ON lane.id = tally.lane WHERE tally.state = 'ready'";
/// The first message to somebody that is not over.
const MESSAGE: &str = "
    SELECT task.seq, task.priority, task.since, task.affinity,
        task.state = 'queued' AND task.waits = 0 AND ifnull(task.not_before <= ?2, 1),
        lane.grp, lane.needs, lane.recipient, lane.kind, lane.submitter
    FROM task INDEXED BY message_first JOIN lane ON lane.id = task.lane
    WHERE task.recipient = ?1 AND task.ended IS NULL ORDER BY task.seq LIMIT 1";
/// The first of the next lower priority of a lane.
const HEAD: &str = "
    SELECT seq, priority, since, affinity FROM task INDEXED BY task_ready
    WHERE lane = ?1 AND ready = 1 AND priority < ?2
    ORDER BY priority DESC, since, seq LIMIT 1";
/// When the next task has its time.
const DUE: &str = "
    SELECT not_before FROM task INDEXED BY task_due
    WHERE state = 'queued' AND waits = 0 AND ready = 0 AND recipient IS NULL
        AND not_before > ?1
    ORDER BY not_before LIMIT 1";
/// When the next message has its time.
const MESSAGE_DUE: &str = "
    SELECT not_before FROM task INDEXED BY message_due
    WHERE state = 'queued' AND waits = 0 AND recipient IS NOT NULL AND not_before > ?1
        AND NOT EXISTS (SELECT 1 FROM task AS other INDEXED BY message_first
            WHERE other.recipient = task.recipient AND other.recipient IS NOT NULL
                AND other.ended IS NULL AND other.seq < task.seq)
    ORDER BY not_before LIMIT 1";

/// What is asked each time: none of it may go over all tasks.
#[cfg(test)]
pub(super) const ALL: [&str; 6] = [PROMOTE, LANES, MESSAGE, HEAD, DUE, MESSAGE_DUE];

/// Tasks of which only priority and age say which is next.
struct Lane {
    group: String,
    needs: Labels,
    to: Option<String>,
    kind: Kind,
    submitter: String,
}

impl Lane {
    /// Of a row that ends with `grp, needs, recipient, kind, submitter`.
    fn of(row: &Row<'_>, first: usize) -> Result<Self, StoreError> {
        Ok(Self {
            group: row.get(first)?,
            needs: parsed(row.get_ref(first + 1)?.as_str().map_err(damaged)?)?,
            to: row.get(first + 2)?,
            kind: match row.get_ref(first + 3)?.as_str().map_err(damaged)? {
                "message" => Kind::Message,
                _ => Kind::Task,
            },
            submitter: row.get(first + 4)?,
        })
    }

    fn wanted<'a>(&'a self, affinity: Option<&'a str>) -> Wanted<'a> {
        Wanted {
            needs: &self.needs,
            to: self.to.as_deref(),
            kind: self.kind,
            group: &self.group,
            affinity,
        }
    }
}

/// The first of a lane.
struct Head {
    seq: i64,
    turn: Candidate,
    affinity: Option<String>,
    /// Which of the lanes.
    lane: usize,
}

impl Head {
    /// Of a row that begins with `seq, priority, since, affinity`.
    fn of(row: &Row<'_>, under_way: u64, lane: usize, now: Now) -> Result<Self, StoreError> {
        let seq: i64 = row.get(0)?;
        let waited = now.wall.as_microsecond().saturating_sub(row.get(2)?);
        Ok(Self {
            seq,
            turn: Candidate {
                priority: row.get(1)?,
                waited: Duration::from_micros(u64::try_from(waited).unwrap_or_default()),
                under_way,
                added: u64::try_from(seq).unwrap_or_default(),
            },
            affinity: row.get(3)?,
            lane,
        })
    }
}

impl Work<'_> {
    pub(super) fn pull(
        &mut self,
        host: &str,
        offers: &[Offer],
        lease: Duration,
        now: Now,
    ) -> Result<Option<Leased>, StoreError> {
        if offers.is_empty() {
            return Ok(None);
        }
        self.promote(now)?;
        let under_way = self.count_under_way()?;
        let accounts = self.accounts_by_name(&under_way)?;
        let (lanes, mut heads) = self.heads(offers, &under_way, now)?;
        heads.sort_by(|left, right| policy::order(&left.turn, &right.turn));
        for head in heads {
            let Some(lane) = lanes.get(head.lane) else {
                continue;
            };
            let wanted = lane.wanted(head.affinity.as_deref());
            let chosen = policy::choose(&wanted, offers, &accounts, now.wall);
            if let Some((at, offer)) = chosen.and_then(|at| Some((at, offers.get(at)?))) {
                return self
                    .lease(head.seq, host, (at, offer), lease, now)
                    .map(Some);
            }
        }
        Ok(None)
    }

    /// Marks those whose time has come.
    fn promote(&self, now: Now) -> Result<(), StoreError> {
        self.db
            .prepare_cached(PROMOTE)?
            .execute([now.wall.as_microsecond()])?;
        Ok(())
    }

    /// The heads of all lanes that one of the offers may have something of.
    fn heads(
        &self,
        offers: &[Offer],
        under_way: &UnderWay,
        now: Now,
    ) -> Result<(Vec<Lane>, Vec<Head>), StoreError> {
        let groups = self.set_groups(under_way)?;
        let has_room = |lane: &Lane| {
            let group = groups.get(&lane.group);
            group.is_none_or(|group| policy::group(group).is_ok())
        };
        let fits = |lane: &Lane| {
            let wanted = lane.wanted(None);
            offers
                .iter()
                .any(|offer| policy::fits(&wanted, offer).is_ok())
        };
        let busy = |lane: &Lane| {
            let many = under_way.submitters.get(&lane.submitter);
            many.copied().unwrap_or_default()
        };
        let (mut lanes, mut heads) = (Vec::new(), Vec::new());
        let mut query = self.db.prepare_cached(LANES)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let lane = Lane::of(row, 1)?;
            if has_room(&lane) && fits(&lane) {
                self.heads_of(row.get(0)?, busy(&lane), lanes.len(), now, &mut heads)?;
                lanes.push(lane);
            }
        }
        let takes = |offer: &&Offer| offer.kinds.contains(&Kind::Message);
        let names = offers.iter().filter(takes).flat_map(|offer| &offer.names);
        for name in names.collect::<BTreeSet<_>>() {
            let mut query = self.db.prepare_cached(MESSAGE)?;
            let mut rows = query.query(params![name, now.wall.as_microsecond()])?;
            let Some(row) = rows.next()? else {
                continue;
            };
            let lane = Lane::of(row, 5)?;
            if row.get(4)? && has_room(&lane) && fits(&lane) {
                heads.push(Head::of(row, busy(&lane), lanes.len(), now)?);
                lanes.push(lane);
            }
        }
        Ok((lanes, heads))
    }

    /// The head of each priority of a lane: with its age, any of them may be the first.
    fn heads_of(
        &self,
        lane: i64,
        under_way: u64,
        at: usize,
        now: Now,
        heads: &mut Vec<Head>,
    ) -> Result<(), StoreError> {
        let mut query = self.db.prepare_cached(HEAD)?;
        let mut below = i64::MAX;
        loop {
            let mut rows = query.query(params![lane, below])?;
            let Some(row) = rows.next()? else {
                return Ok(());
            };
            let head = Head::of(row, under_way, at, now)?;
            below = i64::from(head.turn.priority);
            heads.push(head);
        }
    }

    fn lease(
        &mut self,
        seq: i64,
        host: &str,
        (at, offer): (usize, &Offer),
        lease: Duration,
        now: Now,
    ) -> Result<Leased, StoreError> {
        let kept = self.load_seq(seq)?;
        let number = kept.number + 1;
        let after_lost = self.may_repeat(seq, kept.number)?;
        let nonce = TaskId::by_chance().map_err(|error| StoreError::Broken(error.to_string()))?;
        let worker = &offer.worker;
        self.db
            .prepare_cached(
                "INSERT INTO attempt (task, number, nonce, host, unit, socket, server, pane, account,
                     leased, after_lost)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                seq,
                number,
                nonce.as_str(),
                host,
                worker.unit,
                worker.socket,
                worker.server,
                worker.pane,
                worker.account,
                now.wall.as_microsecond(),
                after_lost,
            ])?;
        self.db
            .prepare_cached(
                "UPDATE task SET state = 'leased', ready = 0, why = NULL, number = ?2, host = ?3,
                     account = ?4, boot = ?5, lease = ?6, until = ?7
                 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                number,
                host,
                worker.account,
                self.boot,
                micros(lease),
                micros(now.steady.saturating_add(lease)),
            ])?;
        let where_ = worker.unit.as_ref().unwrap_or(&worker.pane).clone();
        self.tell(&kept, Some(number), "leased", Some(where_), now)?;
        let kept = self.load_seq(seq)?;
        Ok(Leased {
            fence: Fence {
                task: kept.task.id.clone(),
                number,
            },
            task: kept.task,
            offer: at,
        })
    }

    pub(super) fn may_repeat(&self, seq: i64, number: u32) -> Result<bool, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT may_repeat FROM attempt WHERE task = ?1 AND number = ?2")?;
        let flag = query.query_row(params![seq, number], |row| row.get(0));
        Ok(flag.optional()?.unwrap_or_default())
    }

    pub(super) fn next_due(&self, now: Now) -> Result<Option<Timestamp>, StoreError> {
        let at = now.wall.as_microsecond();
        let first = |sql: &str| -> Result<Option<i64>, StoreError> {
            let mut query = self.db.prepare_cached(sql)?;
            Ok(query.query_row([at], |row| row.get(0)).optional()?)
        };
        let task = first(DUE)?;
        let message = first(MESSAGE_DUE)?;
        // Where something waits, the end of a limit may be its time.
        let account = first(
            "SELECT min(limited_until) FROM account WHERE limited_until > ?1
                 AND EXISTS (SELECT 1 FROM tally WHERE state IN ('ready', 'queued'))
             HAVING count(*) > 0",
        )?;
        some_timestamp([task, message, account].into_iter().flatten().min())
    }
}
