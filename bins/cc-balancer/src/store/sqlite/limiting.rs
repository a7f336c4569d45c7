//! Groups and accounts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use super::super::{Account, Group, StoreError};
use super::asking::UNDER_WAY;
use super::row::{damaged, some_timestamp};
use super::writer::Work;

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) groups: BTreeMap<String, u64>,
    pub(super) submitters: BTreeMap<String, u64>,
    pub(super) accounts: BTreeMap<String, u64>,
}

impl Work<'_> {
    /// Counts what is under way: no more than there are workers.
    pub(super) fn count_under_way(&self) -> Result<UnderWay, StoreError> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT lane.grp, lane.submitter, task.account FROM task JOIN lane ON lane.id = task.lane
             WHERE task.state IN {UNDER_WAY}"
        ))?;
        let mut rows = query.query([])?;
        let mut all = UnderWay::default();
        while let Some(row) = rows.next()? {
            *all.groups.entry(row.get(0)?).or_default() += 1;
            *all.submitters.entry(row.get(1)?).or_default() += 1;
            if let Some(account) = row.get(2)? {
                *all.accounts.entry(account).or_default() += 1;
            }
        }
        Ok(all)
    }

    /// Groups that something was said of.
    pub(super) fn set_groups(
        &self,
        under_way: &UnderWay,
    ) -> Result<BTreeMap<String, Group>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT name, parallel, is_paused FROM task_group")?;
        let rows = query.query_map([], |row| {
            let name: String = row.get(0)?;
            Ok(Group {
                parallel: row.get(1)?,
                is_paused: row.get(2)?,
                queued: 0,
                under_way: under_way.groups.get(&name).copied().unwrap_or_default(),
                name,
            })
        })?;
        let named = |group: Group| (group.name.clone(), group);
        Ok(rows
            .map(|group| group.map(named))
            .collect::<Result<_, _>>()?)
    }

    pub(super) fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let under_way = self.count_under_way()?;
        let mut all = self.set_groups(&under_way)?;
        let mut query = self.db.prepare_cached(
            "SELECT lane.grp, sum(iif(tally.state IN ('ready', 'queued'), tally.n, 0))
             FROM tally JOIN lane ON lane.id = tally.lane GROUP BY lane.grp",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let group = all.entry(name.clone()).or_insert_with(|| Group {
                parallel: None,
                is_paused: false,
                queued: 0,
                under_way: under_way.groups.get(&name).copied().unwrap_or_default(),
                name,
            });
            group.queued = u64::try_from(row.get::<_, i64>(1)?).map_err(damaged)?;
        }
        Ok(all.into_values().collect())
    }

    pub(super) fn set_group(
        &self,
        name: &str,
        parallel: Option<u32>,
        is_paused: bool,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO task_group (name, parallel, is_paused) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET parallel = excluded.parallel,
                     is_paused = excluded.is_paused",
            )?
            .execute(params![name, parallel, is_paused])?;
        Ok(())
    }

    /// Accounts by their names, those too that nothing was said of and something is under way on.
    pub(super) fn accounts_by_name(
        &self,
        under_way: &UnderWay,
    ) -> Result<BTreeMap<String, Account>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT name, parallel, limited_until, why FROM account")?;
        let mut rows = query.query([])?;
        let mut all = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let account = Account {
                name: name.clone(),
                parallel: row.get(1)?,
                limited_until: some_timestamp(row.get(2)?)?,
                why: row.get(3)?,
                under_way: 0,
            };
            all.insert(name, account);
        }
        for (name, many) in &under_way.accounts {
            let account = all.entry(name.clone()).or_insert_with(|| Account {
                name: name.clone(),
                parallel: None,
                limited_until: None,
                why: None,
                under_way: 0,
            });
            account.under_way = *many;
        }
        Ok(all)
    }

    pub(super) fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let under_way = self.count_under_way()?;
        let all = self.accounts_by_name(&under_way)?;
        Ok(all.into_values().collect())
    }

    pub(super) fn set_account(&self, name: &str, parallel: Option<u32>) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO account (name, parallel) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET parallel = excluded.parallel",
            )?
            .execute(params![name, parallel])?;
        Ok(())
    }

    pub(super) fn limit(
        &self,
        name: &str,
        until: Option<Timestamp>,
        why: &str,
    ) -> Result<(), StoreError> {
        let why = until.map(|_| why);
        self.db
            .prepare_cached(
                "INSERT INTO account (name, limited_until, why) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET limited_until = excluded.limited_until,
                     why = excluded.why",
            )?
            .execute(params![name, until.map(Timestamp::as_microsecond), why])?;
        Ok(())
    }
}
