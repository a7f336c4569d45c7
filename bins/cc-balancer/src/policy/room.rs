//! Whether a group or an account has room for one more.

use jiff::Timestamp;

use crate::store::{Account, Group};

/// Why there is no room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// Nothing of the group is begun.
    #[error("the group {0} is paused")]
    Paused(String),
    /// As many of the group are under way as may be.
    #[error("{1} of the group {0} are under way, and no more may be")]
    GroupFull(String, u32),
    /// Nothing is begun on the account.
    #[error("the account {0} is limited until {1}")]
    Limited(String, Timestamp),
    /// As many are under way on the account as may be.
    #[error("{1} are under way on the account {0}, and no more may be")]
    AccountFull(String, u32),
}

/// May one more of the group begin?
///
/// # Errors
/// Why not.
pub fn group(group: &Group) -> Result<(), NoRoom> {
    if group.is_paused {
        return Err(NoRoom::Paused(group.name.clone()));
    }
    match group.parallel {
        Some(most) if group.under_way >= u64::from(most) => {
            Err(NoRoom::GroupFull(group.name.clone(), most))
        }
        _ => Ok(()),
    }
}

/// May one more begin on the account?
///
/// # Errors
/// Why not.
pub fn account(account: &Account, now: Timestamp) -> Result<(), NoRoom> {
    if let Some(until) = account.limited_until
        && until > now
    {
        return Err(NoRoom::Limited(account.name.clone(), until));
    }
    match account.parallel {
        Some(most) if account.under_way >= u64::from(most) => {
            Err(NoRoom::AccountFull(account.name.clone(), most))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_room_until_it_is_full_or_paused() {
        let mut ci = Group {
            name: "ci".to_owned(),
            parallel: None,
            is_paused: false,
            queued: 9,
            under_way: 2,
        };
        assert_eq!(group(&ci), Ok(()));
        ci.parallel = Some(3);
        assert_eq!(group(&ci), Ok(()));
        ci.parallel = Some(2);
        assert_eq!(group(&ci), Err(NoRoom::GroupFull("ci".to_owned(), 2)));
        ci.is_paused = true;
        assert_eq!(group(&ci), Err(NoRoom::Paused("ci".to_owned())));
    }

    #[test]
    fn an_account_has_room_until_it_is_full_or_limited() {
        let now = Timestamp::UNIX_EPOCH;
        let mut team = Account {
            name: "team".to_owned(),
            parallel: Some(2),
            limited_until: Some(now),
            why: None,
            under_way: 1,
        };
        assert_eq!(account(&team, now), Ok(()));
        let before = Timestamp::from_second(-1).unwrap();
        assert_eq!(
            account(&team, before),
            Err(NoRoom::Limited("team".to_owned(), now))
        );
        team.under_way = 2;
        assert_eq!(
            account(&team, now),
            Err(NoRoom::AccountFull("team".to_owned(), 2))
        );
    }
}
