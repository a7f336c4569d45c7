//! How many units of an account may be busy at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Limits, REFUSED, next};

impl Limits {
    /// So many units of an account may be busy at once; `None`: all.
    pub fn at_most(&mut self, account: &str, most: Option<usize>) {
        match most {
            Some(most) => self.most.insert(account.to_owned(), most),
            None => self.most.remove(account),
        };
    }

    /// Must it be known who is busy with that account?
    #[must_use]
    pub fn counts(&self, account: &str) -> bool {
        self.most.contains_key(account)
    }

    /// These units are busy now, by account, and no others.
    pub fn busy(&mut self, busy: BTreeMap<String, BTreeSet<String>>) {
        self.busy = busy;
    }

    /// Are as many of an account busy as may be? One that has just been told to go on is one of them.
    pub(super) fn is_full(&self, account: &str, at: Timestamp) -> bool {
        let Some(most) = self.most.get(account) else {
            return false;
        };
        let begins = self.units.iter().filter(|(unit, track)| {
            let just = track.told.is_some_and(|told| at < next(told, REFUSED));
            track.room == account && (just || self.pending.contains(*unit))
        });
        let begins = begins.map(|(unit, _)| unit);
        let busy = self.busy.get(account).into_iter().flatten();
        busy.chain(begins).collect::<BTreeSet<_>>().len() >= *most
    }
}
